//! A key of 32 bytes sealed to a box key by HPKE (RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305): what key boxes of
//! epochs are, and the box in which a store's key waits for its person's recovery words.

use alliance_wire::BoxKey;
use alliance_wire::membership::{BOX_BYTES, RecoveryCard};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use crate::keys::{HedgedRng, RecoverySecret, Secret};
use crate::wiped::{KeyBytes, on_wiped_stack};

/// Encapsulated key and ciphertext; nothing if the box key is none. `seed` decides the ephemeral key.
pub(crate) fn seal_to(seed: &[u8; 32], to: BoxKey, info: &[u8], key: &[u8; 32]) -> Option<[u8; BOX_BYTES]> {
    on_wiped_stack(|| seal_below(seed, to, info, key))
}

fn seal_below(seed: &[u8; 32], to: BoxKey, info: &[u8], key: &[u8; 32]) -> Option<[u8; BOX_BYTES]> {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&to.0).ok()?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        info,
        key,
        &[],
        &mut HedgedRng::new(seed),
    )
    .ok()?;
    [encapsulated.to_bytes().as_slice(), &ciphertext].concat().try_into().ok()
}

/// What was sealed to a secret's box key under this `info`.
pub(crate) fn open_with(secret: &impl Secret, info: &[u8], sealed: &[u8; BOX_BYTES]) -> Option<KeyBytes> {
    on_wiped_stack(|| open_below(secret, info, sealed))
}

fn open_below(secret: &impl Secret, info: &[u8], sealed: &[u8; BOX_BYTES]) -> Option<KeyBytes> {
    let (encapsulated, ciphertext) = sealed.split_at(32);
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.pair().box_secret(),
        &encapsulated,
        info,
        ciphertext,
        &[],
    );
    KeyBytes::from_slice(&Zeroizing::new(opened.ok()?))
}

/// A store's key for its person's recovery words, to lie beside the store in the open: who has the words opens the
/// store without its PIN. `place` is the salt in the store's header, `random` fresh random bytes. Nothing if the card's
/// box key is none.
#[must_use]
pub fn seal_for_words(
    to: &RecoveryCard,
    place: &[u8; 16],
    key: &[u8; 32],
    random: [u8; 32],
) -> Option<[u8; BOX_BYTES]> {
    // No device's secret is at hand yet; the key itself is one, and keeps the ephemeral apart from any other.
    let mut seed = blake3::Hasher::new_derive_key("alliance v1 store key box ephemeral");
    seed.update(&random).update(key).update(place).update(&to.boxes.0);
    let seed = Zeroizing::new(*seed.finalize().as_bytes());
    seal_to(&seed, to.boxes, &words_info(to, place), key)
}

/// The store's key by its person's recovery words; nothing if they are another person's, or the box is damaged or of
/// another store.
#[must_use]
pub fn open_by_words(secret: &RecoverySecret, place: &[u8; 16], sealed: &[u8]) -> Option<KeyBytes> {
    open_with(secret, &words_info(&secret.card(), place), sealed.try_into().ok()?)
}

fn words_info(to: &RecoveryCard, place: &[u8; 16]) -> Vec<u8> {
    [b"alliance v1 store key box".as_slice(), place, &to.signer.0].concat()
}
