//! Relays: which ones this store knows, and which one carries a space.

use alliance_crypto::Membership;
use alliance_net::{AdmissionToken, RelayAddress};
use alliance_store::device::{DeviceOp, RelayRow, SpaceState};
use alliance_wire::membership::{Operation, RelayPin, SpaceKind};
use alliance_wire::{DeviceKey, SpaceId, Stream};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::reference::{begins, only};
use crate::views::{Change, RelayView, Replaced};

/// So many relays may be known before none is learned from a space's membership any more: each is dialled at every sync.
pub(crate) const RELAYS_LEARNED_MAX: usize = 16;

impl Client {
    /// Remembers a relay by its connect string, with the operator's token if one is needed there.
    ///
    /// # Errors
    /// `BAD_CONNECT_STRING`, `BAD_TOKEN`, and those of the store.
    pub async fn add_relay(&self, connect: &str, token: Option<&str>) -> Result<RelayView, Error> {
        let row = self.inner.relay_row(connect, token)?;
        self.inner.device.apply(vec![DeviceOp::PutRelay(row.clone())]).await?;
        self.inner.name_relay(&row, |state| state.relays.is_empty()).await?;
        self.inner.tell(Change::Status);
        self.inner.relay_view(row).await
    }

    /// Names another relay wherever one is named that is no more, or no longer wanted (PROTOCOL section 4, `relay`): in
    /// every space that it carries and in which this device may. The others of a space learn of it by any path: through
    /// the old relay, directly, or through the new one.
    ///
    /// The old relay stays known until [`Client::forget_relay`]: who has not heard of the new one still comes there.
    ///
    /// # Errors
    /// `UNKNOWN_RELAY`, `BAD_CONNECT_STRING`, `BAD_TOKEN`, and those of the store.
    pub async fn replace_relay(&self, old: &str, connect: &str, token: Option<&str>) -> Result<Replaced, Error> {
        let old = self.inner.find_relay(old).await?;
        let row = self.inner.relay_row(connect, token)?;
        self.inner.device.apply(vec![DeviceOp::PutRelay(row.clone())]).await?;
        let carries = |state: &alliance_crypto::State| state.relays.last().is_some_and(|pin| pin.relay == old.relay);
        let spaces = self.inner.name_relay(&row, carries).await?;
        let mut waiting = Vec::new();
        for local in self.inner.device.local_spaces().await? {
            if self.inner.carrier(local.space).await?.is_some_and(|pin| pin.relay == old.relay) {
                waiting.push(local.space);
            }
        }
        self.inner.tell(Change::Status);
        Ok(Replaced { relay: self.inner.relay_view(row).await?, spaces, waiting })
    }

    /// Dials a relay no more.
    ///
    /// # Errors
    /// `UNKNOWN_RELAY`; `RELAY_IN_USE` if a space is carried by it and by nothing else; and those of the store.
    pub async fn forget_relay(&self, relay: &str) -> Result<RelayView, Error> {
        let row = self.inner.find_relay(relay).await?;
        for local in self.inner.device.local_spaces().await? {
            if local.state != SpaceState::Left
                && self.inner.carrier(local.space).await?.is_some_and(|pin| pin.relay == row.relay)
            {
                return Err(Error::new(Code::RelayInUse).with("space", local.space));
            }
        }
        let view = self.inner.relay_view(row.clone()).await?;
        self.inner.device.apply(vec![DeviceOp::DropRelay(row.relay)]).await?;
        self.inner.tell(Change::Status);
        Ok(view)
    }

    /// The relays that this store knows.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn relays(&self) -> Result<Vec<RelayView>, Error> {
        let mut views = Vec::new();
        for row in self.inner.device.relays().await? {
            views.push(self.inner.relay_view(row).await?);
        }
        Ok(views)
    }
}

impl Inner {
    fn relay_row(&self, connect: &str, token: Option<&str>) -> Result<RelayRow, Error> {
        let address: RelayAddress =
            connect.trim().parse().map_err(|error| Error::new(Code::BadConnectString).with("why", error))?;
        let token: Option<AdmissionToken> = token
            .map(|text| text.trim().parse().map_err(|error| Error::new(Code::BadToken).with("why", error)))
            .transpose()?;
        Ok(RelayRow {
            relay: address.key(),
            address: address.address().to_owned(),
            token: token.map(|token| token.to_text().as_bytes().to_vec()),
            added: self.around.now_millis(),
        })
    }

    async fn relay_view(&self, row: RelayRow) -> Result<RelayView, Error> {
        Ok(RelayView {
            key: row.relay,
            address: row.address,
            has_token: row.token.is_some(),
            last_contact: self.last_contact(row.relay).await?,
            transport: self.transport_of(row.relay).await?,
        })
    }

    /// The one known relay with this address, connect string, key, or beginning of a key of at least four digits.
    async fn find_relay(&self, reference: &str) -> Result<RelayRow, Error> {
        let reference = reference.trim();
        let key = reference.parse::<RelayAddress>().map(|address| address.key()).ok();
        let fits = |row: &RelayRow| row.address == reference || Some(row.relay) == key || begins(&row.relay, reference);
        only(self.device.relays().await?.into_iter().filter(fits), Code::UnknownRelay, "relay", reference)
    }

    /// The relay that carries a space: the one that its membership names last.
    async fn carrier(&self, space: SpaceId) -> Result<Option<RelayPin>, Error> {
        let membership = self.spaces.membership(space).await?;
        Ok(membership.and_then(|membership| membership.state().relays.last().cloned()))
    }

    /// The relay that new spaces name: the first that is known, but for those that another took the place of.
    pub(crate) async fn relay_for_new_spaces(&self) -> Result<Option<RelayRow>, Error> {
        let (mut named, mut carrying) = (Vec::new(), Vec::new());
        for local in self.device.local_spaces().await? {
            let Some(membership) = self.spaces.membership(local.space).await? else { continue };
            let relays = &membership.state().relays;
            named.extend(relays.iter().map(|pin| pin.relay));
            carrying.extend(relays.last().map(|pin| pin.relay));
        }
        let replaced = |row: &RelayRow| named.contains(&row.relay) && !carrying.contains(&row.relay);
        Ok(self.device.relays().await?.into_iter().find(|row| !replaced(row)))
    }

    /// Names a relay in the membership of every space of which this is true, or which it did not admit, where this
    /// device may. Returns the spaces.
    async fn name_relay(
        &self,
        relay: &RelayRow,
        wanted: impl Fn(&alliance_crypto::State) -> bool,
    ) -> Result<Vec<SpaceId>, Error> {
        let mut spaces = Vec::new();
        for local in self.device.local_spaces().await? {
            if local.state != SpaceState::Joined {
                continue;
            }
            let _work = self.work.lock().await;
            let mut membership = self.membership(local.space).await?;
            let state = membership.state();
            let joint = matches!(state.kind, Some(SpaceKind::Joint { .. }));
            let may = !state.ended && (state.is_steward(self.me) || joint && state.is_active(self.me));
            let pin = pin_of(relay, local.space)?;
            let named = state.relays.iter().rev().find(|known| known.relay == relay.relay);
            // A token that came later admits what the relay refused before.
            let admits = named.is_some_and(|named| pin.admission.is_some() && named.admission != pin.admission);
            let news = admits || wanted(state);
            let (Some(person), true, true) = (state.person_of(self.me), may, news) else { continue };
            let mut pen = self.pen(local.space, Stream::Membership).await?;
            let entry = self.sign_operation(&mut pen, &mut membership, Some(person), Operation::Relay(pin))?;
            self.append(vec![entry], Vec::new()).await?;
            spaces.push(local.space);
        }
        Ok(spaces)
    }

    /// A space's membership names a relay that this store does not know, or at another address: it is dialled there from
    /// now on, and an earlier one as well, so that whoever knows only one of them is met.
    ///
    /// Whoever names a relay has the others dial it: nobody has them dial more than [`RELAYS_LEARNED_MAX`], or turns them
    /// away from a relay that another space names where they know it.
    pub(crate) async fn learn_relay(&self, space: SpaceId, membership: &Membership) -> Result<(), Error> {
        let state = membership.state();
        let Some(pin) = state.relays.last().filter(|_| state.is_active(self.me)) else { return Ok(()) };
        let relays = self.device.relays().await?;
        let row = match relays.iter().find(|row| row.relay == pin.relay) {
            Some(row) if row.address == pin.address => return Ok(()),
            Some(row) => {
                for local in self.device.local_spaces().await?.iter().filter(|local| local.space != space) {
                    let other = self.carrier(local.space).await?;
                    if other.is_some_and(|other| other.relay == row.relay && other.address == row.address) {
                        tracing::warn!(space = %space.short(), "two spaces name one relay at two addresses");
                        return Ok(());
                    }
                }
                RelayRow { address: pin.address.clone(), ..row.clone() }
            }
            None if relays.len() >= RELAYS_LEARNED_MAX => {
                tracing::warn!(space = %space.short(), "a space names one more relay than is learned of");
                return Ok(());
            }
            None => {
                let added = self.around.now_millis();
                RelayRow { relay: pin.relay, address: pin.address.clone(), token: None, added }
            }
        };
        self.device.apply(vec![DeviceOp::PutRelay(row)]).await?;
        self.tell(Change::Status);
        Ok(())
    }

    pub(crate) async fn last_contact(&self, device: DeviceKey) -> Result<Option<u64>, Error> {
        let contacts = self.device.contacts().await?;
        Ok(contacts.into_iter().find(|contact| contact.device == device).map(|contact| contact.at / 1_000))
    }
}

/// What a space's membership says of a relay, with this store's token for it.
pub(crate) fn pin_of(relay: &RelayRow, space: SpaceId) -> Result<RelayPin, Error> {
    let token = relay.token.as_deref().map(|bytes| {
        let text = core::str::from_utf8(bytes).map_err(|_| Code::StoreDamaged)?;
        text.parse::<AdmissionToken>().map_err(|_| Code::StoreDamaged)
    });
    let admission = token.transpose()?.map(|token| token.admission(space));
    Ok(RelayPin { relay: relay.relay, address: relay.address.clone(), admission })
}
