//! The text of an invitation: what a link or a QR code holds.
//!
//! `alliance-invite:` and base32 (RFC 4648, lower case, no padding) of version (1) ‖ CBOR ‖ checksum (4). White space in
//! it is skipped and case does not matter, so that it survives mail programs and QR codes in upper case. The text is a
//! link as it stands, a URI whose scheme is `alliance-invite`; angle brackets around it, by which mail programs and
//! RFC 3986 (appendix C) set links off, are read as well.

use alliance_wire::membership::{ADDRESS_BYTES_MAX, Role};
use alliance_wire::{DeviceKey, PersonTag, SpaceId, codec};
use minicbor::{Decode, Encode};

use crate::keys::OneTimeSecret;

/// What the text begins with.
const PREFIX: &str = "alliance-invite:";
/// Version of the text's layout.
const TEXT_VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
/// Characters of the text that are looked at.
const TEXT_CHARS_MAX: usize = 4096;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Where a relay listens, and the key that it must show.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RelayAt {
    /// The relay's key.
    #[n(0)]
    pub key: DeviceKey,
    /// `host:port`.
    #[n(1)]
    pub address: String,
}

/// What one person hands to another: a right to ask to be let in, once. Whoever reads it can ask.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Invitation {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The relay that carries the space; absent where the two meet directly or by files.
    #[n(1)]
    pub relay: Option<RelayAt>,
    /// The role that is offered.
    #[n(2)]
    pub role: Role,
    /// Seconds since 1970 after which the inviter refuses.
    #[n(3)]
    pub expires: u64,
    /// Seed of the one-time key.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) seed: [u8; 32],
    /// The inviter's commitment to its nonce.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) commitment: [u8; 32],
    /// The inviter's device.
    #[n(6)]
    pub inviter: DeviceKey,
    /// The inviter's person, if the invitation is for a further device of it.
    #[n(7)]
    pub person: Option<PersonTag>,
}

/// Why text is not an invitation that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// It is something else.
    #[error("this is not an invitation")]
    NotInvitation,
    /// It begins like one, but characters are missing or wrong.
    #[error("the invitation is damaged: characters are missing or wrong")]
    Damaged,
    /// It is whole, but of a version that this software does not know.
    #[error("the invitation was made by a newer version")]
    NewerVersion,
}

impl Invitation {
    /// The one-time secret.
    #[must_use]
    pub fn secret(&self) -> OneTimeSecret {
        OneTimeSecret::from_seed(self.seed)
    }

    /// The text.
    #[must_use]
    pub fn to_text(&self) -> String {
        text_of(TEXT_VERSION, &codec::encode(self))
    }

    /// Reads the text.
    ///
    /// # Errors
    /// [`InvitationError`].
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        let compact: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(TEXT_CHARS_MAX + 1)
            .collect::<String>()
            .to_ascii_lowercase();
        let bare = compact.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(&compact);
        let digits = bare.strip_prefix(PREFIX).ok_or(InvitationError::NotInvitation)?;
        if compact.len() > TEXT_CHARS_MAX {
            return Err(InvitationError::Damaged);
        }
        let bytes = from_base32(digits).ok_or(InvitationError::Damaged)?;
        let (checked, sum) =
            bytes.split_last_chunk::<CHECKSUM_BYTES>().map(|(c, s)| (c, *s)).ok_or(InvitationError::Damaged)?;
        if checksum(checked) != sum {
            return Err(InvitationError::Damaged);
        }
        let (version, body) = checked.split_first().ok_or(InvitationError::Damaged)?;
        if *version != TEXT_VERSION {
            return Err(InvitationError::NewerVersion);
        }
        let invitation: Self = codec::decode(body).map_err(|_| InvitationError::Damaged)?;
        let long = invitation.relay.as_ref().is_some_and(|relay| relay.address.len() > ADDRESS_BYTES_MAX);
        if long { Err(InvitationError::Damaged) } else { Ok(invitation) }
    }
}

impl core::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Invitation")
            .field("space", &self.space)
            .field("relay", &self.relay)
            .field("role", &self.role)
            .field("expires", &self.expires)
            .field("inviter", &self.inviter)
            .finish_non_exhaustive()
    }
}

fn text_of(version: u8, body: &[u8]) -> String {
    let mut bytes = vec![version];
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&checksum(&bytes));
    format!("{PREFIX}{}", to_base32(&bytes))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = blake3::derive_key("alliance v1 invitation checksum", bytes);
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    sum
}

fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut held) = (0_u16, 0_u32);
    for byte in bytes {
        bits = bits << 8 | u16::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[usize::from(bits >> held & 31)]));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        text.push(char::from(ALPHABET[usize::from(bits << (5 - held) & 31)]));
    }
    text
}

/// `None` when a character is none of the alphabet or bits are left over: every text has one spelling.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0_u16, 0_u32);
    for digit in text.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == digit)?;
        bits = bits << 5 | u16::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (held < 5 && bits == 0).then_some(bytes)
}
