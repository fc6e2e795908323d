//! Random bytes of the operating system.

/// Fresh random bytes.
///
/// # Panics
/// If the operating system has no randomness: then nothing that this program does would be safe.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system hands out randomness");
    bytes
}
