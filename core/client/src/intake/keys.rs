//! What a grown membership means for this device: keys, boxes for others, its own admission.

use std::collections::hash_map::Entry;

use alliance_crypto::{Departure, EpochKey, Keyring, Membership, Secret, new_epoch};
use alliance_store::device::{DeviceOp, EpochKeyRow, SpaceState};
use alliance_wire::membership::{Operation, SpaceKind};
use alliance_wire::{SpaceId, Stream};

use crate::append::data_ends;
use crate::error::{Code, Error};
use crate::inner::{Inner, Work, lock};
use crate::names::Details;
use crate::views::Change;

impl Inner {
    /// The keys of a space that are here.
    pub(crate) async fn keyring<'w>(&self, work: &'w mut Work, space: SpaceId) -> Result<&'w Keyring, Error> {
        match work.keyrings.entry(space) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let mut keyring = Keyring::new();
                for row in self.device.epoch_keys(space).await? {
                    keyring.insert(row.epoch, EpochKey::from(row.key));
                }
                Ok(place.insert(keyring))
            }
        }
    }

    /// The membership grew: there may be keys for this device, and it may have been let in.
    pub(super) async fn membership_changed(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        let membership = self.membership(space).await?;
        self.keyring(work, space).await?;
        if self.meet_fate(work, space, &membership).await? {
            return Ok(());
        }
        self.learn_keys(work, space, &membership, &*self.secret).await?;
        self.tell(Change::Space(space));
        self.home_is_due();
        self.learn_relay(space, &membership).await?;
        self.give_missing_boxes(work, space).await?;
        self.carry_out_suspensions(work, space).await?;
        self.follow_leaves(work, space).await?;
        self.supersede_epoch(work, space).await?;
        self.arrive(work, space).await
    }

    /// Opens the key boxes that came for this secret, and keeps what was inside; the space's keyring was read before.
    pub(crate) async fn learn_keys(
        &self,
        work: &mut Work,
        space: SpaceId,
        membership: &Membership,
        secret: &impl Secret,
    ) -> Result<(), Error> {
        let keyring = work.keyrings.get_mut(&space).ok_or(Code::Internal)?;
        let before: Vec<_> = keyring.iter().map(|(epoch, _)| epoch).collect();
        for fault in keyring.update(membership, secret) {
            tracing::warn!(space = %space.short(), epoch = %fault.epoch.short(), error = %fault.error, "a key box gave no key");
        }
        let new = keyring.iter().filter(|(epoch, _)| !before.contains(epoch));
        let ops: Vec<DeviceOp> =
            new.map(|(epoch, key)| DeviceOp::PutEpochKey(EpochKeyRow { space, epoch, key: key.into() })).collect();
        if !ops.is_empty() {
            self.device.apply(ops).await?;
            // Which branch of a forked log is shown follows from what opens here.
            lock(&self.branches).remove(&space);
        }
        Ok(())
    }

    /// A member without a key box gets one from the member device with the smallest key that has the epoch's key.
    async fn give_missing_boxes(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        let mut membership = self.membership(space).await?;
        let missing = membership.missing_boxes();
        let first =
            membership.state().devices().find(|device| !missing.iter().any(|it| it.recipient == (*device).into()));
        let person = membership.state().person_of(self.me);
        let (Some(person), true, false) = (person, first == Some(self.me), missing.is_empty()) else { return Ok(()) };
        let mut pen = self.pen(space, Stream::Membership).await?;
        let mut entries = Vec::new();
        for lacking in missing {
            let Some(key) = self.keyring(work, space).await?.get(lacking.epoch) else { continue };
            let to = [(lacking.recipient, lacking.boxes)];
            let random = self.around.bytes()?;
            let boxes = alliance_crypto::make_boxes(&*self.secret, random, space, lacking.epoch, key, &to);
            entries.push(self.sign_operation(&mut pen, &mut membership, Some(person), Operation::Box(boxes))?);
        }
        if !entries.is_empty() {
            self.append(entries, Vec::new()).await?;
        }
        Ok(())
    }

    /// This device was let into a space that it asked for.
    async fn arrive(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        let Some(mut local) = self.device.local_space(space).await? else { return Ok(()) };
        let membership = self.membership(space).await?;
        if local.state == SpaceState::Expected && membership.state().is_active(self.me) {
            local.state = SpaceState::Joined;
            let mut ops = vec![DeviceOp::PutSpace(local.clone())];
            ops.extend(self.settle_join(space).await?);
            self.device.apply(ops).await?;
        }
        let known = Details::of(&local).names.iter().any(|(device, _)| *device == self.me);
        if local.state != SpaceState::Joined || known || !membership.state().can_write(self.me) {
            return Ok(());
        }
        self.present(work, space, &membership).await
    }

    /// Presents this device to a space in which it writes; if the key is not here yet, when it is.
    async fn present(&self, work: &mut Work, space: SpaceId, membership: &Membership) -> Result<(), Error> {
        let mut pen = self.pen(space, Stream::Data).await?;
        let keyring = self.keyring(work, space).await?;
        match self.sign_content(&mut pen, membership, keyring, self.card()) {
            Ok(entry) => self.append(vec![entry], Vec::new()).await.map(|_| ()),
            Err(error) if error.code() == Code::WaitingForKeys.code() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Who left a group of this person's cannot take that back, or sign there on: the steward's device follows with a
    /// removal, which brings the next key (PROTOCOL section 4, invitation).
    async fn follow_leaves(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        loop {
            let membership = self.membership(space).await?;
            let state = membership.state();
            let followed = state.kind == Some(SpaceKind::Group) && !state.ended && state.is_steward(self.me);
            let left = state.departed.iter().find(|(_, how)| **how == Departure::Left);
            let (true, Some((person, _))) = (followed, left) else { return Ok(()) };
            let (person, devices) = (*person, state.devices_of(*person).collect());
            let ends = self.spaces.view(space).await?.map(|view| data_ends(&view, &devices)).unwrap_or_default();
            self.change_membership(work, space, &*self.secret, Vec::new(), |maker| maker.remove(person, ends)).await?;
        }
    }

    /// A writer whose key box is missing or false, although it was a member when the epoch was made, makes a new epoch:
    /// nobody can stop others from writing by leaving them out. Where no epoch can be used, as when somebody left, the
    /// writing device with the smallest key makes one (PROTOCOL section 4, epochs).
    async fn supersede_epoch(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        let membership = self.membership(space).await?;
        let state = membership.state();
        let due = match membership.best_epoch() {
            Some(best) => {
                let here = self.keyring(work, space).await?.get(best.id).is_some();
                let then = membership.state_at(&[best.entry.prefix()]);
                !here && then.is_some_and(|then| then.is_active(self.me))
            }
            None => state.devices().find(|device| state.can_write(*device)) == Some(self.me),
        };
        if due { self.make_epoch(work, space).await } else { Ok(()) }
    }

    /// Makes an epoch for everybody, if this device writes: also where it is another's turn, who may be far away.
    pub(crate) async fn make_epoch(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        let mut membership = self.membership(space).await?;
        let state = membership.state();
        let (Some(person), true) = (state.person_of(self.me), state.can_write(self.me)) else { return Ok(()) };
        tracing::info!(space = %space.short(), "no epoch can be used by this device: it makes another");
        let recipients = state.recipients();
        let keyring = self.keyring(work, space).await?;
        let heads = membership.epoch_heads();
        let links: Vec<_> = heads.iter().filter_map(|head| keyring.get(head.id).map(|key| (head.id, key))).collect();
        let random = self.around.bytes()?;
        let parents = membership.heads();
        let generation = membership.generation_after(&parents);
        let (epoch, key) = new_epoch(&*self.secret, random, space, generation, &parents, &recipients, &links);
        let mut pen = self.pen(space, Stream::Membership).await?;
        let entry = self.sign_operation(&mut pen, &mut membership, Some(person), Operation::Epoch(epoch))?;
        let epoch = entry.hash().epoch();
        let row = EpochKeyRow { space, epoch, key: (&key).into() };
        self.append(vec![entry], vec![DeviceOp::PutEpochKey(row)]).await?;
        if let Some(keyring) = work.keyrings.get_mut(&space) {
            keyring.insert(epoch, key);
        }
        Ok(())
    }
}
