//! Writing this device's own logs.

use std::collections::BTreeSet;
use std::sync::Arc;

use alliance_crypto::{DeviceSecret, Keyring, Made, Maker, Membership, Place, Secret, Verified, seal, sign_entry};
use alliance_model::{Refusal, RefusalCode};
use alliance_store::device::{AppendError, DeviceOp, EpochKeyRow};
use alliance_sync::{Batch, Incoming, Persisted, View};
use alliance_wire::content::{Body, CONTENT_VERSION, Content};
use alliance_wire::membership::{CutOff, MEMBERSHIP_VERSION, Operation, Payload};
use alliance_wire::{DeviceKey, HeaderHash, LogId, PersonTag, SpaceId, Stream, codec};

use crate::error::{Code, Error};
use crate::inner::{Inner, Work};

/// Makes what this device signs.
pub(crate) type DeviceMaker<'a> = Maker<'a, DeviceSecret>;

/// The next place in one of this device's logs, moved on with each entry.
pub(crate) struct Pen {
    pub(crate) place: Place,
}

impl Pen {
    /// At the beginning of a log that does not exist yet.
    pub(crate) const fn fresh(place: Place) -> Self {
        Self { place }
    }

    fn wrote(&mut self, entry: &Verified) {
        self.place.seq += 1;
        self.place.prev = entry.hash();
    }
}

impl Inner {
    /// Where this device writes next in a space.
    pub(crate) async fn pen(&self, space: SpaceId, stream: Stream) -> Result<Pen, Error> {
        self.pen_of(self.me, space, stream).await
    }

    /// Where a key writes next in a space from this database: this device's, or that of recovery words.
    async fn pen_of(&self, author: DeviceKey, space: SpaceId, stream: Stream) -> Result<Pen, Error> {
        let incarnation = self.incarnation();
        let log = LogId::of(space, stream, author, incarnation);
        let view = self.spaces.view(space).await?;
        let head = view.as_ref().and_then(|view| view.heads.get(&log));
        let (seq, prev) = head.map_or((1, HeaderHash::NONE), |head| (head.seq + 1, head.hash));
        Ok(Pen { place: Place { space, incarnation, stream, seq, prev } })
    }

    /// Signs a membership operation on the membership's present heads, and takes it into `membership`.
    pub(crate) fn sign_operation(
        &self,
        pen: &mut Pen,
        membership: &mut Arc<Membership>,
        person: Option<PersonTag>,
        operation: Operation,
    ) -> Result<Verified, Error> {
        let parents = membership.heads();
        let payload = Payload { version: MEMBERSHIP_VERSION, parents, person, operation };
        self.sign_payload(pen, membership, &payload)
    }

    pub(crate) fn sign_payload(
        &self,
        pen: &mut Pen,
        membership: &mut Arc<Membership>,
        payload: &Payload,
    ) -> Result<Verified, Error> {
        let entry = sign_entry(&*self.secret, &pen.place, None, payload.encode())
            .map_err(|error| Error::new(Code::Internal).with("why", error))?;
        Arc::make_mut(membership).insert(&entry).map_err(|error| Error::new(Code::Internal).with("why", error))?;
        pen.wrote(&entry);
        Ok(entry)
    }

    /// Signs what `make` makes of a space's membership and makes it durable, with `rows` and with the key of the epoch
    /// that it begins. It is in the log then, and not yet taken in. Refused, and nothing is written, where the
    /// membership does not grant it.
    pub(crate) async fn change_membership<S: Secret>(
        &self,
        work: &mut Work,
        space: SpaceId,
        secret: &S,
        mut rows: Vec<DeviceOp>,
        make: impl FnOnce(&Maker<'_, S>) -> Made,
    ) -> Result<(), Error> {
        let mut membership = self.membership(space).await?;
        let random = self.around.bytes()?;
        let keyring = self.keyring(work, space).await?;
        let made = make(&Maker::new(&membership, keyring, secret, random));
        let pen = self.pen_of(secret.signer_key().into(), space, Stream::Membership).await?;
        let entry = sign_entry(secret, &pen.place, None, made.payload.encode())
            .map_err(|error| Error::new(Code::Internal).with("why", error))?;
        Arc::make_mut(&mut membership).insert(&entry).map_err(|error| Error::new(Code::Internal).with("why", error))?;
        let hash = entry.hash();
        if membership.is_authorised(hash) != Some(true) || !membership.state().counting.contains(&hash) {
            return Err(Refusal::new(RefusalCode::RoleForbids).into());
        }
        rows.extend(
            made.key
                .as_ref()
                .map(|key| DeviceOp::PutEpochKey(EpochKeyRow { space, epoch: hash.epoch(), key: key.into() })),
        );
        self.append(vec![entry], rows).await?;
        if let (Some(keyring), Some(key)) = (work.keyrings.get_mut(&space), made.key) {
            keyring.insert(hash.epoch(), key);
        }
        Ok(())
    }

    /// Seals and signs what a data entry says, under the best epoch.
    pub(crate) fn sign_content(
        &self,
        pen: &mut Pen,
        membership: &Membership,
        keyring: &Keyring,
        body: Body,
    ) -> Result<Verified, Error> {
        let (epoch, key, heads) = self.terms(membership, keyring)?;
        let content = Content { version: CONTENT_VERSION, heads, written_at: self.around.now_millis(), body };
        let data = pen.place.associated_data(self.me, epoch);
        let log = pen.place.log(self.me);
        let payload = seal(self.rules, key, log, &data, &codec::encode(&content), self.around.bytes()?)
            .map_err(|error| Error::new(Code::Internal).with("why", error))?;
        let entry = sign_entry(&*self.secret, &pen.place, Some(epoch), payload)
            .map_err(|error| Error::new(Code::Internal).with("why", error))?;
        pen.wrote(&entry);
        Ok(entry)
    }

    /// Makes own entries durable together with the rows that go with them: all of it or nothing.
    pub(crate) async fn append(&self, entries: Vec<Verified>, ops: Vec<DeviceOp>) -> Result<Persisted, Error> {
        let batch = Batch { items: entries.into_iter().map(Incoming::Entry).collect(), ..Batch::default() };
        let device = self.device.clone();
        let put = move |batch, rosters| async move { device.append(batch, rosters, ops).await };
        self.spaces.persist_with::<AppendError, _, _>(batch, put).await.map_err(Error::from)
    }
}

/// Where the data of these devices ends, as far as it is here: the newest verified entry of each of their logs,
/// continuations and the logs that they branched off included (PROTOCOL section 4, endings).
pub(crate) fn data_ends(view: &View, devices: &BTreeSet<DeviceKey>) -> Vec<CutOff> {
    let theirs = view
        .heads
        .iter()
        .filter(|(_, head)| head.name.stream == Stream::Data && devices.contains(&head.name.device) && head.seq > 0);
    theirs.map(|(log, head)| CutOff { log: *log, seq: head.seq, hash: head.hash }).collect()
}
