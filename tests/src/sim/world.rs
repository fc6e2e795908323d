//! The nodes of one simulation and how they meet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alliance_client::{Client, SyncReport, Towards, Until};
use alliance_wire::DeviceKey;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::disk::copy_files;
use super::fixture::{BEN, Fixture, LAPTOP, RELAY};
use super::node::{Common, Node, Process};
use super::storm::{FIRST, SECOND};
use crate::random::Random;

/// A meeting on a good line that takes longer than this stands still.
const MEETING_MAX: Duration = Duration::from_secs(600);

/// A runtime of one thread, whose time passes only when nothing else can happen.
///
/// # Panics
/// If the system gives none.
#[must_use]
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// A folder that goes when it is dropped; in memory where the system has a file system there, since simulations wait
/// for nothing and every commit would.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// How a meeting ended.
#[derive(Debug)]
pub struct Met {
    /// Who dialled.
    pub from: usize,
    /// Whom.
    pub to: usize,
    /// When.
    pub began: Instant,
    /// What the dialler says.
    pub report: Result<SyncReport, alliance_client::Error>,
}

/// The nodes of one simulation.
pub struct World {
    /// What they have in common.
    pub common: Common,
    /// Devices, then the relay, then copies of devices.
    pub nodes: Vec<Node>,
    /// What the seed still says.
    pub random: Random,
    /// The third person was let into the second space, or may have been.
    pub guest: bool,
    /// Devices that were suspended, or may have been. Whether they heard of it and are back, who knows.
    pub out: BTreeSet<DeviceKey>,
    /// The key of Ben's recovery words.
    words: Option<DeviceKey>,
    tell: mpsc::UnboundedSender<Met>,
    told: mpsc::UnboundedReceiver<Met>,
}

impl World {
    /// A world of these nodes.
    #[must_use]
    pub fn with(common: Common, nodes: Vec<Node>, random: Random) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        Self { common, nodes, random, guest: false, out: BTreeSet::new(), words: None, tell, told }
    }

    /// The fixture's nodes in folders of their own, started.
    ///
    /// # Panics
    /// If they do not start.
    pub async fn of(fixture: &Fixture, common: Common, mut random: Random) -> Self {
        let mut nodes = Vec::new();
        for number in 0..=RELAY {
            let mut node = Node::new(number, number == RELAY, random.next(), &common);
            let folder = node.next_folder();
            copy_files(&fixture.files(number), &folder).expect("the fixture's files can be copied");
            node.start(&folder, false).await;
            nodes.push(node);
        }
        Self { words: Some(fixture.words_key()), ..Self::with(common, nodes, random) }
    }

    /// The client of a device.
    ///
    /// # Panics
    /// If it is dead or a relay.
    #[must_use]
    pub fn client(&self, device: usize) -> Client {
        self.nodes[device].client().expect("a device that lives").clone()
    }

    /// Devices that may write in a space of the storm's: all people's in the first, those of the first two in the second,
    /// and the third's once it was let in; Ben's in his home; and his words everywhere.
    #[must_use]
    pub fn writers(&self, space: usize) -> Vec<DeviceKey> {
        let may = |node: usize| match space {
            FIRST => true,
            SECOND => self.guest || !self.is_guests(node),
            _ => self.is_bens(node),
        };
        let devices = self.nodes.iter().take(RELAY).filter(|node| may(node.number)).map(|node| node.key);
        devices.chain(self.words).collect()
    }

    /// The third person's device, or a copy of it: in the second space only once it was let in.
    #[must_use]
    pub fn is_guests(&self, node: usize) -> bool {
        self.nodes[node].key == self.nodes[2].key
    }

    /// A device of Ben's, or a copy of one.
    #[must_use]
    pub fn is_bens(&self, node: usize) -> bool {
        [BEN, LAPTOP].iter().any(|device| self.nodes[node].key == self.nodes[*device].key)
    }

    /// No disk waits or fails.
    pub fn quiet(&self, quiet: bool) {
        self.nodes.iter().for_each(|node| node.disk.set_quiet(quiet));
    }

    /// Lets two nodes meet; `live` ends the meeting where it does not end by itself. What becomes of it is told later.
    /// `false` if they do not reach each other.
    pub fn begin(&mut self, from: usize, to: usize, live: Option<watch::Receiver<bool>>) -> bool {
        let (dialler, listener) = (&self.nodes[from], &self.nodes[to]);
        let (Some(client), false, false) = (dialler.client().cloned(), dialler.is_dead(), listener.is_dead()) else {
            return false;
        };
        let Some((here, there)) = self.common.network.connect((from, dialler.key), (to, listener.key)) else {
            return false;
        };
        let serving = match &listener.process {
            Some(Process::Relay(service)) => tokio::spawn(service.serve(there)),
            Some(Process::Device(other)) => {
                let (other, stop) = (other.clone(), listener.stop.subscribe());
                tokio::spawn(async move {
                    // The dialler says what became of it.
                    let _ = other.meet(there, Towards::Dialler, Until::Stopped(stop), |_| ()).await;
                })
            }
            None => return false,
        };
        let (tell, began) = (self.tell.clone(), Instant::now());
        let towards = if listener.relay { Towards::Relay } else { Towards::Device };
        let until = live.map_or(Until::Settled, Until::Stopped);
        let dialling = tokio::spawn(async move {
            let report = client.meet(here, towards, until, |_| ()).await;
            // The simulation may be over.
            let _ = tell.send(Met { from, to, began, report });
        });
        self.nodes[to].tasks.push(serving);
        self.nodes[from].tasks.push(dialling);
        for node in [from, to] {
            self.nodes[node].tasks.retain(|task| !task.is_finished());
        }
        true
    }

    /// How meetings ended since the last time.
    pub fn ended(&mut self) -> Vec<Met> {
        std::iter::from_fn(|| self.told.try_recv().ok()).collect()
    }

    /// One meeting from its beginning to its end, on a line where nothing goes wrong.
    ///
    /// # Errors
    /// A sentence, if it does not end in order.
    pub async fn sync(&mut self, from: usize, to: usize) -> Result<SyncReport, String> {
        if !self.begin(from, to, None) {
            return Err(format!("{from} does not reach {to}"));
        }
        loop {
            let met = timeout(MEETING_MAX, self.told.recv()).await;
            let met = met.map_err(|_| format!("the meeting of {from} and {to} stands still"))?;
            let met = met.ok_or("nobody tells how meetings end")?;
            if (met.from, met.to) == (from, to) {
                // Whoever was dialled takes in what it got last.
                tokio::time::sleep(Duration::from_secs(3)).await;
                return met.report.map_err(|error| format!("{from} and {to} meet: {error}"));
            }
        }
    }

    /// Takes away what dead processes left running. Gives the nodes that died, with the folders that they left.
    pub fn bury(&mut self) -> Vec<(usize, PathBuf)> {
        let died: Vec<usize> =
            self.nodes.iter().filter(|node| node.process.is_some() && node.is_dead()).map(|node| node.number).collect();
        died.into_iter().filter_map(|number| self.nodes[number].bury().map(|folder| (number, folder))).collect()
    }
}
