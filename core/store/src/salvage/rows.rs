//! Reading the rows of one table past what is damaged.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::tables::{SPACE_NAMES, Table, Tables};
use crate::error::OpenError;
use crate::file::require_sound;

/// Copies the rows of a table that can be read into a database of the present form. Answers whether all could be.
pub(super) fn copy(tables: &Tables<'_>, name: &str, to: &Connection) -> Result<bool, OpenError> {
    let Some(table) = tables.table(name) else {
        // An older form of the database had no such table.
        return Ok(true);
    };
    if let Err(error) = tables.turn_to(name) {
        tracing::warn!(%error, name, "a table cannot be read");
        return Ok(false);
    }
    let columns = table.columns.join(", ");
    let marks = vec!["?"; table.columns.len()].join(", ");
    let sql = if name == SPACE_NAMES {
        // The digest is worked out when the space is filled.
        "insert or ignore into space(space, id, digest) values (?, ?, x'')".to_owned()
    } else {
        format!("insert or ignore into {name}({columns}) values ({marks})")
    };
    let mut insert = to.prepare(&sql)?;
    let mut take = |values: Vec<Value>| {
        // What no longer fits the table's own checks is damage, too.
        if let Err(error) = insert.execute(params_from_iter(values)) {
            tracing::warn!(%error, name, "a row that was read does not fit");
        }
    };
    match &table.without_rowid {
        Some(keys) => Ok(both_ways(tables, table, keys, &mut take)),
        None => Ok(by_number(tables, table, &mut take)),
    }
}

/// From the beginning to the first damage, and from the end back to the last.
fn both_ways(tables: &Tables<'_>, table: &Table, keys: &[String], take: &mut impl FnMut(Vec<Value>)) -> bool {
    let order = |way: &str| keys.iter().map(|key| format!("{key} {way}")).collect::<Vec<_>>().join(", ");
    let columns = table.columns.join(", ");
    let read = |way: &str, take: &mut dyn FnMut(Vec<Value>)| {
        let Ok(connection) = tables.connect() else { return false };
        let sql = format!("select {columns} from taken order by {}", order(way));
        run(&connection, &sql, [], |_, values| take(values))
    };
    read("asc", take) || {
        read("desc", take);
        false
    }
}

/// In the order of row numbers; behind damage from the next row on that can be read.
fn by_number(tables: &Tables<'_>, table: &Table, take: &mut impl FnMut(Vec<Value>)) -> bool {
    let columns = table.columns.join(", ");
    let sql = format!("select {columns}, rowid from taken where rowid >= ?1 order by rowid");
    let (mut from, mut whole) = (1_i64, true);
    loop {
        let Ok(connection) = tables.connect() else { return false };
        let read_all = run(&connection, &sql, [from], |number, values| {
            from = number.saturating_add(1);
            take(values);
        });
        if read_all {
            return whole;
        }
        whole = false;
        match next_readable(tables, from) {
            Some(next) => from = next,
            None => return false,
        }
    }
}

/// Runs a query until its end or the first damage; answers whether it came to its end. A row counts only if every page
/// that it lies on bears its signature.
fn run<P: rusqlite::Params>(
    connection: &Connection,
    sql: &str,
    parameters: P,
    mut take: impl FnMut(i64, Vec<Value>),
) -> bool {
    let Ok(mut statement) = connection.prepare(sql) else { return false };
    let count = statement.column_count();
    let numbered = sql.contains("rowid");
    let Ok(mut rows) = statement.query(parameters) else { return false };
    loop {
        let Ok(next) = rows.next() else { return false };
        let Some(row) = next else { return require_sound(connection).is_ok() };
        let values: Result<Vec<Value>, _> = (0..count).map(|column| row.get::<_, Value>(column)).collect();
        let Ok(mut values) = values else { return false };
        if require_sound(connection).is_err() {
            return false;
        }
        let number = match (numbered, values.last()) {
            (true, Some(Value::Integer(number))) => {
                let number = *number;
                values.pop();
                number
            }
            _ => 0,
        };
        take(number, values);
    }
}

/// The first row number from `from` on from which reading works again.
fn next_readable(tables: &Tables<'_>, from: i64) -> Option<i64> {
    let works = |number: i64| -> bool {
        let Ok(connection) = tables.connect() else { return false };
        let sql = "select count(*) from (select rowid from taken where rowid >= ?1 order by rowid limit 1)";
        let found = connection.query_row(sql, [number], |_| Ok(()));
        found.is_ok() && require_sound(&connection).is_ok()
    };
    let (mut bad, mut step) = (from, 1_i64);
    let mut good = loop {
        let next = from.checked_add(step)?;
        if works(next) {
            break next;
        }
        bad = next;
        step = step.checked_mul(2)?;
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if works(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some(good)
}
