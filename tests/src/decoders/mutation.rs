//! Mutations of a corpus, drawn from a seed: bytes as such, lengths in several codes, and CBOR by its structure.

use super::cbor::spoil;
use super::{Decoder, Shell};
use crate::random::Random;

/// An endless sequence of mutated inputs.
pub struct Mutations {
    random: Random,
    corpus: Vec<Vec<u8>>,
    shell: Option<Shell>,
}

/// Bytes of an input: what grows beyond is cut.
pub(super) const INPUT_BYTES_MAX: usize = 1 << 20;

impl Mutations {
    /// The sequence of a seed for a decoder. Every decoder has its own.
    #[must_use]
    pub fn new(decoder: &Decoder, seed: u64) -> Self {
        let name = decoder.name.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let corpus = decoder.corpus().into_iter().map(|(_, bytes)| bytes).collect();
        Self { random: Random::new(seed ^ name), corpus, shell: decoder.shell }
    }

    /// The next input: one to three mutations of a file, mostly inside its shell where it has one.
    pub fn next_input(&mut self) -> Vec<u8> {
        let bytes = self.pick();
        let other = self.pick();
        if let Some(shell) = self.shell
            && self.random.chance(75)
            && let Some(inside) = (shell.open)(&bytes)
        {
            let other = (shell.open)(&other).unwrap_or(other);
            return (shell.close)(&self.mutate(inside, &other));
        }
        self.mutate(bytes, &other)
    }

    fn pick(&mut self) -> Vec<u8> {
        let at = self.random.below(self.corpus.len());
        self.corpus.get(at).cloned().unwrap_or_default()
    }

    fn mutate(&mut self, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
        let times = 1 + self.random.below(3);
        for _ in 0..times {
            let structural = self.random.chance(60);
            match spoil(&bytes, other, &mut self.random).filter(|_| structural) {
                Some(spoilt) => bytes = spoilt,
                None => self.rough(&mut bytes, other),
            }
            bytes.truncate(INPUT_BYTES_MAX);
        }
        bytes
    }

    /// Changes bytes without knowing what they mean.
    fn rough(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.random.below(bytes.len());
        let end = at + self.random.below(bytes.len() - at + 1);
        let byte = self.random.next().to_le_bytes()[0];
        match self.random.below(12) {
            0 => {
                if let Some(old) = bytes.get_mut(at) {
                    *old ^= 1 << (byte & 7);
                }
            }
            1 => {
                if let Some(old) = bytes.get_mut(at) {
                    *old = [0, 1, 0x7f, 0x80, 0xff, b'"', b':', b'\n', b' ', byte][self.random.below(10)];
                }
            }
            2 => bytes.truncate(at),
            3 => bytes.extend((0..1 + self.random.below(40)).map(|n| byte.wrapping_mul(n.to_le_bytes()[0]))),
            4 => bytes.insert(at, byte),
            5 => {
                bytes.drain(at..end);
            }
            6 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            7 => {
                // The front of one file and the back of another.
                let from = self.random.below(other.len());
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            8 => self.length(bytes, at),
            9 => bytes[at..end].reverse(),
            10 => bytes[at..end].fill(byte),
            _ => {
                let many = 1 << self.random.below(14);
                bytes.splice(at..at, std::iter::repeat_n(byte, many));
            }
        }
    }

    /// Writes a length that nothing can have: big-endian of some width, LEB128, or decimal digits.
    fn length(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let number = [1 << 14, 1 << 21, 1 << 28, u64::from(u32::MAX), 1 << 40, u64::MAX][self.random.below(6)];
        let number = number.wrapping_add(self.random.next() & 1);
        let written = match self.random.below(4) {
            0 => number.to_be_bytes().to_vec(),
            1 => number.to_be_bytes()[4..].to_vec(),
            2 => {
                let mut out = Vec::new();
                crate::mutate::unsigned(&mut out, number);
                out
            }
            _ => number.to_string().into_bytes(),
        };
        let end = if self.random.chance(50) { bytes.len().min(at + written.len()) } else { at };
        bytes.splice(at..end, written);
    }
}
