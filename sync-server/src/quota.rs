//! How much a relay takes (docs/PROTOCOL.md sections 5 and 6).
//!
//! Room is counted from what is stored: the counts of a space are read when it is first written to and kept while it is
//! in use. They are raised before a batch is stored, so that two connections together cannot exceed what each alone may,
//! and lowered again by what was not stored.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alliance_crypto::{State, Verified};
use alliance_store::operator::{ENTRY_BYTES, LogUsage, RelayDay};
use alliance_wire::frame::Reason;
use alliance_wire::{DeviceKey, Kind, LogId, SpaceId, limits};

/// Spaces whose counts are kept.
const SPACES_KEPT_MAX: usize = 8_192;
/// Days of a database during which entries are not counted: a relay that lost everything is filled again.
const GRACE_DAYS: u32 = 30;
/// Of a space's room, the part that one log may take while another member has something stored.
const LOG_SHARE: u64 = 4;
/// Of a space's room, the part that only membership may take: a full space must still hear of a removal.
const MEMBERSHIP_RESERVE: u64 = 4;

/// What a relay takes of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of one space: payloads, and a fixed amount for each header.
    pub space_bytes: u64,
    /// Entries of one log a day.
    pub entries_per_day: u32,
    /// Receipts of one device and space a day.
    pub receipts_per_day: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            space_bytes: limits::SPACE_BYTES_QUOTA,
            entries_per_day: limits::ENTRIES_PER_DAY_QUOTA,
            receipts_per_day: limits::RECEIPTS_PER_DAY_MAX,
        }
    }
}

/// The counts.
#[derive(Debug)]
pub(crate) struct Meter {
    quotas: Quotas,
    spaces: Mutex<Spaces>,
}

#[derive(Debug, Default)]
struct Spaces {
    counts: HashMap<SpaceId, Count>,
    clock: u64,
}

#[derive(Debug, Default)]
struct Count {
    used: u64,
    bytes: u64,
    logs: HashMap<LogId, LogCount>,
    receipts: HashMap<DeviceKey, Daily>,
}

#[derive(Debug)]
struct LogCount {
    device: DeviceKey,
    bytes: u64,
    entries: Daily,
}

/// Something that is counted anew each day.
#[derive(Debug, Default)]
struct Daily {
    day: u32,
    count: u32,
}

impl Daily {
    fn take(&mut self, today: RelayDay, at_most: u32) -> bool {
        if self.day != today.0 {
            *self = Self { day: today.0, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= at_most
    }
}

/// When a batch is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days {
    /// Today.
    pub(crate) today: RelayDay,
    /// The day on which this database was new.
    pub(crate) first: RelayDay,
}

/// Bytes of room that an entry takes.
pub(crate) fn size(entry: &Verified) -> u64 {
    ENTRY_BYTES + u64::from(entry.header().payload_len)
}

impl Meter {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self { quotas, spaces: Mutex::default() }
    }

    /// Whether a space's counts are here.
    pub(crate) fn knows(&self, space: SpaceId) -> bool {
        self.spaces().counts.contains_key(&space)
    }

    /// Takes a space's counts as the store has them, unless they came meanwhile.
    pub(crate) fn learn(&self, space: SpaceId, usage: &[LogUsage]) {
        let mut spaces = self.spaces();
        if spaces.counts.contains_key(&space) {
            return;
        }
        if spaces.counts.len() >= SPACES_KEPT_MAX {
            let oldest = spaces.counts.iter().min_by_key(|(_, count)| count.used).map(|(space, _)| *space);
            oldest.map(|oldest| spaces.counts.remove(&oldest));
        }
        let log = |usage: &LogUsage| {
            (usage.log, LogCount { device: usage.device, bytes: usage.bytes, entries: Daily::default() })
        };
        let count = Count {
            bytes: usage.iter().map(|usage| usage.bytes).sum(),
            logs: usage.iter().map(log).collect(),
            ..Count::default()
        };
        spaces.counts.insert(space, count);
    }

    /// Takes the room for an entry, or says why not. `members` says whose devices are whose.
    ///
    /// # Errors
    /// [`Reason::Quota`]; nothing was taken then.
    pub(crate) fn take(&self, entry: &Verified, days: Days, members: Option<&State>) -> Result<(), Reason> {
        let quotas = self.quotas;
        let mut spaces = self.spaces();
        spaces.clock += 1;
        let clock = spaces.clock;
        let count = spaces.counts.entry(entry.space()).or_default();
        count.used = clock;
        let (bytes, author) = (size(entry), entry.author());
        let membership = entry.kind() == Kind::Membership;
        let reserve = if membership { quotas.space_bytes / MEMBERSHIP_RESERVE } else { 0 };
        if count.bytes + bytes > quotas.space_bytes + reserve {
            return Err(Reason::Quota);
        }
        let own = count.logs.get(&entry.log()).map_or(0, |log| log.bytes);
        let others = || count.logs.values().any(|log| log.bytes > 0 && !same_person(members, log.device, author));
        if !membership && own + bytes > quotas.space_bytes / LOG_SHARE && others() {
            return Err(Reason::Quota);
        }
        let new = || LogCount { device: author, bytes: 0, entries: Daily::default() };
        let log = count.logs.entry(entry.log()).or_insert_with(new);
        if days.today.since(days.first) >= GRACE_DAYS && !log.entries.take(days.today, quotas.entries_per_day) {
            return Err(Reason::Quota);
        }
        log.bytes += bytes;
        count.bytes += bytes;
        Ok(())
    }

    /// Counts a receipt.
    ///
    /// # Errors
    /// [`Reason::TooMany`].
    pub(crate) fn take_receipt(&self, space: SpaceId, device: DeviceKey, today: RelayDay) -> Result<(), Reason> {
        let mut spaces = self.spaces();
        let count = spaces.counts.entry(space).or_default();
        let taken = count.receipts.entry(device).or_default().take(today, self.quotas.receipts_per_day);
        if taken { Ok(()) } else { Err(Reason::TooMany) }
    }

    /// Gives back the room of an entry that was not stored.
    pub(crate) fn give_back(&self, space: SpaceId, log: LogId, bytes: u64) {
        let mut spaces = self.spaces();
        let Some(count) = spaces.counts.get_mut(&space) else { return };
        let Some(log) = count.logs.get_mut(&log) else { return };
        log.bytes = log.bytes.saturating_sub(bytes);
        count.bytes = count.bytes.saturating_sub(bytes);
    }

    fn spaces(&self) -> MutexGuard<'_, Spaces> {
        // Counts are advice that is worked out again when a space is next learned.
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether two devices are one person's, as far as the membership says.
fn same_person(members: Option<&State>, one: DeviceKey, other: DeviceKey) -> bool {
    let person = |device| members.and_then(|members| members.person_of(device));
    one == other || person(one).is_some_and(|person_of_one| Some(person_of_one) == person(other))
}
