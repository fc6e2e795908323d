//! Sets of entries as bits, by the order in which a replica took them.

use super::work::step;

/// A set of small numbers.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Bits(Vec<u64>);

impl Clone for Bits {
    fn clone(&self) -> Self {
        step(self.0.len());
        Self(self.0.clone())
    }
}

impl Bits {
    /// The numbers below `len`.
    #[must_use]
    pub fn below(len: usize) -> Self {
        step(len / 64);
        let mut bits = Self(vec![u64::MAX; len / 64]);
        if !len.is_multiple_of(64) {
            bits.0.push((1 << (len % 64)) - 1);
        }
        bits
    }

    /// Whether the number is in the set.
    #[must_use]
    pub fn has(&self, number: usize) -> bool {
        step(1);
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Puts a number in.
    pub fn set(&mut self, number: usize) {
        step(1);
        if self.0.len() <= number / 64 {
            self.0.resize(number / 64 + 1, 0);
        }
        self.0[number / 64] |= 1 << (number % 64);
    }

    /// Puts every number of the other set in.
    pub fn unite(&mut self, other: &Self) {
        step(other.0.len());
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Keeps what is in the other set too.
    pub fn intersect(&mut self, other: &Self) {
        step(other.0.len());
        self.0.truncate(other.0.len());
        for (word, kept) in self.0.iter_mut().zip(&other.0) {
            *word &= kept;
        }
        // No trailing zero words: equal sets compare equal.
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// How many numbers the set has.
    #[must_use]
    pub fn count(&self) -> usize {
        step(self.0.len());
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The numbers, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            core::iter::successors((*word != 0).then_some(*word), |left| {
                let rest = left & (left - 1);
                (rest != 0).then_some(rest)
            })
            .inspect(|_| step(1))
            .map(move |left| at * 64 + left.trailing_zeros() as usize)
        })
    }
}
