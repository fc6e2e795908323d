//! A session bus of the test's own, with a login keyring on it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The address of a bus at which nobody is.
pub const NO_BUS: &str = "unix:path=/nowhere/at/all";
/// Unlocks the keyring with the password in $0, says where the bus is, and stays until its input ends.
const SCRIPT: &str = r#"
printf '%s' "$0" | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null
echo "bus $DBUS_SESSION_BUS_ADDRESS"
cat >/dev/null
"#;

/// A bus and its keyring; both end with this value.
pub struct Bus {
    address: String,
    process: Child,
    _home: TempDir,
}

impl Bus {
    /// Starts a bus and a keyring that is unlocked, with a home of their own.
    pub fn start(password: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "bash", "-c", SCRIPT, password]).stdin(Stdio::piped()).stdout(Stdio::piped());
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, home.path());
        }
        let mut process = command.spawn().expect("dbus-run-session");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("bus ")?.to_owned()));
        Self { address: address.expect("the bus says where it is"), process, _home: home }
    }

    /// Where the bus is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Locks the keyring, as a person does who goes away.
    pub fn lock(&self) {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
        command.args(["org.freedesktop.Secret.Service.Lock"]);
        command.arg("array:objpath:/org/freedesktop/secrets/collection/login");
        let output = command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
