//! One meeting with one device, as a task: it can fail in every way without touching another.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alliance_net::{Activity, CloseReason, Connection, DirectAcceptError, DirectIncoming, Heard, MatchError, Matched};
use alliance_store::ShareRule;
use alliance_wire::{DeviceKey, SpaceId};
use tokio::sync::{mpsc, watch};

use super::{NearPerson, Purpose, is_news};
use crate::error::{Code, Error};
use crate::inner::{Client, Inner, lock};
use crate::peer::{Meeting, Opening, Until};
use crate::sync::is_of_the_store;
use crate::views::{Progress, SyncReport};

/// How long somebody who only looks who is near may take to read who this is.
const PROOF_READ: Duration = Duration::from_secs(2);

/// Who does not answer within so long holds no place while it is waited for: those who announce what is not there must
/// not keep the others waiting.
const ANSWERS_SOON: Duration = Duration::from_millis(500);

/// What meetings know of each other.
#[derive(Default)]
pub(super) struct Busy {
    /// Devices that this one is talking with.
    devices: Mutex<HashMap<DeviceKey, Talks>>,
    /// Handshakes under way by where they come from.
    handshakes: Mutex<HashMap<IpAddr, usize>>,
    dialling: AtomicUsize,
    serving: AtomicUsize,
}

impl Busy {
    /// How many are being dialled and may answer soon, or are talked with behind that.
    pub(super) fn dialling(&self) -> usize {
        self.dialling.load(Ordering::Relaxed)
    }

    /// How many are being served.
    pub(super) fn serving(&self) -> usize {
        self.serving.load(Ordering::Relaxed)
    }

    /// A place for somebody who dials, if there is one.
    pub(super) fn place(self: &Arc<Self>, from: IpAddr, places: usize, of_address: usize) -> Option<Place> {
        let mut handshakes = lock(&self.handshakes);
        let under_way = handshakes.entry(from).or_default();
        if *under_way >= of_address || self.serving() >= places {
            return None;
        }
        *under_way += 1;
        drop(handshakes);
        let handshake = Some(Handshake { busy: Arc::clone(self), from });
        Some(Place { serving: Counted::new(self, |busy| &busy.serving), handshake })
    }

    fn talking(self: &Arc<Self>, device: DeviceKey) -> Talking {
        lock(&self.devices).entry(device).or_default().connections += 1;
        Talking { busy: Arc::clone(self), device }
    }

    /// Whether this device is talking with another, and has something from it.
    fn talks_with(&self, device: DeviceKey) -> Option<bool> {
        lock(&self.devices).get(&device).map(|talks| talks.heard)
    }
}

/// Counts while it lives.
struct Counted {
    busy: Arc<Busy>,
    which: fn(&Busy) -> &AtomicUsize,
}

impl Counted {
    fn new(busy: &Arc<Busy>, which: fn(&Busy) -> &AtomicUsize) -> Self {
        which(busy).fetch_add(1, Ordering::Relaxed);
        Self { busy: Arc::clone(busy), which }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.which)(&self.busy).fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place of somebody who dials.
pub(super) struct Place {
    serving: Counted,
    /// Until it is known who that is.
    handshake: Option<Handshake>,
}

struct Handshake {
    busy: Arc<Busy>,
    from: IpAddr,
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut handshakes = lock(&self.busy.handshakes);
        if let Some(under_way) = handshakes.get_mut(&self.from) {
            *under_way = under_way.saturating_sub(1);
            if *under_way == 0 {
                handshakes.remove(&self.from);
            }
        }
    }
}

/// What is under way with a device.
#[derive(Default)]
struct Talks {
    connections: usize,
    /// The other side has said something that it only says where it talks, too.
    heard: bool,
}

/// A connection with a device that has proved its key.
struct Talking {
    busy: Arc<Busy>,
    device: DeviceKey,
}

impl Talking {
    fn heard(&self) {
        if let Some(talks) = lock(&self.busy.devices).get_mut(&self.device) {
            talks.heard = true;
        }
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        let mut devices = lock(&self.busy.devices);
        if let Some(talks) = devices.get_mut(&self.device) {
            talks.connections = talks.connections.saturating_sub(1);
            if talks.connections == 0 {
                devices.remove(&self.device);
            }
        }
    }
}

/// How a meeting ended.
pub(super) struct Ended {
    /// The name that was dialled.
    pub(super) name: Option<String>,
    /// Where somebody dialled from.
    pub(super) from: Option<IpAddr>,
    pub(super) how: How,
}

/// What came of a meeting.
pub(super) enum How {
    /// Somebody who shares a space.
    Met { device: DeviceKey, person: NearPerson, root: Option<[u8; 16]>, report: Option<SyncReport> },
    /// Somebody who shares none.
    Stranger,
    /// Nobody, or not in order; the next try may be.
    Failed { device: Option<DeviceKey>, why: Option<String>, report: Option<SyncReport> },
    /// The same device is being met already.
    Elsewhere { device: DeviceKey },
    /// This device's own store failed.
    Fatal(Error),
}

impl Ended {
    /// What ends everything.
    pub(super) fn fatal(&self) -> Option<Error> {
        if let How::Fatal(error) = &self.how { Some(error.clone()) } else { None }
    }
}

impl From<Error> for How {
    fn from(error: Error) -> Self {
        if is_of_the_store(&error) {
            return Self::Fatal(error);
        }
        Self::Failed { device: None, why: Some(error.to_string()), report: None }
    }
}

/// A meeting that has not begun.
pub(super) struct Task {
    client: Client,
    busy: Arc<Busy>,
    purpose: Purpose,
    tell: mpsc::UnboundedSender<Progress>,
}

impl Task {
    pub(super) fn new(
        client: &Client,
        busy: &Arc<Busy>,
        purpose: Purpose,
        tell: &mpsc::UnboundedSender<Progress>,
    ) -> Self {
        Self { client: client.clone(), busy: Arc::clone(busy), purpose, tell: tell.clone() }
    }

    /// Dials somebody who was seen.
    pub(super) fn dial(self, name: String, addresses: Vec<SocketAddr>) -> impl Future<Output = Ended> + Send + 'static {
        let mut place = Some(self.dialling());
        async move {
            let how = self.seek(&addresses, &mut place).await.unwrap_or_else(How::from);
            drop(place);
            Ended { name: Some(name), from: None, how }
        }
    }

    fn dialling(&self) -> Counted {
        Counted::new(&self.busy, |busy| &busy.dialling)
    }

    async fn seek(&self, addresses: &[SocketAddr], place: &mut Option<Counted>) -> Result<How, Error> {
        let inner = &self.client.inner;
        let (dialer, discovery) = (inner.dialer()?, inner.discovery().await?);
        let mut last = How::Failed { device: None, why: None, report: None };
        for address in addresses {
            let seeking = dialer.seek(*address, &discovery, inner.around.bytes()?, Activity::Foreground);
            let mut seeking = pin!(seeking);
            let met = match tokio::time::timeout(ANSWERS_SOON, &mut seeking).await {
                Ok(met) => met,
                Err(_) => {
                    place.take();
                    seeking.await
                }
            };
            match met {
                Ok(matched) => {
                    place.get_or_insert_with(|| self.dialling());
                    return self.on_match(matched, Until::Settled).await;
                }
                // The address is right, whoever that is.
                Err(MatchError::NothingShared) => return Ok(How::Stranger),
                Err(MatchError::DialerClosed) => return Err(Code::StoreClosed.into()),
                Err(error @ (MatchError::Unproven | MatchError::Incompatible)) => {
                    last = How::Failed { device: None, why: Some(error.to_string()), report: None };
                }
                // Nobody there: of several addresses most lead nowhere.
                Err(MatchError::Address(_) | MatchError::Lost(_)) => {}
            }
        }
        Ok(last)
    }

    /// Hears somebody who dialled.
    pub(super) async fn serve(self, incoming: DirectIncoming, place: Place, stop: watch::Receiver<bool>) -> Ended {
        let Place { serving, handshake } = place;
        let from = Some(incoming.remote_address().ip());
        let how = self.hear(incoming, handshake, stop).await.unwrap_or_else(How::from);
        drop(serving);
        Ended { name: None, from, how }
    }

    async fn hear(
        &self,
        incoming: DirectIncoming,
        handshake: Option<Handshake>,
        stop: watch::Receiver<bool>,
    ) -> Result<How, Error> {
        let inner = &self.client.inner;
        let discovery = inner.discovery().await?;
        let heard = incoming.hear(&discovery, inner.around.bytes()?).await;
        drop(handshake);
        match heard {
            Ok(Heard::Matched(matched)) => self.on_match(matched, Until::Stopped(stop)).await,
            Ok(Heard::Proven(dialer)) => {
                let device = dialer.key();
                if !inner.knows(device).await? && !inner.expects_somebody().await? {
                    dialer.refuse();
                    return Ok(How::Stranger);
                }
                let connection = dialer.admit().await.map_err(crate::convert::broken)?;
                self.talk(connection, &[], Until::Stopped(stop)).await
            }
            Err(DirectAcceptError::NothingShared) => Ok(How::Stranger),
            // A stranger's fault is no news for anybody.
            Err(DirectAcceptError::Unproven | DirectAcceptError::Incompatible | DirectAcceptError::Lost(_)) => {
                Ok(How::Failed { device: None, why: None, report: None })
            }
        }
    }

    async fn on_match(&self, matched: Matched, until: Until) -> Result<How, Error> {
        let (inner, device, spaces) = (&self.client.inner, matched.key(), matched.spaces().to_vec());
        let dialled = matches!(until, Until::Settled);
        if device == inner.me {
            // Another process of this store, or a copy of it.
            matched.refuse(CloseReason::Done);
            return Ok(How::Stranger);
        }
        if !inner.knows(device).await? {
            // It knows an epoch's key, and no membership here lists it: perhaps it was just added, perhaps it is none.
            matched.refuse(CloseReason::Refused);
            return Ok(How::Stranger);
        }
        if self.purpose == Purpose::Look {
            let person = self.person(device, &spaces).await?;
            if dialled || matched.has_proved() {
                matched.refuse(CloseReason::Done);
            } else if let Ok(mut connection) = matched.admit().await {
                // Whoever dialled wants to know who this is, too, and closes when it has read that: closed here at once,
                // the connection might end before its last words are read.
                let _ = tokio::time::timeout(PROOF_READ, connection.recv()).await;
            }
            return Ok(How::Met { device, person, root: None, report: None });
        }
        // Of two connections with one device the one stays on which the exchange is under way: a second would bring all of
        // it once more. Where that is neither yet, it is that of the device with the smaller key.
        let dialler = if dialled { inner.me } else { device };
        if self.busy.talks_with(device).is_some_and(|heard| heard || dialler > inner.me.min(device)) {
            matched.refuse(CloseReason::Busy);
            return Ok(How::Elsewhere { device });
        }
        let connection = matched.admit().await.map_err(crate::convert::broken)?;
        self.talk(connection, &spaces, until).await
    }

    async fn person(&self, device: DeviceKey, spaces: &[SpaceId]) -> Result<NearPerson, Error> {
        let name = self.client.inner.person_near(device, spaces).await?;
        Ok(NearPerson { name, device: device.to_string() })
    }

    async fn talk(&self, connection: Connection, spaces: &[SpaceId], until: Until) -> Result<How, Error> {
        let (inner, device) = (&self.client.inner, connection.peer());
        let talking = self.busy.talking(device);
        let person = self.person(device, spaces).await?;
        let dials = matches!(until, Until::Settled);
        let meeting = Meeting { dials, relay: false, name: person.name.clone(), words: None };
        let mut hear = |event: Progress| {
            if is_news(&event) {
                talking.heard();
            }
            // Whoever listened may be gone.
            let _ = self.tell.send(event);
        };
        let opening = Opening::new(inner, device, meeting, until).await?;
        match opening.converse(connection, false, &mut hear).await {
            Ok(report) => {
                let root = Some(inner.root_with(device).await?).filter(|_| report.settled);
                Ok(How::Met { device, person, root, report: Some(report) })
            }
            Err(error) if is_of_the_store(&error) => Err(error),
            Err(error) => {
                drop(talking);
                if self.busy.talks_with(device).is_some() {
                    return Ok(How::Elsewhere { device });
                }
                let why = Some(format!("{}: {error}", person.name));
                Ok(How::Failed { device: Some(device), why, report: None })
            }
        }
    }
}

impl Inner {
    /// What this device has of everything that it shares with another.
    pub(super) async fn root_with(&self, device: DeviceKey) -> Result<[u8; 16], Error> {
        let rule = ShareRule::Device { expected: Vec::new() };
        let shared = self.spaces.shared(self.me, device, &rule).await?;
        Ok(alliance_wire::vector::root(shared.spaces.iter().map(|space| (&space.tail.space, &space.tail.digest))))
    }
}
