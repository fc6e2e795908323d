//! Decoders of files, of streams and of what another process on this machine says.

use alliance_desk::{Line, Request};
use alliance_net::{FrameDecoder, MarkDecoder, ProofClaim, RelaySecrets, encode_prefix};
use alliance_store::device::read_backup;
use alliance_store::file::Marker;
use alliance_store::file::help;
use alliance_store::file::pin::PinFile;
use alliance_store::file::tries::Slot;
use alliance_store::{KeptHalf, StoreHeader};
use alliance_wire::hash::content_hash;
use alliance_wire::limits::FRAME_BYTES_MAX;

use super::Shell;

pub(super) fn store_header(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(StoreHeader::parse(bytes).ok()?.to_bytes())
}

pub(super) fn marker(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Marker::parse(bytes)?.to_bytes())
}

pub(super) fn kept_half(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(KeptHalf::parse(bytes).ok()?.to_bytes().to_vec())
}

pub(super) fn pin_file(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(PinFile::parse(bytes).ok()?.to_bytes())
}

pub(super) fn help_file(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(help::to_bytes(&help::parse(bytes).ok()?))
}

pub(super) fn pin_tries(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Slot::parse(bytes)?.to_bytes())
}

/// The magic of a backup and its version.
const BACKUP_MAGIC: &[u8; 17] = b"alliance backup\0\x01";

pub(super) fn backup(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut database = Vec::new();
    let header = read_backup(&mut &*bytes, &mut database).ok()?.to_bytes();
    Some(backup_of(&header, &database))
}

/// A backup of a header file and a database.
pub(super) fn backup_of(header: &[u8], database: &[u8]) -> Vec<u8> {
    let header_len = u32::try_from(header.len()).expect("a short header").to_be_bytes();
    let database_len = (database.len() as u64).to_be_bytes();
    let whole = [BACKUP_MAGIC.as_slice(), &header_len, header, &database_len, database].concat();
    [whole.as_slice(), &content_hash(&whole)].concat()
}

pub(super) fn relay_secrets(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(RelaySecrets::from_bytes(bytes).ok()?.to_bytes().to_vec())
}

/// A stream of whole frames, as it arrives: in pieces of growing length.
pub(super) fn frame_stream(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = FrameDecoder::new(FRAME_BYTES_MAX);
    let (mut out, mut rest, mut piece) = (Vec::new(), bytes, 1);
    while !rest.is_empty() {
        let (mut now, later) = rest.split_at(piece.min(rest.len()));
        (rest, piece) = (later, piece + 1);
        while !now.is_empty() {
            if let Some(frame) = decoder.push(&mut now).ok()? {
                encode_prefix(frame.len(), &mut out);
                out.extend(frame);
            }
        }
    }
    if decoder.is_mid_frame() { None } else { Some(out) }
}

/// What a line over TCP carries, in pieces of growing length.
pub(super) fn mark_stream(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = MarkDecoder::new(FRAME_BYTES_MAX);
    let (mut out, mut rest, mut piece) = (Vec::new(), bytes, 1);
    while !rest.is_empty() {
        let (mut now, later) = rest.split_at(piece.min(rest.len()));
        (rest, piece) = (later, piece + 1);
        while !now.is_empty() {
            if let Some(mark) = decoder.push(&mut now).ok()? {
                mark.encode(&mut out);
            }
        }
    }
    if decoder.is_mid_mark() { None } else { Some(out) }
}

pub(super) fn discovery_pages(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(alliance_crypto::Pages::parse(bytes).ok()?.to_bytes())
}

pub(super) fn device_proof(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(ProofClaim::parse(bytes).ok()?.to_bytes().to_vec())
}

pub(super) fn holder_request(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Request::parse(bytes)?.to_line().ok()?.to_vec())
}

pub(super) fn holder_line(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = serde_json::to_vec(&Line::parse(bytes)?).ok()?;
    out.push(b'\n');
    Some(out)
}

const HEADER_MAGIC: &[u8] = b"alliance store head\0\x01";
const MARKER_MAGIC: &[u8] = b"alliance marker\0\x01";
const KEPT_MAGIC: &[u8] = b"alliance store kept\0\x01";
const PIN_MAGIC: &[u8] = b"alliance store pin\0\x01";
const HELP_MAGIC: &[u8] = b"alliance store help\0\x01";
const TRIES_MAGIC: &[u8] = b"alliance pin tries\0\x01";

fn inside(magic: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (rest, _) = bytes.split_last_chunk::<8>()?;
    Some(rest.strip_prefix(magic)?.to_vec())
}

fn around(magic: &[u8], inside: &[u8]) -> Vec<u8> {
    let whole = [magic, inside].concat();
    [whole.as_slice(), &content_hash(&whole)[..8]].concat()
}

/// The CBOR of a store's header.
pub(super) const HEADER: Shell =
    Shell { open: |bytes| inside(HEADER_MAGIC, bytes), close: |bytes| around(HEADER_MAGIC, bytes) };

/// The CBOR of a marker.
pub(super) const MARKER: Shell =
    Shell { open: |bytes| inside(MARKER_MAGIC, bytes), close: |bytes| around(MARKER_MAGIC, bytes) };

/// Name and half of a key.
pub(super) const KEPT: Shell =
    Shell { open: |bytes| inside(KEPT_MAGIC, bytes), close: |bytes| around(KEPT_MAGIC, bytes) };

/// The CBOR of a nickname and a wrap.
pub(super) const PIN: Shell = Shell { open: |bytes| inside(PIN_MAGIC, bytes), close: |bytes| around(PIN_MAGIC, bytes) };

/// The CBOR of a wrap for a helper.
pub(super) const HELP: Shell =
    Shell { open: |bytes| inside(HELP_MAGIC, bytes), close: |bytes| around(HELP_MAGIC, bytes) };

/// Bytes from one slot of a count to the next.
const SLOT_BYTES: usize = 4096;

/// The CBOR of the first slot that is written.
pub(super) const TRIES: Shell = Shell {
    open: |bytes| {
        let slot = |from: usize| {
            let (len, rest) = bytes.get(from..)?.split_first_chunk()?;
            inside(TRIES_MAGIC, rest.get(..usize::from(u16::from_be_bytes(*len)))?)
        };
        slot(0).or_else(|| slot(SLOT_BYTES))
    },
    close: |bytes| {
        let slot = around(TRIES_MAGIC, bytes);
        let len = u16::try_from(slot.len()).unwrap_or(u16::MAX);
        let mut file = [len.to_be_bytes().as_slice(), &slot].concat();
        file.resize(file.len().max(2 * SLOT_BYTES), 0);
        file
    },
};

/// A backup without its hash.
pub(super) const BACKUP: Shell = Shell {
    open: |bytes| bytes.split_last_chunk::<32>().map(|(whole, _)| whole.to_vec()),
    close: |whole| [whole, &content_hash(whole)].concat(),
};
