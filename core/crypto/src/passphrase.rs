//! Keys from passphrases (Argon2id, RFC 9106): of a store at rest and of a backup.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use crate::wiped::{KeyBytes, on_wiped_stack};

/// Bytes of a passphrase.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;
/// Memory that stored costs may ask for, in KiB (1 GiB): a damaged file must not exhaust the machine.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
/// Passes that stored costs may ask for.
const PASSES_MAX: u32 = 64;

/// What one try of a passphrase or of recovery words costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
}

/// Costs that are none: a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored cost of the passphrase is impossible")]
pub struct CostError;

/// Why a passphrase gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// It is empty.
    #[error("the passphrase is empty")]
    Empty,
    /// It is over the limit.
    #[error("the passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
}

impl Cost {
    /// 64 MiB, 3 passes, 1 lane: RFC 9106's second recommended option, with one lane for phones.
    pub const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3 };
    /// 64 KiB, 1 pass: for tests only, it protects nothing.
    pub const TEST: Self = Self { memory_kib: 64, passes: 1 };

    /// A cost that was stored beside a salt.
    ///
    /// # Errors
    /// [`CostError`] when it is out of bounds.
    pub const fn new(memory_kib: u32, passes: u32) -> Result<Self, CostError> {
        if memory_kib < Params::MIN_M_COST || memory_kib > MEMORY_KIB_MAX || passes == 0 || passes > PASSES_MAX {
            return Err(CostError);
        }
        Ok(Self { memory_kib, passes })
    }

    /// Memory in KiB, to be stored.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes, to be stored.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    pub(crate) fn params(self) -> Params {
        Params::new(self.memory_kib, self.passes, 1, Some(32)).expect("costs are checked when they are made")
    }
}

/// The key of a passphrase, wiped when dropped. The caller stores salt and cost beside what the key protects, and hands
/// over a passphrase that was typed in Unicode normal form C.
///
/// # Errors
/// [`PassphraseError`].
pub fn passphrase_key(passphrase: &str, salt: &[u8; 16], cost: Cost) -> Result<KeyBytes, PassphraseError> {
    if passphrase.is_empty() {
        return Err(PassphraseError::Empty);
    }
    if passphrase.len() > PASSPHRASE_BYTES_MAX {
        return Err(PassphraseError::TooLong);
    }
    Ok(argon2id(passphrase.as_bytes(), salt, cost))
}

/// Argon2id over memory that is wiped: its last block alone gives the key away.
pub(crate) fn argon2id(secret: &[u8], salt: &[u8], cost: Cost) -> KeyBytes {
    let mut key = KeyBytes::zero();
    on_wiped_stack(|| {
        let params = cost.params();
        let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(secret, salt, key.as_mut_slice(), memory.as_mut_slice())
            .expect("the lengths are within Argon2's limits");
    });
    key
}
