//! Parcels of a bundle: sealed for replicas by their public keys (PROTOCOL section 3, carried).
//!
//! A slot's key is derived from a public key, so this hides the parcel from whoever does not know a replica that it is
//! for, such as the person on the same device who carries it, or a thief of its files. From whoever does know one it
//! hides nothing; the entries inside are signed, and their payloads sealed, as everywhere.

use alliance_wire::DeviceKey;
use alliance_wire::bundle::Parcel;
use zeroize::Zeroizing;

use crate::small::{SmallDomain, open_small, seal_small};

/// Seals the contents of a parcel for these replicas. `random` hedges with the contents: the same bytes twice are no
/// nonce twice.
#[must_use]
pub fn seal_parcel(salt: &[u8; 16], readers: &[DeviceKey], contents: &[u8], random: [u8; 32]) -> Parcel {
    let mut hasher = blake3::Hasher::new_derive_key("alliance v1 parcel key");
    hasher.update(&random).update(salt).update(contents);
    let key = Zeroizing::new(*hasher.finalize().as_bytes());
    let slot = |reader: &DeviceKey| {
        seal_small(SmallDomain::ParcelSlot, &slot_key(salt, *reader), salt, key.as_slice(), random).into()
    };
    let mut slots: Vec<minicbor::bytes::ByteVec> = readers.iter().map(slot).collect();
    // Their order says nothing.
    slots.sort();
    Parcel { slots, sealed: seal_small(SmallDomain::Parcel, &key, salt, contents, random).into() }
}

/// The contents of a parcel, if it is for this replica.
#[must_use]
pub fn open_parcel(salt: &[u8; 16], reader: DeviceKey, parcel: &Parcel) -> Option<Vec<u8>> {
    let own = slot_key(salt, reader);
    parcel.slots.iter().find_map(|slot| {
        let key = Zeroizing::new(open_small(SmallDomain::ParcelSlot, &own, salt, slot).ok()?);
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(key.as_slice().try_into().ok()?);
        open_small(SmallDomain::Parcel, &key, salt, &parcel.sealed).ok()
    })
}

pub(crate) fn slot_key(salt: &[u8; 16], reader: DeviceKey) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("alliance v1 parcel slot");
    hasher.update(salt).update(reader.as_bytes());
    *hasher.finalize().as_bytes()
}
