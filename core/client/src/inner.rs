//! What a client holds while its store is open.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alliance_crypto::{Cost, DeviceSecret, Fate, Keyring, Membership, Rules, Secret};
use alliance_model::agreement::ProtectiveValue;
use alliance_net::{DeviceIdentity, Dialer, Settings, TcpDialer};
use alliance_store::device::{DeviceOp, Draft, Profile};
use alliance_store::{Device, Spaces, SqliteReplica};
use alliance_wire::{DeviceKey, DocumentId, DraftId, Incarnation, SpaceId};
use tokio::sync::broadcast;

use crate::connectivity::Connectivity;
use crate::documents::OpenDocument;
use crate::error::{Code, Error};
use crate::reach::{Dialers, Fallback};
use crate::surroundings::Surroundings;
use crate::views::Change;

/// How a client is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// [`Rules::ALL`] everywhere but in tests.
    pub rules: Rules,
    /// What deriving a key from the passphrase or the recovery words costs, for new stores.
    pub cost: Cost,
    /// Whether a relay that this process has met before is spoken to in the first packet. Without it every contact
    /// takes a round trip more.
    pub early_data: bool,
    /// When a relay is reached over TCP.
    pub fallback: Fallback,
}

impl Default for Options {
    fn default() -> Self {
        Self { rules: Rules::ALL, cost: Cost::DEFAULT, early_data: true, fallback: Fallback::DEFAULT }
    }
}

/// One person's store on one device, open. Copies share it.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client").field("device", &self.inner.me).finish_non_exhaustive()
    }
}

impl Client {
    /// The log, for tests that look at what is stored.
    #[must_use]
    pub fn replica(&self) -> &SqliteReplica {
        self.inner.device.replica()
    }

    /// From now on relays are tried at this port over TCP, where they do not answer over UDP.
    pub fn dial_tcp_at(&self, port: u16) {
        self.inner.tcp_port.store(port, Ordering::Relaxed);
    }

    /// Hears what changes from now on, whoever changed it. Whoever falls behind more than a thousand changes is told so
    /// and looks anew.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }
}

/// Everything behind a [`Client`].
pub(crate) struct Inner {
    pub(crate) folder: PathBuf,
    pub(crate) rules: Rules,
    /// What deriving a key from recovery words costs.
    pub(crate) cost: Cost,
    early_data: bool,
    pub(crate) fallback: Fallback,
    tcp_port: AtomicU16,
    pub(crate) around: Surroundings,
    pub(crate) device: Device,
    pub(crate) spaces: Spaces<SqliteReplica>,
    pub(crate) secret: Arc<DeviceSecret>,
    pub(crate) me: DeviceKey,
    pub(crate) profile: Profile,
    incarnation: Mutex<(Incarnation, u64)>,
    /// The present incarnation can write on no more, as [`Inner::begin_anew`] says: a new one is due, also if a disk failed
    /// meanwhile.
    ended: AtomicBool,
    /// The words said in the person's home that this device is lost (`fate_in`).
    pub(crate) lost_at_home: AtomicBool,
    /// There may be something to tell, ask or do at home ([`Inner::follow_home`]).
    pub(crate) home_due: AtomicBool,
    dialer: Mutex<Option<Dialer>>,
    pub(crate) connectivity: Connectivity,
    tcp: TcpDialer,
    /// Documents and keys in use. Whoever writes this device's logs or judges entries holds it.
    pub(crate) work: tokio::sync::Mutex<Work>,
    /// Spaces of which something is in the log and not in documents yet: a disk that failed in between must not hide it
    /// until the store is opened again.
    pub(crate) untaken: Mutex<BTreeSet<SpaceId>>,
    /// What follows from forked logs, as of an arrival number.
    pub(crate) branches: Mutex<HashMap<SpaceId, (u64, Arc<crate::forks::Branches>)>>,
    /// How far a peer acknowledged a space on a connection that is open: the store hears of it a little later.
    pub(crate) live_acked: Mutex<HashMap<SpaceId, u64>>,
    /// Peers to which the last connection of this process broke: what they acknowledged then may not have come.
    pub(crate) broke: Mutex<HashSet<DeviceKey>>,
    /// Spaces that this device was put out of, and how.
    pub(crate) locks: Mutex<BTreeMap<SpaceId, Fate>>,
    /// The latest time at which an entry that this process opened says that it was written, in milliseconds since 1970.
    pub(crate) latest_said: Arc<AtomicU64>,
    /// By what this device can be known on a network, as of a moment ago.
    pub(crate) known_by: Mutex<crate::near::secrets::Kept>,
    /// Until when somebody else has a document open.
    pub(crate) watched: Mutex<HashMap<DocumentId, tokio::time::Instant>>,
    /// Whoever changes the row of an invitation holds it, from reading on; taken before `work`.
    pub(crate) invites: tokio::sync::Mutex<()>,
    /// Sealed `watching` notices for every connection that is open.
    pub(crate) notices: broadcast::Sender<(SpaceId, Vec<u8>)>,
    pub(crate) changes: broadcast::Sender<Change>,
}

/// What is kept in memory between calls; all of it can be made again from the store.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) keyrings: HashMap<SpaceId, Keyring>,
    pub(crate) documents: BTreeMap<(SpaceId, DocumentId), OpenDocument>,
    /// Documents that were loaded from saved bytes since the store was opened.
    pub(crate) loads: u64,
    /// Counts uses of documents, so that the one unused for longest goes first.
    pub(crate) uses: u64,
    /// Documents in which a trial did not come to its end.
    pub(crate) careful: BTreeSet<DocumentId>,
    /// Spaces whose log was taken in to its end since the store was opened: before, an entry may come that was judged in
    /// an earlier life.
    pub(crate) caught_up: BTreeSet<SpaceId>,
    /// The branches of forked logs by which the documents of a space were last made.
    pub(crate) branches: BTreeMap<SpaceId, Arc<crate::forks::Branches>>,
    /// Which sessions of a space were written down twice, as of the last change in it.
    pub(crate) merged: HashMap<SpaceId, Arc<crate::merging::Merged>>,
    /// What the agreements of a space say may be kept of sessions in writing, as of the last change of any of them.
    pub(crate) record_rules: HashMap<SpaceId, Option<ProtectiveValue>>,
    /// What the membership said of data when the documents of a space were last looked at.
    pub(crate) judged: BTreeMap<SpaceId, alliance_crypto::DataRules>,
}

impl Work {
    /// A number above every revision that a view carried since the store was opened.
    pub(crate) fn next_revision(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }
}

impl Inner {
    pub(crate) fn new(
        folder: PathBuf,
        (options, around): (Options, Surroundings),
        device: Device,
        profile: Profile,
        (incarnation, opens): (Incarnation, u64),
    ) -> Self {
        let secret = Arc::new(DeviceSecret::from_seed(*profile.secret));
        let spaces =
            Spaces::under(options.rules.membership, device.replica().clone(), alliance_store::CACHED_ENTRIES_MAX);
        Self {
            folder,
            rules: options.rules,
            cost: options.cost,
            early_data: options.early_data,
            fallback: options.fallback,
            tcp_port: AtomicU16::new(options.fallback.port),
            tcp: TcpDialer::new(identity(&secret), Settings::default()),
            around,
            spaces,
            device,
            me: secret.key(),
            secret,
            profile,
            incarnation: Mutex::new((incarnation, opens)),
            ended: AtomicBool::new(false),
            lost_at_home: AtomicBool::new(false),
            // A process that ended may have left something.
            home_due: AtomicBool::new(true),
            dialer: Mutex::new(None),
            connectivity: Connectivity::default(),
            work: tokio::sync::Mutex::default(),
            untaken: Mutex::default(),
            branches: Mutex::default(),
            live_acked: Mutex::default(),
            broke: Mutex::default(),
            invites: tokio::sync::Mutex::default(),
            locks: Mutex::default(),
            latest_said: Arc::default(),
            known_by: Mutex::default(),
            watched: Mutex::default(),
            notices: broadcast::channel(64).0,
            changes: broadcast::channel(1_024).0,
        }
    }

    /// The incarnation under which this database writes.
    pub(crate) fn incarnation(&self) -> Incarnation {
        lock(&self.incarnation).0
    }

    /// A peer holds more of this incarnation's logs than we wrote, or a fork of them: a copy of this store lives.
    pub(crate) fn was_copied(&self) {
        tracing::warn!("a copy of this store writes under the same incarnation");
        self.begin_anew();
    }

    /// This incarnation can write on no more: its logs forked, or all of its actors of a document stand behind changes
    /// that wait.
    pub(crate) fn begin_anew(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Where this incarnation can write on no more, this store writes on under another (PROTOCOL section 1): what a copy
    /// wrote under it is taken like anybody's.
    pub(crate) async fn renew_if_ended(&self) -> Result<(), Error> {
        if !self.ended.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut work = self.work.lock().await;
        self.renew_in(&mut work).await
    }

    /// The same where the work is held.
    pub(crate) async fn renew_in(&self, work: &mut Work) -> Result<(), Error> {
        if !self.ended.load(Ordering::Relaxed) {
            // Another connection has done it meanwhile.
            return Ok(());
        }
        // Working copies write as actors of the old incarnation: what they sealed now, nobody else would admit.
        work.documents.clear();
        self.part_drafts().await?;
        let fresh = Incarnation(self.derive16("incarnation", &[&self.around.now_millis().to_be_bytes()])?);
        let opened = self.device.new_incarnation(fresh).await?;
        *lock(&self.incarnation) = (opened.incarnation, opened.opens);
        self.ended.store(false, Ordering::Relaxed);
        tracing::warn!(incarnation = %opened.incarnation.short(), "this store writes on under a new incarnation");
        Ok(())
    }

    /// Drafts of the present incarnation get ids of their own: the copy has drafts of the same ids that went on otherwise,
    /// and what it seals says nothing of what stands in ours.
    async fn part_drafts(&self) -> Result<(), Error> {
        let mut ops = Vec::new();
        for draft in self.device.drafts().await? {
            if draft.incarnation != self.incarnation() {
                continue;
            }
            let fresh = DraftId(self.derive16("draft", &[&draft.document.0, &draft.draft.0])?);
            let rows = self.device.commands(draft.draft).await?;
            ops.extend([DeviceOp::DropDraft(draft.draft), DeviceOp::PutDraft(Draft { draft: fresh, ..draft })]);
            ops.extend((1..).zip(rows).map(|(n, row)| DeviceOp::AppendCommand { draft: fresh, n, bytes: row.bytes }));
        }
        if !ops.is_empty() {
            self.device.apply(ops).await?;
        }
        Ok(())
    }

    /// A process ended between learning that this store was copied and beginning a new incarnation: a log of the present
    /// one that forked tells, and nothing could be appended to it.
    pub(crate) async fn look_for_own_forks(&self) -> Result<(), Error> {
        if self.device.is_forked(self.me, self.incarnation()).await? {
            self.was_copied();
        }
        self.renew_if_ended().await
    }

    /// Thirty-two bytes for one purpose: hedged, so that a weak random source alone gives nothing away
    /// (PROTOCOL section 2, sealing).
    pub(crate) fn derive(&self, purpose: &str, parts: &[&[u8]]) -> Result<[u8; 32], Error> {
        let (incarnation, opens) = *lock(&self.incarnation);
        let opens = opens.to_be_bytes();
        let mut all: Vec<&[u8]> = vec![&incarnation.0, &opens];
        all.extend_from_slice(parts);
        Ok(self.secret.hedge(self.around.bytes()?, purpose, &all))
    }

    pub(crate) fn derive16(&self, purpose: &str, parts: &[&[u8]]) -> Result<[u8; 16], Error> {
        let mut out = [0; 16];
        out.copy_from_slice(&self.derive(purpose, parts)?[..16]);
        Ok(out)
    }

    /// The process's one dialler: it keeps the tickets that make the next contact quicker.
    pub(crate) fn dialer(&self) -> Result<Dialer, Error> {
        let mut dialer = lock(&self.dialer);
        if let Some(dialer) = &*dialer {
            return Ok(dialer.clone());
        }
        let settings = Settings { early_data: self.early_data, ..Settings::default() };
        let made = Dialer::bind(self.identity(), settings)
            .map_err(|error| Error::new(Code::Unreachable).with("why", error))?;
        Ok(dialer.insert(made).clone())
    }

    /// The dialler, if anybody was dialled since the store was opened.
    pub(crate) fn known_dialer(&self) -> Option<Dialer> {
        lock(&self.dialer).clone()
    }

    /// The same, and the one for networks without UDP.
    pub(crate) fn dialers(&self) -> Result<Dialers, Error> {
        Ok(Dialers { quic: self.dialer()?, tcp: self.tcp.clone() })
    }

    pub(crate) fn tcp_port(&self) -> u16 {
        self.tcp_port.load(Ordering::Relaxed)
    }

    /// Closes every connection that this side dialled.
    pub(crate) async fn close_dialers(&self, reason: alliance_net::CloseReason) {
        let dialer = lock(&self.dialer).take();
        match dialer {
            Some(quic) => Dialers { quic, tcp: self.tcp.clone() }.close(reason).await,
            None => self.tcp.close(reason).await,
        }
    }

    pub(crate) fn identity(&self) -> DeviceIdentity {
        identity(&self.secret)
    }

    /// Whether this device's clock is more than two days behind what somebody wrote, by its own clock: a hint to look at
    /// both, from which nothing follows.
    pub(crate) fn is_clock_suspect(&self) -> bool {
        const BEHIND_MILLIS: u64 = 2 * 24 * 3_600 * 1_000;
        let latest = self.latest_said.load(Ordering::Relaxed);
        self.around.now_millis().saturating_add(BEHIND_MILLIS) < latest
    }

    /// The evaluated membership of a space that is here.
    pub(crate) async fn membership(&self, space: SpaceId) -> Result<Arc<Membership>, Error> {
        self.spaces.membership(space).await?.ok_or_else(|| Code::UnknownSpace.into())
    }

    pub(crate) fn tell(&self, change: Change) {
        // Nobody may be listening.
        let _ = self.changes.send(change);
    }
}

fn identity(secret: &Arc<DeviceSecret>) -> DeviceIdentity {
    let secret = Arc::clone(secret);
    DeviceIdentity::new(secret.key(), move |message| secret.sign(message))
}

/// The value behind a mutex; a panic elsewhere leaves it as whole as it was.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
