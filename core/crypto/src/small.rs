//! Sealed messages that are no entries: watching notices, an invitation's messages, backups.

use alliance_wire::{DeviceKey, DocumentId, EpochId, SpaceId, limits};

use crate::aead::AeadKey;
use crate::epoch::EpochKey;
use crate::rules::Rules;
use crate::seal::OpenError;
use crate::wiped::on_wiped_stack;

/// Version of the small sealed layout: version (1) ‖ nonce (24) ‖ ciphertext ‖ tag (16).
const SMALL_VERSION: u8 = 1;
/// What a small sealed message is longer than its text, in bytes.
pub const SMALL_OVERHEAD_BYTES: usize = 41;

/// What a small sealed message is for: its key serves nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmallDomain {
    /// A `watching` notice; the key is an epoch's key.
    Watching,
    /// A message of an invitation; the key is the one-time seed.
    Invitation,
    /// A backup of a whole store; the key is a passphrase's.
    Backup,
    /// A store's key under a PIN; the key is the PIN's.
    PinWrap,
    /// A store's key under two shares; the key is what both make.
    HelpWrap,
    /// A parcel of a bundle; the key is its own.
    Parcel,
    /// A parcel's key; the key is made of a replica's public key.
    ParcelSlot,
    /// A page of a bundle in a file; the key is its parcel's.
    BundlePage,
}

impl SmallDomain {
    const fn contexts(self) -> (&'static str, &'static str) {
        match self {
            Self::Watching => ("alliance v1 watching key", "alliance v1 watching nonces"),
            Self::Invitation => ("alliance v1 invitation message key", "alliance v1 invitation message nonces"),
            Self::Backup => ("alliance v1 backup key", "alliance v1 backup nonces"),
            Self::HelpWrap => ("alliance v1 help wrap key", "alliance v1 help wrap nonces"),
            Self::Parcel => ("alliance v1 parcel contents key", "alliance v1 parcel contents nonces"),
            Self::ParcelSlot => ("alliance v1 parcel slot key", "alliance v1 parcel slot nonces"),
            Self::BundlePage => ("alliance v1 bundle page key", "alliance v1 bundle page nonces"),
            Self::PinWrap => ("alliance v1 pin wrap key", "alliance v1 pin wrap nonces"),
        }
    }

    fn key(self, key: &[u8; 32]) -> AeadKey {
        let (cipher, nonces) = self.contexts();
        AeadKey::derive(cipher, nonces, key)
    }
}

/// Seals a message. Nothing is compressed or padded.
#[must_use]
pub fn seal_small(domain: SmallDomain, key: &[u8; 32], ad: &[u8], plaintext: &[u8], random: [u8; 32]) -> Vec<u8> {
    let mut sealed = on_wiped_stack(|| domain.key(key).seal(Rules::ALL, &random, ad, plaintext.to_vec()));
    sealed.insert(0, SMALL_VERSION);
    sealed
}

/// Opens a message; the caller has checked its length against the limit of its kind.
///
/// # Errors
/// [`OpenError::Size`], [`OpenError::Version`] or [`OpenError::Cipher`].
pub fn open_small(domain: SmallDomain, key: &[u8; 32], ad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let (version, rest) = sealed.split_first().ok_or(OpenError::Size)?;
    if *version != SMALL_VERSION {
        return Err(OpenError::Version);
    }
    if sealed.len() < SMALL_OVERHEAD_BYTES {
        return Err(OpenError::Size);
    }
    on_wiped_stack(|| domain.key(key).open(ad, rest)).ok_or(OpenError::Cipher)
}

/// A notice that a device has a document open (PROTOCOL section 2, granularity). It is a hint: whoever holds the epoch's
/// key can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watching {
    /// The device.
    pub device: DeviceKey,
    /// The document.
    pub document: DocumentId,
    /// Random bytes that tell notices apart.
    pub id: [u8; 16],
}

/// The open part of a notice: epoch and device, which the membership shows anyway.
const WATCHING_HEAD_BYTES: usize = EpochId::LEN + DeviceKey::LEN;

impl Watching {
    /// The sealed notice: epoch (16) ‖ device (32) ‖ small sealed message of document (16) ‖ id (16).
    #[must_use]
    pub fn seal(&self, space: SpaceId, epoch: EpochId, key: &EpochKey, random: [u8; 32]) -> Vec<u8> {
        let mut notice = [epoch.0.as_slice(), &self.device.0].concat();
        let ad = [space.0.as_slice(), &notice].concat();
        let text = [self.document.0, self.id].concat();
        notice.extend(seal_small(SmallDomain::Watching, &watching_key(key, self.device), &ad, &text, random));
        notice
    }

    /// Opens a notice with the key that `key_of` gives for its epoch.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Cipher`] also when there is no key for its epoch.
    pub fn open<'k>(
        space: SpaceId,
        sealed: &[u8],
        key_of: impl FnOnce(EpochId) -> Option<&'k EpochKey>,
    ) -> Result<Self, OpenError> {
        if sealed.len() > limits::WATCHING_BYTES_MAX {
            return Err(OpenError::Size);
        }
        let (head, rest) = sealed.split_at_checked(WATCHING_HEAD_BYTES).ok_or(OpenError::Size)?;
        let (epoch, device) = head.split_at(EpochId::LEN);
        let epoch = EpochId::try_from(epoch).map_err(|_| OpenError::Size)?;
        let device = DeviceKey::try_from(device).map_err(|_| OpenError::Size)?;
        let key = key_of(epoch).ok_or(OpenError::Cipher)?;
        let ad = [space.0.as_slice(), head].concat();
        let text = open_small(SmallDomain::Watching, &watching_key(key, device), &ad, rest)?;
        let (document, id) = text.split_at_checked(DocumentId::LEN).ok_or(OpenError::Malformed)?;
        let document = DocumentId::try_from(document).map_err(|_| OpenError::Malformed)?;
        let id = id.try_into().map_err(|_| OpenError::Malformed)?;
        Ok(Self { device, document, id })
    }
}

fn watching_key(key: &EpochKey, device: DeviceKey) -> [u8; 32] {
    *blake3::Hasher::new_derive_key("alliance v1 watching")
        .update(key.as_bytes())
        .update(&device.0)
        .finalize()
        .as_bytes()
}
