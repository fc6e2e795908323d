//! One session that was written down twice (DOMAIN 2.9): who says that two documents are the same session, and what is
//! shown of them together.
//!
//! Nothing is copied and nothing is moved. Each session has a log that says of other sessions whether they are the same;
//! two are merged if either log says so, whichever was written in. The one with the smaller id stands for both, on every
//! device. What both say is shown by a rendering of both ([`crate::merge`]), so that undoing is exact.

use std::collections::BTreeMap;

use alliance_wire::DocumentId;
use serde::{Deserialize, Serialize};

use super::{SessionField, SessionValue, SessionView};
use crate::kind::ItemId;
use crate::log::{LogEntry, Said, newest, said};
use crate::vocabulary::vocabulary;

/// Minutes by which the times of one session may differ where two people wrote them down (DOMAIN 2.9).
const APART_MINUTES: i64 = 90;
/// Minutes of a session of which nobody said how long it took.
const USUAL_MINUTES: i64 = 60;
const DAY_MINUTES: i64 = 24 * 60;

vocabulary! {
    /// What an entry says of two sessions.
    AliasTransition {
        /// They are one.
        Same = 0 "same",
        /// They are two.
        Apart = 1 "apart",
    }
}

/// An entry of a session's log of aliases, as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct AliasEntry {
    /// The other session.
    #[n(0)]
    pub other: DocumentId,
    /// What is said.
    #[n(1)]
    pub transition: AliasTransition,
    /// The entries about the same session that it answers.
    #[n(2)]
    pub cites: Vec<ItemId>,
}

impl AliasEntry {
    /// Reads what stands in a log; `None` if it is no such entry.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in a log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }
}

/// What a session's log says of another session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasView {
    /// The other session.
    pub other: String,
    /// What was said.
    pub log: Vec<LogEntry<AliasTransition>>,
}

impl AliasView {
    /// Whether they are one; also where people said different things while apart, until somebody answers both.
    #[must_use]
    pub fn is_same(&self) -> bool {
        match said(&self.log) {
            Said::One(AliasTransition::Same) | Said::Different => true,
            Said::Nothing | Said::One(AliasTransition::Apart) => false,
        }
    }

    /// The entries that no other answers: what the next one cites.
    #[must_use]
    pub fn newest(&self) -> Vec<ItemId> {
        newest(&self.log).map(|entry| entry.op).collect()
    }
}

impl SessionView {
    /// What this session's log says of another.
    #[must_use]
    pub fn alias(&self, other: DocumentId) -> Option<&AliasView> {
        let other = other.to_string();
        self.aliases.iter().find(|alias| alias.other == other)
    }

    /// The sessions that this one's log says to be the same.
    pub fn same(&self) -> impl Iterator<Item = DocumentId> {
        self.aliases.iter().filter(|alias| alias.is_same()).filter_map(|alias| alias.other.parse().ok())
    }

    /// When it took place, else when it is planned, in minutes from some day to some minute; a day as a whole where
    /// nobody said a time. Of values written apart the one that is used in calculations.
    fn minutes(&self) -> Option<(i64, i64)> {
        let day = |date: crate::date::CivilDate| i64::from(date.day_number()) * DAY_MINUTES;
        let length = match self.value(SessionField::Minutes) {
            Some(SessionValue::Minutes(minutes)) => i64::from(minutes),
            _ => USUAL_MINUTES,
        };
        let start = match (self.value(SessionField::Start), self.value(SessionField::Date)) {
            (Some(SessionValue::Start(start)), _) => day(start.date()) + i64::from(start.time().minutes()),
            (_, Some(SessionValue::Date(date))) => match self.value(SessionField::Time) {
                Some(SessionValue::Time(time)) => day(date) + i64::from(time.minutes()),
                _ => return Some((day(date), day(date) + DAY_MINUTES - 1)),
            },
            _ => return None,
        };
        let end = match self.value(SessionField::End) {
            Some(SessionValue::End(end)) => day(end.date()) + i64::from(end.time().minutes()),
            _ => start + length,
        };
        Some((start, end.max(start)))
    }

    /// Whether this may be the same session as another of its space, written down twice: of one kind, at times that
    /// overlap or begin within 90 minutes of each other (DOMAIN 2.9). Not where somebody has said that they are two.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let answered = |one: &Self, two: &Self| one.aliases.iter().any(|alias| alias.other == two.document);
        if self.document == other.document || answered(self, other) || answered(other, self) {
            return false;
        }
        let (Some((start, end)), Some((from, to))) = (self.minutes(), other.minutes()) else { return false };
        self.kind() == other.kind() && ((start < to && from < end) || (start - from).abs() <= APART_MINUTES)
    }
}

/// Sessions that are one, by the smallest id of each group: its members in order. `same` are pairs.
#[must_use]
pub fn groups(same: impl IntoIterator<Item = (DocumentId, DocumentId)>) -> BTreeMap<DocumentId, Vec<DocumentId>> {
    let mut leader: BTreeMap<DocumentId, DocumentId> = BTreeMap::new();
    for (one, other) in same {
        let of = |id: DocumentId, leader: &BTreeMap<_, _>| leader.get(&id).copied().unwrap_or(id);
        let (one, other) = (of(one, &leader), of(other, &leader));
        let (first, second) = (one.min(other), one.max(other));
        leader.insert(first, first);
        leader.insert(second, first);
        for now in leader.values_mut().filter(|now| **now == second) {
            *now = first;
        }
    }
    let mut groups: BTreeMap<DocumentId, Vec<DocumentId>> = BTreeMap::new();
    for (id, first) in leader {
        groups.entry(first).or_default().push(id);
    }
    groups.retain(|_, members| members.len() > 1);
    groups
}
