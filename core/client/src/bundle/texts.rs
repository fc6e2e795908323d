//! A small bundle as texts, for codes that a camera reads from a screen or from paper (PROTOCOL section 3, bundles).

use std::collections::BTreeMap;

use alliance_net::{read_armor, write_armor};
use alliance_wire::hash::content_hash;

use crate::error::{Code, Error};

/// Begins each text.
const WORD: &str = "alliance-bundle:";
const VERSION: u8 = 1;
/// Texts of one bundle.
pub const BUNDLE_TEXTS_MAX: usize = 64;
/// Bytes of the bundle in each: a code of medium density, which an old camera still reads.
const PIECE_BYTES: usize = 700;
/// The first bytes of the bundle's hash: which texts belong together.
const NAME_BYTES: usize = 8;

/// The texts of a bundle.
///
/// # Errors
/// `BUNDLE_TOO_LARGE`: it would be more than [`BUNDLE_TEXTS_MAX`].
pub fn bundle_texts(bundle: &[u8]) -> Result<Vec<String>, Error> {
    let count = bundle.len().div_ceil(PIECE_BYTES);
    let many = u8::try_from(count).ok().filter(|_| (1..=BUNDLE_TEXTS_MAX).contains(&count));
    let Some(many) = many else {
        return Err(Error::new(Code::BundleTooLarge)
            .with("bytes", bundle.len())
            .with("bytes_max", BUNDLE_TEXTS_MAX * PIECE_BYTES));
    };
    let hash = content_hash(bundle);
    let pieces = (1..=many).zip(bundle.chunks(PIECE_BYTES));
    Ok(pieces
        .map(|(n, piece)| write_armor(WORD, VERSION, &[&hash[..NAME_BYTES], &[n, many], piece].concat()))
        .collect())
}

/// The bundle of texts in any order; empty lines and repeated ones do not matter.
///
/// # Errors
/// `BUNDLE_TEXT_DAMAGED` (with its line), `BUNDLE_TEXTS_MISSING` (with their numbers), `BUNDLE_NEWER`.
pub fn bundle_from_texts(texts: &str) -> Result<Vec<u8>, Error> {
    let mut pieces: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    let mut of: Option<(Vec<u8>, u8)> = None;
    for (line, text) in texts.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let damaged = || Error::new(Code::BundleTextDamaged).with("line", line + 1);
        let content = match read_armor(WORD, VERSION, text) {
            Ok(content) => content,
            Err(alliance_net::ArmorError::Newer(_)) => return Err(Code::BundleNewer.into()),
            Err(_) => return Err(damaged()),
        };
        let (name, rest) = content.split_at_checked(NAME_BYTES).ok_or_else(damaged)?;
        let ([n, many], piece) = rest.split_first_chunk::<2>().ok_or_else(damaged)?;
        let fits = (1..=*many).contains(n) && usize::from(*many) <= BUNDLE_TEXTS_MAX && piece.len() <= PIECE_BYTES;
        let known = of.get_or_insert_with(|| (name.to_vec(), *many));
        if !fits || (known.0.as_slice(), known.1) != (name, *many) {
            return Err(damaged());
        }
        pieces.insert(*n, piece.to_vec());
    }
    let Some((name, many)) = of else { return Err(Error::new(Code::BundleTextDamaged).with("line", 1)) };
    let missing: Vec<String> = (1..=many).filter(|n| !pieces.contains_key(n)).map(|n| n.to_string()).collect();
    if !missing.is_empty() {
        return Err(Error::new(Code::BundleTextsMissing).with("missing", missing.join(", ")).with("of", many));
    }
    let bundle: Vec<u8> = pieces.into_values().flatten().collect();
    if content_hash(&bundle)[..NAME_BYTES] != name {
        return Err(Error::new(Code::BundleTextDamaged).with("line", 1));
    }
    Ok(bundle)
}
