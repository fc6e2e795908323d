//! The first change of every document: computed on each device from (document id, kind, schema), never sent
//! (PROTOCOL section 2, genesis). Two phones that begin one planned session's note while apart have one document.
//!
//! Its bytes are golden vectors (`vectors/genesis.json`): an engine release that encodes others is refused by the
//! tests, because every hash that builds on them would differ.

use std::sync::OnceLock;

use alliance_model::DocumentKind;
use alliance_wire::ids::DocumentId;
use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{ActorId, Automerge, AutomergeError, ROOT, ScalarValue, TextEncoding};
use sha2::{Digest as _, Sha256};

use crate::heads::ChangeId;
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

/// The id of this document's genesis change. Two documents of a kind differ in the sixteen bytes of their ids and
/// nowhere else, so the change is made once for each kind: making it anew at every load would cost a tenth of the load.
pub(crate) fn genesis_id(id: DocumentId, kind: DocumentKind) -> ChangeId {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| DocumentKind::ALL.iter().map(|kind| Form::of(*kind)).collect());
    let form = forms.iter().find(|form| form.kind == kind).expect("every kind has a genesis");
    let whole = Sha256::new().chain_update(&form.before).chain_update(id.0).chain_update(&form.behind);
    ChangeId(whole.finalize().into())
}

/// What a change's hash covers, before and behind the document's id.
struct Form {
    kind: DocumentKind,
    before: Vec<u8>,
    behind: Vec<u8>,
}

impl Form {
    /// Magic number and checksum of a chunk: its hash covers what follows.
    const NOT_HASHED: usize = 8;

    fn of(kind: DocumentKind) -> Self {
        let id = DocumentId(*b"whichever it is!");
        let bytes = genesis(id, kind);
        let at = bytes.windows(id.0.len()).position(|window| window == id.0).expect("the change holds the id");
        let (before, behind) = (&bytes[Self::NOT_HASHED..at], &bytes[at + id.0.len()..]);
        Self { kind, before: before.to_vec(), behind: behind.to_vec() }
    }
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
