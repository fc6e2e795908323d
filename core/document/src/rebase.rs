//! Moves commands from the state on which they were made to a later one, through the engine's own patches.
//!
//! Only edits of texts have places that move; everything else names its target. The edits are made once more, on a
//! throw-away copy at the old state and under a throw-away actor; that copy is merged with the new state, and the
//! difference that each edit makes *there* is the edit to make there. So a draft that is moved says exactly what it
//! would have said, had it been sealed and merged.

use alliance_model::{Command, Splice};
use automerge::transaction::CommitOptions;
use automerge::{ActorId, Automerge, ChangeHash, PatchAction};

use crate::document::{Document, fork_at};
use crate::guard::{Panicked, guarded};
use crate::heads::Heads;
use crate::schema::{self, TextTarget};
use crate::seal::pieces;

/// The throw-away actor: longer than any real one, so that it can be nobody's.
const SCRATCH: &[u8] = b"alliance/rebase/0";

/// Why commands cannot be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RebaseError {
    /// The old state is not known here, or a command does not fit it: `STALE_VIEW`.
    #[error("the commands were made on a state that cannot be found again")]
    StaleView,
    /// The engine panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// Moves a draft's commands from `from` to `to`, both states of the document.
///
/// A draft is moved only as far as it must be ([`crate::covering()`]): a register that it sets then replaces what the new
/// state holds there, while a draft sealed on its own base keeps both values visible.
///
/// # Errors
/// [`RebaseError`]: the draft stays as it was.
pub fn rebase(
    document: &Document,
    commands: &[Command],
    from: &Heads,
    to: &Heads,
) -> Result<Vec<Command>, RebaseError> {
    if !document.covers(from) || !document.covers(to) {
        return Err(RebaseError::StaleView);
    }
    guarded(|| move_commands(&document.automerge, commands, from, to))?
}

/// As [`rebase`], on a working copy's state too.
pub(crate) fn move_commands(
    automerge: &Automerge,
    commands: &[Command],
    from: &Heads,
    to: &Heads,
) -> Result<Vec<Command>, RebaseError> {
    if from == to {
        return Ok(commands.to_vec());
    }
    let (steps, merged) = replay(automerge, commands, from, to)?;
    let mut before = to.hashes();
    let mut moved = Vec::new();
    for step in steps {
        let after: Vec<ChangeHash> = match step.made {
            Some(hash) => to.hashes().into_iter().chain([hash]).collect(),
            None => before.clone(),
        };
        match step.text {
            // A removal made apart from an edit loses (DOMAIN 2.3): moved behind the edit, it would win.
            None => moved.extend(step.commands.into_iter().filter(|c| !schema::removal_lost(&merged, c, &after))),
            Some(target) => {
                let object = schema::text_object(&merged, target).ok_or(RebaseError::StaleView)?;
                let patches = merged.diff_obj(&object, &before, &after, false).map_err(|_| RebaseError::StaleView)?;
                for patch in patches {
                    moved.extend(edit_of(&patch.action).map(|splice| schema::edit_text(target, splice)));
                }
            }
        }
        before = after;
    }
    Ok(moved.iter().flat_map(pieces).collect())
}

/// Commands that go together: neighbouring edits of one text, or a single command of another sort.
struct Step {
    text: Option<TextTarget>,
    commands: Vec<Command>,
    /// The change that they made on the throw-away copy.
    made: Option<ChangeHash>,
}

/// Makes the commands at `from` on a throw-away copy; returns it merged with `to`.
fn replay(
    automerge: &Automerge,
    commands: &[Command],
    from: &Heads,
    to: &Heads,
) -> Result<(Vec<Step>, Automerge), RebaseError> {
    let mut copy = fork_at(automerge, from).ok_or(RebaseError::StaleView)?;
    copy.set_actor(ActorId::from(SCRATCH));
    let mut steps = steps(commands);
    for step in &mut steps {
        let mut tx = copy.transaction();
        for command in &step.commands {
            schema::write(&mut tx, command, "rebase").map_err(|_| RebaseError::StaleView)?;
        }
        let (made, _) = tx.commit_with(CommitOptions::default().with_time(0));
        step.made = made;
    }
    let both = Heads::new(to.ids().iter().chain(from.ids()).copied().collect());
    let mut merged = fork_at(automerge, &both).ok_or(RebaseError::StaleView)?;
    merged.apply_changes(copy.get_changes(&from.hashes())).map_err(|_| RebaseError::StaleView)?;
    Ok((steps, merged))
}

fn steps(commands: &[Command]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for command in commands {
        let text = schema::text_edit(command).map(|(target, _)| target);
        match steps.last_mut() {
            Some(last) if text.is_some() && last.text == text => last.commands.push(command.clone()),
            Some(_) | None => steps.push(Step { text, commands: vec![command.clone()], made: None }),
        }
    }
    steps
}

/// A patch of a text as the edit that it is. Patches follow each other, each on the text that the last one left.
fn edit_of(action: &PatchAction) -> Option<Splice> {
    match action {
        PatchAction::SpliceText { index, value, .. } => {
            Some(Splice::insert(u32::try_from(*index).ok()?, value.make_string()))
        }
        PatchAction::DeleteSeq { index, length } => Some(Splice {
            pos: u32::try_from(*index).ok()?,
            delete: u32::try_from(*length).ok()?,
            insert: String::new(),
        }),
        PatchAction::PutMap { .. }
        | PatchAction::PutSeq { .. }
        | PatchAction::Insert { .. }
        | PatchAction::Increment { .. }
        | PatchAction::Conflict { .. }
        | PatchAction::DeleteMap { .. }
        | PatchAction::Mark { .. } => None,
    }
}
