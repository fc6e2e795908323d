//! This device was put out of a space (PROTOCOL section 4, put out): it locks the space, or lets go of it.
//!
//! Nobody's word counts here but the membership as this device evaluates it. Suspended, on the word of one device, it
//! destroys nothing: drafts are sealed for handing over, and the space is closed until the person's words restore the
//! device. Lost or removed, it signs its last receipt, destroys the space's keys and then what they opened; what nobody
//! has acknowledged stays sealed until somebody does.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use alliance_crypto::{EpochKey, Fate, Keyring, Membership};
use alliance_store::Replica as _;
use alliance_store::device::{DeviceOp, SpaceState, Whereabouts};
use alliance_wire::{DeviceKey, EpochId, HashPrefix, LogName, SpaceId, Stream};

use crate::error::{Code, Error};
use crate::home::HOME;
use crate::inner::{Client, Inner, Work, lock};
use crate::views::{Change, OutView, Standing};

impl Client {
    /// The devices that were put out of a space or whose persons left, and which of them have said that they know.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, and those of the store.
    pub async fn devices_put_out(&self, space: SpaceId) -> Result<Vec<OutView>, Error> {
        let membership = self.inner.membership(space).await?;
        let directory = self.inner.directory(space).await?;
        let receipts = self.inner.device.replica().receipts(space).await?;
        let receipts: Vec<_> = receipts.iter().filter_map(|signed| signed.parse().ok()).collect();
        let mut views = Vec::new();
        for device in membership.state().listings().map(|(_, device)| device).collect::<BTreeSet<_>>() {
            let standing = match membership.fate_of(device) {
                Fate::Active | Fate::Never => continue,
                Fate::Suspended => Standing::Suspended,
                Fate::Gone => Standing::PutOut,
                Fate::Left => Standing::Closed,
            };
            let heads = receipts.iter().find(|receipt| receipt.device == device).map(|receipt| &receipt.heads);
            let then = heads.and_then(|heads| membership.state_at(heads));
            let confirmed = then.is_some_and(|then| !then.is_active(device));
            views.push(OutView { device, name: directory.device(device), standing, confirmed });
        }
        Ok(views)
    }
}

impl Inner {
    /// Whether a space may be looked into and written in on this device.
    ///
    /// # Errors
    /// `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`.
    pub(crate) fn unlocked(&self, space: SpaceId) -> Result<(), Error> {
        let code = match lock(&self.locks).get(&space) {
            None => return Ok(()),
            Some(Fate::Gone) => Code::DevicePutOut,
            Some(_) => Code::DeviceSuspended,
        };
        Err(Error::new(code).with("space", space))
    }

    /// What the spaces are that this device was put out of, when the store is opened.
    pub(crate) async fn look_for_locks(&self) -> Result<(), Error> {
        let mut spaces = self.device.replica().former_spaces(self.me).await?;
        for local in self.device.local_spaces().await? {
            if local.role == HOME
                && let Some(membership) = self.spaces.membership(local.space).await?
                && membership.fate_of(self.me) == Fate::Gone
            {
                self.lost_at_home.store(true, Ordering::Relaxed);
                spaces = self.device.local_spaces().await?.into_iter().map(|local| local.space).collect();
            }
        }
        for space in spaces {
            let Some(membership) = self.spaces.membership(space).await? else { continue };
            let fate = self.fate_in(&membership);
            if matches!(fate, Fate::Suspended | Fate::Gone) {
                lock(&self.locks).insert(space, fate);
            }
        }
        Ok(())
    }

    /// What became of this device in a space. If the words said in the person's home that it is lost, it lets go of
    /// everything, also where nobody has said so yet, or where nobody else of the person's is.
    fn fate_in(&self, membership: &Membership) -> Fate {
        let fate = membership.fate_of(self.me);
        let was_in = fate != Fate::Never;
        if was_in && self.lost_at_home.load(Ordering::Relaxed) { Fate::Gone } else { fate }
    }

    /// This device was told at home that it is lost: every other space goes as well.
    async fn let_go_of_everything(&self, work: &mut Work, home: SpaceId) -> Result<(), Error> {
        for local in self.device.local_spaces().await? {
            if local.space == home || lock(&self.locks).get(&local.space) == Some(&Fate::Gone) {
                continue;
            }
            if let Some(membership) = self.spaces.membership(local.space).await? {
                Box::pin(self.meet_fate(work, local.space, &membership)).await?;
            }
        }
        Ok(())
    }

    /// The membership grew: this device may have been put out, or let in again. `true` if it is out for good.
    pub(crate) async fn meet_fate(
        &self,
        work: &mut Work,
        space: SpaceId,
        membership: &Membership,
    ) -> Result<bool, Error> {
        let fate = self.fate_in(membership);
        if !matches!(fate, Fate::Suspended | Fate::Gone) {
            lock(&self.locks).remove(&space);
            // What stands in a log behind its cut-off counts no more, also after a restoration.
            let log = LogName::new(self.me, self.incarnation(), Stream::Data);
            if fate == Fate::Active && membership.ends_log(&log) {
                self.begin_anew();
            }
            return Ok(false);
        }
        lock(&self.locks).insert(space, fate);
        let local = self.device.local_space(space).await?;
        let wiped = local.as_ref().is_none_or(|local| local.state == SpaceState::Left);
        let is_home = local.is_some_and(|local| local.role == HOME);
        if !wiped {
            self.seal_drafts_of(work, space).await?;
            self.write_receipt(space).await?;
        }
        work.documents.retain(|(of, _), _| *of != space);
        self.tell(Change::Space(space));
        if fate == Fate::Gone {
            if !wiped {
                self.destroy_keys(work, space).await?;
            }
            self.drop_content(space).await?;
            if is_home {
                self.lost_at_home.store(true, Ordering::Relaxed);
                self.let_go_of_everything(work, space).await?;
            }
        }
        Ok(fate == Fate::Gone)
    }

    /// Seals the drafts of a space for which a key is here; the others stay what they are.
    async fn seal_drafts_of(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        for draft in self.device.drafts().await? {
            if draft.space != space || draft.incarnation != self.incarnation() {
                continue;
            }
            match self.seal_draft(work, space, draft.document).await {
                Ok(_) => {}
                Err(error) if error.code() == Code::DocumentBroken.code() => {
                    tracing::warn!(document = %draft.document.short(), "a draft could not be sealed and is kept");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The keys go first, durably: what is left behind them opens for nobody here.
    async fn destroy_keys(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        work.keyrings.remove(&space);
        let mut ops = vec![DeviceOp::ForgetEpochKeys(space)];
        if let Some(mut local) = self.device.local_space(space).await? {
            local.state = SpaceState::Left;
            local.detail = Vec::new();
            ops.push(DeviceOp::PutSpace(local));
        }
        Ok(self.device.apply(ops).await?)
    }

    /// Lets go of everything that the keys opened, but for own entries that nobody has acknowledged.
    async fn drop_content(&self, space: SpaceId) -> Result<(), Error> {
        let acked = self.where_own_are(space).await?.acked;
        Ok(self.device.apply(vec![DeviceOp::DropContent { space, own: self.me, acked }]).await?)
    }

    /// What was acknowledged meanwhile of spaces that this device is out of for good goes as well.
    pub(crate) async fn drop_what_was_handed_over(&self) -> Result<(), Error> {
        let all: Vec<(SpaceId, Fate)> = lock(&self.locks).iter().map(|(space, fate)| (*space, *fate)).collect();
        for (space, _) in all.into_iter().filter(|(_, fate)| *fate == Fate::Gone) {
            let _work = self.work.lock().await;
            self.drop_content(space).await?;
        }
        Ok(())
    }

    /// Of a space that this device was put out of: where it stands, and whether everything that it had not sent was
    /// acknowledged. `None` for others.
    pub(crate) async fn handed_over(&self, space: SpaceId) -> Result<Option<(Standing, bool)>, Error> {
        let Some(fate) = lock(&self.locks).get(&space).copied() else { return Ok(None) };
        let standing = if fate == Fate::Gone { Standing::PutOut } else { Standing::Suspended };
        let found = self.where_own_are(space).await?;
        let tail = self.spaces.view(space).await?.map_or(0, |view| view.tail.arrival);
        Ok(Some((standing, found.acked >= tail && found.drafts == 0)))
    }

    async fn where_own_are(&self, space: SpaceId) -> Result<Whereabouts, Error> {
        let membership = self.membership(space).await?;
        let state = membership.state();
        let relays: Vec<DeviceKey> = state.relays.iter().map(|pin| pin.relay).collect();
        Ok(self.device.whereabouts(space, self.me, relays, state.devices().collect()).await?)
    }

    /// Whether what this device seals now is that of a writer: who was put out seals what it had begun before, for handing
    /// over ([`Self::terms`]).
    pub(crate) fn may_seal(&self, membership: &Membership) -> bool {
        let out = matches!(membership.fate_of(self.me), Fate::Suspended | Fate::Gone);
        membership.state().can_write(self.me) || (out && membership.heads_as_writer(self.me).is_some())
    }

    /// Under which epoch, and in the knowledge of what, this device writes: who was put out seals what it had begun as
    /// the writer that it was.
    ///
    /// # Errors
    /// `WAITING_FOR_KEYS`.
    pub(crate) fn terms<'k>(
        &self,
        membership: &Membership,
        keyring: &'k Keyring,
    ) -> Result<(EpochId, &'k EpochKey, Vec<HashPrefix>), Error> {
        if !matches!(membership.fate_of(self.me), Fate::Suspended | Fate::Gone) {
            let epoch = membership.best_epoch().ok_or(Code::WaitingForKeys)?.id;
            return Ok((epoch, keyring.get(epoch).ok_or(Code::WaitingForKeys)?, membership.head_prefixes()));
        }
        let heads = membership.heads_as_writer(self.me).ok_or(Code::WaitingForKeys)?;
        let epochs = membership.epochs_at(&heads);
        let known = epochs.iter().find_map(|choice| Some((choice.id, keyring.get(choice.id)?)));
        let (epoch, key) = known.ok_or(Code::WaitingForKeys)?;
        Ok((epoch, key, heads))
    }
}
