//! What waits for a person over all spaces: what came in, what is to be decided, and what is due on a date. Everything is
//! computed from documents and their rows; no clock is asked (DOMAIN 2.9, time).

use std::collections::BTreeSet;

use alliance_document::View;
use alliance_model::agreement::{Term, TermName};
use alliance_model::note::ActionState;
use alliance_model::{AgreementView, CivilDate, DocumentKind, FormView};
use alliance_store::device::{DeviceOp, Listing};
use alliance_wire::{DocumentId, SpaceId};

use crate::error::Error;
use crate::inner::{Client, Inner, Work};
use crate::listing::{CHANGED_BY_BOTH, HELD, NEEDS_CHOICE, OPEN_ACTIONS, PARKED, PLANNED, UNREAD};
use crate::names::People;
use crate::views::due::{
    DueGoal, DueReview, InboxSpace, OpenAction, PlannedReview, PlannedSession, PossibleDuplicate, TodaySpace,
};
use crate::views::{Change, SpaceView, Standing};

impl Client {
    /// What came in or is to be decided, space by space; spaces where nothing waits are left out.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn inbox(&self) -> Result<Vec<InboxSpace>, Error> {
        let drafts = self.drafted().await?;
        let mut inbox = Vec::new();
        for space in self.readable().await? {
            // Also of a document for which another stands: what came in there came in.
            let rows = self.inner.rows_of(space.space, None).await?;
            let list = |waits: &dyn Fn(&Listing) -> bool| {
                let rows = rows.iter().filter(|row| waits(row)).cloned();
                rows.filter_map(|row| self.inner.row(row, &drafts)).collect()
            };
            let having = |marker: u32| list(&|row| row.markers & marker != 0);
            let pairs = self.possible_duplicates(space.space).await?.into_iter();
            let waits = InboxSpace {
                space: space.space,
                title: space.title,
                new: list(&is_only_new),
                changed_by_both: having(CHANGED_BY_BOTH),
                needs_choice: having(NEEDS_CHOICE),
                parked: having(PARKED),
                possible_duplicates: pairs.map(|(session, other)| PossibleDuplicate { session, other }).collect(),
            };
            if !waits.is_empty() {
                inbox.push(waits);
            }
        }
        Ok(inbox)
    }

    /// Takes as seen what somebody else changed and this person did not, where nothing is to be decided and nothing is
    /// kept back; in one space, or in all. Returns how many documents that were.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `LOW_STORAGE`, and those of the store.
    pub async fn accept_unchanged(&self, space: Option<SpaceId>) -> Result<u64, Error> {
        let inner = &self.inner;
        let mut accepted = 0;
        for waits in self.readable().await?.into_iter().map(|readable| readable.space) {
            if space.is_some_and(|space| space != waits) {
                continue;
            }
            // What comes in from here on is not what the person has seen a list of.
            let mut work = inner.work.lock().await;
            let mut rows = inner.rows_of(waits, None).await?;
            rows.retain(is_only_new);
            let clear =
                |row: &Listing| DeviceOp::ClearMarkers { space: waits, document: row.document, markers: UNREAD };
            if rows.is_empty() {
                continue;
            }
            inner.device.apply(rows.iter().map(clear).collect()).await?;
            for row in &rows {
                if let Some(open) = work.document(waits, row.document) {
                    open.markers &= !UNREAD;
                }
            }
            drop(work);
            accepted += rows.len() as u64;
            for row in rows {
                inner.tell(Change::Document(waits, row.document));
            }
        }
        Ok(accepted)
    }

    /// What every space says on a date: sessions and reviews that are due, planned sessions, open actions, when each
    /// person was last seen. Equal on all devices that have the same, whatever their clocks say.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn today(&self, as_of: CivilDate) -> Result<Vec<TodaySpace>, Error> {
        let mut spaces = Vec::new();
        for space in self.readable().await? {
            spaces.push(self.inner.today(space, as_of).await?);
        }
        Ok(spaces)
    }

    /// The spaces that this person is in and may look into.
    async fn readable(&self) -> Result<Vec<SpaceView>, Error> {
        let spaces = self.spaces().await?.into_iter();
        let readable =
            |space: &SpaceView| space.standing == Standing::Member && self.inner.unlocked(space.space).is_ok();
        Ok(spaces.filter(readable).collect())
    }
}

impl Inner {
    async fn today(&self, space: SpaceView, as_of: CivilDate) -> Result<TodaySpace, Error> {
        let rows = self.rows_of(space.space, None).await?;
        let people = self.people(space.space).await?;
        let mut work = self.work.lock().await;
        let merged = self.merged(&mut work, space.space).await?;
        let hidden: BTreeSet<DocumentId> = merged.hidden().collect();
        let date = |row: &Listing| row.date.parse::<CivilDate>().ok();
        let held = rows.iter().filter(|row| row.markers & HELD != 0).filter_map(date).filter(|date| *date <= as_of);
        let last_held = held.max();
        let mut planned: Vec<PlannedSession> = rows
            .iter()
            .filter(|row| row.markers & PLANNED != 0 && !hidden.contains(&row.document))
            .filter_map(|row| Some((row.document, date(row)?)))
            .map(|(session, date)| PlannedSession { session, date, overdue: date < as_of })
            .collect();
        planned.sort_by_key(|session| (session.date, session.session));
        let (mut actions, mut reviews, mut rhythms) = (Vec::new(), Vec::new(), Vec::new());
        let (mut planned_reviews, mut goals) = (Vec::new(), Vec::new());
        for row in &rows {
            if row.markers & OPEN_ACTIONS != 0 {
                self.open_actions(&mut work, row, (&people, as_of), &mut actions).await?;
            }
            if row.kind == DocumentKind::Agreement.number() {
                let Some(agreement) = self.agreement(&mut work, row, &people).await? else { continue };
                let due = agreement.review_dates().filter(|due| *due <= as_of).min();
                reviews.extend(due.map(|due| DueReview { agreement: row.document, due }));
                rhythms.extend(last_held.and_then(|last| next_due(&agreement, last)));
            }
            if row.kind == DocumentKind::Review.number() {
                let review = self.form_view(&mut work, row.space, row.document, &people).await?;
                let due = planned_for(&review).filter(|due| *due <= as_of);
                planned_reviews.extend(due.map(|due| PlannedReview { review: row.document, due }));
            }
            if row.kind == DocumentKind::Goals.number() {
                let view = self.form_view(&mut work, row.space, row.document, &people).await?;
                goals.extend(due_goals(&view, as_of));
            }
        }
        planned_reviews.sort_by_key(|review: &PlannedReview| (review.due, review.review));
        goals.sort_by_key(|goal: &DueGoal| (goal.due, goal.goal));
        actions.sort_by_key(|action: &OpenAction| (action.due.is_none(), action.due));
        let next_due: Option<CivilDate> = rhythms.into_iter().min();
        let is_planned = planned.iter().any(|session| session.date >= as_of);
        Ok(TodaySpace {
            space: space.space,
            title: space.title,
            people: space.members.into_iter().filter(|member| !member.me).map(|member| member.name).collect(),
            last_held,
            next_due,
            overdue: next_due.is_some_and(|due| due < as_of) && !is_planned,
            planned,
            actions,
            reviews,
            planned_reviews,
            goals,
            needs_choice: rows.iter().filter(|row| row.markers & NEEDS_CHOICE != 0).count() as u64,
        })
    }

    async fn open_actions(
        &self,
        work: &mut Work,
        row: &Listing,
        (people, as_of): (&People, CivilDate),
        into: &mut Vec<OpenAction>,
    ) -> Result<(), Error> {
        let open = self.open_document(work, row.space, row.document, None).await?;
        open.let_others_in()?;
        let View::Note(note) = open.view(people)? else { return Ok(()) };
        for action in note.actions.into_iter().filter(|action| action.state != ActionState::Done) {
            let due = action.due.first().and_then(|claim| claim.value.parse::<CivilDate>().ok());
            into.push(OpenAction {
                note: row.document,
                action: action.id,
                text: action.text.text,
                owner: action.owner.first().map(|claim| claim.value.clone()),
                due,
                overdue: due.is_some_and(|due| due < as_of),
            });
        }
        Ok(())
    }

    async fn agreement(&self, work: &mut Work, row: &Listing, people: &People) -> Result<Option<AgreementView>, Error> {
        let open = self.open_document(work, row.space, row.document, None).await?;
        open.let_others_in()?;
        let View::Agreement(view) = open.view(people)? else { return Ok(None) };
        Ok(Some(view))
    }
}

/// What somebody else changed, where nobody has to look twice.
fn is_only_new(row: &Listing) -> bool {
    row.markers & UNREAD != 0 && row.markers & (CHANGED_BY_BOTH | NEEDS_CHOICE | PARKED) == 0
}

/// For when a review is planned, if nobody has said that it was held.
fn planned_for(review: &FormView) -> Option<CivilDate> {
    let held = review.signed
        || review.state.as_deref() == Some("held")
        || review.value("held_on").is_some()
        || review.value("outcome").is_some();
    if held { None } else { review.value("due")?.parse().ok() }
}

/// The goals that somebody is still at, and that were to be looked at until a date: what was said of the progress since
/// then is such a look.
fn due_goals(view: &FormView, as_of: CivilDate) -> impl Iterator<Item = DueGoal> {
    view.list("goal").filter_map(move |goal| {
        if matches!(goal.state.as_deref(), Some("achieved" | "revised" | "dropped")) {
            return None;
        }
        let said = |word: &'static str| goal.log.iter().filter(move |it| it.word == word).filter_map(|it| it.on);
        // The next date is said with the last look, so the newest word counts.
        let due = said("review_on").next_back().filter(|due| *due <= as_of)?;
        if said("progress").any(|on| on >= due) {
            return None;
        }
        let of = view.author(goal.by).to_owned();
        Some(DueGoal { goal: goal.id, text: goal.text.text.clone(), of, due })
    })
}

/// When the next session is due after one of this date: by the shortest rhythm of what is in force, else of the draft.
fn next_due(agreement: &AgreementView, last: CivilDate) -> Option<CivilDate> {
    let next = |text: &str| {
        let Some(Term::Cadence { every, unit }) = Term::from_text(TermName::Cadence, text) else { return None };
        unit.next(last, every)
    };
    let name = TermName::Cadence.name();
    let in_force = agreement.active().filter_map(|version| next(version.terms.get(name)?)).min();
    in_force
        .or_else(|| next(&agreement.terms.iter().find(|term| term.name == TermName::Cadence)?.values.first()?.value))
}
