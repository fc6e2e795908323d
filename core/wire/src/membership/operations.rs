//! What each membership entry says (PROTOCOL section 4).

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::cards::{DeviceCard, RecoveryCard, Role};
use super::{EraseRule, SpaceKind};
use crate::hash::{Domain, hash};
use crate::ids::{DeviceKey, EpochId, HeaderHash, LogId, SignerKey, SpaceId};

/// Bytes of one sealed key: encapsulated key (32), key (32), tag (16).
pub const BOX_BYTES: usize = 80;

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

/// A further device of the person that the entry names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OwnDevice {
    /// The device, signed for [`super::CardForOwn`].
    #[n(0)]
    pub card: DeviceCard,
    /// Key boxes for it, where its person has the key.
    #[n(1)]
    pub boxes: Option<Boxes>,
}

/// Further recovery words of the person that the entry names; older ones outrank them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FurtherWords {
    /// The recovery key.
    #[n(0)]
    pub recovery: RecoveryCard,
    /// Key boxes for it, where its person has the key.
    #[n(1)]
    pub boxes: Option<Boxes>,
}

/// Where the data of one log ends: what is not on the chain that ends with this entry is above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct CutOff {
    /// A data log, or a fork's continuation.
    #[n(0)]
    pub log: LogId,
    /// Number of the last entry that counts, from 1.
    #[n(1)]
    pub seq: u64,
    /// Its header hash.
    #[n(2)]
    pub hash: HeaderHash,
}

/// The end of what the devices concerned may write, and the keys of what follows: one entry, so that nobody sees one
/// without the other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ending {
    /// Where the data logs of the devices concerned end, ascending by log. One that is not named ends before its first
    /// entry.
    #[n(0)]
    pub cut_offs: Vec<CutOff>,
    /// The epoch without them.
    #[n(1)]
    pub epoch: Epoch,
}

/// Puts out a device of the person that the entry names, or a younger recovery key: until it is restored, or for good.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Stop {
    /// The device or recovery key.
    #[n(0)]
    pub target: SignerKey,
    /// Its data, and the keys of what follows.
    #[n(1)]
    pub ending: Ending,
}

/// Cancels the suspensions of a device that are among the entry's ancestors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Restore {
    /// The device or recovery key.
    #[n(0)]
    pub target: SignerKey,
}

/// Another role for the person that the entry names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GiveRole {
    /// The role.
    #[n(0)]
    pub role: Role,
    /// Of a reader: the end of what it wrote. Absent for any other role.
    #[n(1)]
    pub ending: Option<Ending>,
}

/// The person goes. It makes no epoch, whose key it would know.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Leave {
    /// Where the data logs of its devices end, ascending by log. One that is not named ends before its first entry.
    #[n(0)]
    pub cut_offs: Vec<CutOff>,
}

/// Data entries above a cut-off that count again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Admit {
    /// The entries, ascending.
    #[n(0)]
    pub entries: Vec<CutOff>,
}
