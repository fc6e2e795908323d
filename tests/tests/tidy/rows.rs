//! Every row of what the sources ask (docs/DOMAIN.md, part 1) names tests that are there and run, or says what it waits
//! for.

use crate::source::{File, code_only, in_word};

/// Tables of part 1 end with this column.
const COLUMN: &str = "proven by";
/// Between the tests of a row and what the rest of it waits for.
const LATER: &str = "later: ";

/// The rows of part 1: what is wrong with them, and how far they are proven.
#[derive(Default)]
pub struct Rows {
    pub complaints: Vec<String>,
    /// Rows with tests, and nothing left.
    pub proven: usize,
    /// Rows with tests, and something that the rest waits for.
    pub partly: usize,
    /// Rows that wait.
    pub later: usize,
}

/// A line of a table: where it stands, its first and its last cell.
struct Row {
    line: usize,
    id: String,
    proof: String,
}

/// What a row's last cell says: tests as (file, function), and what it waits for.
struct Proof<'a> {
    tests: Vec<(&'a str, &'a str)>,
    later: Option<&'a str>,
}

/// The ids that the sources' rows have, in order.
pub fn expected() -> Vec<String> {
    let mut ids = Vec::new();
    for (letter, last) in [('A', 57), ('B', 13), ('C', 19), ('D', 10), ('E', 20)] {
        // Those of the kinds of meeting have no zero in front.
        let width = if letter == 'D' { 1 } else { 2 };
        ids.extend((1..=last).map(|number| format!("{letter}{number:0width$}")));
    }
    ids
}

/// Reads part 1 of the domain and looks up each test that it names.
pub fn rows(domain: &str, files: &[File]) -> Rows {
    let mut rows = Rows::default();
    let found = table_lines(domain, &mut rows.complaints);
    let expected = expected();
    for id in &expected {
        let times = found.iter().filter(|row| row.id == *id).count();
        if times != 1 {
            rows.complaints.push(format!("row {id} is there {times} times"));
        }
    }
    for Row { line, id, proof } in &found {
        let place = format!("docs/DOMAIN.md:{line}: {id}");
        if !expected.contains(id) {
            rows.complaints.push(format!("{place} is no row of the sources"));
        }
        let Some(proof) = Proof::parse(proof) else {
            rows.complaints.push(format!("{place}: `{proof}` is neither `file.rs::test`, ... nor `{LATER}...`"));
            continue;
        };
        let faults = proof.tests.iter().filter_map(|(path, name)| Some((path, name, fault(files, path, name)?)));
        rows.complaints.extend(faults.map(|(path, name, why)| format!("{place}: {path}::{name} {why}")));
        match (proof.tests.is_empty(), proof.later) {
            (false, None) => rows.proven += 1,
            (false, Some(_)) => rows.partly += 1,
            (true, _) => rows.later += 1,
        }
    }
    rows
}

/// The lines of part 1's tables, their heads left out; a table without the column is complained about.
fn table_lines(domain: &str, complaints: &mut Vec<String>) -> Vec<Row> {
    let mut found = Vec::new();
    let lines = domain.lines().enumerate().skip_while(|(_, line)| !line.starts_with("## 1."));
    let part = lines.take_while(|(_, line)| !line.starts_with("## 2.")).filter(|(_, line)| line.starts_with('|'));
    let mut columns = 0;
    for (at, text) in part {
        let cells = cells(text);
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else { continue };
        if first == "row" {
            columns = cells.len();
            if last != COLUMN {
                complaints.push(format!("docs/DOMAIN.md:{}: the table does not end with `{COLUMN}`", at + 1));
            }
        } else if !first.starts_with("---") {
            if cells.len() != columns {
                complaints.push(format!("docs/DOMAIN.md:{}: {} cells of {columns}", at + 1, cells.len()));
            }
            found.push(Row { line: at + 1, id: first.clone(), proof: last.clone() });
        }
    }
    found
}

/// The cells of a table's line; `\|` is a letter of its cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim_end().replace("\\|", "\u{0}");
    let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).unwrap_or_default();
    inner.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

impl<'a> Proof<'a> {
    /// Reads a cell; `None` if it says nothing, or says it in another way.
    fn parse(cell: &'a str) -> Option<Self> {
        let (tests, later) = match cell.strip_prefix(LATER) {
            Some(later) => (None, Some(later)),
            None => match cell.split_once("; ") {
                Some((tests, later)) => (Some(tests), Some(later.strip_prefix(LATER)?)),
                None => (Some(cell), None),
            },
        };
        let reference = |span: &'a str| span.strip_prefix('`')?.strip_suffix('`')?.split_once("::");
        let tests = match tests {
            Some(tests) => tests.split(", ").map(reference).collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        let says = |later: &str| later.starts_with(|c: char| c.is_alphabetic());
        later.is_none_or(says).then_some(Self { tests, later })
    }
}

/// Why a test proves nothing, if it does not.
fn fault(files: &[File], path: &str, name: &str) -> Option<&'static str> {
    let Some(file) = files.iter().find(|file| file.path == path) else { return Some("is in no file of ours") };
    let code = code_only(&file.text);
    let head = format!("fn {name}(");
    let mut places = code.match_indices(&head).map(|(at, _)| at);
    let Some(at) = places.find(|at| !in_word(code.as_bytes(), *at)) else { return Some("is not there") };
    // Its attributes stand behind whatever came to an end before it.
    let before = &code[..at];
    let attributes = &before[before.rfind(['{', '}', ';']).map_or(0, |end| end + 1)..];
    if !attributes.contains("#[test]") && !attributes.contains("#[tokio::test") {
        return Some("is no test");
    }
    attributes.contains("ignore").then_some("is left out of what runs")
}
