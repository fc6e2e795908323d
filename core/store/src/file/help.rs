//! A store's random key under two shares, of which a helper's device opens one. It lies beside the store in two copies,
//! and no backup takes it along.

use alliance_crypto::{HELP_DEVICES_MAX, HelpWrap};

use super::{Files, pair, small};
use crate::error::OpenError;

const MAGIC: &[u8] = b"alliance store help\0";
const VERSION: u8 = 1;

/// Reads the wrap in a profile's folder, and mends a damaged copy from the other; absent when there is none.
///
/// # Errors
/// [`OpenError::Header`] when both copies are damaged, [`OpenError::Newer`], or an I/O error.
pub(crate) fn read(files: &Files) -> Result<Option<HelpWrap>, OpenError> {
    pair::read(&files.help(), MAGIC, VERSION)?.map(|body| parse_body(&body)).transpose()
}

/// Writes both copies durably, over older ones.
///
/// # Errors
/// An I/O error.
pub(crate) fn write(files: &Files, wrap: &HelpWrap) -> Result<(), OpenError> {
    Ok(pair::write(&files.help(), MAGIC, VERSION, &alliance_wire::encode(wrap))?)
}

/// Reads the bytes of a file.
///
/// # Errors
/// [`OpenError::Header`] when they are damaged, or [`OpenError::Newer`].
pub fn parse(bytes: &[u8]) -> Result<HelpWrap, OpenError> {
    parse_body(&small::parse(bytes, MAGIC, VERSION)?)
}

/// The bytes of a file.
#[must_use]
pub fn to_bytes(wrap: &HelpWrap) -> Vec<u8> {
    small::encode(MAGIC, VERSION, &alliance_wire::encode(wrap))
}

fn parse_body(body: &[u8]) -> Result<HelpWrap, OpenError> {
    let wrap: HelpWrap = alliance_wire::decode(body).map_err(|_| OpenError::Header)?;
    if (1..=HELP_DEVICES_MAX).contains(&wrap.devices().count()) { Ok(wrap) } else { Err(OpenError::Header) }
}
