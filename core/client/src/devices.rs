//! The devices of one's own person: which there are, and putting one out that is not in one's hands any more.
//!
//! A device is suspended by another one, at once, in every space of the person: nobody else learns from that which
//! spaces these are. On the word of one device nothing is destroyed. The recovery words make it final, or take it back
//! (PROTOCOL section 4, endings).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alliance_crypto::{Membership, RecoverySecret, Secret as _, State};
use alliance_model::{Refusal, RefusalCode};
use alliance_store::device::{DeviceOp, Pending, SpaceState};
use alliance_wire::membership::CutOff;
use alliance_wire::{DeviceKey, PersonTag, SignerKey, SpaceId, codec};
use zeroize::Zeroizing;

use crate::append::data_ends;
use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::profile::parse_words;
use crate::reference::{begins, only};
use crate::views::{Change, OwnDevice};

/// Which pending rows are devices to be suspended wherever they are met.
const SUSPENSIONS: u8 = 3;

/// A device that is to be suspended, as it is kept: a process that ends in the midst of it goes on, and so does a space
/// that comes later.
#[derive(Clone, minicbor::Encode, minicbor::Decode)]
struct Order {
    #[n(0)]
    device: DeviceKey,
    /// Where it was done: what the words take back there is not done again.
    #[n(1)]
    done: Vec<SpaceId>,
}

impl Order {
    fn row(&self) -> DeviceOp {
        DeviceOp::PutPending(Pending {
            kind: SUSPENSIONS,
            id: self.device.as_bytes().to_vec(),
            value: codec::encode(self),
        })
    }
}

/// What recovery words do to a device, or to younger words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Restored,
    Lost,
}

impl Client {
    /// This person's devices, those that are out included, this one first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn devices(&self) -> Result<Vec<OwnDevice>, Error> {
        let inner = &self.inner;
        let mut found: BTreeMap<DeviceKey, OwnDevice> = BTreeMap::new();
        for (space, membership) in inner.own_spaces().await? {
            let state = membership.state();
            let Some(person) = inner.own_person(state) else { continue };
            for device in state.devices_of(person) {
                let view = found.entry(device).or_insert_with(|| OwnDevice::new(device, device == inner.me));
                let key = (person, SignerKey::from(device));
                if state.lost.contains(&key) {
                    view.lost.push(space);
                } else if state.suspended.contains(&key) {
                    view.suspended.push(space);
                } else if state.is_active(device) {
                    view.active.push(space);
                }
            }
        }
        let mut views: Vec<OwnDevice> = found.into_values().collect();
        views.sort_by_key(|view| (!view.me, view.device));
        Ok(views)
    }

    /// Suspends a device of this person in every space in which it is active, with the next key in each; in a space that
    /// only comes to this store later as well. Needs no network. What the device wrote that is not here by now is kept
    /// back and offered. `device` is the beginning of its key.
    ///
    /// # Errors
    /// `UNKNOWN_DEVICE`, `AMBIGUOUS`, `ROLE_FORBIDS` (it is this device), and those of the store.
    pub async fn suspend_device(&self, device: &str) -> Result<OwnDevice, Error> {
        let device = self.find_device(device).await?;
        if device == self.inner.me {
            return Err(Refusal::new(RefusalCode::RoleForbids).with("device", device.short()).into());
        }
        self.inner.device.apply(vec![Order { device, done: Vec::new() }.row()]).await?;
        for (space, _) in self.inner.own_spaces().await? {
            let mut work = self.inner.work.lock().await;
            self.inner.carry_out_suspensions(&mut work, space).await?;
            self.inner.take_in(&mut work, space).await?;
        }
        self.inner.tell(Change::Status);
        self.own_device(device).await
    }

    /// Says with the recovery words that a device is lost, in every space in which that is not said yet. It is final.
    ///
    /// # Errors
    /// `BAD_RECOVERY_WORDS`, `WORDS_OF_NOBODY` (they are not this person's), `UNKNOWN_DEVICE`, `AMBIGUOUS`,
    /// `ROLE_FORBIDS` (it is this device), and those of the store.
    pub async fn report_lost(&self, device: &str, words: &str) -> Result<OwnDevice, Error> {
        let device = self.find_device(device).await?;
        if device == self.inner.me {
            return Err(Refusal::new(RefusalCode::RoleForbids).with("device", device.short()).into());
        }
        self.inner.judge_key(device.into(), words, Verdict::Lost).await?;
        self.own_device(device).await
    }

    /// Takes the suspensions of a device back with the recovery words, in every space in which it is suspended.
    ///
    /// # Errors
    /// `BAD_RECOVERY_WORDS`, `WORDS_OF_NOBODY` (they are not this person's), `UNKNOWN_DEVICE`, `AMBIGUOUS`, and those of
    /// the store.
    pub async fn restore_device(&self, device: &str, words: &str) -> Result<OwnDevice, Error> {
        let device = self.find_device(device).await?;
        self.inner.judge_key(device.into(), words, Verdict::Restored).await?;
        self.own_device(device).await
    }

    /// The one device of this person whose key begins so.
    async fn find_device(&self, reference: &str) -> Result<DeviceKey, Error> {
        let reference = reference.trim();
        let all = self.devices().await?.into_iter().map(|view| view.device);
        only(all.filter(|device| begins(device, reference)), Code::UnknownDevice, "device", reference)
    }

    async fn own_device(&self, device: DeviceKey) -> Result<OwnDevice, Error> {
        let all = self.devices().await?;
        all.into_iter().find(|view| view.device == device).ok_or_else(|| Code::UnknownDevice.into())
    }
}

impl Inner {
    /// The spaces that this store is or was in, with their memberships.
    pub(crate) async fn own_spaces(&self) -> Result<Vec<(SpaceId, Arc<Membership>)>, Error> {
        let mut spaces = Vec::new();
        for local in self.device.local_spaces().await? {
            if local.state == SpaceState::Expected {
                continue;
            }
            if let Some(membership) = self.spaces.membership(local.space).await? {
                spaces.push((local.space, membership));
            }
        }
        Ok(spaces)
    }

    /// This store's person in a space, whatever became of this device there.
    pub(crate) fn own_person(&self, state: &State) -> Option<PersonTag> {
        let listed = || state.listings().find(|(_, device)| *device == self.me).map(|(person, _)| person);
        state.person_of(self.me).or_else(listed)
    }

    /// Suspends in a space the devices that this person wants suspended, each once. It is in the log then, and not yet
    /// taken in.
    pub(crate) async fn carry_out_suspensions(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        for row in self.device.pending(SUSPENSIONS).await? {
            let mut order: Order = codec::decode(&row.value).map_err(|_| Error::new(Code::StoreDamaged))?;
            let membership = self.membership(space).await?;
            let state = membership.state();
            let Some(person) = state.person_of(self.me) else { continue };
            if order.done.contains(&space) || state.person_of(order.device) != Some(person) {
                continue;
            }
            let ends = self.ends_of(space, order.device).await?;
            order.done.push(space);
            let target = SignerKey::from(order.device);
            let rows = vec![order.row()];
            self.change_membership(work, space, &*self.secret, rows, |maker| maker.suspend(person, target, ends))
                .await?;
            tracing::info!(space = %space.short(), device = %order.device.short(), "suspended a device");
        }
        Ok(())
    }

    /// Suspends a device in a space with the recovery words, and wherever else this store comes to be as
    /// [`Client::suspend_device`] does. It is in the log then, and not yet taken in.
    pub(crate) async fn suspend_with_words(
        &self,
        work: &mut Work,
        (space, person): (SpaceId, PersonTag),
        device: DeviceKey,
        secret: &RecoverySecret,
    ) -> Result<(), Error> {
        let known = self.device.pending(SUSPENSIONS).await?.into_iter().find(|row| row.id == device.as_bytes());
        let known = known.map(|row| codec::decode::<Order>(&row.value)).transpose();
        let mut order =
            known.map_err(|_| Error::new(Code::StoreDamaged))?.unwrap_or(Order { device, done: Vec::new() });
        if !order.done.contains(&space) {
            order.done.push(space);
        }
        let ends = self.ends_of(space, device).await?;
        self.change_membership(work, space, secret, vec![order.row()], |maker| {
            maker.suspend(person, device.into(), ends)
        })
        .await
    }

    pub(crate) async fn ends_of(&self, space: SpaceId, device: DeviceKey) -> Result<Vec<CutOff>, Error> {
        let view = self.spaces.view(space).await?;
        Ok(view.map(|view| data_ends(&view, &BTreeSet::from([device]))).unwrap_or_default())
    }

    /// Signs with the recovery words, in every space where they are listed and it is not said yet.
    pub(crate) async fn judge_key(&self, target: SignerKey, words: &str, verdict: Verdict) -> Result<(), Error> {
        let secret = self.words_secret(words).await?;
        let mut known = false;
        for (space, membership) in self.own_spaces().await? {
            let state = membership.state();
            let Some(person) = self.own_person(state) else { continue };
            let lists = |key: SignerKey| state.members.get(&person).is_some_and(|member| member.lists_words(key));
            if !lists(secret.signer_key()) {
                continue;
            }
            known = true;
            let listed = state.devices_of(person).any(|known| SignerKey::from(known) == target) || lists(target);
            let said = match verdict {
                Verdict::Lost => state.lost.contains(&(person, target)),
                Verdict::Restored => !state.suspended.contains(&(person, target)),
            };
            if said || !listed {
                continue;
            }
            let mut work = self.work.lock().await;
            let ends = self.ends_of(space, target.into()).await?;
            self.change_membership(&mut work, space, &secret, Vec::new(), |maker| match verdict {
                Verdict::Lost => maker.lost(person, target, ends),
                Verdict::Restored => maker.restore(person, target),
            })
            .await?;
            self.take_in(&mut work, space).await?;
        }
        if !known {
            return Err(Code::WordsOfNobody.into());
        }
        self.tell(Change::Status);
        Ok(())
    }

    /// The recovery key of words that were typed. Takes as long as deriving it.
    pub(crate) async fn words_secret(&self, words: &str) -> Result<RecoverySecret, Error> {
        let (words, cost) = (Zeroizing::new(words.to_owned()), self.cost);
        self.around.blocking(move || Ok(parse_words(&words)?.secret(cost))).await
    }
}
