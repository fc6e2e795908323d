//! Opening an entry, and judging it by the membership.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alliance_crypto::{DataAt, DataVerdict, Keyring, Membership, OpenError, Rules, open};
use alliance_model::DocumentKind;
use alliance_model::form::form_of_space;
use alliance_model::kind::{exports_of, preparation_of};
use alliance_store::device::Quarantine;
use alliance_wire::content::{Body, CONTENT_VERSION, Card, Changes, Content, Place};
use alliance_wire::membership::SpaceKind;
use alliance_wire::{DocumentId, Entry, LogName, SpaceId};

use crate::forks::Branches;
use crate::held::{Never, Wait};

/// What entries of a space are opened and judged by.
pub(crate) struct Opening {
    pub(crate) membership: Arc<Membership>,
    pub(crate) keyring: Keyring,
    pub(crate) rules: Rules,
    pub(crate) branches: Arc<Branches>,
    /// The latest time at which an entry that was opened says that it was written.
    pub(crate) latest: Arc<AtomicU64>,
}

/// What an entry turned out to be.
pub(super) enum Examined {
    Waits(Wait),
    Never(Never),
    /// It opens, and is kept for a person to admit or discard.
    Quarantined(Box<Body>, Quarantine),
    Card(Card),
    /// What only a person's devices say to each other.
    Home(Box<Body>),
    Changes(Changes),
}

impl Opening {
    /// The changes of an entry that opens here and counts, on whatever branch of a forked log it stands.
    pub(crate) fn changes_of(&self, name: &LogName, entry: &Entry) -> Option<Changes> {
        match self.content(name, entry) {
            Ok((Content { body: Body::Changes(changes), .. }, None)) => Some(changes),
            Ok(_) | Err(_) => None,
        }
    }

    /// Why an entry is kept and not shown, if it opens here and somebody could admit it.
    pub(crate) fn quarantine(&self, space: SpaceId, name: &LogName, entry: &Entry) -> Option<Quarantine> {
        match self.examine(space, name, entry) {
            Examined::Quarantined(_, why) => Some(why),
            Examined::Waits(_) | Examined::Never(_) | Examined::Card(_) | Examined::Home(_) | Examined::Changes(_) => {
                None
            }
        }
    }

    /// When the author of an entry says that it was written, in milliseconds since 1970, and its changes.
    pub(crate) fn said(&self, name: &LogName, entry: &Entry) -> Option<(u64, Changes)> {
        match self.content(name, entry) {
            Ok((Content { written_at, body: Body::Changes(changes), .. }, _)) => Some((written_at, changes)),
            Ok(_) | Err(_) => None,
        }
    }

    /// What an entry of a home says, if it is one: a place that a device tells of, or only that one asks.
    pub(crate) fn home_place(&self, space: SpaceId, name: &LogName, entry: &Entry) -> Option<Option<Place>> {
        match self.examine(space, name, entry) {
            Examined::Home(body) => Some(if let Body::Place(place) = *body { Some(place) } else { None }),
            Examined::Quarantined(..)
            | Examined::Waits(_)
            | Examined::Never(_)
            | Examined::Card(_)
            | Examined::Changes(_) => None,
        }
    }

    pub(super) fn examine(&self, space: SpaceId, name: &LogName, entry: &Entry) -> Examined {
        match self.content(name, entry) {
            Ok((Content { body, .. }, Some(why))) => Examined::Quarantined(Box::new(body), why),
            Ok((Content { body: Body::Card(card), .. }, None)) => Examined::Card(card),
            Ok((Content { body: body @ (Body::Place(_) | Body::Asks(_)), .. }, None)) => Examined::Home(Box::new(body)),
            Ok((Content { body: Body::Changes(changes), .. }, None)) if self.applies(space, name) => {
                match self.misplaced(space, changes.document, changes.kind) {
                    Some(never) => Examined::Never(never),
                    None => Examined::Changes(changes),
                }
            }
            Ok((Content { body, .. }, None)) => Examined::Quarantined(Box::new(body), Quarantine::Branch),
            Err(examined) => examined,
        }
    }

    /// Why a document can be nothing of this kind, or not in this space, whoever says so.
    pub(super) fn misplaced(&self, space: SpaceId, document: DocumentId, kind: u16) -> Option<Never> {
        if !DocumentKind::fits(kind, &document) {
            return Some(Never::Kind);
        }
        // There is one of some documents in a space, under an id that everybody knows.
        if let Some(kind) = DocumentKind::from_number(kind).filter(|kind| kind.form().is_some_and(|form| form.one)) {
            return (document != form_of_space(kind, &space)).then_some(Never::Malformed);
        }
        if kind == DocumentKind::Exports.number() {
            return (document != exports_of(&space)).then_some(Never::Malformed);
        }
        if kind != DocumentKind::Preparation.number() {
            return None;
        }
        // What somebody prepares is in a space of that person's devices, once, and nowhere else.
        if self.membership.state().kind != Some(SpaceKind::Personal) {
            return Some(Never::Private);
        }
        if document == preparation_of(&space) { None } else { Some(Never::Malformed) }
    }

    /// Whether a log's entries are shown: all are, but those of a forked log's other branches.
    pub(crate) fn applies(&self, space: SpaceId, name: &LogName) -> bool {
        name.path.is_empty() || !self.branches.hides(&name.id(space))
    }

    /// What an entry says, if it opens here, and why it is quarantined, if the membership says that it is.
    fn content(&self, name: &LogName, entry: &Entry) -> Result<(Content, Option<Quarantine>), Examined> {
        let header = entry.header();
        let Some(payload) = &entry.payload else { return Err(Examined::Waits(Wait::Payload)) };
        let Some(key) = header.epoch().and_then(|epoch| self.keyring.get(epoch)) else {
            return Err(Examined::Waits(Wait::Key));
        };
        let opened = match open(self.rules, key, header.log, &header.associated_data(), payload) {
            Ok(opened) => opened,
            Err(OpenError::Version) => return Err(Examined::Waits(Wait::Newer)),
            Err(OpenError::Size | OpenError::Cipher | OpenError::Malformed | OpenError::OverLimit) => {
                return Err(Examined::Never(Never::Seal));
            }
        };
        let content = match Content::parse(&opened) {
            Ok(content) => content,
            Err(_) if newer(&opened) => return Err(Examined::Waits(Wait::Newer)),
            Err(_) => return Err(Examined::Never(Never::Malformed)),
        };
        self.latest.fetch_max(content.written_at, Ordering::Relaxed);
        let at = DataAt { name, seq: header.seq, hash: header.hash(), heads: &content.heads };
        match self.membership.judge_data(&at, |end| self.branches.is_before(name, header.seq, end)) {
            DataVerdict::Waits => Err(Examined::Waits(Wait::Heads)),
            DataVerdict::Parked => Err(Examined::Never(Never::NotWriter)),
            DataVerdict::Quarantined => Ok((content, Some(Quarantine::CutOff))),
            DataVerdict::Counts => Ok((content, None)),
        }
    }
}

/// Content of a later version: an array whose first field is a larger number.
fn newer(bytes: &[u8]) -> bool {
    let mut decoder = minicbor::Decoder::new(bytes);
    matches!((decoder.array(), decoder.u8()), (Ok(Some(_)), Ok(version)) if version > CONTENT_VERSION)
}
