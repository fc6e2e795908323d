//! Working agreements as scenarios use them: writing, showing, proposing, signing.

use alliance_client::{DocumentId, Error, FrozenHash, SpaceId, View};
use alliance_model::agreement::{AgreementCommand as A, ClauseSection, Modality, Term};
use alliance_model::{AgreementView, CivilDate, Command, DocumentKind, ItemId, Splice};

use crate::people::Person;

/// What an agreement shows.
///
/// # Panics
/// If it cannot be shown, or is none.
pub async fn shown(of: &Person, agreement: DocumentId) -> AgreementView {
    let View::Agreement(view) = of.client.view(agreement).await.expect("it is here").view else {
        unreachable!("{agreement} is no agreement")
    };
    view
}

/// Does something to an agreement as it is shown now.
///
/// # Panics
/// If it is refused.
pub async fn write(of: &Person, agreement: DocumentId, commands: impl IntoIterator<Item = A>) {
    let _ = shown(of, agreement).await;
    for command in commands {
        of.client.command(agreement, None, Command::Agreement(command)).await.expect("it fits");
    }
}

/// Begins an agreement that has what every version needs, and these terms.
///
/// # Panics
/// If it cannot be begun.
pub async fn draft(of: &Person, space: SpaceId, terms: impl IntoIterator<Item = Term>) -> DocumentId {
    let agreement = of.client.create_document(space, DocumentKind::Agreement).await.expect("it is begun");
    let clause = |(id, section)| {
        let id = ItemId([id; 8]);
        [
            A::AddClause { id, section, modality: Modality::Must, after: None },
            A::EditClause { id, splice: Splice::insert(0, "As we said.") },
        ]
    };
    let clauses = [(1, ClauseSection::Roles), (2, ClauseSection::Confidentiality)].into_iter().flat_map(clause);
    write(of, agreement, clauses.chain(terms.into_iter().map(|term| A::SetTerm { term }))).await;
    agreement
}

/// Proposes what an agreement says now.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If it cannot be shown.
pub async fn propose(of: &Person, agreement: DocumentId, on: CivilDate) -> Result<FrozenHash, Error> {
    let seen = shown(of, agreement).await.text.parse().expect("the hash of a text");
    of.client.propose(agreement, seen, "en", on).await
}

/// Signs a version word for word.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If the version is not shown.
pub async fn sign(of: &Person, agreement: DocumentId, version: FrozenHash, on: CivilDate) -> Result<(), Error> {
    let view = shown(of, agreement).await;
    let seen = view.version(version).expect("the version is here").text.parse().expect("the hash of a text");
    of.client.sign(agreement, version, seen, "en", on).await
}
