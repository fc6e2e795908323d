//! Letters as they are compared: what readers take for the same is the same.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// What a folded character is to a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter or digit of a script that writes spaces between words.
    Letter,
    /// A letter of a script that writes none.
    Gram,
    /// A mark on what stands before it.
    Mark,
    /// An emoji or another pictograph: a word of its own.
    Symbol,
    /// Ends a word.
    Break,
}

/// Appends what a grapheme is compared by: compatibility forms taken apart, small letters, without marks that its
/// script's readers do without, and put together again where a mark makes another letter.
pub(super) fn fold(grapheme: &str, out: &mut Vec<char>) {
    if let &[byte] = grapheme.as_bytes() {
        out.push(char::from(byte.to_ascii_lowercase()));
        return;
    }
    let letters = grapheme.nfkd().filter(|c| !is_hidden(*c) && !is_optional_mark(*c));
    let small = letters.flat_map(char::to_lowercase).filter(|c| !is_optional_mark(*c));
    out.extend(small.flat_map(|c| same(c).into_iter().flatten()).nfc());
}

/// Characters that show nothing, turn text round, stretch a word, or choose the look of an emoji.
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{0640}' | '\u{07FA}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
        | '\u{20E3}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{1F3FB}'..='\u{1F3FF}'
        | '\u{E0000}'..='\u{E01EF}')
}

/// Marks that readers do without: accents, Arabic and Syriac vowel signs, Hebrew points, Ethiopic length. Vowel and
/// tone signs of Indic and South-East Asian scripts and the Japanese voicing marks make other words, and stay.
const fn is_optional_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05BD}' | '\u{05BF}'
        | '\u{05C1}'..='\u{05C2}' | '\u{05C4}'..='\u{05C5}' | '\u{05C7}' | '\u{0610}'..='\u{061A}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06DC}' | '\u{06DF}'..='\u{06E4}'
        | '\u{06E7}'..='\u{06E8}' | '\u{06EA}'..='\u{06ED}' | '\u{0711}' | '\u{0730}'..='\u{074A}'
        | '\u{0898}'..='\u{089F}' | '\u{08CA}'..='\u{08E1}' | '\u{08E3}'..='\u{08FF}' | '\u{135D}'..='\u{135F}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20E2}' | '\u{20E4}'..='\u{20FF}'
        | '\u{FE20}'..='\u{FE2F}')
}

/// Letters that are written one for the other, and digits of every script, as one of them.
fn same(c: char) -> [Option<char>; 2] {
    let one = |c| [Some(c), None];
    match c {
        'ß' => [Some('s'), Some('s')],
        'æ' => [Some('a'), Some('e')],
        'œ' => [Some('o'), Some('e')],
        'ø' => one('o'),
        'đ' | 'ð' => one('d'),
        'ħ' => one('h'),
        'ı' => one('i'),
        'ł' => one('l'),
        'ŧ' => one('t'),
        'ς' => one('σ'),
        // Alef with wasla; the other forms of alef lose their marks.
        '\u{0671}' => one('\u{0627}'),
        // Alef maksura and the Farsi yeh, teh marbuta, keheh, heh goal.
        '\u{0649}' | '\u{06CC}' => one('\u{064A}'),
        '\u{0629}' | '\u{06C1}' | '\u{06D5}' => one('\u{0647}'),
        '\u{06A9}' => one('\u{0643}'),
        // Ethiopic letters that sound alike and are written one for the other in Amharic; of the gutturals the first and
        // fourth forms, too.
        '\u{1203}' | '\u{1213}' | '\u{1283}' => one('\u{1200}'),
        '\u{12A3}' | '\u{12D3}' => one('\u{12A0}'),
        '\u{1210}'..='\u{1216}' => one(moved(c, 0x1210, 0x1200)),
        '\u{1280}'..='\u{1286}' => one(moved(c, 0x1280, 0x1200)),
        '\u{1220}'..='\u{1226}' => one(moved(c, 0x1220, 0x1230)),
        '\u{12D0}'..='\u{12D6}' => one(moved(c, 0x12D0, 0x12A0)),
        '\u{1340}'..='\u{1346}' => one(moved(c, 0x1340, 0x1338)),
        _ if c.is_ascii() => one(c),
        _ => one(digit(c).unwrap_or(c)),
    }
}

fn moved(c: char, from: u32, to: u32) -> char {
    char::from_u32(u32::from(c) - from + to).unwrap_or(c)
}

/// Where the ten digits of each script begin.
const ZEROS: [u32; 20] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50, 0x0ED0,
    0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946,
];

fn digit(c: char) -> Option<char> {
    let c = u32::from(c);
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&c))?;
    char::from_digit(c - zero, 10)
}

/// The class of a folded character.
pub(super) fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Letter } else { Class::Break };
    }
    if is_gram(c) {
        return if c.is_alphanumeric() || is_combining_mark(c) { Class::Gram } else { Class::Break };
    }
    if is_combining_mark(c) {
        return Class::Mark;
    }
    if c.is_alphanumeric() {
        return Class::Letter;
    }
    if is_symbol(c) { Class::Symbol } else { Class::Break }
}

/// Blocks of scripts that write no spaces between words, and Hangul, which joins words and their endings.
const fn is_gram(c: char) -> bool {
    matches!(c,
        // Thai, Lao; Myanmar; Hangul; Tagalog to Khmer; Tai Le to Khmer symbols; Tai Tham; Balinese.
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1100}'..='\u{11FF}' | '\u{1780}'..='\u{17FF}'
        | '\u{1950}'..='\u{19FF}' | '\u{1A20}'..='\u{1AAF}' | '\u{1B00}'..='\u{1B7F}'
        // Radicals, kana, Bopomofo, ideographs, Yi; Myanmar and Tai Viet; Javanese; Cham.
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}'
        | '\u{3038}'..='\u{A4CF}' | '\u{A960}'..='\u{A9FF}' | '\u{AA00}'..='\u{AADF}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{16FE0}'..='\u{18DFF}' | '\u{1AFF0}'..='\u{1B16F}' | '\u{20000}'..='\u{3FFFF}')
}

/// Blocks of pictographs: arrows, technical signs, dingbats, and the emoji of the supplementary plane.
const fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}'
        | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}
