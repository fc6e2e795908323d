//! The working agreement as an Automerge document.
//!
//! Genesis makes, behind id, kind and schema (operations 1 to 3): `clauses` (4, items by id), `terms` (5, registers),
//! one grow-only log per protective term (from 6 on, in the order of the model's table), and behind these the logs of
//! versions and of signatures. A clause has two logs of its own: who understood it, and what was said about it.

mod version;

pub(crate) use version::version_text;

use alliance_model::agreement::{
    AgreementCommand, AgreementView, ClauseSection, ClauseView, Modality, PROTECTIVE, ProtectionEntry,
    ProtectiveEntryView, ProtectiveTerm, ProtectiveValue, ProtectiveView, RemarkView, Term, TermName, TermView,
    UnderstoodView, value_of,
};
use alliance_model::view::note_conflict;
use alliance_model::{FieldConflict, ItemId, Splice};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT, ReadDoc as _};

use super::frozen::is_past;
use super::parts::{self, Authors};
use super::read::{Read, Whole};
use super::{TextTarget, ViewContext, WriteError, genesis_object};

const CLAUSES: u64 = 4;
const TERMS: u64 = 5;
const FIRST_LOG: u64 = 6;
/// Of a clause: who understood which wording.
const UNDERSTOOD: &str = "log.understood";
/// Of a clause: what was said about it.
const THREAD: &str = "log.thread";

const fn versions_log() -> u64 {
    FIRST_LOG + PROTECTIVE.len() as u64
}

const fn signatures_log() -> u64 {
    versions_log() + 1
}

pub(crate) fn clauses() -> ObjId {
    genesis_object(CLAUSES)
}

fn log_of(term: ProtectiveTerm) -> Option<ObjId> {
    (FIRST_LOG..).zip(PROTECTIVE).find(|(_, row)| row.term == term).map(|(n, _)| genesis_object(n))
}

pub(crate) fn write_genesis(tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
    tx.put_object(ROOT, "clauses", ObjType::Map)?;
    tx.put_object(ROOT, "terms", ObjType::Map)?;
    for row in PROTECTIVE {
        tx.put_object(ROOT, format!("log.{}", row.term), ObjType::Map)?;
    }
    tx.put_object(ROOT, "log.versions", ObjType::Map)?;
    tx.put_object(ROOT, "log.signatures", ObjType::Map)?;
    Ok(())
}

/// An entry of a protective term's log, as it stands there in CBOR: the number of its value, and what it lifts.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct ProtectiveEntry {
    #[n(0)]
    number: u8,
    #[n(1)]
    lifts: Vec<ItemId>,
}

impl ProtectiveEntry {
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

pub(crate) fn write(tx: &mut Transaction<'_>, command: &AgreementCommand, session: &str) -> Result<(), WriteError> {
    let map = clauses();
    match command {
        AgreementCommand::AddClause { id, section, modality, after } => {
            let object = parts::create_item(tx, &map, *id, *after, session)?;
            tx.put(&object, "section", section.name())?;
            tx.put(&object, "modality", modality.name())?;
            tx.put_object(&object, UNDERSTOOD, ObjType::Map)?;
            tx.put_object(&object, THREAD, ObjType::Map)?;
            Ok(())
        }
        AgreementCommand::MoveClause { id, after } => parts::move_item(tx, &map, *id, *after, session),
        AgreementCommand::RemoveClause { id } => parts::remove_item(tx, &map, *id),
        AgreementCommand::SetModality { id, modality } => {
            let object = parts::item(tx, &map, *id).ok_or(WriteError::Missing)?;
            parts::touch_item(tx, &object, session)?;
            parts::set(tx, &object, "modality", modality.name().into())
        }
        AgreementCommand::EditClause { id, splice } => parts::edit_item(tx, &map, *id, splice, session),
        AgreementCommand::SetTerm { term } => {
            parts::set(tx, &genesis_object(TERMS), term.name().name(), term.to_text().into())
        }
        AgreementCommand::ClearTerm { name } => {
            let terms = genesis_object(TERMS);
            if tx.get(&terms, name.name())?.is_some() {
                tx.delete(&terms, name.name())?;
            }
            Ok(())
        }
        AgreementCommand::Protect { op, value, lifts } => {
            let log = log_of(value.term).ok_or(WriteError::Missing)?;
            let entry = ProtectiveEntry { number: value.number, lifts: lifts.clone() };
            parts::append(tx, &log, *op, entry.encode())
        }
        AgreementCommand::Understand { id, op, wording } => append(tx, *id, UNDERSTOOD, *op, wording.0.to_vec()),
        AgreementCommand::Remark { id, op, text } => append(tx, *id, THREAD, *op, text.clone().into_bytes()),
        AgreementCommand::Propose { op, proposal } => {
            parts::append(tx, &genesis_object(versions_log()), *op, proposal.encode())
        }
        AgreementCommand::Sign { op, signature, .. } => {
            parts::append(tx, &genesis_object(signatures_log()), *op, signature.encode())
        }
    }
}

/// Writes an entry in one of a clause's logs.
fn append(tx: &mut Transaction<'_>, clause: ItemId, log: &str, op: ItemId, bytes: Vec<u8>) -> Result<(), WriteError> {
    let object = parts::item(tx, &clauses(), clause).ok_or(WriteError::Missing)?;
    let log = parts::child(tx, &object, log, ObjType::Map).ok_or(WriteError::Missing)?;
    parts::append(tx, &log, op, bytes)
}

pub(crate) const fn text_edit(command: &AgreementCommand) -> Option<(TextTarget, &Splice)> {
    match command {
        AgreementCommand::EditClause { id, splice } => Some((TextTarget::Clause(*id), splice)),
        AgreementCommand::AddClause { .. }
        | AgreementCommand::MoveClause { .. }
        | AgreementCommand::RemoveClause { .. }
        | AgreementCommand::SetModality { .. }
        | AgreementCommand::SetTerm { .. }
        | AgreementCommand::ClearTerm { .. }
        | AgreementCommand::Protect { .. }
        | AgreementCommand::Understand { .. }
        | AgreementCommand::Remark { .. }
        | AgreementCommand::Propose { .. }
        | AgreementCommand::Sign { .. } => None,
    }
}

/// See [`super::register`].
pub(crate) fn register(document: &impl Whole, command: &AgreementCommand) -> Option<(ObjId, String)> {
    match command {
        AgreementCommand::SetModality { id, .. } => {
            Some((parts::item(document, &clauses(), *id)?, "modality".to_owned()))
        }
        AgreementCommand::SetTerm { term } => Some((genesis_object(TERMS), term.name().to_string())),
        AgreementCommand::ClearTerm { name } => Some((genesis_object(TERMS), name.to_string())),
        AgreementCommand::AddClause { .. }
        | AgreementCommand::MoveClause { .. }
        | AgreementCommand::RemoveClause { .. }
        | AgreementCommand::EditClause { .. }
        | AgreementCommand::Protect { .. }
        | AgreementCommand::Understand { .. }
        | AgreementCommand::Remark { .. }
        | AgreementCommand::Propose { .. }
        | AgreementCommand::Sign { .. } => None,
    }
}

pub(crate) fn view(document: &impl Whole, id: String, context: ViewContext<'_>) -> AgreementView {
    let mut authors = Authors::new(context.author);
    let mut view = words(document, id, &mut authors);
    for row in PROTECTIVE {
        view.protective.push(protective(document, row.term, &mut authors, context.protectors));
    }
    if let Some(verifies) = context.verifies {
        view.text = view.text_now().hash().to_string();
        let versions = version::versions(document, &view.document, &mut authors, verifies);
        view.settle(versions);
    }
    view.authors = authors.into_list();
    view
}

/// Clauses and terms: what a state of the document says by itself, whoever reads it.
fn words(document: &impl Whole, id: String, authors: &mut Authors<'_>) -> AgreementView {
    let mut view = AgreementView { document: id, ..AgreementView::default() };
    for item in parts::items(document, &clauses()).into_iter().filter(|item| item.alive) {
        view.clauses.push(clause(document, &item, authors, &mut view.conflicts));
    }
    let terms = document.entries_of(&genesis_object(TERMS));
    for name in TermName::ALL {
        let mut values = parts::claims(terms.at(name.name()), authors);
        // The safer value stands first; one that cannot be read stands last.
        values.sort_by_key(|claim| match Term::from_text(*name, &claim.value) {
            Some(term) => (false, term.safety_key()),
            None => (true, (0, claim.value.clone())),
        });
        note_conflict(&mut view.conflicts, format!("terms.{name}"), &values);
        if !values.is_empty() {
            view.terms.push(TermView { name: *name, values });
        }
    }
    view
}

fn clause(
    document: &impl Whole,
    item: &parts::Item<'_>,
    authors: &mut Authors<'_>,
    conflicts: &mut Vec<FieldConflict>,
) -> ClauseView {
    let sections = parts::claims(item.entries.at("section"), authors);
    let modalities = parts::claims(item.entries.at("modality"), authors);
    note_conflict(conflicts, format!("clauses.{}.modality", item.id), &modalities);
    let text = item.entries.child("text", ObjType::Text);
    let mut clause = ClauseView {
        id: item.id,
        section: sections.first().and_then(|claim| ClauseSection::from_name(&claim.value)),
        modality: modalities.iter().filter_map(|claim| Modality::from_name(&claim.value)).min(),
        text: text.map(|text| parts::text(document, &text, authors)).unwrap_or_default(),
        understood: Vec::new(),
        thread: Vec::new(),
    };
    let wording = clause.wording();
    for (operation, op, bytes) in log_of_clause(document, item, UNDERSTOOD) {
        let current = bytes == wording.0;
        clause.understood.push(UnderstoodView { op, by: authors.of(&operation), current });
    }
    for (operation, op, bytes) in log_of_clause(document, item, THREAD) {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        clause.thread.push(RemarkView { op, by: authors.of(&operation), text });
    }
    clause
}

fn log_of_clause(document: &impl Read, item: &parts::Item<'_>, log: &str) -> Vec<(ObjId, ItemId, Vec<u8>)> {
    item.entries.child(log, ObjType::Map).map(|log| parts::log_in_order(document, &log)).unwrap_or_default()
}

fn protective(
    document: &impl Whole,
    term: ProtectiveTerm,
    authors: &mut Authors<'_>,
    protectors: &[String],
) -> ProtectiveView {
    let log = log_of(term).map(|log| parts::log_entries(document, &log)).unwrap_or_default();
    let mut entries = Vec::new();
    let mut shown = Vec::new();
    for (operation, op, bytes) in &log {
        let Some(entry) = ProtectiveEntry::parse(bytes) else { continue };
        let by = authors.of(operation);
        let value = ProtectiveValue { term, number: entry.number };
        // A lift of something that its author had not seen has no effect (DOMAIN 2.3, P).
        let lifts = entry
            .lifts
            .iter()
            .copied()
            .filter(|lift| log.iter().any(|(target, id, _)| id == lift && is_past(document, target, operation)))
            .collect();
        entries.push(ProtectionEntry { op: *op, value, by: authors.name_of(by), lifts });
        shown.push(ProtectiveEntryView {
            op: *op,
            value: value.name().to_owned(),
            by,
            lifts: entry.lifts,
            lifted: false,
        });
    }
    let (value, lifted) = value_of(&entries, protectors);
    for entry in &mut shown {
        entry.lifted = lifted.contains(&entry.op);
    }
    ProtectiveView { term, value: value.map(|value| value.name().to_owned()), entries: shown }
}
