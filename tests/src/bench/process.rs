//! Real processes, and what the kernel says that they used.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use alliance_net::RelayAddress;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::binaries;

/// Milliseconds of a tick in `/proc/PID/stat`: Linux counts 100 a second for every program.
const TICK_SECONDS: f64 = 0.01;

/// A running `alliance-relay`.
pub struct RelayProcess {
    child: Child,
    connect: String,
}

impl RelayProcess {
    /// Starts it on a folder and a port of the system's choice.
    ///
    /// # Panics
    /// If it does not say that it listens.
    #[must_use]
    pub fn start(data: &Path) -> Self {
        let mut command = Command::new(&binaries().relay);
        command.args(["serve", "--listen", "127.0.0.1:0", "--open", "--json", "--connections", "4096", "--data"]);
        command.arg(data).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the relay starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the relay says where it listens");
        let said: Value = serde_json::from_str(&line).expect("one line of JSON");
        let connect = said["connect"].as_str().expect("a connect string").to_owned();
        Self { child, connect }
    }

    /// Its connect string.
    #[must_use]
    pub fn connect(&self) -> &str {
        &self.connect
    }

    /// Its key and address.
    ///
    /// # Panics
    /// Never: it printed its own connect string.
    #[must_use]
    pub fn address(&self) -> RelayAddress {
        self.connect.parse().expect("a relay prints its connect string")
    }

    /// What it has used so far.
    #[must_use]
    pub fn used(&self) -> Used {
        Used::of(self.child.id())
    }

    /// Ends it in order, so that its files are whole and short.
    ///
    /// # Panics
    /// If it does not end well.
    pub fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        assert!(self.child.wait().expect("it ends").success());
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        // Over already where it was ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A device in a process of its own (`alliance-bench device`): one command a line in, one answer a line out.
pub struct DeviceProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl DeviceProcess {
    /// Starts a device on a store and waits until it is open; the second value is what it says of opening.
    ///
    /// # Panics
    /// If it does not open.
    #[must_use]
    pub fn start(program: &Path, store: &Path) -> (Self, Value) {
        let mut command = Command::new(program);
        command.arg("device").arg(store).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the device starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut device = Self { child, input, output };
        let opened = device.hear();
        (device, opened)
    }

    /// Says a command.
    ///
    /// # Panics
    /// If the device is gone.
    pub fn say(&mut self, command: &Value) {
        writeln!(self.input, "{command}").expect("the device listens");
        self.input.flush().expect("the device listens");
    }

    /// Waits for the next answer.
    ///
    /// # Panics
    /// If the device ended without one.
    pub fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe");
        serde_json::from_str(&line).unwrap_or_else(|_| unreachable!("the device ended without an answer: {line:?}"))
    }

    /// Says a command and waits for its answer.
    pub fn ask(&mut self, command: &Value) -> Value {
        self.say(command);
        self.hear()
    }

    /// What it has used so far.
    #[must_use]
    pub fn used(&self) -> Used {
        Used::of(self.child.id())
    }

    /// Closes its input and waits for its end.
    ///
    /// # Panics
    /// If it does not end well.
    pub fn end(self) {
        let Self { mut child, input, mut output } = self;
        drop(input);
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("a pipe");
        assert!(child.wait().expect("it ends").success());
    }
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// Processor seconds of all its threads, those that ended included.
    pub cpu_s: f64,
    /// Resident memory now, in KiB.
    pub rss_kb: u64,
    /// Resident memory at its most, in KiB.
    pub peak_kb: u64,
}

impl Used {
    /// Of a process by its id; zeros if there is none.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let status = read("status");
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        let stat = read("stat");
        // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field, 11 behind it.
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks: f64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        let cpu_s = (ticks * TICK_SECONDS).max(running_seconds(pid));
        Self { cpu_s, rss_kb: kib("VmRSS:"), peak_kb: kib("VmHWM:") }
    }

    /// This process.
    #[must_use]
    pub fn here() -> Self {
        Self::of(std::process::id())
    }
}

/// Seconds of the threads that still run: finer than ticks.
fn running_seconds(pid: u32) -> f64 {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0.0 };
    let nanos = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    nanos.sum::<f64>() / 1e9
}

/// Copies a folder of files and folders.
///
/// # Panics
/// If that fails.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            copy_folder(&source, &target);
        } else if kind.is_file() {
            std::fs::copy(&source, &target).expect("a copy");
        }
    }
}

/// Bytes of all files below a folder.
#[must_use]
pub fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
