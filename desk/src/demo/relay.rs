//! The relay of the demo: the real program, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::failure::{DeskCode, Failure};
use crate::output::Teller;

/// How long the relay may take until it listens, and until it has ended.
const START_MAX: Duration = Duration::from_secs(20);
const END_MAX: Duration = Duration::from_secs(10);
const PROGRAM: &str = "alliance-relay";

/// Where the relay program is: as given, or beside this program, where cargo puts it if this program runs under cargo.
///
/// # Errors
/// `RELAY_PROGRAM_ABSENT`.
pub(super) async fn program(given: Option<&Path>, teller: &Teller) -> Result<PathBuf, Failure> {
    let absent = || Failure::from(DeskCode::RelayProgramAbsent);
    if let Some(given) = given {
        return if given.is_file() { Ok(given.to_path_buf()) } else { Err(absent().with("file", given.display())) };
    }
    let own = std::env::current_exe().map_err(|_| absent())?;
    let folder = own.parent().ok_or_else(absent)?;
    let beside = folder.join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
    if beside.is_file() {
        return Ok(beside);
    }
    let cargo = std::env::var_os("CARGO").ok_or_else(absent)?;
    teller.remark("The relay program is not built yet: building it beside this program.").await;
    let mut build = Command::new(cargo);
    build.args(["build", "--bin", PROGRAM]);
    build_in_place_of(&mut build, folder);
    let built = build.stdin(Stdio::null()).stdout(Stdio::null()).status().await;
    if built.is_ok_and(|status| status.success()) && beside.is_file() { Ok(beside) } else { Err(absent()) }
}

/// Has cargo build in the profile and the target folder in which this program lies.
fn build_in_place_of(build: &mut Command, folder: &Path) {
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    match name(folder).as_deref() {
        Some("debug") | None => {}
        Some("release") => {
            build.arg("--release");
        }
        Some(profile) => {
            build.args(["--profile", profile]);
        }
    }
    let Some(above) = folder.parent() else { return };
    // Cargo marks its target folder; where a target was named, a folder of its name lies between.
    let target = if above.join("CACHEDIR.TAG").is_file() {
        above
    } else {
        if let Some(triple) = name(above) {
            build.args(["--target", &triple]);
        }
        above.parent().unwrap_or(above)
    };
    build.arg("--target-dir").arg(target);
    let manifest = target.parent().map(|workspace| workspace.join("Cargo.toml"));
    if let Some(manifest) = manifest.filter(|manifest| manifest.is_file()) {
        build.arg("--manifest-path").arg(manifest);
    }
}

/// The running relay. It ends with this value, whatever happens.
pub(super) struct Relay {
    child: Child,
    /// What people add to know it.
    pub(super) connect: String,
}

impl Relay {
    /// Starts the relay on a free port of the loopback interface and waits until it says where it listens.
    ///
    /// # Errors
    /// `RELAY_PROGRAM_FAILED`.
    pub(super) async fn start(program: &Path, data: &Path) -> Result<Self, Failure> {
        let failed = |reason: &str| Failure::from(DeskCode::RelayProgramFailed).with("reason", reason);
        let mut child = Command::new(program)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0", "--open", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error.kind().to_string()))?;
        let stdout = child.stdout.take().ok_or_else(|| failed("it has no output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(START_MAX, lines.next_line()).await;
        let line = line.map_err(|_| failed("it does not say where it listens"))?;
        let line = line.ok().flatten().ok_or_else(|| failed("it ended at once"))?;
        let said: serde_json::Value = serde_json::from_str(&line).map_err(|_| failed("it said something else"))?;
        let connect = said["connect"].as_str().ok_or_else(|| failed("it said no connect string"))?.to_owned();
        Ok(Self { child, connect })
    }

    /// Everything that a relay's databases hold, without the key that their pages lie under: what its files would say to
    /// whoever has the whole folder.
    ///
    /// # Errors
    /// `RELAY_PROGRAM_FAILED`.
    pub(super) async fn dump(program: &Path, data: &Path) -> Result<Vec<u8>, Failure> {
        let failed = |reason: &str| Failure::from(DeskCode::RelayProgramFailed).with("reason", reason);
        let mut command = Command::new(program);
        command.arg("dump").arg("--data").arg(data).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.map_err(|error| failed(&error.kind().to_string()))?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed("it does not say what it holds")) }
    }

    /// Ends the relay as an operator would, and waits for it; whether it ended cleanly.
    pub(super) async fn stop(mut self) -> bool {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // A process that has ended already is waited for below.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let ended = tokio::time::timeout(END_MAX, self.child.wait()).await;
        ended.is_ok_and(|ended| ended.is_ok_and(|status| status.success()))
    }
}
