//! A new text as the smallest edit of the old one, in commands that each fit their limit.

use alliance_model::limits::INSERT_BYTES_MAX;
use alliance_model::{Refusal, Splice};

/// The edits that turn `old` into `new`: what both begin and end with stays, so that what somebody else writes there
/// meanwhile stays too. Empty if nothing differs. More than one where the insertion is over its limit.
pub fn splices(old: &str, new: &str) -> Vec<Splice> {
    let old: Vec<char> = old.chars().collect();
    let new: Vec<char> = new.chars().collect();
    let begins = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[begins..], &new[begins..]);
    let ends = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let deleted = old_rest.len() - ends;
    let inserted = &new_rest[..new_rest.len() - ends];
    if deleted == 0 && inserted.is_empty() {
        return Vec::new();
    }
    in_pieces(begins, deleted, inserted.iter().copied())
}

/// The edits that write `text` at the end of `old`: on a new line if there is something.
pub fn append(old: &str, text: &str) -> Vec<Splice> {
    if text.is_empty() {
        return Vec::new();
    }
    let line_break = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    in_pieces(old.chars().count(), 0, line_break.chars().chain(text.chars()))
}

/// Whether insertions, one behind the other, fit an empty text.
///
/// # Errors
/// As [`Splice::check`].
pub fn check(splices: &[Splice]) -> Result<(), Refusal> {
    let mut scalars = 0;
    for splice in splices {
        splice.check(scalars)?;
        scalars += splice.insert.chars().count();
    }
    Ok(())
}

fn in_pieces(pos: usize, deleted: usize, inserted: impl Iterator<Item = char>) -> Vec<Splice> {
    // A position beyond a command's range is refused by the model, as is every text that long.
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut splices = vec![Splice { pos: number(pos), delete: number(deleted), insert: String::new() }];
    let (mut at, mut piece) = (pos, String::new());
    for c in inserted {
        if piece.len() + c.len_utf8() > INSERT_BYTES_MAX {
            let full = std::mem::take(&mut piece);
            let length = full.chars().count();
            put(&mut splices, number(at), full);
            at += length;
        }
        piece.push(c);
    }
    put(&mut splices, number(at), piece);
    splices
}

/// The first piece goes with the deletion, the others follow it.
fn put(splices: &mut Vec<Splice>, pos: u32, insert: String) {
    match splices.last_mut() {
        Some(first) if first.insert.is_empty() => first.insert = insert,
        _ => splices.push(Splice::insert(pos, insert)),
    }
}
