//! A store's random key under its person's PIN, and the nickname by which people tell the profiles of a device apart.
//! It lies beside the store in two copies, can be read by anybody, and no backup takes it along.

use alliance_crypto::PinWrap;
use minicbor::{Decode, Encode};

use super::{Files, pair, small};
use crate::error::OpenError;

const MAGIC: &[u8] = b"alliance store pin\0";
const VERSION: u8 = 1;
/// Bytes of a nickname. The caller has its rule; this is what is read back.
pub const NICKNAME_BYTES_MAX: usize = 1024;

/// What lies in `store.pin`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct PinFile {
    /// What the list of profiles shows while the store is locked; nothing but the folder's name without it.
    #[n(0)]
    pub nickname: Option<String>,
    /// The key under the PIN; absent where a backup was restored and no PIN was chosen yet.
    #[n(1)]
    pub wrap: Option<PinWrap>,
}

impl PinFile {
    /// Reads the file in a profile's folder, and mends a damaged copy from the other; absent when there is none.
    ///
    /// # Errors
    /// [`OpenError::Header`] when both copies are damaged, [`OpenError::Newer`], or an I/O error.
    pub fn read(files: &Files) -> Result<Option<Self>, OpenError> {
        pair::read(&files.pin(), MAGIC, VERSION)?.map(|body| Self::parse_body(&body)).transpose()
    }

    /// Writes both copies durably, over older ones.
    ///
    /// # Errors
    /// An I/O error.
    pub fn write(&self, files: &Files) -> Result<(), OpenError> {
        Ok(pair::write(&files.pin(), MAGIC, VERSION, &self.body())?)
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// [`OpenError::Header`] when they are damaged, or [`OpenError::Newer`].
    pub fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        Self::parse_body(&small::parse(bytes, MAGIC, VERSION)?)
    }

    /// The bytes of a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        small::encode(MAGIC, VERSION, &self.body())
    }

    fn body(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }

    fn parse_body(body: &[u8]) -> Result<Self, OpenError> {
        let file: Self = alliance_wire::decode(body).map_err(|_| OpenError::Header)?;
        let long = file.nickname.as_ref().is_some_and(|nickname| nickname.len() > NICKNAME_BYTES_MAX);
        if long { Err(OpenError::Header) } else { Ok(file) }
    }
}
