//! Keys as membership entries list them, and the one place that each is signed for (PROTOCOL section 4).

use minicbor::{Decode, Encode};

use crate::entry::Signature;
use crate::hash::{Domain, hash};
use crate::ids::{BoxKey, DeviceKey, PersonTag, SignerKey, SpaceId};

/// What a member may do; the steward's own role is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Reads.
    #[n(0)]
    Reader,
    /// Reads and writes.
    #[n(1)]
    Writer,
    /// Reads, writes and signs for the person's office.
    #[n(2)]
    Signer,
}

/// A recovery key's public half: it signs and receives key boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RecoveryCard {
    /// Verifies what the recovery key signs.
    #[n(0)]
    pub signer: SignerKey,
    /// Seals key boxes to it.
    #[n(1)]
    pub boxes: BoxKey,
}

/// A device's public half, signed by the device for one place: see [`CardFor`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeviceCard {
    /// The device.
    #[n(0)]
    pub device: DeviceKey,
    /// Seals key boxes to it.
    #[n(1)]
    pub boxes: BoxKey,
    /// HPKE KEM id (RFC 9180, section 7.1); [`KEM_X25519`](super::KEM_X25519) today.
    #[n(2)]
    pub kem: u16,
    /// The device's signature over [`CardFor::message`].
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Signature,
}

/// The one place that a device card is signed for, so that nobody is put anywhere it did not ask to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardFor {
    /// The founder's card: over the first entry's random bytes, since the space has no id yet.
    First {
        /// The random bytes.
        random: [u8; 16],
    },
    /// A newcomer's card.
    Add {
        /// The space.
        space: SpaceId,
        /// The newcomer's tag.
        tag: PersonTag,
        /// The invitation's one-time key.
        once: SignerKey,
        /// The role asked for.
        role: Role,
    },
}

impl CardFor {
    /// What the device signs: 32 bytes over the place and every key of the card and of the recovery key beside it.
    #[must_use]
    pub fn message(&self, device: DeviceKey, boxes: BoxKey, kem: u16, recovery: &RecoveryCard) -> [u8; 32] {
        let kem = kem.to_be_bytes();
        let keys: [&[u8]; 5] = [&device.0, &boxes.0, &kem, &recovery.signer.0, &recovery.boxes.0];
        match self {
            Self::First { random } => hash(Domain::Card, &[&[0], random, keys[0], keys[1], keys[2], keys[3], keys[4]]),
            Self::Add { space, tag, once, role } => hash(
                Domain::Card,
                &[&[1], &space.0, &tag.0, &once.0, &[*role as u8], keys[0], keys[1], keys[2], keys[3], keys[4]],
            ),
        }
    }
}

/// The one place that a further device's card is signed for: a person's, by whom it was asked. No words stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardForOwn {
    /// The space.
    pub space: SpaceId,
    /// The person whose device it becomes.
    pub tag: PersonTag,
    /// The key that lists it: another device of the person, or its recovery key.
    pub by: SignerKey,
}

impl CardForOwn {
    /// What the device signs: 32 bytes over the place and every key of the card.
    #[must_use]
    pub fn message(&self, device: DeviceKey, boxes: BoxKey, kem: u16) -> [u8; 32] {
        let Self { space, tag, by } = self;
        hash(Domain::Card, &[&[2], &space.0, &tag.0, &by.0, &device.0, &boxes.0, &kem.to_be_bytes()])
    }
}
