//! Writing this device's own logs.

use std::sync::Arc;

use alliance_crypto::{Keyring, Membership, Place, Verified, seal, sign_entry};
use alliance_store::device::{AppendError, DeviceOp};
use alliance_sync::{Batch, Incoming, Persisted};
use alliance_wire::content::{Body, CONTENT_VERSION, Content};
use alliance_wire::membership::{MEMBERSHIP_VERSION, Operation, Payload};
use alliance_wire::{HeaderHash, LogId, PersonTag, SpaceId, Stream, codec};

use crate::error::{Code, Error};
use crate::inner::Inner;

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
        let incarnation = self.incarnation();
        let log = LogId::of(space, stream, self.me, incarnation);
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
