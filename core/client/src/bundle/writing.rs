//! Writing a bundle: membership first, then everything in order of arrival, a page at a time.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

use alliance_crypto::{BundleKey, HeadSeal};
use alliance_store::Replica as _;
use alliance_sync::{Outgoing, Page, Part, Since, to_be_carried};
use alliance_wire::bundle_file::{
    BundleId, FINISH_RECORD_BYTES, Finish, PageBody, PageEnd, ParcelId, RecordKind, Start, record,
};
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{Entry, Frame, LogName, Stream, limits};

use super::planning::{BundlePlan, PlannedParcel};
use super::{Hear, id_text, io};
use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::views::{BundleProgress, BundleWritten};

/// Bytes of a log that are read at a time.
const READ_BYTES: usize = 256 * 1024;
/// Bytes that are written at a time.
const WRITE_BYTES: usize = 128 * 1024;
/// A parcel's head stands again behind so many bytes of its pages.
pub(super) const HEAD_EVERY_BYTES: u64 = 1024 * 1024;

/// Where a bundle is written to.
pub trait BundleOut: Send + 'static {
    /// Bytes of a part at most; nothing for one part of any length.
    fn part_bytes(&self) -> Option<u64> {
        None
    }

    /// A part begins; the first is 1.
    ///
    /// # Errors
    /// What the disk says.
    fn begin(&mut self, part: u32) -> io::Result<()>;

    /// The next bytes of the part.
    ///
    /// # Errors
    /// What the disk says.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Everything was written, in so many parts.
    ///
    /// # Errors
    /// What the disk says.
    fn finish(&mut self, bundle: BundleId, parts: u32) -> io::Result<()>;

    /// The same for one part that is a copy of a file.
    ///
    /// # Errors
    /// What the disk says.
    fn finish_copy(&mut self) -> io::Result<()>;
}

/// A stream that takes a bundle in one part, such as a file that somebody else opened.
#[derive(Debug)]
pub struct BundleStream<W>(pub W);

impl<W: Write + Send + 'static> BundleOut for BundleStream<W> {
    fn begin(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn finish(&mut self, _: BundleId, _: u32) -> io::Result<()> {
        self.0.flush()
    }

    fn finish_copy(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Client {
    /// Writes a bundle as planned. What was typed is sealed first, and what this device has is said by receipts.
    ///
    /// # Errors
    /// `LOW_STORAGE`, `BUNDLE_EXISTS`, `BUNDLE_IO`, `SPLIT_TOO_SMALL`, and those of the store. What was written so far is
    /// the caller's to remove.
    pub async fn write_bundle(
        &self,
        plan: BundlePlan,
        out: impl BundleOut,
        mut progress: impl FnMut(BundleProgress) + Send,
    ) -> Result<BundleWritten, Error> {
        let inner = &self.inner;
        self.seal_all().await?;
        let bundle = inner.derive16("bundle id", &[])?;
        let mut writing = Writing::new(inner, bundle, Box::new(out), &mut progress);
        writing.begin_part().await?;
        let mut reached = Vec::new();
        for parcel in &plan.parcels {
            inner.note_receipt(parcel.space).await?;
            let upto = writing.parcel(parcel, plan.since).await?;
            reached.push((parcel.space, upto));
        }
        let written = writing.finish().await?;
        inner.keep_written(bundle, reached).await?;
        Ok(written)
    }
}

impl Inner {
    /// Says what this device has of a space, if that is news.
    pub(super) async fn note_receipt(&self, space: alliance_wire::SpaceId) -> Result<(), Error> {
        let _work = self.work.lock().await;
        self.write_receipt(space).await.map(|_| ())
    }
}

enum Op {
    Begin(u32),
    Bytes(Vec<u8>),
}

struct Writing<'a> {
    inner: &'a Inner,
    bundle: BundleId,
    out: Option<Box<dyn BundleOut>>,
    limit: Option<u64>,
    ops: Vec<Op>,
    buffered: usize,
    part_bytes: u64,
    /// The record of the open parcel's head.
    head: Vec<u8>,
    since_head: u64,
    written: BundleWritten,
    hear: Hear<'a>,
}

/// The parcel that is being written.
struct Open {
    id: ParcelId,
    key: BundleKey,
    space: alliance_wire::SpaceId,
    pages: u64,
    entries: u64,
    receipts: u64,
    hash: blake3::Hasher,
    /// What the next page will hold.
    waiting: Vec<Outgoing>,
    bytes: usize,
}

impl<'a> Writing<'a> {
    fn new(inner: &'a Inner, bundle: BundleId, out: Box<dyn BundleOut>, hear: Hear<'a>) -> Self {
        let written = BundleWritten { bundle: id_text(&bundle), ..BundleWritten::default() };
        let limit = out.part_bytes().map(|bytes| bytes.saturating_sub(FINISH_RECORD_BYTES as u64));
        let (ops, buffered, part_bytes, since_head) = (Vec::new(), 0, 0, 0);
        let out = Some(out);
        Self { inner, bundle, out, limit, ops, buffered, part_bytes, head: Vec::new(), since_head, written, hear }
    }

    async fn begin_part(&mut self) -> Result<(), Error> {
        if self.written.parts > 0 {
            self.end_part().await?;
        }
        self.written.parts += 1;
        self.ops.push(Op::Begin(self.written.parts));
        self.part_bytes = 0;
        // One part is known to be the only one; where there may be more, the number is put in at the end.
        let parts = u32::from(self.limit.is_none());
        let start = Start { bundle: self.bundle, part: self.written.parts, parts };
        self.push(record(RecordKind::Start, &start.encode())).await
    }

    async fn end_part(&mut self) -> Result<(), Error> {
        let finish = Finish { bundle: self.bundle, part: self.written.parts };
        self.push(record(RecordKind::Finish, &finish.encode())).await
    }

    async fn push(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.part_bytes += bytes.len() as u64;
        self.written.bytes += bytes.len() as u64;
        self.buffered += bytes.len();
        self.ops.push(Op::Bytes(bytes));
        if self.buffered >= WRITE_BYTES { self.flush(None).await } else { Ok(()) }
    }

    async fn flush(&mut self, finish: Option<u32>) -> Result<(), Error> {
        let mut out = self.out.take().ok_or(Code::Internal)?;
        let (ops, bundle) = (std::mem::take(&mut self.ops), self.bundle);
        self.buffered = 0;
        let work = move || {
            for op in ops {
                let done = match op {
                    Op::Begin(part) => out.begin(part),
                    Op::Bytes(bytes) => out.write(&bytes),
                };
                done.map_err(|error| io(&error))?;
            }
            if let Some(parts) = finish {
                out.finish(bundle, parts).map_err(|error| io(&error))?;
            }
            Ok(out)
        };
        self.out = Some(self.inner.around.blocking(work).await?);
        (self.hear)(BundleProgress { bytes: self.written.bytes, entries: self.written.entries });
        Ok(())
    }

    /// Puts a record of the open parcel into this part, or the next where it does not fit.
    async fn put(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        if let Some(limit) = self.limit {
            let (len, head) = (bytes.len() as u64, self.head.len() as u64);
            if self.part_bytes + len > limit {
                self.begin_part().await?;
                if self.part_bytes + head + len > limit {
                    return Err(Error::new(Code::SplitTooSmall).with("needed", self.part_bytes + head + len));
                }
                self.put_head().await?;
            }
        }
        self.push(bytes).await
    }

    async fn put_head(&mut self) -> Result<(), Error> {
        self.since_head = 0;
        self.push(self.head.clone()).await
    }

    async fn parcel(&mut self, plan: &PlannedParcel, since: Option<BundleId>) -> Result<u64, Error> {
        let (id, space) = (self.inner.derive16("bundle parcel", &[&plan.space.0])?, plan.space);
        let key = BundleKey::new(self.inner.derive("bundle key", &[&plan.space.0, &id])?);
        let to = HeadSeal { bundle: self.bundle, parcel: id, devices: &plan.devices, relays: &plan.relays };
        let head = key.seal(&self.inner.secret, &to, self.inner.around.bytes()?);
        let hash = blake3::Hasher::new();
        let (waiting, bytes) = (Vec::new(), 0);
        let mut open = Open { id, key, space, pages: 0, entries: 0, receipts: 0, hash, waiting, bytes };
        self.head = record(RecordKind::Head, &head.encode());
        let head = self.head.clone();
        self.put_first_head(head).await?;
        self.written.spaces += 1;
        let upto = if plan.asks {
            let receipts = self.inner.device.replica().receipts(space).await?.into_iter();
            let mine = |signed: &SignedReceipt| signed.parse().is_ok_and(|receipt| receipt.device == self.inner.me);
            open.waiting.extend(receipts.filter(mine).map(Outgoing::Receipt));
            plan.after
        } else {
            self.pass(plan, &mut open, Part::Membership).await?;
            self.pass(plan, &mut open, Part::Everything).await?
        };
        self.close(&mut open, true, since).await?;
        // A head that is damaged is no loss of what it opens.
        let head = self.head.clone();
        self.put_first_head(head).await?;
        self.head.clear();
        Ok(upto)
    }

    /// A head needs no other before it.
    async fn put_first_head(&mut self, head: Vec<u8>) -> Result<(), Error> {
        if self.limit.is_some_and(|limit| self.part_bytes + head.len() as u64 > limit) {
            self.begin_part().await?;
            if self.limit.is_some_and(|limit| self.part_bytes + head.len() as u64 > limit) {
                return Err(Error::new(Code::SplitTooSmall).with("needed", self.part_bytes + head.len() as u64));
            }
        }
        self.since_head = 0;
        self.push(head).await
    }

    /// One pass over a space; answers how far it went.
    async fn pass(&mut self, plan: &PlannedParcel, open: &mut Open, part: Part) -> Result<u64, Error> {
        let mut after = plan.after;
        loop {
            let since = Since { space: plan.space, after, part, bytes: READ_BYTES };
            let page: Page = self.inner.device.replica().since(since).await?;
            let (more, upto) = (page.more, page.upto);
            let mut items: VecDeque<Outgoing> = page.items.into();
            while let Some(item) = items.pop_front() {
                if !wanted(plan, part, &item, upto > plan.on_relays) {
                    continue;
                }
                let bytes = size_of_item(&item);
                if !open.waiting.is_empty() && open.bytes + bytes > limits::BUNDLE_PAGE_BYTES_TARGET {
                    self.close(open, false, None).await?;
                }
                open.bytes += bytes;
                open.waiting.push(item);
            }
            if !more || upto <= after {
                return Ok(upto.max(after));
            }
            after = upto;
        }
    }

    /// Seals what waits as a page.
    async fn close(&mut self, open: &mut Open, ends: bool, since: Option<BundleId>) -> Result<(), Error> {
        let before = open.entries;
        let items = std::mem::take(&mut open.waiting);
        let frames = frames_of(open, items);
        open.bytes = 0;
        open.pages += 1;
        let end = ends.then(|| PageEnd {
            pages: open.pages,
            entries: open.entries,
            receipts: open.receipts,
            hash: *open.hash.finalize().as_bytes(),
            since,
        });
        let frames = frames.iter().map(|frame| frame.encode().into()).collect();
        let body = PageBody { space: open.space, before, frames, end };
        let number = open.pages - 1;
        let random = self.inner.derive("bundle page", &[&open.id, &number.to_be_bytes()])?;
        let page = open.key.seal_page(&self.inner.secret, (open.id, number), &body, random);
        open.hash.update(&page.sealed);
        let bytes = record(RecordKind::Page, &page.encode());
        self.written.entries += open.entries - before;
        if self.since_head + bytes.len() as u64 > HEAD_EVERY_BYTES {
            let head = self.head.clone();
            self.put_first_head(head).await?;
        }
        self.since_head += bytes.len() as u64;
        self.put(bytes).await?;
        if ends {
            self.written.receipts += open.receipts;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<BundleWritten, Error> {
        self.end_part().await?;
        self.flush(Some(self.written.parts)).await?;
        Ok(self.written)
    }
}

/// Whether an item goes into a pass: what the receivers have does not, unless `whatever` they have, and membership went
/// first.
fn wanted(plan: &PlannedParcel, part: Part, item: &Outgoing, whatever: bool) -> bool {
    let Outgoing::Entry(name, entry) = item else { return true };
    if part == Part::Everything && name.stream == Stream::Membership {
        return false;
    }
    whatever || plan.floor.get(&name.id(plan.space)).is_none_or(|seq| entry.header().seq > *seq)
}

fn size_of_item(item: &Outgoing) -> usize {
    match item {
        Outgoing::Entry(_, entry) => entry.payload.as_ref().map_or(0, Vec::len) + 256,
        Outgoing::Receipt(receipt) => receipt.body.len() + 128,
        Outgoing::Fork(..) => 1024,
    }
}

/// The frames of a page, in the order of its items.
fn frames_of(open: &mut Open, items: Vec<Outgoing>) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut entries: Vec<(Arc<LogName>, Entry)> = Vec::new();
    let space = open.space;
    let carry = |entries: &mut Vec<(Arc<LogName>, Entry)>, frames: &mut Vec<Frame>| {
        frames.extend(to_be_carried(space, std::mem::take(entries)).into_iter().map(Frame::Carry));
    };
    for item in items {
        match item {
            Outgoing::Entry(name, entry) => {
                open.entries += 1;
                entries.push((name, entry));
            }
            Outgoing::Receipt(receipt) => {
                carry(&mut entries, &mut frames);
                open.receipts += 1;
                frames.push(Frame::Receipt { space: 0, receipt });
            }
            Outgoing::Fork(name, proof) => {
                carry(&mut entries, &mut frames);
                frames.push(Frame::Fork { space: 0, name: (*name).clone(), proof });
            }
        }
    }
    carry(&mut entries, &mut frames);
    frames
}
