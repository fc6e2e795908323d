//! Fields of something prepared, with their stored form, which is also what a person types; and what was shared of it.

use alliance_wire::hash::content_hash;
use alliance_wire::ids::{DocumentId, FrozenHash, SpaceId};

use crate::date::CivilDate;
use crate::kind::ItemId;
use crate::limits::{PRIORITY_MAX, TERM_SCALARS_MAX, TITLE_SCALARS_MAX};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The fields of something prepared.
    PreparationField {
        /// The day on which it happened.
        OccurredOn = 0 "occurred_on",
        /// What sort of experience it was (DOMAIN A26).
        Kind = 1 "kind",
        /// How much it matters, 1 before 2 (DOMAIN A26).
        Priority = 2 "priority",
        /// Which function of supervision it asks for, in one's own words (DOMAIN A11).
        FunctionHint = 3 "function_hint",
        /// What one calls the client whom it is about: never a name.
        ClientAlias = 4 "client_alias",
    }
}

vocabulary! {
    /// Sorts of experiences that people prepare (DOMAIN 2.2, PrepLog; A26).
    PreparationKind {
        /// Hard to understand.
        Puzzling = 0 "puzzling",
        /// Worth a closer look.
        Interesting = 1 "interesting",
        /// It upset.
        Upsetting = 2 "upsetting",
        /// It went well.
        Success = 3 "success",
        /// An ethical concern.
        Ethical = 4 "ethical",
        /// About how much there is to do.
        Workload = 5 "workload",
        /// Another.
        Other = 6 "other",
    }
}

vocabulary! {
    /// Feelings that supervision acknowledges (DOMAIN A25).
    Feeling {
        /// Distress.
        Distress = 0 "distress",
        /// Vulnerability.
        Vulnerability = 1 "vulnerability",
        /// Confusion.
        Confusion = 2 "confusion",
        /// Anger.
        Anger = 3 "anger",
        /// Shame.
        Shame = 4 "shame",
        /// Guilt.
        Guilt = 5 "guilt",
        /// Remorse.
        Remorse = 6 "remorse",
        /// Pride.
        Pride = 7 "pride",
        /// Pleasure.
        Pleasure = 8 "pleasure",
    }
}

/// A field of something prepared with its value.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum PreparationValue {
    /// A civil date.
    #[n(0)]
    OccurredOn(#[n(0)] CivilDate),
    /// What sort of experience it was.
    #[n(1)]
    Kind(#[n(0)] PreparationKind),
    /// 1 to 9, 1 before 2.
    #[n(2)]
    Priority(#[n(0)] u16),
    /// A line of free text.
    #[n(3)]
    FunctionHint(#[n(0)] String),
    /// A line of free text.
    #[n(4)]
    ClientAlias(#[n(0)] String),
}

impl PreparationValue {
    /// Which field it is.
    #[must_use]
    pub const fn field(&self) -> PreparationField {
        match self {
            Self::OccurredOn(_) => PreparationField::OccurredOn,
            Self::Kind(_) => PreparationField::Kind,
            Self::Priority(_) => PreparationField::Priority,
            Self::FunctionHint(_) => PreparationField::FunctionHint,
            Self::ClientAlias(_) => PreparationField::ClientAlias,
        }
    }

    /// The stored form.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::OccurredOn(date) => date.to_string(),
            Self::Kind(kind) => kind.name().to_owned(),
            Self::Priority(number) => number.to_string(),
            Self::FunctionHint(text) | Self::ClientAlias(text) => text.clone(),
        }
    }

    /// The field with this stored value; `None` for one that this version cannot read.
    #[must_use]
    pub fn from_text(field: PreparationField, text: &str) -> Option<Self> {
        match field {
            PreparationField::OccurredOn => text.parse().ok().map(Self::OccurredOn),
            PreparationField::Kind => PreparationKind::from_name(text).map(Self::Kind),
            PreparationField::Priority => text.parse().ok().map(Self::Priority),
            PreparationField::FunctionHint => Some(Self::FunctionHint(text.to_owned())),
            PreparationField::ClientAlias => Some(Self::ClientAlias(text.to_owned())),
        }
    }

    /// Whether the value is in range.
    ///
    /// # Errors
    /// `NUMBER_INVALID`, `DATE_INVALID`, `TEXT_EMPTY`, `TEXT_TOO_LONG`, `TEXT_INVALID`.
    pub fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::Kind(_) => Ok(()),
            Self::OccurredOn(date) if date.is_valid() => Ok(()),
            Self::OccurredOn(_) => Err(Refusal::new(RefusalCode::DateInvalid)),
            Self::Priority(number) if (1..=PRIORITY_MAX).contains(number) => Ok(()),
            Self::Priority(_) => Err(Refusal::new(RefusalCode::NumberInvalid).with("from", 1).with("to", PRIORITY_MAX)),
            Self::FunctionHint(text) => check_line(text, TERM_SCALARS_MAX),
            Self::ClientAlias(text) => check_line(text, TITLE_SCALARS_MAX),
        }
    }
}

/// What was put on an agenda of something prepared: a copy that goes its own way from then on (DOMAIN 2.4).
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Share {
    /// The space of the session.
    #[n(0)]
    pub space: SpaceId,
    /// The session.
    #[n(1)]
    pub session: DocumentId,
    /// What stands on its agenda.
    #[n(2)]
    pub item: ItemId,
    /// The hash of its text when it was shared: [`cosign::frozen`](crate::cosign::frozen).
    #[n(3)]
    pub hash: FrozenHash,
    /// The day for which it was shared: that of the session, as it was planned then. Never a clock's (DOMAIN 2.6 row 14).
    #[n(4)]
    pub date: Option<CivilDate>,
}

/// The id of what is put on an agenda when something is shared for the `earlier + 1`-th time in one session: a process
/// that ends in between makes no second item when it goes on (DOMAIN 2.6 row 6).
#[must_use]
pub fn shared_item(entry: ItemId, session: DocumentId, earlier: u64) -> ItemId {
    let digest = content_hash(
        &[b"alliance v1 shared of preparation", &entry.0[..], &session.0, &earlier.to_be_bytes()].concat(),
    );
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    ItemId(id)
}
