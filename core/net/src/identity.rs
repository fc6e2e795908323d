//! Who speaks: an Ed25519 key, and the raw form in which TLS shows it (RFC 7250, RFC 8410).

use std::fmt;
use std::sync::Arc;

use alliance_wire::DeviceKey;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

/// SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 section 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

type SignFn = dyn Fn(&[u8]) -> [u8; 64] + Send + Sync;

/// A device's (or relay's) public key and the means to sign with its secret half, which stays wherever it is kept.
#[derive(Clone)]
pub struct DeviceIdentity {
    key: DeviceKey,
    sign: Arc<SignFn>,
}

impl DeviceIdentity {
    /// An identity whose signatures `sign` makes: plain Ed25519 (RFC 8032) over exactly the bytes that it is given.
    ///
    /// It is given two kinds of bytes, neither of which can be taken for anything else that a device signs: TLS 1.3's
    /// `CertificateVerify` content, which begins with 64 spaces, and hashes of `Domain::DeviceProof`.
    pub fn new(key: DeviceKey, sign: impl Fn(&[u8]) -> [u8; 64] + Send + Sync + 'static) -> Self {
        Self { key, sign: Arc::new(sign) }
    }

    /// The identity of this Ed25519 seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are an Ed25519 seed");
        let mut key = [0; 32];
        key.copy_from_slice(pair.public_key().as_ref());
        Self::new(DeviceKey(key), move |message| {
            let mut signature = [0; 64];
            signature.copy_from_slice(pair.sign(message).as_ref());
            signature
        })
    }

    /// A new key that nobody knows; `None` if the system gives no randomness.
    pub(crate) fn throw_away() -> Option<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(seed.as_mut()).ok()?;
        Some(Self::from_seed(&seed))
    }

    /// The public key.
    #[must_use]
    pub const fn key(&self) -> DeviceKey {
        self.key
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        (self.sign)(message)
    }
}

impl fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeviceIdentity").field(&self.key).finish()
    }
}

/// The SubjectPublicKeyInfo that TLS carries in place of a certificate.
pub(crate) fn spki(key: DeviceKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(SPKI_PREFIX.len() + DeviceKey::LEN);
    out.extend_from_slice(&SPKI_PREFIX);
    out.extend_from_slice(key.as_bytes());
    out
}

/// The key of an Ed25519 SubjectPublicKeyInfo, if the bytes are one and nothing else.
pub(crate) fn key_of_spki(bytes: &[u8]) -> Option<DeviceKey> {
    DeviceKey::try_from(bytes.strip_prefix(&SPKI_PREFIX)?).ok()
}

/// The first Ed25519 SubjectPublicKeyInfo within `bytes`, for the rows of the ticket store.
pub(crate) fn key_within(bytes: &[u8]) -> Option<DeviceKey> {
    let at = bytes.windows(SPKI_PREFIX.len()).position(|window| window == SPKI_PREFIX)?;
    let rest = &bytes[at + SPKI_PREFIX.len()..];
    DeviceKey::try_from(rest.get(..DeviceKey::LEN)?).ok()
}
