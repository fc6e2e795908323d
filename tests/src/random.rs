//! A small seeded generator, so that every run of a test can be repeated from the number that it prints.

use alliance_wire::hash::content_hash;

/// SplitMix64: every seed gives a full-length sequence, and the code fits on a page.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0, and nothing drawn, if `limit` is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { usize::try_from(self.next() % (limit as u64)).expect("below a usize") }
    }

    /// Happens `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Thirty-two bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        content_hash(&self.next().to_be_bytes())
    }

    /// Sixteen bytes.
    pub fn bytes16(&mut self) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.bytes32()[..16]);
        out
    }
}
