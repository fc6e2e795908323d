//! The process that is looked at.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use alliance_tests::scan::Memory;

/// A process at work with secrets; it is at rest whenever it has answered.
pub(crate) struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alliance-secrets-worker"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// Gives it a secret.
    pub(crate) fn take(&mut self, secret: &str) {
        assert_eq!(self.ask(&format!("take\n{secret}")), "taken");
    }

    /// Has it do something; blocks until that is done.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        writeln!(self.input, "{command}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the worker died at {command}");
        answer.trim_end().to_owned()
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory::of(self.child.id()).unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
