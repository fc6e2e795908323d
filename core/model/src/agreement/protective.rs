//! Protective terms (DOMAIN 2.3, P): a grow-only log whose value is the most protective entry that is not lifted.
//! The table [`PROTECTIVE`] is the one place that says which value protects more and whose consent loosens it.

use std::collections::BTreeSet;

use crate::kind::ItemId;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The protective terms of an agreement.
    ProtectiveTerm {
        /// What of a session may be recorded in writing.
        ContentRecordRule = 0 "content_record_rule",
        /// Whether sessions may be recorded.
        Recording = 1 "recording",
        /// What the organisation learns of attendance.
        AttendanceToOrg = 2 "attendance_to_org",
    }
}

vocabulary! {
    /// Who must lift an entry before a looser value holds.
    Protector {
        /// Everybody who signs the agreement: one lift each, citing the same entries.
        AllSigners = 0 "all_signers",
    }
}

/// A row of the order table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// The term.
    pub term: ProtectiveTerm,
    /// The values with their numbers on the wire, the most protective first.
    pub order: &'static [(u8, &'static str)],
    /// Who protects it.
    pub protector: Protector,
}

/// Order and protector of each protective term (DOMAIN 2.3). Numbers are stable, the order is this table's.
pub const PROTECTIVE: &[Protection] = &[
    Protection {
        term: ProtectiveTerm::ContentRecordRule,
        order: &[(0, "none"), (1, "attendance_only"), (2, "agreed_summary"), (3, "full")],
        protector: Protector::AllSigners,
    },
    Protection {
        term: ProtectiveTerm::Recording,
        order: &[(0, "no"), (1, "ask_each_time")],
        protector: Protector::AllSigners,
    },
    Protection {
        term: ProtectiveTerm::AttendanceToOrg,
        order: &[(0, "none"), (1, "dates"), (2, "dates_parties")],
        protector: Protector::AllSigners,
    },
];

impl ProtectiveTerm {
    /// The row of the order table.
    #[must_use]
    pub fn protection(self) -> Protection {
        PROTECTIVE.iter().copied().find(|row| row.term == self).expect("the table has a row for every protective term")
    }
}

/// A value of a protective term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub struct ProtectiveValue {
    /// The term.
    #[n(0)]
    pub term: ProtectiveTerm,
    /// The value's number. A number that the table does not have counts as the most protective value.
    #[n(1)]
    pub number: u8,
}

impl ProtectiveValue {
    /// The value with this name.
    #[must_use]
    pub fn from_name(term: ProtectiveTerm, name: &str) -> Option<Self> {
        let row = term.protection();
        row.order.iter().find(|(_, known)| *known == name).map(|(number, _)| Self { term, number: *number })
    }

    /// Whether the table has it.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.term.protection().order.iter().any(|(number, _)| *number == self.number)
    }

    /// Its name; the most protective one's for a number of a newer version.
    #[must_use]
    pub fn name(self) -> &'static str {
        let row = self.term.protection();
        row.order.get(self.rank()).map_or("", |(_, name)| name)
    }

    /// Its place in the order, 0 being the most protective.
    #[must_use]
    pub fn rank(self) -> usize {
        self.term.protection().order.iter().position(|(number, _)| *number == self.number).unwrap_or(0)
    }
}

/// An entry of a protective term's log, as read from the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionEntry {
    /// Its id.
    pub op: ItemId,
    /// The value that it asks for.
    pub value: ProtectiveValue,
    /// Who wrote it.
    pub by: String,
    /// The entries that it lifts and that are in its causal past.
    pub lifts: Vec<ItemId>,
}

/// The value that holds and the entries that are lifted: an entry is lifted if each of `protectors` wrote an entry
/// that lifts it. Without a known protector nothing is ever lifted, which is the safe reading.
#[must_use]
pub fn value_of(entries: &[ProtectionEntry], protectors: &[String]) -> (Option<ProtectiveValue>, BTreeSet<ItemId>) {
    let lifted: BTreeSet<ItemId> = entries
        .iter()
        .map(|entry| entry.op)
        .filter(|op| {
            !protectors.is_empty()
                && protectors.iter().all(|p| entries.iter().any(|e| &e.by == p && e.op != *op && e.lifts.contains(op)))
        })
        .collect();
    let value = entries.iter().filter(|e| !lifted.contains(&e.op)).map(|e| e.value).min_by_key(|v| v.rank());
    (value, lifted)
}
