//! The newcomer's side of an invitation (PROTOCOL section 4).

use alliance_crypto::{PendingJoin, Secret as _};
use alliance_store::device::{DeviceOp, LocalSpace, Pending, RelayRow, SpaceState};
use alliance_wire::{DeviceKey, Frame, SignerKey, SpaceId, codec};

use crate::error::{Code, Error};
use crate::home::{HOME, HOME_TITLE};
use crate::inner::{Client, Inner};
use crate::invite::{ACCEPT_PREFIX, REVEAL_PREFIX, collect, is_token, parse, post, unwrap, wrap};
use crate::reference::{begins, only};
use crate::spaces::checked_title;
use crate::views::{Change, JoinState, JoinView, Progress};

/// Which pending rows are requests to join.
const JOINS: u8 = 2;

/// A request to join as it is kept.
#[derive(Clone, minicbor::Encode, minicbor::Decode)]
struct Row {
    #[n(0)]
    pending: PendingJoin,
    #[n(1)]
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
enum State {
    #[n(0)]
    Asked,
    #[n(1)]
    Joined,
    #[n(2)]
    Mismatch,
    #[n(3)]
    Used,
}

impl Row {
    fn key(&self) -> SignerKey {
        self.pending.secret().signer_key()
    }

    fn row(&self) -> DeviceOp {
        DeviceOp::PutPending(Pending { kind: JOINS, id: self.key().0.to_vec(), value: codec::encode(self) })
    }
}

impl Client {
    /// Asks to join by an invitation's text. With a relay in it, the next sync carries the request there; without, the
    /// accept in the answer is handed to the inviter.
    ///
    /// # Errors
    /// `INVITATION_DAMAGED`, `INVITATION_NEWER`, `INVITATION_FOREIGN` (one's own),
    /// `INVITATION_USED` (this store is in the space already), and those of the store.
    pub async fn join(&self, text: &str, title: Option<&str>) -> Result<JoinView, Error> {
        let inner = &self.inner;
        if is_token(text) {
            return Err(Error::new(Code::InvitationDamaged).with("what", "an operator's token, not an invitation"));
        }
        let invitation = parse(text)?;
        let space = invitation.space;
        if invitation.inviter == inner.me {
            return Err(Error::new(Code::InvitationForeign).with("what", "your own invitation"));
        }
        let once = invitation.secret().signer_key();
        if let Some(row) = inner.join_rows().await?.into_iter().find(|row| row.key() == once) {
            return match row.state {
                State::Asked => inner.join_view(&row).await,
                State::Joined | State::Mismatch | State::Used => Err(Code::InvitationUsed.into()),
            };
        }
        let known = inner.device.local_space(space).await?;
        if known.as_ref().is_some_and(|local| local.state == SpaceState::Joined) {
            return Err(Error::new(Code::InvitationUsed).with("what", "this store is in the space already"));
        }
        let title = match title {
            Some(title) => checked_title(title)?,
            None => known.map_or_else(|| format!("space {}", space.short()), |local| local.title),
        };
        let relay = invitation.relay.clone();
        let name = &inner.profile.name;
        // As a further device of somebody, this store follows its home.
        let further = invitation.person.is_some();
        let (role, title) = if further { (HOME, HOME_TITLE.to_owned()) } else { (0, title) };
        let mut ops = if further { inner.gives_up_home().await? } else { Vec::new() };
        let recovery = inner.own_recovery().await?;
        // The inviter refuses what has expired, by the clock that it expired by: this device's may be fifty years off.
        let in_time = invitation.expires;
        let pending = PendingJoin::new(&inner.secret, recovery, invitation, name, in_time, inner.around.bytes()?)?;
        let row = Row { pending, state: State::Asked };
        let state = SpaceState::Expected;
        ops.extend([row.row(), DeviceOp::PutSpace(LocalSpace { space, title, role, state, detail: Vec::new() })]);
        if let Some(relay) = relay {
            let known = inner.device.relays().await?.iter().any(|row| row.relay == relay.key);
            if !known {
                let added = inner.around.now_millis();
                let (relay, address) = (relay.key, relay.address);
                ops.push(DeviceOp::PutRelay(RelayRow { relay, address, token: None, added }));
            }
        }
        inner.device.apply(ops).await?;
        inner.tell(Change::Status);
        inner.join_view(&row).await
    }

    /// The requests to join of this store, settled ones too.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn joins(&self) -> Result<Vec<JoinView>, Error> {
        let mut views = Vec::new();
        for row in self.inner.join_rows().await? {
            views.push(self.inner.join_view(&row).await?);
        }
        Ok(views)
    }

    /// Meets the inviter of a request, `id` or the beginning of it, whose device listens at this address: asks, and gives
    /// the words to compare. Met again after the inviter confirmed them, it brings the space.
    ///
    /// # Errors
    /// `UNKNOWN_INVITATION`, `AMBIGUOUS`, `WRONG_DEVICE_KEY` (another device answers than the one that invited), and those
    /// of [`Client::sync_with`].
    pub async fn meet_inviter(
        &self,
        id: &str,
        address: &str,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<JoinView, Error> {
        let rows = self.inner.join_rows().await?;
        let row = only(rows.iter().filter(|row| begins(&row.key(), id)), Code::UnknownInvitation, "invitation", id)?;
        let (once, inviter) = (row.key(), row.pending.invitation().inviter);
        self.sync_with(inviter, address, progress).await?;
        let rows = self.inner.join_rows().await?;
        let row = rows.iter().find(|row| row.key() == once).ok_or(Code::UnknownInvitation)?;
        self.inner.join_view(row).await
    }

    /// Takes the inviter's answer that was handed over as text, and gives the words to compare.
    ///
    /// # Errors
    /// `INVITATION_DAMAGED`, `INVITATION_FOREIGN`, `INVITATION_USED` (somebody else's accept was answered),
    /// `CODE_MISMATCH`, and those of the store.
    pub async fn answer_reveal(&self, text: &str) -> Result<JoinView, Error> {
        let message = unwrap(text, REVEAL_PREFIX)?;
        let mut last = Error::new(Code::InvitationForeign);
        for mut row in self.inner.join_rows().await? {
            match self.inner.receive_reveal(&mut row, &message).await {
                Ok(()) => return self.inner.join_view(&row).await,
                Err(error) if error.code() == Code::InvitationForeign.code() => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Inner {
    async fn join_rows(&self) -> Result<Vec<Row>, Error> {
        let rows = self.device.pending(JOINS).await?;
        rows.iter().map(|row| codec::decode(&row.value).map_err(|_| Error::new(Code::StoreDamaged))).collect()
    }

    /// Spaces that this store asked to join: it expects them from whoever has them.
    pub(crate) async fn expected(&self) -> Result<Vec<SpaceId>, Error> {
        let all = self.device.local_spaces().await?;
        Ok(all.into_iter().filter(|local| local.state == SpaceState::Expected).map(|local| local.space).collect())
    }

    /// The rows that settle the requests for a space that has been joined.
    pub(crate) async fn settle_join(&self, space: SpaceId) -> Result<Vec<DeviceOp>, Error> {
        let rows = self.join_rows().await?.into_iter().filter(|row| row.pending.space() == space);
        Ok(rows.map(|row| Row { state: State::Joined, ..row }.row()).collect())
    }

    async fn receive_reveal(&self, row: &mut Row, message: &[u8]) -> Result<(), Error> {
        if row.pending.words().is_some() || row.state != State::Asked {
            return Err(Code::InvitationForeign.into());
        }
        let received = row.pending.receive(message);
        match received {
            Ok(_) => {}
            Err(alliance_crypto::JoinError::Commitment) => row.state = State::Mismatch,
            Err(alliance_crypto::JoinError::UsedByAnother) => row.state = State::Used,
            Err(error) => return Err(error.into()),
        }
        self.device.apply(vec![row.row()]).await?;
        self.tell(Change::Status);
        received.map(|_| ()).map_err(Error::from)
    }

    async fn join_view(&self, row: &Row) -> Result<JoinView, Error> {
        let space = row.pending.space();
        let state = match (row.state, row.pending.words()) {
            (State::Joined, _) => JoinState::Joined,
            (State::Mismatch | State::Used, _) => JoinState::Mismatch,
            (State::Asked, Some(words)) => {
                JoinState::Words { words: words.iter().map(|word| (*word).to_owned()).collect() }
            }
            (State::Asked, None) => JoinState::Asked,
        };
        Ok(JoinView {
            id: row.key().short(),
            space,
            title: self.local_space(space).await.map(|local| local.title).unwrap_or_default(),
            accept: wrap(row.pending.message(), ACCEPT_PREFIX),
            state,
        })
    }

    /// What to ask mailboxes for: the inviter's answer to each request that is open. A relay has one for each but those
    /// of further devices; an inviter who is met, for its own.
    pub(crate) async fn join_mail(&self, inviter: Option<DeviceKey>) -> Result<Vec<Frame>, Error> {
        let rows = self.join_rows().await?;
        let there = |row: &Row| match inviter {
            Some(inviter) => row.pending.invitation().inviter == inviter,
            None => row.pending.invitation().person.is_none(),
        };
        let open = rows.iter().filter(|row| row.state == State::Asked && there(row));
        Ok(open.map(|row| collect(&row.pending.secret(), row.key())).collect())
    }

    /// Takes what lies in the mailbox of a request, and says what to post there; `None` if it is not ours.
    pub(crate) async fn on_join_mail(&self, once: SignerKey, messages: &[&[u8]]) -> Result<Option<Vec<Frame>>, Error> {
        let Some(mut row) = self.join_rows().await?.into_iter().find(|row| row.key() == once) else {
            return Ok(None);
        };
        let ours = row.pending.message().to_vec();
        let sent = messages.contains(&ours.as_slice());
        for message in messages.iter().filter(|message| **message != ours) {
            if let Err(error) = self.receive_reveal(&mut row, message).await {
                tracing::debug!(%error, "a message in a mailbox is not the inviter's answer");
            }
        }
        let accept = (!sent && row.state == State::Asked).then_some(ours);
        Ok(Some(accept.map(|accept| post(&row.pending.secret(), once, accept)).into_iter().collect()))
    }
}
