//! What a person prepares: one log in the home of the person's devices, and copies of its entries on agendas
//! (DOMAIN 2.2, PrepLog; 2.4; 2.6 row 6).
//!
//! Sharing writes into two documents, first the copy and then the log. The copy's id follows from the entry, the session
//! and how often it was shared there, so that a process that ended in between goes on where it was: the same call once
//! more makes no second copy.

use alliance_document::View;
use alliance_model::cosign::frozen;
use alliance_model::kind::preparation_of;
use alliance_model::limits::TEXT_SCALARS_MAX;
use alliance_model::preparation::{
    PreparationCommand, PreparationEntryView, PreparationMark, PreparationState, Share, ShareView, shared_item,
};
use alliance_model::session::{
    AgendaField, AgendaItemView, AgendaState, AgendaTransition, AgendaValue, SessionCommand,
};
use alliance_model::{
    Command, DocumentKind, ItemId, PreparationView, Refusal, RefusalCode, SessionView, Splice, snapshot,
};
use alliance_wire::{DocumentId, SpaceId};
use serde::Serialize;

use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::listing::session_date;
use crate::views::Change;

/// What stands on an agenda of something prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedItem {
    /// The session's space: who is in it can read the copy.
    #[serde(serialize_with = "crate::views::text")]
    pub space: SpaceId,
    /// The session.
    #[serde(serialize_with = "crate::views::text")]
    pub session: DocumentId,
    /// What stands on its agenda.
    pub item: ItemId,
    /// What it says.
    pub text: String,
    /// It was put there now; else it stood there already.
    pub begun: bool,
}

/// What became of a copy, as the session's agenda shows it here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedNow {
    /// What was prepared.
    pub entry: ItemId,
    /// The share, as the entry's log names it.
    pub share: ItemId,
    /// The state on the agenda; absent where the session or the item is not here any more.
    pub state: Option<AgendaState>,
    /// Somebody edited the copy since it was shared.
    pub edited: bool,
}

impl Client {
    /// The person's preparation log, begun if it is not here: in the home of the person's devices, which is founded if
    /// there is none. All devices of the person begin the same document.
    ///
    /// # Errors
    /// `NOT_MEMBER` (this device is not in the home yet), `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn preparation(&self) -> Result<DocumentId, Error> {
        let inner = &self.inner;
        let home = inner.set_up_home().await?;
        inner.unlocked(home)?;
        let id = preparation_of(&home);
        if inner.device.find_document(id).await?.is_some() {
            return Ok(id);
        }
        inner.may_write(home).await?;
        let mut work = inner.work.lock().await;
        // Looked for once more: another call may have begun it before this one had its turn.
        if inner.device.find_document(id).await?.is_none() {
            inner.put_new_document(&mut work, home, id, DocumentKind::Preparation).await?;
        }
        drop(work);
        inner.tell(Change::Document(home, id));
        Ok(id)
    }

    /// Puts a copy of something prepared on the agenda of a session: `wording`, or the entry's own text, with the
    /// `minutes` that it wants. Who is in the session's space can read it from then on; nothing else of the entry goes
    /// with it, and a later edit of the entry does not change it.
    ///
    /// What stands on that agenda already, and was not withdrawn, is answered and left as it is. A share that was
    /// interrupted is completed: a text that was written down then stays.
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (no such entry), `UNKNOWN_DOCUMENT`, `WRONG_KIND` (no session), `NOT_MEMBER`, `ROLE_FORBIDS`,
    /// `TEXT_EMPTY`, `TEXT_TOO_LONG`, `TEXT_INVALID`, `NUMBER_INVALID` (minutes), `TOO_MANY_ITEMS`, and those of the
    /// store; nothing was changed where it is refused.
    pub async fn share_preparation(
        &self,
        entry: ItemId,
        session: DocumentId,
        wording: Option<&str>,
        minutes: Option<u16>,
    ) -> Result<SharedItem, Error> {
        let inner = &self.inner;
        let log = self.preparation().await?;
        let prepared = inner.prepared(log, entry).await?;
        let (space, view) = inner.session_of(session).await?;
        inner.may_write(space).await?;
        if let Some(item) = standing(&prepared, session, &view) {
            let (item, text) = (item.id, item.text.text.clone());
            return Ok(SharedItem { space, session, item, text, begun: false });
        }
        let wanted = wording.unwrap_or(&prepared.text.text).to_owned();
        check_text(&wanted)?;
        minutes.map_or(Ok(()), |minutes| AgendaValue::Minutes(minutes).check())?;
        let item = next_item(&prepared, session);
        if view.item(item).is_none() {
            let after = view.agenda.last().map(|item| item.id);
            self.command(session, None, Command::Session(SessionCommand::AddItem { id: item, after })).await?;
        }
        // As it stands now: an item that was begun, and removed by somebody, comes back as it was.
        let (_, view) = inner.session_of(session).await?;
        let there = view.item(item).ok_or_else(|| Error::new(Code::Internal).with("what", "an item that was added"))?;
        let minutes = minutes.filter(|minutes| minutes_of(there).as_deref() != Some(&minutes.to_string()));
        for command in completing(there, &wanted, minutes) {
            self.command(session, None, Command::Session(command)).await?;
        }
        self.seal(session).await?;
        let text = self.write_down_share(log, entry, session, item).await?;
        Ok(SharedItem { space, session, item, text, begun: true })
    }

    /// Takes back what stands on the agenda of a session of something prepared: it shows as withdrawn to everybody, and
    /// whoever has read it has read it.
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (no such entry, or nothing of it is on that agenda), `UNKNOWN_DOCUMENT`, `WRONG_KIND`,
    /// `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn withdraw_preparation(&self, entry: ItemId, session: DocumentId) -> Result<(), Error> {
        let inner = &self.inner;
        let log = self.preparation().await?;
        let mut prepared = inner.prepared(log, entry).await?;
        let (space, view) = inner.session_of(session).await?;
        inner.may_write(space).await?;
        let begun = next_item(&prepared, session);
        if view.item(begun).is_some() {
            // A share that was interrupted: the log says what is taken back.
            self.write_down_share(log, entry, session, begun).await?;
            prepared = inner.prepared(log, entry).await?;
        }
        let name = session.to_string();
        let shares = prepared.shares_in(&name).filter(|share| share.state != PreparationState::Withdrawn);
        let shares: Vec<&ShareView> = shares.collect();
        if shares.is_empty() {
            return Err(Refusal::new(RefusalCode::UnknownItem).with("item", entry).into());
        }
        for share in shares {
            let on_agenda = view.item(share.item).filter(|item| item.state != AgendaState::Withdrawn);
            if let Some(item) = on_agenda {
                let (op, cites) = (inner.fresh_item()?, item.newest());
                let mark = SessionCommand::MarkItem { id: item.id, op, transition: AgendaTransition::Withdrawn, cites };
                self.command(session, None, Command::Session(mark)).await?;
            }
            let (op, cites) = (inner.fresh_item()?, prepared.unanswered_of(share.op));
            let mark = PreparationCommand::Mark { id: entry, op, mark: PreparationMark::Withdrawn, cites };
            self.command(log, None, Command::Preparation(mark)).await?;
        }
        self.seal(session).await?;
        self.seal(log).await
    }

    /// What became of everything that was shared, as the agendas show it on this device; nothing counts as looked at.
    ///
    /// # Errors
    /// As [`Client::preparation`].
    pub async fn shared_now(&self) -> Result<Vec<SharedNow>, Error> {
        let inner = &self.inner;
        let log = self.preparation().await?;
        let mut found = Vec::new();
        for entry in inner.preparation_shown(log).await?.entries {
            for share in &entry.shares {
                let view = match share.session.parse() {
                    Ok(session) => inner.session_of(session).await.ok(),
                    Err(_) => None,
                };
                let item = view.as_ref().and_then(|(_, view)| view.item(share.item));
                let hash = |item: &AgendaItemView| frozen(item.text.text.as_bytes()).to_string();
                found.push(SharedNow {
                    entry: entry.id,
                    share: share.op,
                    state: item.map(|item| item.state),
                    edited: item.is_some_and(|item| hash(item) != share.hash),
                });
            }
        }
        Ok(found)
    }

    /// The second half of a share: the entry's log says what stands on the agenda. Answers its text.
    async fn write_down_share(
        &self,
        log: DocumentId,
        entry: ItemId,
        session: DocumentId,
        item: ItemId,
    ) -> Result<String, Error> {
        let inner = &self.inner;
        let (space, view) = inner.session_of(session).await?;
        let text = view.item(item).map(|item| item.text.text.clone()).unwrap_or_default();
        let date = session_date(&view).parse().ok();
        let share = Share { space, session, item, hash: frozen(text.as_bytes()), date };
        let cites = inner.prepared(log, entry).await?.unanswered_marks();
        let op = inner.fresh_item()?;
        let share = PreparationCommand::Share { id: entry, op, share, cites };
        self.command(log, None, Command::Preparation(share)).await?;
        self.seal(log).await?;
        Ok(text)
    }
}

impl Inner {
    async fn preparation_shown(&self, log: DocumentId) -> Result<PreparationView, Error> {
        let (space, _) = self.find(log).await?;
        let View::Preparation(view) = self.shown(space, log).await? else {
            return Err(Code::DocumentBroken.into());
        };
        Ok(view)
    }

    async fn prepared(&self, log: DocumentId, entry: ItemId) -> Result<PreparationEntryView, Error> {
        let mut entries = self.preparation_shown(log).await?.entries.into_iter();
        let found = entries.find(|known| known.id == entry);
        found.ok_or_else(|| Refusal::new(RefusalCode::UnknownItem).with("item", entry).into())
    }

    /// A session as it is shown, drafts included, and its space.
    async fn session_of(&self, session: DocumentId) -> Result<(SpaceId, SessionView), Error> {
        let (space, kind) = self.find(session).await?;
        if kind != DocumentKind::Session {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        let View::Session(view) = self.shown(space, session).await? else { return Err(Code::DocumentBroken.into()) };
        Ok((space, view))
    }

    /// An id for an item or for an entry of a log.
    pub(crate) fn fresh_item(&self) -> Result<ItemId, Error> {
        let mut id = [0; 8];
        id.copy_from_slice(&self.derive16("item", &[])?[..8]);
        Ok(ItemId(id))
    }
}

/// What stands on the agenda of what was shared there before.
fn standing<'a>(
    prepared: &PreparationEntryView,
    session: DocumentId,
    view: &'a SessionView,
) -> Option<&'a AgendaItemView> {
    let session = session.to_string();
    let mut shares = prepared.shares_in(&session).filter(|share| share.state != PreparationState::Withdrawn);
    shares.find_map(|share| view.item(share.item).filter(|item| item.state != AgendaState::Withdrawn))
}

/// The id of what is put on the agenda next: it counts what was put there, not how often two devices wrote that down.
fn next_item(prepared: &PreparationEntryView, session: DocumentId) -> ItemId {
    let name = session.to_string();
    let items: std::collections::BTreeSet<ItemId> = prepared.shares_in(&name).map(|share| share.item).collect();
    shared_item(prepared.id, session, items.len() as u64)
}

/// What is missing of a copy. A text that is no beginning of the one that is wanted was shared before this process, and
/// may have been read: it stays.
fn completing(there: &AgendaItemView, wanted: &str, minutes: Option<u16>) -> Vec<SessionCommand> {
    let id = there.id;
    let begun = u32::try_from(there.text.scalars()).unwrap_or(u32::MAX);
    let rest = wanted.strip_prefix(there.text.text.as_str()).unwrap_or_default();
    let splices = snapshot::splices(rest).map(|splice| Splice { pos: splice.pos.saturating_add(begun), ..splice });
    let edits = splices.map(|splice| SessionCommand::EditItem { id, splice });
    let minutes = minutes.map(|minutes| SessionCommand::SetItem { id, value: AgendaValue::Minutes(minutes) });
    edits.chain(minutes).collect()
}

/// How many minutes something on an agenda wants, in its stored form.
fn minutes_of(item: &AgendaItemView) -> Option<String> {
    let field = item.fields.iter().find(|field| field.field == AgendaField::Minutes)?;
    field.values.first().map(|claim| claim.value.clone())
}

/// Whether an agenda can hold a text: asked before anything is begun.
fn check_text(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(RefusalCode::TextEmpty));
    }
    if text.chars().count() > TEXT_SCALARS_MAX {
        return Err(Refusal::new(RefusalCode::TextTooLong).with("characters", TEXT_SCALARS_MAX));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(Refusal::new(RefusalCode::TextInvalid));
    }
    Ok(())
}
