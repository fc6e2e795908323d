//! Places in a list that people reorder apart: byte strings between which there is always another one.
//!
//! A list's items lie in a map by id, each with a position; they are shown by (position, id), so two inserts at one
//! place never make duplicates and every replica shows one order (DOMAIN 2.3, lists).

/// Bytes of a position. A list in which people insert at one spot grows a position by a byte about every seven
/// inserts; at the limit new items share their left neighbour's position and the id orders them.
pub const POSITION_BYTES_MAX: usize = 64;

/// A position strictly between `low` and `high` in byte order; `None` stands for the list's ends.
///
/// Positions never end in a zero byte, so that there is room below each of them. If the neighbours leave no room
/// within [`POSITION_BYTES_MAX`], or are not in order, the answer is `low` (ids then order the two).
#[must_use]
pub fn between(low: Option<&[u8]>, high: Option<&[u8]>) -> Vec<u8> {
    let low = low.unwrap_or(&[]);
    let mut out = Vec::new();
    let mut bounded = high;
    for index in 0..POSITION_BYTES_MAX {
        let floor = low.get(index).copied().unwrap_or(0);
        let ceiling = bounded.map_or(256, |high| u16::from(high.get(index).copied().unwrap_or(0)));
        let floor_wide = u16::from(floor);
        if ceiling > floor_wide + 1 {
            // At the open end stay close to the floor: lists grow at the end, and positions stay short.
            let middle = if bounded.is_none() {
                floor_wide + (ceiling - floor_wide).min(17) / 2
            } else {
                u16::midpoint(floor_wide, ceiling)
            };
            if let Ok(byte) = u8::try_from(middle)
                && byte > floor
            {
                out.push(byte);
                return out;
            }
        }
        if ceiling > floor_wide {
            // Below the ceiling at this byte: whatever follows stays below it.
            bounded = None;
        } else if ceiling < floor_wide {
            break;
        }
        out.push(floor);
    }
    if low.is_empty() { vec![1] } else { low.to_vec() }
}
