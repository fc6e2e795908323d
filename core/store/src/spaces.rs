//! Between a session and a replica: answers the session's questions and keeps evaluated memberships in memory.

mod cache;

use core::future::Future;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alliance_crypto::{Membership, MembershipError, MembershipRules};
use alliance_sync::{Batch, Incoming, Part, Persisted, Query, Reply, Shared, SharedSpace, Tail, View};
use alliance_wire::frame::Reason;
use alliance_wire::{DeviceKey, HeaderHash, Kind, SpaceId};
use tokio::sync::broadcast;

use crate::error::StoreError;
use crate::replica::{Cursor, Replica, Roster, ViewParts};
use cache::{Cache, Touch};

/// Tails that a slow listener may be behind; it then asks for all tails anew.
const CHANGES_MAX: usize = 1_024;
/// Membership entries and logs that are kept evaluated, over all spaces.
pub const CACHED_ENTRIES_MAX: usize = 32 * 1_024;

/// Which spaces a replica shares with the peer of a session (docs/PROTOCOL.md section 3, "Shared with a peer").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareRule {
    /// A device towards another device: the spaces that the peer may read, and those named here, which
    /// this device expects to receive.
    Device {
        /// Spaces that this device was invited to and does not have yet.
        expected: Vec<SpaceId>,
    },
    /// A device towards a relay: the spaces whose membership names it and that it has not answered ABSENT since their
    /// membership changed, and those named here.
    Relay {
        /// Spaces that this device was invited to and does not have yet.
        expected: Vec<SpaceId>,
    },
    /// A relay towards a device, or whoever has recovery words: the spaces stored here that it may read.
    Served,
}

impl ShareRule {
    fn expected(&self) -> &[SpaceId] {
        match self {
            Self::Device { expected } | Self::Relay { expected } => expected,
            Self::Served => &[],
        }
    }
}

/// A replica's spaces, with the memberships of those in use kept evaluated. Copies share everything. All writing of a
/// replica's log goes through one of these: what is kept in memory would be stale otherwise.
#[derive(Debug)]
pub struct Spaces<R> {
    inner: Arc<Inner<R>>,
}

impl<R> Clone for Spaces<R> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

#[derive(Debug)]
struct Inner<R> {
    replica: R,
    rules: MembershipRules,
    cache: Mutex<Cache>,
    changes: broadcast::Sender<Tail>,
    /// Held while membership entries are evaluated and stored, so that no roster is made from an older membership
    /// than the one before it.
    membership: tokio::sync::Mutex<()>,
}

impl<R: Replica> Spaces<R> {
    /// The spaces of a replica, with at most `entries_max` membership entries and logs kept evaluated
    /// ([`CACHED_ENTRIES_MAX`] unless there is a reason).
    #[must_use]
    pub fn new(replica: R, entries_max: usize) -> Self {
        Self::under(MembershipRules::ALL, replica, entries_max)
    }

    /// The same, with membership judged by these rules.
    #[must_use]
    pub fn under(rules: MembershipRules, replica: R, entries_max: usize) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_MAX);
        let cache = Mutex::new(Cache::new(entries_max));
        Self { inner: Arc::new(Inner { replica, rules, cache, changes, membership: tokio::sync::Mutex::new(()) }) }
    }

    /// The replica.
    #[must_use]
    pub fn replica(&self) -> &R {
        &self.inner.replica
    }

    /// Hears the newest state of every space that changes from now on. Whoever falls behind asks
    /// [`Replica::tails`].
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Tail> {
        self.inner.changes.subscribe()
    }

    /// Answers a session's question. [`Query::Admit`] is the relay's to answer; here nobody is admitted.
    pub async fn answer(&self, peer: DeviceKey, query: Query, rule: &ShareRule) -> Reply {
        match self.try_answer(peer, query, rule).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(%error, "the store did not answer a session");
                Reply::Failed(Reason::Storage)
            }
        }
    }

    async fn try_answer(&self, peer: DeviceKey, query: Query, rule: &ShareRule) -> Result<Reply, StoreError> {
        let replica = self.replica();
        Ok(match query {
            Query::Shared { own } => Reply::Shared(self.shared(own, peer, rule).await?),
            Query::View(space) => {
                let view = match self.view(space).await? {
                    None if rule.expected().contains(&space) => Some(self.expected_view(space).await?),
                    view => view,
                };
                Reply::View(space, view)
            }
            Query::HashesAt(at) => Reply::Hashes(replica.hashes_at(at).await?),
            Query::Since(since) => {
                let page = Reply::Page(replica.since(since).await?);
                if since.part == Part::Membership {
                    page
                } else {
                    self.unless_out(peer, since.space, rule, page).await?
                }
            }
            Query::Fetch(space, rows) => {
                let fetched = Reply::Fetched(space, replica.fetch(space, rows).await?);
                self.unless_out(peer, space, rule, fetched).await?
            }
            Query::Admit(space, _) => Reply::Admitted(space, false),
            Query::Persist(batch) => Reply::Persisted(self.persist(batch).await?),
        })
    }

    /// The answer, unless the peer was put out of the space. Looked at behind what was read: who was put out meanwhile
    /// gets nothing any more.
    async fn unless_out(
        &self,
        peer: DeviceKey,
        space: SpaceId,
        rule: &ShareRule,
        answer: Reply,
    ) -> Result<Reply, StoreError> {
        if matches!(rule, ShareRule::Relay { .. }) {
            return Ok(answer);
        }
        let membership = self.membership(space).await?;
        let out = |it: &Membership| !it.state().may_read(peer) && it.was_listed(peer);
        Ok(if membership.is_some_and(|membership| out(&membership)) { Reply::Revoked(space) } else { answer })
    }

    /// The spaces shared with a peer, with the cursors of both sides, and those that one of both was put out of; `own`
    /// is this replica's key. Evaluates no membership and loads no entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn shared(&self, own: DeviceKey, peer: DeviceKey, rule: &ShareRule) -> Result<Shared, StoreError> {
        let replica = self.replica();
        let mut spaces = match rule {
            ShareRule::Device { .. } | ShareRule::Served => replica.member_spaces(peer).await?,
            ShareRule::Relay { .. } => replica.relay_spaces(peer).await?,
        };
        spaces.extend_from_slice(rule.expected());
        spaces.sort_unstable();
        spaces.dedup();
        let gone = match rule {
            ShareRule::Device { .. } | ShareRule::Served => replica.former_spaces(peer).await?,
            ShareRule::Relay { .. } => Vec::new(),
        };
        let left = replica.former_spaces(own).await?;
        let peer_instance = replica.peer_instance(peer).await?;
        let cursors: HashMap<_, _> = match peer_instance {
            Some(instance) => {
                replica.cursors(instance).await?.into_iter().map(|cursor| (cursor.space, cursor)).collect()
            }
            None => HashMap::new(),
        };
        let tails = replica.tails(spaces).await?;
        let acked = |space: &SpaceId| cursors.get(space).map_or(0, |cursor: &Cursor| cursor.acked);
        let others = if matches!(rule, ShareRule::Served) {
            // A relay has nothing of its own.
            Vec::new()
        } else {
            let behind = tails.iter().map(|tail| (tail.space, acked(&tail.space), tail.arrival));
            let behind = behind.filter(|(_, acked, arrival)| acked < arrival).map(|(space, acked, _)| (space, acked));
            replica.others_behind(own, behind.collect()).await?
        };
        let shared = |tail: Tail| {
            let cursor = cursors.get(&tail.space);
            SharedSpace {
                tail,
                cursor: cursor.filter(|cursor| cursor.number > 0).map(|cursor| (cursor.number, cursor.hash)),
                acked: acked(&tail.space),
                others: others.contains(&tail.space),
            }
        };
        let (out, spaces) = tails.into_iter().map(shared).partition(|it: &SharedSpace| left.contains(&it.tail.space));
        let revoked = replica.tails(gone).await?;
        Ok(Shared { instance: Some(replica.instance()), peer_instance, spaces, revoked, out })
    }

    /// What entries of a space are judged by; absent while nothing of the space is here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn view(&self, space: SpaceId) -> Result<Option<View>, StoreError> {
        if let Some(view) = self.cache().get(space) {
            return Ok(Some(view));
        }
        let loading = self.cache().begin_load(space);
        let parts = self.replica().view_parts(space).await;
        let view = parts.map(|parts| parts.map(|parts| view_of(self.inner.rules, space, parts)));
        self.cache().end_load(space, loading, view.as_ref().ok().and_then(Option::as_ref));
        view
    }

    /// The evaluated membership of a space; absent while nothing of the space is here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn membership(&self, space: SpaceId) -> Result<Option<Arc<Membership>>, StoreError> {
        if let Some(membership) = self.cache().membership(space) {
            return Ok(Some(membership));
        }
        Ok(self.view(space).await?.map(|view| view.membership))
    }

    /// Makes a batch durable, and tells every listener which spaces changed.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the batch was stored.
    pub async fn persist(&self, batch: Batch) -> Result<Persisted, StoreError> {
        let spaces = self.clone();
        self.persist_with(batch, move |batch, rosters| async move { spaces.replica().put(batch, rosters).await }).await
    }

    /// The same through another way of storing, as a device's that stores rows of its own with the batch.
    ///
    /// It runs to its end even if whoever asked goes away: what is stored and what is kept in memory must not differ.
    ///
    /// # Errors
    /// Those of `put`, or [`StoreError`]; nothing of the batch was stored.
    pub async fn persist_with<E, F, P>(&self, batch: Batch, put: F) -> Result<Persisted, E>
    where
        E: From<StoreError> + Send + 'static,
        F: FnOnce(Batch, Vec<Roster>) -> P + Send + 'static,
        P: Future<Output = Result<Persisted, E>> + Send + 'static,
    {
        let spaces = self.clone();
        let work = async move { spaces.persist_to_the_end(batch, put).await };
        tokio::spawn(work).await.map_err(|_| StoreError::Closed)?
    }

    async fn persist_to_the_end<E, F, P>(&self, batch: Batch, put: F) -> Result<Persisted, E>
    where
        E: From<StoreError>,
        F: FnOnce(Batch, Vec<Roster>) -> P,
        P: Future<Output = Result<Persisted, E>>,
    {
        let touches = Touch::of(&batch);
        let membership =
            batch.items.iter().any(|item| matches!(item, Incoming::Entry(entry) if entry.kind() == Kind::Membership));
        let _gate = if membership { Some(self.inner.membership.lock().await) } else { None };
        let memberships = if membership { self.evaluate(&batch).await? } else { Vec::new() };
        let rosters = memberships.iter().map(|membership| roster_of(membership)).collect();
        let persisted = put(batch, rosters).await?;
        self.cache().stored(touches, &persisted, memberships);
        for tail in &persisted.tails {
            // Nobody may be listening.
            let _ = self.inner.changes.send(*tail);
        }
        Ok(persisted)
    }

    /// Drops everything of a space, in the store and in memory.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was dropped.
    pub async fn forget(&self, space: SpaceId) -> Result<(), StoreError> {
        let spaces = self.clone();
        let work = async move {
            let _gate = spaces.inner.membership.lock().await;
            spaces.replica().forget_space(space).await?;
            spaces.cache().forget(space);
            Ok(())
        };
        tokio::spawn(work).await.map_err(|_| StoreError::Closed)?
    }

    /// The memberships of the spaces of which a batch brings membership entries, as they will be.
    async fn evaluate(&self, batch: &Batch) -> Result<Vec<Arc<Membership>>, StoreError> {
        let mut after: HashMap<SpaceId, Arc<Membership>> = HashMap::new();
        for item in &batch.items {
            let Incoming::Entry(entry) = item else { continue };
            if entry.kind() != Kind::Membership {
                continue;
            }
            let space = entry.space();
            let membership = match after.entry(space) {
                Slot::Occupied(slot) => slot.into_mut(),
                Slot::Vacant(slot) => {
                    let known = self.membership(space).await?;
                    slot.insert(known.unwrap_or_else(|| Arc::new(Membership::under(self.inner.rules, space))))
                }
            };
            if let Err(error) = Arc::make_mut(membership).insert(entry) {
                tracing::warn!(%error, "a membership entry is stored and not evaluated");
            }
        }
        Ok(after.into_values().collect())
    }

    /// The view of a space that this device was invited to and of which nothing is here.
    async fn expected_view(&self, space: SpaceId) -> Result<View, StoreError> {
        let tail = self.replica().tails(vec![space]).await?.pop().ok_or(StoreError::Shape("a tail"))?;
        let membership = Arc::new(Membership::under(self.inner.rules, space));
        Ok(View { heads: Default::default(), membership, forks: Default::default(), tail })
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.inner.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Evaluates what was read.
pub(crate) fn view_of(rules: MembershipRules, space: SpaceId, parts: ViewParts) -> View {
    let mut membership = Membership::under(rules, space);
    let mut waiting = parts.membership;
    // Entries arrive after their ancestors, so that one round is the rule; another is needed only where a damaged
    // entry was given again later.
    loop {
        let before = waiting.len();
        waiting.retain(|entry| match membership.insert(entry) {
            Err(MembershipError::Missing(_)) => true,
            Err(error) => {
                tracing::warn!(%error, "a stored membership entry is not evaluated");
                false
            }
            Ok(_) => false,
        });
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    View { heads: parts.heads, membership: Arc::new(membership), forks: parts.forks, tail: parts.tail }
}

/// Who may have a space, as its membership says.
#[must_use]
pub fn roster_of(membership: &Membership) -> Roster {
    let state = membership.state();
    let mut heads = membership.heads();
    heads.sort_unstable();
    let mut hasher = blake3::Hasher::new_derive_key("alliance v1 roster heads");
    heads.iter().for_each(|head| {
        hasher.update(&head.0);
    });
    Roster {
        space: membership.space(),
        readers: state.readers().collect(),
        former: membership.listed().map(DeviceKey::from).filter(|key| !state.may_read(*key)).collect(),
        relays: state.relays.iter().map(|pin| pin.relay).collect(),
        heads: HeaderHash(*hasher.finalize().as_bytes()).prefix(),
    }
}
