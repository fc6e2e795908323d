//! Key epochs (PROTOCOL section 4): one key for all that a space's members write until the next epoch, sealed to each
//! device and recovery key by HPKE (RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305).

use core::fmt;

use alliance_wire::membership::{Boxes, Epoch, EpochLink, KeyBox};
use alliance_wire::{BoxKey, EpochId, HeaderHash, SignerKey, SpaceId};
use minicbor::bytes::ByteVec;
use zeroize::Zeroizing;

use crate::aead::AeadKey;
use crate::boxes;
use crate::keys::Secret;
use crate::rules::Rules;
use crate::wiped::KeyBytes;

/// An epoch's key; wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct EpochKey(KeyBytes);

impl EpochKey {
    /// A key that was stored; the argument is wiped.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyBytes::new(bytes))
    }

    /// The bytes, to be stored encrypted.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<KeyBytes> for EpochKey {
    fn from(bytes: KeyBytes) -> Self {
        Self(bytes)
    }
}

impl From<&EpochKey> for KeyBytes {
    fn from(key: &EpochKey) -> Self {
        key.0.clone()
    }
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EpochKey(redacted)")
    }
}

/// What a key is compared with before it is believed: a commitment, so that nobody can give two members different keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canary {
    /// The space.
    pub space: SpaceId,
    /// The epoch's generation.
    pub generation: u64,
    /// BLAKE3 over (key, space, generation).
    pub value: [u8; 32],
}

impl Canary {
    /// The commitment to a key.
    #[must_use]
    pub fn of(key: &EpochKey, space: SpaceId, generation: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("alliance v1 epoch canary");
        hasher.update(key.as_bytes()).update(&space.0).update(&generation.to_be_bytes());
        Self { space, generation, value: *hasher.finalize().as_bytes() }
    }

    /// The one that an epoch entry of the space carries.
    #[must_use]
    pub const fn in_entry(space: SpaceId, epoch: &Epoch) -> Self {
        Self { space, generation: epoch.generation, value: epoch.canary }
    }

    fn matches(&self, key: &EpochKey) -> bool {
        Self::of(key, self.space, self.generation) == *self
    }
}

/// Which entry a key box stands in: it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoxPlace<'a> {
    /// The entry that makes the epoch. Its id is not known when the boxes are sealed.
    Epoch {
        /// The space.
        space: SpaceId,
        /// The epoch's generation.
        generation: u64,
        /// The entry's parents, in its order.
        parents: &'a [HeaderHash],
    },
    /// An `add` or `box` entry.
    Appended {
        /// The space.
        space: SpaceId,
        /// The epoch.
        epoch: EpochId,
    },
}

impl BoxPlace<'_> {
    /// HPKE's `info`.
    fn info(&self, recipient: SignerKey) -> Vec<u8> {
        match self {
            Self::Epoch { space, generation, parents } => {
                let mut info = b"alliance v1 epoch box".to_vec();
                info.extend_from_slice(&space.0);
                info.extend_from_slice(&generation.to_be_bytes());
                info.extend_from_slice(&(parents.len() as u64).to_be_bytes());
                info.extend(parents.iter().flat_map(|parent| parent.0));
                info.extend_from_slice(&recipient.0);
                info
            }
            Self::Appended { space, epoch } => {
                [b"alliance v1 appended box".as_slice(), &space.0, &epoch.0, &recipient.0].concat()
            }
        }
    }
}

/// Why a box or link does not give a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    /// It is sealed to another key than this secret's.
    #[error("the key box is somebody else's")]
    NotMine,
    /// It does not open: damaged, or sealed for another entry.
    #[error("the key box does not open")]
    Sealed,
    /// It opens, but the key is not the one that the epoch's entry commits to: its author deceives somebody.
    #[error("the key is not the one that the epoch commits to")]
    Canary,
}

/// Makes a new epoch for the entry at `place`: its key, sealed to each recipient, and its predecessors' keys under it.
/// A recipient whose box key is none is left out (admission refuses such cards).
///
/// `random` is 32 bytes of the operating system's randomness. The entry must be signed with exactly the generation and
/// parents that are named here.
pub fn new_epoch(
    secret: &impl Secret,
    random: [u8; 32],
    space: SpaceId,
    generation: u64,
    parents: &[HeaderHash],
    recipients: &[(SignerKey, BoxKey)],
    links: &[(EpochId, &EpochKey)],
) -> (Epoch, EpochKey) {
    let parent_bytes: Vec<u8> = parents.iter().flat_map(|parent| parent.0).collect();
    let place: [&[u8]; 3] = [&space.0, &generation.to_be_bytes(), &parent_bytes];
    let key = EpochKey::from_bytes(secret.hedge(random, "epoch key", &place));
    let boxes = seal_boxes(secret, random, &BoxPlace::Epoch { space, generation, parents }, &key, recipients);
    let links = links
        .iter()
        .map(|(epoch, predecessor)| {
            let nonce = secret.hedge(random, "epoch link", &[&space.0, &epoch.0, key.as_bytes()]);
            let text = predecessor.as_bytes().to_vec();
            let sealed = link_key(&key).seal(Rules::ALL, &nonce, &link_data(space, *epoch), text);
            EpochLink { epoch: *epoch, sealed: ByteVec::from(sealed) }
        })
        .collect();
    let canary = Canary::of(&key, space, generation).value;
    (Epoch { generation, canary, boxes, links }, key)
}

/// Boxes of a known epoch's key for an `add` or `box` entry.
pub fn make_boxes(
    secret: &impl Secret,
    random: [u8; 32],
    space: SpaceId,
    epoch: EpochId,
    key: &EpochKey,
    recipients: &[(SignerKey, BoxKey)],
) -> Boxes {
    Boxes { epoch, boxes: seal_boxes(secret, random, &BoxPlace::Appended { space, epoch }, key, recipients) }
}

/// Opens a box and compares the key with the epoch's canary.
///
/// # Errors
/// [`BoxError`].
pub fn open_box(
    secret: &impl Secret,
    place: &BoxPlace<'_>,
    sealed: &KeyBox,
    canary: &Canary,
) -> Result<EpochKey, BoxError> {
    if sealed.recipient != secret.signer_key() {
        return Err(BoxError::NotMine);
    }
    let opened = boxes::open_with(secret, &place.info(sealed.recipient), &sealed.sealed).ok_or(BoxError::Sealed)?;
    checked(EpochKey(opened), canary)
}

/// Opens a predecessor's key with the key of the epoch that links to it, and compares it with the predecessor's canary.
///
/// # Errors
/// [`BoxError::Sealed`] or [`BoxError::Canary`].
pub fn open_link(key: &EpochKey, link: &EpochLink, canary: &Canary) -> Result<EpochKey, BoxError> {
    let opened = link_key(key).open(&link_data(canary.space, link.epoch), &link.sealed).ok_or(BoxError::Sealed)?;
    let opened = Zeroizing::new(opened);
    checked(EpochKey(KeyBytes::from_slice(&opened).ok_or(BoxError::Sealed)?), canary)
}

fn checked(key: EpochKey, canary: &Canary) -> Result<EpochKey, BoxError> {
    if canary.matches(&key) { Ok(key) } else { Err(BoxError::Canary) }
}

fn seal_boxes(
    secret: &impl Secret,
    random: [u8; 32],
    place: &BoxPlace<'_>,
    key: &EpochKey,
    recipients: &[(SignerKey, BoxKey)],
) -> Vec<KeyBox> {
    let seal = |(recipient, to): &(SignerKey, BoxKey)| {
        let info = place.info(*recipient);
        let seed = secret.hedge(random, "epoch box", &[&info, &to.0, key.as_bytes()]);
        let sealed = boxes::seal_to(&seed, *to, &info, key.as_bytes())?;
        Some(KeyBox { recipient: *recipient, sealed })
    };
    recipients.iter().filter_map(seal).collect()
}

fn link_key(key: &EpochKey) -> AeadKey {
    AeadKey::derive("alliance v1 epoch link", "alliance v1 epoch link nonces", key.as_bytes())
}

fn link_data(space: SpaceId, epoch: EpochId) -> Vec<u8> {
    [space.0, epoch.0].concat()
}
