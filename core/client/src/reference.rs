//! Things as people name them: by the first digits of an id.

use core::fmt::Display;

use crate::error::{Code, Error};

/// Digits of an id that are needed to name something.
pub(crate) const ID_DIGITS_MIN: usize = 4;

/// Whether an id begins so, with as many digits as are needed.
pub(crate) fn begins(id: &impl Display, reference: &str) -> bool {
    reference.len() >= ID_DIGITS_MIN && id.to_string().starts_with(reference)
}

/// The only one of those that fit. Two that begin alike are told apart by more digits, never by their order.
///
/// # Errors
/// `unknown` if nothing fits, `AMBIGUOUS` if more than one does; `what` was named so.
pub(crate) fn only<T>(
    fitting: impl IntoIterator<Item = T>,
    unknown: Code,
    what: &'static str,
    reference: &str,
) -> Result<T, Error> {
    let mut fitting = fitting.into_iter();
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Error::new(Code::AmbiguousSpace).with(what, reference)),
        (None, _) => Err(Error::new(unknown).with(what, reference)),
    }
}
