//! Coming back with nothing but the recovery words (PROTOCOL section 1, coming back).
//!
//! The words are a key that every space of the person lists. Whoever has the space answers it as it answers a device, so
//! that everything comes here; the words list this device in each space and put the person's other devices out, unless
//! one is named as being in the person's own hands. The home among the spaces says how the person calls them, and which
//! relays have more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alliance_crypto::{Membership, RecoverySecret, Secret as _};
use alliance_net::{Activity, CloseReason, DeviceIdentity, Dialer, Line, Settings, TcpDialer};
use alliance_store::Replica as _;
use alliance_store::device::{DeviceOp, LocalSpace, RelayRow, SpaceState};
use alliance_sync::{Outgoing, Part, Since};
use alliance_wire::content::Place;
use alliance_wire::membership::SpaceKind;
use alliance_wire::{DeviceKey, PersonTag, SpaceId, Stream};

use crate::error::{Code, Error};
use crate::home::{HOME, HOME_TITLE};
use crate::inner::{Client, Inner, Work};
use crate::peer::{Meeting, Opening, Until};
use crate::reach::{Dialers, Reached, Ways};
use crate::reference::begins;
use crate::relays::RELAYS_LEARNED_MAX;
use crate::sync::{Towards, is_of_the_store, resolve};
use crate::views::{OwnDevice, Progress, Standing};

/// Bytes of a home's log that are read at a time.
const PAGE_BYTES: usize = 512 * 1024;

/// What came back.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// The spaces that are here now and list this device, or have ended.
    pub spaces: Vec<SpaceId>,
    /// The person's devices as they stand now, this one first.
    pub devices: Vec<OwnDevice>,
    /// Titles of spaces that the other devices told of and nobody who was met has.
    pub missing: Vec<String>,
    /// The spaces by the devices that the person had there before, those together whose devices know each other, the
    /// largest group first. More than one group may be somebody else's doing: recovery keys are public in every space,
    /// and whoever saw one can found a space in its name. It lists none of the person's devices.
    pub groups: Vec<Vec<SpaceId>>,
}

/// A space that lists the words.
struct Mine {
    space: SpaceId,
    membership: Arc<Membership>,
    person: PersonTag,
}

/// Recovery words on their way into a store.
struct Comeback<'a> {
    inner: &'a Arc<Inner>,
    secret: Arc<RecoverySecret>,
    keep: &'a [String],
}

impl Client {
    /// Comes back with the recovery words, through every relay that this store knows and those that it learns of: takes
    /// over every space of the person, lists this device in it, and suspends the person's other devices but those whose
    /// keys begin as `keep` says. It may be called again where something was missing.
    ///
    /// The store must have been made with these words.
    ///
    /// # Errors
    /// `BAD_RECOVERY_WORDS`, `WORDS_OF_NOBODY` (the store was made with others), `NO_RELAY`, `NOTHING_TO_RECOVER`,
    /// `UNKNOWN_DEVICE` (`keep` names none; nothing was signed), those of [`Client::sync_once`] if no relay could be
    /// reached, and those of the store.
    pub async fn recover(
        &self,
        words: &str,
        keep: &[String],
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Recovered, Error> {
        let comeback = Comeback::begin(&self.inner, words, keep).await?;
        let dialers = comeback.dialers()?;
        let (mut met, mut reached, mut last) = (BTreeSet::new(), false, Error::new(Code::NoRelay));
        loop {
            let relays = self.inner.device.relays().await?;
            let Some(relay) = relays.into_iter().find(|relay| !met.contains(&relay.relay)) else { break };
            met.insert(relay.relay);
            match comeback.through_relay(&dialers, &relay, &mut progress).await {
                Ok(()) => reached = true,
                Err(error) if is_of_the_store(&error) || error.code() == Code::UnknownDevice.code() => {
                    return Err(error);
                }
                Err(error) => {
                    progress(Progress::Disconnected { why: error.to_string() });
                    last = error;
                }
            }
        }
        dialers.close(CloseReason::Done).await;
        if reached { comeback.end().await } else { Err(last) }
    }

    /// The same from somebody's device, such as a colleague's phone, that listens at this address: of the spaces that
    /// both are in.
    ///
    /// # Errors
    /// As [`Client::recover`], and those of [`Client::sync_with`].
    pub async fn recover_from(
        &self,
        words: &str,
        device: DeviceKey,
        address: &str,
        keep: &[String],
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<Recovered, Error> {
        let comeback = Comeback::begin(&self.inner, words, keep).await?;
        let dialers = comeback.dialers()?;
        let address = resolve(address).await?;
        for takes in [true, false] {
            let line = dialers.quic.dial(address, device, Activity::Foreground).await?;
            comeback.meet(line, Towards::Device, &mut progress).await?;
            if takes {
                comeback.take_over().await?;
            }
        }
        dialers.close(CloseReason::Done).await;
        comeback.end().await
    }
}

impl<'a> Comeback<'a> {
    async fn begin(inner: &'a Arc<Inner>, words: &str, keep: &'a [String]) -> Result<Self, Error> {
        let secret = inner.words_secret(words).await?;
        if secret.card() != inner.profile.recovery {
            return Err(Error::new(Code::WordsOfNobody).with("what", "this store was made with other words"));
        }
        Ok(Self { inner, secret: Arc::new(secret), keep })
    }

    fn key(&self) -> DeviceKey {
        self.secret.signer_key().into()
    }

    /// Whoever answers proves itself to the words' key; no ticket of it is kept.
    fn dialers(&self) -> Result<Dialers, Error> {
        let secret = Arc::clone(&self.secret);
        let identity = DeviceIdentity::new(self.key(), move |message| secret.sign(message));
        let settings = Settings { early_data: false, ..Settings::default() };
        let tcp = TcpDialer::new(identity.clone(), settings);
        let quic =
            Dialer::bind(identity, settings).map_err(|error| Error::new(Code::Unreachable).with("why", error))?;
        Ok(Dialers { quic, tcp })
    }

    async fn through_relay(
        &self,
        dialers: &Dialers,
        relay: &RelayRow,
        hear: crate::peer::Hear<'_>,
    ) -> Result<(), Error> {
        let ways = Ways::to(self.inner, relay, dialers.clone()).await?;
        for takes in [true, false] {
            match ways.race(None).await? {
                Reached::Quic(line) => self.meet(line, Towards::Relay, hear).await?,
                Reached::Tcp(line, _) => self.meet(line, Towards::Relay, hear).await?,
            }
            if takes {
                self.take_over().await?;
            }
        }
        Ok(())
    }

    /// One conversation as the words: everything that they may read comes here, and what they signed here goes.
    async fn meet(&self, line: impl Line, towards: Towards, hear: crate::peer::Hear<'_>) -> Result<(), Error> {
        let (peer, relay) = (line.peer(), towards == Towards::Relay);
        let name = format!("{} {}", if relay { "relay" } else { "device" }, peer.short());
        let meeting = Meeting { dials: true, relay, name, words: Some(self.key()) };
        let opening = Opening::new(self.inner, peer, meeting, Until::Settled).await?;
        opening.converse(line, false, hear).await.map(|_| ())
    }

    /// The spaces that list the words. What else a peer gave is nobody's here, and goes.
    async fn mine(&self) -> Result<Vec<Mine>, Error> {
        let mut mine = Vec::new();
        for space in self.inner.device.replica().spaces().await? {
            let membership = self.inner.membership(space).await?;
            let state = membership.state();
            let person = state.person_of_recovery(self.secret.signer_key());
            match person.filter(|_| state.may_read(self.key())) {
                Some(person) => mine.push(Mine { space, membership, person }),
                None if self.inner.device.local_space(space).await?.is_none() => {
                    self.inner.spaces.forget(space).await?;
                }
                None => {}
            }
        }
        Ok(mine)
    }

    /// Opens everything with the words, and signs with them what makes it this device's.
    async fn take_over(&self) -> Result<(), Error> {
        let mine = self.mine().await?;
        self.look_at_kept(&mine)?;
        let mut homes: BTreeMap<SpaceId, Vec<Place>> = BTreeMap::new();
        for it in &mine {
            let mut work = self.inner.work.lock().await;
            self.inner.keyring(&mut work, it.space).await?;
            self.inner.learn_keys(&mut work, it.space, &it.membership, &*self.secret).await?;
            if it.membership.state().kind == Some(SpaceKind::Personal)
                && let Some(places) = self.places(&mut work, it.space).await?
            {
                homes.insert(it.space, places);
            }
        }
        let rows = self.rows(&mine, &homes).await?;
        self.inner.device.apply(rows).await?;
        // The home first: what is asked and told there concerns the others.
        let (first, then): (Vec<_>, Vec<_>) = mine.iter().partition(|it| homes.contains_key(&it.space));
        for it in first.into_iter().chain(then) {
            match self.take_over_space(it).await {
                // Anybody can found a space that lists these words: what is refused there keeps nothing else back.
                Err(Error::Refused(refusal)) => {
                    tracing::warn!(space = %it.space.short(), %refusal, "a space does not take the words' device");
                }
                other => other?,
            }
        }
        self.inner.home_is_due();
        self.inner.follow_home().await
    }

    /// Nothing is signed where somebody names a device to keep that nobody has.
    fn look_at_kept(&self, mine: &[Mine]) -> Result<(), Error> {
        let all = || mine.iter().flat_map(|it| it.membership.state().devices_of(it.person));
        match self.keep.iter().find(|kept| !all().any(|device| begins(&device, kept))) {
            Some(kept) if !mine.is_empty() => Err(Error::new(Code::UnknownDevice).with("device", kept)),
            _ => Ok(()),
        }
    }

    /// What the person's devices told each other of in a personal space; `None` if it is no home.
    async fn places(&self, work: &mut Work, space: SpaceId) -> Result<Option<Vec<Place>>, Error> {
        let opening = self.inner.opening(work, space).await?;
        let (mut places, mut after) = (None, 0);
        loop {
            let since = Since { space, after, part: Part::Everything, bytes: PAGE_BYTES };
            let page = self.inner.device.replica().since(since).await?;
            for item in &page.items {
                if let Outgoing::Entry(name, entry) = item
                    && name.stream == Stream::Data
                    && let Some(place) = opening.home_place(space, name, entry)
                {
                    places.get_or_insert_with(Vec::new).extend(place);
                }
            }
            if !page.more || page.upto <= after {
                return Ok(places);
            }
            after = page.upto;
        }
    }

    /// The spaces as this store keeps them, and the relays that carry them.
    async fn rows(&self, mine: &[Mine], homes: &BTreeMap<SpaceId, Vec<Place>>) -> Result<Vec<DeviceOp>, Error> {
        let mut rows = Vec::new();
        let places = || homes.values().flatten();
        for it in mine {
            let state = it.membership.state();
            let known = self.inner.device.local_space(it.space).await?;
            let alone = state.devices().eq([self.inner.me]);
            match known {
                // A home that this store founded for itself gives way to the person's.
                Some(local) if local.role == HOME && alone && homes.keys().any(|home| *home != it.space) => {
                    if self.inner.holds_documents(it.space).await? {
                        return Err(Code::StoreInUse.into());
                    }
                    rows.push(DeviceOp::PutSpace(LocalSpace { state: SpaceState::Left, ..local }));
                }
                Some(_) => {}
                None => {
                    let home = homes.contains_key(&it.space);
                    let told =
                        places().filter(|place| place.space == it.space).map(|place| place.title.clone()).next_back();
                    let title = if home {
                        HOME_TITLE.to_owned()
                    } else {
                        told.unwrap_or_else(|| format!("space {}", it.space.short()))
                    };
                    let role = if home { HOME } else { 0 };
                    // Nobody is let into a space that has ended; what is in it can be read.
                    let state = if state.ended { SpaceState::Joined } else { SpaceState::Expected };
                    rows.push(DeviceOp::PutSpace(LocalSpace {
                        space: it.space,
                        title,
                        role,
                        state,
                        detail: Vec::new(),
                    }));
                }
            }
        }
        let mut relays: BTreeSet<DeviceKey> = self.inner.device.relays().await?.iter().map(|row| row.relay).collect();
        let pins = mine.iter().filter_map(|it| it.membership.state().relays.last());
        let pins = pins.map(|pin| (pin.relay, pin.address.clone())).chain(places().filter_map(|it| it.relay.clone()));
        for (relay, address) in pins {
            if relays.len() < RELAYS_LEARNED_MAX && relays.insert(relay) {
                let added = self.inner.around.now_millis();
                rows.push(DeviceOp::PutRelay(RelayRow { relay, address, token: None, added }));
            }
        }
        Ok(rows)
    }

    async fn take_over_space(&self, it: &Mine) -> Result<(), Error> {
        let (inner, me) = (self.inner, self.inner.me);
        let mut work = inner.work.lock().await;
        let state = it.membership.state();
        inner.list_this_device(&mut work, (it.space, it.person), &self.secret).await?;
        if !state.ended {
            let kept = |device: DeviceKey| device == me || self.keep.iter().any(|kept| begins(&device, kept));
            let others: Vec<DeviceKey> =
                state.devices_of(it.person).filter(|device| state.is_active(*device) && !kept(*device)).collect();
            for device in others {
                inner.suspend_with_words(&mut work, (it.space, it.person), device, &self.secret).await?;
            }
        }
        inner.take_in(&mut work, it.space).await
    }

    async fn end(&self) -> Result<Recovered, Error> {
        let mine = self.mine().await?;
        let others = |it: &Mine| it.membership.state().devices_of(it.person).any(|device| device != self.inner.me);
        if !mine.iter().any(others) {
            return Err(Code::NothingToRecover.into());
        }
        self.inner.take_in_everything().await?;
        self.inner.follow_home().await?;
        let client = Client { inner: Arc::clone(self.inner) };
        let all = client.spaces().await?.into_iter();
        let spaces: Vec<SpaceId> = all.filter(|view| view.standing != Standing::Asked).map(|view| view.space).collect();
        let missing = self.inner.places_elsewhere().await?;
        Ok(Recovered { spaces, devices: client.devices().await?, missing, groups: self.groups(&mine) })
    }

    fn groups(&self, mine: &[Mine]) -> Vec<Vec<SpaceId>> {
        let mut groups: Vec<(BTreeSet<DeviceKey>, Vec<SpaceId>)> = Vec::new();
        for it in mine {
            let before = it.membership.state().devices_of(it.person).filter(|device| *device != self.inner.me);
            let mut joined = (before.collect::<BTreeSet<_>>(), vec![it.space]);
            let (known, apart): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|(devices, _)| !devices.is_disjoint(&joined.0));
            groups = apart;
            for (devices, spaces) in known {
                joined.0.extend(devices);
                joined.1.extend(spaces);
            }
            groups.push(joined);
        }
        let mut spaces: Vec<_> = groups.into_iter().map(|(_, spaces)| spaces).collect();
        spaces.sort_by_key(|spaces| std::cmp::Reverse(spaces.len()));
        spaces
    }
}
