//! Secret bytes that leave nothing behind: what moves is a pointer, and what a computation left on the stack is
//! overwritten (docs/THREATS.md, a lost or stolen device).
//!
//! Wiping a value when it is dropped is not enough: a value that is returned, captured or stored is copied, and the
//! places that it was copied from are never dropped.

use core::fmt;
use core::hint::black_box;
use core::ops::{Deref, DerefMut};

use zeroize::{Zeroize as _, Zeroizing};

/// Bytes of stack that are overwritten: more than the deepest call of a cipher, a curve or a hash here takes.
const STACK_BYTES: usize = 32 * 1024;

/// Thirty-two secret bytes: on the heap, so that a move copies none of them; wiped when dropped; never printed.
#[derive(PartialEq, Eq)]
pub struct KeyBytes(Box<Zeroizing<[u8; 32]>>);

impl KeyBytes {
    /// These bytes; the argument is wiped.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self::of(&bytes);
        bytes.zeroize();
        key
    }

    /// A copy of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8; 32]) -> Self {
        let mut key = Self::zero();
        key.copy_from_slice(bytes);
        key
    }

    /// Zeros, to be filled.
    pub(crate) fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }

    /// A copy of these bytes, if they are thirty-two.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::of)
    }
}

impl Deref for KeyBytes {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl DerefMut for KeyBytes {
    fn deref_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

impl Clone for KeyBytes {
    fn clone(&self) -> Self {
        Self::of(self)
    }
}

impl From<[u8; 32]> for KeyBytes {
    fn from(bytes: [u8; 32]) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(redacted)")
    }
}

/// Does `work` and overwrites the stack that it used. What it takes by value lies above and is not reached: hand over
/// references.
#[inline(never)]
pub fn on_wiped_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = apart(work);
    wipe_stack();
    result
}

/// A frame of its own, below that of whoever wipes.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Overwrites the stack below the caller's frame. A thread that worked with secrets ends with it.
#[inline(never)]
pub fn wipe_stack() {
    black_box([0_u8; STACK_BYTES]);
}
