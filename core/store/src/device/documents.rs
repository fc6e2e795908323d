//! The cache of documents.

use alliance_wire::{DocumentId, SpaceId};
use rusqlite::{Connection, OptionalExtension};

use super::drafts::Draft;
use super::{Device, drafts, search};
use crate::error::StoreError;
use crate::replica::intern_space;
use crate::sql::{Row as _, int, uint};

/// A document as it was last saved, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What can be read without its bytes.
    pub head: DocumentHead,
    /// Its saved bytes.
    pub saved: Vec<u8>,
}

/// What is known of a document without loading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentHead {
    /// The space.
    pub space: SpaceId,
    /// The document.
    pub document: DocumentId,
    /// Its kind, a number of the model's.
    pub kind: u16,
    /// Its schema.
    pub schema: u16,
    /// Heads of the saved bytes, encoded by the caller.
    pub heads: Vec<u8>,
    /// Who wrote which change and which letters, encoded by the caller.
    pub authors: Vec<u8>,
    /// Milliseconds since 1970 at which it last changed here.
    pub updated: u64,
    /// Flags of the caller's (something is parked, a rebuild is due...), one bit each.
    pub flags: u32,
}

/// What bringing a document into memory asks for, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The document with its saved bytes.
    pub document: Document,
    /// The marks of its row in lists; 0 where it has none.
    pub markers: u32,
    /// Its drafts, the oldest first.
    pub drafts: Vec<Draft>,
}

impl Device {
    /// A document with its saved bytes, its marks and its drafts, in one reading; absent when none were saved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn opened(&self, space: SpaceId, document: DocumentId) -> Result<Option<Opened>, StoreError> {
        self.engine.read(move |connection| opened(connection, space, document)).await
    }

    /// The space in which this device has a document with this id, and its kind: the first by title, if there are
    /// several.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_document(&self, document: DocumentId) -> Result<Option<(SpaceId, u16)>, StoreError> {
        self.engine.read(move |connection| place_of(connection, document)).await
    }

    /// A document with its saved bytes; absent when none were saved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn document(&self, space: SpaceId, document: DocumentId) -> Result<Option<Document>, StoreError> {
        let read = move |connection: &Connection| select_saved(connection, space, document);
        Ok(self.engine.read(read).await?.map(|(_, document)| document))
    }

    /// What is known of a document without loading it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn document_head(
        &self,
        space: SpaceId,
        document: DocumentId,
    ) -> Result<Option<DocumentHead>, StoreError> {
        self.engine.read(move |connection| Ok(select_head(connection, space, document)?.map(|(_, head)| head))).await
    }

    /// The ids of the documents of a space that have saved bytes, with their kinds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn document_ids(&self, space: SpaceId) -> Result<Vec<(DocumentId, u16)>, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "select d.document, d.kind from document d join space s on s.id = d.space \
                 where s.space = ?1 and exists (select 1 from saved where saved.document = d.id) order by d.document",
            )?;
            let mut rows = statement.query([space.as_bytes()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.id(0)?, row.get(1)?));
            }
            Ok(found)
        };
        self.engine.read(read).await
    }
}

pub(super) fn opened(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
) -> Result<Option<Opened>, StoreError> {
    let Some((row, document)) = select_saved(connection, space, document)? else { return Ok(None) };
    let mut statement = connection.prepare_cached("select markers from listing where document = ?1")?;
    let markers: Option<u32> = statement.query_row([row], |row| row.get(0)).optional()?;
    let drafts = drafts::of_document(connection, space, document.head.document)?;
    Ok(Some(Opened { document, markers: markers.unwrap_or_default(), drafts }))
}

/// The space in which a document is, and its kind: the first by title, if there are several.
pub(super) fn place_of(connection: &Connection, document: DocumentId) -> Result<Option<(SpaceId, u16)>, StoreError> {
    // From the few spaces to the document by index; titles are looked at for the rare document that is in several.
    let mut statement = connection.prepare_cached(
        "select s.space, d.kind from document d join space s on s.id = d.space join local_space l on l.space = d.space \
         where d.space in (select space from local_space) and d.document = ?1 \
         and exists (select 1 from saved where saved.document = d.id) order by l.title, s.space limit 1",
    )?;
    let mut rows = statement.query([document.as_bytes()])?;
    rows.next()?.map(|row| Ok((row.id(0)?, row.get(1)?))).transpose()
}

fn select_saved(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
) -> Result<Option<(i64, Document)>, StoreError> {
    let Some((id, head)) = select_head(connection, space, document)? else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached("select bytes from saved where document = ?1")?;
    let saved: Option<Vec<u8>> = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(saved.map(|saved| (id, Document { head, saved })))
}

fn select_head(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
) -> Result<Option<(i64, DocumentHead)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select d.id, d.kind, d.schema, d.heads, d.authors, d.updated, d.flags from document d \
         join space s on s.id = d.space where s.space = ?1 and d.document = ?2 \
         and exists (select 1 from saved where saved.document = d.id)",
    )?;
    let mut rows = statement.query((space.as_bytes(), document.as_bytes()))?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let head = DocumentHead {
        space,
        document,
        kind: row.get(1)?,
        schema: row.get(2)?,
        heads: row.get(3)?,
        authors: row.get(4)?,
        updated: uint(row.get(5)?),
        flags: row.get(6)?,
    };
    Ok(Some((row.get(0)?, head)))
}

/// The rows of a space and a document that is named in it.
pub(super) fn find_document(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
) -> Result<Option<(i64, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select s.id, d.id from document d join space s on s.id = d.space where s.space = ?1 and d.document = ?2",
    )?;
    let found = statement.query_row((space.as_bytes(), document.as_bytes()), |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

/// The rows of a space and a document, made where there are none: an entry may name a document before it is saved.
pub(super) fn intern_document(
    connection: &Connection,
    space: SpaceId,
    document: DocumentId,
) -> Result<(i64, i64), StoreError> {
    if let Some(found) = find_document(connection, space, document)? {
        return Ok(found);
    }
    let space = intern_space(connection, space)?;
    connection
        .prepare_cached(
            "insert into document(space, document, kind, schema, heads, authors, updated, flags) \
             values (?1, ?2, 0, 0, x'', x'', 0, 0)",
        )?
        .execute((space, document.as_bytes()))?;
    Ok((space, connection.last_insert_rowid()))
}

pub(super) fn put(connection: &Connection, document: &Document) -> Result<(), StoreError> {
    let head = &document.head;
    let (_, id) = intern_document(connection, head.space, head.document)?;
    connection
        .prepare_cached(
            "update document set kind = ?2, schema = ?3, heads = ?4, authors = ?5, updated = ?6, flags = ?7 \
             where id = ?1",
        )?
        .execute((id, head.kind, head.schema, &head.heads, &head.authors, int(head.updated), head.flags))?;
    connection
        .prepare_cached("insert or replace into saved(document, bytes) values (?1, ?2)")?
        .execute((id, &document.saved))?;
    Ok(())
}

pub(super) fn drop_document(connection: &Connection, space: SpaceId, document: DocumentId) -> Result<(), StoreError> {
    if let Some((_, id)) = find_document(connection, space, document)? {
        connection.prepare_cached("delete from saved where document = ?1")?.execute([id])?;
        connection.prepare_cached("delete from listing where document = ?1")?.execute([id])?;
        search::drop_document(connection, id)?;
    }
    Ok(())
}
