//! What opens a profile: its PIN, its person's recovery words, a helper's answer; and what makes them do so.

use std::{fs, io};

use alliance_crypto::{Cost, HelpWrap, KeyBytes, Look, PinWrap, RecoverySecret, Tries, UnwrapError, Uptime};
use alliance_wire::{BoxKey, DeviceKey};

use super::{ProfileId, Profiles, remove_pair};
use crate::error::OpenError;
use crate::file::pin::PinFile;
use crate::file::tries::{Counter, Slot};
use crate::file::{StoreHeader, StoreKey, help};

/// Why a PIN did not open a profile.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Another PIN, or another caller's secret. It was counted.
    #[error("the PIN is not the one of this profile")]
    Wrong {
        /// Tries that may follow at once.
        free: u32,
        /// Milliseconds until the next one where there is none.
        wait: u64,
    },
    /// Too many wrong ones: no PIN is tried for so many milliseconds.
    #[error("too many wrong PINs were tried")]
    Wait(u64),
    /// There is none yet: the recovery words set one.
    #[error("the profile has no PIN")]
    None,
    /// The profile opens with a caller's secret, which was not given. Nothing was counted.
    #[error("the caller's secret is missing")]
    SecretMissing,
    /// What was typed is empty or too long. Nothing was counted.
    #[error("this is no PIN")]
    Unusable,
    /// The files could not be read or written. If the count could not be written nothing was tried.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<io::Error> for PinError {
    fn from(error: io::Error) -> Self {
        Self::Open(error.into())
    }
}

/// A profile that a PIN opened.
#[derive(Debug)]
pub struct Unlocked {
    /// Its store's key.
    pub key: StoreKey,
    /// Wrong PINs that were tried since the last right one.
    pub wrong: u32,
}

/// What seals a key: the PIN, the caller's secret, what a try shall cost, and fresh random bytes.
#[derive(Clone, Copy)]
pub struct NewPin<'a> {
    /// The PIN, which [`alliance_crypto::check_new_pin`] took.
    pub pin: &'a str,
    /// The caller's secret.
    pub secret: Option<&'a [u8; 32]>,
    /// What a try costs.
    pub cost: Cost,
    /// Salt of Argon2id.
    pub salt: [u8; 16],
    /// For the nonce.
    pub random: [u8; 32],
}

impl NewPin<'_> {
    pub(super) fn wrap(&self, key: &StoreKey, place: &[u8; 16]) -> Result<PinWrap, PinError> {
        PinWrap::seal(key.bytes(), (self.pin, self.secret), place, self.cost, (self.salt, self.random))
            .map_err(|_| PinError::Unusable)
    }
}

impl Profiles {
    /// Tries a PIN. The try is counted durably before it is made, and forgotten if it is right. `now` is asked while no
    /// other process tries one.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn unlock(
        &self,
        id: &ProfileId,
        pin: (&str, Option<&[u8; 32]>),
        now: impl Fn() -> Uptime,
    ) -> Result<Unlocked, PinError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        let file = match PinFile::read(&files) {
            // Both copies damaged: as if no PIN had been chosen.
            Err(OpenError::Header) => None,
            other => other?,
        };
        let wrap = file.and_then(|file| file.wrap).ok_or(PinError::None)?;
        if wrap.needs_secret() && pin.1.is_none() {
            return Err(PinError::SecretMissing);
        }
        let mut counter = Counter::open(&files)?;
        let before = counter.tries();
        match before.look(now()) {
            Look::Free => {}
            Look::Wait(millis) => return Err(PinError::Wait(millis)),
            Look::Anew(millis, tries) => {
                counter.put(tries)?;
                return Err(PinError::Wait(millis));
            }
        }
        let counted = before.with_one_more(now());
        counter.put(counted)?;
        match wrap.open(pin, &header.salt) {
            Ok(key) => {
                let key = StoreKey::from(key);
                header.verify(&key)?;
                // A count that stays too high keeps nobody out who knows the PIN now.
                if let Err(error) = counter.put(Tries::NONE) {
                    tracing::warn!(%error, "the count of wrong PINs could not be emptied");
                }
                Ok(Unlocked { key, wrong: before.failed() })
            }
            Err(UnwrapError::Wrong) => Err(PinError::Wrong { free: counted.free(), wait: counted.wait() }),
            Err(UnwrapError::Cost) => Err(OpenError::Header.into()),
            Err(UnwrapError::SecretMissing) => Err(PinError::SecretMissing),
            Err(UnwrapError::Unusable(_)) => {
                counter.put(before)?;
                Err(PinError::Unusable)
            }
        }
    }

    /// How many milliseconds no PIN is tried; nothing is counted or changed.
    #[must_use]
    pub fn wait(&self, id: &ProfileId, now: Uptime) -> u64 {
        let bytes = fs::read(self.files(id).tries()).unwrap_or_default();
        let tries = Slot::parse(&bytes).map_or(Tries::LOST, |slot| slot.tries);
        match tries.look(now) {
            Look::Free => 0,
            Look::Wait(millis) | Look::Anew(millis, _) => millis,
        }
    }

    /// The key by the person's recovery words, which may be tried at any time: they cannot be guessed.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] if they are another person's.
    pub fn by_words(&self, id: &ProfileId, words: &RecoverySecret) -> Result<StoreKey, OpenError> {
        StoreHeader::read(&self.files(id).header())?.ok_or(OpenError::Absent)?.by_words(words)
    }

    /// Puts another PIN in the place of the one that there is, if any. Whoever has the key may. The count begins anew.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] if it is the key of another store, [`PinError::Unusable`], or an I/O error.
    pub fn set_pin(&self, id: &ProfileId, key: &StoreKey, pin: &NewPin<'_>) -> Result<(), PinError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        header.verify(key)?;
        let wrap = Some(pin.wrap(key, &header.salt)?);
        // Nobody tries the old one meanwhile.
        let mut counter = Counter::open(&files)?;
        // Both copies damaged: the nickname is lost with the old PIN, which is why the words were asked.
        let nickname = PinFile::read(&files).ok().flatten().and_then(|file| file.nickname);
        PinFile { nickname, wrap }.write(&files)?;
        Ok(counter.put(Tries::NONE)?)
    }

    /// Lets a helper's devices open this profile together with its folder, in place of whoever could before: nothing if
    /// none of the box keys is one. `own`, `theirs` and `random` are fresh random bytes.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] if it is the key of another store, or an I/O error.
    pub fn set_helper(
        &self,
        id: &ProfileId,
        key: &StoreKey,
        helper: &[(DeviceKey, BoxKey)],
        shares: ([u8; 32], &KeyBytes),
        random: [u8; 32],
    ) -> Result<Option<HelpWrap>, OpenError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        header.verify(key)?;
        let wrap = HelpWrap::seal(key.bytes(), &header.salt, helper, shares, random);
        if let Some(wrap) = &wrap {
            help::write(&files, wrap)?;
        }
        Ok(wrap)
    }

    /// What a helper opens together with this folder, and the salt that it is bound to. Both copies damaged is none.
    ///
    /// # Errors
    /// [`OpenError::Newer`], or an I/O error.
    pub fn help(&self, id: &ProfileId) -> Result<Option<(HelpWrap, [u8; 16])>, OpenError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        match help::read(&files) {
            Err(OpenError::Header) => Ok(None),
            found => Ok(found?.map(|wrap| (wrap, header.salt))),
        }
    }

    /// Lets nobody help any more.
    ///
    /// # Errors
    /// An I/O error.
    pub fn remove_helper(&self, id: &ProfileId) -> Result<(), OpenError> {
        remove_pair(&self.files(id).help())
    }
}
