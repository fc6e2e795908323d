//! The modes of the bench: each starts real processes on a copy of the world and prints one line of JSON.

mod idle;
mod live;
mod local;
mod members;
mod network;
mod pairs;
mod profiles;

use std::path::{Path, PathBuf};
use std::time::Instant;

use alliance_net::RelayAddress;
use serde_json::{Value, json};

use super::process::{DeviceProcess, RelayProcess, Used, copy_folder};
use super::world::World;
use crate::proxy::{Counts, Link, Proxy, Way};

/// Every mode, in the order in which they are best run; `idle-N` is for N connections.
pub const MODES: [&str; 16] = [
    "push",
    "push-final",
    "cold",
    "warm0",
    "warm10",
    "live",
    "idle-100",
    "save",
    "open",
    "list",
    "search",
    "profiles",
    "members",
    "pair-month",
    "pair-edge",
    "pair-village",
];

/// What a measurement needs.
#[derive(Debug, Clone)]
pub struct Bench {
    /// This program: devices are processes of it.
    pub program: PathBuf,
    /// What was prepared.
    pub world: World,
    /// The link between devices and relay.
    pub link: Link,
    /// How often something small is repeated.
    pub count: usize,
}

impl Bench {
    /// Measures one mode. Nothing if there is no such mode.
    pub async fn run(&self, mode: &str) -> Option<Value> {
        let (begun, folder) = (Instant::now(), tempfile::tempdir_in(self.world.folder()).expect("a folder"));
        let mut said = match mode {
            "push" => self.push(folder.path()),
            "push-final" => self.push_final(folder.path()).await,
            "cold" => self.cold(folder.path()),
            "warm0" => self.warm0(folder.path()),
            "warm10" => self.warm10(folder.path()),
            "live" => self.live(folder.path()),
            "save" => self.save(folder.path()),
            "open" => self.open(folder.path()),
            "list" => self.list(folder.path()),
            "search" => self.search(folder.path()),
            "profiles" => self.profiles(folder.path()).await,
            "members" => self.members(),
            "pair-month" => self.pair_month(folder.path()).await,
            "pair-edge" => self.pair_edge(folder.path()).await,
            "pair-village" => self.pair_village(folder.path()).await,
            other => {
                let connections = other.strip_prefix("idle-")?.parse().ok()?;
                self.idle(folder.path(), connections).await
            }
        };
        said["mode"] = json!(mode);
        said["documents"] = json!(self.world.documents.len());
        said["mode_s"] = json!(begun.elapsed().as_secs_f64());
        Some(said)
    }
}

/// A relay behind a counting link.
struct Place {
    relay: RelayProcess,
    proxy: Proxy,
    at_rest: Used,
}

impl Place {
    /// Starts a relay on a folder, with a proxy before it.
    fn start(data: &Path, link: Link) -> Self {
        let relay = RelayProcess::start(data);
        let proxy = Self::link(&relay, link);
        let at_rest = relay.used();
        Self { relay, proxy, at_rest }
    }

    /// A further link to a relay.
    fn link(relay: &RelayProcess, link: Link) -> Proxy {
        let address = relay.address().address().parse().expect("an IP address and a port");
        Proxy::start(address, link).expect("a socket")
    }

    fn connect(&self) -> String {
        connect(&self.relay, &self.proxy)
    }
}

/// The connect string of a relay through a proxy.
fn connect(relay: &RelayProcess, proxy: &Proxy) -> String {
    RelayAddress::new(relay.address().key(), proxy.address().to_string()).expect("an address").to_string()
}

/// The relay as it was when it had lost its entries: its key is the same, its instance is not.
fn empty_relay(world: &World, to: &Path) -> PathBuf {
    let data = to.join("relay");
    std::fs::create_dir_all(&data).expect("a folder");
    std::fs::copy(world.relay().join("secrets"), data.join("secrets")).expect("the relay's secrets");
    data
}

fn copy_of_relay(world: &World, to: &Path) -> PathBuf {
    let data = to.join("relay");
    copy_folder(&world.relay(), &data);
    data
}

/// Opens a device on a copy of a store and lets it know the relay.
fn device(bench: &Bench, store: &Path, connect: &str) -> (DeviceProcess, Value) {
    let (mut device, opened) = DeviceProcess::start(&bench.program, store);
    device.ask(&json!({ "do": "relay", "connect": connect }));
    (device, opened)
}

/// One contact of a device, with what all sides of it used.
fn contact(device: &mut DeviceProcess, place: &Place) -> Value {
    let (before, relay_before) = (device.used(), place.relay.used());
    drop(place.proxy.take());
    let report = device.ask(&json!({ "do": "sync" }));
    let (after, relay_after, wire) = (device.used(), place.relay.used(), place.proxy.take());
    let mut said = wired(&wire);
    said["wall_s"] = report["wall_s"].clone();
    said["cpu_client_s"] = report["cpu_s"].clone();
    said["cpu_client_proc_s"] = json!(after.cpu_s - before.cpu_s);
    said["cpu_relay_s"] = json!(relay_after.cpu_s - relay_before.cpu_s);
    said["rss_client_kb"] = json!(after.peak_kb);
    said["rss_relay_kb"] = json!(relay_after.peak_kb);
    said["protocol_up"] = report["bytes_up"].clone();
    said["protocol_down"] = report["bytes_down"].clone();
    said["docs_loaded"] = report["documents_loaded"].clone();
    said["received"] = report["received"].clone();
    said["settled"] = report["settled"].clone();
    if let Some(first) = report.get("first_page") {
        said["first_page"] = first.clone();
    }
    said
}

fn wired(wire: &Counts) -> Value {
    json!({
        "wire_up": wire.bytes(Way::Up),
        "wire_down": wire.bytes(Way::Down),
        "datagrams_up": wire.datagrams(Way::Up),
        "datagrams_down": wire.datagrams(Way::Down),
        "lost": wire.lost_up + wire.lost_down,
        "flights": wire.round_trips(),
    })
}
