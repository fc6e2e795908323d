//! The first change of every document: computed on each device from (document id, kind, schema), never sent
//! (PROTOCOL section 2, genesis). Two phones that begin one planned session's note while apart have one document.
//!
//! Its bytes are golden vectors (`vectors/genesis.json`): an engine release that encodes others is refused by the
//! tests, because every hash that builds on them would differ.

use alliance_model::DocumentKind;
use alliance_wire::ids::DocumentId;
use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{ActorId, Automerge, AutomergeError, ROOT, ScalarValue, TextEncoding};

use crate::schema;

/// The actor of genesis and of schema upgrades. No entry may bring a change of it.
pub(crate) const GENESIS_ACTOR: [u8; 1] = [0];

/// The genesis change of this document: an Automerge change chunk, uncompressed.
#[must_use]
pub fn genesis(id: DocumentId, kind: DocumentKind) -> Vec<u8> {
    let document = genesis_document(id, kind);
    let change = document.get_last_local_change().expect("a new document has its genesis change");
    change.raw_bytes().to_vec()
}

/// A document that holds its genesis change and nothing else.
pub(crate) fn genesis_document(id: DocumentId, kind: DocumentKind) -> Automerge {
    let mut document = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
    document.set_actor(ActorId::from(&GENESIS_ACTOR[..]));
    write(&mut document, id, kind).expect("writing into a new document cannot fail");
    document
}

fn write(document: &mut Automerge, id: DocumentId, kind: DocumentKind) -> Result<(), AutomergeError> {
    let mut tx = document.transaction();
    tx.put(ROOT, "id", ScalarValue::Bytes(id.0.to_vec()))?;
    tx.put(ROOT, "kind", ScalarValue::Uint(u64::from(kind.number())))?;
    tx.put(ROOT, "schema", ScalarValue::Uint(u64::from(kind.schema())))?;
    schema::write_genesis(&mut tx, kind)?;
    tx.commit_with(CommitOptions::default().with_time(0));
    Ok(())
}
