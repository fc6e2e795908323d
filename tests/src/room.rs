//! A room: phones on one network and nothing else, each in a network namespace of its own, joined by a bridge.
//!
//! What is made here lies in the namespaces of the test's own process, which `.ci/run` starts by
//! `unshare --map-root-user --net --mount`, and goes with it. Nothing is announced on an interface of the machine.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;

/// Which addresses there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both.
    Both,
}

/// Phones on one network. It is taken down with this value.
#[derive(Debug)]
pub struct Room {
    name: String,
    phones: Vec<String>,
    addresses: Addresses,
}

impl Room {
    /// A network without phones. `name` has at most six letters and is this test's alone.
    ///
    /// # Panics
    /// If the process is not in a network namespace of its own: nothing of this may happen on the machine's network.
    #[must_use]
    pub fn new(name: &str, addresses: Addresses) -> Self {
        static READY: Once = Once::new();
        READY.call_once(|| {
            let interfaces = output(Command::new("ip").args(["-o", "link", "show"]));
            let alone = interfaces.lines().all(|line| line.split(": ").nth(1) == Some("lo"));
            assert!(alone, "this is a network of the machine's; run the test through .ci/run:\n{interfaces}");
            // Where namespaces have their names: a place of this process alone.
            ip(&["link", "set", "lo", "up"]);
            run(Command::new("mount").args(["-t", "tmpfs", "none", "/run"]));
            std::fs::create_dir("/run/netns").expect("a folder for namespaces");
        });
        let bridge = format!("b{name}");
        ip(&["link", "add", &bridge, "type", "bridge", "mcast_snooping", "0"]);
        ip(&["link", "set", &bridge, "up"]);
        Self { name: name.to_owned(), phones: Vec::new(), addresses }
    }

    /// Puts the test itself into the room: the address by which it is there.
    ///
    /// # Panics
    /// If the system does not do it.
    #[must_use]
    pub fn join(&self) -> Ipv4Addr {
        let own = Ipv4Addr::new(10, 9, 0, 254);
        ip(&["addr", "add", &format!("{own}/24"), "dev", &self.interface()]);
        own
    }

    /// The interface by which the test itself would be there.
    #[must_use]
    pub fn interface(&self) -> String {
        format!("b{}", self.name)
    }

    /// One more phone in the room.
    ///
    /// # Panics
    /// If the system does not make it.
    pub fn phone(&mut self) -> Phone {
        let number = self.phones.len() + 1;
        let (namespace, port) = (format!("{}{number}", self.name), format!("v{}{number}", self.name));
        ip(&["netns", "add", &namespace]);
        self.phones.push(namespace.clone());
        ip(&["link", "add", &port, "type", "veth", "peer", "name", "wlan0", "netns", &namespace]);
        ip(&["link", "set", &port, "master", &format!("b{}", self.name)]);
        ip(&["link", "set", &port, "up"]);
        let phone = Phone { namespace: Path::new("/run/netns").join(namespace), port, number };
        phone.ip(&["link", "set", "lo", "up"]);
        if self.addresses == Addresses::V4 {
            phone.runs(&["sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1"]);
        } else {
            // An address need not be defended here: the bridge has none of the others'.
            phone.runs(&["sysctl", "-q", "-w", "net.ipv6.conf.wlan0.accept_dad=0"]);
        }
        phone.ip(&["link", "set", "wlan0", "up"]);
        if self.addresses != Addresses::V6 {
            phone.ip(&["addr", "add", &format!("{}/24", phone.v4()), "dev", "wlan0"]);
        }
        if self.addresses != Addresses::V4 {
            phone.ip(&["addr", "add", &format!("{}/64", phone.v6()), "dev", "wlan0", "nodad"]);
        }
        phone
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for phone in &self.phones {
            // Its interfaces go with it.
            let _ = Command::new("ip").args(["netns", "del", phone]).status();
        }
        let _ = Command::new("ip").args(["link", "del", &format!("b{}", self.name)]).status();
    }
}

/// One phone of a room.
#[derive(Debug, Clone)]
pub struct Phone {
    namespace: PathBuf,
    port: String,
    number: usize,
}

impl Phone {
    /// Its IPv4 address, where the room has such.
    #[must_use]
    pub fn v4(&self) -> String {
        format!("10.9.0.{}", self.number)
    }

    /// Its IPv6 address, where the room has such.
    #[must_use]
    pub fn v6(&self) -> String {
        format!("fd09::{}", self.number)
    }

    /// What a program is started with, so that it runs on this phone.
    #[must_use]
    pub fn prefix(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net={}", self.namespace.display())]
    }

    /// A program on this phone.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.namespace.display())).arg(program);
        command
    }

    /// What others send to all does not reach it, nor does what it sends to all reach others; addresses do.
    pub fn block_multicast(&self) {
        ip(&["link", "set", &self.port, "type", "bridge_slave", "mcast_flood", "off"]);
    }

    /// Takes it out of reach, or back.
    pub fn set_link(&self, up: bool) {
        ip(&["link", "set", &self.port, if up { "up" } else { "down" }]);
    }

    /// What it sends goes at so many kilobits a second from here on: there is time for something to happen meanwhile.
    pub fn slow(&self, kilobits: u32) {
        let rate = format!("{kilobits}kbit");
        self.runs(&[
            "tc", "qdisc", "add", "dev", "wlan0", "root", "tbf", "rate", &rate, "burst", "16k", "limit", "64k",
        ]);
    }

    fn ip(&self, arguments: &[&str]) {
        self.runs(&[["ip"].as_slice(), arguments].concat());
    }

    fn runs(&self, command: &[&str]) {
        run(self.command(command[0]).args(&command[1..]));
    }
}

fn ip(arguments: &[&str]) {
    run(Command::new("ip").args(arguments));
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| unreachable!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| unreachable!("{command:?}: {error}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
