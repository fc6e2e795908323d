//! What a relay keeps so that a restart is no event for the devices that know it (docs/PROTOCOL.md section 5).

use std::fmt;

use alliance_wire::DeviceKey;
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac::{HMAC_SHA256, Key};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::identity::DeviceIdentity;

const VERSION: u8 = 1;
const KEY: usize = 32;

/// Four of a relay's five persisted secrets; the fifth is its [`TicketStore`](crate::TicketStore), which changes with
/// every connection and therefore has a database of its own.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RelaySecrets {
    /// Seed of the relay's Ed25519 identity, which devices pin.
    tls: [u8; KEY],
    /// Seals the address-validation tokens of QUIC Retry, so that one given before a restart is good after it.
    token: [u8; KEY],
    /// Derives stateless reset tokens: a device believes "I know nothing of this connection" only with the right one.
    reset: [u8; KEY],
    /// Marks connection ids as ours. Without it a restarted relay would not answer an old connection at all.
    connection_id: [u8; KEY],
}

/// Why stored bytes are no relay secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// They were written by a version of this program that stores them in another form.
    #[error("relay secrets of format {0}, which this version does not know")]
    Version(u8),
    /// They were cut or are something else.
    #[error("relay secrets have {} bytes, not {found}", RelaySecrets::BYTES)]
    Length {
        /// How many bytes there were.
        found: usize,
    },
}

impl RelaySecrets {
    /// Length of the stored form in bytes: a version and four keys.
    pub const BYTES: usize = 1 + 4 * KEY;

    /// Secrets made of 128 bytes from the system's random source.
    #[must_use]
    pub fn generate(random: &[u8; 4 * KEY]) -> Self {
        let (keys, _) = random.as_chunks::<KEY>();
        Self { tls: keys[0], token: keys[1], reset: keys[2], connection_id: keys[3] }
    }

    /// The secrets that [`Self::to_bytes`] stored.
    ///
    /// # Errors
    /// [`SecretsError`] if the bytes have another version or length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretsError> {
        match bytes {
            [VERSION, keys @ ..] => {
                let keys = keys.try_into().map_err(|_| SecretsError::Length { found: bytes.len() })?;
                Ok(Self::generate(keys))
            }
            [other, ..] => Err(SecretsError::Version(*other)),
            [] => Err(SecretsError::Length { found: 0 }),
        }
    }

    /// The stored form. Whoever reads it can stand in for the relay: keep it readable by the relay's user alone.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(Self::BYTES));
        out.push(VERSION);
        for key in [&self.tls, &self.token, &self.reset, &self.connection_id] {
            out.extend_from_slice(key);
        }
        out
    }

    /// The relay's public key, which its connect string and every invitation carry.
    #[must_use]
    pub fn relay_key(&self) -> DeviceKey {
        self.identity().key()
    }

    pub(crate) fn identity(&self) -> DeviceIdentity {
        DeviceIdentity::from_seed(&self.tls)
    }

    pub(crate) fn token_key(&self) -> Prk {
        Salt::new(HKDF_SHA256, &[]).extract(&self.token)
    }

    pub(crate) fn reset_key(&self) -> Key {
        Key::new(HMAC_SHA256, &self.reset)
    }

    /// quinn hashes connection ids under 64 bits: enough to recognise our own, nothing depends on their secrecy.
    pub(crate) fn connection_id_key(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.connection_id[..8]);
        u64::from_le_bytes(first)
    }
}

impl fmt::Debug for RelaySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelaySecrets").field("relay_key", &self.relay_key()).finish_non_exhaustive()
    }
}
