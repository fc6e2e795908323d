//! The first change of every document: computed on each device from (document id, kind, schema), never sent
//! (PROTOCOL section 2, genesis). Two phones that begin one planned session's note while apart have one document.
//!
//! Its bytes are golden vectors (`vectors/genesis.json`): an engine release that encodes others is refused by the
//! tests, because every hash that builds on them would differ.

use std::sync::OnceLock;

use alliance_model::DocumentKind;
use alliance_wire::ids::DocumentId;
use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{ActorId, Automerge, AutomergeError, Change, ROOT, ScalarValue, TextEncoding};
use sha2::{Digest as _, Sha256};

use crate::heads::ChangeId;
use crate::schema;

/// The actor of genesis and of schema upgrades. No entry may bring a change of it.
pub(crate) const GENESIS_ACTOR: [u8; 1] = [0];

/// The genesis change of this document: an Automerge change chunk, uncompressed.
#[must_use]
pub fn genesis(id: DocumentId, kind: DocumentKind) -> Vec<u8> {
    Form::of(kind).change(id)
}

/// The id of this document's genesis change.
pub(crate) fn genesis_id(id: DocumentId, kind: DocumentKind) -> ChangeId {
    ChangeId(Form::of(kind).hash(id))
}

/// A document that holds its genesis change and nothing else.
pub(crate) fn genesis_document(id: DocumentId, kind: DocumentKind) -> Automerge {
    let mut document = new_document();
    let change = Change::try_from(genesis(id, kind).as_slice()).expect("the genesis change is a golden vector");
    document.apply_changes([change]).expect("the genesis change builds on nothing");
    document
}

/// A kind's genesis change, before and behind the document's id. Two documents of a kind differ in the sixteen bytes of
/// their ids and nowhere else, so the engine makes the change once for each kind: making it anew would cost a tenth of
/// what loading a document does, at each load and each new document.
struct Form {
    kind: DocumentKind,
    /// Magic number of a chunk.
    magic: [u8; 4],
    before: Vec<u8>,
    behind: Vec<u8>,
}

impl Form {
    /// Bytes of a chunk's magic number, and of the checksum behind it: the beginning of the hash of all that follows.
    const MAGIC: usize = 4;

    fn of(kind: DocumentKind) -> &'static Self {
        static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
        let forms = FORMS.get_or_init(|| DocumentKind::ALL.iter().map(|kind| Self::made(*kind)).collect());
        forms.iter().find(|form| form.kind == kind).expect("every kind has a genesis")
    }

    fn made(kind: DocumentKind) -> Self {
        let id = DocumentId(*b"whichever it is!");
        let bytes = written(id, kind);
        let at = bytes.windows(id.0.len()).position(|window| window == id.0).expect("the change holds the id");
        let magic = bytes[..Self::MAGIC].try_into().expect("a chunk begins with its magic number");
        let (before, behind) = (&bytes[2 * Self::MAGIC..at], &bytes[at + id.0.len()..]);
        Self { kind, magic, before: before.to_vec(), behind: behind.to_vec() }
    }

    fn hash(&self, id: DocumentId) -> [u8; 32] {
        Sha256::new().chain_update(&self.before).chain_update(id.0).chain_update(&self.behind).finalize().into()
    }

    fn change(&self, id: DocumentId) -> Vec<u8> {
        let hash = self.hash(id);
        [&self.magic, &hash[..Self::MAGIC], &self.before, &id.0, &self.behind].concat()
    }
}

fn new_document() -> Automerge {
    let mut document = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
    document.set_actor(ActorId::from(&GENESIS_ACTOR[..]));
    document
}

/// The genesis change as the engine writes it.
fn written(id: DocumentId, kind: DocumentKind) -> Vec<u8> {
    let mut document = new_document();
    write(&mut document, id, kind).expect("writing into a new document cannot fail");
    let change = document.get_last_local_change().expect("a new document has its genesis change");
    change.raw_bytes().to_vec()
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
