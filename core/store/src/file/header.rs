//! The header of a device's store: what turns a passphrase into the key, and what proves the key before the database
//! is touched, so that a wrong passphrase is never mistaken for a damaged database.

use std::path::Path;

use alliance_crypto::{KeyBytes, RecoverySecret, open_by_words};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::pair;
use super::small::{self, SmallError};
use crate::error::OpenError;

const MAGIC: &[u8] = b"alliance store head\0";
const VERSION: u8 = 1;

/// The key of a store's database: 32 bytes that the caller derives from a passphrase or takes from a keyring.
#[derive(Clone)]
pub struct StoreKey(KeyBytes);

impl StoreKey {
    /// A key of these bytes; the argument is wiped.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(KeyBytes::new(bytes))
    }

    /// Its bytes. Whoever has them opens the store and its backups.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<KeyBytes> for StoreKey {
    fn from(bytes: KeyBytes) -> Self {
        Self(bytes)
    }
}

impl core::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StoreKey(..)")
    }
}

/// Parameters of Argon2id (RFC 9106) by which the passphrase became the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Kdf {
    /// Memory in KiB.
    #[n(0)]
    pub memory_kib: u32,
    /// Passes.
    #[n(1)]
    pub passes: u32,
    /// Lanes.
    #[n(2)]
    pub lanes: u32,
}

impl Kdf {
    /// The key is random and no passphrase makes it: a PIN opens it ([`super::pin`]), or the recovery words.
    pub const RANDOM: Self = Self { memory_kib: 0, passes: 0, lanes: 0 };
}

/// What lies in `store.head`. None of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StoreHeader {
    /// Salt of Argon2id, and of the database (SQLCipher keeps it in the file's first 16 bytes).
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// Parameters of Argon2id.
    #[n(1)]
    pub kdf: Kdf,
    /// [`check`] of the right key.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    check: [u8; 16],
    /// The key for the person's recovery words, where it is random. It goes with backups, which have no other way in.
    #[n(3)]
    words: Option<ByteVec>,
}

impl StoreHeader {
    /// A header for a new store.
    #[must_use]
    pub fn new(salt: [u8; 16], kdf: Kdf, key: &StoreKey) -> Self {
        Self { salt, kdf, check: check(key, &salt), words: None }
    }

    /// A header for a new store whose key is random. `words` is the key for the person's recovery words, as
    /// [`alliance_crypto::seal_for_words`] seals it with this salt as its place.
    #[must_use]
    pub fn random(salt: [u8; 16], key: &StoreKey, words: &[u8]) -> Self {
        Self { words: Some(words.to_vec().into()), ..Self::new(salt, Kdf::RANDOM, key) }
    }

    /// Whether the key is random, and no passphrase makes it.
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.kdf == Kdf::RANDOM
    }

    /// The key by the person's recovery words.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] if they are another person's, or the header has none for any words.
    pub fn by_words(&self, secret: &RecoverySecret) -> Result<StoreKey, OpenError> {
        let words = self.words.as_ref().ok_or(OpenError::WrongKey)?;
        let key = open_by_words(secret, &self.salt, words).ok_or(OpenError::WrongKey)?;
        let key = StoreKey(key);
        self.verify(&key).map(|()| key)
    }

    /// Reads the header in a store's folder; absent when there is none.
    ///
    /// # Errors
    /// [`OpenError::Header`] when it is damaged, [`OpenError::Newer`], or an I/O error.
    pub fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        pair::read(path, MAGIC, VERSION).map_err(OpenError::from)?.map(|body| Self::parse_body(&body)).transpose()
    }

    /// Writes both copies of the header durably.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn write(&self, path: &Path) -> Result<(), OpenError> {
        Ok(pair::write(path, MAGIC, VERSION, &self.body())?)
    }

    /// The bytes of a header file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        small::encode(MAGIC, VERSION, &self.body())
    }

    fn body(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a vector cannot fail")
    }

    /// Reads the bytes of a header file.
    ///
    /// # Errors
    /// [`OpenError::Header`] when they are damaged, or [`OpenError::Newer`].
    pub fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        Self::parse_body(&small::parse(bytes, MAGIC, VERSION)?)
    }

    fn parse_body(body: &[u8]) -> Result<Self, OpenError> {
        alliance_wire::decode(body).map_err(|_| OpenError::Header)
    }

    /// `Err` unless this is the key that the store was made with.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`].
    pub fn verify(&self, key: &StoreKey) -> Result<(), OpenError> {
        // Compared through a hash: equality then tells nothing about how far a guess agreed.
        let same = blake3::hash(&check(key, &self.salt)) == blake3::hash(&self.check);
        if same { Ok(()) } else { Err(OpenError::WrongKey) }
    }
}

impl From<SmallError> for OpenError {
    fn from(error: SmallError) -> Self {
        match error {
            SmallError::Damaged => Self::Header,
            SmallError::Newer(found) => Self::Newer { found: u32::from(found), known: u32::from(VERSION) },
            SmallError::Io(error) => error.into(),
        }
    }
}

/// A value that only the right key gives: keyed BLAKE3 of the salt under a context of its own.
fn check(key: &StoreKey, salt: &[u8; 16]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("alliance v1 store key check");
    hasher.update(key.bytes());
    hasher.update(salt);
    let mut out = [0; 16];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    out
}
