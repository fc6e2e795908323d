//! The preparation log as an Automerge document.
//!
//! Genesis makes, behind id, kind and schema (operations 1 to 3): `entries` (4, items by id). Each entry holds, beside
//! its text and its registers, its feelings (a set: a key is there or not), `log` (its states) and `log.shared` (what
//! was shared of it, in CBOR).

use alliance_model::log::LogEntry;
use alliance_model::preparation::{
    Feeling, PreparationCommand, PreparationEntryView, PreparationField, PreparationFieldView, PreparationMark,
    PreparationView, Share, ShareView, preparation_state_of, share_state_of,
};
use alliance_model::view::note_conflict;
use alliance_model::{ItemId, Splice};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT, ReadDoc as _};

use super::log::{self, StateEntry};
use super::parts::{self, Authors};
use super::read::Whole;
use super::{TextTarget, ViewContext, WriteError, genesis_object};

const ENTRIES: u64 = 4;

const STATES: &str = "log";
const SHARED: &str = "log.shared";

/// What was shared, as it stands in an entry's log in CBOR, and the log entries that it answers.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct ShareEntry {
    #[n(0)]
    share: Share,
    #[n(1)]
    cites: Vec<ItemId>,
}

impl ShareEntry {
    /// Reads what stands in a log; `None` if it is no such entry.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in a log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }
}

pub(crate) fn entries() -> ObjId {
    genesis_object(ENTRIES)
}

pub(crate) fn write_genesis(tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
    tx.put_object(ROOT, "entries", ObjType::Map)?;
    Ok(())
}

pub(crate) fn write(tx: &mut Transaction<'_>, command: &PreparationCommand, session: &str) -> Result<(), WriteError> {
    use PreparationCommand as C;
    let map = entries();
    match command {
        C::AddEntry { id, after } => {
            let object = parts::create_item(tx, &map, *id, *after, session)?;
            for name in [STATES, SHARED] {
                tx.put_object(&object, name, ObjType::Map)?;
            }
            Ok(())
        }
        C::MoveEntry { id, after } => parts::move_item(tx, &map, *id, *after, session),
        C::RemoveEntry { id } => parts::remove_item(tx, &map, *id),
        C::EditEntry { id, splice } => parts::edit_item(tx, &map, *id, splice, session),
        C::SetEntry { id, value } => {
            let object = touched(tx, *id, session)?;
            parts::set(tx, &object, value.field().name(), value.to_text().into())
        }
        C::ClearEntry { id, field } => {
            let object = touched(tx, *id, session)?;
            clear(tx, &object, field.name())
        }
        // Written anew in each editing session, also where it is there: who names it did not see that another device
        // takes it out (DOMAIN 2.3, S).
        C::AddFeeling { id, feeling } => {
            let object = touched(tx, *id, session)?;
            Ok(tx.put(object, key_of(*feeling), session)?)
        }
        C::RemoveFeeling { id, feeling } => {
            let object = touched(tx, *id, session)?;
            clear(tx, &object, &key_of(*feeling))
        }
        C::Mark { id, op, mark, cites } => {
            let log = part(tx, *id, STATES, session)?;
            parts::append(tx, &log, *op, StateEntry::new(*mark, cites.clone()).encode())
        }
        C::Share { id, op, share, cites } => {
            let log = part(tx, *id, SHARED, session)?;
            parts::append(tx, &log, *op, ShareEntry { share: share.clone(), cites: cites.clone() }.encode())
        }
    }
}

fn clear(tx: &mut Transaction<'_>, object: &ObjId, key: &str) -> Result<(), WriteError> {
    if tx.get(object, key)?.is_some() {
        tx.delete(object, key)?;
    }
    Ok(())
}

/// Where a feeling stands in its entry.
fn key_of(feeling: Feeling) -> String {
    format!("feeling.{feeling}")
}

fn touched(tx: &mut Transaction<'_>, id: ItemId, session: &str) -> Result<ObjId, WriteError> {
    let object = parts::item(tx, &entries(), id).ok_or(WriteError::Missing)?;
    parts::touch_item(tx, &object, session)?;
    Ok(object)
}

/// A map of an entry, which is kept alive.
fn part(tx: &mut Transaction<'_>, id: ItemId, name: &str, session: &str) -> Result<ObjId, WriteError> {
    let object = touched(tx, id, session)?;
    parts::child(tx, &object, name, ObjType::Map).ok_or(WriteError::Missing)
}

pub(crate) const fn text_edit(command: &PreparationCommand) -> Option<(TextTarget, &Splice)> {
    use PreparationCommand as C;
    match command {
        C::EditEntry { id, splice } => Some((TextTarget::Prepared(*id), splice)),
        C::AddEntry { .. }
        | C::MoveEntry { .. }
        | C::RemoveEntry { .. }
        | C::SetEntry { .. }
        | C::ClearEntry { .. }
        | C::AddFeeling { .. }
        | C::RemoveFeeling { .. }
        | C::Mark { .. }
        | C::Share { .. } => None,
    }
}

pub(crate) fn view(document: &impl Whole, id: String, context: ViewContext<'_>) -> PreparationView {
    let mut authors = Authors::new(context.author);
    let mut view = PreparationView { document: id, ..PreparationView::default() };
    for item in parts::items(document, &entries()).into_iter().filter(|item| item.alive) {
        let shown = entry(document, &item, &mut authors);
        for field in &shown.fields {
            note_conflict(&mut view.conflicts, format!("entries.{}.{}", item.id, field.field), &field.values);
        }
        view.entries.push(shown);
    }
    view.authors = authors.into_list();
    view
}

fn entry(document: &impl Whole, item: &parts::Item<'_>, authors: &mut Authors<'_>) -> PreparationEntryView {
    let text = item.entries.child("text", ObjType::Text);
    let text = text.map(|text| parts::text(document, &text, authors)).unwrap_or_default();
    let fields = PreparationField::ALL.iter().filter_map(|field| {
        let values = parts::claims(item.entries.at(field.name()), authors);
        (!values.is_empty()).then_some(PreparationFieldView { field: *field, values })
    });
    let fields = fields.collect();
    let there = |feeling: &&Feeling| !item.entries.at(&key_of(**feeling)).is_empty();
    let feelings = Feeling::ALL.iter().filter(there).copied().collect();
    let log = item.entries.child(STATES, ObjType::Map);
    let log = log.map(|log| log::shown::<PreparationMark>(document, &log, authors)).unwrap_or_default();
    let shares = item.entries.child(SHARED, ObjType::Map);
    let shares = shares.map(|shares| shares_of(document, &shares, &log, authors)).unwrap_or_default();
    let state = preparation_state_of(&shares, &log);
    PreparationEntryView { id: item.id, text, fields, feelings, state, shares, log }
}

/// What was shared, without what stands there and is no share.
fn shares_of(
    document: &impl Whole,
    object: &ObjId,
    log: &[LogEntry<PreparationMark>],
    authors: &mut Authors<'_>,
) -> Vec<ShareView> {
    let entries = parts::log_entries(document, object).into_iter();
    let shown = entries.filter_map(|(operation, op, bytes)| {
        let ShareEntry { share, cites } = ShareEntry::parse(&bytes)?;
        Some(ShareView {
            op,
            space: share.space.to_string(),
            session: share.session.to_string(),
            item: share.item,
            hash: share.hash.to_string(),
            date: share.date.filter(|date| date.is_valid()),
            cites,
            by: authors.of(&operation),
            state: alliance_model::preparation::PreparationState::Shared,
        })
    });
    let mut shares: Vec<ShareView> = shown.collect();
    let states: Vec<_> = shares.iter().map(|share| share_state_of(share.op, &shares, log)).collect();
    shares.iter_mut().zip(states).for_each(|(share, state)| share.state = state);
    shares
}
