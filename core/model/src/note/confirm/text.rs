//! What a note says, as people confirm it.

use std::collections::BTreeMap;

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};

use super::{FrozenState, FrozenView, Rendering};
use crate::cosign::{PartyView, canonical, frozen, shown_heads};
use crate::date::CivilDate;
use crate::kind::ItemId;
use crate::note::{ActionView, MeetingKind, NoteView};

/// What a note says, without who wrote what and without what became of its actions. Of values that people wrote apart
/// the one that is shown first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteText {
    /// What is to be done, in order.
    pub actions: Vec<ActionText>,
    /// The date of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<CivilDate>,
    /// Weights by `scheme/function`.
    pub functions: BTreeMap<String, String>,
    /// The kind of meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<MeetingKind>,
    /// Texts by stage, empty ones left out.
    pub sections: BTreeMap<String, String>,
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// An action's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionText {
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Its id.
    pub id: ItemId,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is to be done.
    pub text: String,
}

impl NoteText {
    /// The text of a note as shown.
    #[must_use]
    pub fn of(view: &NoteView) -> Self {
        let first = |claims: &[crate::view::Claim]| claims.first().map(|claim| claim.value.clone());
        let action = |action: &ActionView| ActionText {
            due: first(&action.due),
            id: action.id,
            owner: first(&action.owner),
            text: action.text.text.clone(),
        };
        let sections = view.sections.iter().filter(|section| !section.text.text.is_empty());
        Self {
            actions: view.actions.iter().map(action).collect(),
            date: view.date,
            functions: view
                .functions
                .iter()
                .filter_map(|it| Some((format!("{}/{}", it.scheme, it.function), first(&it.values)?)))
                .collect(),
            kind: view.kind,
            sections: sections.map(|it| (it.stage.name().to_owned(), it.text.text.clone())).collect(),
            title: view.title.clone(),
        }
    }

    /// Its hash: what somebody who confirms says to have been shown.
    #[must_use]
    pub fn hash(&self) -> FrozenHash {
        frozen(&canonical(self))
    }

    /// What a rendering of this text shows.
    #[must_use]
    pub fn frozen(&self, op: ItemId, rendering: &Rendering) -> FrozenView {
        FrozenView {
            op,
            name: rendering.frozen.to_string(),
            text: self.hash().to_string(),
            heads: shown_heads(&rendering.heads),
            present: rendering.present.iter().map(PartyView::from).collect(),
            over: rendering.over.iter().map(ToString::to_string).collect(),
            merged: rendering.merged.iter().map(ToString::to_string).collect(),
            state: FrozenState::ConfirmedBySome,
            confirmations: Vec::new(),
            words: Some(self.clone()),
        }
    }
}
