//! Documents that a table describes (`core/model/src/form.rs`): beginning those of which a space has one, signing, and the
//! file of what all have signed.

use alliance_document::View;
use alliance_model::exports::ExportScope;
use alliance_model::form::{By, FormCommand, FormSeal, form_of_space, is_paused};
use alliance_model::signed::{ProvedText, SignedText};
use alliance_model::{CivilDate, Command, DocumentKind, FormView, ItemId, Refusal, RefusalCode, cosign, snapshot};
use alliance_wire::{DocumentId, FrozenHash, PersonTag, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::names::People;
use crate::views::Change;

/// What a file of a signed text proves, with nothing but the file ([`Client::signed_file`]).
///
/// # Errors
/// `SIGNED_BROKEN`.
pub fn prove_signed(file: &[u8]) -> Result<ProvedText, Refusal> {
    let verifies =
        |it: &alliance_model::Cosignature| alliance_crypto::verify(it.device, &it.message(), &it.signature).is_ok();
    let proved = SignedText::parse(file).and_then(|signed| signed.prove(verifies));
    proved.map_err(|error| Refusal::new(RefusalCode::SignedBroken).with("what", error))
}

impl Client {
    /// The document of a kind of which a space has one, begun if it is not here. Everybody who begins it while apart
    /// begins the same. Also says whether it was begun now.
    ///
    /// # Errors
    /// `WRONG_KIND` (spaces have several of this kind), `KIND_FORBIDS` (the space's audience holds no such document),
    /// `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn form_of_space(&self, space: SpaceId, kind: DocumentKind) -> Result<(DocumentId, bool), Error> {
        let inner = &self.inner;
        if !kind.form().is_some_and(|form| form.one) {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        let id = form_of_space(kind, &space);
        if inner.device.find_document(id).await?.is_some() {
            inner.unlocked(space)?;
            return Ok((id, false));
        }
        inner.may_write(space).await?;
        inner.may_hold(space, kind).await?;
        let mut work = inner.work.lock().await;
        inner.put_new_document(&mut work, space, id, kind).await?;
        drop(work);
        inner.tell(Change::Document(space, id));
        Ok((id, true))
    }

    /// Adds an item to a list of a form: its fields and its words, each piece of which is durable when this returns. What
    /// may not be said is refused before anything is written. Ask [`Client::seal`] for it to go on its way.
    ///
    /// # Errors
    /// `FEEDBACK_PAUSED`, `KIND_FORBIDS`, `EVIDENCE_SOURCE`, `UNKNOWN_FIELD`, `UNKNOWN_WORD`, the refusals of values and
    /// texts, and as [`Client::command`].
    pub async fn add_to_form(
        &self,
        document: DocumentId,
        list: &str,
        fields: &[(&str, &str)],
        text: &str,
    ) -> Result<ItemId, Error> {
        let (space, kind) = self.inner.find(document).await?;
        self.inner.may_add(space, (kind, list), fields).await?;
        self.added(document, (space, kind), list, (fields, text)).await
    }

    /// The same in the form of which a space has one, which is begun if it is not here: not before it is sure that the item
    /// may be added.
    ///
    /// # Errors
    /// As [`Client::add_to_form`], and `WRONG_KIND` (spaces have several of this kind).
    pub async fn add_to_space(
        &self,
        (space, kind): (SpaceId, DocumentKind),
        list: &str,
        fields: &[(&str, &str)],
        text: &str,
    ) -> Result<(DocumentId, ItemId), Error> {
        self.inner.may_add(space, (kind, list), fields).await?;
        let (document, _) = self.form_of_space(space, kind).await?;
        Ok((document, self.added(document, (space, kind), list, (fields, text)).await?))
    }

    /// Writes an item that may be added.
    async fn added(
        &self,
        document: DocumentId,
        (space, kind): (SpaceId, DocumentKind),
        list: &str,
        (fields, text): (&[(&str, &str)], &str),
    ) -> Result<ItemId, Error> {
        let inner = &self.inner;
        let (id, person) = (inner.fresh_item()?, inner.own_tag(space).await?);
        let mut commands = vec![FormCommand::Add { id, list: list.to_owned(), after: None, person }];
        let set = |(field, value): &(&str, &str)| FormCommand::SetItem {
            id,
            field: (*field).to_owned(),
            value: (*value).to_owned(),
        };
        commands.extend(fields.iter().map(set));
        commands.extend(snapshot::splices(text).map(|splice| FormCommand::EditItem { id, splice }));
        for command in commands {
            self.command(document, None, Command::Form(kind, command)).await?;
        }
        Ok(id)
    }

    /// Signs what a form says, and returns the name of what is signed. `seen` is the text that the person looked at:
    /// [`FormView::text`]. Everybody who writes in the space signs it, or the persons that are named; then it never
    /// changes.
    ///
    /// # Errors
    /// `STALE_TEXT` (it says something else by now), `INCOMPLETE`, `NEEDS_CHOICE`, `NOT_PARTY`, `ALREADY_SIGNED`,
    /// `SAME_PERSON_COSIGN`, `SEALED`, `LANGUAGE_INVALID`, `DATE_INVALID`, `WRONG_KIND`, `UNKNOWN_DOCUMENT`,
    /// `WAITING_FOR_KEYS`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn sign_form(
        &self,
        document: DocumentId,
        seen: FrozenHash,
        (language, on): (&str, CivilDate),
        persons: Option<&[PersonTag]>,
    ) -> Result<FrozenHash, Error> {
        let inner = &self.inner;
        let (space, kind) = inner.find(document).await?;
        inner.may_write(space).await?;
        if kind.form().is_none_or(|form| form.signed.is_none()) {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let open = inner.sealed(&mut work, space, document).await?;
        let heads = open.copy.as_ref().ok_or(Code::Internal)?.base().to_bytes();
        let view = form_in(open.view(&people)?)?;
        let mut parties = inner.parties(space, &people).await?;
        if let Some(persons) = persons {
            parties.retain(|party| persons.contains(&party.person));
        }
        let sealing = view.sealing(seen, heads, parties).ok_or_else(|| {
            let refusal = Refusal::new(RefusalCode::StaleText).with("signed", seen.short());
            refusal.with("current", cosign::short(&view.text))
        })?;
        let signature = inner.cosignature(space, sealing.frozen, language, on).await?;
        let (op, frozen) = (inner.fresh_item()?, sealing.frozen);
        let sealed = Box::new(FormSeal { sealing, signature });
        let command = Command::Form(kind, FormCommand::Sign { op, sealed, seen });
        inner.write_and_seal(&mut work, space, document, &command).await?;
        drop(work);
        inner.tell(Change::Document(space, document));
        Ok(frozen)
    }

    /// The file of what all have signed of a form: it says by itself what they did ([`prove_signed`]). That it was given
    /// out stands in the space's log of exports.
    ///
    /// # Errors
    /// `INCOMPLETE` (not all have signed it), and as [`Client::export_space`].
    pub async fn signed_file(&self, document: DocumentId, on: CivilDate, reason: &str) -> Result<Vec<u8>, Error> {
        let inner = &self.inner;
        let (space, _) = inner.find(document).await?;
        inner.may_write(space).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let view = inner.form_view(&mut work, space, document, &people).await?;
        let missing = || Refusal::new(RefusalCode::Incomplete).with("missing", "signatures");
        let file = view.signed_file().ok_or_else(missing)?.encode();
        inner.given_out(&mut work, space, ExportScope::Signed, &file, (on, reason)).await?;
        drop(work);
        inner.tell(Change::Document(space, alliance_model::kind::exports_of(&space)));
        Ok(file)
    }
}

impl Inner {
    /// What a form shows, with what others wrote and with this person's own draft.
    pub(crate) async fn form_view(
        &self,
        work: &mut Work,
        space: SpaceId,
        document: DocumentId,
        people: &People,
    ) -> Result<FormView, Error> {
        let open = self.open_document(work, space, document, None).await?;
        open.let_others_in()?;
        form_in(open.view(people)?)
    }

    /// The one form of a kind of a space; nothing where nobody began it.
    pub(crate) async fn form_here(
        &self,
        work: &mut Work,
        space: SpaceId,
        kind: DocumentKind,
    ) -> Result<Option<FormView>, Error> {
        let id = form_of_space(kind, &space);
        if self.device.find_document(id).await?.is_none() {
            return Ok(None);
        }
        let people = self.people(space).await?;
        let mut view = self.form_view(work, space, id, &people).await?;
        if kind == DocumentKind::Charter {
            crate::charter::released(&mut view, &people);
        }
        Ok(Some(view))
    }

    /// Whether agreements, charter and policy of a space let somebody do this to a form.
    pub(crate) async fn form_is_agreed(
        &self,
        work: &mut Work,
        space: SpaceId,
        kind: DocumentKind,
        command: &FormCommand,
    ) -> Result<(), Error> {
        match command {
            // Nobody adds something in another's name: others would show it without one.
            FormCommand::Add { person, .. } if *person != self.own_tag(space).await? => {
                Err(Refusal::new(RefusalCode::NotAuthor).into())
            }
            FormCommand::Say { item: Some(id), said, .. } => self.may_say(work, space, (kind, *id), &said.word).await,
            FormCommand::SetItem { id, field, value } => {
                if kind == DocumentKind::Charter && field == "audience" {
                    self.may_say_audience(work, space, value).await?;
                }
                if !matches!(kind, DocumentKind::Feedback | DocumentKind::Remarks) {
                    return Ok(());
                }
                let document = form_of_space(kind, &space);
                let people = self.people(space).await?;
                let view = self.form_view(work, space, document, &people).await?;
                let Some(item) = view.item(*id) else { return Ok(()) };
                let others = item.fields.iter().filter(|it| it.field != *field);
                let others = others.filter_map(|it| Some((it.field.as_str(), it.values.first()?.value.as_str())));
                let fields: Vec<(&str, &str)> = others.chain([(field.as_str(), value.as_str())]).collect();
                self.item_is_agreed(work, space, (kind, &item.list), &fields).await
            }
            FormCommand::Add { .. }
            | FormCommand::EditText { .. }
            | FormCommand::Set { .. }
            | FormCommand::Clear { .. }
            | FormCommand::Put { .. }
            | FormCommand::Take { .. }
            | FormCommand::EditItem { .. }
            | FormCommand::Remove { .. }
            | FormCommand::Say { .. }
            | FormCommand::Sign { .. }
            | FormCommand::Keep { .. } => Ok(()),
        }
    }

    /// Whether a word is for this person to say of an item: some are for whoever is named in it only.
    async fn may_say(
        &self,
        work: &mut Work,
        space: SpaceId,
        (kind, item): (DocumentKind, ItemId),
        word: &str,
    ) -> Result<(), Error> {
        let lists = kind.form().map(|form| form.lists).unwrap_or_default();
        let mut named = lists.iter().flat_map(|list| list.words).filter(|known| known.name == word);
        let Some(By::Named(field)) = named.next().map(|known| known.by) else { return Ok(()) };
        let Some(view) = self.form_here(work, space, kind).await? else { return Ok(()) };
        let Some(item) = view.item(item) else { return Ok(()) };
        let me = self.own_tag(space).await?.to_string();
        let mine = item.value(field).is_some_and(|person| person == me);
        if mine { Ok(()) } else { Err(Refusal::new(RefusalCode::NotAuthor).into()) }
    }

    /// Whether this person may add an item with these fields to a list.
    async fn may_add(
        &self,
        space: SpaceId,
        (kind, list): (DocumentKind, &str),
        fields: &[(&str, &str)],
    ) -> Result<(), Error> {
        self.may_write(space).await?;
        let known = kind.form().ok_or_else(|| Refusal::new(RefusalCode::WrongKind).with("kind", kind))?;
        let unknown = |name: &str| Refusal::new(RefusalCode::UnknownField).with("field", name);
        let table = known.list(list).ok_or_else(|| unknown(list))?;
        for (name, value) in fields {
            table.fields.iter().find(|field| field.name == *name).ok_or_else(|| unknown(name))?.sort.check(value)?;
        }
        let mut work = self.work.lock().await;
        self.item_is_agreed(&mut work, space, (kind, list), fields).await
    }

    /// Whether an item with these fields may be added to a list.
    async fn item_is_agreed(
        &self,
        work: &mut Work,
        space: SpaceId,
        (kind, list): (DocumentKind, &str),
        fields: &[(&str, &str)],
    ) -> Result<(), Error> {
        let value = |name: &str| fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
        match (kind, list) {
            (DocumentKind::Feedback, _) => match value("to") {
                Some(to) => self.may_give_feedback(work, space, to).await,
                None => Ok(()),
            },
            (DocumentKind::Remarks, "challenge") => self.may_challenge(work, space, &value).await,
            _ => Ok(()),
        }
    }

    /// Whether somebody may be given feedback: they may have asked for no more just now (DOMAIN A30, 2.6 row 7).
    async fn may_give_feedback(&self, work: &mut Work, space: SpaceId, to: &str) -> Result<(), Error> {
        let Some(charter) = self.form_here(work, space, DocumentKind::Charter).await? else { return Ok(()) };
        let Ok(person) = to.parse::<PersonTag>() else { return Ok(()) };
        let name = self.directory(space).await?.person(person);
        if is_paused(&charter, &name) { Err(Refusal::new(RefusalCode::FeedbackPaused).into()) } else { Ok(()) }
    }
}

pub(crate) fn form_in(view: View) -> Result<FormView, Error> {
    let View::Form(view) = view else { return Err(Refusal::new(RefusalCode::WrongKind).into()) };
    Ok(view)
}
