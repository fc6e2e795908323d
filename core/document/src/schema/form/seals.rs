//! What of a form people signed.

use alliance_model::form::{FORM_TEXT, Form, FormSeal, FormSealView, FormSealing, FormText, FormView};
use alliance_model::{Cosignature, CosignatureView, ItemId, cosign};
use automerge::ObjId;

use super::SEALS;
use super::view::words;
use crate::schema::frozen::{named, writers};
use crate::schema::parts::{self, Authors};
use crate::schema::read::{At, Whole};
use crate::schema::{ViewContext, genesis_object};

/// The texts that somebody signed, in order. What does not say what it names, or does not verify, says nothing; every
/// replica that has the entries comes to the same answer.
pub(super) fn seals(
    document: &impl Whole,
    form: &'static Form,
    view: &FormView,
    (context, verifies): (ViewContext<'_>, &dyn Fn(&Cosignature) -> bool),
) -> Vec<FormSealView> {
    let mut found: Vec<FormSealView> = Vec::new();
    for (operation, op, bytes) in parts::log_in_order(document, &genesis_object(SEALS)) {
        let Some(FormSeal { sealing, signature }) = FormSeal::parse(&bytes) else { continue };
        if signature.frozen != sealing.frozen || !verifies(&signature) {
            continue;
        }
        let name = sealing.frozen.to_string();
        let at = match found.iter().position(|it| it.name == name) {
            Some(at) => at,
            None => {
                let Some(seal) = stands(document, form, view, (&sealing, op, &operation), context) else { continue };
                found.push(seal);
                found.len() - 1
            }
        };
        let (of, shown) = (&mut found[at], CosignatureView::from(&signature));
        if of.parties.iter().any(|party| party.person == shown.person) && !of.signatures.contains(&shown) {
            of.signatures.push(shown);
            of.proofs.push(alliance_model::decision::trail::hexadecimal(&signature.signature));
        }
    }
    found.retain(|it| !it.signatures.is_empty());
    found
}

/// What a signature names, if it is the text in the state that it names.
fn stands(
    document: &impl Whole,
    form: &'static Form,
    view: &FormView,
    (sealing, op, operation): (&FormSealing, ItemId, &ObjId),
    context: ViewContext<'_>,
) -> Option<FormSealView> {
    let signing = form.signed?;
    if sealing.form != FORM_TEXT || sealing.parties.len() < signing.persons {
        return None;
    }
    let heads = named(document, &sealing.heads, operation)?;
    // Nobody signs another's words away: everybody who wrote in it and is a member is among those who sign.
    let is_party = |name: &str| sealing.parties.iter().any(|party| (context.name)(party.person) == name);
    let mut wrote = writers(document, &heads).into_iter().map(|actor| (context.author)(&actor));
    if !wrote.all(|name| is_party(&name) || !context.protectors.contains(&name)) {
        return None;
    }
    let then = At { document: document.automerge(), heads: &heads };
    let said = words(&then, form, view.document.clone(), &mut Authors::new(context.author), context);
    let text = FormText::of(&said);
    let fits = cosign::frozen(&sealing.canonical(view, &text)) == sealing.frozen;
    fits.then(|| sealing.view(op, text))
}
