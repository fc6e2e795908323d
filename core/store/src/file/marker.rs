//! The incarnation marker (docs/PROTOCOL.md section 1): a file outside the database that no backup takes along.
//!
//! Each opening raises the count in the database first, then the one in the marker, both durable before the first
//! append. A database that was copied or restored meets no marker, or one that does not agree, and begins a new
//! incarnation: it never writes a second entry at an old number.

use std::path::Path;

use alliance_wire::{Incarnation, Instance};
use minicbor::{Decode, Encode};

use super::small::{self, SmallError};
use crate::error::OpenError;

const MAGIC: &[u8] = b"alliance marker\0";
const VERSION: u8 = 1;

/// What the marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Marker {
    /// The incarnation of the database beside it.
    #[n(0)]
    pub incarnation: Incarnation,
    /// The instance of the database beside it.
    #[n(1)]
    pub instance: Instance,
    /// How often that database was opened.
    #[n(2)]
    pub opens: u64,
}

impl Marker {
    /// Reads the marker. A damaged one counts as none: the store then begins a new incarnation, which loses nothing.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        match small::read(path, MAGIC, VERSION) {
            Ok(body) => Ok(body.and_then(|body| Self::parse_body(&body))),
            Err(SmallError::Damaged | SmallError::Newer(_)) => Ok(None),
            Err(SmallError::Io(error)) => Err(error.into()),
        }
    }

    /// Writes the marker durably.
    pub(crate) fn write(&self, path: &Path) -> Result<(), OpenError> {
        Ok(small::write(path, &self.to_bytes())?)
    }

    /// Reads the bytes of a marker file; `None` if they are damaged or of another version.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::parse_body(&small::parse(bytes, MAGIC, VERSION).ok()?)
    }

    /// The bytes of a marker file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        small::encode(MAGIC, VERSION, &minicbor::to_vec(self).expect("writing to a vector cannot fail"))
    }

    fn parse_body(body: &[u8]) -> Option<Self> {
        alliance_wire::decode(body).ok()
    }
}
