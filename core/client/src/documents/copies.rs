//! Drafts and the working copies on which they are written.

use alliance_document::{Actor, Heads, WorkingCopy, covering, rebase};
use alliance_model::Command;
use alliance_store::device::Draft;
use alliance_wire::SpaceId;

use super::OpenDocument;
use crate::error::{Code, Error};
use crate::inner::Inner;

impl Inner {
    /// Takes up this incarnation's draft of a document. One that was written on a branch of a forked log which is not
    /// shown any more is kept and waits for it: the document opens without it.
    pub(super) async fn reopen_draft(&self, drafts: Vec<Draft>, open: &mut OpenDocument) -> Result<(), Error> {
        let current = self.incarnation();
        open.waits = false;
        for draft in drafts.into_iter().filter(|draft| draft.incarnation == current) {
            let base = Heads::from_bytes(&draft.base).ok_or(Code::StoreDamaged)?;
            if open.draft.is_some() || !open.document.covers(&base) {
                open.waits = true;
                continue;
            }
            let (commands, bytes) = self.commands_of(&draft).await?;
            open.copy = Some(self.copy_of(open, base, commands, draft.revision)?);
            open.draft = Some((draft.draft, bytes));
        }
        Ok(())
    }

    /// Takes up a draft that waited for what has come in since, or for the one before it, which was sealed.
    pub(crate) async fn take_up_draft(&self, space: SpaceId, open: &mut OpenDocument) -> Result<(), Error> {
        if !open.waits || open.draft.is_some() {
            return Ok(());
        }
        let drafts = self.device.drafts_of(space, open.document.id()).await?;
        self.reopen_draft(drafts, open).await
    }

    /// The commands of a draft, and the bytes of their rows.
    pub(crate) async fn commands_of(&self, draft: &Draft) -> Result<(Vec<Command>, usize), Error> {
        let mut bytes = 0;
        let mut commands = Vec::new();
        for row in self.device.commands(draft.draft).await? {
            bytes += row.bytes.len();
            let command =
                Command::decode(&row.bytes).map_err(|error| Error::new(Code::StoreDamaged).with("what", error))?;
            commands.push(command);
        }
        Ok((commands, bytes))
    }

    /// Opens a working copy, if there is none: on what was shown last, whatever has come in since, or else on all that is
    /// published. `fresh` is above every revision that a view carried.
    pub(crate) fn open_copy(&self, open: &mut OpenDocument, fresh: u64) -> Result<(), Error> {
        if open.copy.is_some() {
            return Ok(());
        }
        let mut shown = std::mem::take(&mut open.shown);
        let actor = Actor::of(self.me, self.incarnation(), open.document.id(), open.actor_number())
            .ok_or(Code::DocumentBroken)?;
        // A state that lacks this device's own newest change cannot be written on: then commands on it are mapped.
        let (revision, heads) = match shown.pop_back() {
            Some((revision, heads)) if covering(&open.document, &heads, actor) == heads => (revision, heads),
            last => {
                shown.extend(last);
                (fresh, open.document.heads())
            }
        };
        open.copy = Some(self.copy_of(open, heads, Vec::new(), revision)?.with_earlier(shown));
        Ok(())
    }

    /// A working copy of a draft; one that is older than this device's own newest change is mapped onto heads that are
    /// not (the engine would sign as another actor without a word).
    pub(crate) fn copy_of(
        &self,
        open: &OpenDocument,
        base: Heads,
        commands: Vec<Command>,
        revision: u64,
    ) -> Result<WorkingCopy, Error> {
        let id = open.document.id();
        let actor = Actor::of(self.me, self.incarnation(), id, open.actor_number()).ok_or(Code::DocumentBroken)?;
        let over = covering(&open.document, &base, actor);
        let moved = if over == base {
            commands
        } else {
            rebase(&open.document, &commands, &base, &over)
                .map_err(|error| Error::new(Code::DocumentBroken).with("why", error))?
        };
        Ok(WorkingCopy::open(&open.document, &over, actor, moved, revision)?)
    }
}
