//! Secret keys and signatures: devices, recovery keys and invitations' one-time keys (PROTOCOL section 1).
//!
//! Each secret is a 32-byte seed from which an Ed25519 signing key, an X25519 box key and a hedging key are derived
//! under different contexts. Secrets are wiped when dropped and never printed.

use core::convert::Infallible;
use core::fmt;

use alliance_wire::membership::{CardFor, CardForOwn, DeviceCard, KEM_X25519, RecoveryCard};
use alliance_wire::{BoxKey, DeviceKey, Signature, SignerKey};
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::Identity as _;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, Serializable};
use rand_core::{TryCryptoRng, TryRng};
use zeroize::{Zeroize, Zeroizing};

use crate::wiped::{KeyBytes, on_wiped_stack};

/// What a seed is the seed of. The contexts are fixed for ever: they decide every public key.
#[derive(Clone, Copy)]
pub(crate) struct Contexts {
    signing: &'static str,
    boxes: &'static str,
    hedge: &'static str,
}

const DEVICE: Contexts = Contexts {
    signing: "alliance v1 device signing key",
    boxes: "alliance v1 device box key",
    hedge: "alliance v1 device hedge key",
};
const ONE_TIME: Contexts = Contexts {
    signing: "alliance v1 invitation signing key",
    boxes: "alliance v1 invitation box key",
    hedge: "alliance v1 invitation hedge key",
};
const HELP: Contexts = Contexts {
    signing: "alliance v1 help signing key",
    boxes: "alliance v1 help box key",
    hedge: "alliance v1 help hedge key",
};
const RECOVERY: Contexts = Contexts {
    signing: "alliance v1 recovery signing key",
    boxes: "alliance v1 recovery box key",
    hedge: "alliance v1 recovery hedge key",
};

/// What a seed yields.
pub struct KeyPair {
    seed: KeyBytes,
    contexts: Contexts,
    signing: SigningKey,
    box_key: BoxKey,
}

impl KeyPair {
    fn new(seed: KeyBytes, contexts: Contexts) -> Self {
        let signing = SigningKey::from_bytes(&Zeroizing::new(blake3::derive_key(contexts.signing, seed.as_slice())));
        let box_key = BoxKey(X25519HkdfSha256::sk_to_pk(&box_secret(&seed, contexts)).to_bytes().into());
        Self { seed, contexts, signing, box_key }
    }

    fn key(&self) -> SignerKey {
        SignerKey(self.signing.verifying_key().to_bytes())
    }

    /// The X25519 private key, by RFC 9180's `DeriveKeyPair`.
    pub(crate) fn box_secret(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
        box_secret(&self.seed, self.contexts)
    }

    fn hedge(&self, random: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let key = Zeroizing::new(blake3::derive_key(self.contexts.hedge, self.seed.as_slice()));
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(random);
        for part in core::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            // Each part is preceded by its length, so that no two lists of parts hash alike.
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

fn box_secret(seed: &KeyBytes, contexts: Contexts) -> <X25519HkdfSha256 as Kem>::PrivateKey {
    let material = Zeroizing::new(blake3::derive_key(contexts.boxes, seed.as_slice()));
    X25519HkdfSha256::derive_keypair(material.as_slice()).0
}

mod sealed {
    pub trait Sealed {
        fn pair(&self) -> &super::KeyPair;
    }
}

pub(crate) use sealed::Sealed;

/// A secret that signs and that key boxes are sealed to: a device's, a recovery key's or an invitation's.
pub trait Secret: Sealed {
    /// The public key that verifies what the secret signs.
    fn signer_key(&self) -> SignerKey {
        self.pair().key()
    }

    /// The public key that boxes are sealed to.
    fn box_key(&self) -> BoxKey {
        self.pair().box_key
    }

    /// Ed25519 (RFC 8032) over `message`, which must begin with a type and a version or be a domain-separated hash.
    fn sign(&self, message: &[u8]) -> Signature {
        on_wiped_stack(|| self.pair().signing.sign(message).to_bytes())
    }

    /// A secret, id or ephemeral for one purpose: keyed BLAKE3 over (`random`, purpose, parts), so that even a
    /// repeated random source gives distinct values for distinct purposes (PROTOCOL section 2, sealing). The parts say
    /// where it is used: log, number, head, how often the database was opened.
    fn hedge(&self, random: [u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        on_wiped_stack(|| self.pair().hedge(&random, purpose, parts))
    }
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $contexts:ident) => {
        $(#[$doc])*
        pub struct $name(Box<KeyPair>);

        impl $name {
            /// The secret of a stored seed; the argument is wiped.
            #[must_use]
            pub fn from_seed(seed: [u8; 32]) -> Self {
                let seed = KeyBytes::new(seed);
                // Made below and moved once: from then on only the pointer moves.
                on_wiped_stack(|| Self(Box::new(KeyPair::new(seed, $contexts))))
            }

            /// The seed, to be stored encrypted; wiped when dropped.
            #[must_use]
            pub fn seed(&self) -> KeyBytes {
                self.0.seed.clone()
            }
        }

        impl Sealed for $name {
            fn pair(&self) -> &KeyPair {
                &self.0
            }
        }

        impl Secret for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}, redacted)"), self.0.key().short())
            }
        }
    };
}

secret!(
    /// A device's secret: made at install, never leaves the device but in its sealed backup.
    DeviceSecret,
    DEVICE
);
secret!(
    /// An invitation's one-time secret: it travels to the invited person in the QR code or link.
    OneTimeSecret,
    ONE_TIME
);
secret!(
    /// The secret of one request for help with a forgotten PIN ([`crate::HelpRequest`]).
    HelpSecret,
    HELP
);
secret!(
    /// A recovery key's secret, derived from the recovery words: see [`crate::RecoveryWords`].
    RecoverySecret,
    RECOVERY
);

impl DeviceSecret {
    /// A new device's secret from 32 bytes of the operating system's randomness.
    #[must_use]
    pub fn generate(mut random: [u8; 32]) -> Self {
        let secret = Self::from_seed(blake3::derive_key("alliance v1 device seed", &random));
        random.zeroize();
        secret
    }

    /// The device's public key, which is its identity.
    #[must_use]
    pub fn key(&self) -> DeviceKey {
        self.signer_key().into()
    }

    /// The device's card for one place, beside its person's recovery key.
    #[must_use]
    pub fn card(&self, place: &CardFor, recovery: &RecoveryCard) -> DeviceCard {
        let (device, boxes) = (self.key(), self.box_key());
        let signature = self.sign(&place.message(device, boxes, KEM_X25519, recovery));
        DeviceCard { device, boxes, kem: KEM_X25519, signature }
    }

    /// The device's card as a further device of a person that is in the space.
    #[must_use]
    pub fn own_card(&self, place: &CardForOwn) -> DeviceCard {
        let (device, boxes) = (self.key(), self.box_key());
        let signature = self.sign(&place.message(device, boxes, KEM_X25519));
        DeviceCard { device, boxes, kem: KEM_X25519, signature }
    }
}

impl RecoverySecret {
    /// The public half, as spaces list it.
    #[must_use]
    pub fn card(&self) -> RecoveryCard {
        RecoveryCard { signer: self.signer_key(), boxes: self.box_key() }
    }
}

/// A signature that does not verify, or a key that is no point of the curve or a weak one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// Verifies an Ed25519 signature strictly (RFC 8032, with small-order keys and commitments refused).
///
/// # Errors
/// [`BadSignature`]; never panics, whatever the bytes.
pub fn verify(key: impl Into<SignerKey>, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
    let key = VerifyingKey::from_bytes(&key.into().0).map_err(|_| BadSignature)?;
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(message, &signature).map_err(|_| BadSignature)
}

/// Verifies a device card for the place that it must be signed for: KEM, keys that boxes can be sealed to, signature.
///
/// # Errors
/// [`BadSignature`] when any of them is not in order.
pub fn verify_card(place: &CardFor, card: &DeviceCard, recovery: &RecoveryCard) -> Result<(), BadSignature> {
    if card.kem != KEM_X25519 || !is_usable(card.boxes) || !is_usable(recovery.boxes) {
        return Err(BadSignature);
    }
    verify(card.device, &place.message(card.device, card.boxes, card.kem, recovery), &card.signature)
}

/// Verifies the card of a further device of a person that is in the space.
///
/// # Errors
/// [`BadSignature`] when KEM, box key or signature are not in order.
pub fn verify_own_card(place: &CardForOwn, card: &DeviceCard) -> Result<(), BadSignature> {
    if card.kem != KEM_X25519 || !is_usable(card.boxes) {
        return Err(BadSignature);
    }
    verify(card.device, &place.message(card.device, card.boxes, card.kem), &card.signature)
}

/// Whether a box can be sealed to the key: a key of small order would make every epoch fail for everybody.
///
/// X25519 multiplies by multiples of eight that are no multiples of a large order, so its result is zero, which HPKE
/// refuses (RFC 9180, section 7.1.4), exactly where eight times the point is. Four doublings say that, where sealing to
/// the key for a trial would cost two whole multiplications.
pub(crate) fn is_usable(key: BoxKey) -> bool {
    let eight = [true, false, false, false];
    MontgomeryPoint(key.0).mul_bits_be(eight.into_iter()) != MontgomeryPoint::identity()
}

/// A random number generator for HPKE: the BLAKE3 output stream of a hedged seed.
pub(crate) struct HedgedRng(blake3::OutputReader);

impl HedgedRng {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self(blake3::Hasher::new_derive_key("alliance v1 ephemeral").update(seed).finalize_xof())
    }
}

impl TryRng for HedgedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for HedgedRng {}
