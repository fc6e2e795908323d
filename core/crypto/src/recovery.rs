//! Recovery words (PROTOCOL section 1): twelve words on paper from which a person's recovery key is derived.

use core::fmt;

use bip39::{Language, Mnemonic};
use zeroize::{Zeroize as _, Zeroizing};

use crate::keys::RecoverySecret;
use crate::passphrase::{Cost, argon2id};
use crate::wiped::on_wiped_stack;

/// How many words there are: 128 bits and a checksum of 4 (BIP-39, English list).
pub const RECOVERY_WORDS: usize = 12;
/// How many of them are asked back.
pub const ASKED_BACK: usize = 3;
/// Bytes of text that can be twelve words of the list with generous space between them.
const TEXT_BYTES_MAX: usize = 512;
/// The fixed salt: words give the same key wherever they are typed.
const SALT: &[u8] = b"alliance v1 recovery words";

/// Why text is not recovery words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Not twelve words.
    #[error("{found} words instead of {RECOVERY_WORDS}")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// A word that is not in the list.
    #[error("word {} is not in the list", .at + 1)]
    Unknown {
        /// Which one, from 0.
        at: usize,
    },
    /// Every word is in the list, but together they are none that were given out: one is wrong or two are swapped.
    #[error("the words do not fit each other: one is wrong, or two are swapped")]
    Checksum,
}

/// Twelve recovery words; wiped when dropped, never printed by `Debug`.
pub struct RecoveryWords(Box<Zeroizing<[u8; 16]>>);

impl fmt::Display for RecoveryWords {
    /// The words in order, one space apart: to be shown once and written down.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Word by word: a text of all of them would stay in freed memory.
        for (at, word) in self.words().iter().enumerate() {
            write!(f, "{}{word}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl RecoveryWords {
    /// New words from 32 bytes of randomness, hedged where a device's secret is at hand ([`crate::Secret::hedge`]).
    #[must_use]
    pub fn generate(mut random: [u8; 32]) -> Self {
        let mut words = Self::zero();
        on_wiped_stack(|| {
            let derived = Zeroizing::new(blake3::derive_key("alliance v1 recovery entropy", &random));
            words.0.copy_from_slice(&derived[..16]);
        });
        random.zeroize();
        words
    }

    /// Reads words as typed: any case, any white space between them.
    ///
    /// # Errors
    /// [`WordsError`], which says what to look at.
    pub fn parse(text: &str) -> Result<Self, WordsError> {
        let found = text.split_whitespace().count();
        if found != RECOVERY_WORDS || text.len() > TEXT_BYTES_MAX {
            return Err(WordsError::Count { found });
        }
        let lower = Zeroizing::new(text.to_lowercase());
        if let Some(at) = lower.split_whitespace().position(|word| Language::English.find_word(word).is_none()) {
            return Err(WordsError::Unknown { at });
        }
        let normal = Zeroizing::new(lower.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut words = Self::zero();
        on_wiped_stack(|| {
            let parsed = Mnemonic::parse_in_normalized(Language::English, &normal).map_err(|_| WordsError::Checksum)?;
            let (array, len) = parsed.to_entropy_array();
            let array = Zeroizing::new(array);
            words.0.copy_from_slice(&array[..len.min(16)]);
            Ok(())
        })?;
        Ok(words)
    }

    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; 16])))
    }

    /// The words, in their order.
    #[must_use]
    pub fn words(&self) -> [&'static str; RECOVERY_WORDS] {
        let mut out = [""; RECOVERY_WORDS];
        on_wiped_stack(|| {
            let words = Mnemonic::from_entropy_in(Language::English, self.0.as_slice());
            for (slot, word) in out.iter_mut().zip(words.expect("128 bits are twelve words").words()) {
                *slot = word;
            }
        });
        out
    }

    /// Three places among the words, ascending and counted from 0, that a program asks back to see that they were
    /// written down; from 32 bytes of randomness.
    #[must_use]
    pub fn asked_back(random: [u8; 32]) -> [usize; ASKED_BACK] {
        let mut left: Vec<usize> = (0..RECOVERY_WORDS).collect();
        let mut places = [0; ASKED_BACK];
        for (place, byte) in places.iter_mut().zip(random) {
            *place = left.remove(usize::from(byte) % left.len());
        }
        places.sort_unstable();
        places
    }

    /// Whether this was typed for the word at a place counted from 0: case and white space around it do not matter.
    #[must_use]
    pub fn is_at(&self, place: usize, typed: &str) -> bool {
        self.words().get(place).is_some_and(|word| word.eq_ignore_ascii_case(typed.trim()))
    }

    /// The recovery key. Takes as long as [`Cost`] says; programs use [`Cost::DEFAULT`], because another cost gives
    /// another key.
    #[must_use]
    pub fn secret(&self, cost: Cost) -> RecoverySecret {
        RecoverySecret::from_seed(*argon2id(self.0.as_slice(), SALT, cost))
    }
}

impl fmt::Debug for RecoveryWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryWords(redacted)")
    }
}
