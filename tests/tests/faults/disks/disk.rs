//! A small disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A tmpfs of a few MiB.
pub(crate) struct Disk {
    point: TempDir,
}

impl Disk {
    /// A disk of so many MiB.
    pub(crate) fn mount(mib: u64) -> Self {
        let own = fs::read_link("/proc/self/ns/mnt").unwrap();
        // Unreadable from a user namespace of one's own, which is as good as another answer.
        let first = fs::read_link("/proc/1/ns/mnt").ok();
        assert_ne!(Some(own), first, "this test wants a mount namespace of its own: .ci/run");
        let disk = Self { point: tempfile::tempdir().unwrap() };
        disk.run("mount", &["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]);
        disk
    }

    fn run(&self, command: &str, arguments: &[&str]) {
        let status = Command::new(command).args(arguments).arg(self.point.path()).status().unwrap();
        assert!(status.success(), "{command} {arguments:?}: {status}");
    }

    /// A new folder on it.
    pub(crate) fn folder(&self) -> TempDir {
        TempDir::new_in(self.point.path()).unwrap()
    }

    fn filler(&self) -> PathBuf {
        self.point.path().join("filler")
    }

    /// Somebody else's file grows until so many bytes are free.
    pub(crate) fn leave(&self, bytes: u64) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        while self.free() > bytes {
            let part = vec![1; usize::try_from((self.free() - bytes).min(1 << 20)).unwrap()];
            if std::io::Write::write_all(&mut file, &part).is_err() {
                break;
            }
        }
        assert!(self.free() <= bytes, "{} bytes are free", self.free());
    }

    /// That file is deleted.
    pub(crate) fn clear(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    /// Bytes that are free.
    pub(crate) fn free(&self) -> u64 {
        let stat = rustix::fs::statvfs(self.point.path()).unwrap();
        stat.f_bavail * stat.f_frsize
    }

    /// From now on it can only be read, or be written again. No file may be open for writing.
    pub(crate) fn read_only(&self, yes: bool) {
        self.run("mount", &["-o", if yes { "remount,ro" } else { "remount,rw" }]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The namespace ends with the test; a disk that is still in use is no failure of it.
        let _ = Command::new("umount").arg("-l").arg(self.point.path()).status();
    }
}

/// All files below a folder but locks, which name processes.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if entry.file_name() != "store.lock" {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
