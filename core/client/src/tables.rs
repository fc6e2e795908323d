//! Tables for other programs: comma-separated values as RFC 4180 has them.

use alliance_document::View;
use alliance_model::session::{SessionField, SessionValue};
use alliance_model::{Claim, SessionView};
use alliance_wire::DocumentId;

use crate::names::People;

/// The sessions of a space, by date: one row each.
pub(crate) fn sessions(views: &[(DocumentId, View)], people: &People) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (document, view) in views {
        let View::Session(session) = view else { continue };
        let field = |field| session.value(field).map(|value: SessionValue| value.to_text()).unwrap_or_default();
        rows.push(vec![
            crate::listing::session_date(session),
            field(SessionField::Start),
            field(SessionField::End),
            field(SessionField::Minutes),
            session.kind().map(|kind| kind.to_string()).unwrap_or_default(),
            session.state.map(|state| state.to_string()).unwrap_or_default(),
            attendance(session, people),
            document.to_string(),
        ]);
    }
    rows.sort();
    table(&["date", "start", "end", "minutes", "kind", "state", "attendance", "session"], rows)
}

fn attendance(session: &SessionView, people: &People) -> String {
    let each = session.participants.iter().map(|it| {
        let name = it.person.parse().map_or_else(|_| it.person.clone(), |person| people.directory.person(person));
        format!("{name}: {}", every(&it.attendance))
    });
    each.collect::<Vec<_>>().join("; ")
}

/// The actions of a space's notes: one row each.
pub(crate) fn actions(views: &[(DocumentId, View)]) -> String {
    let mut rows = Vec::new();
    for (document, view) in views {
        let View::Note(note) = view else { continue };
        rows.extend(note.actions.iter().map(|action| {
            vec![
                every(&action.due),
                every(&action.owner),
                action.text.text.clone(),
                action.state.to_string(),
                document.to_string(),
                action.id.to_string(),
            ]
        }));
    }
    rows.sort();
    table(&["due", "owner", "text", "state", "note", "action"], rows)
}

/// Every value that people wrote apart.
fn every(claims: &[Claim]) -> String {
    claims.iter().map(|claim| claim.value.as_str()).collect::<Vec<_>>().join(" | ")
}

fn table(names: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut text = names.join(",");
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|value| cell(value)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A value in quotation marks where it needs them. One that a spreadsheet would take for a formula is a text: what
/// somebody typed into a note must not reckon on the machine of whoever opens the table.
fn cell(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\n', '\r']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
}

#[cfg(test)]
mod tests {
    use super::{cell, table};

    #[test]
    fn cells_are_quoted_and_no_formula() {
        let values = [
            ("plain", "plain"),
            ("a, b", "\"a, b\""),
            ("she said \"no\"", "\"she said \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1), x", "\"'@SUM(A1), x\""),
            ("2026-12-01", "2026-12-01"),
        ];
        for (value, expected) in values {
            assert_eq!(cell(value), expected);
        }
        assert_eq!(table(&["a", "b"], vec![vec!["1".into(), "x,y".into()]]), "a,b\r\n1,\"x,y\"\r\n");
    }
}
