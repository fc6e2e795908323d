//! Decoders of texts that people paste, and of texts that stand as values in others' documents.

use alliance_crypto::{Invitation, RecoveryWords};
use alliance_model::CivilDate;
use alliance_model::agreement::{Term, TermName};
use alliance_model::preparation::{PreparationField, PreparationValue};
use alliance_model::session::{AgendaField, AgendaValue, SessionField, SessionValue};
use alliance_net::{AdmissionToken, RelayAddress, read_armor, write_armor};

use super::{Shell, text};

const VERSION: u8 = 1;
const RELAY_WORD: &str = "alliance-relay:";
const TOKEN_WORD: &str = "alliance-token:";
const ACCEPT_WORD: &str = "alliance-accept:";
const BUNDLE_WORD: &str = "alliance-bundle:";
const INVITE_WORD: &str = "alliance-invite:";

pub(super) fn invitation(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Invitation::parse(text(bytes)?).ok()?.to_text().into_bytes())
}

pub(super) fn recovery_words(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(RecoveryWords::parse(text(bytes)?).ok()?.to_string().into_bytes())
}

pub(super) fn relay_address(bytes: &[u8]) -> Option<Vec<u8>> {
    let address: RelayAddress = text(bytes)?.parse().ok()?;
    Some(address.to_string().into_bytes())
}

pub(super) fn admission_token(bytes: &[u8]) -> Option<Vec<u8>> {
    let token: AdmissionToken = text(bytes)?.parse().ok()?;
    Some(token.to_text().as_bytes().to_vec())
}

/// The two answers of an invitation as texts.
pub(super) fn armor(bytes: &[u8]) -> Option<Vec<u8>> {
    let content = read_armor(ACCEPT_WORD, VERSION, text(bytes)?).ok()?;
    Some(write_armor(ACCEPT_WORD, VERSION, &content).into_bytes())
}

/// A small bundle as texts, a line each.
pub(super) fn bundle_texts(bytes: &[u8]) -> Option<Vec<u8>> {
    let bundle = alliance_client::bundle_from_texts(text(bytes)?).ok()?;
    Some(alliance_client::bundle_texts(&bundle).ok()?.join("\n").into_bytes())
}

pub(super) fn civil_date(bytes: &[u8]) -> Option<Vec<u8>> {
    let date: CivilDate = text(bytes)?.parse().ok()?;
    Some(date.to_string().into_bytes())
}

/// The value of every term that reads it.
pub(super) fn term_text(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = text(bytes)?;
    // Those that take any line say nothing about the text.
    let strict = [TermName::Cadence, TermName::DurationMin, TermName::ReviewDue, TermName::EndsOn];
    let term = strict.into_iter().find_map(|name| Term::from_text(name, text))?;
    Some(term.to_text().into_bytes())
}

/// The value of every field of a session, or of something on its agenda, that reads it.
pub(super) fn session_text(bytes: &[u8]) -> Option<Vec<u8>> {
    use SessionField as F;
    let text = text(bytes)?;
    // Those that take any line say nothing about the text.
    let strict = [F::Kind, F::Date, F::Time, F::Minutes, F::Start, F::FocusChosenBy];
    let of_session = strict.into_iter().find_map(|field| SessionValue::from_text(field, text));
    let of_item = || AgendaField::ALL.iter().find_map(|field| AgendaValue::from_text(*field, text));
    Some(of_session.map(|value| value.to_text()).or_else(|| of_item().map(AgendaValue::to_text))?.into_bytes())
}

/// The value of every field of something prepared that reads it.
pub(super) fn preparation_text(bytes: &[u8]) -> Option<Vec<u8>> {
    use PreparationField as F;
    let text = text(bytes)?;
    // Those that take any line say nothing about the text.
    let strict = [F::OccurredOn, F::Kind, F::Priority];
    let value = strict.into_iter().find_map(|field| PreparationValue::from_text(field, text))?;
    Some(value.to_text().into_bytes())
}

fn inside(word: &'static str, bytes: &[u8]) -> Option<Vec<u8>> {
    read_armor(word, VERSION, text(bytes)?).ok()
}

fn around(word: &'static str, inside: &[u8]) -> Vec<u8> {
    write_armor(word, VERSION, inside).into_bytes()
}

/// What a relay's connect string holds.
pub(super) const RELAY: Shell =
    Shell { open: |bytes| inside(RELAY_WORD, bytes), close: |bytes| around(RELAY_WORD, bytes) };

/// What a token's text holds.
pub(super) const TOKEN: Shell =
    Shell { open: |bytes| inside(TOKEN_WORD, bytes), close: |bytes| around(TOKEN_WORD, bytes) };

/// What an accept's text holds.
pub(super) const ACCEPT: Shell =
    Shell { open: |bytes| inside(ACCEPT_WORD, bytes), close: |bytes| around(ACCEPT_WORD, bytes) };

/// What a text of a bundle holds.
pub(super) const BUNDLE: Shell =
    Shell { open: |bytes| inside(BUNDLE_WORD, bytes), close: |bytes| around(BUNDLE_WORD, bytes) };

/// The CBOR of an invitation: its text has a checksum of another kind than the other texts.
pub(super) const INVITATION: Shell = Shell {
    open: |bytes| {
        let digits = text(bytes)?.strip_prefix(INVITE_WORD)?;
        let bytes = from_base32(digits)?;
        let (checked, _) = bytes.split_last_chunk::<4>()?;
        Some(checked.get(1..)?.to_vec())
    },
    close: |inside| {
        let mut bytes = [&[VERSION], inside].concat();
        let sum = blake3::derive_key("alliance v1 invitation checksum", &bytes);
        bytes.extend_from_slice(&sum[..4]);
        format!("{INVITE_WORD}{}", to_base32(&bytes)).into_bytes()
    },
};

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn to_base32(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let digit = |first: usize| (first..first + 5).fold(0, |value, at| value << 1 | bit(at));
    (0..bytes.len() * 8).step_by(5).map(|first| char::from(ALPHABET[digit(first)])).collect()
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<usize> =
        text.bytes().map(|digit| ALPHABET.iter().position(|letter| *letter == digit)).collect::<Option<_>>()?;
    let bit = |at: usize| u8::from(digits[at / 5] >> (4 - at % 5) & 1 == 1);
    let bytes = digits.len() * 5 / 8;
    Some((0..bytes).map(|byte| (byte * 8..byte * 8 + 8).fold(0, |value, at| value << 1 | bit(at))).collect())
}
