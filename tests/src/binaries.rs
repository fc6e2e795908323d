//! The programs under test, built once for each test process.
//!
//! A test that starts a program asks here for its path, and so does the bench. The programs are built by cargo in the profile and target
//! directory of the running test, so that nothing compiles twice; if they cannot be built, the test fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Paths of the built programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The command line of a device.
    pub alliance: PathBuf,
    /// The relay.
    pub relay: PathBuf,
    /// The bench, which is its own devices.
    pub bench: PathBuf,
}

/// Both programs, fresh from the sources.
///
/// # Panics
/// If cargo cannot build them: a test must never pass because a program was missing.
#[must_use]
pub fn binaries() -> &'static Binaries {
    static BUILT: OnceLock<Binaries> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> Binaries {
    let place = Place::of_this_test();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["build", "--workspace", "--bins", "--locked"]);
    cargo.arg("--profile").arg(&place.profile).arg("--target-dir").arg(&place.target_dir);
    if let Some(triple) = &place.triple {
        cargo.arg("--target").arg(triple);
    }
    // Cargo describes the test's own package to it; the build must not see another environment than a person's.
    for (name, _) in std::env::vars_os() {
        let described = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if described {
            cargo.env_remove(name);
        }
    }
    let output = cargo.stdin(Stdio::null()).output().expect("cargo starts: tests run under it");
    assert!(
        output.status.success(),
        "the programs under test do not build ({}):\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let program = |name: &str| {
        let path = place.folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        assert!(path.is_file(), "cargo built {name}, but not as {}", path.display());
        path
    };
    Binaries { alliance: program("alliance"), relay: program("alliance-relay"), bench: program("alliance-bench") }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies one folder below the workspace")
}

/// Where the running test was built, and how.
struct Place {
    /// Holds the programs: `TARGET/debug` or `TARGET/TRIPLE/debug`.
    folder: PathBuf,
    target_dir: PathBuf,
    triple: Option<String>,
    profile: String,
}

impl Place {
    fn of_this_test() -> Self {
        let test = std::env::current_exe().expect("a process knows its executable");
        // TARGET/debug/deps/name-hash for a test, TARGET/debug/name for a program that starts the others.
        let beside = test.parent().expect("a file lies in a folder");
        let folder = if beside.ends_with("deps") { beside.parent().expect("`deps` lies in a folder") } else { beside };
        let folder = folder.to_path_buf();
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let profile = match name(&folder).as_deref() {
            Some("debug") => "dev".to_owned(),
            Some(other) => other.to_owned(),
            None => unreachable!("a profile's folder has a name"),
        };
        let above = folder.parent().expect("a profile's folder lies in the target directory");
        // Cargo marks the target directory itself; with `--target` a triple's folder lies between.
        if above.join("CACHEDIR.TAG").is_file() {
            Self { target_dir: above.to_path_buf(), triple: None, profile, folder }
        } else {
            let target_dir = above.parent().expect("a triple's folder lies in the target directory").to_path_buf();
            Self { target_dir, triple: name(above), profile, folder }
        }
    }
}
