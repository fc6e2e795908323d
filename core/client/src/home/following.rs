//! What a device does in its home: tell, ask, list.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use alliance_crypto::Membership;
use alliance_store::device::{DeviceOp, LocalSpace, Pending, RelayRow, SpaceState};
use alliance_wire::content::{Asks, Body, Place};
use alliance_wire::membership::{CardForOwn, SpaceKind};
use alliance_wire::{DeviceKey, LogName, SpaceId, Stream, codec};

use super::HOME;
use crate::error::{Code, Error};
use crate::inner::{Inner, Work};
use crate::relays::RELAYS_LEARNED_MAX;
use crate::views::Change;

/// Pending rows: what others told of, by space and teller.
const PLACES: u8 = 4;
/// What this device is asked for, by space and asker.
const ASKS: u8 = 5;
/// What this device told of, by space.
const TOLD: u8 = 6;
/// What this device asked for, by space and whom.
const ASKED: u8 = 7;

impl Inner {
    /// Something changed that the other devices of this person should know, or that they asked for.
    pub(crate) fn home_is_due(&self) {
        self.home_due.store(true, Ordering::Relaxed);
    }

    /// The rows that an entry of a home makes; `None` where such an entry has no place: in a space with others in it.
    pub(crate) fn home_rows(
        &self,
        membership: &Membership,
        local: Option<&LocalSpace>,
        name: &LogName,
        body: Body,
    ) -> Option<Vec<DeviceOp>> {
        if membership.state().kind != Some(SpaceKind::Personal) {
            return None;
        }
        if local.is_none_or(|local| local.role != HOME) || name.device == self.me {
            return Some(Vec::new());
        }
        self.home_is_due();
        let row = match body {
            Body::Place(place) => row(PLACES, place.space, Some(name.device), codec::encode(&place)),
            Body::Asks(asks) if asks.by == self.me && asks.card.device == name.device => {
                row(ASKS, asks.space, Some(name.device), codec::encode(&asks))
            }
            Body::Asks(_) | Body::Card(_) | Body::Changes(_) => return Some(Vec::new()),
        };
        Some(vec![row])
    }

    /// Tells the other devices of this person what is new, asks them for what they told of, and lists them where they
    /// asked for it.
    pub(crate) async fn follow_home(&self) -> Result<(), Error> {
        if !self.home_due.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let followed = self.follow().await;
        if followed.is_err() {
            self.home_is_due();
        }
        followed
    }

    async fn follow(&self) -> Result<(), Error> {
        let Some(home) = self.home().await? else { return Ok(()) };
        let mut work = self.work.lock().await;
        if !self.spaces.membership(home).await?.is_some_and(|membership| membership.state().can_write(self.me)) {
            return Ok(());
        }
        self.tell_places(&mut work, home).await?;
        self.ask_for_places(&mut work, home).await?;
        self.list_devices(&mut work, home).await
    }

    async fn tell_places(&self, work: &mut Work, home: SpaceId) -> Result<(), Error> {
        let told = self.device.pending(TOLD).await?;
        for local in self.device.local_spaces().await? {
            if local.role == HOME || local.state != SpaceState::Joined {
                continue;
            }
            let Some(membership) = self.spaces.membership(local.space).await? else { continue };
            let state = membership.state();
            let Some(person) = state.person_of(self.me) else { continue };
            let relay = state.relays.last().map(|pin| (pin.relay, pin.address.clone()));
            let place = Place { space: local.space, person, title: local.title, relay };
            let value = codec::encode(&place);
            if told.iter().any(|known| known.id == place.space.0 && known.value == value) {
                continue;
            }
            let rows = vec![row(TOLD, place.space, None, value)];
            self.say_at_home(work, home, Body::Place(place), rows).await?;
        }
        Ok(())
    }

    async fn ask_for_places(&self, work: &mut Work, home: SpaceId) -> Result<(), Error> {
        let asked: BTreeSet<Vec<u8>> = self.device.pending(ASKED).await?.into_iter().map(|row| row.id).collect();
        for told in self.device.pending(PLACES).await? {
            let place: Place = codec::decode(&told.value).map_err(|_| Error::new(Code::StoreDamaged))?;
            let known = self.device.local_space(place.space).await?;
            let by = told.id.get(16..).and_then(|key| DeviceKey::try_from(key).ok()).ok_or(Code::StoreDamaged)?;
            if asked.contains(&told.id) || known.as_ref().is_some_and(|local| local.state != SpaceState::Expected) {
                continue;
            }
            let card = self.secret.own_card(&CardForOwn { space: place.space, tag: place.person, by: by.into() });
            let mut rows = vec![row(ASKED, place.space, Some(by), Vec::new())];
            if known.is_none() {
                let (space, title, state) = (place.space, place.title, SpaceState::Expected);
                rows.push(DeviceOp::PutSpace(LocalSpace { space, title, role: 0, state, detail: Vec::new() }));
            }
            let relays = self.device.relays().await?;
            if let Some((relay, address)) = place.relay
                && relays.len() < RELAYS_LEARNED_MAX
                && !relays.iter().any(|row| row.relay == relay)
            {
                let added = self.around.now_millis();
                rows.push(DeviceOp::PutRelay(RelayRow { relay, address, token: None, added }));
            }
            self.say_at_home(work, home, Body::Asks(Asks { space: place.space, by, card }), rows).await?;
            self.tell(Change::Space(place.space));
        }
        Ok(())
    }

    /// Titles of the spaces that others told of and of which nothing is here.
    pub(crate) async fn places_elsewhere(&self) -> Result<Vec<String>, Error> {
        let mut titles = Vec::new();
        for told in self.device.pending(PLACES).await? {
            let place: Place = codec::decode(&told.value).map_err(|_| Error::new(Code::StoreDamaged))?;
            if self.spaces.membership(place.space).await?.is_none() && !titles.contains(&place.title) {
                titles.push(place.title);
            }
        }
        Ok(titles)
    }

    async fn list_devices(&self, work: &mut Work, home: SpaceId) -> Result<(), Error> {
        for wanted in self.device.pending(ASKS).await? {
            let asks: Asks = codec::decode(&wanted.value).map_err(|_| Error::new(Code::StoreDamaged))?;
            let device = asks.card.device;
            let ours = self.membership(home).await?;
            let Some(membership) = self.spaces.membership(asks.space).await? else { continue };
            let state = membership.state();
            let (Some(person), true) = (state.person_of(self.me), ours.state().is_active(device)) else { continue };
            let settled = DeviceOp::DropPending { kind: ASKS, id: wanted.id };
            if state.devices_of(person).any(|known| known == device) {
                self.device.apply(vec![settled]).await?;
                continue;
            }
            let card = asks.card;
            let listed = self
                .change_membership(work, asks.space, &*self.secret, vec![settled.clone()], |maker| {
                    maker.device(person, card)
                })
                .await;
            match listed {
                Ok(()) => self.take_in(work, asks.space).await?,
                Err(Error::Refused(refusal)) => {
                    tracing::warn!(space = %asks.space.short(), device = %device.short(), %refusal, "a device of one's own is not listed");
                    self.device.apply(vec![settled]).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Says something to the other devices; if the key is not here yet, when it is.
    async fn say_at_home(&self, work: &mut Work, home: SpaceId, body: Body, rows: Vec<DeviceOp>) -> Result<(), Error> {
        let membership = self.membership(home).await?;
        let mut pen = self.pen(home, Stream::Data).await?;
        let keyring = self.keyring(work, home).await?;
        match self.sign_content(&mut pen, &membership, keyring, body) {
            Ok(entry) => self.append(vec![entry], rows).await.map(|_| ()),
            Err(error) if error.code() == Code::WaitingForKeys.code() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn row(kind: u8, space: SpaceId, device: Option<DeviceKey>, value: Vec<u8>) -> DeviceOp {
    let id = space.0.into_iter().chain(device.into_iter().flat_map(|device| device.0)).collect();
    DeviceOp::PutPending(Pending { kind, id, value })
}
