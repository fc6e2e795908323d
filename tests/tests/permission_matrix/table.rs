//! The table of who may do what, as people wrote it (tests/permissions.csv), and what differs between two tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use alliance_client::Code;
use alliance_model::RefusalCode;

use crate::people::{Kind, Who};

/// The expected matrix, as it is committed.
const TEXT: &str = include_str!("../../permissions.csv");
const HEADER: &str = "command,role,kind,expected,source";
/// What stands in a table of a command that is not refused.
pub(crate) const ALLOWED: &str = "allowed";

/// A command, by whom, in what kind of space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) command: String,
    pub(crate) role: String,
    pub(crate) kind: String,
}

impl Attempt {
    pub(crate) fn new(command: &str, who: Who, kind: Kind) -> Self {
        Self { command: command.to_owned(), role: who.name().to_owned(), kind: kind.name().to_owned() }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.command, self.role, self.kind)
    }
}

/// What became of each attempt: [`ALLOWED`], or the code of the refusal.
pub(crate) type Table = BTreeMap<Attempt, String>;

/// The rows for one kind of space.
pub(crate) fn expected(kind: Kind) -> Table {
    let rows = rows(TEXT).expect("the table is in order").into_iter();
    rows.filter(|(attempt, _)| attempt.kind == kind.name()).collect()
}

/// Reads a table, or says what is wrong with it.
pub(crate) fn rows(text: &str) -> Result<Table, String> {
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.next() != Some(HEADER) {
        return Err(format!("the first line is not {HEADER}"));
    }
    let of_the_model = RefusalCode::ALL.iter().map(|it| it.code());
    let codes: BTreeSet<&str> = of_the_model.chain(Code::ALL.iter().map(|it| it.code())).collect();
    let mut table = Table::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [command, role, kind, expected, source] = cells.as_slice() else {
            return Err(format!("{line}: {} cells", cells.len()));
        };
        let kind_known = Kind::ALL.iter().find(|known| known.name() == *kind);
        let role_known = kind_known.and_then(|kind| kind.roles().iter().find(|known| known.name() == *role));
        if role_known.is_none() {
            return Err(format!("{line}: nobody has this role in such a space"));
        }
        if *expected != ALLOWED && !codes.contains(expected) {
            return Err(format!("{line}: {expected} is no code"));
        }
        if source.is_empty() {
            return Err(format!("{line}: nothing says why"));
        }
        let attempt = Attempt { command: (*command).to_owned(), role: (*role).to_owned(), kind: (*kind).to_owned() };
        if let Some(before) = table.insert(attempt, (*expected).to_owned()) {
            return Err(format!("{line}: there is such a row already, which says {before}"));
        }
    }
    Ok(table)
}

/// What differs, a line for each row; nothing where what was performed is what the table says.
pub(crate) fn differences(expected: &Table, performed: &Table) -> Vec<String> {
    let told = expected.iter().filter_map(|(attempt, expected)| match performed.get(attempt) {
        Some(answer) if answer == expected => None,
        Some(answer) => Some(format!("{attempt}: the table says {expected}, the client answers {answer}")),
        None => Some(format!("{attempt}: the table says {expected}, and nobody attempted it")),
    });
    let untold = performed.iter().filter(|(attempt, _)| !expected.contains_key(attempt));
    let untold = untold.map(|(attempt, answer)| format!("{attempt}: no row, the client answers {answer}"));
    told.chain(untold).collect()
}

/// The control: a table in which one row says the opposite differs in that row and in no other, whichever it is; and so
/// does one without it.
pub(crate) fn every_row_counts(expected: &Table, performed: &Table) {
    let mut changed = expected.clone();
    for (attempt, said) in expected {
        let opposite = if said == ALLOWED { RefusalCode::RoleForbids.code() } else { ALLOWED };
        changed.insert(attempt.clone(), opposite.to_owned());
        only(&changed, performed, attempt);
        changed.remove(attempt);
        only(&changed, performed, attempt);
        changed.insert(attempt.clone(), said.clone());
    }
    assert_eq!(&changed, expected, "each row was put back");
}

fn only(changed: &Table, performed: &Table, attempt: &Attempt) {
    let found = differences(changed, performed);
    let named = format!("{attempt}: ");
    assert!(found.len() == 1 && found[0].starts_with(&named), "only {attempt} was changed: {found:?}");
}
