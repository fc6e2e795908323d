//! A disk that can only be read from some moment on, as one that fails is mounted anew: the store on it is open.
//!
//! No system mounts a disk for reading only while somebody writes to it, but when it has to. So the disk stays as it is,
//! and strace gives the process the answers of such a disk.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

use crate::kills::device::Writer;

/// Every call that writes to a disk; `write` is left, by which the process answers.
const FAILING: &str = "pwrite64,ftruncate,fallocate,fsync,fdatasync,rename,unlink,mkdir:error=EROFS";
/// What `statfs` says of a disk: words up to the flags, the last of which are "valid" and "read only".
const STATFS: [u64; 11] = [0x0102_1994, 4_096, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 0, 255, 4_096, 0x21];

/// A process whose calls strace answers.
struct Disturbed {
    strace: Child,
    log: NamedTempFile,
}

impl Disturbed {
    fn begin(pid: u32, says_so: bool) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &pid.to_string(), "-o"]).arg(log.path()).args(["-e", &format!("inject={FAILING}")]);
        if says_so {
            let hex: String =
                STATFS.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect();
            command.args(["-e", &format!("inject=statfs:poke_exit=@arg2={hex}")]);
        }
        let mut strace = command.stderr(Stdio::piped()).spawn().expect("strace starts");
        let mut lines = BufReader::new(strace.stderr.take().unwrap()).lines();
        let attached = lines.find(|line| line.as_ref().unwrap().contains("attached"));
        assert!(attached.is_some(), "strace ended");
        // It holds a thread before it answers its calls: each one's first line says that it does.
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let threads: Vec<String> = threads.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let heard = || std::fs::read_to_string(log.path()).unwrap();
        let speaks = |heard: &str, thread: &str| heard.lines().any(|line| line.split(' ').next() == Some(thread));
        while !threads.iter().all(|thread| speaks(&heard(), thread)) {
            assert!(strace.try_wait().unwrap().is_none(), "strace ended");
            std::thread::yield_now();
        }
        Self { strace, log }
    }

    /// The disk is as before. Answers how many calls were answered otherwise.
    fn end(mut self) -> usize {
        let pid = Pid::from_raw(self.strace.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        self.strace.wait().unwrap();
        std::fs::read_to_string(self.log.path()).unwrap().matches("(INJECTED").count()
    }
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn a_store_whose_disk_can_only_be_read_from_now_on_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::spawn(folder.path(), false);
    let opened = writer.hear().unwrap();
    let note = writer.ask("note").strip_prefix("note ").unwrap().to_owned();
    let (read, seal) = (format!("read {note}"), format!("seal {note}"));
    assert_eq!(writer.ask(&format!("write {note} One.")), "saved");
    for (says_so, code) in [(true, "STORE_READ_ONLY"), (false, "STORE_IO")] {
        let disturbed = Disturbed::begin(writer.pid(), says_so);
        for _ in 0..3 {
            assert_eq!(writer.ask(&format!("write {note} Lost.")), format!("refused {code}"));
            assert_eq!(writer.ask(&seal), format!("refused {code}"));
            assert_eq!(writer.ask(&read), "text One.");
        }
        let answered = disturbed.end();
        println!("{code}: {answered} calls of the process were answered as such a disk does");
        assert!(answered > 0);
    }
    // When it can be written again, writing goes on, in this process and in the next one.
    assert_eq!(writer.ask(&format!("write {note} Two.")), "saved");
    assert_eq!(writer.ask(&read), "text Two.One.");
    writer.end();
    let mut writer = Writer::spawn(folder.path(), false);
    assert_eq!(writer.hear(), Some(opened));
    assert_eq!(writer.ask(&read), "text Two.One.");
    writer.end();
}
