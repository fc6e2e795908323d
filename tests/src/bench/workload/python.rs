//! Python's `random.Random`, as far as the workload draws from it: Mersenne Twister and what CPython 3.11 makes of it.
//!
//! The workload was written in Python and is known by its bytes; the same numbers must come out here.

const WORDS: usize = 624;
const SHIFT: usize = 397;

/// `random.Random(seed)`.
pub(super) struct Random {
    state: [u32; WORDS],
    at: usize,
}

impl Random {
    /// Seeds as CPython does with an integer: its 32-bit words, the lowest first, go through `init_by_array`.
    pub(super) fn new(seed: u64) -> Self {
        let (low, high) = ((seed & 0xffff_ffff) as u32, (seed >> 32) as u32);
        let key = if high == 0 { vec![low] } else { vec![low, high] };
        let mut state = [0u32; WORDS];
        state[0] = 19_650_218;
        for at in 1..WORDS {
            let before = state[at - 1];
            state[at] = 1_812_433_253u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(position(at));
        }
        let (mut i, mut j) = (1, 0);
        for _ in 0..WORDS.max(key.len()) {
            let before = state[i - 1];
            state[i] = (state[i] ^ (before ^ (before >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(position(j));
            i += 1;
            j = (j + 1) % key.len();
            if i >= WORDS {
                state[0] = state[WORDS - 1];
                i = 1;
            }
        }
        for _ in 0..WORDS - 1 {
            let before = state[i - 1];
            state[i] = (state[i] ^ (before ^ (before >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(position(i));
            i += 1;
            if i >= WORDS {
                state[0] = state[WORDS - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        Self { state, at: WORDS }
    }

    fn word(&mut self) -> u32 {
        if self.at >= WORDS {
            self.twist();
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for at in 0..WORDS {
            let y = (self.state[at] & 0x8000_0000) | (self.state[(at + 1) % WORDS] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[at] = self.state[(at + SHIFT) % WORDS] ^ (y >> 1) ^ odd;
        }
        self.at = 0;
    }

    /// `random()`: in [0, 1) with 53 bits.
    pub(super) fn random(&mut self) -> f64 {
        let (a, b) = (self.word() >> 5, self.word() >> 6);
        (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
    }

    /// `randrange(limit)`, for limits below 2^32: draws until a number of so many bits is below it.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let bits = usize::BITS - limit.leading_zeros();
        loop {
            let drawn = (self.word() >> (32 - bits)) as usize;
            if drawn < limit {
                return drawn;
            }
        }
    }

    /// `randint(low, high)`, both included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high + 1 - low)
    }

    /// `choice(items)`.
    pub(super) fn choice<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// `choices(items, weights)[0]` by the running sums of the weights.
    pub(super) fn weighted<T: Copy>(&mut self, items: &[T], sums: &[f64]) -> T {
        let total = sums.last().copied().unwrap_or_default();
        let drawn = self.random() * total;
        items[sums[..sums.len() - 1].partition_point(|sum| *sum <= drawn)]
    }

    /// `shuffle(items)`.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }

    /// `lognormvariate(mu, sigma)`, by Kinderman and Monahan's method.
    pub(super) fn log_normal(&mut self, mu: f64, sigma: f64) -> f64 {
        let magic = 4.0 * (-0.5f64).exp() / 2.0f64.sqrt();
        loop {
            let (u1, u2) = (self.random(), 1.0 - self.random());
            let z = magic * (u1 - 0.5) / u2;
            if z * z / 4.0 <= -u2.ln() {
                return (mu + z * sigma).exp();
            }
        }
    }
}

/// A position in the state, which is short.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
