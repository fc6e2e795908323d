//! CBOR as a tree that can be spoilt: heads longer than they need be, counts that lie, indefinite lengths.

use super::mutation::INPUT_BYTES_MAX;
use crate::random::Random;

/// Bytes that are taken apart: a tree takes a hundred times as many.
const TREE_BYTES_MAX: usize = 64 * 1024;
/// Levels that are taken apart; deeper ones stay bytes.
const DEPTH_MAX: usize = 40;

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Major type, 0 to 7.
    major: u8,
    /// The number of its head: a value, a length, a count or a tag.
    number: u64,
    /// Bytes of the head behind its first: 0, 1, 2, 4 or 8.
    width: usize,
    /// The content of a string, or the bytes of anything that was not taken apart.
    bytes: Vec<u8>,
    /// Items of an array or map, or what a tag marks.
    items: Vec<Self>,
    /// The head claims this number instead.
    lie: Option<u64>,
    /// The head says that the length is indefinite, and a break ends the item.
    indefinite: bool,
}

impl Item {
    /// The items that fill `bytes`, one or several; `None` if they do not fill it or are too many bytes.
    #[must_use]
    pub fn sequence(bytes: &[u8]) -> Option<Vec<Self>> {
        if bytes.len() > TREE_BYTES_MAX {
            return None;
        }
        let (mut items, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            items.push(Self::read(&mut rest, 0)?);
        }
        Some(items)
    }

    fn read(bytes: &mut &[u8], depth: usize) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        let (major, info) = (first >> 5, first & 31);
        let width = match info {
            0..=23 => 0,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        let (head, mut rest) = rest.split_at_checked(width)?;
        let number =
            if width == 0 { u64::from(info) } else { head.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)) };
        let mut item =
            Self { major, number, width, bytes: Vec::new(), items: Vec::new(), lie: None, indefinite: false };
        let count = match major {
            2 | 3 => {
                let (content, after) = rest.split_at_checked(usize::try_from(number).ok()?)?;
                (item.bytes, rest) = (content.to_vec(), after);
                0
            }
            4 => number,
            5 => number.checked_mul(2)?,
            6 => 1,
            _ => 0,
        };
        for _ in 0..count {
            if depth == DEPTH_MAX {
                return None;
            }
            item.items.push(Self::read(&mut rest, depth + 1)?);
        }
        *bytes = rest;
        Some(item)
    }

    /// Appends the item's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let count = self.items.len() as u64;
        let number = match self.major {
            2 | 3 => self.bytes.len() as u64,
            4 => count,
            5 => count / 2,
            _ => self.number,
        };
        let number = self.lie.unwrap_or(number);
        if self.indefinite && matches!(self.major, 2..=5) {
            out.push(self.major << 5 | 31);
        } else {
            head(out, self.major, number, self.width);
        }
        out.extend(&self.bytes);
        self.items.iter().for_each(|item| item.write(out));
        if self.indefinite && matches!(self.major, 2..=5) {
            out.push(0xff);
        }
    }

    /// Bytes that it holds, heads left out but for one byte each.
    fn size(&self) -> usize {
        1 + self.bytes.len() + self.items.iter().map(Self::size).sum::<usize>()
    }

    /// How many items there are, this one and all inside.
    fn count(&self) -> usize {
        1 + self.items.iter().map(Self::count).sum::<usize>()
    }

    /// The item with this number, counted as they are written.
    fn at(&mut self, mut number: usize) -> Option<&mut Self> {
        if number == 0 {
            return Some(self);
        }
        number -= 1;
        for item in &mut self.items {
            let count = item.count();
            if number < count {
                return item.at(number);
            }
            number -= count;
        }
        None
    }

    fn text(content: &[u8]) -> Self {
        Self { major: 2, number: 0, width: 0, bytes: content.to_vec(), items: Vec::new(), lie: None, indefinite: false }
    }
}

/// Writes a head in `width` bytes, or in as many as the number needs.
fn head(out: &mut Vec<u8>, major: u8, number: u64, width: usize) {
    let needs = match number {
        0..=23 => 0,
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let width = width.max(needs);
    let info = match width {
        0 => number.to_le_bytes()[0],
        1 => 24,
        2 => 25,
        4 => 26,
        _ => 27,
    };
    out.push(major << 5 | info);
    out.extend(&number.to_be_bytes()[8 - width..]);
}

/// Numbers at which decoders go wrong.
const ODD: [u64; 14] =
    [0, 1, 23, 24, 32, 33, 255, 256, 65_535, 65_536, 1 << 28, u32::MAX as u64, i64::MAX as u64, u64::MAX];

/// Spoils one item of `bytes`; `other` lends items. `None` if the bytes are no CBOR.
#[must_use]
pub fn spoil(bytes: &[u8], other: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut items = Item::sequence(bytes)?;
    let at = random.below(items.len());
    let root = items.get_mut(at)?;
    let place = random.below(root.count());
    let item = root.at(place)?;
    let odd = ODD[random.below(ODD.len())];
    match random.below(15) {
        0 => item.lie = Some(odd),
        1 => (item.number, item.lie) = (odd, Some(odd)),
        2 => item.width = [1, 2, 4, 8][random.below(4)],
        3 => item.indefinite = true,
        4 => item.major = u8::try_from(random.below(8)).ok()?,
        5 => {
            let gone = random.below(item.items.len());
            if gone < item.items.len() {
                item.items.remove(gone);
            }
        }
        6 => {
            let twice = random.below(item.items.len());
            if let Some(copy) = item.items.get(twice).cloned() {
                item.items.insert(twice, copy);
            }
        }
        7 => {
            let times = 1 << random.below(12);
            if let Some(last) = item.items.last().cloned() {
                // More than the largest input would be cut off again, and could be gigabytes before that.
                let fit = INPUT_BYTES_MAX / last.size().max(1);
                item.items.extend(std::iter::repeat_n(last, times.min(fit)));
            }
        }
        8 => {
            for _ in 0..1 + random.below(36) {
                let inner = item.clone();
                *item = Item { major: 4, items: vec![inner], ..Item::text(&[]) };
            }
        }
        9 => {
            let inner = item.clone();
            *item = Item { major: 6, number: odd, items: vec![inner], ..Item::text(&[]) };
        }
        10 => item.bytes.resize([0, 1, 15, 17, 31, 33, 63, 65, 257, 1_025, 4_097][random.below(11)], 0x20),
        11 => *item = Item { major: 7, number: [20, 21, 22, 23][random.below(4)], ..Item::text(&[]) },
        12 => {
            let mut lent = Item::sequence(other)?;
            let from = random.below(lent.len());
            let root = lent.get_mut(from)?;
            let which = random.below(root.count());
            *item = root.at(which)?.clone();
        }
        13 => {
            // As many empty things as fit into the largest input: each takes more memory than its one byte.
            let many = 1_usize << random.below(21);
            let empty = [0x00, 0x40, 0x60, 0x80, 0xf6][random.below(5)];
            *item = Item { major: 4, bytes: vec![empty; many], lie: Some(many as u64), ..Item::text(&[]) };
        }
        // CBOR inside a byte string: a receipt's body, an entry's suffix.
        _ => {
            if let Some(inner) = spoil_inside(&item.bytes, other, random) {
                item.bytes = inner;
            }
        }
    }
    let mut out = Vec::new();
    items.iter().for_each(|item| item.write(&mut out));
    Some(out)
}

fn spoil_inside(bytes: &[u8], other: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    if bytes.is_empty() { None } else { spoil(bytes, other, random) }
}
