//! State logs: a status is never a stored value, it is what the entries say that no other answers (DOMAIN 2.3, status).

use serde::{Deserialize, Serialize};

use crate::kind::ItemId;
use crate::limits::CITES_MAX;
use crate::refusal::{Refusal, RefusalCode};

/// An entry of a state log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry<T> {
    /// Its id.
    pub op: ItemId,
    /// What it says.
    pub transition: T,
    /// The entries that it answers.
    pub cites: Vec<ItemId>,
    /// Who wrote it: index into the view's `authors`.
    pub by: usize,
}

/// What the unanswered entries of a log say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<T> {
    /// There is no entry.
    Nothing,
    /// They all say this.
    One(T),
    /// People said different things while apart, until one entry cites both.
    Different,
}

/// The entries that no other entry answers.
pub(crate) fn newest<T>(log: &[LogEntry<T>]) -> impl Iterator<Item = &LogEntry<T>> {
    log.iter().filter(|entry| !log.iter().any(|other| other.op != entry.op && other.cites.contains(&entry.op)))
}

/// What a log says.
#[must_use]
pub fn said<T: Copy + PartialEq>(log: &[LogEntry<T>]) -> Said<T> {
    let mut newest = newest(log).map(|entry| entry.transition);
    let Some(first) = newest.next() else { return Said::Nothing };
    if newest.all(|other| other == first) { Said::One(first) } else { Said::Different }
}

/// Accepts or refuses a further entry of a log.
pub(crate) fn check_entry<T>(log: &[LogEntry<T>], op: ItemId, cites: &[ItemId]) -> Result<(), Refusal> {
    if cites.len() > CITES_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", CITES_MAX));
    }
    if log.iter().any(|entry| entry.op == op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    match cites.iter().find(|cite| !log.iter().any(|entry| entry.op == **cite)) {
        Some(cite) => Err(Refusal::new(RefusalCode::UnknownItem).with("item", cite)),
        None => Ok(()),
    }
}
