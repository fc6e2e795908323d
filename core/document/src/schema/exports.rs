//! The log of what was given out of a space, as an Automerge document.
//!
//! Genesis makes, behind id, kind and schema (operations 1 to 3): `log.exports` (4).

use alliance_model::exports::{ExportRecord, ExportRecordView, ExportsCommand, ExportsView};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjType, ROOT};

use super::parts::{self, Authors};
use super::read::Whole;
use super::{ViewContext, WriteError, genesis_object};

const EXPORTS: u64 = 4;

pub(crate) fn write_genesis(tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
    tx.put_object(ROOT, "log.exports", ObjType::Map)?;
    Ok(())
}

pub(crate) fn write(tx: &mut Transaction<'_>, command: &ExportsCommand) -> Result<(), WriteError> {
    let ExportsCommand::Record { op, record } = command;
    parts::append(tx, &genesis_object(EXPORTS), *op, record.encode())
}

pub(crate) fn view(document: &impl Whole, id: String, context: ViewContext<'_>) -> ExportsView {
    let mut authors = Authors::new(context.author);
    let mut view = ExportsView { document: id, ..ExportsView::default() };
    for (operation, op, bytes) in parts::log_in_order(document, &genesis_object(EXPORTS)) {
        let Some(ExportRecord { person, scope, on, reason, file }) = ExportRecord::parse(&bytes) else { continue };
        let by = authors.of(&operation);
        // What somebody says in another's name is not said.
        if authors.name_of(by) == (context.name)(person) {
            view.exports.push(ExportRecordView { op, by, scope, on, reason, file: file.to_string() });
        }
    }
    view.exports.sort_by_key(|it| (it.on, it.op));
    view.authors = authors.into_list();
    view
}
