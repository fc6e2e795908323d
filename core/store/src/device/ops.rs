//! The changes that rows of a device can undergo.

use alliance_wire::{DeviceKey, DocumentId, DraftId, SpaceId};
use rusqlite::Connection;

use super::documents::Document;
use super::drafts::Draft;
use super::entries::{EntryRef, EntryState};
use super::lists::Listing;
use super::people::{Contact, EpochKeyRow, LocalSpace, Pending, RelayRow};
use super::profile::{self, Profile};
use super::search::Searchable;
use super::{documents, drafts, dropping, entries, lists, people, search};
use crate::error::StoreError;

/// One change of a device's rows.
#[derive(Debug, Clone)]
pub enum DeviceOp {
    /// Writes the profile.
    PutProfile(Profile),
    /// Writes a setting, or removes it.
    PutSetting {
        /// Its name.
        name: &'static str,
        /// Its encoded value; absent to remove it.
        value: Option<Vec<u8>>,
    },
    /// Writes what this device knows of a space beside its log.
    PutSpace(LocalSpace),
    /// Keeps an epoch's key.
    PutEpochKey(EpochKeyRow),
    /// Destroys all keys of a space.
    ForgetEpochKeys(SpaceId),
    /// Writes a document's saved bytes and what belongs to them.
    PutDocument(Document),
    /// Drops a document's saved bytes and its row in lists; what its entries are stays.
    DropDocument(SpaceId, DocumentId),
    /// Drops everything of a space that its keys opened: documents with their rows and words, drafts, what became of
    /// entries, and payloads of data, but for those of `own` behind an arrival number. Entries' headers and membership stay.
    DropContent {
        /// The space.
        space: SpaceId,
        /// This device.
        own: DeviceKey,
        /// Up to which arrival number somebody else has what this device wrote.
        acked: u64,
    },
    /// Writes a document's row in lists. The document was put before.
    PutListing(Listing),
    /// Takes marks from a document's row in lists and changes nothing else of it.
    ClearMarkers {
        /// The space.
        space: SpaceId,
        /// The document.
        document: DocumentId,
        /// The marks that go.
        markers: u32,
    },
    /// Writes a document's words. The document was put before.
    PutSearchable(Searchable),
    /// Says that a document's words could not be made under this version.
    TriedSearchable {
        /// The space.
        space: SpaceId,
        /// The document.
        document: DocumentId,
        /// The caller's way of taking text apart.
        version: u32,
    },
    /// Says that words of other versions are to be made anew.
    MarkOtherWords(u32),
    /// Says what became of an entry. The entry is in the log.
    SetEntry {
        /// The entry, under its log's present id.
        entry: EntryRef,
        /// The document that it belongs to, once known.
        document: Option<DocumentId>,
        /// What became of it.
        state: EntryState,
    },
    /// Everything of a space up to this arrival number was taken into documents or has an [`EntryState`].
    SetApplied {
        /// The space.
        space: SpaceId,
        /// The arrival number.
        arrival: u64,
    },
    /// Says that these entries are about to be tried on a document.
    BeginTrying {
        /// The document.
        document: DocumentId,
        /// The entries.
        entries: Vec<EntryRef>,
    },
    /// Says that a trial came to an end.
    EndTrying(SpaceId, DocumentId),
    /// Begins a draft, or writes its head anew.
    PutDraft(Draft),
    /// Adds a command to a draft. Its number must be free.
    AppendCommand {
        /// The draft.
        draft: DraftId,
        /// The command's number, from 1.
        n: u64,
        /// The command, in the draft's command format.
        bytes: Vec<u8>,
    },
    /// Drops the commands of a draft up to a number: they are covered by an entry.
    DropCommands {
        /// The draft.
        draft: DraftId,
        /// The last number that goes.
        upto: u64,
    },
    /// Drops a draft with all its commands.
    DropDraft(DraftId),
    /// Keeps an invitation or a join until it is settled.
    PutPending(Pending),
    /// Drops a settled invitation or join.
    DropPending {
        /// Which kind.
        kind: u8,
        /// Its id.
        id: Vec<u8>,
    },
    /// Keeps a relay.
    PutRelay(RelayRow),
    /// Forgets a relay.
    DropRelay(DeviceKey),
    /// Keeps when a peer was met.
    PutContact(Contact),
}

/// Performs changes in order.
pub(super) fn apply(connection: &Connection, ops: &[DeviceOp]) -> Result<(), StoreError> {
    ops.iter().try_for_each(|op| apply_one(connection, op))
}

fn apply_one(connection: &Connection, op: &DeviceOp) -> Result<(), StoreError> {
    match op {
        DeviceOp::PutProfile(profile) => profile::put_profile(connection, profile),
        DeviceOp::PutSetting { name, value } => people::put_setting(connection, name, value.as_deref()),
        DeviceOp::PutSpace(space) => people::put_space(connection, space),
        DeviceOp::PutEpochKey(key) => people::put_epoch_key(connection, key),
        DeviceOp::ForgetEpochKeys(space) => people::forget_epoch_keys(connection, *space),
        DeviceOp::PutDocument(document) => documents::put(connection, document),
        DeviceOp::DropDocument(space, document) => documents::drop_document(connection, *space, *document),
        DeviceOp::DropContent { space, own, acked } => dropping::drop_content(connection, *space, *own, *acked),
        DeviceOp::PutListing(listing) => lists::put(connection, listing),
        DeviceOp::ClearMarkers { space, document, markers } => {
            lists::clear_markers(connection, *space, *document, *markers)
        }
        DeviceOp::PutSearchable(row) => search::put(connection, row),
        DeviceOp::TriedSearchable { space, document, version } => {
            search::tried(connection, *space, *document, *version)
        }
        DeviceOp::MarkOtherWords(version) => search::mark_other_words(connection, *version),
        DeviceOp::SetEntry { entry, document, state } => entries::set_entry(connection, entry, *document, *state),
        DeviceOp::SetApplied { space, arrival } => entries::set_applied(connection, *space, *arrival),
        DeviceOp::BeginTrying { document, entries } => entries::begin_trying(connection, *document, entries),
        DeviceOp::EndTrying(space, document) => entries::end_trying(connection, *space, *document),
        DeviceOp::PutDraft(draft) => drafts::put(connection, draft),
        DeviceOp::AppendCommand { draft, n, bytes } => drafts::append_command(connection, *draft, *n, bytes),
        DeviceOp::DropCommands { draft, upto } => drafts::drop_commands(connection, *draft, *upto),
        DeviceOp::DropDraft(draft) => drafts::drop_draft(connection, *draft),
        DeviceOp::PutPending(pending) => people::put_pending(connection, pending),
        DeviceOp::DropPending { kind, id } => people::drop_pending(connection, *kind, id),
        DeviceOp::PutRelay(relay) => people::put_relay(connection, relay),
        DeviceOp::DropRelay(relay) => people::drop_relay(connection, *relay),
        DeviceOp::PutContact(contact) => people::put_contact(connection, contact),
    }
}

/// Rows and bytes that changes will write, for the writer's groups.
pub(super) fn weight(ops: &[DeviceOp]) -> (usize, usize) {
    let bytes = |op: &DeviceOp| match op {
        DeviceOp::PutDocument(document) => document.saved.len(),
        DeviceOp::AppendCommand { bytes, .. } => bytes.len(),
        DeviceOp::PutListing(listing) => listing.title.len() + listing.snippet.len(),
        DeviceOp::PutSearchable(row) => row.title.len() + 2 * row.body.len() + row.parts.len(),
        DeviceOp::PutPending(pending) => pending.value.len(),
        DeviceOp::PutSetting { value, .. } => value.as_ref().map_or(0, Vec::len),
        DeviceOp::PutProfile(_)
        | DeviceOp::PutSpace(_)
        | DeviceOp::PutEpochKey(_)
        | DeviceOp::ForgetEpochKeys(_)
        | DeviceOp::DropDocument(..)
        | DeviceOp::DropContent { .. }
        | DeviceOp::ClearMarkers { .. }
        | DeviceOp::TriedSearchable { .. }
        | DeviceOp::MarkOtherWords(_)
        | DeviceOp::SetEntry { .. }
        | DeviceOp::SetApplied { .. }
        | DeviceOp::BeginTrying { .. }
        | DeviceOp::EndTrying(..)
        | DeviceOp::PutDraft(_)
        | DeviceOp::DropCommands { .. }
        | DeviceOp::DropDraft(_)
        | DeviceOp::DropPending { .. }
        | DeviceOp::PutRelay(_)
        | DeviceOp::DropRelay(_)
        | DeviceOp::PutContact(_) => 0,
    };
    (ops.len(), ops.iter().map(bytes).sum())
}
