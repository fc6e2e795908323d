//! A session as the apps and `--json` show it.

use serde::{Deserialize, Serialize};

use super::{
    AgendaField, AgendaState, AgendaTransition, AliasView, SessionField, SessionState, SessionTransition, SessionValue,
};
use crate::kind::ItemId;
use crate::log::{LogEntry, newest};
use crate::meeting::MeetingKind;
use crate::text::TextView;
use crate::view::{Claim, FieldConflict};

/// A field of a session as shown: every value that people wrote apart, the safer one first (DOMAIN 2.3, M).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFieldView {
    /// Which.
    pub field: SessionField,
    /// The values.
    pub values: Vec<Claim>,
}

/// Somebody who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantView {
    /// The person, as the space's membership names it.
    pub person: String,
    /// As what: every role that people wrote apart.
    pub role: Vec<Claim>,
    /// Whether the person was there: everything that people wrote apart.
    pub attendance: Vec<Claim>,
    /// Two said different things of it: nothing is calculated with it (DOMAIN 2.3, M).
    pub disputed: bool,
}

/// Something on the agenda as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaItemView {
    /// Its id.
    pub id: ItemId,
    /// Who brought it: index into the view's `authors`.
    pub by: usize,
    /// What it says.
    pub text: TextView,
    /// What else is said of it: every value that people wrote apart.
    pub fields: Vec<AgendaFieldView>,
    /// Its state, computed from the log.
    pub state: AgendaState,
    /// The log.
    pub log: Vec<LogEntry<AgendaTransition>>,
}

/// A field of something on the agenda.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaFieldView {
    /// Which.
    pub field: AgendaField,
    /// The values.
    pub values: Vec<Claim>,
}

/// A session as the apps and `--json` show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The document's id in hexadecimal.
    pub document: String,
    /// Everybody who wrote something that is shown.
    pub authors: Vec<String>,
    /// The fields that have a value.
    pub fields: Vec<SessionFieldView>,
    /// Who takes part, by person.
    pub participants: Vec<ParticipantView>,
    /// Whom the session is about.
    pub stakeholders: Vec<String>,
    /// The agenda in order.
    pub agenda: Vec<AgendaItemView>,
    /// The state, computed from the log.
    pub state: Option<SessionState>,
    /// The log.
    pub log: Vec<LogEntry<SessionTransition>>,
    /// What is said of other sessions: whether they are this one.
    pub aliases: Vec<AliasView>,
    /// Where people wrote different values while apart.
    pub conflicts: Vec<FieldConflict>,
}

impl SessionView {
    /// The value that calculations use for a field.
    #[must_use]
    pub fn value(&self, field: SessionField) -> Option<SessionValue> {
        let view = self.fields.iter().find(|view| view.field == field)?;
        SessionValue::from_text(field, &view.values.first()?.value)
    }

    /// The kind of meeting.
    #[must_use]
    pub fn kind(&self) -> Option<MeetingKind> {
        let SessionValue::Kind(kind) = self.value(SessionField::Kind)? else { return None };
        Some(kind)
    }

    /// What is on the agenda under this id.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&AgendaItemView> {
        self.agenda.iter().find(|item| item.id == id)
    }

    /// The log entries that no other entry answers: what the next entry cites.
    #[must_use]
    pub fn newest(&self) -> Vec<ItemId> {
        newest(&self.log).map(|entry| entry.op).collect()
    }
}

impl AgendaItemView {
    /// The log entries that no other entry answers: what the next entry cites.
    #[must_use]
    pub fn newest(&self) -> Vec<ItemId> {
        newest(&self.log).map(|entry| entry.op).collect()
    }
}
