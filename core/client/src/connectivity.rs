//! When to connect: what the app knows of the phone, waits that grow, and what became of each connection.
//!
//! Nothing here wakes a phone. In the background no connection is kept and no timer runs: a phone's scheduler calls
//! [`Client::sync_within`] when it grants a moment, and the app says when the network changed.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use alliance_wire::DeviceKey;
use tokio::sync::watch;

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, lock};
use crate::views::{Change, LinkState, LinkView};

/// What an app knows of its phone at the moment. A program on a desk leaves the default: somebody is looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// A person is looking. In the background a live sync rests: it closes its connections and makes no new ones.
    pub foreground: bool,
    /// The network is paid for by what goes over it. What this device carries for others waits for another one; what its
    /// own people wrote goes all the same.
    pub metered: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { foreground: true, metered: false }
    }
}

/// So many peers are remembered in [`Client::links`]; those that were heard of longest ago go.
const LINKS_MAX: usize = 64;

/// What connections go by, and what is known of them.
#[derive(Debug)]
pub(crate) struct Connectivity {
    conditions: watch::Sender<Conditions>,
    /// Counts what the app told of the network.
    networks: watch::Sender<u64>,
    links: Mutex<Links>,
}

/// The newest state of each connection, and in which order they were told.
#[derive(Debug, Default)]
struct Links {
    told: u64,
    rows: BTreeMap<DeviceKey, (u64, LinkView)>,
}

impl Default for Connectivity {
    fn default() -> Self {
        let conditions = watch::Sender::new(Conditions::default());
        Self { conditions, networks: watch::Sender::new(0), links: Mutex::default() }
    }
}

impl Client {
    /// Says whether a person is looking. Takes effect at once on every live sync.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.inner.connectivity.conditions.send_if_modified(|known| {
            let other = *known != conditions;
            *known = conditions;
            other
        });
    }

    /// The phone changed its network: open connections move to it (RFC 9000 section 9), and a live sync that waits to
    /// try again tries now.
    ///
    /// # Errors
    /// `UNREACHABLE` if the system gives no socket; connections stay where they are.
    pub fn network_changed(&self) -> Result<(), Error> {
        if let Some(dialer) = self.inner.known_dialer() {
            dialer.rebind().map_err(|error| Error::new(Code::Unreachable).with("why", error))?;
        }
        self.inner.connectivity.networks.send_modify(|count| *count += 1);
        Ok(())
    }

    /// What became of connections of this process, by key: at most 64, and [`Change::Links`] tells of each change.
    #[must_use]
    pub fn links(&self) -> Vec<LinkView> {
        lock(&self.inner.connectivity.links).rows.values().map(|(_, view)| view.clone()).collect()
    }
}

impl Inner {
    /// Whether what goes over the network is paid for.
    pub(crate) fn is_metered(&self) -> bool {
        self.connectivity.conditions.borrow().metered
    }

    /// Remembers the state of a connection and tells of it.
    pub(crate) fn link(&self, peer: DeviceKey, name: &str, state: LinkState) {
        let mut links = lock(&self.connectivity.links);
        links.told += 1;
        let told = links.told;
        links.rows.insert(peer, (told, LinkView { device: peer, name: name.to_owned(), state }));
        if links.rows.len() > LINKS_MAX {
            let oldest = links.rows.iter().min_by_key(|(_, (told, _))| *told).map(|(peer, _)| *peer);
            oldest.map(|peer| links.rows.remove(&peer));
        }
        drop(links);
        self.tell(Change::Links);
    }
}

/// What a live sync with one peer goes by.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: watch::Receiver<bool>,
    conditions: watch::Receiver<Conditions>,
    networks: watch::Receiver<u64>,
    backoff: Backoff,
}

impl Watch {
    /// Goes on until `stop` says true.
    pub(crate) fn new(inner: &Inner, stop: watch::Receiver<bool>) -> Self {
        let (conditions, networks) =
            (inner.connectivity.conditions.subscribe(), inner.connectivity.networks.subscribe());
        Self { stop, conditions, networks, backoff: Backoff::default() }
    }

    /// Waits until a person is looking; `false` if somebody said stop. `rests` is called if there is a wait.
    pub(crate) async fn may_connect(&mut self, rests: impl FnOnce()) -> bool {
        if !*self.stop.borrow_and_update() && !self.conditions.borrow_and_update().foreground {
            rests();
            self.backoff = Backoff::default();
            tokio::select! {
                // The sender lives as long as the store is open.
                _ = self.conditions.wait_for(|now| now.foreground) => {}
                () = stopped(&mut self.stop) => {}
            }
        }
        self.networks.mark_unchanged();
        !*self.stop.borrow_and_update()
    }

    /// Lets a conversation run until it ends, or asks it to end when somebody says stop or nobody is looking any more.
    pub(crate) async fn through<T>(&mut self, leave: watch::Sender<bool>, conversation: impl Future<Output = T>) -> T {
        let mut conversation = std::pin::pin!(conversation);
        tokio::select! {
            biased;
            done = &mut conversation => return done,
            () = stopped(&mut self.stop) => {}
            _ = self.conditions.wait_for(|now| !now.foreground) => {}
        }
        // It may have ended in this moment.
        let _ = leave.send(true);
        conversation.await
    }

    /// How long to wait before the next attempt. `byte` is random.
    pub(crate) fn wait(&mut self, connected: bool, byte: u8) -> Duration {
        if connected {
            self.backoff = Backoff::default();
        }
        self.backoff.next(byte)
    }

    /// Waits so long, or until the network changed, nobody is looking any more, or somebody says stop.
    pub(crate) async fn sleep(&mut self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stopped(&mut self.stop) => {}
            _ = self.conditions.wait_for(|now| !now.foreground) => {}
            // It never fails while the store is open.
            _ = self.networks.changed() => self.backoff = Backoff::default(),
        }
    }
}

/// Ready when somebody says stop; whoever could say it and is gone has said it.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Waits between attempts: a second at first and twice as long each time, up to a minute.
#[derive(Debug)]
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

impl Backoff {
    const MAX: Duration = Duration::from_secs(60);

    /// Half to all of the next wait, so that devices that lost a relay together do not all come back at once.
    fn next(&mut self, byte: u8) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(Self::MAX);
        wait / 2 + wait / 2 * u32::from(byte) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_differ_by_the_seed() {
        let waits = |byte| {
            let mut backoff = Backoff::default();
            (0..9).map(|_| backoff.next(byte).as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(waits(255), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert_eq!(waits(0)[..3], [500, 1_000, 2_000]);
    }
}
