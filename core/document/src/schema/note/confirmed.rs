//! What was confirmed of a note, and the locked text that is shown for it.

use std::collections::BTreeMap;

use alliance_model::note::{ActionView, ApartView, Confirmation, FrozenView, NoteText, RENDERING_FORM, Rendering};
use alliance_model::view::{Difference, PieceKind};
use alliance_model::{Cosignature, CosignatureView, NoteView, TextView};
use automerge::{ChangeHash, ObjId};

use super::{CONFIRMATIONS, words};
use crate::schema::differences::between_notes;
use crate::schema::frozen::{named, states, writers};
use crate::schema::parts::{self, Authors};
use crate::schema::read::{At, Whole, WordsAt};
use crate::schema::{ViewContext, genesis_object};

/// Takes up what was confirmed. Where one text is locked, the view shows it, and beside it what was written apart.
pub(super) fn settle(
    document: &impl Whole,
    view: &mut NoteView,
    authors: &mut Authors<'_>,
    (context, verifies): (ViewContext<'_>, &dyn Fn(&Cosignature) -> bool),
) {
    view.text = view.text_now().hash().to_string();
    let confirmed = confirmed(document, &view.document, (context, verifies));
    view.settle(confirmed);
    if let Some(lock) = view.lock().filter(|lock| lock.text != view.text) {
        let (text, heads) = (lock.text.clone(), states(&lock.heads));
        show_locked(document, view, authors, &heads);
        view.text = text;
    }
    // What is shown, or can be read again from the document, is not said twice.
    let several = view.locks().count() > 1 && view.lock().is_none();
    let shown = view.text.clone();
    for it in &mut view.confirmed {
        it.words = it.words.take().filter(|_| several || it.text != shown);
    }
}

/// The texts that somebody confirmed, in order. What does not say what it names, leaves out somebody who wrote, or does
/// not verify says nothing; every replica that has the entries comes to the same answer.
fn confirmed(
    document: &impl Whole,
    id: &str,
    (context, verifies): (ViewContext<'_>, &dyn Fn(&Cosignature) -> bool),
) -> Vec<FrozenView> {
    let mut found: Vec<FrozenView> = Vec::new();
    let mut texts: BTreeMap<Vec<u8>, NoteText> = BTreeMap::new();
    for (operation, op, bytes) in parts::log_in_order(document, &genesis_object(CONFIRMATIONS)) {
        let Some(Confirmation { rendering, signature }) = Confirmation::parse(&bytes) else { continue };
        if signature.frozen != rendering.frozen || !verifies(&signature) {
            continue;
        }
        let name = rendering.frozen.to_string();
        let at = match found.iter().position(|it| it.name == name) {
            Some(at) => at,
            None => {
                let Some(heads) = stands(document, &rendering, &operation, context) else { continue };
                let text = texts.entry(rendering.heads.clone()).or_insert_with(|| text_at(document, &heads));
                if rendering.hash_of(id, text) != rendering.frozen {
                    continue;
                }
                found.push(text.frozen(op, &rendering));
                found.len() - 1
            }
        };
        let (of, view) = (&mut found[at], CosignatureView::from(&signature));
        if of.present.iter().any(|party| party.person == view.person) && !of.confirmations.contains(&view) {
            of.confirmations.push(view);
        }
    }
    found.retain(|it| !it.confirmations.is_empty());
    for it in &mut found {
        it.confirmations
            .sort_by(|one, other| (one.on, &one.person, &one.device).cmp(&(other.on, &other.person, &other.device)));
    }
    found
}

/// The state that a confirmation names, if it may be confirmed so: everybody who wrote in the note until then, and is
/// still here, is among those who confirm. Nobody locks another's words without them.
fn stands(
    document: &impl Whole,
    rendering: &Rendering,
    operation: &ObjId,
    context: ViewContext<'_>,
) -> Option<Vec<ChangeHash>> {
    if rendering.form != RENDERING_FORM {
        return None;
    }
    let heads = named(document, &rendering.heads, operation)?;
    let present: Vec<String> = rendering.present.iter().map(|party| (context.name)(party.person)).collect();
    let wrote = writers(document, &heads).into_iter().map(|actor| (context.author)(&actor));
    let mut missing = wrote.filter(|name| context.protectors.contains(name) && !present.contains(name));
    missing.next().is_none().then_some(heads)
}

fn text_at(document: &impl Whole, heads: &[ChangeHash]) -> NoteText {
    let then = WordsAt(At { document: document.automerge(), heads });
    NoteText::of(&words(&then, String::new(), &mut Authors::new(&|_| String::new())))
}

/// Puts the locked text in the place of what the note says now, and says what differs. What became of actions goes on.
fn show_locked(document: &impl Whole, view: &mut NoteView, authors: &mut Authors<'_>, heads: &[ChangeHash]) {
    let locked = words(&At { document: document.automerge(), heads }, view.document.clone(), authors);
    let now = document.heads();
    let differences = between_notes(document.automerge(), (&locked, heads), (&*view, &now));
    let apart = differences.into_iter().map(|difference| {
        let by = text_of(view, &difference.place).map(|text| who_added(&difference, text)).unwrap_or_default();
        ApartView { note: view.document.clone(), difference, by }
    });
    // What its author has added since is said once.
    let added = |it: &ApartView| {
        let text = it.difference.added_text();
        view.addenda.iter().any(|addendum| it.by == [addendum.by] && addendum.text == text)
    };
    let apart = apart.filter(|it| !added(it)).collect();
    let actions = std::mem::take(&mut view.actions);
    let went_on = |action: ActionView| {
        let now = actions.iter().find(|it| it.id == action.id);
        let (state, log) = now.map_or((action.state, action.log), |now| (now.state, now.log.clone()));
        ActionView { state, log, ..action }
    };
    *view = NoteView {
        title: locked.title,
        date: locked.date,
        kind: locked.kind,
        sections: locked.sections,
        functions: locked.functions,
        actions: locked.actions.into_iter().map(went_on).collect(),
        conflicts: locked.conflicts,
        apart,
        ..std::mem::take(view)
    };
}

/// The text at a place of a view.
fn text_of<'a>(view: &'a NoteView, place: &str) -> Option<&'a TextView> {
    let (list, name) = place.split_once('.')?;
    match list {
        "sections" => view.sections.iter().find(|it| it.stage.name() == name).map(|it| &it.text),
        "actions" => view.actions.iter().find(|it| it.id.to_string() == name).map(|it| &it.text),
        _ => None,
    }
}

/// Who wrote the pieces of a text that came, from the author spans of the text as it is now.
fn who_added(difference: &Difference, text: &TextView) -> Vec<usize> {
    let mut by = Vec::new();
    let mut at = 0;
    for piece in &difference.pieces {
        if piece.kind == PieceKind::Removed {
            continue;
        }
        let end = at + piece.text.chars().count();
        if piece.kind == PieceKind::Added {
            let within = text.spans.iter().filter(|span| span.start < end && at < span.start + span.len);
            by.extend(within.map(|span| span.author));
        }
        at = end;
    }
    by.sort_unstable();
    by.dedup();
    by
}
