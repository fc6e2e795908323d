//! One node: a device or a relay with its folder, its process, and what remains when that dies.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alliance_client::{Client, Error, Fallback, Options, Rules, Surroundings};
use alliance_crypto::Cost;
use alliance_relay::{Clock, Config, Opened, Service};
use alliance_store::{Disk, Fresh, SqliteReplica};
use alliance_wire::DeviceKey;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::disk::SimDisk;
use super::fault::Faults;
use super::network::Network;
use super::source::SimSource;
use crate::people::PASSPHRASE;
use crate::random::Random;

/// How often an opening that fails for want of room or for a bad disk is tried again before the simulation gives up.
const OPENINGS_MAX: usize = 5;

/// A process.
pub enum Process {
    /// A person's.
    Device(Client),
    /// A relay's.
    Relay(Service),
}

/// A node of a simulation.
pub struct Node {
    /// Its place among the nodes.
    pub number: usize,
    /// Its key, once it was opened.
    pub key: DeviceKey,
    /// It is a relay.
    pub relay: bool,
    /// Where its present process has its files.
    pub folder: PathBuf,
    /// Clock and random source.
    pub source: Arc<SimSource>,
    /// The disk of its present process.
    pub disk: Arc<SimDisk>,
    /// The process, unless it is dead.
    pub process: Option<Process>,
    /// What runs for it: connections.
    pub tasks: Vec<JoinHandle<()>>,
    /// Ends the connections that stand until somebody says so.
    pub stop: watch::Sender<bool>,
    lives: u64,
    since: Instant,
    home: PathBuf,
    faults: Faults,
    network: Network,
    /// Which rules hold for its next process.
    pub rules: Rules,
    /// Its person is bound by nothing: what it holds, shows and agrees to is not looked at.
    pub hostile: bool,
}

/// What nodes of one simulation have in common.
#[derive(Clone)]
pub struct Common {
    /// Where the folders of all nodes lie.
    pub home: PathBuf,
    /// The network.
    pub network: Network,
    /// What went wrong.
    pub faults: Faults,
    /// Which rules hold.
    pub rules: Rules,
}

impl Node {
    /// A node without a process.
    #[must_use]
    pub fn new(number: usize, relay: bool, seed: u64, common: &Common) -> Self {
        let home = common.home.join(format!("node-{number}"));
        let folder = home.join("life-0");
        let disk = SimDisk::new(&folder, relay, Random::new(seed), common.faults.clone(), Box::new(|| ()));
        Self {
            number,
            key: DeviceKey([0; 32]),
            relay,
            folder,
            source: Arc::new(SimSource::new(seed)),
            disk,
            process: None,
            tasks: Vec::new(),
            stop: watch::channel(false).0,
            lives: 0,
            since: Instant::now(),
            home,
            faults: common.faults.clone(),
            network: common.network.clone(),
            rules: common.rules,
            hostile: false,
        }
    }

    /// The client of a device that lives.
    #[must_use]
    pub const fn client(&self) -> Option<&Client> {
        match &self.process {
            Some(Process::Device(client)) => Some(client),
            _ => None,
        }
    }

    /// The log of a node that lives.
    #[must_use]
    pub fn replica(&self) -> Option<&SqliteReplica> {
        match &self.process {
            Some(Process::Device(client)) => Some(client.replica()),
            Some(Process::Relay(service)) => Some(service.replica()),
            None => None,
        }
    }

    /// The process died, and nobody has noticed yet.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.process.is_none() || self.disk.left().is_some()
    }

    /// How many folders it has had.
    #[must_use]
    pub const fn lives(&self) -> u64 {
        self.lives
    }

    /// When its present process began.
    #[must_use]
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// A folder for the next life of this node.
    pub fn next_folder(&mut self) -> PathBuf {
        self.lives += 1;
        self.home.join(format!("life-{}", self.lives))
    }

    fn new_disk(&mut self) {
        let (network, number) = (self.network.clone(), self.number);
        let on_death = Box::new(move || network.bury(number));
        self.since = Instant::now();
        let random = Random::new(self.number as u64 * 1_000_003 + self.lives * 7_919 + self.key.0[0] as u64);
        self.disk = SimDisk::new(&self.folder, self.relay, random, self.faults.clone(), on_death);
    }

    /// What is around a device's process.
    fn around(&self) -> Surroundings {
        Surroundings::simulated(Arc::clone(&self.source) as _, Arc::clone(&self.disk) as Arc<dyn Disk>)
    }

    const fn options(&self) -> Options {
        Options { rules: self.rules, cost: Cost::TEST, early_data: false, fallback: Fallback::DEFAULT }
    }

    /// Makes a new device in the present folder. Gives its recovery words.
    ///
    /// # Panics
    /// If that fails: nothing goes wrong yet.
    pub async fn create(&mut self, name: &str) -> String {
        self.new_disk();
        self.disk.set_quiet(true);
        let made = Client::create_in(self.around(), &self.folder, PASSPHRASE, name, None, self.options()).await;
        let (client, words) = made.expect("a new store");
        self.key = client.whoami().device;
        self.process = Some(Process::Device(client));
        self.disk.set_quiet(false);
        words.to_string()
    }

    /// Starts a process on the files of a folder.
    ///
    /// # Panics
    /// If they do not open: whatever happened to them, they must.
    pub async fn start(&mut self, folder: &Path, restored: bool) {
        self.folder = folder.to_owned();
        self.new_disk();
        self.stop = watch::channel(false).0;
        if self.relay {
            self.process = Some(Process::Relay(self.start_relay(restored)));
        } else {
            let client = self.open().await;
            self.key = client.whoami().device;
            self.process = Some(Process::Device(client));
        }
    }

    async fn open(&self) -> Client {
        for _ in 0..OPENINGS_MAX {
            match Client::open_in(self.around(), &self.folder, PASSPHRASE, self.options()).await {
                Ok(client) => return client,
                Err(error) => assert!(is_of_the_disk(&error), "node {}: the store opens: {error}", self.number),
            }
        }
        self.disk.set_full(false);
        self.disk.set_failing(0);
        Client::open_in(self.around(), &self.folder, PASSPHRASE, self.options())
            .await
            .unwrap_or_else(|error| panic!("node {}: the store opens when the disk works: {error}", self.number))
    }

    /// Starts a device on a backup, in a new folder.
    ///
    /// # Panics
    /// If the backup does not open.
    pub async fn restore(&mut self, backup: &Path) {
        self.folder = self.next_folder();
        self.new_disk();
        self.stop = watch::channel(false).0;
        let restored = Client::restore_in(self.around(), &self.folder, backup, PASSPHRASE, self.options()).await;
        self.process = Some(Process::Device(restored.expect("a backup can be restored")));
    }

    fn start_relay(&mut self, restored: bool) -> Service {
        let mut config = Config::new(&self.folder, ([127, 0, 0, 1], 0).into());
        let source = Arc::clone(&self.source);
        config.clock = Clock::new(move || alliance_client::Source::now_millis(&*source) / 1_000);
        config.open = true;
        config.restored = restored;
        config.rules = self.rules;
        config.store.rules = self.rules;
        config.store.disk = Some(Arc::clone(&self.disk) as Arc<dyn Disk>);
        let mut ids = [0; 32];
        assert!(alliance_client::Source::fill(&*self.source, &mut ids), "there is always randomness");
        let fresh = Fresh::draw(&ids, alliance_client::Source::now_millis(&*self.source));
        let opened = Opened::open(&config, fresh).unwrap_or_else(|error| panic!("the relay opens: {error}"));
        let service = Service::start(config, opened);
        self.key = service.key();
        service
    }

    /// The process dies at rest, if it lives.
    pub fn kill(&self) {
        if self.process.is_some() {
            self.disk.die();
        }
    }

    /// Takes away what a dead process left running. Gives the folder in which its files remain.
    pub fn bury(&mut self) -> Option<PathBuf> {
        self.process.take()?;
        self.tasks.drain(..).for_each(|task| task.abort());
        self.disk.left()
    }

    /// Closes a device's store in order; a relay just ends.
    pub async fn close(&mut self) {
        self.disk.set_quiet(true);
        self.tasks.drain(..).for_each(|task| task.abort());
        match self.process.take() {
            Some(Process::Device(client)) => client.close().await.expect("the store closes"),
            Some(Process::Relay(service)) => service.replica().close(),
            None => {}
        }
        // Tasks that were aborted let go of what they held at the runtime's next turn.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Errors that a full or failing disk may give.
#[must_use]
pub fn is_of_the_disk(error: &Error) -> bool {
    ["LOW_STORAGE", "STORE_IO", "STORE_CLOSED"].contains(&error.code())
}
