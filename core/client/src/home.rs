//! The home of a person's devices: a personal space in which each tells the others which spaces the person is in, and
//! asks to be let into those (PROTOCOL section 1, home).
//!
//! A further device is let into the home by hand, once. Everything else follows by itself, whenever two of the devices
//! meet or find each other's entries at a relay: a place that one tells of is one that the others ask for, and who is
//! asked lists the device there, with the keys.

mod following;

use alliance_crypto::PendingInvite;
use alliance_store::device::{DeviceOp, LocalSpace, SpaceState};
use alliance_wire::membership::RecoveryCard;
use alliance_wire::{HeaderHash, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::invite::Row;
use crate::views::{Change, InviteView, MemberView, NewSpace};

/// The person's part in its home, as the store keeps it; 0 everywhere else.
pub(crate) const HOME: u8 = 1;
/// What stands where spaces have titles.
pub(crate) const HOME_TITLE: &str = "your devices";
/// How long a further device may be let in, in seconds: both lie on the table.
const DEVICE_INVITE_SECONDS: u64 = 60 * 60;

impl Client {
    /// Founds the home of this person's devices, unless it is here. Once a relay carries it, the recovery words alone
    /// lead back to every space. Programs call it when a store is set up.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_up_home(&self) -> Result<(), Error> {
        self.inner.set_up_home().await.map(|_| ())
    }

    /// Opens an invitation for a further device of this person, for an hour. Its text goes into [`Client::join`] on the
    /// other device, the two answers go back and forth by hand, and [`Client::confirm`] lets the device in.
    ///
    /// # Errors
    /// `NOT_MEMBER` (this device was put out), and those of the store.
    pub async fn invite_device(&self) -> Result<InviteView, Error> {
        use alliance_model::{Refusal, RefusalCode};
        let inner = &self.inner;
        let home = inner.set_up_home().await?;
        let membership = inner.membership(home).await?;
        let state = membership.state();
        let person = state.person_of(inner.me).ok_or_else(|| Refusal::new(RefusalCode::NotMember))?;
        let expires = inner.around.now_seconds().saturating_add(DEVICE_INVITE_SECONDS);
        let pending = PendingInvite::for_device(&inner.secret, home, person, expires, inner.around.bytes()?);
        let relay =
            state.relays.last().map(|pin| alliance_crypto::RelayAt { key: pin.relay, address: pin.address.clone() });
        let text = pending.invitation(relay).to_text();
        // No entry opens it: it is nobody's but this person's.
        let entry = HeaderHash(pending.once_key().key.0);
        let row = Row::open(pending, entry, text, expires);
        inner.device.apply(vec![row.row()]).await?;
        inner.tell(Change::Status);
        inner.invite_view(&row).await
    }
}

impl Inner {
    /// The space in which this person's devices find each other, if there is one here.
    pub(crate) async fn home(&self) -> Result<Option<SpaceId>, Error> {
        let is_home = |local: &LocalSpace| local.role == HOME && local.state != SpaceState::Left;
        Ok(self.device.local_spaces().await?.into_iter().find(is_home).map(|local| local.space))
    }

    pub(crate) async fn set_up_home(&self) -> Result<SpaceId, Error> {
        if let Some(home) = self.home().await? {
            return Ok(home);
        }
        let home = self.found(HOME_TITLE, NewSpace::Personal, HOME).await?;
        self.home_is_due();
        Ok(home)
    }

    /// The recovery key under which this person's spaces are founded and joined: that of its first device.
    pub(crate) async fn own_recovery(&self) -> Result<RecoveryCard, Error> {
        let own = self.profile.recovery;
        let Some(home) = self.home().await? else { return Ok(own) };
        let Some(membership) = self.spaces.membership(home).await? else { return Ok(own) };
        let state = membership.state();
        let member = state.person_of(self.me).and_then(|person| state.members.get(&person));
        Ok(member.and_then(|member| member.recovery.first()).copied().unwrap_or(own))
    }

    /// Whether this store may become a further device of somebody: nobody else is in its home, and it is nowhere else.
    pub(crate) async fn gives_up_home(&self) -> Result<Vec<DeviceOp>, Error> {
        let mut ops = Vec::new();
        for local in self.device.local_spaces().await? {
            if local.state == SpaceState::Left {
                continue;
            }
            let membership = self.spaces.membership(local.space).await?;
            // A home that it asked to be let into, in vain, is none.
            let alone = membership.is_none_or(|membership| membership.state().devices().eq([self.me]));
            if local.role != HOME || !alone || self.holds_documents(local.space).await? {
                return Err(Code::StoreInUse.into());
            }
            ops.push(DeviceOp::PutSpace(LocalSpace { state: SpaceState::Left, ..local }));
        }
        Ok(ops)
    }

    /// Whether somebody prepared something in a space: what is given up would be lost with it.
    pub(crate) async fn holds_documents(&self, space: SpaceId) -> Result<bool, Error> {
        Ok(!self.device.document_ids(space).await?.is_empty())
    }

    /// Lets the further device of a confirmed invitation in.
    pub(crate) async fn admit_device(&self, row: &mut Row) -> Result<MemberView, Error> {
        let home = row.pending.space();
        let person = row.pending.person().ok_or(Code::Internal)?;
        let card = row.pending.confirm_device()?;
        let device = card.device;
        row.confirmed();
        let mut work = self.work.lock().await;
        let rows = vec![row.row()];
        self.change_membership(&mut work, home, &*self.secret, rows, |maker| maker.device(person, card)).await?;
        self.take_in(&mut work, home).await?;
        drop(work);
        self.tell(Change::Space(home));
        let members = self.members(home).await?;
        members.into_iter().find(|member| member.devices.contains(&device)).ok_or_else(|| Code::Internal.into())
    }
}
