//! What an operator hands out: where a relay is and which key it has, and tokens that admit spaces there.

use std::fmt;
use std::str::FromStr;

use alliance_wire::membership::{ADDRESS_BYTES_MAX, Admission, RelayPin};
use alliance_wire::{DeviceKey, SpaceId};
use zeroize::Zeroizing;

use crate::armor::{self, ArmorError};

const RELAY_WORD: &str = "alliance-relay:";
const TOKEN_WORD: &str = "alliance-token:";
const VERSION: u8 = 1;

/// Why a text is no relay's connect string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayAddressError {
    /// The text as such is not in order.
    #[error("not a relay's connect string: {0}")]
    Text(#[from] ArmorError),
    /// The text is in order, but what it holds is no key and address.
    #[error("the connect string holds no address of the form host:port")]
    Address,
}

/// Why a text is no admission token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The text as such is not in order.
    #[error("not an admission token: {0}")]
    Text(#[from] ArmorError),
    /// The text is in order, but of another length than a token's.
    #[error("the admission token has another length than a token")]
    Length,
}

/// A relay's connect string: its key, by which devices recognise it, and `host:port`, where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    key: DeviceKey,
    address: String,
}

impl RelayAddress {
    /// A relay with this key at this `host:port`; an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// [`RelayAddressError::Address`] when the text is no host and port, or longer than `ADDRESS_BYTES_MAX`.
    pub fn new(key: DeviceKey, address: impl Into<String>) -> Result<Self, RelayAddressError> {
        let address = address.into();
        if is_host_and_port(&address) { Ok(Self { key, address }) } else { Err(RelayAddressError::Address) }
    }

    /// The relay's key.
    #[must_use]
    pub const fn key(&self) -> DeviceKey {
        self.key
    }

    /// `host:port`; the host may be a name.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What a space's membership says of this relay, with the admission where one is needed.
    #[must_use]
    pub fn pin(&self, admission: Option<Admission>) -> RelayPin {
        RelayPin { relay: self.key, address: self.address.clone(), admission }
    }
}

impl fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut content = self.key.as_bytes().to_vec();
        content.extend_from_slice(self.address.as_bytes());
        f.write_str(&armor::write(RELAY_WORD, VERSION, &content))
    }
}

impl FromStr for RelayAddress {
    type Err = RelayAddressError;

    fn from_str(text: &str) -> Result<Self, RelayAddressError> {
        let content = armor::read(RELAY_WORD, VERSION, text)?;
        let (key, address) = content.split_at_checked(DeviceKey::LEN).ok_or(RelayAddressError::Address)?;
        let key = DeviceKey::try_from(key).map_err(|_| RelayAddressError::Address)?;
        let address = String::from_utf8(address.to_vec()).map_err(|_| RelayAddressError::Address)?;
        Self::new(key, address)
    }
}

fn is_host_and_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_good = match bracketed {
        Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
    };
    let port_is_good = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    host_is_good && port_is_good && address.len() <= ADDRESS_BYTES_MAX
}

/// An operator's admission token: whoever holds it may have spaces created at the relay (docs/PROTOCOL.md section 5).
#[derive(Clone, PartialEq, Eq)]
pub struct AdmissionToken {
    id: [u8; 8],
    secret: Zeroizing<[u8; 32]>,
}

impl AdmissionToken {
    /// Bytes of a token's public id.
    pub const ID_BYTES: usize = 8;

    /// A token of 40 random bytes: the id, then the secret.
    #[must_use]
    pub fn generate(random: &[u8; 40]) -> Self {
        let mut token = Self { id: [0; 8], secret: Zeroizing::new([0; 32]) };
        token.id.copy_from_slice(&random[..8]);
        token.secret.copy_from_slice(&random[8..]);
        token
    }

    /// Its public name.
    #[must_use]
    pub const fn id(&self) -> [u8; 8] {
        self.id
    }

    /// Its secret, which the relay keeps too.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The admission of one space: it proves the token and is worth nothing for another space.
    #[must_use]
    pub fn admission(&self, space: SpaceId) -> Admission {
        Admission { token: self.id, mac: Admission::mac(&self.secret, space) }
    }

    /// The text that the operator hands out. Whoever reads it can use the token.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut content = Zeroizing::new(self.id.to_vec());
        content.extend_from_slice(self.secret.as_ref());
        Zeroizing::new(armor::write(TOKEN_WORD, VERSION, &content))
    }
}

impl FromStr for AdmissionToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let content = Zeroizing::new(armor::read(TOKEN_WORD, VERSION, text)?);
        let bytes: [u8; 40] = content.as_slice().try_into().map_err(|_| TokenError::Length)?;
        Ok(Self::generate(&Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for AdmissionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdmissionToken({:016x}, redacted)", u64::from_be_bytes(self.id))
    }
}
