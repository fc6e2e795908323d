//! What apps show: plain records, made from the store and never holding a lock or a key.

mod bundles;
pub(crate) mod due;
mod health;
mod out;
mod own;
mod people;
mod syncing;

use std::collections::BTreeMap;

use alliance_model::DocumentKind;
use alliance_wire::membership::Role;
use alliance_wire::{DeviceKey, DocumentId, SpaceId};
use serde::Serialize;

pub use alliance_document::View;
pub use bundles::{
    BundleInspection, BundleProgress, BundleReader, BundleReport, BundleWritten, CarriedBundle, ParcelView,
};
pub use due::{
    DueGoal, DueReview, InboxSpace, OpenAction, PlannedReview, PlannedSession, PossibleDuplicate, TodaySpace,
};
pub use health::{Health, Salvage};
pub use out::OutView;
pub use own::{OwnDevice, OwnWords};
pub use people::{MemberView, ReaderView};
pub use syncing::{LinkState, LinkView, Progress, SyncReport, Transport};

/// The person and device of this store.
#[derive(Debug, Clone, Serialize)]
pub struct Whoami {
    /// Display name.
    pub name: String,
    /// This device's key.
    #[serde(serialize_with = "text")]
    pub device: DeviceKey,
    /// This database's incarnation, in hexadecimal.
    pub incarnation: String,
    /// When the profile was made, seconds since 1970 by this device's clock.
    pub created: u64,
    /// Where the store lies.
    pub store: String,
}

/// A relay that this store knows.
#[derive(Debug, Clone, Serialize)]
pub struct RelayView {
    /// The relay's pinned key.
    #[serde(serialize_with = "text")]
    pub key: DeviceKey,
    /// `host:port`.
    pub address: String,
    /// An operator's token lies here.
    pub has_token: bool,
    /// Last contact, seconds since 1970 by this device's clock.
    pub last_contact: Option<u64>,
    /// What carried the last contact.
    pub transport: Option<Transport>,
}

/// What became of a relay that another takes the place of.
#[derive(Debug, Clone, Serialize)]
pub struct Replaced {
    /// The new relay.
    pub relay: RelayView,
    /// Spaces that name it from now on.
    #[serde(serialize_with = "texts")]
    pub spaces: Vec<SpaceId>,
    /// Spaces that the old one still carries, because naming another is their steward's.
    #[serde(serialize_with = "texts")]
    pub waiting: Vec<SpaceId>,
}

/// What kind of space to found (PROTOCOL section 4, kinds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewSpace {
    /// Two persons, nobody expels anybody: an alliance.
    Pair,
    /// Up to so many persons, nobody expels anybody: a peer group.
    Peers(u16),
    /// Belongs to its steward: a facilitated group, an organisation.
    Group,
    /// One person's own devices.
    Personal,
}

/// Where this store stands in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Asked to join; no key yet.
    Asked,
    /// A member.
    Member,
    /// Ended, or no member any more.
    Closed,
    /// This device was suspended: the space is locked until the person's words restore it. Nothing was destroyed.
    Suspended,
    /// This device is lost, or its person was removed: the space's keys and what they opened were dropped here.
    PutOut,
}

/// A space.
#[derive(Debug, Clone, Serialize)]
pub struct SpaceView {
    /// Its id.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// The name that this person gave it.
    pub title: String,
    /// `pair`, `peers`, `group` or `personal`.
    pub kind: &'static str,
    /// Where this store stands.
    pub standing: Standing,
    /// The members by name, oneself first.
    pub members: Vec<MemberView>,
    /// The relay that carries it.
    pub relay: Option<String>,
    /// Something keeps drafts from being sealed, such as a missing key.
    pub waiting_for_keys: bool,
    /// Of a space that this device was put out of: somebody has confirmed to have everything that it had not sent.
    pub handed_over: Option<bool>,
}

/// An entry that is kept and shown once somebody admits it.
#[derive(Debug, Clone, Serialize)]
pub struct OfferedView {
    /// First digits of its hash: the same on every replica.
    pub id: String,
    /// Who wrote it.
    pub by: String,
    /// On which device.
    #[serde(serialize_with = "text")]
    pub device: DeviceKey,
    /// What it belongs to, where that can be told.
    #[serde(serialize_with = "maybe_text")]
    pub document: Option<DocumentId>,
    /// When, by its author's clock, in seconds since 1970; absent where it does not open here.
    pub written_at: Option<u64>,
}

/// How to invite.
#[derive(Debug, Clone, Copy)]
pub struct InviteOptions {
    /// The role offered.
    pub role: Role,
    /// Days until this device refuses it.
    pub days: u32,
}

/// Where an invitation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum InviteState {
    /// Nobody has answered.
    Open,
    /// Somebody has: compare these words, then confirm.
    Answered {
        /// The newcomer's name, as it gave it.
        name: String,
        /// Four words.
        words: Vec<String>,
    },
    /// The newcomer was added.
    Confirmed,
    /// The words differed, or it expired: its key is spent.
    Spent,
}

/// An invitation that was given.
#[derive(Clone, Serialize)]
pub struct InviteView {
    /// Its number in this store: first digits of its one-time key.
    pub id: String,
    /// The space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// The space's title.
    pub title: String,
    /// The text to give to the newcomer.
    pub text: String,
    /// Seconds since 1970 after which it is refused.
    pub expires: u64,
    /// Where it stands.
    pub state: InviteState,
    /// What to hand to the newcomer, where no relay carries it: text that shows it the words.
    pub reveal: Option<String>,
    /// First digits of the entry that opened it: those with the same were made together, for several persons.
    pub entry: String,
    /// How many were made together: each serves one person.
    pub uses: u16,
    /// How many of those nobody has answered, and are in their time.
    pub open: u16,
}

impl core::fmt::Debug for InviteView {
    /// Whoever reads the text can ask to be let in.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut shown = f.debug_struct("InviteView");
        shown.field("id", &self.id).field("space", &self.space).field("state", &self.state);
        shown.finish_non_exhaustive()
    }
}

/// Where a request to join stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum JoinState {
    /// The inviter has not answered.
    Asked,
    /// Compare these words with the inviter, who then confirms.
    Words {
        /// Four words.
        words: Vec<String>,
    },
    /// The inviter's nonce is not the one that it committed to: somebody stands between. Nothing was shared.
    Mismatch,
    /// The inviter has added this device.
    Joined,
}

/// A request to join.
#[derive(Debug, Clone, Serialize)]
pub struct JoinView {
    /// Its number in this store: first digits of the one-time key.
    pub id: String,
    /// The space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// The name that this person gave it.
    pub title: String,
    /// What to hand to the inviter, where no relay carries it.
    pub accept: String,
    /// Where it stands.
    pub state: JoinState,
}

/// A document in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentRow {
    /// Its id.
    #[serde(serialize_with = "text")]
    pub document: DocumentId,
    /// Its space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// What it is.
    pub kind: DocumentKind,
    /// Title, or what stands for it.
    pub title: String,
    /// Civil date as YYYY-MM-DD, or empty.
    pub date: String,
    /// The beginning of its text.
    pub snippet: String,
    /// Somebody else's changes were not looked at yet.
    pub unread: bool,
    /// Both edited it while apart, and the person has not looked at it yet.
    pub changed_by_both: bool,
    /// Fields have more than one value.
    pub needs_choice: bool,
    /// Entries of it are kept and not shown.
    pub parked: bool,
    /// There is an unsealed draft.
    pub draft: bool,
    /// A search finds what it shows; else it is about to be brought in.
    pub searched: bool,
}

/// A document, opened.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentView {
    /// Its id.
    #[serde(serialize_with = "text")]
    pub document: DocumentId,
    /// Its space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// Number of this view: commands carry it.
    pub revision: u64,
    /// There is an unsealed draft.
    pub draft: bool,
    /// Who can read it, by name.
    pub readers: Vec<ReaderView>,
    /// Names of the people whom the view names by their tags in this space.
    pub people: BTreeMap<String, String>,
    /// Where what this device wrote has arrived.
    pub delivery: Delivery,
    /// Entries that are kept and not shown, by code.
    pub parked: Vec<ParkedView>,
    /// The document.
    pub view: View,
    /// Where it is shown as one with others, because a session was written down twice: all of them together. What a
    /// command of this document changes is `view`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged: Option<View>,
    /// The documents that `merged` shows, in order; the first stands for all in lists.
    #[serde(serialize_with = "texts")]
    pub parts: Vec<DocumentId>,
}

/// An entry that is kept and not shown.
#[derive(Debug, Clone, Serialize)]
pub struct ParkedView {
    /// Stable code.
    pub code: String,
    /// Who wrote it.
    pub by: String,
    /// How many entries.
    pub entries: u64,
}

/// Where a space's or document's own entries have arrived, by acknowledgements and signed receipts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Drafts that are on this device only, not sealed yet.
    pub drafts: u64,
    /// Own entries that are on this device only, as far as it knows.
    pub unsent: u64,
    /// A relay has everything.
    pub on_relay: bool,
    /// Other active devices whose signed receipts show that they have everything.
    pub on_devices: u64,
    /// Other active devices.
    pub of_devices: u64,
}

/// A space's honest state.
#[derive(Debug, Clone, Serialize)]
pub struct SpaceStatus {
    /// The space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// Its title.
    pub title: String,
    /// Where what this device wrote has arrived.
    pub delivery: Delivery,
    /// Entries that are kept and not shown.
    pub parked: u64,
    /// Forked logs, by device: somebody's database was copied.
    pub forks: u64,
    /// Something keeps drafts from being sealed.
    pub waiting_for_keys: bool,
}

/// The store's honest state.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Who this is.
    pub whoami: Whoami,
    /// Every space.
    pub spaces: Vec<SpaceStatus>,
    /// Every relay.
    pub relays: Vec<RelayView>,
    /// Invitations that wait for somebody.
    pub invites: Vec<InviteView>,
    /// Requests to join that wait.
    pub joins: Vec<JoinView>,
    /// Stored payloads that were found damaged; they are asked for at the next sync.
    pub damaged: u64,
}

/// Something changed in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This document's view is another.
    Document(SpaceId, DocumentId),
    /// A space's members, title or standing changed.
    Space(SpaceId),
    /// Delivery, invitations or relays changed.
    Status,
    /// A connection began, ended or came further ([`crate::Client::links`]).
    Links,
}

pub(crate) fn text<T: core::fmt::Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
fn maybe_text<T: core::fmt::Display, S: serde::Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn texts<T: core::fmt::Display, S: serde::Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}
