//! What the agreements of a space say about its other documents.

use alliance_document::View;
use alliance_model::agreement::{ProtectiveTerm, ProtectiveValue};
use alliance_model::decision::{DecisionCommand, EthicsCheck};
use alliance_model::exports::{ExportRecord, ExportsCommand};
use alliance_model::note::{NoteCommand, content_permitted};
use alliance_model::{Command, DocumentKind, Refusal, RefusalCode};
use alliance_store::device::{LIST_ROWS_MAX, ListQuery, Listing};
use alliance_wire::{DocumentId, SpaceId};

use crate::error::Error;
use crate::inner::{Inner, Work};

impl Inner {
    /// Whether the agreements of a space let somebody do this (DOMAIN 2.6 row 5: a note holds text only where the record
    /// rule in force permits it). A change of an agreement is noted.
    pub(crate) async fn is_agreed(&self, work: &mut Work, space: SpaceId, command: &Command) -> Result<(), Error> {
        match command {
            Command::Agreement(_) => {
                work.record_rules.remove(&space);
                Ok(())
            }
            Command::Note(note) if note.is_content() => Ok(content_permitted(self.record_rule(work, space).await?)?),
            // What is cited is what holds.
            Command::Note(NoteCommand::CiteRule { rule }) => {
                let in_force = self.record_rule(work, space).await?;
                if in_force == Some(*rule) {
                    return Ok(());
                }
                let holds = in_force.unwrap_or(*rule).name();
                Err(Refusal::new(RefusalCode::RecordRule).with("rule", holds).into())
            }
            // Nobody begins a decision, checks one or gives something out in another's name: others would not show it.
            Command::Decision(
                DecisionCommand::Begin { person, .. }
                | DecisionCommand::Check { check: EthicsCheck { person, .. }, .. },
            )
            | Command::Exports(ExportsCommand::Record { record: ExportRecord { person, .. }, .. })
                if *person != self.own_tag(space).await? =>
            {
                Err(Refusal::new(RefusalCode::NotAuthor).into())
            }
            Command::Form(kind, command) => self.form_is_agreed(work, space, *kind, command).await,
            Command::Note(_)
            | Command::Session(_)
            | Command::Preparation(_)
            | Command::Decision(_)
            | Command::Exports(_) => Ok(()),
        }
    }

    /// The record rule that a document of this kind may have to cite.
    pub(crate) async fn rule_of(
        &self,
        work: &mut Work,
        space: SpaceId,
        kind: DocumentKind,
    ) -> Result<Option<ProtectiveValue>, Error> {
        if kind == DocumentKind::Note { self.record_rule(work, space).await } else { Ok(None) }
    }

    /// The strictest record rule of a space's agreements.
    async fn record_rule(&self, work: &mut Work, space: SpaceId) -> Result<Option<ProtectiveValue>, Error> {
        if let Some(known) = work.record_rules.get(&space) {
            return Ok(*known);
        }
        let people = self.people(space).await?;
        let mut strictest: Option<ProtectiveValue> = None;
        for agreement in self.documents_of(space, DocumentKind::Agreement).await? {
            let open = self.open_document(work, space, agreement, None).await?;
            open.let_others_in()?;
            let mut views = vec![open.view(&people)?];
            if open.draft.is_some() {
                // What others said is in force also while a draft of this person's does not show it yet.
                views.push(open.seen_by(&people, |context| open.document.view(context))?);
            }
            for view in views {
                let View::Agreement(view) = view else { continue };
                let said = view.in_force(ProtectiveTerm::ContentRecordRule);
                strictest = strictest.into_iter().chain(said).min_by_key(|value| value.rank());
            }
        }
        work.record_rules.insert(space, strictest);
        Ok(strictest)
    }

    /// The documents of one kind in a space.
    pub(crate) async fn documents_of(&self, space: SpaceId, kind: DocumentKind) -> Result<Vec<DocumentId>, Error> {
        Ok(self.rows_of(space, Some(kind)).await?.into_iter().map(|row| row.document).collect())
    }

    /// The rows of a space's documents, of one kind or of all.
    pub(crate) async fn rows_of(&self, space: SpaceId, kind: Option<DocumentKind>) -> Result<Vec<Listing>, Error> {
        let kind = kind.map(DocumentKind::number);
        let mut query = ListQuery { space: Some(space), kind, limit: LIST_ROWS_MAX, ..ListQuery::default() };
        let mut rows = Vec::new();
        loop {
            let page = self.device.list(query.clone()).await?;
            rows.extend(page.rows);
            let Some(next) = page.next else { return Ok(rows) };
            query.after = Some(next);
        }
    }
}
