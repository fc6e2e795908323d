//! The decision as an Automerge document.
//!
//! Genesis makes, behind id, kind and schema (operations 1 to 3): `parts` (4, items by id, each of the person whose the
//! decision is, which the gate sees to), `log.checks` (5, what others said from the side of ethics) and `log.seals` (6,
//! what was sealed). The item of the question also says whose it is, in which session it was talked about, and whether
//! it is an ethical one.

use alliance_model::decision::{
    CheckView, DECISION_FORM, DecisionCommand, DecisionField, DecisionList, DecisionText, DecisionView, EthicsCheck,
    PartView, SealView, Sealed, Sealing, trail,
};
use alliance_model::kind::is_decision_of;
use alliance_model::{Cosignature, CosignatureView, ItemId, Splice};
use alliance_wire::{DocumentId, PersonTag};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT};

use super::differences::between_decisions;
use super::frozen::{named, states};
use super::parts::{self, Authors};
use super::read::{At, Read, Whole};
use super::{TextTarget, ViewContext, WriteError, genesis_object};

pub(crate) const PARTS_OPERATION: u32 = 4;
const PARTS: u64 = PARTS_OPERATION as u64;
const CHECKS: u64 = 5;
const SEALS: u64 = 6;

/// Registers of the question's item.
const MAKER: &str = "maker";
const SESSION: &str = "session";
const ETHICAL: &str = "ethical";
/// The register that says what something listed is.
const LIST: &str = "list";
const YES: &str = "yes";
const NO: &str = "no";

pub(crate) fn parts() -> ObjId {
    genesis_object(PARTS)
}

/// Whether somebody has sealed something: until then nothing is sealed, and nobody has to look.
pub(crate) fn is_sealed_by_some(document: &impl Read) -> bool {
    document.length_of(&genesis_object(SEALS)) > 0
}

pub(crate) fn write_genesis(tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
    for name in ["parts", "log.checks", "log.seals"] {
        tx.put_object(ROOT, name, ObjType::Map)?;
    }
    Ok(())
}

pub(crate) fn write(tx: &mut Transaction<'_>, command: &DecisionCommand, session: &str) -> Result<(), WriteError> {
    let map = parts();
    match command {
        DecisionCommand::Begin { person, session: talked } => {
            for field in DecisionField::ALL {
                parts::create_item(tx, &map, field.id(), None, session)?;
            }
            let question = question(tx)?;
            parts::set(tx, &question, MAKER, person.to_string().into())?;
            talked.map_or(Ok(()), |talked| parts::set(tx, &question, SESSION, talked.to_string().into()))
        }
        DecisionCommand::Edit { id, splice } => parts::edit_item(tx, &map, *id, splice, session),
        DecisionCommand::Add { id, list, after } => {
            let object = parts::create_item(tx, &map, *id, *after, session)?;
            parts::set(tx, &object, LIST, list.name().into())
        }
        DecisionCommand::Remove { id } => parts::remove_item(tx, &map, *id),
        DecisionCommand::SetEthical { ethical } => {
            let question = question(tx)?;
            parts::set(tx, &question, ETHICAL, if *ethical { YES } else { NO }.into())
        }
        DecisionCommand::Check { op, check } => parts::append(tx, &genesis_object(CHECKS), *op, check.encode()),
        DecisionCommand::Seal { op, sealed, .. } => parts::append(tx, &genesis_object(SEALS), *op, sealed.encode()),
    }
}

fn question(tx: &Transaction<'_>) -> Result<ObjId, WriteError> {
    parts::item(tx, &parts(), DecisionField::Question.id()).ok_or(WriteError::Missing)
}

pub(crate) const fn text_edit(command: &DecisionCommand) -> Option<(TextTarget, &Splice)> {
    match command {
        DecisionCommand::Edit { id, splice } => Some((TextTarget::Decided(*id), splice)),
        DecisionCommand::Begin { .. }
        | DecisionCommand::Add { .. }
        | DecisionCommand::Remove { .. }
        | DecisionCommand::SetEthical { .. }
        | DecisionCommand::Check { .. }
        | DecisionCommand::Seal { .. } => None,
    }
}

pub(crate) fn view(document: &impl Whole, id: String, context: ViewContext<'_>) -> DecisionView {
    let mut authors = Authors::new(context.author);
    let mut view = words(document, id, &mut authors, context);
    view.text = DecisionText::of(&view).hash().to_string();
    if let Some(verifies) = context.verifies {
        let seals = seals(document, &view.document, (context, verifies));
        view.settle(seals);
        if let Some(seal) = view.sealed().filter(|seal| seal.text != view.text) {
            let (text, heads) = (seal.text.clone(), states(&seal.heads));
            let sealed = words(
                &At { document: document.automerge(), heads: &heads },
                view.document.clone(),
                &mut authors,
                context,
            );
            let now = document.heads();
            let apart = between_decisions(document.automerge(), (&sealed, &heads), (&view, &now));
            view = DecisionView { text, apart, seals: view.seals, state: view.state, ..sealed };
        }
    }
    view.authors = authors.into_list();
    view
}

/// What a state of the document says by itself, whatever was sealed.
fn words(document: &impl Read, id: String, authors: &mut Authors<'_>, context: ViewContext<'_>) -> DecisionView {
    let mut view = DecisionView { document: id, ..DecisionView::default() };
    for item in parts::items(document, &parts()) {
        let text = item.entries.child("text", ObjType::Text);
        let field = DecisionField::of(item.id);
        if field == Some(DecisionField::Question) {
            let mut first = |key: &str| Some(parts::claims(item.entries.at(key), authors).first()?.value.clone());
            // What stands there is the maker's, and may be anything: whose it is says the id.
            let whose = view.document.parse::<DocumentId>();
            let is_whose = |person: &PersonTag| whose.as_ref().is_ok_and(|id| is_decision_of(id, person));
            view.maker = first(MAKER).and_then(|tag| tag.parse().ok()).filter(is_whose).map(|tag| tag.to_string());
            view.session = first(SESSION).and_then(|id| Some(id.parse::<DocumentId>().ok()?.to_string()));
            view.ethical = first(ETHICAL).is_some_and(|said| said == YES);
            view.made_by = text.as_ref().map(|text| authors.of(text));
        }
        let text = text.map(|text| parts::text(document, &text, authors)).unwrap_or_default();
        match field {
            Some(field) => *view.field_mut(field) = text,
            None if item.alive => {
                let list = parts::claims(item.entries.at(LIST), authors);
                let Some(list) = list.iter().find_map(|claim| DecisionList::from_name(&claim.value)) else { continue };
                view.listed.push(PartView { id: item.id, list, text });
            }
            None => {}
        }
    }
    for (operation, op, bytes) in parts::log_in_order(document, &genesis_object(CHECKS)) {
        let Some(EthicsCheck { person, text }) = EthicsCheck::parse(&bytes) else { continue };
        let by = authors.of(&operation);
        // What somebody says in another's name is not said, and nobody checks what they decided.
        if authors.name_of(by) == (context.name)(person) && view.maker.as_deref() != Some(person.to_string().as_str()) {
            view.checks.push(CheckView { op, by, person: person.to_string(), text });
        }
    }
    view
}

/// The texts that somebody sealed, in order. What does not say what it names, leaves out somebody who checked it, or does
/// not verify says nothing; every replica that has the entries comes to the same answer.
fn seals(
    document: &impl Whole,
    id: &str,
    (context, verifies): (ViewContext<'_>, &dyn Fn(&Cosignature) -> bool),
) -> Vec<SealView> {
    let mut found: Vec<SealView> = Vec::new();
    for (operation, op, bytes) in parts::log_in_order(document, &genesis_object(SEALS)) {
        let Some(Sealed { sealing, signature }) = Sealed::parse(&bytes) else { continue };
        if signature.frozen != sealing.frozen || !verifies(&signature) {
            continue;
        }
        let name = sealing.frozen.to_string();
        let at = match found.iter().position(|it| it.name == name) {
            Some(at) => at,
            None => {
                let Some(seal) = stands(document, id, (&sealing, op, &operation), context) else { continue };
                found.push(seal);
                found.len() - 1
            }
        };
        let (of, view) = (&mut found[at], CosignatureView::from(&signature));
        if of.parties.iter().any(|party| party.person == view.person) && !of.signatures.contains(&view) {
            of.signatures.push(view);
            of.proofs.push(trail::hexadecimal(&signature.signature));
        }
    }
    found.retain(|it| !it.signatures.is_empty());
    found
}

/// What a seal names, if it may be sealed so: it is the text there, and whose it is and whoever checked it are among
/// those who seal.
fn stands(
    document: &impl Whole,
    id: &str,
    (sealing, op, operation): (&Sealing, ItemId, &ObjId),
    context: ViewContext<'_>,
) -> Option<SealView> {
    if sealing.form != DECISION_FORM {
        return None;
    }
    let heads = named(document, &sealing.heads, operation)?;
    let mut authors = Authors::new(context.author);
    let then = words(&At { document: document.automerge(), heads: &heads }, id.to_owned(), &mut authors, context);
    let text = DecisionText::of(&then);
    let is_party = |person: &str| sealing.parties.iter().any(|party| party.person.to_string() == person);
    let is_member =
        |person: &str| person.parse().is_ok_and(|person| context.protectors.contains(&(context.name)(person)));
    let whole = then.needed().all(|person| is_party(person) || !is_member(person));
    let checked = !then.checks.is_empty() && then.maker.as_deref().is_some_and(is_party);
    let fits = whole && checked && sealing.hash_of(id, &text) == sealing.frozen;
    fits.then(|| sealing.view(op, text))
}
