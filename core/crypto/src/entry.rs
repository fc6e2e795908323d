//! Verified entries: an entry has accessors only once its author's signature was checked.

use alliance_wire::entry::{self, EntryError, Header, SignedHeader};
use alliance_wire::{
    DeviceKey, Entry, EpochId, HeaderHash, Incarnation, Kind, LogId, LogName, Signature, SpaceId, Stream, Suffix,
    limits,
};
use ed25519_dalek::VerifyingKey;

use crate::keys::{self, Secret};
use crate::rules::Rules;

/// Signatures that one batch verifies: beyond that a batch gains nothing (20 µs each at 64, 48 µs one by one).
pub const BATCH_MAX: usize = 64;

/// Why an entry is not taken for verified. Every case is the sender's fault or damage on the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The header is of another space than the one that it was sent for.
    #[error("the entry belongs to another space")]
    OtherSpace,
    /// The header is of another log than the one that it was sent for, or its kind does not belong into that log.
    #[error("the entry belongs to another log")]
    OtherLog,
    /// The log's name goes through more continuations than are kept.
    #[error("more continuations than are kept")]
    ForkDepth,
    /// Number, predecessor or size are impossible, or the payload is another.
    #[error("the entry is damaged: {0}")]
    Entry(#[from] EntryError),
    /// The author's signature does not verify.
    #[error("the entry's signature does not verify")]
    Signature,
    /// A row that was read back has another header hash than the one stored with it.
    #[error("the stored entry has another header hash")]
    StoredHash,
}

/// Where in which log an entry of one's own goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The audience.
    pub space: SpaceId,
    /// The author's database.
    pub incarnation: Incarnation,
    /// Which of the two logs.
    pub stream: Stream,
    /// Number in the log, from 1.
    pub seq: u64,
    /// Header hash of the entry before it, [`HeaderHash::NONE`] for number 1.
    pub prev: HeaderHash,
}

impl Place {
    /// The author's log.
    #[must_use]
    pub fn name(&self, author: DeviceKey) -> LogName {
        LogName::new(author, self.incarnation, self.stream)
    }

    /// The log's id.
    #[must_use]
    pub fn log(&self, author: DeviceKey) -> LogId {
        LogId::of(self.space, self.stream, author, self.incarnation)
    }

    /// The suffix of an entry here; a data entry names its epoch, a membership entry none.
    #[must_use]
    pub fn suffix(&self, epoch: Option<EpochId>) -> Suffix {
        Suffix::new(kind_of(self.stream), epoch)
    }

    /// What the payload of a data entry here is sealed with, before it exists.
    #[must_use]
    pub fn associated_data(&self, author: DeviceKey, epoch: EpochId) -> Vec<u8> {
        entry::associated_data(self.space, self.log(author), self.seq, self.prev, &self.suffix(Some(epoch)))
    }
}

const fn kind_of(stream: Stream) -> Kind {
    match stream {
        Stream::Membership => Kind::Membership,
        Stream::Data => Kind::Data,
    }
}

/// Signs an entry. `epoch` is the one that a data entry's payload is sealed under, `None` in a membership entry.
///
/// # Errors
/// [`EntryError`] when epoch, number, predecessor or size do not fit: the caller's fault.
pub fn sign_entry(
    secret: &impl Secret,
    place: &Place,
    epoch: Option<EpochId>,
    payload: Vec<u8>,
) -> Result<Verified, EntryError> {
    let author = DeviceKey::from(secret.signer_key());
    if epoch.is_some() != (place.stream == Stream::Data) {
        return Err(EntryError::Epoch);
    }
    let name = place.name(author);
    let log = name.signed_log(place.space);
    let header = Header::new(place.space, log, place.seq, place.prev, place.suffix(epoch), &payload)?;
    let signature = secret.sign(&header.signed_bytes());
    let hash = header.hash();
    let entry = Entry::new(SignedHeader { header, signature }, payload)?;
    Ok(Verified { entry, name, log, hash })
}

/// An entry whose signature verified under its log's author, whose header is possible and whose payload, where there
/// is one, is the one that the header names. Who may sign what is [`crate::Membership`]'s business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    entry: Entry,
    name: LogName,
    log: LogId,
    hash: HeaderHash,
}

impl Verified {
    /// Verifies one entry that was sent for this log of this space.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(space: SpaceId, name: &LogName, entry: Entry) -> Result<Self, VerifyError> {
        Verifier::new(Rules::ALL).verify(space, name, entry)
    }

    /// Takes back a row of one's own store, where it was put verified: space, log, numbers, payload and header hash
    /// are checked, the signature is not.
    ///
    /// # Errors
    /// [`VerifyError`]: the store is damaged.
    pub fn trusted(space: SpaceId, name: LogName, entry: Entry, hash: HeaderHash) -> Result<Self, VerifyError> {
        let unsigned = Unsigned::check(space, name, entry)?;
        let verified = unsigned.settled();
        if verified.hash == hash { Ok(verified) } else { Err(VerifyError::StoredHash) }
    }

    /// The entry.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        self.entry.header()
    }

    /// The header's hash.
    #[must_use]
    pub const fn hash(&self) -> HeaderHash {
        self.hash
    }

    /// What certifies the log's id.
    #[must_use]
    pub const fn name(&self) -> &LogName {
        &self.name
    }

    /// The log under which the entry is stored: the continuation's id where it is one's.
    #[must_use]
    pub const fn log(&self) -> LogId {
        self.log
    }

    /// Who signed it.
    #[must_use]
    pub const fn author(&self) -> DeviceKey {
        self.name.device
    }

    /// The space.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.header().space
    }

    /// The number in its log.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.header().seq
    }

    /// What the entry is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.header().kind()
    }

    /// The payload, unless it was dropped.
    #[must_use]
    pub fn payload(&self) -> Option<&[u8]> {
        self.entry.payload.as_deref()
    }

    /// The same entry as part of the continuation that `name` names: an entry learned before the fork was known.
    ///
    /// # Errors
    /// [`VerifyError::OtherLog`] when the continuation is not of the same author's log, [`VerifyError::ForkDepth`].
    pub fn renamed(self, name: LogName) -> Result<Self, VerifyError> {
        Ok(Unsigned::check(self.space(), name, self.entry)?.settled())
    }

    /// The log's name and the entry.
    #[must_use]
    pub fn into_parts(self) -> (LogName, Entry) {
        (self.name, self.entry)
    }
}

/// An entry of which everything but the signature was checked.
struct Unsigned {
    entry: Entry,
    name: LogName,
    log: LogId,
    signed_bytes: Vec<u8>,
}

impl Unsigned {
    fn check(space: SpaceId, name: LogName, entry: Entry) -> Result<Self, VerifyError> {
        let header = entry.header();
        if header.space != space {
            return Err(VerifyError::OtherSpace);
        }
        if name.path.len() > limits::CONTINUATIONS_MAX {
            return Err(VerifyError::ForkDepth);
        }
        if header.log != name.signed_log(space) || header.kind() != kind_of(name.stream) {
            return Err(VerifyError::OtherLog);
        }
        header.check()?;
        if let Some(payload) = &entry.payload {
            let same = payload.len() == header.payload_len as usize
                && alliance_wire::hash::content_hash(payload) == header.payload_hash;
            if !same {
                return Err(EntryError::Payload.into());
            }
        }
        let (log, signed_bytes) = (name.id(space), header.signed_bytes());
        Ok(Self { entry, name, log, signed_bytes })
    }

    fn verify(self) -> Result<Verified, VerifyError> {
        keys::verify(self.name.device, &self.signed_bytes, &self.entry.signed.signature)
            .map_err(|_| VerifyError::Signature)?;
        Ok(self.settled())
    }

    fn settled(self) -> Verified {
        let hash = HeaderHash(alliance_wire::hash::content_hash(&self.signed_bytes));
        Verified { entry: self.entry, name: self.name, log: self.log, hash }
    }
}

/// Verifies entries.
#[derive(Debug, Clone, Copy)]
pub struct Verifier {
    rules: Rules,
}

impl Verifier {
    /// A verifier under these rules.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { rules }
    }

    /// Verifies one entry that was sent for this log of this space.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, space: SpaceId, name: &LogName, entry: Entry) -> Result<Verified, VerifyError> {
        let unsigned = Unsigned::check(space, name.clone(), entry)?;
        if self.rules.verify_signatures { unsigned.verify() } else { Ok(unsigned.settled()) }
    }

    /// Verifies many entries of one space; the results stand in the order of the entries, and one bad entry spoils no
    /// other.
    ///
    /// Membership entries are verified strictly, one by one: every replica must come to the same verdict. Data entries
    /// go through Ed25519 batch verification in groups of [`BATCH_MAX`], and one by one where a group fails. A batch
    /// may take a signature that the strict check refuses only if its own author built it so, with a component of
    /// small order; it says nothing that the author did not sign.
    pub fn verify_batch(&self, space: SpaceId, entries: Vec<(LogName, Entry)>) -> Vec<Result<Verified, VerifyError>> {
        let mut results = Vec::with_capacity(entries.len());
        let mut group = Vec::with_capacity(BATCH_MAX);
        for (name, entry) in entries {
            match Unsigned::check(space, name, entry) {
                Ok(unsigned) if !self.rules.verify_signatures => results.push(Some(Ok(unsigned.settled()))),
                Ok(unsigned) if unsigned.entry.header().kind() == Kind::Data => {
                    group.push((results.len(), unsigned));
                    results.push(None);
                    if group.len() == BATCH_MAX {
                        settle_group(&mut group, &mut results);
                    }
                }
                Ok(unsigned) => results.push(Some(unsigned.verify())),
                Err(error) => results.push(Some(Err(error))),
            }
        }
        settle_group(&mut group, &mut results);
        results.into_iter().map(|result| result.expect("every group was settled")).collect()
    }
}

/// Verifies the group as one, else one by one, and puts the results at their places.
fn settle_group(group: &mut Vec<(usize, Unsigned)>, results: &mut [Option<Result<Verified, VerifyError>>]) {
    let whole = group.len() > 1 && group_verifies(group);
    for (at, unsigned) in group.drain(..) {
        results[at] = Some(if whole { Ok(unsigned.settled()) } else { unsigned.verify() });
    }
}

fn group_verifies(group: &[(usize, Unsigned)]) -> bool {
    let mut messages: Vec<&[u8]> = Vec::with_capacity(group.len());
    let mut signatures = Vec::with_capacity(group.len());
    let mut keys: Vec<VerifyingKey> = Vec::with_capacity(group.len());
    for (_, unsigned) in group {
        // Nearly all entries of a group are of a few authors: a key's point is decompressed once a run.
        let bytes = &unsigned.name.device.0;
        let key = match keys.last() {
            Some(last) if last.as_bytes() == bytes => *last,
            _ => match VerifyingKey::from_bytes(bytes) {
                Ok(key) if !key.is_weak() => key,
                _ => return false,
            },
        };
        keys.push(key);
        messages.push(&unsigned.signed_bytes);
        let signature: &Signature = &unsigned.entry.signed.signature;
        signatures.push(ed25519_dalek::Signature::from_bytes(signature));
    }
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}
