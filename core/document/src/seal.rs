//! Sealing: a draft becomes one change (PROTOCOL section 2, granularity).

use alliance_model::{Command, Splice};
use alliance_wire::limits::{CHANGE_BYTES_MAX, CHANGE_OPS_MAX};
use automerge::Automerge;
use automerge::transaction::{CommitOptions, Transactable as _};

use crate::actor::Actor;
use crate::document::{Document, fork_at};
use crate::gate::{Chunk, ENTRY_CHANGES_MAX};
use crate::guard::{Panicked, guarded};
use crate::heads::{ChangeId, Heads};
use crate::schema::{self, WriteError};

/// Scalar values that one splice deletes or inserts while sealing: a longer one becomes several, so that a draft can
/// be cut into changes of 32 KiB at any place. Deleting a letter costs up to 16 bytes where authors alternate.
const PIECE_SCALARS: usize = 1_024;

/// Why a draft cannot be written on its base heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The base heads do not cover the actor's newest change: [`crate::rebase()`] the draft onto [`covering`] first.
    /// (The engine would otherwise sign as another actor without a word.)
    #[error("the draft is older than this device's own newest change")]
    BaseBehindActor,
    /// The document does not have the base heads.
    #[error("the document does not have the state on which the draft was written")]
    UnknownBase,
    /// A command does not fit the base: the draft belongs to another state or document.
    #[error("a command of the draft does not fit the state on which it was written")]
    CommandMisfit,
    /// More than sixteen changes of 32 KiB: the draft should have been sealed long ago.
    #[error("the draft is longer than one entry may be")]
    TooLarge,
    /// The engine panicked, or signed otherwise than asked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// A sealed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedChange {
    /// Its id.
    pub id: ChangeId,
    /// The change chunk, uncompressed, at most 32 KiB.
    pub bytes: Vec<u8>,
}

/// A document at a draft's base heads, ready to be written by its actor.
pub(crate) struct Base {
    pub(crate) automerge: Automerge,
    /// Sequence number of the draft's first change.
    pub(crate) seq: u64,
    /// The editing session's key in `alive` maps.
    pub(crate) session: String,
}

/// The document at these heads with this actor.
pub(crate) fn base(document: &Document, heads: &Heads, actor: Actor) -> Result<Base, SealError> {
    if !document.covers(heads) {
        return Err(SealError::UnknownBase);
    }
    let mut automerge = guarded(|| fork_at(&document.automerge, heads))?.ok_or(SealError::UnknownBase)?;
    let newest = document.newest_of(actor);
    if let Some((_, id)) = newest
        && automerge.get_change_meta_by_hash(&id.into()).is_none()
    {
        return Err(SealError::BaseBehindActor);
    }
    automerge.set_actor(actor.id());
    let seq = newest.map_or(1, |(seq, _)| seq + 1);
    let session = actor.0.iter().take(8).map(|byte| format!("{byte:02x}")).chain([format!(".{seq:x}")]).collect();
    Ok(Base { automerge, seq, session })
}

/// The draft's base heads together with the actor's newest change: heads on which it may write.
#[must_use]
pub fn covering(document: &Document, heads: &Heads, actor: Actor) -> Heads {
    document.newest_of(actor).map_or_else(|| heads.clone(), |(_, id)| heads.with(id))
}

/// Replays the draft on the published document at its base heads as one change, or as several of at most 32 KiB.
/// Time is 0 and no message is written: neither hides in a change. A draft without effect seals to no change.
///
/// # Errors
/// [`SealError`]. The document is not changed: what was sealed comes back through the gate like everybody's.
pub fn seal(
    document: &Document,
    heads: &Heads,
    actor: Actor,
    commands: &[Command],
) -> Result<Vec<SealedChange>, SealError> {
    let Base { automerge, seq, session } = base(document, heads, actor)?;
    let pieces: Vec<Command> = commands.iter().flat_map(pieces).collect();
    let mut sealing = Sealing { session, actor, next_seq: seq, sealed: Vec::new() };
    guarded(|| sealing.run(automerge, &pieces))??;
    Ok(sealing.sealed)
}

struct Sealing {
    session: String,
    actor: Actor,
    next_seq: u64,
    sealed: Vec<SealedChange>,
}

impl Sealing {
    /// Seals all pieces as one change if it fits, else each half by itself. Returns the document behind them.
    fn run(&mut self, automerge: Automerge, pieces: &[Command]) -> Result<Automerge, SealError> {
        let untouched = if pieces.len() > 1 { Some(automerge.clone()) } else { None };
        let mut automerge = automerge;
        let mut tx = automerge.transaction();
        for piece in pieces {
            schema::write(&mut tx, piece, &self.session).map_err(misfit)?;
        }
        if tx.pending_ops() == 0 {
            tx.rollback();
            return Ok(automerge);
        }
        let ops = tx.pending_ops() as u64;
        tx.commit_with(CommitOptions::default().with_time(0));
        let change = automerge.get_last_local_change().ok_or(Panicked)?;
        let bytes = change.raw_bytes();
        if bytes.len() <= CHANGE_BYTES_MAX && ops <= CHANGE_OPS_MAX {
            self.keep(bytes)?;
            return Ok(automerge);
        }
        let Some(untouched) = untouched else { return Err(SealError::TooLarge) };
        let (first, second) = pieces.split_at(pieces.len() / 2);
        let between = self.run(untouched, first)?;
        self.run(between, second)
    }

    /// The engine must have signed as asked, and our own gate must be able to read it.
    fn keep(&mut self, bytes: &[u8]) -> Result<(), SealError> {
        let chunk = Chunk::parse(bytes).map_err(|_| Panicked)?;
        if chunk.actors[0] != self.actor.0 || chunk.seq != self.next_seq {
            return Err(SealError::BaseBehindActor);
        }
        if self.sealed.len() == ENTRY_CHANGES_MAX {
            return Err(SealError::TooLarge);
        }
        self.next_seq += 1;
        self.sealed.push(SealedChange { id: chunk.id, bytes: bytes.to_vec() });
        Ok(())
    }
}

fn misfit(error: WriteError) -> SealError {
    match error {
        WriteError::Missing | WriteError::Engine(_) => SealError::CommandMisfit,
    }
}

/// A long splice as several short ones with the same effect.
pub(crate) fn pieces(command: &Command) -> Vec<Command> {
    let Some((target, splice)) = schema::text_edit(command) else { return vec![command.clone()] };
    let mut out = Vec::new();
    let piece = u32::try_from(PIECE_SCALARS).unwrap_or(u32::MAX);
    let mut left = splice.delete;
    while left > piece {
        out.push(schema::edit_text(target, Splice { pos: splice.pos, delete: piece, insert: String::new() }));
        left -= piece;
    }
    let letters: Vec<char> = splice.insert.chars().collect();
    let mut chunks = letters.chunks(PIECE_SCALARS);
    let first: String = chunks.next().unwrap_or_default().iter().collect();
    out.push(schema::edit_text(target, Splice { pos: splice.pos, delete: left, insert: first }));
    let mut pos = splice.pos.saturating_add(piece);
    for chunk in chunks {
        out.push(schema::edit_text(target, Splice::insert(pos, chunk.iter().collect::<String>())));
        pos = pos.saturating_add(piece);
    }
    out
}
