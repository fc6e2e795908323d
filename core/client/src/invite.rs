//! The inviter's side of an invitation (PROTOCOL section 4).

mod mailbox;
mod rows;

use alliance_crypto::{Invitation, PendingInvite, RelayAt, Secret as _, make_boxes};
use alliance_net::{AdmissionToken, ArmorError};
use alliance_store::device::DeviceOp;
use alliance_wire::frame::{Post, mailbox_message};
use alliance_wire::membership::{Invite, Operation, SpaceKind};
use alliance_wire::{Frame, SignerKey, SpaceId, Stream, codec};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::names::Details;
use crate::views::{Change, InviteOptions, InviteState, InviteView, MemberView};

pub(crate) use rows::Row;
use rows::{INVITES, State, Uses, named};

/// Uses of one invitation, at most: as many as a space has members, which is what an entry may list.
pub const INVITE_USES_MAX: u16 = 200;
const _: () = assert!(INVITE_USES_MAX as usize == alliance_wire::limits::MEMBERS_MAX);
const DAY_SECONDS: u64 = 24 * 60 * 60;
/// What stands before an answer that travels as text.
pub(crate) const ACCEPT_PREFIX: &str = "alliance-accept:";
pub(crate) const REVEAL_PREFIX: &str = "alliance-reveal:";
/// Version of both texts.
const ANSWER_VERSION: u8 = 1;

impl Client {
    /// Opens an invitation to a space, for one person. Only the steward can.
    ///
    /// # Errors
    /// Those of [`Self::invite_several`].
    pub async fn invite(&self, space: SpaceId, options: InviteOptions) -> Result<InviteView, Error> {
        self.invite_several(space, options, 1).await?.pop().ok_or_else(|| Code::Internal.into())
    }

    /// Opens one invitation for `uses` persons: as many texts, each with a one-time key of its own that serves one
    /// person once. Only the steward can.
    ///
    /// # Errors
    /// `NUMBER_INVALID` (`uses` is not 1 to [`INVITE_USES_MAX`]), `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`,
    /// `TOO_MANY_ITEMS` (the space has fewer free places), and those of the store.
    pub async fn invite_several(
        &self,
        space: SpaceId,
        options: InviteOptions,
        uses: u16,
    ) -> Result<Vec<InviteView>, Error> {
        use alliance_model::{Refusal, RefusalCode};
        let inner = &self.inner;
        if !(1..=INVITE_USES_MAX).contains(&uses) {
            return Err(Refusal::new(RefusalCode::NumberInvalid).with("field", "uses").into());
        }
        let _work = inner.work.lock().await;
        let mut membership = inner.membership(space).await?;
        let state = membership.state();
        let person = state.person_of(inner.me).ok_or_else(|| Refusal::new(RefusalCode::NotMember))?;
        let places = match state.kind {
            Some(SpaceKind::Joint { persons_max }) => usize::from(persons_max),
            Some(SpaceKind::Group) => alliance_wire::limits::MEMBERS_MAX,
            Some(SpaceKind::Personal) | None => 0,
        };
        let free = places.saturating_sub(state.members.len());
        if usize::from(uses) > free {
            return Err(Refusal::new(RefusalCode::TooManyItems).with("field", "members").with("free", free).into());
        }
        if !state.is_steward(inner.me) || state.ended {
            return Err(Refusal::new(RefusalCode::RoleForbids).into());
        }
        let expires = inner.around.now_seconds().saturating_add(u64::from(options.days) * DAY_SECONDS);
        let relay = state.relays.last().map(|pin| RelayAt { key: pin.relay, address: pin.address.clone() });
        let mut pending = Vec::new();
        for _ in 0..uses {
            pending.push(PendingInvite::new(&inner.secret, space, options.role, expires, inner.around.bytes()?));
        }
        let keys = pending.iter().map(PendingInvite::once_key).collect();
        let invite = Operation::Invite(Invite { keys, role: options.role, expires });
        let mut pen = inner.pen(space, Stream::Membership).await?;
        let entry = inner.sign_operation(&mut pen, &mut membership, Some(person), invite)?;
        let hash = entry.hash();
        let row = |pending: PendingInvite| {
            let text = pending.invitation(relay.clone()).to_text();
            Row::open(pending, hash, text, expires)
        };
        let rows: Vec<Row> = pending.into_iter().map(row).collect();
        inner.append(vec![entry], rows.iter().map(Row::row).collect()).await?;
        inner.tell(Change::Status);
        inner.invite_views(&rows, &rows).await
    }

    /// Takes an invitation back, or says that its words differ: its one-time key is spent, nobody comes in by it, and
    /// nothing is shared. `invite` is the beginning of its number.
    ///
    /// # Errors
    /// `UNKNOWN_INVITATION`, `AMBIGUOUS`, `INVITATION_USED` (it is spent, or its newcomer was added), and those of the
    /// store.
    pub async fn reject(&self, invite: &str) -> Result<InviteView, Error> {
        let inner = &self.inner;
        let _invites = inner.invites.lock().await;
        let mut row = named(&inner.invite_rows().await?, invite)?;
        if row.state != State::Open {
            return Err(Code::InvitationUsed.into());
        }
        inner.spend(&mut row).await?;
        inner.tell(Change::Status);
        inner.invite_view(&row).await
    }

    /// The invitations of this store, settled ones too.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn invites(&self) -> Result<Vec<InviteView>, Error> {
        let rows = self.inner.invite_rows().await?;
        self.inner.invite_views(&rows, &rows).await
    }

    /// One invitation of this store, by the beginning of its number.
    ///
    /// # Errors
    /// `UNKNOWN_INVITATION`, `AMBIGUOUS`, and those of the store.
    pub async fn invitation(&self, invite: &str) -> Result<InviteView, Error> {
        let row = named(&self.inner.invite_rows().await?, invite)?;
        self.inner.invite_view(&row).await
    }

    /// Takes a newcomer's answer that was handed over as text, and gives the words to compare and the text to hand
    /// back.
    ///
    /// # Errors
    /// `INVITATION_DAMAGED`, `INVITATION_FOREIGN`, `INVITATION_USED`, `INVITATION_EXPIRED`, and those of the store.
    pub async fn answer_accept(&self, text: &str) -> Result<InviteView, Error> {
        let message = unwrap(text, ACCEPT_PREFIX)?;
        let mut last = Error::new(Code::InvitationForeign);
        let _invites = self.inner.invites.lock().await;
        for mut row in self.inner.invite_rows().await? {
            match self.inner.receive_accept(&mut row, &message).await {
                Ok(()) => return self.inner.invite_view(&row).await,
                Err(error) if error.code() == Code::InvitationForeign.code() => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The newcomer read these words aloud. If they are ours, the newcomer is let in and gets the keys; if not, nothing
    /// is shared and the invitation is spent.
    ///
    /// # Errors
    /// `UNKNOWN_INVITATION`, `AMBIGUOUS`, `NOT_ANSWERED`, `INVITATION_USED`, `CODE_MISMATCH`, `WAITING_FOR_KEYS`, and
    /// those of the store.
    pub async fn confirm(&self, invite: &str, words: &str) -> Result<MemberView, Error> {
        let inner = &self.inner;
        let _invites = inner.invites.lock().await;
        let mut row = named(&inner.invite_rows().await?, invite)?;
        if row.state != State::Open {
            return Err(Code::InvitationUsed.into());
        }
        let ours = row.pending.words().ok_or(Code::NotAnswered)?;
        let theirs: Vec<String> =
            words.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        if theirs != ours {
            inner.spend(&mut row).await?;
            return Err(Code::CodeMismatch.into());
        }
        if row.pending.person().is_some() { inner.admit_device(&mut row).await } else { inner.admit(&mut row).await }
    }
}

impl Inner {
    /// Lets the newcomer of a confirmed invitation in, with the keys.
    async fn admit(&self, row: &mut Row) -> Result<MemberView, Error> {
        let space = row.pending.space();
        let mut work = self.work.lock().await;
        let mut membership = self.membership(space).await?;
        let epoch = membership.best_epoch().ok_or(Code::WaitingForKeys)?.id;
        let key = self.keyring(&mut work, space).await?.get(epoch).ok_or(Code::WaitingForKeys)?;
        let accept = row.pending.accept().ok_or(Code::NotAnswered)?;
        let (device, name) = (accept.card.device, accept.name.clone());
        let recipients =
            [(SignerKey::from(device), accept.card.boxes), (accept.recovery.signer, accept.recovery.boxes)];
        let boxes = make_boxes(&*self.secret, self.around.bytes()?, space, epoch, key, &recipients);
        let (tag, add) = row.pending.confirm(row.entry, boxes)?;
        let mut pen = self.pen(space, Stream::Membership).await?;
        let entry = self.sign_operation(&mut pen, &mut membership, Some(tag), Operation::Add(add))?;
        if membership.is_authorised(entry.hash()) != Some(true) {
            return Err(Error::new(Code::InvitationUsed));
        }
        row.state = State::Confirmed;
        let mut ops = vec![row.row()];
        let mut local = self.local_space(space).await?;
        let mut details = Details::of(&local);
        if let Ok(name) = alliance_model::display_name(&name) {
            // Until the newcomer's own card arrives.
            details.set(device, name);
            local.detail = details.encode();
            ops.push(DeviceOp::PutSpace(local));
        }
        self.append(vec![entry], ops).await?;
        self.take_in(&mut work, space).await?;
        drop(work);
        self.tell(Change::Space(space));
        let members = self.members(space).await?;
        members.into_iter().find(|member| member.devices.contains(&device)).ok_or_else(|| Code::Internal.into())
    }

    /// Nobody is admitted by this one-time key any more.
    async fn spend(&self, row: &mut Row) -> Result<(), Error> {
        row.pending.reject();
        row.state = State::Spent;
        Ok(self.device.apply(vec![row.row()]).await?)
    }

    async fn invite_rows(&self) -> Result<Vec<Row>, Error> {
        let rows = self.device.pending(INVITES).await?;
        rows.iter().map(|row| codec::decode(&row.value).map_err(|_| Error::new(Code::StoreDamaged))).collect()
    }

    /// Takes an accept and keeps the reveal before it can be sent.
    async fn receive_accept(&self, row: &mut Row, message: &[u8]) -> Result<(), Error> {
        if row.state != State::Open {
            // Whose accept it is can still be said; that the key is spent, too.
            let mut trial = row.pending.clone();
            trial.receive(message, 0, self.around.bytes()?)?;
            return if row.state == State::Confirmed { Ok(()) } else { Err(Code::InvitationUsed.into()) };
        }
        let answered = row.pending.accept().is_some();
        let reveal = row.pending.receive(message, self.around.now_seconds(), self.around.bytes()?)?;
        if !answered || row.reveal.is_none() {
            row.reveal = Some(reveal);
            self.device.apply(vec![row.row()]).await?;
            self.tell(Change::Status);
        }
        Ok(())
    }

    /// The view of one row; its fellows are looked up.
    pub(crate) async fn invite_view(&self, row: &Row) -> Result<InviteView, Error> {
        let all = self.invite_rows().await?;
        Ok(self.view_among(row, Uses::count(&all, self.around.now_seconds()).get(&row.entry)).await)
    }

    async fn invite_views(&self, rows: &[Row], all: &[Row]) -> Result<Vec<InviteView>, Error> {
        let uses = Uses::count(all, self.around.now_seconds());
        let mut views = Vec::new();
        for row in rows {
            views.push(self.view_among(row, uses.get(&row.entry)).await);
        }
        Ok(views)
    }

    async fn view_among(&self, row: &Row, uses: Option<&Uses>) -> InviteView {
        let space = row.pending.space();
        let state = match (row.state, row.pending.accept(), row.pending.words()) {
            (State::Confirmed, _, _) => InviteState::Confirmed,
            (State::Spent, _, _) => InviteState::Spent,
            (State::Open, Some(accept), Some(words)) => InviteState::Answered {
                name: alliance_model::display_name(&accept.name).unwrap_or_else(|_| "somebody".to_owned()),
                words: words.iter().map(|word| (*word).to_owned()).collect(),
            },
            (State::Open, _, _) => InviteState::Open,
        };
        let uses = uses.copied().unwrap_or_default();
        InviteView {
            id: row.key().short(),
            space,
            title: self.local_space(space).await.map(|local| local.title).unwrap_or_default(),
            text: row.text.clone(),
            expires: row.expires,
            state,
            reveal: row.reveal.as_ref().map(|reveal| wrap(reveal, REVEAL_PREFIX)),
            entry: row.entry.short(),
            uses: uses.all,
            open: uses.open,
        }
    }

    /// What to ask a relay's mailboxes for: an answer to each invitation that is open.
    pub(crate) async fn invite_mail(&self) -> Result<Vec<Frame>, Error> {
        let rows = self.invite_rows().await?;
        let posted = |row: &&Row| row.is_waiting() && row.has_mailbox();
        Ok(rows.iter().filter(posted).map(|row| collect(&row.pending.secret(), row.key())).collect())
    }

    /// Takes what lies in the mailbox of an invitation, and says what to post there; `None` if it is not ours.
    pub(crate) async fn on_invite_mail(
        &self,
        once: SignerKey,
        messages: &[&[u8]],
    ) -> Result<Option<Vec<Frame>>, Error> {
        let _invites = self.invites.lock().await;
        let Some(mut row) = self.invite_rows().await?.into_iter().find(|row| row.key() == once) else {
            return Ok(None);
        };
        for message in messages {
            // A mailbox is open to whoever has the text: what is not in order is passed over.
            if let Err(error) = self.receive_accept(&mut row, message).await {
                tracing::debug!(%error, "a message in a mailbox is not an answer that counts");
            }
        }
        let sent = row.reveal.as_ref().is_some_and(|reveal| messages.iter().any(|message| message == reveal));
        let reveal = row.reveal.clone().filter(|_| !sent && row.is_waiting());
        Ok(Some(reveal.map(|reveal| post(&row.pending.secret(), once, reveal)).into_iter().collect()))
    }
}

/// Asks for a mailbox.
pub(crate) fn collect(secret: &alliance_crypto::OneTimeSecret, once: SignerKey) -> Frame {
    let proof = secret.sign(&mailbox_message(once, &[])).to_vec();
    Frame::Collect { once, proof: Some(proof.into()) }
}

/// Leaves a message in a mailbox.
pub(crate) fn post(secret: &alliance_crypto::OneTimeSecret, once: SignerKey, message: Vec<u8>) -> Frame {
    let proof = secret.sign(&mailbox_message(once, &message)).to_vec();
    Frame::Post(Post { once, message: message.into(), proof: Some(proof.into()) })
}

/// An answer as text that people can copy.
pub(crate) fn wrap(message: &[u8], word: &'static str) -> String {
    alliance_net::write_armor(word, ANSWER_VERSION, message)
}

/// Reads an answer that was copied.
pub(crate) fn unwrap(text: &str, word: &'static str) -> Result<Vec<u8>, Error> {
    alliance_net::read_armor(word, ANSWER_VERSION, text).map_err(|error| match error {
        ArmorError::Newer(version) => Error::new(Code::InvitationNewer).with("version", version),
        other @ (ArmorError::OtherKind { .. } | ArmorError::Character(_) | ArmorError::Damaged) => {
            Error::new(Code::InvitationDamaged).with("why", other)
        }
    })
}

/// Reads an invitation.
pub(crate) fn parse(text: &str) -> Result<Invitation, Error> {
    Ok(Invitation::parse(text.trim())?)
}

/// Whether a text is an operator's token, for telling people who mixed the two up.
pub(crate) fn is_token(text: &str) -> bool {
    text.trim().parse::<AdmissionToken>().is_ok()
}
