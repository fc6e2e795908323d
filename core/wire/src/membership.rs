//! Membership entries: who is in a space, with which devices, words and keys (PROTOCOL section 4).
//!
//! These payloads are readable by a relay. They hold keys, roles, epochs and ids, never a name.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::entry::Signature;
use crate::hash::{Domain, hash};
use crate::ids::{BoxKey, DeviceKey, EpochId, HeaderHash, PersonTag, SignerKey, SpaceId};
use crate::limits;

/// Version of the membership payload's layout.
pub const MEMBERSHIP_VERSION: u8 = 1;
/// HPKE with X25519, HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180, KEM 0x0020).
pub const KEM_X25519: u16 = 0x0020;
/// Bytes of one sealed key: encapsulated key (32), key (32), tag (16).
pub const BOX_BYTES: usize = 80;
/// Length of a relay's address as text.
pub const ADDRESS_BYTES_MAX: usize = 256;

/// The payload of a membership entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Payload {
    /// [`MEMBERSHIP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// Header hashes of the membership heads that the author knew; empty in a space's first entry only.
    #[n(1)]
    pub parents: Vec<HeaderHash>,
    /// The person acted on (`add`) or acted for (the rest); absent in a space's first entry.
    #[n(2)]
    pub person: Option<PersonTag>,
    /// What is done.
    #[n(3)]
    pub operation: Operation,
}

/// What a membership entry does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Operation {
    /// Founds the space: its id fixes every signed byte of this entry.
    #[n(0)]
    First(#[n(0)] First),
    /// Names the relay that carries the space, with the operator's admission where one is needed.
    #[n(1)]
    Relay(#[n(0)] RelayPin),
    /// Opens an invitation: a right to ask.
    #[n(2)]
    Invite(#[n(0)] Invite),
    /// Admits a person with a first device.
    #[n(3)]
    Add(#[n(0)] Add),
    /// Appends key boxes that are missing.
    #[n(4)]
    Box(#[n(0)] Boxes),
    /// Begins a key epoch.
    #[n(5)]
    Epoch(#[n(0)] Epoch),
}

/// What kind of space it is, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum SpaceKind {
    /// One person's own devices.
    #[n(0)]
    Personal,
    /// Nobody expels anybody; at most `persons_max` persons.
    #[n(1)]
    Joint {
        /// Persons at most, the steward included.
        #[n(0)]
        persons_max: u16,
    },
    /// Belongs to its steward.
    #[n(2)]
    Group,
}

/// Who must agree to an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EraseRule {
    /// The owner (personal spaces).
    #[n(0)]
    Owner,
    /// Every person (joint spaces).
    #[n(1)]
    Everybody,
    /// The steward (groups).
    #[n(2)]
    Steward,
}

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
    /// HPKE KEM id (RFC 9180, section 7.1); [`KEM_X25519`] today.
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

/// The founding of a space.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct First {
    /// Random bytes, so that two spaces of one founder differ.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub random: [u8; 16],
    /// What kind of space.
    #[n(1)]
    pub kind: SpaceKind,
    /// Who must agree to an erasure.
    #[n(2)]
    pub erase: EraseRule,
    /// The founder's recovery key.
    #[n(3)]
    pub recovery: RecoveryCard,
    /// The founder's device.
    #[n(4)]
    pub card: DeviceCard,
}

/// A relay that carries the space.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RelayPin {
    /// The relay's key.
    #[n(0)]
    pub relay: DeviceKey,
    /// Where it listens, `host:port`.
    #[n(1)]
    pub address: String,
    /// The operator's admission for this space; none is needed at an open relay.
    #[n(2)]
    pub admission: Option<Admission>,
}

/// Proof that the space may be created under an operator's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Admission {
    /// Which token.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub token: [u8; 8],
    /// [`Admission::mac`] of token and space.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub mac: [u8; 32],
}

impl Admission {
    /// The value that proves knowledge of a token's secret for one space.
    #[must_use]
    pub fn mac(secret: &[u8; 32], space: SpaceId) -> [u8; 32] {
        hash(Domain::Admission, &[secret, &space.0])
    }
}

/// An invitation's public side: its secret halves travel to the invited person only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Invite {
    /// One-time keys, one use each.
    #[n(0)]
    pub keys: Vec<OnceKey>,
    /// The role that is offered.
    #[n(1)]
    pub role: Role,
    /// Seconds since 1970 after which the adding steward refuses; judged once, never on replay.
    #[n(2)]
    pub expires: u64,
}

/// A one-time key of an invitation and the commitment to the inviter's nonce for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OnceKey {
    /// Verifies the `accept`.
    #[n(0)]
    pub key: SignerKey,
    /// [`commitment`] to the inviter's nonce.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub commitment: [u8; 32],
}

/// Commitment to an inviter's nonce, bound to its one-time key.
#[must_use]
pub fn commitment(once: SignerKey, nonce: &[u8; 32]) -> [u8; 32] {
    hash(Domain::Commitment, &[&once.0, nonce])
}

/// The admission of a person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Add {
    /// The `invite` entry.
    #[n(0)]
    pub invitation: HeaderHash,
    /// The one-time key that signed the `accept`.
    #[n(1)]
    pub once: SignerKey,
    /// The role given: the one that the card was signed for.
    #[n(2)]
    pub role: Role,
    /// The newcomer's first device.
    #[n(3)]
    pub card: DeviceCard,
    /// The newcomer's recovery key.
    #[n(4)]
    pub recovery: RecoveryCard,
    /// Key boxes for both.
    #[n(5)]
    pub boxes: Boxes,
}

/// Key boxes of one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Boxes {
    /// Whose key is inside.
    #[n(0)]
    pub epoch: EpochId,
    /// One box a recipient.
    #[n(1)]
    pub boxes: Vec<KeyBox>,
}

/// An epoch's key, sealed to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyBox {
    /// A device or recovery key.
    #[n(0)]
    pub recipient: SignerKey,
    /// HPKE: encapsulated key, then ciphertext ([`BOX_BYTES`]).
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub sealed: [u8; BOX_BYTES],
}

/// The beginning of a key epoch. Its id is the prefix of its entry's header hash, so that the boxes inside name no id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Epoch {
    /// One more than the largest generation among its ancestors.
    #[n(0)]
    pub generation: u64,
    /// Commitment to the key: who opens a box compares it.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub canary: [u8; 32],
    /// One box a device or recovery key of each member.
    #[n(2)]
    pub boxes: Vec<KeyBox>,
    /// The keys of the direct predecessors, so that history can be read; left out where history is not given.
    #[n(3)]
    pub links: Vec<EpochLink>,
}

/// A predecessor's key under a new epoch's key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EpochLink {
    /// The predecessor.
    #[n(0)]
    pub epoch: EpochId,
    /// Nonce (24), then the sealed key.
    #[n(1)]
    pub sealed: ByteVec,
}

impl Payload {
    /// Reads a payload and checks its limits.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not a membership payload of this version or over a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("membership payload", bytes.len(), limits::MEMBERSHIP_PAYLOAD_BYTES_MAX)?;
        let payload: Self = codec::decode(bytes)?;
        if payload.version != MEMBERSHIP_VERSION {
            return Err(DecodeError::Shape("membership payload of another version".into()));
        }
        let first = matches!(payload.operation, Operation::First(_));
        if first != payload.parents.is_empty() || first != payload.person.is_none() {
            return Err(DecodeError::Shape("only a first entry has no parents and no person".into()));
        }
        codec::within("parents", payload.parents.len(), limits::PARENTS_MAX)?;
        match &payload.operation {
            Operation::Relay(pin) => codec::within("relay address", pin.address.len(), ADDRESS_BYTES_MAX)?,
            Operation::Invite(invite) => codec::within("one-time keys", invite.keys.len(), limits::MEMBERS_MAX)?,
            Operation::Epoch(epoch) => codec::within("epoch links", epoch.links.len(), limits::PARENTS_MAX)?,
            Operation::First(_) | Operation::Add(_) | Operation::Box(_) => {}
        }
        Ok(payload)
    }

    /// The CBOR of the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}
