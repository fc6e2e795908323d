//! Identifiers: fixed-size byte strings with a type each, so that none can stand for another.
//!
//! An id prints as lower-case hexadecimal and travels as a CBOR byte string of exactly its own length.

use core::fmt;
use core::str::FromStr;

use crate::hash::{Domain, hash};

/// Text or bytes that are not an id of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} bytes, as {} hexadecimal digits where it is text", expected * 2)]
pub struct IdError {
    /// Length of the id in bytes.
    pub expected: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The first eight bytes, as Hello and checks name it.
            #[must_use]
            pub fn prefix8(&self) -> [u8; 8] {
                let mut out = [0; 8];
                out.copy_from_slice(&self.0[..8]);
                out
            }

            /// The first eight hexadecimal digits, for people and logs.
            #[must_use]
            pub fn short(&self) -> String {
                let mut text = self.to_string();
                text.truncate(8);
                text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;
            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError { expected: $len })
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut out = [0; $len];
                from_hex(text, &mut out).ok_or(IdError { expected: $len })?;
                Ok(Self(out))
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::try_from(d.bytes()?).map_err(|_| minicbor::decode::Error::message("id of another length"))
            }
        }
    };
}

id!(
    /// A device: its Ed25519 public key, made at install (PROTOCOL section 1). Also its TLS identity towards a relay.
    DeviceKey, 32
);
id!(
    /// Any Ed25519 public key that may sign in a space: a device's, a recovery key's, an invitation's one-time key.
    SignerKey, 32
);
id!(
    /// An X25519 public key to which key boxes are sealed (HPKE, RFC 9180).
    BoxKey, 32
);
id!(
    /// Sixteen random bytes made with a database: one writing history of a device (PROTOCOL section 1).
    Incarnation, 16
);
id!(
    /// A database that assigns arrival numbers; a restored relay draws a new one (R7).
    Instance, 16
);
id!(
    /// An audience: every document lives in exactly one (DOMAIN 2.1).
    SpaceId, 16
);
id!(
    /// One append-only chain of entries: see [`LogId::of`].
    LogId, 20
);
id!(
    /// A person within one space.
    PersonTag, 16
);
id!(
    /// A document.
    DocumentId, 16
);
id!(
    /// A key epoch: first 16 bytes of the header hash of the entry that made it.
    EpochId, 16
);
id!(
    /// An editing session that has not been sealed yet.
    DraftId, 16
);
id!(
    /// A text as it was when somebody signed, understood or shared it: `H(Frozen, its bytes)`.
    FrozenHash, 32
);
id!(
    /// BLAKE3 of an entry's signed bytes.
    HeaderHash, 32
);
id!(
    /// First 16 bytes of a header hash, as sealed payloads and vectors name it.
    HashPrefix, 16
);

impl From<DeviceKey> for SignerKey {
    fn from(key: DeviceKey) -> Self {
        Self(key.0)
    }
}

impl From<SignerKey> for DeviceKey {
    fn from(key: SignerKey) -> Self {
        Self(key.0)
    }
}

impl HeaderHash {
    /// What the first entry of a log names as its predecessor.
    pub const NONE: Self = Self([0; 32]);

    /// The first 16 bytes.
    #[must_use]
    pub fn prefix(&self) -> HashPrefix {
        let mut out = [0; 16];
        out.copy_from_slice(&self.0[..16]);
        HashPrefix(out)
    }

    /// The epoch that the entry with this header hash makes.
    #[must_use]
    pub fn epoch(&self) -> EpochId {
        EpochId(self.prefix().0)
    }
}

/// The two logs that each incarnation of a device has in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stream {
    /// Keys, roles and epochs: readable by a relay, never pruned, first in every session.
    Membership = 0,
    /// Sealed content.
    Data = 1,
}

impl Stream {
    /// The stream with this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Membership),
            1 => Some(Self::Data),
            _ => None,
        }
    }
}

impl LogId {
    /// The log of one incarnation of a device in a space.
    #[must_use]
    pub fn of(space: SpaceId, stream: Stream, device: DeviceKey, incarnation: Incarnation) -> Self {
        Self(first(hash(Domain::Log, &[&space.0, &[stream as u8], &device.0, &incarnation.0])))
    }

    /// The read-only log that begins where two entries of this log have the same number (a fork).
    #[must_use]
    pub fn continuation(self, first_entry: HeaderHash) -> Self {
        Self(first(hash(Domain::Continuation, &[&self.0, &first_entry.0])))
    }
}

impl SpaceId {
    /// The space that a founder's first entry makes; `payload_hash` is BLAKE3 of that entry's payload.
    #[must_use]
    pub fn of(founder: DeviceKey, incarnation: Incarnation, payload_hash: [u8; 32]) -> Self {
        Self(first(hash(Domain::Space, &[&founder.0, &incarnation.0, &payload_hash])))
    }
}

impl PersonTag {
    /// The tag under which a person is known in a space. `once` is the invitation's one-time key; the founder's is empty.
    #[must_use]
    pub fn of(space: SpaceId, device: DeviceKey, recovery: SignerKey, once: Option<SignerKey>) -> Self {
        let once: &[u8] = once.as_ref().map_or(&[], |key| key.0.as_slice());
        Self(first(hash(Domain::Person, &[&space.0, &device.0, &recovery.0, once])))
    }
}

fn first<const N: usize>(digest: [u8; 32]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&digest[..N]);
    out
}

/// Fills `out` from exactly twice as many hexadecimal digits.
fn from_hex(text: &str, out: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(())
}
