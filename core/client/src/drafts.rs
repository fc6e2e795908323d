//! From a command to an entry (PROTOCOL section 2, granularity).

use alliance_crypto::Fate;
use alliance_document::gate::{Candidate, Verdict};
use alliance_document::{Actor, SealedChange, ViewContext, WorkingCopy};
use alliance_model::agreement::ProtectiveValue;
use alliance_model::{COMMAND_FORMAT, Command, Refusal, RefusalCode};
use alliance_store::device::{DeviceOp, Draft, EntryRef, EntryState};
use alliance_wire::content::{Body, Changes, DraftCover};
use alliance_wire::hash::{Domain, hasher};
use alliance_wire::{DocumentId, DraftId, HashPrefix, PersonTag, SpaceId, Stream, limits};

use crate::documents::OpenDocument;
use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work, lock};
use crate::views::Change;

/// First 16 bytes of the hash over a draft's first commands: each row's length (u32, big-endian), then its bytes.
pub(crate) fn commands_hash<'a>(rows: impl IntoIterator<Item = &'a [u8]>) -> HashPrefix {
    let mut hasher = hasher(Domain::Commands);
    for row in rows {
        hasher.update(&u32::try_from(row.len()).unwrap_or(u32::MAX).to_be_bytes());
        hasher.update(row);
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    HashPrefix(out)
}

impl Client {
    /// Does one thing to a document. It is durable when this returns. `revision` is that of the view on which the
    /// person acted; without it, the command is taken for one on the present view. Returns the revision that the next
    /// command carries.
    ///
    /// # Errors
    /// The refusal, such as `RECORD_RULE` where an agreement of the space lets nothing be kept in writing;
    /// `UNKNOWN_DOCUMENT`, and those of the store; nothing was changed.
    pub async fn command(&self, document: DocumentId, revision: Option<u64>, command: Command) -> Result<u64, Error> {
        let inner = &self.inner;
        // A document that somebody writes in is in memory nearly always: nothing is asked of the store then.
        let known = inner.work.lock().await.place_of(document);
        let (space, kind) = match known {
            Some(known) => known,
            None => inner.find(document).await?,
        };
        inner.may_write(space).await?;
        let mut work = inner.work.lock().await;
        inner.is_agreed(&mut work, space, &command).await?;
        inner.policy_allows(&mut work, space, document, &command).await?;
        let fresh = work.next_revision();
        let rule = inner.rule_of(&mut work, space, kind).await?;
        let open = inner.open_document(&mut work, space, document, Some(kind)).await?;
        inner.open_copy(open, fresh)?;
        let revision = inner.draft_command(space, open, revision, (&command, rule)).await?;
        let full = open.draft.is_some_and(|(_, bytes)| bytes >= limits::DRAFT_BYTES_MAX);
        if full || inner.is_watched_and_free(space, document).await? {
            inner.seal_draft(&mut work, space, document).await?;
        }
        let open = inner.open_document(&mut work, space, document, Some(kind)).await?;
        let revision = open.copy.as_ref().map_or(revision, WorkingCopy::revision);
        drop(work);
        inner.tell(Change::Document(space, document));
        Ok(revision)
    }

    /// Ends an editing session: the document's draft becomes one entry, if the space's key is here.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `DOCUMENT_BROKEN`, and those of the store; the draft is kept.
    pub async fn seal(&self, document: DocumentId) -> Result<(), Error> {
        let (space, _) = self.inner.find(document).await?;
        let mut work = self.inner.work.lock().await;
        self.inner.seal_draft(&mut work, space, document).await?;
        Ok(())
    }

    /// Seals every draft whose space's key is here. Returns how many were sealed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn seal_all(&self) -> Result<u64, Error> {
        self.inner.seal_all(None).await
    }

    /// Says, on every connection that is open, that this person has a document open: others then seal as they write.
    /// It holds for a minute; say it again twice a minute while the document is open.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `WAITING_FOR_KEYS`, and those of the store.
    pub async fn watch(&self, document: DocumentId) -> Result<(), Error> {
        let inner = &self.inner;
        let (space, _) = inner.find(document).await?;
        let membership = inner.membership(space).await?;
        let epoch = membership.best_epoch().ok_or(Code::WaitingForKeys)?.id;
        let mut work = inner.work.lock().await;
        let key = inner.keyring(&mut work, space).await?.get(epoch).ok_or(Code::WaitingForKeys)?.clone();
        let notice =
            alliance_crypto::Watching { device: inner.me, document, id: inner.derive16("watching", &[&document.0])? };
        // Nobody may be connected.
        let _ = inner.notices.send((space, notice.seal(space, epoch, &key, inner.around.bytes()?)));
        Ok(())
    }
}

impl Inner {
    /// Whether this device may write in a space.
    pub(crate) async fn may_write(&self, space: SpaceId) -> Result<(), Error> {
        self.unlocked(space)?;
        let Some(membership) = self.spaces.membership(space).await? else {
            return Err(Refusal::new(RefusalCode::NotMember).into());
        };
        let state = membership.state();
        if !state.is_active(self.me) {
            return Err(Refusal::new(RefusalCode::NotMember).into());
        }
        if !state.can_write(self.me) {
            return Err(Refusal::new(RefusalCode::RoleForbids).into());
        }
        Ok(())
    }

    /// Checks a command and makes its row durable, then shows it. `rule` is the record rule in force, where it is of a note
    /// that may have to cite it.
    pub(crate) async fn draft_command(
        &self,
        space: SpaceId,
        open: &mut OpenDocument,
        revision: Option<u64>,
        (command, rule): (&Command, Option<ProtectiveValue>),
    ) -> Result<u64, Error> {
        let copy = open.copy.as_ref().ok_or(Code::Internal)?;
        let revision = revision.unwrap_or_else(|| copy.revision());
        let mut prepared = if copy.needs_people(command) {
            let people = self.people(space).await?;
            open.seen_by(&people, |context| copy.prepare(revision, command, context))?
        } else {
            copy.prepare(revision, command, ViewContext::BARE)?
        };
        // Which rule it was written under stands in the note itself, so that others need not guess; never the one without
        // the other.
        prepared.splice(..0, copy.rule_to_cite(rule, command));
        let document = open.document.id();
        let mut ops = Vec::with_capacity(prepared.len() + 1);
        let (draft, bytes) = match open.draft {
            Some(known) => known,
            None => {
                let draft = DraftId(self.derive16("draft", &[&document.0])?);
                ops.push(DeviceOp::PutDraft(Draft {
                    draft,
                    space,
                    document,
                    kind: open.document.kind().number(),
                    schema: open.document.kind().schema(),
                    base: copy.base().to_bytes(),
                    incarnation: self.incarnation(),
                    format: COMMAND_FORMAT,
                    revision: copy.revision(),
                    opened: self.around.now_millis(),
                }));
                (draft, 0)
            }
        };
        let mut total = bytes;
        for (n, command) in (copy.commands().len() as u64 + 1..).zip(&prepared) {
            let bytes = command.encode();
            total += bytes.len();
            ops.push(DeviceOp::AppendCommand { draft, n, bytes });
        }
        self.device.apply(ops).await?;
        // From here on it is saved; showing it is the lesser part.
        open.draft = Some((draft, total));
        open.touched = tokio::time::Instant::now();
        let copy = open.copy.as_mut().ok_or(Code::Internal)?;
        for command in prepared {
            copy.record(command)?;
        }
        Ok(copy.revision())
    }

    /// Seals drafts that were not touched for so long; all of them without a limit.
    pub(crate) async fn seal_all(&self, idle: Option<tokio::time::Duration>) -> Result<u64, Error> {
        self.renew_if_ended().await?;
        let mut sealed = 0;
        for draft in self.device.drafts().await? {
            if draft.incarnation != self.incarnation() {
                continue;
            }
            let mut work = self.work.lock().await;
            let fresh = |open: &mut OpenDocument| idle.is_some_and(|idle| open.touched.elapsed() < idle);
            if work.document(draft.space, draft.document).is_some_and(fresh) {
                continue;
            }
            match self.seal_draft(&mut work, draft.space, draft.document).await {
                Ok(done) => sealed += u64::from(done),
                // One broken document must not keep the others.
                Err(error) if error.code() == Code::DocumentBroken.code() => {
                    tracing::warn!(document = %draft.document.short(), "a draft could not be sealed and is kept");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(sealed)
    }

    /// Somebody has the document open, and no entry of ours in its space is on its way: quick links get keystrokes,
    /// slow ones bursts.
    pub(crate) async fn is_watched_and_free(&self, space: SpaceId, document: DocumentId) -> Result<bool, Error> {
        let now = tokio::time::Instant::now();
        let watched = lock(&self.watched).get(&document).is_some_and(|until| *until > now);
        Ok(watched && !self.is_on_its_way(space).await?)
    }

    /// Replays a draft as one change and makes it one entry. `false` if there is nothing to seal, or no key for it.
    pub(crate) async fn seal_draft(&self, work: &mut Work, space: SpaceId, id: DocumentId) -> Result<bool, Error> {
        let open = self.gated_document(work, space, id, None).await?;
        self.take_up_draft(space, open).await?;
        let Some(draft) = open.draft.map(|(draft, _)| draft) else { return Ok(false) };
        let Some(copy) = open.copy.as_ref().filter(|copy| !copy.commands().is_empty()) else { return Ok(false) };
        let (kind, actor_number, actor) = (open.document.kind(), open.actor_number(), copy.actor());
        let rows: Vec<Vec<u8>> = copy.commands().iter().map(Command::encode).collect();
        let cover = DraftCover {
            draft,
            commands: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            hash: commands_hash(rows.iter().map(Vec::as_slice)),
        };
        let changes = copy.seal(&open.document)?;
        if changes.is_empty() {
            // It all came to nothing: written and taken back.
            self.device.apply(vec![DeviceOp::DropDraft(draft)]).await?;
            return self.after_sealing(work, space, id, None).map(|()| false);
        }
        let membership = self.membership(space).await?;
        if !self.may_seal(&membership) {
            // What nobody would take in stays a draft: for a restoration, and for its author.
            return Ok(false);
        }
        if membership.best_epoch().is_none() {
            self.make_epoch(work, space).await?;
        }
        let membership = self.membership(space).await?;
        let body = Body::Changes(Changes {
            document: id,
            kind: kind.number(),
            schema: kind.schema(),
            actor: actor_number,
            draft: cover,
            changes: changes.iter().map(|change| change.bytes.clone().into()).collect(),
        });
        let mut pen = self.pen(space, Stream::Data).await?;
        let keyring = self.keyring(work, space).await?;
        let entry = match self.sign_content(&mut pen, &membership, keyring, body) {
            Ok(entry) => entry,
            Err(error) if error.code() == Code::WaitingForKeys.code() => return Ok(false),
            Err(error) => return Err(error),
        };
        let place = EntryRef { space, log: entry.log(), seq: entry.seq() };
        let person = crate::names::persons(membership.state()).get(&self.me).copied();
        let ops = self.publish_own(work, (space, id), (actor, person), &changes, place, draft);
        let appended = match ops {
            Ok(ops) => self.append(vec![entry], ops).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = appended {
            // What is in memory is ahead of the store: read it anew.
            work.documents.remove(&(space, id));
            if self.device.is_forked(self.me, self.incarnation()).await? {
                // A copy of this store wrote here, which became known a moment ago: it is sealed under a new incarnation.
                self.was_copied();
                return Ok(false);
            }
            return Err(error);
        }
        self.after_sealing(work, space, id, changes.last())?;
        if matches!(membership.fate_of(self.me), Fate::Suspended | Fate::Gone) {
            // It lies behind where this device's data ends, as others will find: what was looked at before is looked at
            // again when the membership grows.
            work.judged.remove(&space);
        }
        self.tell(Change::Document(space, id));
        Ok(true)
    }

    /// What this device wrote comes back through the gate like everybody's.
    fn publish_own(
        &self,
        work: &mut Work,
        (space, id): (SpaceId, DocumentId),
        (actor, person): (Actor, Option<PersonTag>),
        changes: &[SealedChange],
        place: EntryRef,
        draft: DraftId,
    ) -> Result<Vec<DeviceOp>, Error> {
        let open = work.document(space, id).ok_or(Code::Internal)?;
        let chunks = changes.iter().map(|change| change.bytes.clone()).collect();
        let candidate = Candidate { entry: 0, actor, person, schema: open.document.kind().schema(), changes: chunks };
        let judged = open.judge(&[candidate])?;
        if let Some((_, verdict)) = judged.verdicts.iter().find(|(_, verdict)| *verdict != Verdict::Admitted) {
            return Err(Error::new(Code::DocumentBroken).with("verdict", format!("{verdict:?}")));
        }
        let broken = |_| Error::new(Code::DocumentBroken);
        open.document.apply(&judged.admitted).map_err(broken)?;
        open.authors.insert(actor.0, self.me);
        let saved = open.document.verified_save().map_err(|_| Error::new(Code::DocumentBroken))?;
        let mut ops = vec![
            DeviceOp::DropDraft(draft),
            DeviceOp::SetEntry { entry: place, document: Some(id), state: EntryState::Applied },
        ];
        ops.extend(open.rows(space, saved, true, self.around.now_millis())?);
        Ok(ops)
    }

    /// The cut: a new working copy on all that is published, for whoever goes on writing.
    fn after_sealing(
        &self,
        work: &mut Work,
        space: SpaceId,
        id: DocumentId,
        sealed: Option<&SealedChange>,
    ) -> Result<(), Error> {
        // A draft may have kept what others said from being seen.
        crate::merging::forget(work, space);
        let open = work.document(space, id).ok_or(Code::Internal)?;
        open.draft = None;
        let Some(copy) = open.copy.take() else { return Ok(()) };
        open.copy = Some(match sealed {
            Some(change) => copy.cut(&open.document, Some(change.id))?,
            None => {
                let heads = open.document.heads();
                WorkingCopy::open(&open.document, &heads, copy.actor(), Vec::new(), copy.revision() + 1)?
            }
        });
        Ok(())
    }
}
