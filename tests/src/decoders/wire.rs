//! Decoders of `alliance-wire`.

use alliance_wire::bundle::{Bundle, Contents};
use alliance_wire::bundle_file::{
    Finish, Head, PageBody, RecordKind, Scanned, Scanner, SealedPage, SignedPage, Start, record,
};
use alliance_wire::content::Content;
use alliance_wire::membership::Payload;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{Frame, SpaceId, Suffix, encode};

use super::text;

pub(super) fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Frame::decode(bytes).ok()?.encode())
}

/// What came whole of a frame that a cut went through.
pub(super) fn frame_beginning(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Frame::beginning(bytes)?.encode())
}

pub(super) fn bundle(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Bundle::decode(bytes).ok()?.encode())
}

/// What is in a parcel, once it was opened.
pub(super) fn parcel(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Contents::decode(bytes).ok()?.encode())
}

/// The records in any bytes, as they are found in pieces of growing length; those of kinds that are not known are none.
pub(super) fn bundle_file(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut scanner, mut found, mut rest, mut piece) = (Scanner::default(), Vec::new(), bytes, 1);
    loop {
        let (now, later) = rest.split_at(piece.min(rest.len()));
        (rest, piece) = (later, piece * 2);
        scanner.push(now);
        while let Some(next) = scanner.find(rest.is_empty()) {
            if let Scanned::Record(kind, body) = next
                && let Some(kind) = RecordKind::from_number(kind)
            {
                found.extend(record(kind, &body));
            }
        }
        if rest.is_empty() {
            return (!found.is_empty()).then_some(found);
        }
    }
}

pub(super) fn bundle_start(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Start::decode(bytes).ok()??.encode())
}

pub(super) fn bundle_finish(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Finish::decode(bytes).ok()?.encode())
}

pub(super) fn bundle_head(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Head::decode(bytes).ok()??.encode())
}

pub(super) fn bundle_page(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(SealedPage::decode(bytes).ok()?.encode())
}

/// What is in a page, once it was opened.
pub(super) fn signed_page(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(SignedPage::decode(bytes).ok()?.encode())
}

/// What a page says, with its frames.
pub(super) fn page_body(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut body, frames) = PageBody::decode(bytes).ok()?;
    body.frames = frames.iter().map(|frame| frame.encode().into()).collect();
    Some(body.encode())
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
