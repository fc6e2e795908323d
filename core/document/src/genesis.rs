//! The first change of every document, and the upgrade of its schema: computed on each device from (document id, kind,
//! schema), never sent (PROTOCOL section 2, genesis). Two phones that begin one planned session's note while apart have
//! one document, and a document that an earlier version began has the upgrade beside what was written in it.
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

/// The schema of genesis.
const FIRST_SCHEMA: u16 = 1;

/// The genesis change of this document: an Automerge change chunk, uncompressed.
#[must_use]
pub fn genesis(id: DocumentId, kind: DocumentKind) -> Vec<u8> {
    Form::of(kind).change(id)
}

/// The id of this document's genesis change.
pub(crate) fn genesis_id(id: DocumentId, kind: DocumentKind) -> ChangeId {
    ChangeId(Form::of(kind).hash(id))
}

/// The upgrade of this document to its kind's newest schema: an Automerge change chunk, uncompressed, that builds on
/// genesis. Nothing for a kind that has had one schema only.
#[must_use]
pub fn upgrade(id: DocumentId, kind: DocumentKind) -> Option<Vec<u8>> {
    Form::of(kind).upgrade(id)
}

/// A document that holds its genesis change, its upgrade and nothing else.
pub(crate) fn genesis_document(id: DocumentId, kind: DocumentKind) -> Automerge {
    let mut document = new_document();
    let own = [Some(genesis(id, kind)), upgrade(id, kind)].into_iter().flatten();
    let changes = own.map(|bytes| Change::try_from(bytes.as_slice()).expect("its own changes are golden vectors"));
    document.apply_changes(changes).expect("genesis builds on nothing, and the upgrade on genesis");
    document
}

/// Brings a document that an earlier version kept to its kind's newest schema.
pub(crate) fn bring_up(document: &mut Automerge, id: DocumentId, kind: DocumentKind) -> Result<(), AutomergeError> {
    let form = Form::of(kind);
    let Some(hash) = form.upgrade_hash(id) else { return Ok(()) };
    if document.get_change_meta_by_hash(&ChangeId(hash).into()).is_none() {
        let bytes = form.upgrade(id).expect("a form that has the hash of an upgrade has its bytes");
        document.apply_changes([Change::try_from(bytes.as_slice()).expect("the upgrade is a golden vector")])?;
    }
    Ok(())
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
    /// The upgrade, before and behind the hash of genesis.
    upgrade: Option<(Vec<u8>, Vec<u8>)>,
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
        let form = Self { kind, magic, before: before.to_vec(), behind: behind.to_vec(), upgrade: None };
        let upgrade = upgraded(id, kind).map(|bytes| {
            let genesis = form.hash(id);
            let at = bytes.windows(genesis.len()).position(|window| window == genesis).expect("it builds on genesis");
            (bytes[2 * Self::MAGIC..at].to_vec(), bytes[at + genesis.len()..].to_vec())
        });
        Self { upgrade, ..form }
    }

    fn hash(&self, id: DocumentId) -> [u8; 32] {
        digest(&self.before, &id.0, &self.behind)
    }

    fn change(&self, id: DocumentId) -> Vec<u8> {
        let hash = self.hash(id);
        [&self.magic, &hash[..Self::MAGIC], &self.before, &id.0, &self.behind].concat()
    }

    fn upgrade_hash(&self, id: DocumentId) -> Option<[u8; 32]> {
        let (before, behind) = self.upgrade.as_ref()?;
        Some(digest(before, &self.hash(id), behind))
    }

    fn upgrade(&self, id: DocumentId) -> Option<Vec<u8>> {
        let (before, behind) = self.upgrade.as_ref()?;
        let (genesis, hash) = (self.hash(id), self.upgrade_hash(id)?);
        Some([&self.magic, &hash[..Self::MAGIC], before, &genesis, behind].concat())
    }
}

fn digest(before: &[u8], between: &[u8], behind: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(between).chain_update(behind).finalize().into()
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

/// The upgrade as the engine writes it.
fn upgraded(id: DocumentId, kind: DocumentKind) -> Option<Vec<u8>> {
    if kind.schema() == FIRST_SCHEMA {
        return None;
    }
    let mut document = new_document();
    write(&mut document, id, kind).expect("writing into a new document cannot fail");
    let mut tx = document.transaction();
    schema::write_upgrade(&mut tx, kind).expect("writing into a new document cannot fail");
    tx.commit_with(CommitOptions::default().with_time(0));
    let change = document.get_last_local_change().expect("an upgrade makes something");
    Some(change.raw_bytes().to_vec())
}

fn write(document: &mut Automerge, id: DocumentId, kind: DocumentKind) -> Result<(), AutomergeError> {
    let mut tx = document.transaction();
    tx.put(ROOT, "id", ScalarValue::Bytes(id.0.to_vec()))?;
    tx.put(ROOT, "kind", ScalarValue::Uint(u64::from(kind.number())))?;
    tx.put(ROOT, "schema", ScalarValue::Uint(u64::from(FIRST_SCHEMA)))?;
    schema::write_genesis(&mut tx, kind)?;
    tx.commit_with(CommitOptions::default().with_time(0));
    Ok(())
}
