//! What is known of the network: who was seen, who was met, who is due.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use alliance_sync::Tail;
use alliance_wire::{DeviceKey, SpaceId};
use tokio::time::Instant;

use super::NearPerson;
use super::meeting::{Ended, How};
use crate::views::{Progress, SyncReport};

/// Names that are remembered; further ones are not looked at. A room has fewer, somebody who floods has more.
const SEEN_MAX: usize = 256;
/// Names at one address.
const SEEN_AT_ADDRESS_MAX: usize = 16;
/// Names that are dialled at a time, as long as nobody answers there.
const DIALLED_MAX: usize = 32;
/// The same at one address: of what somebody announces that is not there little is waited for at a time.
const DIALLED_AT_ADDRESS_MAX: usize = 4;
/// Of two devices that see each other, the one with the larger name waits so long to be dialled.
const YIELD: Duration = Duration::from_secs(2);
/// The first wait after a meeting that failed; each further one is twice as long.
const RETRY: Duration = Duration::from_secs(1);
/// Meetings of one name that may fail.
const FAILURES_MAX: u32 = 4;

/// Somebody who was seen under a name, or an address that was typed.
struct Seen {
    addresses: Vec<SocketAddr>,
    state: State,
    failures: u32,
    device: Option<DeviceKey>,
    /// An address of a person's: it is tried as long as anything is.
    typed: bool,
    /// It was met because somebody dialled from its address, where no other name was seen.
    guessed: bool,
}

impl Seen {
    /// The next try comes later than the last one did, or not at all.
    fn fail(&mut self, now: Instant) {
        self.failures += 1;
        let wait = RETRY * 2_u32.pow(self.failures.min(FAILURES_MAX) - 1);
        let over = self.failures >= FAILURES_MAX && !self.typed;
        self.state = if over { State::Silent } else { State::Due(now + wait) };
    }

    /// Whether it is at one of these addresses, whatever the port.
    fn is_beside(&self, addresses: &[SocketAddr]) -> bool {
        self.addresses.iter().any(|known| addresses.iter().any(|other| other.ip() == known.ip()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be dialled then.
    Due(Instant),
    /// Being dialled.
    Dialled,
    /// Met, by whoever dialled.
    Met,
    /// It shares nothing with this device.
    Stranger,
    /// It failed too often.
    Silent,
}

/// What is known of the network.
#[derive(Default)]
pub(super) struct Table {
    seen: BTreeMap<String, Seen>,
    /// Whom this device met, and what both had of what they share when they parted.
    met: HashMap<DeviceKey, [u8; 16]>,
    /// Under which names this device was announced, the present one last.
    own: Vec<String>,
    digests: HashMap<SpaceId, [u8; 8]>,
    changed: bool,
}

impl Table {
    /// An address that a person typed.
    pub(super) fn typed(&mut self, typed: &str, address: SocketAddr) {
        let due = State::Due(Instant::now());
        let seen =
            Seen { addresses: vec![address], state: due, failures: 0, device: None, typed: true, guessed: false };
        // No announced name has a colon at its beginning that this device would take (see `seen`).
        self.seen.insert(format!(":{typed}"), seen);
    }

    /// This device announces itself under this name.
    pub(super) fn shown(&mut self, name: String) {
        self.seen.remove(&name);
        self.own.push(name);
    }

    /// Somebody announces itself.
    pub(super) fn seen(&mut self, name: String, addresses: Vec<SocketAddr>, now: Instant) {
        if addresses.is_empty() || name.starts_with(':') || self.own.contains(&name) {
            return;
        }
        if let Some(known) = self.seen.get_mut(&name) {
            known.addresses = addresses;
            return;
        }
        let beside = self.seen.values().filter(|seen| seen.is_beside(&addresses)).count();
        let full = self.seen.len() >= SEEN_MAX;
        if (full || beside >= SEEN_AT_ADDRESS_MAX) && !self.make_room(if full { None } else { Some(&addresses) }) {
            return;
        }
        for other in self.seen.values_mut() {
            if other.guessed && other.is_beside(&addresses) {
                // Who dialled may have been this one.
                (other.state, other.device, other.guessed) = (State::Due(now + YIELD), None, false);
            }
        }
        let first = self.own.last().is_none_or(|own| *own < name);
        let state = State::Due(if first { now } else { now + YIELD });
        self.seen.insert(name, Seen { addresses, state, failures: 0, device: None, typed: false, guessed: false });
    }

    /// Forgets the name, at these addresses if some are given, that failed most often; `false` if none did. Names of which
    /// nothing is true thus take no room from one that is.
    fn make_room(&mut self, at: Option<&[SocketAddr]>) -> bool {
        let waits = |seen: &Seen| matches!(seen.state, State::Due(_) | State::Silent);
        let may_go = |seen: &Seen| !seen.typed && seen.device.is_none() && seen.failures > 0 && waits(seen);
        let here = |seen: &Seen| at.is_none_or(|addresses| seen.is_beside(addresses));
        let worst = self.seen.iter().filter(|(_, seen)| may_go(seen) && here(seen)).max_by_key(|it| it.1.failures);
        let Some(name) = worst.map(|(name, _)| name.clone()) else { return false };
        self.seen.remove(&name);
        true
    }

    /// A name is announced no longer.
    pub(super) fn gone(&mut self, name: &str) {
        // What was met under it counts; who comes back has another.
        if self.seen.get(name).is_some_and(|seen| matches!(seen.state, State::Due(_) | State::Silent)) {
            self.seen.remove(name);
        }
    }

    /// The next one to be dialled: who never failed before who did, and of them who is due longest.
    pub(super) fn next(&mut self, now: Instant) -> Option<(String, Vec<SocketAddr>)> {
        let dialled: Vec<&Seen> = self.seen.values().filter(|seen| seen.state == State::Dialled).collect();
        if dialled.len() >= DIALLED_MAX {
            return None;
        }
        let free = |seen: &Seen| {
            let beside = dialled.iter().filter(|other| other.is_beside(&seen.addresses)).count();
            seen.typed || beside < DIALLED_AT_ADDRESS_MAX
        };
        let due = |seen: &Seen| if let State::Due(at) = seen.state { Some(at).filter(|at| *at <= now) } else { None };
        let all = self.seen.iter().filter_map(|(name, seen)| Some((name, seen, due(seen)?)));
        let (name, ..) = all.filter(|(_, seen, _)| free(seen)).min_by_key(|(_, seen, at)| (seen.failures, *at))?;
        let name = name.clone();
        let seen = self.seen.get_mut(&name)?;
        seen.state = State::Dialled;
        Some((name, seen.addresses.clone()))
    }

    /// Something changed in the store; receipts alone are no news.
    pub(super) fn changed(&mut self, tail: Option<Tail>) {
        self.changed |= tail.is_none_or(|tail| self.digests.insert(tail.space, tail.digest) != Some(tail.digest));
    }

    /// Whether something changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whom this device met, and what both had.
    pub(super) fn met(&self) -> Vec<(DeviceKey, [u8; 16])> {
        self.met.iter().map(|(device, root)| (*device, *root)).collect()
    }

    /// A device is to be dialled once more, if its address is known.
    pub(super) fn again(&mut self, device: DeviceKey) {
        let now = Instant::now();
        for seen in self.seen.values_mut().filter(|seen| seen.device == Some(device) && seen.state == State::Met) {
            seen.state = State::Due(now);
        }
    }

    /// Something came that may say who the strangers are: somebody who was just added is unknown to whoever has not heard.
    pub(super) fn strangers_again(&mut self) {
        let now = Instant::now();
        for seen in self.seen.values_mut().filter(|seen| seen.state == State::Stranger) {
            seen.state = State::Due(now);
        }
    }

    /// Whether there is nobody left to be dialled.
    pub(super) fn all_met(&self) -> bool {
        self.seen.values().all(|seen| !matches!(seen.state, State::Due(_) | State::Dialled))
    }

    /// How many share nothing, and how many did not answer.
    pub(super) fn others(&self) -> (usize, usize) {
        let count = |state: State| self.seen.values().filter(|seen| seen.state == state).count();
        let failed = |seen: &&Seen| seen.failures > 0 && seen.device.is_none() && matches!(seen.state, State::Due(_));
        (count(State::Stranger), count(State::Silent) + self.seen.values().filter(failed).count())
    }

    /// A meeting is over. Who was met, and what was exchanged.
    pub(super) fn ended(
        &mut self,
        ended: Ended,
        progress: &mut impl FnMut(Progress),
        now: Instant,
    ) -> Option<(Option<NearPerson>, Option<SyncReport>)> {
        let Ended { name, from, how } = ended;
        match how {
            How::Met { device, person, root, report } => {
                if let Some(root) = root {
                    self.met.insert(device, root);
                }
                let guessed = name.is_none();
                let dialled = name.or_else(|| self.only_at(from?));
                if let Some(seen) =
                    dialled.and_then(|name| self.seen.get_mut(&name)).filter(|seen| may_be(seen, guessed))
                {
                    (seen.device, seen.guessed) = (Some(device), guessed);
                    if report.as_ref().is_some_and(|report| !report.settled) {
                        // Something came from others meanwhile, and the end came first: nobody else may bring it.
                        seen.fail(now);
                    } else {
                        (seen.state, seen.failures) = (State::Met, 0);
                    }
                }
                Some((Some(person), report))
            }
            How::Stranger => {
                // Of who dialled and shares nothing no name is known.
                self.seen.get_mut(&name?)?.state = State::Stranger;
                None
            }
            How::Failed { device, why, report } => {
                if let Some(why) = why {
                    progress(Progress::Disconnected { why });
                }
                if let Some(seen) = name.and_then(|name| self.seen.get_mut(&name)) {
                    seen.device = device.or(seen.device);
                    seen.fail(now);
                } else if let Some(device) = device {
                    // It may be known here under a name at which nobody was needed, since it had dialled itself.
                    let met = |seen: &&mut Seen| seen.device == Some(device) && seen.state == State::Met;
                    self.seen.values_mut().filter(met).for_each(|seen| seen.fail(now));
                }
                report.map(|report| (None, Some(report)))
            }
            // Another connection with the same device is under way, and says what became of it.
            How::Elsewhere { device } => {
                if let Some(seen) = name.and_then(|name| self.seen.get_mut(&name)) {
                    (seen.state, seen.device) = (State::Met, Some(device));
                }
                None
            }
            How::Fatal(_) => None,
        }
    }

    /// The one name that was seen at this address, if there is one only.
    fn only_at(&self, ip: IpAddr) -> Option<String> {
        let at = |seen: &Seen| !seen.typed && seen.addresses.iter().any(|address| address.ip() == ip);
        let mut names = self.seen.iter().filter(|(_, seen)| at(seen)).map(|(name, _)| name);
        let name = names.next()?;
        names.next().is_none().then(|| name.clone())
    }
}

/// Whether a meeting with somebody who dialled says anything of a name: not where it is being dialled, or was met.
fn may_be(seen: &Seen, guessed: bool) -> bool {
    !guessed || matches!(seen.state, State::Due(_) | State::Silent)
}
