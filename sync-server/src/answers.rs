//! A session's questions, answered with the relay's own rules around the store's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use alliance_crypto::State;
use alliance_store::operator::{Admittance, Operator, RelayDay};
use alliance_store::{ShareRule, Spaces, SqliteReplica, StoreError};
use alliance_sync::{Batch, Incoming, Outcome, Persisted, Query, Reply};
use alliance_wire::frame::{Reason, mailbox_address};
use alliance_wire::membership::{Admission, Operation, Payload};
use alliance_wire::{DeviceKey, Kind, LogId, SpaceId};

use crate::quota::{self, Days, Meter};

/// What every connection asks.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) spaces: Spaces<SqliteReplica>,
    pub(crate) operator: Arc<Operator>,
    pub(crate) meter: Meter,
    pub(crate) clock: crate::Clock,
    /// The day on which this database was new.
    pub(crate) first_day: RelayDay,
    /// The calendar's day at the last look, and which of the relay's days that is.
    pub(crate) seen: Mutex<Option<(u32, RelayDay)>>,
    /// What waits for the disk runs on threads; not so in simulations.
    pub(crate) threads: bool,
}

/// The room that an item took, until it is known whether it was stored.
type Taken = Option<(SpaceId, LogId, u64)>;

impl Answers {
    /// Answers a question of the session with this peer.
    pub(crate) async fn answer(&self, peer: DeviceKey, query: Query) -> Reply {
        let answered = match query {
            Query::Admit(space, admission) => self.admit(space, admission).await,
            Query::Persist(batch) => self.persist(batch).await.map(Reply::Persisted),
            Query::View(space) | Query::Fetch(space, _) => self.if_listed(peer, space, query).await,
            Query::Since(since) => self.if_listed(peer, since.space, query).await,
            Query::Shared { .. } | Query::HashesAt(_) => {
                return self.spaces.answer(peer, query, &ShareRule::Served).await;
            }
        };
        answered.unwrap_or_else(|error| {
            tracing::warn!(%error, "a session was not answered");
            Reply::Failed(Reason::Storage)
        })
    }

    /// Today, by the relay's count of days. The calendar is looked up in the database when it has changed.
    pub(crate) async fn today(&self) -> Result<RelayDay, StoreError> {
        let calendar = alliance_store::operator::day_of(self.clock.seconds());
        let known = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, today)) = known
            && seen == calendar
        {
            return Ok(today);
        }
        let today = self.operate(move |operator| operator.today(calendar)).await?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((calendar, today));
        Ok(today)
    }

    /// Runs a call of the operator's database where it may wait for the disk.
    pub(crate) async fn operate<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Operator) -> Result<T, StoreError> + Send + 'static,
    {
        let operator = Arc::clone(&self.operator);
        if !self.threads {
            return work(&operator);
        }
        tokio::task::spawn_blocking(move || work(&operator)).await.map_err(|_| StoreError::Closed)?
    }

    /// A session takes a space for shared as soon as the logs that its peer presents say so. What is stored may say
    /// more: a peer that was never in is given nothing, whatever it left out. One that was put out hears of membership,
    /// which the store sees to.
    async fn if_listed(&self, peer: DeviceKey, space: SpaceId, query: Query) -> Result<Reply, StoreError> {
        match self.spaces.membership(space).await? {
            Some(membership) if !membership.was_listed(peer) => Ok(Reply::Failed(Reason::Absent)),
            _ => Ok(self.spaces.answer(peer, query, &ShareRule::Served).await),
        }
    }

    async fn admit(&self, space: SpaceId, admission: Option<Admission>) -> Result<Reply, StoreError> {
        let Some(admission) = admission else { return Ok(Reply::Admitted(space, false)) };
        let admittance = self.operate(move |operator| operator.admit(space, &admission)).await?;
        Ok(Reply::Admitted(space, admittance == Admittance::Granted))
    }

    /// Makes a batch durable, but for what is over a quota. Where there is no room nothing of it is taken, each item is
    /// refused by name, and the session goes on: what is here can still be read.
    pub(crate) async fn persist(&self, batch: Batch) -> Result<Persisted, StoreError> {
        let items = batch.items.len();
        match self.take(batch).await {
            Err(StoreError::LowStorage | StoreError::ReadOnly) => {
                Ok(Persisted { outcomes: vec![Outcome::Refused(Reason::Storage); items], ..Persisted::default() })
            }
            other => other,
        }
    }

    async fn take(&self, batch: Batch) -> Result<Persisted, StoreError> {
        self.list_mailboxes(&batch).await?;
        let days = Days { today: self.today().await?, first: self.first_day };
        let members = self.members(&batch).await?;
        let mut rest = Batch { items: Vec::with_capacity(batch.items.len()), ..batch };
        let mut taken: Vec<Result<Taken, Reason>> = Vec::with_capacity(rest.items.capacity());
        let mut refused_logs = BTreeSet::new();
        let mut refused_spaces = BTreeSet::new();
        for item in batch.items {
            let judged = self.judge(&item, days, &members, &mut refused_logs);
            match judged {
                Ok(_) => rest.items.push(item),
                Err(_) => {
                    refused_spaces.insert(item.space());
                }
            }
            taken.push(judged);
        }
        // The peer's cursor must not pass what was not taken.
        rest.cursors.retain(|(space, _, _)| !refused_spaces.contains(space));
        let stored = match self.spaces.persist(rest).await {
            // The meter gives back below what was not taken.
            Err(StoreError::LowStorage | StoreError::ReadOnly) => Ok(Persisted::default()),
            other => other,
        };
        let mut outcomes = stored.as_ref().map(|stored| stored.outcomes.clone()).unwrap_or_default().into_iter();
        let mut all = Vec::with_capacity(taken.len());
        for judged in taken {
            let outcome = match &judged {
                Err(reason) => Outcome::Refused(*reason),
                Ok(_) => outcomes.next().unwrap_or(Outcome::Refused(Reason::Storage)),
            };
            if let Ok(Some((space, log, bytes))) = judged
                && !matches!(outcome, Outcome::Stored(_) | Outcome::Forked(..))
            {
                self.meter.give_back(space, log, bytes);
            }
            all.push(outcome);
        }
        Ok(Persisted { outcomes: all, ..stored? })
    }

    fn judge(
        &self,
        item: &Incoming,
        days: Days,
        members: &BTreeMap<SpaceId, Option<Arc<alliance_crypto::Membership>>>,
        refused_logs: &mut BTreeSet<LogId>,
    ) -> Result<Taken, Reason> {
        match item {
            Incoming::Entry(entry) if refused_logs.contains(&entry.log()) => Err(Reason::Quota),
            Incoming::Entry(entry) => {
                let state: Option<&State> =
                    members.get(&entry.space()).and_then(Option::as_deref).map(alliance_crypto::Membership::state);
                self.meter.take(entry, days, state).inspect_err(|_| {
                    // Nothing can be stored behind it.
                    refused_logs.insert(entry.log());
                })?;
                Ok(Some((entry.space(), entry.log(), quota::size(entry))))
            }
            Incoming::Receipt(receipt) => {
                let receipt = receipt.receipt();
                self.meter.take_receipt(receipt.space, receipt.device, days.today).map(|()| None)
            }
            Incoming::Fork(..) | Incoming::Payload(..) => Ok(None),
        }
    }

    /// The memberships of the spaces that a batch writes to, and their counts in the meter.
    async fn members(
        &self,
        batch: &Batch,
    ) -> Result<BTreeMap<SpaceId, Option<Arc<alliance_crypto::Membership>>>, StoreError> {
        let spaces: BTreeSet<SpaceId> = batch.items.iter().map(Incoming::space).collect();
        let mut members = BTreeMap::new();
        for space in spaces {
            if !self.meter.knows(space) {
                let usage = self.spaces.replica().usage(space).await?;
                self.meter.learn(space, &usage);
            }
            members.insert(space, self.spaces.membership(space).await?);
        }
        Ok(members)
    }

    /// Notes the mailboxes that invitations of this batch open, before the invitations are stored: a crash in between
    /// leaves an entry in a list, not an invitation without its mailbox.
    async fn list_mailboxes(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut found: BTreeMap<SpaceId, Vec<[u8; 32]>> = BTreeMap::new();
        for item in &batch.items {
            let Incoming::Entry(entry) = item else { continue };
            if entry.kind() != Kind::Membership {
                continue;
            }
            let payload = entry.payload().map(Payload::parse);
            if let Some(Ok(Payload { operation: Operation::Invite(invite), .. })) = payload {
                let addresses = invite.keys.iter().map(|once| mailbox_address(once.key));
                found.entry(entry.space()).or_default().extend(addresses);
            }
        }
        for (space, addresses) in found {
            self.operate(move |operator| operator.list_mailboxes(space, &addresses)).await?;
        }
        Ok(())
    }
}
