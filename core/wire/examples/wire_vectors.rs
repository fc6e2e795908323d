//! Writes the golden vectors of the wire again: `cargo run --example wire_vectors`.
#![allow(clippy::disallowed_methods, missing_docs, reason = "this program writes files")]

#[path = "../vectors/generate.rs"]
mod generate;

fn main() -> std::io::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    generate::files().into_iter().try_for_each(|(name, content)| std::fs::write(folder.join(name), content))
}
