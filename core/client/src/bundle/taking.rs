//! Taking a bundle: records are opened, judged, stored, and only then counted.

use std::collections::{BTreeSet, HashMap, VecDeque};

use alliance_crypto::{BundleKey, PageError};
use alliance_sync::{Batch, Incoming, Outcome, View, judge_bundled, view_of_nothing};
use alliance_wire::bundle_file::{Finish, Head, PageBody, ParcelId, RecordKind, Scanned, SealedPage, Start, record};
use alliance_wire::{DeviceKey, Frame, SpaceId};

use super::keeping::Waiting;
use super::source::Source;
use super::{Hear, id_text};
use crate::error::Error;
use crate::inner::{Inner, lock};
use crate::views::{BundleProgress, BundleReport};

/// What was judged is stored when so many bytes wait.
const PENDING_BYTES: usize = 256 * 1024;
/// Pages whose head has not come yet: a head stands again behind each MiB.
const STASH_BYTES: usize = 2 * 1024 * 1024;
/// Parcels of one file.
pub(super) const PARCELS_MAX: usize = 4_096;

/// What is known of a parcel.
enum Parcel {
    /// Sealed to this device.
    Mine(Box<Mine>),
    /// To others.
    Foreign,
}

struct Mine {
    key: BundleKey,
    /// The record, for what is kept of the parcel.
    head: Vec<u8>,
    /// Entries that stand in the parcel before the next page, as far as pages were read.
    seen: Option<u64>,
    /// The number of the page that comes next if none is missing, and the hash over those before it.
    next: u64,
    hash: blake3::Hasher,
    ended: bool,
}

impl Mine {
    /// Notes a page; `false` if the end says that another was written in place of one before it.
    fn note(&mut self, page: &SealedPage, said: &PageBody) -> bool {
        self.ended |= said.end.is_some();
        if page.number != self.next {
            return true;
        }
        self.next += 1;
        let hash = *self.hash.finalize().as_bytes();
        self.hash.update(&page.sealed);
        said.end.as_ref().is_none_or(|end| end.hash == hash)
    }
}

/// A page of which something is under way.
struct Pending {
    parcel: ParcelId,
    record: Vec<u8>,
    /// Its items are those up to here, from where the one before it ends.
    upto: usize,
    waits: bool,
}

/// One reading of one file.
pub(super) struct Taking<'a> {
    inner: &'a Inner,
    parcels: HashMap<ParcelId, Parcel>,
    stash: VecDeque<(ParcelId, Vec<u8>)>,
    stashed: usize,
    part: u32,
    view: Option<(SpaceId, View)>,
    /// Spaces that are here, or that this device asked to join.
    expected: Vec<SpaceId>,
    items: Vec<Incoming>,
    bytes: usize,
    pages: Vec<Pending>,
    writers: BTreeSet<DeviceKey>,
    /// Where pages that wait are kept; nothing where they are kept already.
    waiting: Option<Waiting>,
    newer: bool,
    in_damage: bool,
    finished: bool,
    heads: u64,
    touched: BTreeSet<SpaceId>,
    pub(super) report: BundleReport,
}

/// What a reading came to.
pub(super) struct Taken {
    pub(super) report: BundleReport,
    /// Spaces of which something is new.
    pub(super) touched: BTreeSet<SpaceId>,
    /// Who wrote it.
    pub(super) writers: BTreeSet<DeviceKey>,
    /// Pages that wait.
    pub(super) waiting: Option<Waiting>,
    /// It was of a newer version, wholly or in part.
    pub(super) newer: bool,
    /// Records that say what it is.
    pub(super) heads: u64,
    /// Pages were left that no head opened.
    pub(super) unopened: bool,
}

impl<'a> Taking<'a> {
    pub(super) async fn new(inner: &'a Inner, waiting: Option<Waiting>) -> Result<Self, Error> {
        Ok(Self {
            inner,
            parcels: HashMap::new(),
            stash: VecDeque::new(),
            stashed: 0,
            part: 1,
            view: None,
            expected: inner.expected().await?,
            items: Vec::new(),
            bytes: 0,
            pages: Vec::new(),
            writers: BTreeSet::new(),
            waiting,
            newer: false,
            in_damage: false,
            finished: false,
            heads: 0,
            touched: BTreeSet::new(),
            report: BundleReport { whole: true, ..BundleReport::default() },
        })
    }

    /// Reads a file to its end.
    pub(super) async fn run(mut self, mut source: Source, hear: Hear<'_>) -> Result<Taken, Error> {
        while let Some(found) = source.next(&self.inner.around).await? {
            match found {
                Scanned::Damaged(bytes) => self.damaged(bytes),
                Scanned::Record(kind, body) => {
                    self.in_damage = false;
                    self.record(kind, body).await?;
                }
            }
            if self.report.bytes != source.bytes {
                self.report.bytes = source.bytes;
                hear(BundleProgress { bytes: source.bytes, entries: self.report.new + self.report.known });
            }
        }
        self.store().await?;
        // What no head opened is lost, unless it is nobody's here.
        let unopened = !self.stash.is_empty();
        self.report.damaged += u64::from(unopened);
        let open = |parcel: &Parcel| matches!(parcel, Parcel::Mine(mine) if !mine.ended);
        let last = self.report.part.is_none_or(|(part, parts)| part == parts);
        self.report.whole &= !last || !self.parcels.values().any(open);
        self.report.whole &= self.finished && self.report.damaged == 0 && self.report.lost == 0;
        self.report.not_for_you = self.parcels.values().filter(|it| matches!(it, Parcel::Foreign)).count() as u64;
        let Self { report, touched, writers, waiting, newer, heads, .. } = self;
        Ok(Taken { report, touched, writers, waiting, newer, heads, unopened })
    }

    fn damaged(&mut self, bytes: u64) {
        self.report.damaged += u64::from(!std::mem::replace(&mut self.in_damage, true));
        self.report.damaged_bytes += bytes;
    }

    async fn record(&mut self, kind: u8, body: Vec<u8>) -> Result<(), Error> {
        match RecordKind::from_number(kind) {
            Some(RecordKind::Start) => match Start::decode(&body) {
                Ok(Some(start)) => {
                    self.heads += 1;
                    self.part = start.part;
                    self.report.bundle = Some(id_text(&start.bundle));
                    self.report.part = Some((start.part, start.parts));
                }
                Ok(None) => self.newer = true,
                Err(_) => self.damaged(0),
            },
            Some(RecordKind::Head) => match Head::decode(&body) {
                Ok(Some(head)) => self.head(&head).await?,
                Ok(None) => self.newer = true,
                Err(_) => self.damaged(0),
            },
            Some(RecordKind::Page) => match SealedPage::decode(&body) {
                Ok(page) => self.page(page, body).await?,
                Err(_) => self.damaged(0),
            },
            Some(RecordKind::Finish) => self.finished |= Finish::decode(&body).is_ok(),
            // A newer version may say more.
            None => {}
        }
        Ok(())
    }

    async fn head(&mut self, head: &Head) -> Result<(), Error> {
        self.heads += 1;
        self.report.bundle.get_or_insert_with(|| id_text(&head.bundle));
        if self.parcels.contains_key(&head.parcel) {
            return Ok(());
        }
        if self.parcels.len() >= PARCELS_MAX {
            self.refused("TOO_MANY");
            return Ok(());
        }
        let parcel = match BundleKey::open(head, &self.inner.secret) {
            Some(key) => {
                let head = record(RecordKind::Head, &head.encode());
                let mine = Mine { key, head, seen: None, next: 0, hash: blake3::Hasher::new(), ended: false };
                Parcel::Mine(Box::new(mine))
            }
            None => Parcel::Foreign,
        };
        self.parcels.insert(head.parcel, parcel);
        self.stashed = 0;
        for (parcel, body) in std::mem::take(&mut self.stash) {
            match SealedPage::decode(&body) {
                Ok(page) if parcel == head.parcel => self.page(page, body).await?,
                _ => self.set_aside(parcel, body),
            }
        }
        Ok(())
    }

    /// Keeps a page until its head comes; what is beyond is lost.
    fn set_aside(&mut self, parcel: ParcelId, body: Vec<u8>) {
        self.stashed += body.len();
        self.stash.push_back((parcel, body));
        while self.stashed > STASH_BYTES {
            let Some((_, gone)) = self.stash.pop_front() else { return };
            self.stashed -= gone.len();
            self.damaged(gone.len() as u64);
        }
    }

    async fn page(&mut self, page: SealedPage, body: Vec<u8>) -> Result<(), Error> {
        let mine = match self.parcels.get_mut(&page.parcel) {
            None => {
                self.set_aside(page.parcel, body);
                return Ok(());
            }
            Some(Parcel::Foreign) => return Ok(()),
            Some(Parcel::Mine(mine)) => mine,
        };
        let (writer, said, frames) = match mine.key.open_page(&page) {
            Ok(opened) => opened,
            Err(PageError::Newer) => {
                self.newer = true;
                return Ok(());
            }
            // Its check is in order: somebody made it so.
            Err(error) => {
                tracing::debug!(%error, "a page of a bundle is not taken");
                self.refused(if error == PageError::Signature { "BAD_SIGNATURE" } else { "MALFORMED" });
                self.damaged(body.len() as u64);
                return Ok(());
            }
        };
        let entries: u64 = frames.iter().map(entries_of).sum();
        let begun = mine.seen.or((self.part == 1).then_some(0)).unwrap_or(said.before);
        self.report.lost += said.before.saturating_sub(begun);
        mine.seen = Some((said.before + entries).max(begun));
        let honest = mine.note(&page, &said);
        if !honest {
            self.refused("MALFORMED");
        }
        self.writers.insert(writer);
        self.judge((page.parcel, body), writer, &said, frames, entries).await
    }

    async fn judge(
        &mut self,
        (parcel, body): (ParcelId, Vec<u8>),
        writer: DeviceKey,
        said: &PageBody,
        frames: Vec<Frame>,
        entries: u64,
    ) -> Result<(), Error> {
        let space = said.space;
        if self.view.as_ref().is_none_or(|(of, _)| *of != space) {
            self.store().await?;
            let view = match self.inner.spaces.view(space).await? {
                None if self.expected.contains(&space) => Some(view_of_nothing(space, self.inner.rules)),
                view => view,
            };
            let Some(view) = view else {
                // Sealed to this device, and nothing that it asked for.
                self.refused("ABSENT");
                return Ok(());
            };
            self.view = Some((space, view));
        }
        let Some((_, view)) = &mut self.view else { return Ok(()) };
        let (mut waits, mut taken, mut refused) = (false, 0, Vec::new());
        for frame in frames {
            let judged = judge_bundled(view, space, writer, frame, self.inner.rules);
            waits |= judged.waits;
            taken += judged.entries;
            refused.extend(judged.refused);
            for item in judged.items {
                self.bytes += weight(&item);
                self.items.push(item);
            }
        }
        if !waits && refused.is_empty() {
            self.report.known += entries.saturating_sub(taken);
        }
        refused.into_iter().for_each(|reason| self.refused(reason.code()));
        self.pages.push(Pending { parcel, record: body, upto: self.items.len(), waits });
        if self.bytes >= PENDING_BYTES { self.store().await } else { Ok(()) }
    }

    /// Makes durable what was judged; what turned out to wait is kept.
    async fn store(&mut self) -> Result<(), Error> {
        let (items, pages) = (std::mem::take(&mut self.items), std::mem::take(&mut self.pages));
        self.bytes = 0;
        let outcomes = if items.is_empty() { Vec::new() } else { self.persist(items).await? };
        let mut from = 0;
        for page in pages {
            let gap = outcomes[from..page.upto].contains(&Outcome::Gap);
            from = page.upto;
            if page.waits || gap {
                self.keep_waiting(page.parcel, &page.record).await?;
            }
        }
        Ok(())
    }

    async fn persist(&mut self, items: Vec<Incoming>) -> Result<Vec<Outcome>, Error> {
        let places: Vec<(SpaceId, bool, bool)> =
            items.iter().map(|item| (item.space(), is_entry(item), self.inner.is_own_writing(item))).collect();
        let done = self.inner.spaces.persist(Batch { items, ..Batch::default() }).await?;
        let mut anew = false;
        for ((space, entry, own), outcome) in places.into_iter().zip(&done.outcomes) {
            match outcome {
                Outcome::Stored(_) | Outcome::Forked(..) => {
                    *(if entry { &mut self.report.new } else { &mut self.report.receipts }) += 1;
                    self.touched.insert(space);
                    // Whatever ends this reading: what is in the log becomes documents.
                    lock(&self.inner.untaken).insert(space);
                    if own {
                        self.inner.was_copied();
                    }
                    if !entry || matches!(outcome, Outcome::Forked(..)) {
                        self.report.forks += u64::from(matches!(outcome, Outcome::Forked(..)));
                        anew = true;
                    }
                }
                Outcome::Duplicate => self.report.known += u64::from(entry),
                Outcome::Gap => anew = true,
                Outcome::Refused(reason) => {
                    self.refused(reason.code());
                    anew = true;
                }
            }
        }
        if anew {
            // The view counts what the store did not take, or took otherwise.
            self.view = None;
        }
        Ok(done.outcomes)
    }

    async fn keep_waiting(&mut self, parcel: ParcelId, body: &[u8]) -> Result<(), Error> {
        self.report.waiting += 1;
        let (Some(waiting), Some(Parcel::Mine(mine))) = (&mut self.waiting, self.parcels.get(&parcel)) else {
            return Ok(());
        };
        let page = record(RecordKind::Page, body);
        if !waiting.add(&self.inner.around, parcel, &mine.head, &page).await? {
            self.report.not_kept += 1;
        }
        Ok(())
    }

    fn refused(&mut self, code: &str) {
        if !self.report.refused.iter().any(|known| known == code) {
            self.report.refused.push(code.to_owned());
        }
    }
}

fn is_entry(item: &Incoming) -> bool {
    matches!(item, Incoming::Entry(_))
}

fn weight(item: &Incoming) -> usize {
    match item {
        Incoming::Entry(entry) => entry.payload().map_or(0, <[u8]>::len) + 256,
        Incoming::Receipt(receipt) => receipt.signed().body.len() + 128,
        Incoming::Fork(..) | Incoming::Payload(..) => 1024,
    }
}

pub(super) fn entries_of(frame: &Frame) -> u64 {
    if let Frame::Carry(carry) = frame { carry.entries.len() as u64 } else { 0 }
}
