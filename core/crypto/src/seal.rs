//! Sealing of data payloads (PROTOCOL section 2).
//!
//! ```text
//! sealed  = version (1) ‖ nonce (24) ‖ XChaCha20-Poly1305(inner) ‖ tag (16)
//! inner   = body ‖ form (1: plain, 2: zstd without its magic number) ‖ zeros up to the Padmé size
//! keys    = HKDF-SHA256(epoch key; salt: domain, info: log), 32 bytes for the cipher and 32 for its nonces
//! ```
//!
//! A sealed payload is [`SEAL_OVERHEAD_BYTES`] (42) bytes longer than its body, padding not counted; Padmé adds at most
//! 12 % to that and tells about a length only its order of magnitude. The payload's associated data is the entry's
//! prefix and suffix, so that it opens in its own place only.

use std::io::{BufRead, Read};

use alliance_wire::{LogId, limits};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::aead::{AeadKey, NONCE_BYTES, TAG_BYTES};
use crate::epoch::EpochKey;
use crate::rules::Rules;

/// Version of the sealed layout.
const SEAL_VERSION: u8 = 1;
/// What stands in place of the version where [`Rules::seal`] is off.
const UNSEALED: u8 = 0;
/// Version, nonce, form and tag.
pub const SEAL_OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + 1 + TAG_BYTES;
/// The largest inner text of a data payload.
const INNER_BYTES_MAX: usize = limits::DATA_PAYLOAD_BYTES_MAX - (SEAL_OVERHEAD_BYTES - 1);

const PLAIN: u8 = 1;
const ZSTD: u8 = 2;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A good ratio for texts of a few hundred bytes, at a few microseconds.
const ZSTD_LEVEL: i32 = 9;
/// Below this a zstd frame is never smaller than what it holds.
const COMPRESS_BYTES_MIN: usize = 24;

/// Why a payload is not sealed: the caller splits what it says into more entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than what an opener would decompress.
    #[error("{len} bytes of plaintext over the limit of {}", limits::PLAINTEXT_BYTES_MAX)]
    Plaintext {
        /// Its length in bytes.
        len: usize,
    },
    /// Over the limit of a data entry's payload, even compressed as far as the ratio allows.
    #[error("{len} sealed bytes over the limit of {}", limits::DATA_PAYLOAD_BYTES_MAX)]
    Payload {
        /// The length in bytes without padding.
        len: usize,
    },
}

/// Why a sealed payload does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It has a version that this software does not know: the author's is newer.
    #[error("sealed by a newer version")]
    Version,
    /// It is over the limit or too short to be sealed.
    #[error("not a sealed payload")]
    Size,
    /// Key, place or bytes are not those of the sealing.
    #[error("the payload does not open")]
    Cipher,
    /// What is inside is not padded text in a known form: the author's fault.
    #[error("the opened payload is malformed")]
    Malformed,
    /// It decompresses to more than 16 MiB or more than twenty times its size: the author's fault.
    #[error("the payload decompresses over its limit")]
    OverLimit,
}

/// Seals the payload of a data entry of `log`. `ad` is the entry's prefix and suffix
/// ([`crate::Place::associated_data`]); `random` is 32 bytes of the operating system's randomness.
///
/// # Errors
/// [`SealError`].
pub fn seal(
    rules: Rules,
    key: &EpochKey,
    log: LogId,
    ad: &[u8],
    plaintext: &[u8],
    random: [u8; 32],
) -> Result<Vec<u8>, SealError> {
    if plaintext.len() > limits::PLAINTEXT_BYTES_MAX {
        return Err(SealError::Plaintext { len: plaintext.len() });
    }
    let compressed = if rules.seal { compress(plaintext) } else { None };
    let (body, form) = compressed.as_ref().map_or((plaintext, PLAIN), |body| (body.as_slice(), ZSTD));
    if body.len() + 1 > INNER_BYTES_MAX {
        return Err(SealError::Payload { len: body.len() + SEAL_OVERHEAD_BYTES });
    }
    if !rules.seal {
        return Ok([&[UNSEALED], body, &[form]].concat());
    }
    let mut inner = Vec::with_capacity(padme(body.len() + 1) + TAG_BYTES);
    inner.extend_from_slice(body);
    inner.push(form);
    inner.resize(padme(inner.len()).min(INNER_BYTES_MAX), 0);
    let mut sealed = log_key(key, log).seal(rules, &random, ad, inner);
    sealed.insert(0, SEAL_VERSION);
    Ok(sealed)
}

/// Opens the payload of a data entry; the arguments are those of [`seal`].
///
/// # Errors
/// [`OpenError`].
pub fn open(rules: Rules, key: &EpochKey, log: LogId, ad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    if sealed.len() > limits::DATA_PAYLOAD_BYTES_MAX {
        return Err(OpenError::Size);
    }
    let (version, rest) = sealed.split_first().ok_or(OpenError::Size)?;
    match *version {
        SEAL_VERSION => {
            if sealed.len() < SEAL_OVERHEAD_BYTES {
                return Err(OpenError::Size);
            }
            unpack(&Zeroizing::new(log_key(key, log).open(ad, rest).ok_or(OpenError::Cipher)?))
        }
        UNSEALED if !rules.seal => unpack(rest),
        _ => Err(OpenError::Version),
    }
}

/// The Padmé size of a length (PURBs, Nikitin et al. 2019): at most 12 % more, and one of few sizes.
#[must_use]
pub const fn padme(len: usize) -> usize {
    if len < 2 {
        return len;
    }
    let exponent = len.ilog2();
    let free = exponent - (exponent.ilog2() + 1);
    let mask = (1 << free) - 1;
    (len + mask) & !mask
}

fn log_key(key: &EpochKey, log: LogId) -> AeadKey {
    let mut okm = [0; 64];
    Hkdf::<Sha256>::new(Some(b"alliance v1 sealing"), key.as_bytes())
        .expand(&log.0, &mut okm)
        .expect("64 bytes are within the limit of HKDF-SHA256");
    let mut keys = AeadKey { cipher: [0; 32], nonces: [0; 32] };
    keys.cipher.copy_from_slice(&okm[..32]);
    keys.nonces.copy_from_slice(&okm[32..]);
    okm.zeroize();
    keys
}

/// A zstd frame without its magic number, if it is smaller and within the ratio that openers take.
fn compress(plaintext: &[u8]) -> Option<Vec<u8>> {
    if plaintext.len() < COMPRESS_BYTES_MIN {
        return None;
    }
    let mut frame = zstd::bulk::compress(plaintext, ZSTD_LEVEL).ok()?;
    if !frame.starts_with(&ZSTD_MAGIC) {
        return None;
    }
    frame.drain(..ZSTD_MAGIC.len());
    let fits = frame.len() < plaintext.len() && plaintext.len() <= frame.len() * limits::COMPRESSION_RATIO_MAX;
    fits.then_some(frame)
}

/// What stands inside a payload behind its cipher: the padding goes, and a compressed body is decompressed. [`open`] ends
/// with it; whoever holds the epoch's key chooses these bytes freely.
///
/// # Errors
/// [`OpenError::Malformed`] or [`OpenError::OverLimit`].
pub fn unpack(inner: &[u8]) -> Result<Vec<u8>, OpenError> {
    let end = inner.iter().rposition(|byte| *byte != 0).ok_or(OpenError::Malformed)?;
    let body = &inner[..end];
    match inner[end] {
        PLAIN => Ok(body.to_vec()),
        ZSTD => decompress(body),
        _ => Err(OpenError::Malformed),
    }
}

/// Decompresses one zstd frame, piece by piece: memory grows with what comes out, never with what the frame announces.
fn decompress(body: &[u8]) -> Result<Vec<u8>, OpenError> {
    let limit = (body.len() * limits::COMPRESSION_RATIO_MAX).min(limits::PLAINTEXT_BYTES_MAX);
    let malformed = |_: std::io::Error| OpenError::Malformed;
    let input = ZSTD_MAGIC.as_slice().chain(body);
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(malformed)?.single_frame();
    // No frame that may be opened needs a larger window; zstd allocates one of the size that the frame names.
    let window_log = limit.max(1).next_power_of_two().ilog2().max(10);
    decoder.window_log_max(window_log).map_err(malformed)?;
    let mut plaintext = Vec::new();
    let mut bounded = decoder.by_ref().take(limit as u64 + 1);
    if let Err(error) = bounded.read_to_end(&mut plaintext) {
        let window = error.to_string().contains("too much memory");
        return Err(if window { OpenError::OverLimit } else { OpenError::Malformed });
    }
    if plaintext.len() > limit {
        return Err(OpenError::OverLimit);
    }
    let mut rest = decoder.finish();
    if rest.fill_buf().map_err(malformed)?.is_empty() { Ok(plaintext) } else { Err(OpenError::Malformed) }
}
