//! A published document: genesis and the admitted changes.

use alliance_model::DocumentKind;
use alliance_wire::hash::content_hash;
use alliance_wire::ids::{DocumentId, FrozenHash};
use automerge::{Automerge, Change, LoadOptions, TextEncoding};

use crate::actor::Actor;
use crate::gate::AdmittedChange;
use crate::genesis::{bring_up, genesis_document, genesis_id};
use crate::guard::{Panicked, guarded};
use crate::heads::{ChangeId, Heads};
use crate::runs::{Runs, WithRuns};
use crate::schema::{self, View, ViewContext};

/// Why admitted changes could not be applied: [`crate::gate::rebuild`] finds out which one it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The engine panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The engine refused a change, or silently left one out.
    #[error("the document engine did not take the changes")]
    NotApplied,
}

/// Why cached bytes are not this document: rebuild it from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The engine panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The bytes are no document.
    #[error("the cached document is damaged")]
    Damaged,
    /// The bytes are a document with another genesis.
    #[error("the cached bytes are another document")]
    OtherDocument,
}

/// Why a document's save cannot be used as its cache: rebuild it from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// The engine panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// What was saved cannot be loaded, or loads as another document.
    #[error("the saved document does not load again")]
    NotLoadable,
}

/// A published document. The log is the truth, this is a cache of it.
#[derive(Debug, Clone)]
pub struct Document {
    id: DocumentId,
    kind: DocumentKind,
    pub(crate) automerge: Automerge,
    /// Who wrote which letters, if that is known of this very state.
    runs: Option<Runs>,
}

impl Document {
    /// The document with its genesis change, the upgrade of its schema and nothing else.
    #[must_use]
    pub fn new(id: DocumentId, kind: DocumentKind) -> Self {
        Self { id, kind, automerge: genesis_document(id, kind), runs: None }
    }

    /// Loads a document from [`Document::verified_save`]'s bytes.
    ///
    /// # Errors
    /// [`LoadError`]; a panic inside the engine is one of them.
    pub fn load(id: DocumentId, kind: DocumentKind, bytes: &[u8]) -> Result<Self, LoadError> {
        guarded(|| {
            let options = LoadOptions::new().text_encoding(TextEncoding::UnicodeCodePoint);
            let mut automerge = Automerge::load_with_options(bytes, options).map_err(|_| LoadError::Damaged)?;
            if automerge.get_change_meta_by_hash(&genesis_id(id, kind).into()).is_none() {
                return Err(LoadError::OtherDocument);
            }
            bring_up(&mut automerge, id, kind).map_err(|_| LoadError::Damaged)?;
            Ok(Self { id, kind, automerge, runs: None })
        })?
    }

    /// The same with what [`Document::view_and_runs`] said of exactly this state: views cost less. Other bytes are as
    /// good as none.
    #[must_use]
    pub fn with_runs(mut self, runs: &[u8]) -> Self {
        self.runs = Runs::decode(runs);
        self
    }

    /// The document's id.
    #[must_use]
    pub const fn id(&self) -> DocumentId {
        self.id
    }

    /// The document's kind.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// Applies admitted changes: one call of the engine, on a clone, with panics caught. Applying costs as much as the
    /// document is long, so hand in whole batches. On an error the document is as it was.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn apply(&mut self, changes: &[AdmittedChange]) -> Result<(), ApplyError> {
        if changes.is_empty() {
            return Ok(());
        }
        let next = guarded(|| {
            let mut next = self.automerge.clone();
            let mut parsed = Vec::with_capacity(changes.len());
            for change in changes {
                let bytes = change.bytes.as_slice();
                parsed.push(Change::try_from(bytes).map_err(|_| ApplyError::NotApplied)?);
            }
            next.apply_changes(parsed).map_err(|_| ApplyError::NotApplied)?;
            // The engine keeps a change that it cannot apply in a queue and says nothing.
            let missing = changes.iter().any(|change| next.get_change_meta_by_hash(&change.id.into()).is_none());
            if missing { Err(ApplyError::NotApplied) } else { Ok(next) }
        })??;
        self.automerge = next;
        self.runs = None;
        Ok(())
    }

    /// The document's bytes for the cache, after proving that they load as the same document: run before cached bytes
    /// are overwritten (idle, blur, close).
    ///
    /// # Errors
    /// [`SaveError`].
    pub fn verified_save(&self) -> Result<Vec<u8>, SaveError> {
        let bytes = guarded(|| self.automerge.save())?;
        let loaded = Self::load(self.id, self.kind, &bytes).map_err(|error| match error {
            LoadError::Panicked(panicked) => SaveError::Panicked(panicked),
            LoadError::Damaged | LoadError::OtherDocument => SaveError::NotLoadable,
        })?;
        if loaded.heads() == self.heads() { Ok(bytes) } else { Err(SaveError::NotLoadable) }
    }

    /// The document as an Automerge file, for export.
    ///
    /// # Errors
    /// [`Panicked`].
    pub fn to_automerge(&self) -> Result<Vec<u8>, Panicked> {
        guarded(|| self.automerge.save())
    }

    /// The heads: which state this is.
    #[must_use]
    pub fn heads(&self) -> Heads {
        self.automerge.get_heads().into()
    }

    /// Whether this state holds all of those changes.
    #[must_use]
    pub fn covers(&self, heads: &Heads) -> bool {
        heads.hashes().iter().all(|hash| self.automerge.get_change_meta_by_hash(hash).is_some())
    }

    /// All changes, genesis first, each after those that it builds on.
    ///
    /// # Errors
    /// [`Panicked`].
    pub fn changes(&self) -> Result<Vec<(ChangeId, Vec<u8>)>, Panicked> {
        guarded(|| {
            let changes = self.automerge.get_changes(&[]);
            changes.into_iter().map(|change| (change.hash().into(), change.raw_bytes().to_vec())).collect()
        })
    }

    /// The document's content id: BLAKE3 over its sorted change ids. Equal on replicas that hold the same changes.
    #[must_use]
    pub fn content_id(&self) -> [u8; 32] {
        let mut ids: Vec<[u8; 32]> = self.automerge.get_changes_meta(&[]).iter().map(|meta| meta.hash.0).collect();
        ids.sort_unstable();
        content_hash(ids.as_flattened())
    }

    /// Sequence number and id of the actor's newest change.
    #[must_use]
    pub fn newest_of(&self, actor: Actor) -> Option<(u64, ChangeId)> {
        let metas = self.automerge.get_changes_meta(&[]);
        let own = metas.iter().filter(|meta| meta.actor.to_bytes() == actor.0.as_slice());
        own.max_by_key(|meta| meta.seq).map(|meta| (meta.seq, meta.hash.into()))
    }

    /// The document as it is shown.
    ///
    /// # Errors
    /// [`Panicked`].
    pub fn view(&self, context: ViewContext<'_>) -> Result<View, Panicked> {
        let (document, id) = (&self.automerge, self.id.to_string());
        guarded(|| match &self.runs {
            Some(runs) => schema::view(&WithRuns::known(document, runs), self.kind, id, context),
            None => schema::view(document, self.kind, id, context),
        })
    }

    /// The canonical text of a version of this agreement, which its name is the hash of; nothing if it has no such version.
    ///
    /// # Errors
    /// [`Panicked`].
    pub fn version_text(&self, version: FrozenHash) -> Result<Option<Vec<u8>>, Panicked> {
        let (document, id) = (&self.automerge, self.id.to_string());
        guarded(|| schema::agreement::version_text(document, &id, version))
    }

    /// The document as it is shown, and who wrote which letters, encoded: to be kept beside [`Document::verified_save`]'s
    /// bytes and given back to [`Document::with_runs`].
    ///
    /// # Errors
    /// [`Panicked`].
    pub fn view_and_runs(&self, context: ViewContext<'_>) -> Result<(View, Vec<u8>), Panicked> {
        guarded(|| {
            let document = WithRuns::noting(&self.automerge);
            let view = schema::view(&document, self.kind, self.id.to_string(), context);
            (view, document.noted().encode())
        })
    }
}

/// The seal's access to a document's state: a copy that holds exactly the ancestors of `heads`.
pub(crate) fn fork_at(automerge: &Automerge, heads: &Heads) -> Option<Automerge> {
    if heads.ids().is_empty() {
        return None;
    }
    if Heads::from(automerge.get_heads()) == *heads {
        return Some(automerge.clone());
    }
    automerge.fork_at(&heads.hashes()).ok()
}
