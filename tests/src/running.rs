//! `alliance-relay` as a process of its own.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use alliance_net::RelayAddress;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::binaries;

/// A command of the relay's program on a data folder, with JSON for an answer.
#[must_use]
pub fn relay_command(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(&binaries().relay);
    command.args(arguments).arg("--data").arg(data).arg("--json");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A relay's process that has said that it listens. It is killed when this is dropped.
#[derive(Debug)]
pub struct RunningRelay {
    child: Child,
    /// The line that it said.
    pub line: Value,
}

impl RunningRelay {
    /// Starts a relay on a port of the system's choice and waits until it listens.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(data: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(more);
        Self::spawned(relay_command(&arguments, data).spawn().expect("the program starts"))
    }

    /// Waits until a process that was just started listens.
    ///
    /// # Panics
    /// If it does not.
    #[must_use]
    pub fn spawned(mut child: Child) -> Self {
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("its output is read")).read_line(&mut line).expect("a line");
        let line = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut said = String::new();
            let read = child.stderr.as_mut().map(|err| err.read_to_string(&mut said));
            unreachable!("the relay did not start ({read:?}): {said}");
        });
        Self { child, line }
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its connect string.
    ///
    /// # Panics
    /// If it did not say one.
    #[must_use]
    pub fn address(&self) -> RelayAddress {
        self.line["connect"].as_str().and_then(|text| text.parse().ok()).expect("a connect string")
    }

    /// The instance of its database.
    ///
    /// # Panics
    /// If it did not say one.
    #[must_use]
    pub fn instance(&self) -> String {
        self.line["instance"].as_str().expect("an instance").to_owned()
    }

    /// Sends it a signal and waits for its end.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn end(mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
        self.child.wait().expect("it ends")
    }
}

impl Drop for RunningRelay {
    fn drop(&mut self) {
        // Already over where the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
