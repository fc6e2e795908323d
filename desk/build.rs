//! Nothing is generated. Without a build script cargo does not look at build-dependencies, which are here for their
//! features (Cargo.toml).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
