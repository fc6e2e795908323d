//! PINs: a store's random key sealed under something short enough to type many times a day.
//!
//! A [`PinWrap`] lies beside a store in the open. What it is worth to somebody who copied it is what the PIN is worth:
//! four digits are ten thousand tries of [`Cost`], and no number of passes changes that by much. A *caller's secret*, 32
//! bytes that a device's hardware gives out to this app alone, enters the key as well; without it the PIN opens nothing
//! and there is nothing to guess. How often it may be tried on the device itself is [`Tries`]' to say.

mod choice;
mod tries;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize as _, Zeroizing};

use crate::passphrase::{Cost, PassphraseError, passphrase_key};
use crate::small::{SmallDomain, open_small, seal_small};
use crate::wiped::{KeyBytes, on_wiped_stack};

pub use choice::{PIN_CHARACTERS_MIN, PIN_DIGITS_MIN, PinChoiceError, check_new_pin};
pub use tries::{Look, PIN_TRIES_FREE, Tries, Uptime};

/// A store's key under a PIN. None of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PinWrap {
    /// Salt of Argon2id.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    salt: [u8; 16],
    /// Memory of Argon2id in KiB.
    #[n(1)]
    memory_kib: u32,
    /// Passes of Argon2id.
    #[n(2)]
    passes: u32,
    /// The caller's secret is needed besides.
    #[n(3)]
    with_secret: bool,
    /// The key as a small sealed message.
    #[n(4)]
    sealed: ByteVec,
}

/// Why a PIN does not open a wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// It is another PIN, or another caller's secret.
    #[error("the PIN is not the one of this store")]
    Wrong,
    /// The wrap was made with a caller's secret, and none was given.
    #[error("the caller's secret is missing")]
    SecretMissing,
    /// The PIN is empty or too long to be one.
    #[error(transparent)]
    Unusable(#[from] PassphraseError),
    /// The stored cost is impossible: a damaged file.
    #[error("the stored cost of the PIN is impossible")]
    Cost,
}

impl PinWrap {
    /// Seals a store's key under a PIN of the person's choice, which [`check_new_pin`] took. `place` is the salt in the
    /// store's header: the wrap opens beside this store only. `salt` and `random` are fresh random bytes.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn seal(
        key: &[u8; 32],
        (pin, secret): (&str, Option<&[u8; 32]>),
        place: &[u8; 16],
        cost: Cost,
        (salt, random): ([u8; 16], [u8; 32]),
    ) -> Result<Self, PassphraseError> {
        let (memory_kib, passes) = (cost.memory_kib(), cost.passes());
        let mut wrap = Self { salt, memory_kib, passes, with_secret: secret.is_some(), sealed: Vec::new().into() };
        let under = wrap.key(pin, secret, cost)?;
        wrap.sealed = seal_small(SmallDomain::PinWrap, &under, &wrap.data(place), key, random).into();
        Ok(wrap)
    }

    /// The store's key. Takes as long as the stored cost says.
    ///
    /// # Errors
    /// [`UnwrapError`].
    pub fn open(&self, (pin, secret): (&str, Option<&[u8; 32]>), place: &[u8; 16]) -> Result<KeyBytes, UnwrapError> {
        if self.with_secret && secret.is_none() {
            return Err(UnwrapError::SecretMissing);
        }
        let cost = Cost::new(self.memory_kib, self.passes).map_err(|_| UnwrapError::Cost)?;
        let under = self.key(pin, secret.filter(|_| self.with_secret), cost)?;
        let opened = open_small(SmallDomain::PinWrap, &under, &self.data(place), &self.sealed);
        let opened = Zeroizing::new(opened.map_err(|_| UnwrapError::Wrong)?);
        KeyBytes::from_slice(&opened).ok_or(UnwrapError::Wrong)
    }

    /// Whether the caller's secret is needed besides the PIN.
    #[must_use]
    pub const fn needs_secret(&self) -> bool {
        self.with_secret
    }

    fn key(&self, pin: &str, secret: Option<&[u8; 32]>, cost: Cost) -> Result<KeyBytes, PassphraseError> {
        let of_pin = passphrase_key(&choice::folded(pin), &self.salt, cost)?;
        let Some(secret) = secret else {
            return Ok(derive("alliance v1 pin wrap", of_pin.as_slice()));
        };
        let mut both = [0; 64];
        both[..32].copy_from_slice(of_pin.as_slice());
        both[32..].copy_from_slice(secret);
        let key = derive("alliance v1 pin wrap with a secret", &both);
        both.zeroize();
        Ok(key)
    }

    /// Everything that stands in the open, and where: a wrap that was moved or changed does not open.
    fn data(&self, place: &[u8; 16]) -> Vec<u8> {
        let cost = [self.memory_kib.to_be_bytes(), self.passes.to_be_bytes()].concat();
        [place.as_slice(), &self.salt, &cost, &[u8::from(self.with_secret)]].concat()
    }
}

/// BLAKE3 key derivation that leaves nothing on the stack.
fn derive(context: &str, material: &[u8]) -> KeyBytes {
    let mut key = KeyBytes::zero();
    on_wiped_stack(|| key.copy_from_slice(&blake3::derive_key(context, material)));
    key
}
