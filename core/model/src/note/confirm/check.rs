//! Whether a confirmation or an addendum fits the note that its author saw.

use alliance_wire::FrozenHash;

use super::{Confirmation, NoteState};
use crate::cosign::{check_parties, check_signature};
use crate::kind::ItemId;
use crate::limits::{ADDENDA_MAX, ALIASES_MAX, CONFIRMED_MAX, HEADS_MAX, INSERT_BYTES_MAX};
use crate::note::NoteView;
use crate::refusal::{Refusal, RefusalCode};

/// Accepts or refuses a confirmation by somebody who was shown the text of hash `seen` (DOMAIN 2.10: confirmed →
/// locked).
pub(in crate::note) fn check_confirm(
    view: &NoteView,
    op: ItemId,
    Confirmation { rendering, signature }: &Confirmation,
    seen: FrozenHash,
) -> Result<(), Refusal> {
    if view.confirmed.iter().any(|it| it.op == op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    if signature.frozen != rendering.frozen {
        return Err(Refusal::new(RefusalCode::StaleView));
    }
    match view.state {
        NoteState::Locked => return Err(Refusal::new(RefusalCode::LockedNote)),
        // One of the two, and nothing else: what is confirmed now settles both.
        NoteState::TwoLocks if rendering.over.is_empty() => return Err(Refusal::new(RefusalCode::TwoLocks)),
        NoteState::TwoLocks | NoteState::Shared | NoteState::ConfirmedBySome => {}
    }
    let name = rendering.frozen.to_string();
    if let Some(known) = view.confirmed.iter().find(|it| it.name == name) {
        return check_signature((&known.present, &known.confirmations), (&known.text, seen), signature);
    }
    if view.confirmed.len() >= CONFIRMED_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", CONFIRMED_MAX));
    }
    if let (Some(conflict), NoteState::Shared | NoteState::ConfirmedBySome) = (view.conflicts.first(), view.state) {
        return Err(Refusal::new(RefusalCode::NeedsChoice).with("field", &conflict.field));
    }
    check_parties(&rendering.present)?;
    let merged = &rendering.merged;
    let is_among = merged.iter().any(|id| id.to_string() == view.document);
    if !merged.is_empty() && (merged.len() > ALIASES_MAX || !is_among || !merged.is_sorted_by(|a, b| a < b)) {
        return Err(Refusal::new(RefusalCode::StaleView));
    }
    let heads = rendering.heads.len();
    if heads == 0 || !heads.is_multiple_of(32) || heads > HEADS_MAX * 32 {
        return Err(Refusal::new(RefusalCode::StaleView));
    }
    if rendering.over.is_empty() && view.says_nothing() {
        return Err(Refusal::new(RefusalCode::TextEmpty));
    }
    // What is confirmed is what is shown, and nothing else.
    let here = view.rendering(seen, rendering.heads.clone(), rendering.present.clone(), &rendering.merged);
    let stale = || Refusal::new(RefusalCode::StaleText).with("signed", rendering.frozen.short());
    let here = here.ok_or_else(|| stale().with("current", crate::cosign::short(&view.text)))?;
    if here != *rendering {
        return Err(Refusal::new(RefusalCode::StaleView));
    }
    let present: Vec<_> = rendering.present.iter().map(Into::into).collect();
    check_signature((&present, &[]), (&seen.to_string(), seen), signature)
}

/// Accepts or refuses an addendum: a text that is never changed.
pub(in crate::note) fn check_addendum(view: &NoteView, op: ItemId, text: &str) -> Result<(), Refusal> {
    if view.addenda.iter().any(|addendum| addendum.op == op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    if view.addenda.len() >= ADDENDA_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", ADDENDA_MAX));
    }
    if text.trim().is_empty() {
        return Err(Refusal::new(RefusalCode::TextEmpty));
    }
    if text.len() > INSERT_BYTES_MAX {
        return Err(Refusal::new(RefusalCode::TextTooLong).with("bytes", INSERT_BYTES_MAX));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(Refusal::new(RefusalCode::TextInvalid));
    }
    Ok(())
}
