//! Drafts: commands that were saved and not yet sealed (docs/PROTOCOL.md section 2, granularity).

use alliance_wire::{DocumentId, DraftId, Incarnation, SpaceId};
use rusqlite::Connection;

use super::{Device, search};
use crate::error::StoreError;
use crate::replica::intern_space;
use crate::sql::{Row as _, int, uint};

/// The head of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id.
    pub draft: DraftId,
    /// The space of its document.
    pub space: SpaceId,
    /// The document.
    pub document: DocumentId,
    /// The document's kind.
    pub kind: u16,
    /// The document's schema.
    pub schema: u16,
    /// Heads of the published document on which its commands build, encoded by the caller.
    pub base: Vec<u8>,
    /// The incarnation in which it was begun.
    pub incarnation: Incarnation,
    /// Format of its commands.
    pub format: u16,
    /// Revision of the working copy after its last command.
    pub revision: u64,
    /// Milliseconds since 1970 at which it was begun.
    pub opened: u64,
}

/// A command of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its number in the draft, from 1.
    pub n: u64,
    /// In the draft's command format.
    pub bytes: Vec<u8>,
}

impl Device {
    /// All drafts, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drafts(&self) -> Result<Vec<Draft>, StoreError> {
        self.engine.read(|connection| select(connection, "order by d.id", [])).await
    }

    /// The drafts of one document, the oldest first: at most one is open, the others wait after a restore.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drafts_of(&self, space: SpaceId, document: DocumentId) -> Result<Vec<Draft>, StoreError> {
        self.engine.read(move |connection| of_document(connection, space, document)).await
    }

    /// The commands of a draft, in order. A draft is sealed before they grow beyond
    /// [`alliance_wire::limits::DRAFT_BYTES_MAX`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn commands(&self, draft: DraftId) -> Result<Vec<Command>, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "select c.n, c.bytes from command c join draft d on d.id = c.draft where d.draft = ?1 order by c.n",
            )?;
            let rows = statement
                .query_map([draft.as_bytes()], |row| Ok(Command { n: uint(row.get(0)?), bytes: row.get(1)? }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.engine.read(read).await
    }
}

pub(super) fn of_document(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
) -> Result<Vec<Draft>, StoreError> {
    let condition = "where s.space = ?1 and d.document = ?2 order by d.id";
    select(connection, condition, (space.as_bytes(), document.as_bytes()))
}

fn select(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Draft>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "select d.draft, s.space, d.document, d.kind, d.schema, d.base, d.incarnation, d.format, d.revision, d.opened \
         from draft d join space s on s.id = d.space {condition}"
    ))?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Draft {
            draft: row.id(0)?,
            space: row.id(1)?,
            document: row.id(2)?,
            kind: row.get(3)?,
            schema: row.get(4)?,
            base: row.get(5)?,
            incarnation: row.id(6)?,
            format: row.get(7)?,
            revision: uint(row.get(8)?),
            opened: uint(row.get(9)?),
        });
    }
    Ok(found)
}

pub(super) fn put(connection: &Connection, draft: &Draft) -> Result<(), StoreError> {
    let space = intern_space(connection, draft.space)?;
    // An update keeps the row, to which commands refer.
    connection
        .prepare_cached(
            "insert into draft(draft, space, document, kind, schema, base, incarnation, format, revision, opened) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) on conflict(draft) do update set \
             space = excluded.space, document = excluded.document, kind = excluded.kind, schema = excluded.schema, \
             base = excluded.base, incarnation = excluded.incarnation, format = excluded.format, \
             revision = excluded.revision, opened = excluded.opened",
        )?
        .execute(rusqlite::params![
            draft.draft.as_bytes(),
            space,
            draft.document.as_bytes(),
            draft.kind,
            draft.schema,
            draft.base,
            draft.incarnation.as_bytes(),
            draft.format,
            int(draft.revision),
            int(draft.opened),
        ])?;
    Ok(())
}

pub(super) fn append_command(connection: &Connection, draft: DraftId, n: u64, bytes: &[u8]) -> Result<(), StoreError> {
    let added = connection
        .prepare_cached("insert into command(draft, n, bytes) select id, ?2, ?3 from draft where draft = ?1")?
        .execute((draft.as_bytes(), int(n), bytes))?;
    if added != 1 {
        return Err(StoreError::Shape("a command of a draft that is not here"));
    }
    search::draft_changed(connection, draft)
}

pub(super) fn drop_commands(connection: &Connection, draft: DraftId, upto: u64) -> Result<(), StoreError> {
    search::draft_changed(connection, draft)?;
    connection
        .prepare_cached("delete from command where draft = (select id from draft where draft = ?1) and n <= ?2")?
        .execute((draft.as_bytes(), int(upto)))?;
    Ok(())
}

pub(super) fn drop_draft(connection: &Connection, draft: DraftId) -> Result<(), StoreError> {
    drop_commands(connection, draft, u64::MAX)?;
    connection.prepare_cached("delete from draft where draft = ?1")?.execute([draft.as_bytes()])?;
    Ok(())
}
