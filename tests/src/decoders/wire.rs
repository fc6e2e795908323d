//! Decoders of `alliance-wire`.

use alliance_wire::bundle::{Bundle, Contents};
use alliance_wire::content::Content;
use alliance_wire::membership::Payload;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{Frame, SpaceId, Suffix, encode};

use super::text;

pub(super) fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Frame::decode(bytes).ok()?.encode())
}

pub(super) fn bundle(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Bundle::decode(bytes).ok()?.encode())
}

/// What is in a parcel, once it was opened.
pub(super) fn parcel(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Contents::decode(bytes).ok()?.encode())
}

pub(super) fn suffix(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Suffix::parse(bytes.to_vec()).ok()?.as_bytes().to_vec())
}

pub(super) fn membership(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Payload::parse(bytes).ok()?.encode())
}

pub(super) fn content(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(encode(&Content::parse(bytes).ok()?))
}

pub(super) fn receipt(bytes: &[u8]) -> Option<Vec<u8>> {
    let signed = SignedReceipt { body: bytes.to_vec(), signature: [0; 64] };
    Some(encode(&signed.parse().ok()?))
}

/// Any id as text; all are made by one macro.
pub(super) fn id_text(bytes: &[u8]) -> Option<Vec<u8>> {
    let id: SpaceId = text(bytes)?.parse().ok()?;
    Some(id.to_string().into_bytes())
}
