//! The epoch keys of a space that a device knows.

use std::collections::BTreeMap;

use alliance_wire::{EpochId, HeaderHash, SignerKey};

use crate::epoch::{BoxError, BoxPlace, Canary, EpochKey, open_box, open_link};
use crate::keys::Secret;
use crate::membership::{Membership, boxes_in};

/// A box or link of an authorised entry that gave no key: its author's fault. A writer that has no other box of the
/// epoch issues a superseding one (PROTOCOL section 4, epochs).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFault {
    /// Whose key should have been inside.
    pub epoch: EpochId,
    /// The entry that carries the box or link.
    pub entry: HeaderHash,
    /// What is wrong.
    pub error: BoxError,
}

/// Known epoch keys of one space: feed it the membership whenever that grew ([`Keyring::update`]).
///
/// Reading is generous: boxes of entries that no longer count are opened too, since data may have been written under
/// their epochs. Which epoch to write under is [`Membership::best_epoch`]'s answer.
#[derive(Debug, Default, Clone)]
pub struct Keyring {
    keys: BTreeMap<EpochId, EpochKey>,
    /// How many entries were looked at with each secret.
    examined: BTreeMap<SignerKey, usize>,
}

impl Keyring {
    /// No key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a key that was stored.
    pub fn insert(&mut self, epoch: EpochId, key: EpochKey) {
        self.keys.insert(epoch, key);
    }

    /// The key of an epoch.
    #[must_use]
    pub fn get(&self, epoch: EpochId) -> Option<&EpochKey> {
        self.keys.get(&epoch)
    }

    /// All known keys, by epoch.
    pub fn iter(&self) -> impl Iterator<Item = (EpochId, &EpochKey)> {
        self.keys.iter().map(|(epoch, key)| (*epoch, key))
    }

    /// How many keys are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Opens the boxes that came since the last call with this secret, then walks the links back as far as they go.
    /// Returns what should have given a key and did not; the membership must be of the same space each time.
    pub fn update(&mut self, membership: &Membership, secret: &impl Secret) -> Vec<KeyFault> {
        let canaries = canaries(membership);
        let me = secret.signer_key();
        let examined = self.examined.insert(me, membership.len()).unwrap_or(0);
        let mut faults = Vec::new();
        for (verified, payload) in membership.payloads().skip(examined) {
            let (entry, space) = (verified.hash(), verified.space());
            if membership.is_authorised(entry) != Some(true) {
                continue;
            }
            let (epoch, place) = if let Some(epoch) = payload.operation.epoch() {
                let (generation, parents) = (epoch.generation, payload.parents.as_slice());
                (entry.epoch(), BoxPlace::Epoch { space, generation, parents })
            } else if let Some(boxes) = payload.operation.appended() {
                (boxes.epoch, BoxPlace::Appended { space, epoch: boxes.epoch })
            } else {
                continue;
            };
            let Some(canary) = canaries.get(&epoch) else {
                continue;
            };
            for sealed in boxes_in(payload).iter().filter(|sealed| sealed.recipient == me) {
                if self.keys.contains_key(&epoch) {
                    break;
                }
                match open_box(secret, &place, sealed, canary) {
                    Ok(key) => self.insert(epoch, key),
                    Err(error) => faults.push(KeyFault { epoch, entry, error }),
                }
            }
        }
        self.walk(membership, &canaries, &mut faults);
        faults
    }

    /// Follows links from known keys to unknown ones until there are none.
    fn walk(&mut self, membership: &Membership, canaries: &BTreeMap<EpochId, Canary>, faults: &mut Vec<KeyFault>) {
        // Links lead back in causal order, so from the newest entry to the oldest one pass is enough.
        let entries: Vec<_> = membership.payloads().collect();
        for (verified, payload) in entries.into_iter().rev() {
            let (Some(epoch), entry) = (payload.operation.epoch(), verified.hash()) else {
                continue;
            };
            if membership.is_authorised(entry) != Some(true) {
                continue;
            }
            for link in &epoch.links {
                let (Some(key), Some(canary)) = (self.keys.get(&entry.epoch()), canaries.get(&link.epoch)) else {
                    continue;
                };
                if self.keys.contains_key(&link.epoch) {
                    continue;
                }
                match open_link(key, link, canary) {
                    Ok(predecessor) => self.insert(link.epoch, predecessor),
                    Err(error) => faults.push(KeyFault { epoch: link.epoch, entry, error }),
                }
            }
        }
    }
}

/// What each epoch's key is compared with.
fn canaries(membership: &Membership) -> BTreeMap<EpochId, Canary> {
    let epochs = membership.payloads().filter_map(|(verified, payload)| {
        let epoch = payload.operation.epoch()?;
        Some((verified.hash().epoch(), Canary::in_entry(verified.space(), epoch)))
    });
    epochs.collect()
}
