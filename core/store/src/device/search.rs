//! Full-text search over what documents show. No document is loaded for it.
//!
//! The caller takes text apart into words, and says from which heads and which draft it made them; here they are kept,
//! found and ranked. A document whose words are not those of its present heads and draft stands in `unsearched`, from
//! the same transaction on that made it so, until they are made.

use alliance_wire::{DocumentId, DraftId, SpaceId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::Device;
use super::documents::{find_document, intern_document};
use super::lists::{self, Listing};
use crate::error::StoreError;
use crate::sql::{Row as _, int, uint};

/// Rows of one page of a search at most.
pub const SEARCH_ROWS_MAX: usize = 100;

/// The words of a document, and the texts they were made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searchable {
    /// The space.
    pub space: SpaceId,
    /// The document.
    pub document: DocumentId,
    /// The caller's way of taking text apart, from 1.
    pub version: u32,
    /// Heads of the published document, encoded by the caller.
    pub heads: Vec<u8>,
    /// The draft whose commands are in it, and how many.
    pub draft: Option<(DraftId, u64)>,
    /// It is all of the document's text.
    pub whole: bool,
    /// Words of the title, separated by spaces.
    pub title: String,
    /// Words of everything else, separated by spaces.
    pub body: String,
    /// The texts with their places, encoded by the caller.
    pub parts: Vec<u8>,
}

/// Words that stand one after the other, as they were kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPhrase {
    /// The words.
    pub terms: Vec<String>,
    /// The last may be the beginning of a longer one.
    pub prefix: bool,
}

/// What to search for, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// All of these.
    pub phrases: Vec<SearchPhrase>,
    /// In this space only.
    pub space: Option<SpaceId>,
    /// In documents of this kind only.
    pub kind: Option<u16>,
    /// Skip so many.
    pub offset: u64,
    /// How many, at most [`SEARCH_ROWS_MAX`].
    pub limit: usize,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// Its row in lists.
    pub listing: Listing,
    /// The texts that were searched, as the caller encoded them.
    pub parts: Vec<u8>,
}

/// A page of what was found, the best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The documents.
    pub hits: Vec<SearchHit>,
    /// More follow.
    pub more: bool,
    /// Documents that fit space and kind and are not searched yet.
    pub unsearched: u64,
    /// Documents that fit space and kind and of which a part only is searched.
    pub cut: u64,
}

/// Which documents of the search are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsearched {
    /// The next ones.
    pub next: Vec<(SpaceId, DocumentId)>,
    /// How many there are in all.
    pub count: u64,
}

impl Device {
    /// A page of documents with all of these words, the best first: by BM25, then the newest date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search(&self, query: SearchQuery) -> Result<SearchPage, StoreError> {
        self.engine.read(move |connection| search(connection, &query)).await
    }

    /// Documents that are listed and not searched yet, but for those that failed under this version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unsearched(&self, version: u32, limit: usize) -> Result<Unsearched, StoreError> {
        self.engine.read(move |connection| unsearched(connection, version, limit)).await
    }

    /// Whether words of another version of taking text apart are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_other_words(&self, version: u32) -> Result<bool, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement =
                connection.prepare_cached("select exists (select 1 from searched where version <> ?1)")?;
            Ok(statement.query_row([version], |row| row.get(0))?)
        };
        self.engine.read(read).await
    }
}

fn search(connection: &Connection, query: &SearchQuery) -> Result<SearchPage, StoreError> {
    let limit = query.limit.clamp(1, SEARCH_ROWS_MAX);
    let (conditions, mut values) = conditions(query);
    let hits = match expression(&query.phrases) {
        Some(expression) => {
            values.push(Value::Text(expression));
            values.push(Value::Integer(int(limit as u64 + 1)));
            values.push(Value::Integer(int(query.offset)));
            let (words, rows, offset) = (values.len() - 2, values.len() - 1, values.len());
            // The texts are read for the page only, not for everything that is sorted.
            let sql = format!(
                "select {}, t.parts from (select f.rowid as id, row_number() over (order by f.rank, l.date desc, \
                 f.rowid desc) as place from words f join listing l on l.document = f.rowid \
                 where f.words match ?{words} {conditions} order by place limit ?{rows} offset ?{offset}) h \
                 join listing l on l.document = h.id join document d on d.id = h.id join space s on s.id = d.space \
                 join search_text t on t.document = h.id order by h.place",
                lists::COLUMNS
            );
            read_hits(connection, &sql, values)?
        }
        None => Vec::new(),
    };
    let (_, values) = self::conditions(query);
    let sql = format!(
        "select (select count(*) from unsearched u join listing l on l.document = u.document where 1 {conditions}), \
         (select count(*) from searched u join listing l on l.document = u.document where u.whole = 0 {conditions})"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let counts = |row: &rusqlite::Row<'_>| Ok((uint(row.get(0)?), uint(row.get(1)?)));
    let (unsearched, cut) = statement.query_row(params_from_iter(values), counts)?;
    let more = hits.len() > limit;
    Ok(SearchPage { hits: hits.into_iter().take(limit).collect(), more, unsearched, cut })
}

/// Conditions on a document's row, each behind "and", and their values.
fn conditions(query: &SearchQuery) -> (String, Vec<Value>) {
    let (mut sql, mut values) = (String::new(), Vec::new());
    if let Some(space) = query.space {
        values.push(Value::Blob(space.0.to_vec()));
        sql.push_str(&format!(" and l.space = (select id from space where space = ?{})", values.len()));
    }
    if let Some(kind) = query.kind {
        values.push(Value::Integer(i64::from(kind)));
        sql.push_str(&format!(" and l.kind = ?{}", values.len()));
    }
    (sql, values)
}

fn read_hits(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<SearchHit>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        hits.push(SearchHit { listing: lists::listing(row)?.0, parts: row.get("parts")? });
    }
    Ok(hits)
}

/// Phrases in the language of FTS5, each word inside a string, where nothing is syntax; `None` if there is no word. A
/// whole word counts more than the beginning of one, so both are asked for.
pub(super) fn expression(phrases: &[SearchPhrase]) -> Option<String> {
    let mut all = Vec::new();
    for phrase in phrases {
        let words: Vec<&str> = phrase.terms.iter().map(String::as_str).filter(|term| is_word(term)).collect();
        if words.is_empty() {
            continue;
        }
        let words = format!("\"{}\"", words.join(" "));
        all.push(if phrase.prefix { format!("({words} OR {words} *)") } else { words });
    }
    if all.is_empty() { None } else { Some(all.join(" AND ")) }
}

/// What the tokenizer takes for one word.
fn is_word(term: &str) -> bool {
    !term.is_empty() && term.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric())
}

fn unsearched(connection: &Connection, version: u32, limit: usize) -> Result<Unsearched, StoreError> {
    let mut statement = connection.prepare_cached(
        "select s.space, d.document from unsearched u join document d on d.id = u.document \
         join space s on s.id = d.space where u.tried < ?1 order by u.document limit ?2",
    )?;
    let mut rows = statement.query((version, int(limit as u64)))?;
    let mut next = Vec::new();
    while let Some(row) = rows.next()? {
        next.push((row.id(0)?, row.id(1)?));
    }
    let mut statement = connection.prepare_cached("select count(*) from unsearched where tried < ?1")?;
    let count = statement.query_row([version], |row| row.get(0).map(uint))?;
    Ok(Unsearched { next, count })
}

pub(super) fn put(connection: &Connection, row: &Searchable) -> Result<(), StoreError> {
    let (_, id) = intern_document(connection, row.space, row.document)?;
    put_words(connection, id, row)?;
    connection
        .prepare_cached("insert or replace into search_text(document, parts) values (?1, ?2)")?
        .execute((id, &row.parts))?;
    let (draft, commands) = row.draft.unzip();
    connection
        .prepare_cached(
            "insert or replace into searched(document, version, heads, draft, commands, whole) \
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(rusqlite::params![
            id,
            row.version,
            row.heads,
            draft.map(|draft| draft.0),
            int(commands.unwrap_or(0)),
            row.whole
        ])?;
    if is_current(connection, id, row)? {
        connection.prepare_cached("delete from unsearched where document = ?1")?.execute([id])?;
    } else {
        mark(connection, id)?;
    }
    Ok(())
}

/// Writes the words into the index, unless they are there: many changes are not of words, and the index is the dear part.
fn put_words(connection: &Connection, id: i64, row: &Searchable) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("select 1 from words where rowid = ?1 and title = ?2 and body = ?3")?;
    if statement.exists((id, &row.title, &row.body))? {
        return Ok(());
    }
    connection.prepare_cached("delete from words where rowid = ?1")?.execute([id])?;
    connection
        .prepare_cached("insert into words(rowid, title, body) values (?1, ?2, ?3)")?
        .execute((id, &row.title, &row.body))?;
    Ok(())
}

/// Whether the words are those of the document's present heads and of the draft that is open now. Drafts of an earlier
/// incarnation wait and are not shown.
fn is_current(connection: &Connection, id: i64, row: &Searchable) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("select heads from document where id = ?1")?;
    let heads: Vec<u8> = statement.query_row([id], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "select r.draft, count(c.n) from draft r join document d on d.space = r.space and d.document = r.document \
         join command c on c.draft = r.id where d.id = ?1 and r.incarnation = (select incarnation from identity) \
         group by r.id order by r.id limit 1",
    )?;
    let draft: Option<(Vec<u8>, i64)> = statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let searched = row.draft.map(|(draft, commands)| (draft.0.to_vec(), int(commands)));
    Ok(heads == row.heads && draft == searched)
}

/// Says that a document's words are not those of what is shown.
fn mark(connection: &Connection, id: i64) -> Result<(), StoreError> {
    // One that failed is tried again: it is another document now.
    connection
        .prepare_cached("insert into unsearched(document) values (?1) on conflict do update set tried = 0")?
        .execute([id])?;
    Ok(())
}

/// A draft's commands are about to change, or have: its document's words are not those of what is shown.
pub(super) fn draft_changed(connection: &Connection, draft: DraftId) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "select d.id from draft r join document d on d.space = r.space and d.document = r.document \
         join listing l on l.document = d.id where r.draft = ?1",
    )?;
    let id: Option<i64> = statement.query_row([draft.as_bytes()], |row| row.get(0)).optional()?;
    id.map_or(Ok(()), |id| mark(connection, id))
}

/// A row of lists was written: where its document has no words, or those of other heads, that is said.
pub(super) fn listed(connection: &Connection, id: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "insert or ignore into unsearched(document) select d.id from document d where d.id = ?1 \
             and not exists (select 1 from searched s where s.document = d.id and s.heads = d.heads)",
        )?
        .execute([id])?;
    Ok(())
}

/// Says that a document could not be taken apart under this version.
pub(super) fn tried(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
    version: u32,
) -> Result<(), StoreError> {
    if let Some((_, id)) = find_document(connection, space, document)? {
        connection.prepare_cached("update unsearched set tried = ?2 where document = ?1")?.execute((id, version))?;
    }
    Ok(())
}

/// Marks all words of other versions.
pub(super) fn mark_other_words(connection: &Connection, version: u32) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "insert or ignore into unsearched(document) select s.document from searched s \
             join listing l on l.document = s.document where s.version <> ?1",
        )?
        .execute([version])?;
    Ok(())
}

/// A document goes: its words and texts go with it. Taking a row out of the index marks its words as gone; writing the
/// index anew makes them gone. That costs as much as the index is large, and is rare.
pub(super) fn drop_document(connection: &Connection, id: i64) -> Result<(), StoreError> {
    connection.prepare_cached("delete from words where rowid = ?1")?.execute([id])?;
    connection.prepare_cached("insert into words(words) values ('optimize')")?.execute([])?;
    for table in ["searched", "search_text", "unsearched"] {
        connection.prepare_cached(&format!("delete from {table} where document = ?1"))?.execute([id])?;
    }
    Ok(())
}
