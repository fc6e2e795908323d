//! How connections come to be: relays and direct dialling.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alliance_net::{Activity, Line};
use alliance_store::device::{DeviceOp, Draft, RelayRow};
use alliance_wire::DeviceKey;
use tokio::sync::{mpsc, watch};

use crate::connectivity::Watch;
use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::peer::{Meeting, Opening, Until};
use crate::views::{LinkState, Progress, SyncReport};

/// Who is at the other end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Towards {
    /// A relay, which this side dialled.
    Relay,
    /// A device that this side dialled.
    Device,
    /// A device that dialled this side.
    Dialler,
}

/// What [`Client::sync_within`] leaves for the end of a conversation.
const ENDING: Duration = Duration::from_millis(2_500);

impl Client {
    /// Meets every known relay once, all at the same time: seals drafts, exchanges everything, looks into mailboxes, signs
    /// receipts. Reports stand in the order of the relays that were reached.
    ///
    /// # Errors
    /// `NO_RELAY`; if no relay could be reached, the last one's error: `UNREACHABLE`, `WRONG_RELAY_KEY`,
    /// `NETWORK_INTERCEPTED`, `DISCONNECTED`, `PEER_MISBEHAVED`, `INCOMPATIBLE`; and those of the store.
    pub async fn sync_once(&self, progress: impl FnMut(Progress) + Send) -> Result<Vec<SyncReport>, Error> {
        // Nobody says stop.
        let (_keep, stop) = watch::channel(false);
        self.sync_until(stop, progress).await
    }

    /// The same within a time, for a phone's scheduler that grants a moment in the background (Android's WorkManager, the
    /// background refresh of iOS): what has come by then is kept, and the next sync goes on from there. A report that is
    /// not `settled` says that there was not time enough.
    ///
    /// The last two and a half seconds of it are for what is on its way.
    ///
    /// # Errors
    /// As [`Client::sync_once`].
    pub async fn sync_within(
        &self,
        limit: Duration,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<Vec<SyncReport>, Error> {
        let (say, stop) = watch::channel(false);
        let until = limit.saturating_sub(ENDING).max(limit / 2);
        let mut work = std::pin::pin!(self.sync_until(stop, progress));
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(until) => {}
        }
        // It may have ended in this moment.
        let _ = say.send(true);
        work.await
    }

    /// The same, until `stop` says true: what has come by then is kept, and the next sync goes on from there.
    ///
    /// # Errors
    /// As [`Client::sync_once`].
    pub async fn sync_until(
        &self,
        stop: watch::Receiver<bool>,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Vec<SyncReport>, Error> {
        self.seal_all().await?;
        let relays = self.inner.device.relays().await?;
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut tasks = tokio::task::JoinSet::new();
        for (place, relay) in relays.into_iter().enumerate() {
            let (inner, stop, tell) = (Arc::clone(&self.inner), stop.clone(), tell.clone());
            tasks.spawn(async move {
                let mut hear = |event| {
                    // Whoever listened may be gone.
                    let _ = tell.send(event);
                };
                let met = inner.meet_relay(&relay, Until::SettledOr(stop), &mut hear).await;
                if let Err(error) = &met {
                    hear(Progress::Disconnected { why: error.to_string() });
                }
                (place, met)
            });
        }
        drop(tell);
        while let Some(event) = told.recv().await {
            progress(event);
        }
        let mut met = tasks.join_all().await;
        met.sort_unstable_by_key(|(place, _)| *place);
        let (mut reports, mut last) = (Vec::new(), Error::new(Code::NoRelay));
        for (_, met) in met {
            match met {
                Ok(report) => reports.push(report),
                Err(error) => last = error,
            }
        }
        if reports.is_empty() { Err(last) } else { Ok(reports) }
    }

    /// Meets a device directly, which must be listening at this address.
    ///
    /// # Errors
    /// `BAD_ADDRESS`, `UNREACHABLE`, `WRONG_DEVICE_KEY`, `PEER_REFUSED`, `DISCONNECTED`, `PEER_MISBEHAVED`,
    /// `INCOMPATIBLE`, and those of the store.
    pub async fn sync_with(
        &self,
        device: DeviceKey,
        address: &str,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<SyncReport, Error> {
        self.seal_all().await?;
        let address = resolve(address).await?;
        let connection = self.inner.dialer()?.dial(address, device, Activity::Foreground).await?;
        let meeting = Meeting { dials: true, relay: false, name: format!("device {}", device.short()), words: None };
        let opening = Opening::new(&self.inner, device, meeting, Until::Settled).await?;
        opening.converse(connection, false, &mut progress).await
    }

    /// Meets whoever is at the other end of a line that somebody else made, as [`Client::sync_once`],
    /// [`Client::sync_live`] or a [`crate::Listener`] would: the way in for a simulation, or another transport.
    ///
    /// # Errors
    /// `PEER_REFUSED` when a dialler shares no space with this store, `DISCONNECTED`, `PEER_MISBEHAVED`,
    /// `INCOMPATIBLE`, and those of the store.
    pub async fn meet(
        &self,
        line: impl Line,
        towards: Towards,
        until: Until,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<SyncReport, Error> {
        let peer = line.peer();
        // As a listener does: who was put out may ask, too, and hands over what it had not sent.
        if towards == Towards::Dialler && !self.inner.knows(peer).await? {
            return Err(Error::new(Code::PeerRefused).with("device", peer.short()));
        }
        if towards != Towards::Dialler {
            self.seal_all().await?;
        }
        let relay = towards == Towards::Relay;
        let name = format!("{} {}", if relay { "relay" } else { "device" }, peer.short());
        let meeting = Meeting { dials: towards != Towards::Dialler, relay, name, words: None };
        let opening = Opening::new(&self.inner, peer, meeting, until).await?;
        opening.converse(line, false, &mut progress).await
    }

    /// Stays connected to every known relay until `stop` says true: what is written anywhere arrives at once.
    ///
    /// # Errors
    /// `NO_RELAY`, and those of the store. A relay that cannot be reached is tried again and told of by progress.
    pub async fn sync_live(
        &self,
        stop: watch::Receiver<bool>,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        self.seal_all().await?;
        let relays = self.inner.device.relays().await?;
        if relays.is_empty() {
            return Err(Code::NoRelay.into());
        }
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut tasks = tokio::task::JoinSet::new();
        for relay in relays {
            let (client, stop, tell) = (self.clone(), stop.clone(), tell.clone());
            tasks.spawn(async move { client.stay(relay, stop, tell).await });
        }
        drop(tell);
        while let Some(event) = told.recv().await {
            progress(event);
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(|_| Error::new(Code::Internal).with("what", "a task died"))??;
        }
        self.seal_all().await.map(|_| ())
    }

    /// Connects to one relay, and again whenever the connection breaks.
    async fn stay(
        self,
        relay: RelayRow,
        stop: watch::Receiver<bool>,
        tell: mpsc::UnboundedSender<Progress>,
    ) -> Result<(), Error> {
        let mut watch = Watch::new(&self.inner, stop);
        let name = name_of(&relay);
        while watch.may_connect(|| self.inner.link(relay.relay, &name, LinkState::Resting)).await {
            let mut connected = false;
            let mut hear = |event: Progress| {
                connected |= matches!(event, Progress::Connected { .. });
                // Whoever listened may be gone.
                let _ = tell.send(event);
            };
            let (leave, left) = watch::channel(false);
            let met = watch.through(leave, self.inner.meet_relay(&relay, Until::Stopped(left), &mut hear)).await;
            match met {
                Err(error) if is_of_the_store(&error) => return Err(error),
                Err(error) => hear(Progress::Disconnected { why: error.to_string() }),
                Ok(_) => {}
            }
            let [byte] = self.inner.around.bytes()?;
            let wait = watch.wait(connected, byte);
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.inner.link(relay.relay, &name, LinkState::Waiting { millis });
            watch.sleep(wait).await;
        }
        self.inner.link(relay.relay, &name, LinkState::Ended);
        Ok(())
    }
}

/// A relay for people.
pub(crate) fn name_of(relay: &RelayRow) -> String {
    format!("relay {}", relay.address)
}

pub(crate) fn is_of_the_store(error: &Error) -> bool {
    [Code::LowStorage, Code::StoreReadOnly, Code::StoreDamaged, Code::StoreIo, Code::StoreClosed]
        .iter()
        .any(|code| code.code() == error.code())
}

/// The first address of a name.
pub(crate) async fn resolve(address: &str) -> Result<SocketAddr, Error> {
    let bad = || Error::new(Code::BadAddress).with("address", address);
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if port.is_none() {
        return Err(bad());
    }
    let mut found = tokio::net::lookup_host(address)
        .await
        .map_err(|_| Error::new(Code::Unreachable).with("address", address).with("why", "the name is not known"))?;
    found.next().ok_or_else(bad)
}

impl Inner {
    /// Drafts of an earlier incarnation wait for the first contact: what it covers was dropped by now, and the rest
    /// goes on under this incarnation (PROTOCOL section 2, granularity).
    pub(crate) async fn adopt_drafts(&self) -> Result<(), Error> {
        let current = self.incarnation();
        for draft in self.device.drafts().await? {
            if draft.incarnation == current {
                continue;
            }
            let mut work = self.work.lock().await;
            self.adopt(&mut work, draft).await?;
        }
        Ok(())
    }

    async fn adopt(&self, work: &mut crate::inner::Work, draft: Draft) -> Result<(), Error> {
        let (space, id) = (draft.space, draft.document);
        let (commands, _) = self.commands_of(&draft).await?;
        if commands.is_empty() {
            return Ok(self.device.apply(vec![DeviceOp::DropDraft(draft.draft)]).await?);
        }
        let open = self.open_document(work, space, id, alliance_model::DocumentKind::from_number(draft.kind)).await?;
        if open.draft.is_some() {
            // Somebody has begun anew meanwhile; the old one follows when that is sealed.
            return Ok(());
        }
        let base = alliance_document::Heads::from_bytes(&draft.base).ok_or(Code::StoreDamaged)?;
        if !open.document.covers(&base) {
            // What it was written on has not come back yet.
            return Ok(());
        }
        let copy = self.copy_of(open, base, commands, draft.revision)?;
        let fresh = alliance_wire::DraftId(self.derive16("draft", &[&id.0])?);
        let mut ops = vec![
            DeviceOp::DropDraft(draft.draft),
            DeviceOp::PutDraft(Draft {
                draft: fresh,
                base: copy.base().to_bytes(),
                incarnation: self.incarnation(),
                ..draft
            }),
        ];
        for (n, command) in (1..).zip(copy.commands()) {
            ops.push(DeviceOp::AppendCommand { draft: fresh, n, bytes: command.encode() });
        }
        self.device.apply(ops).await?;
        work.documents.remove(&(space, id));
        Ok(())
    }
}
