//! Founding spaces, and listing them.

use std::sync::Arc;

use alliance_crypto::{Membership, new_epoch};
use alliance_store::device::{DeviceOp, EpochKeyRow, LocalSpace, SpaceState};
use alliance_wire::content::{Body, Card};
use alliance_wire::hash::content_hash;
use alliance_wire::membership::{CardFor, EraseRule, First, MEMBERSHIP_VERSION, Operation, Payload, SpaceKind};
use alliance_wire::{HeaderHash, PersonTag, SpaceId, Stream};

use crate::append::Pen;
use crate::error::{Code, Error};
use crate::home::HOME;
use crate::inner::{Client, Inner};
use crate::names::Details;
use crate::reference::{begins, only};
use crate::relays::pin_of;
use crate::views::{Change, NewSpace, SpaceView, Standing};

/// Length of a space's title in bytes.
const TITLE_BYTES_MAX: usize = 256;

impl Client {
    /// Founds a space. If a relay is known, the space's membership names it.
    ///
    /// # Errors
    /// `TEXT_EMPTY`, `TEXT_TOO_LONG`, and those of the store.
    pub async fn create_space(&self, title: &str, kind: NewSpace) -> Result<SpaceView, Error> {
        let title = checked_title(title)?;
        let space = self.inner.found(&title, kind, 0).await?;
        self.inner.home_is_due();
        self.inner.follow_home().await?;
        self.inner.tell(Change::Space(space));
        self.space(space).await
    }

    /// The spaces of this store.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn spaces(&self) -> Result<Vec<SpaceView>, Error> {
        let mut views = Vec::new();
        for local in self.inner.device.local_spaces().await?.into_iter().filter(|local| local.role != HOME) {
            views.push(self.inner.space_view(local).await?);
        }
        Ok(views)
    }

    /// One space.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, and those of the store.
    pub async fn space(&self, space: SpaceId) -> Result<SpaceView, Error> {
        let local = self.inner.local_space(space).await?;
        self.inner.space_view(local).await
    }

    /// The space with this id, whose id begins so, or with this title.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `AMBIGUOUS`, and those of the store.
    pub async fn find_space(&self, reference: &str) -> Result<SpaceView, Error> {
        let reference = reference.trim();
        let mut all = self.inner.device.local_spaces().await?;
        all.retain(|local| local.role != HOME);
        let titled: Vec<_> = all.iter().filter(|local| local.title == reference).collect();
        let prefixed = |local: &&LocalSpace| begins(&local.space, reference);
        let found: Vec<_> = if titled.is_empty() { all.iter().filter(prefixed).collect() } else { titled };
        let one = only(found, Code::UnknownSpace, "space", reference)?;
        self.inner.space_view(one.clone()).await
    }
}

/// A title as it is kept.
pub(crate) fn checked_title(title: &str) -> Result<String, Error> {
    use alliance_model::{Refusal, RefusalCode};
    let title = title.trim();
    if title.is_empty() {
        return Err(Refusal::new(RefusalCode::TextEmpty).with("field", "title").into());
    }
    if title.len() > TITLE_BYTES_MAX {
        return Err(Refusal::new(RefusalCode::TextTooLong).with("field", "title").with("max", TITLE_BYTES_MAX).into());
    }
    if title.chars().any(char::is_control) {
        return Err(Refusal::new(RefusalCode::TextInvalid).with("field", "title").into());
    }
    Ok(title.to_owned())
}

impl Inner {
    /// Founds a space; `role` is what its row says of the person's part in it.
    pub(crate) async fn found(&self, title: &str, kind: NewSpace, role: u8) -> Result<SpaceId, Error> {
        let random = self.derive16("space", &[])?;
        let recovery = self.own_recovery().await?;
        let card = self.secret.card(&CardFor::First { random }, &recovery);
        let (kind, erase) = match kind {
            NewSpace::Pair => (SpaceKind::Joint { persons_max: 2 }, EraseRule::Everybody),
            NewSpace::Peers(persons_max) => (SpaceKind::Joint { persons_max }, EraseRule::Everybody),
            NewSpace::Group => (SpaceKind::Group, EraseRule::Steward),
            NewSpace::Personal => (SpaceKind::Personal, EraseRule::Owner),
        };
        let first = Operation::First(First { random, kind, erase, recovery, card });
        let payload = Payload { version: MEMBERSHIP_VERSION, parents: Vec::new(), person: None, operation: first };
        let incarnation = self.incarnation();
        let space = SpaceId::of(self.me, incarnation, content_hash(&payload.encode()));
        let tag = PersonTag::of(space, self.me, recovery.signer, None);
        let place = |stream| alliance_crypto::Place { space, incarnation, stream, seq: 1, prev: HeaderHash::NONE };
        let (mut pen, mut data) = (Pen::fresh(place(Stream::Membership)), Pen::fresh(place(Stream::Data)));

        let mut membership = Arc::new(Membership::new(space));
        let mut entries = vec![self.sign_payload(&mut pen, &mut membership, &payload)?];
        let recipients = membership.state().recipients();
        let (epoch, key) =
            new_epoch(&*self.secret, self.around.bytes()?, space, 1, &membership.heads(), &recipients, &[]);
        let entry = self.sign_operation(&mut pen, &mut membership, Some(tag), Operation::Epoch(epoch))?;
        let epoch = entry.hash().epoch();
        entries.push(entry);
        if let Some(relay) = self.relay_for_new_spaces().await? {
            let pin = pin_of(&relay, space)?;
            entries.push(self.sign_operation(&mut pen, &mut membership, Some(tag), Operation::Relay(pin))?);
        }
        let mut work = self.work.lock().await;
        let keyring = work.keyrings.entry(space).or_default();
        keyring.insert(epoch, key.clone());
        entries.push(self.sign_content(&mut data, &membership, keyring, self.card())?);
        let details = Details { names: vec![(self.me, self.profile.name.clone())] };
        let ops = vec![
            DeviceOp::PutSpace(LocalSpace {
                space,
                title: title.to_owned(),
                role,
                state: SpaceState::Joined,
                detail: details.encode(),
            }),
            DeviceOp::PutEpochKey(EpochKeyRow { space, epoch, key: (&key).into() }),
        ];
        self.append(entries, ops).await?;
        self.take_in(&mut work, space).await?;
        Ok(space)
    }

    /// How this device presents itself to a space.
    pub(crate) fn card(&self) -> Body {
        Body::Card(Card {
            name: self.profile.name.clone(),
            platform: std::env::consts::OS.to_owned(),
            software: format!("alliance {}", env!("CARGO_PKG_VERSION")),
        })
    }

    pub(crate) async fn local_space(&self, space: SpaceId) -> Result<LocalSpace, Error> {
        let found = self.device.local_space(space).await?;
        found.ok_or_else(|| Error::new(Code::UnknownSpace).with("space", space))
    }

    pub(crate) async fn space_view(&self, local: LocalSpace) -> Result<SpaceView, Error> {
        let membership = self.spaces.membership(local.space).await?;
        let state = membership.as_ref().map(|membership| membership.state());
        let kind = match state.and_then(|state| state.kind) {
            Some(SpaceKind::Personal) => "personal",
            Some(SpaceKind::Joint { persons_max: 2 }) => "pair",
            Some(SpaceKind::Joint { .. }) => "peers",
            Some(SpaceKind::Group) => "group",
            None => "unknown",
        };
        let ended = state.is_some_and(|state| state.ended || !state.is_active(self.me));
        let out = self.handed_over(local.space).await?;
        let standing = match local.state {
            SpaceState::Expected => Standing::Asked,
            SpaceState::Joined if !ended => Standing::Member,
            SpaceState::Joined | SpaceState::Left => out.map_or(Standing::Closed, |(standing, _)| standing),
        };
        let waiting_for_keys = standing == Standing::Member && !self.can_seal(local.space).await?;
        Ok(SpaceView {
            space: local.space,
            kind,
            standing,
            members: self.members(local.space).await?,
            relay: state.and_then(|state| state.relays.last().map(|pin| pin.address.clone())),
            title: local.title,
            waiting_for_keys,
            handed_over: out.map(|(_, done)| done),
        })
    }

    /// Whether the key under which this device would write is here.
    pub(crate) async fn can_seal(&self, space: SpaceId) -> Result<bool, Error> {
        let Some(membership) = self.spaces.membership(space).await? else { return Ok(false) };
        let Some(epoch) = membership.best_epoch() else { return Ok(false) };
        Ok(self.device.epoch_keys(space).await?.iter().any(|row| row.epoch == epoch.id))
    }
}
