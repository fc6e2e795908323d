//! One half of a device store's key, in the store's folder; the other half lies with a keeper outside of it, such as a
//! login keyring.
//!
//! The halves are two shares of which either alone is random: the keeper's is random bytes, and the folder's is the key
//! combined with them by exclusive or. Whoever has the keyring alone, or a copy of the folder or a backup alone, has
//! nothing. The header's value proves that the two belong together and to this store.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Files, StoreKey, small, sync_folder};
use crate::error::OpenError;

const MAGIC: &[u8] = b"alliance store kept\0";
const VERSION: u8 = 1;
/// Bytes of the name under which the keeper has its half.
const NAME_BYTES: usize = 16;
/// Bytes of a key, and of either half.
const HALF_BYTES: usize = 32;

/// What lies in `store.kept`.
pub struct KeptHalf {
    name: [u8; NAME_BYTES],
    half: Zeroizing<[u8; HALF_BYTES]>,
}

impl KeptHalf {
    /// The folder's half of a key. `name` and `other`, the keeper's half, are fresh random bytes: they are used once.
    #[must_use]
    pub fn split(key: &StoreKey, name: [u8; NAME_BYTES], other: &[u8; HALF_BYTES]) -> Self {
        Self { name, half: combine(key.bytes(), other) }
    }

    /// The key, if `other` is the half that belongs to this one.
    #[must_use]
    pub fn join(&self, other: &[u8; HALF_BYTES]) -> StoreKey {
        StoreKey::new(*combine(&self.half, other))
    }

    /// The name under which the keeper has the other half. It says nothing about the store.
    #[must_use]
    pub const fn name(&self) -> &[u8; NAME_BYTES] {
        &self.name
    }

    /// Reads the half in a store's folder; absent when there is none.
    ///
    /// # Errors
    /// [`OpenError::Header`] when it is damaged, [`OpenError::Newer`], or an I/O error.
    pub fn read(folder: &Path) -> Result<Option<Self>, OpenError> {
        small::read(&path(folder), MAGIC, VERSION)?.map(|body| Self::parse_body(&Zeroizing::new(body))).transpose()
    }

    /// Reads the bytes of a half's file.
    ///
    /// # Errors
    /// [`OpenError::Header`] when they are damaged, or [`OpenError::Newer`].
    pub fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        Self::parse_body(&Zeroizing::new(small::parse(bytes, MAGIC, VERSION)?))
    }

    /// The bytes of a half's file.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(NAME_BYTES + HALF_BYTES));
        body.extend_from_slice(&self.name);
        body.extend_from_slice(&*self.half);
        Zeroizing::new(small::encode(MAGIC, VERSION, &body))
    }

    fn parse_body(body: &[u8]) -> Result<Self, OpenError> {
        let (Some(name), Some(half)) = (body.first_chunk(), body.last_chunk()) else { return Err(OpenError::Header) };
        if body.len() != NAME_BYTES + HALF_BYTES {
            return Err(OpenError::Header);
        }
        Ok(Self { name: *name, half: Zeroizing::new(*half) })
    }

    /// Writes it durably, over an older one.
    ///
    /// # Errors
    /// An I/O error.
    pub fn write(&self, folder: &Path) -> Result<(), OpenError> {
        Ok(small::write(&path(folder), &self.to_bytes())?)
    }

    /// Removes the half of a folder, damaged or not; the keeper's is worthless from then on.
    ///
    /// # Errors
    /// An I/O error.
    pub fn remove(folder: &Path) -> Result<(), OpenError> {
        let path = path(folder);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(sync_folder(&path)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a folder has one, damaged or not.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        path(folder).exists()
    }
}

impl core::fmt::Debug for KeptHalf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeptHalf(..)")
    }
}

fn path(folder: &Path) -> PathBuf {
    Files::new(folder).kept()
}

fn combine(one: &[u8; HALF_BYTES], other: &[u8; HALF_BYTES]) -> Zeroizing<[u8; HALF_BYTES]> {
    let mut both = Zeroizing::new(*one);
    for (byte, other) in both.iter_mut().zip(other) {
        *byte ^= other;
    }
    both
}
