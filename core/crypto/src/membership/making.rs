//! Making the entries that change who is in: the payload to sign, with key boxes and the epoch that it calls for.
//!
//! A [`Maker`] judges nothing: who may sign what is the table's business, and an entry that it does not grant does
//! nothing anywhere. Whoever signs can put the entry into a copy of the membership and ask there.

use std::collections::BTreeSet;
use std::sync::Arc;

use alliance_wire::membership::{
    Admit, Boxes, CutOff, DeviceCard, Ending, Epoch, FurtherWords, GiveRole, Leave, MEMBERSHIP_VERSION, Operation,
    OwnDevice, Payload, RecoveryCard, Restore, Role, Stop,
};
use alliance_wire::{BoxKey, HashPrefix, HeaderHash, PersonTag, SignerKey};

use super::{Membership, State};
use crate::epoch::{EpochKey, make_boxes, new_epoch};
use crate::keyring::Keyring;
use crate::keys::Secret;

/// A payload to sign, and the key of the epoch that its entry begins: the epoch's id is the entry's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What the entry says.
    pub payload: Payload,
    /// The new epoch's key, if there is one.
    pub key: Option<EpochKey>,
}

/// Makes the payloads of one secret's membership entries. `person` is in all of them the person whose device or words
/// sign, but in [`Maker::role`] and [`Maker::remove`], where it is the one that is acted on.
#[derive(Debug, Clone)]
pub struct Maker<'a, S> {
    membership: &'a Membership,
    keyring: &'a Keyring,
    secret: &'a S,
    random: [u8; 32],
    parents: Vec<HeaderHash>,
    state: Arc<State>,
}

impl<'a, S: Secret> Maker<'a, S> {
    /// Entries on the heads that are here. `random` is 32 bytes of the operating system's randomness, for one entry.
    #[must_use]
    pub fn new(membership: &'a Membership, keyring: &'a Keyring, secret: &'a S, random: [u8; 32]) -> Self {
        let (parents, state) = (membership.heads(), Arc::clone(membership.merged()));
        Self { membership, keyring, secret, random, parents, state }
    }

    /// The same on these entries, whatever else is here: a recovery key leaves out what it disowns. The signer's log's
    /// previous entry is an ancestor in any case. `None` if one of them is not here.
    #[must_use]
    pub fn disowning_all_but(&self, parents: Vec<HeaderHash>) -> Option<Self> {
        let heads: Vec<HashPrefix> = parents.iter().map(HeaderHash::prefix).collect();
        let state = self.membership.state_at(&heads)?;
        let Self { membership, keyring, secret, random, .. } = *self;
        Some(Self { membership, keyring, secret, random, parents, state })
    }

    /// Lists a further device; its card is signed for this space, person and signer.
    #[must_use]
    pub fn device(&self, person: PersonTag, card: DeviceCard) -> Made {
        let boxes = self.boxes_for(card.device.into(), card.boxes);
        self.payload(person, Operation::Device(OwnDevice { card, boxes }))
    }

    /// Lists further words.
    #[must_use]
    pub fn recovery(&self, person: PersonTag, recovery: RecoveryCard) -> Made {
        let boxes = self.boxes_for(recovery.signer, recovery.boxes);
        self.payload(person, Operation::Recovery(FurtherWords { recovery, boxes }))
    }

    /// Puts a device or a younger recovery key out until it is restored. `ends` are the newest verified entries of the
    /// device's data logs, continuations and the logs that they branched off included: what is above counts no more.
    #[must_use]
    pub fn suspend(&self, person: PersonTag, target: SignerKey, ends: Vec<CutOff>) -> Made {
        self.stop(person, target, ends, Operation::Suspend)
    }

    /// Puts a device or a younger recovery key out for good; `ends` as for [`Self::suspend`].
    #[must_use]
    pub fn lost(&self, person: PersonTag, target: SignerKey, ends: Vec<CutOff>) -> Made {
        self.stop(person, target, ends, Operation::Lost)
    }

    /// Cancels the suspensions of a device that the parents know.
    #[must_use]
    pub fn restore(&self, person: PersonTag, target: SignerKey) -> Made {
        self.payload(person, Operation::Restore(Restore { target }))
    }

    /// Gives a person a role. `ends` as for [`Self::suspend`], of all its devices ([`State::devices_of`]); only a
    /// reader's count.
    #[must_use]
    pub fn role(&self, person: PersonTag, role: Role, ends: Vec<CutOff>) -> Made {
        if role != Role::Reader {
            return self.payload(person, Operation::Role(GiveRole { role, ending: None }));
        }
        let (ending, key) = self.ending(ends, |_, _| false);
        let operation = Operation::Role(GiveRole { role, ending: Some(ending) });
        Made { key: Some(key), ..self.payload(person, operation) }
    }

    /// Puts a person out for good; `ends` as for [`Self::suspend`], of all its devices ([`State::devices_of`]).
    #[must_use]
    pub fn remove(&self, person: PersonTag, ends: Vec<CutOff>) -> Made {
        let (ending, key) = self.ending(ends, |tag, _| tag == person);
        Made { key: Some(key), ..self.payload(person, Operation::Remove(ending)) }
    }

    /// The person goes for good; `ends` as for [`Self::suspend`], of all its devices ([`State::devices_of`]).
    #[must_use]
    pub fn leave(&self, person: PersonTag, ends: Vec<CutOff>) -> Made {
        self.payload(person, Operation::Leave(Leave { cut_offs: in_order(ends) }))
    }

    /// Ends the space.
    #[must_use]
    pub fn end(&self, person: PersonTag) -> Made {
        self.payload(person, Operation::End)
    }

    /// Lets data entries above a cut-off count.
    #[must_use]
    pub fn admit(&self, person: PersonTag, entries: BTreeSet<CutOff>) -> Made {
        self.payload(person, Operation::Admit(Admit { entries: entries.into_iter().collect() }))
    }

    fn stop(
        &self,
        person: PersonTag,
        target: SignerKey,
        ends: Vec<CutOff>,
        operation: impl FnOnce(Stop) -> Operation,
    ) -> Made {
        let (ending, key) = self.ending(ends, |tag, key| tag == person && key == target);
        Made { key: Some(key), ..self.payload(person, operation(Stop { target, ending })) }
    }

    /// The cut-offs, and an epoch for everybody who stays.
    fn ending(&self, ends: Vec<CutOff>, gone: impl Fn(PersonTag, SignerKey) -> bool) -> (Ending, EpochKey) {
        let mut recipients: BTreeSet<(SignerKey, BoxKey)> = BTreeSet::new();
        for (tag, member) in &self.state.members {
            recipients.extend(member.recipients().filter(|(key, _)| !gone(*tag, *key)));
        }
        let recipients: Vec<_> = recipients.into_iter().collect();
        let (epoch, key) = self.epoch(&recipients);
        (Ending { cut_offs: in_order(ends), epoch }, key)
    }

    fn epoch(&self, recipients: &[(SignerKey, BoxKey)]) -> (Epoch, EpochKey) {
        let heads = self.membership.epoch_heads_in(&self.state);
        let links: Vec<_> = heads.iter().filter_map(|head| Some((head.id, self.keyring.get(head.id)?))).collect();
        let generation = self.membership.generation_after(&self.parents);
        let space = self.membership.space();
        new_epoch(self.secret, self.random, space, generation, &self.parents, recipients, &links)
    }

    /// A box of the best epoch's key, if the key is here.
    fn boxes_for(&self, recipient: SignerKey, boxes: BoxKey) -> Option<Boxes> {
        let epoch = self.membership.best_epoch()?.id;
        let key = self.keyring.get(epoch)?;
        let to = [(recipient, boxes)];
        Some(make_boxes(self.secret, self.random, self.membership.space(), epoch, key, &to))
    }

    fn payload(&self, person: PersonTag, operation: Operation) -> Made {
        let (version, parents) = (MEMBERSHIP_VERSION, self.parents.clone());
        Made { payload: Payload { version, parents, person: Some(person), operation }, key: None }
    }
}

/// Ascending by log; of several ends of one log the smallest.
fn in_order(mut ends: Vec<CutOff>) -> Vec<CutOff> {
    ends.sort_unstable();
    ends.dedup_by_key(|end| end.log);
    ends
}
