//! Makes a document anew from its log, and finds the change on which this version fails.

use std::collections::BTreeSet;

use alliance_model::DocumentKind;
use alliance_wire::ids::DocumentId;

use super::{AdmittedChange, Candidate, Gate, Judged, Rules, Verdict};
use crate::document::Document;
use crate::heads::ChangeId;

/// A document made from nothing.
#[derive(Debug)]
pub struct Rebuilt {
    /// Stage 1, with the index of what was admitted.
    pub gate: Gate,
    /// The document.
    pub document: Document,
    /// A verdict for each entry of the log.
    pub verdicts: Vec<(u64, Verdict)>,
    /// Everything that is parked until an update: what was handed in and what was found.
    pub held: BTreeSet<ChangeId>,
}

/// Makes the document from all its entries, those of one actor in log order; `held` are the changes that are parked
/// until an update already.
///
/// Changes are applied in (start op, actor, seq, hash) order, so that every replica finds the same first one that
/// fails. Usually nothing fails and everything goes in with one call.
#[must_use]
pub fn rebuild(
    id: DocumentId,
    kind: DocumentKind,
    rules: Rules,
    log: &[Candidate],
    held: &BTreeSet<ChangeId>,
) -> Rebuilt {
    let mut held = held.clone();
    loop {
        let mut gate = Gate::new(id, kind, rules);
        for change in &held {
            gate.hold(*change);
        }
        let Judged { verdicts, mut admitted } = gate.judge(log);
        admitted.sort_by_key(AdmittedChange::order);
        match build(id, kind, &admitted) {
            Ok(document) => return Rebuilt { gate, document, verdicts, held },
            // Each round holds one more change of a finite log, and genesis alone always builds.
            Err(failed) => held.insert(failed),
        };
    }
}

/// All at once if that works, else one by one until the first that fails.
fn build(id: DocumentId, kind: DocumentKind, admitted: &[AdmittedChange]) -> Result<Document, ChangeId> {
    let mut document = Document::new(id, kind);
    if document.apply(admitted).is_ok() && document.verified_save().is_ok() {
        return Ok(document);
    }
    let mut document = Document::new(id, kind);
    for change in admitted {
        if document.apply(core::slice::from_ref(change)).is_err() || document.verified_save().is_err() {
            return Err(change.id);
        }
    }
    Ok(document)
}
