//! What lists show. No list loads a document.

use alliance_wire::{DocumentId, SpaceId};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Device;
use super::documents::{find_document, intern_document};
use super::search::{self, SearchPhrase, expression};
use crate::error::StoreError;
use crate::sql::{Row as _, int};

/// Rows of one page at most.
pub const LIST_ROWS_MAX: usize = 1_000;

/// A document's row in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The space.
    pub space: SpaceId,
    /// The document.
    pub document: DocumentId,
    /// Its kind.
    pub kind: u16,
    /// Its title.
    pub title: String,
    /// Its civil date as `YYYY-MM-DD`, or empty: sorts as text.
    pub date: String,
    /// The beginning of its text.
    pub snippet: String,
    /// Marks of the caller's (unread, changed, conflicts...), one bit each.
    pub markers: u32,
    /// Its words are those of what is shown. Only read: whoever writes the words says so.
    pub searched: bool,
}

/// Which rows to list. The newest date comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Of this space only.
    pub space: Option<SpaceId>,
    /// Of this kind only.
    pub kind: Option<u16>,
    /// With at least one of these marks; 0 for any.
    pub markers: u32,
    /// With all of these words; empty for any.
    pub containing: Vec<SearchPhrase>,
    /// Where the page before ended.
    pub after: Option<ListCursor>,
    /// How many rows, at most [`LIST_ROWS_MAX`].
    pub limit: usize,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCursor {
    date: String,
    row: i64,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The rows.
    pub rows: Vec<Listing>,
    /// Where the next page begins, if there is one.
    pub next: Option<ListCursor>,
}

impl Device {
    /// A page of documents.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, query: ListQuery) -> Result<ListPage, StoreError> {
        self.engine.read(move |connection| list(connection, &query)).await
    }

    /// One document's row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn listing(&self, space: SpaceId, document: DocumentId) -> Result<Option<Listing>, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement =
                connection.prepare_cached(&format!("select {COLUMNS} {FROM} s.space = ?1 and d.document = ?2"))?;
            let mut rows = statement.query((space.as_bytes(), document.as_bytes()))?;
            rows.next()?.map(|row| Ok(listing(row)?.0)).transpose()
        };
        self.engine.read(read).await
    }

    /// How many documents of a kind have one of these marks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_marked(&self, space: SpaceId, kind: u16, markers: u32) -> Result<u64, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "select count(*) from listing l join space s on s.id = l.space \
                 where s.space = ?1 and l.kind = ?2 and l.markers & ?3 <> 0",
            )?;
            let count: i64 = statement.query_row((space.as_bytes(), kind, markers), |row| row.get(0))?;
            Ok(crate::sql::uint(count))
        };
        self.engine.read(read).await
    }
}

/// What [`listing`] reads.
pub(super) const COLUMNS: &str = "s.space, d.document, l.kind, l.title, l.date, l.snippet, l.markers, l.document, \
    not exists (select 1 from unsearched u where u.document = l.document)";
const FROM: &str = "from listing l join document d on d.id = l.document join space s on s.id = l.space where";

fn list(connection: &Connection, query: &ListQuery) -> Result<ListPage, StoreError> {
    let mut sql = format!("select {COLUMNS} {FROM}");
    let mut values: Vec<Value> = Vec::new();
    let mut condition = |text: &str, value: Value| {
        values.push(value);
        sql.push_str(&text.replace('?', &format!("?{}", values.len())));
        sql.push_str(" and ");
    };
    if let Some(space) = query.space {
        condition(" l.space = (select id from space where space = ?)", Value::Blob(space.0.to_vec()));
    }
    if let Some(kind) = query.kind {
        condition(" l.kind = ?", Value::Integer(i64::from(kind)));
    }
    if query.markers != 0 {
        condition(" l.markers & ? <> 0", Value::Integer(i64::from(query.markers)));
    }
    if let Some(expression) = expression(&query.containing) {
        condition(" l.document in (select rowid from words where words match ?)", Value::Text(expression));
    }
    if let Some(after) = &query.after {
        condition(" l.date <= ?", Value::Text(after.date.clone()));
        condition(" (l.date, l.document) < (?, ", Value::Text(after.date.clone()));
        values.push(Value::Integer(after.row));
        // The row value was opened above; its condition ends with "and", which closes here instead.
        sql.truncate(sql.len() - " and ".len());
        sql.push_str(&format!("?{}) and ", values.len()));
    }
    let limit = query.limit.clamp(1, LIST_ROWS_MAX);
    values.push(Value::Integer(int(limit as u64 + 1)));
    sql.push_str(&format!(" 1 order by l.date desc, l.document desc limit ?{}", values.len()));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(listing(row)?);
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(row, id)| ListCursor { date: row.date.clone(), row: *id });
    Ok(ListPage { rows: found.into_iter().map(|(row, _)| row).collect(), next })
}

pub(super) fn listing(row: &rusqlite::Row<'_>) -> Result<(Listing, i64), StoreError> {
    let listing = Listing {
        space: row.id(0)?,
        document: row.id(1)?,
        kind: row.get(2)?,
        title: row.get(3)?,
        date: row.get(4)?,
        snippet: row.get(5)?,
        markers: row.get(6)?,
        searched: row.get(8)?,
    };
    Ok((listing, row.get(7)?))
}

pub(super) fn put(connection: &Connection, listing: &Listing) -> Result<(), StoreError> {
    let (space, document) = intern_document(connection, listing.space, listing.document)?;
    connection
        .prepare_cached(
            "insert or replace into listing(document, space, kind, title, date, snippet, markers) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(rusqlite::params![
            document,
            space,
            listing.kind,
            listing.title,
            listing.date,
            listing.snippet,
            listing.markers,
        ])?;
    search::listed(connection, document)
}

pub(super) fn clear_markers(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
    markers: u32,
) -> Result<(), StoreError> {
    if let Some((_, id)) = find_document(connection, space, document)? {
        connection
            .prepare_cached("update listing set markers = markers & ~?2 where document = ?1")?
            .execute((id, markers))?;
    }
    Ok(())
}
