//! Values that options take: words of the model's vocabularies, and addresses of devices.

use alliance_client::DeviceKey;
use alliance_model::agreement::{ClauseSection, Modality, ProtectiveTerm, ProtectiveValue, TermName};
use alliance_model::audience::Audience;
use alliance_model::decision::{DecisionField, DecisionList};
use alliance_model::note::{MeetingKind, Stage};
use alliance_model::policy::AgendaOrigin;
use alliance_model::preparation::{Feeling, PreparationField, PreparationMark, PreparationState};
use alliance_model::session::{
    AgendaField, AgendaTransition, Attendance, SessionField, SessionRole, SessionTransition,
};
use alliance_model::{CivilDate, DocumentKind, ItemId};
use clap::builder::{PossibleValuesParser, TypedValueParser};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $type:ty;)+) => {
        $($(#[$doc])*
        pub(super) fn $name() -> impl TypedValueParser<Value = $type> {
            PossibleValuesParser::new(<$type>::ALL.iter().map(|word| word.name()))
                .map(|word| <$type>::from_name(&word).expect("only the vocabulary's words are possible"))
        }

        impl Vocabulary for $type {
            fn words() -> Vec<&'static str> {
                Self::ALL.iter().map(|word| word.name()).collect()
            }

            fn named(name: &str) -> Option<Self> {
                Self::from_name(name)
            }
        })+
    };
}

words! {
    /// The stage of a session that a section is about.
    stage Stage;
    /// The kind of a session.
    note_kind MeetingKind;
    /// The kind of a document.
    document_kind DocumentKind;
    /// The section of an agreement that a clause belongs to.
    clause_section ClauseSection;
    /// A typed term.
    term_name TermName;
    /// A field of a session.
    session_field SessionField;
    /// As what somebody takes part.
    session_role SessionRole;
    /// Whether somebody was there.
    attendance Attendance;
    /// What is said of a session.
    session_transition SessionTransition;
    /// What became of something on the agenda.
    agenda_transition AgendaTransition;
    /// A field of something prepared.
    preparation_field PreparationField;
    /// What is said of something prepared.
    preparation_mark PreparationMark;
    /// The state of something prepared.
    preparation_state PreparationState;
    /// A feeling.
    feeling Feeling;
    /// A text of a decision.
    decision_field DecisionField;
    /// What a decision has several of.
    decision_list DecisionList;
    /// Whom a space is for.
    audience Audience;
    /// Where something on an agenda comes from.
    agenda_origin AgendaOrigin;
}

/// A device and where it waits: `KEY@HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeerAddress {
    pub(crate) device: DeviceKey,
    pub(crate) address: String,
}

impl std::str::FromStr for PeerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write the device's key, @, and host:port, as `alliance sync --listen` prints it".to_owned();
        let (key, address) = text.split_once('@').ok_or_else(form)?;
        Ok(Self { device: key.parse().map_err(|_| form())?, address: address.to_owned() })
    }
}

/// A vocabulary whose words stand before an equals sign.
pub(crate) trait Vocabulary: Copy + Sized + 'static {
    /// All of its words.
    fn words() -> Vec<&'static str>;
    /// The member with this name.
    fn named(name: &str) -> Option<Self>;
}

/// `NAME=VALUE` for a typed field. The value is read later, where its failure has a code of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedValue<T> {
    pub(crate) name: T,
    pub(crate) value: String,
}

impl<T: Vocabulary> std::str::FromStr for NamedValue<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || format!("write NAME=VALUE; names are {}", T::words().join(", "));
        let (name, value) = text.split_once('=').ok_or_else(names)?;
        let name = T::named(name.trim()).ok_or_else(names)?;
        Ok(Self { name, value: value.trim().to_owned() })
    }
}

/// `TERM=VALUE` for a protective term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProtectArg(pub(crate) ProtectiveValue);

impl std::str::FromStr for ProtectArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || {
            let row = |term: &ProtectiveTerm| {
                let values: Vec<&str> = term.protection().order.iter().map(|(_, name)| *name).collect();
                format!("{term}={}", values.join("|"))
            };
            let rows: Vec<String> = ProtectiveTerm::ALL.iter().map(row).collect();
            format!("write one of {}", rows.join(", "))
        };
        let (term, value) = text.split_once('=').ok_or_else(form)?;
        let term = ProtectiveTerm::from_name(term.trim()).ok_or_else(form)?;
        ProtectiveValue::from_name(term, value.trim()).map(Self).ok_or_else(form)
    }
}

/// `SCHEME/FUNCTION=WEIGHT`, the weight in percent. Whether the scheme has the function is the model's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionArg {
    pub(crate) scheme: String,
    pub(crate) function: String,
    pub(crate) weight: u8,
}

impl std::str::FromStr for FunctionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write SCHEME/FUNCTION=WEIGHT, for example proctor3/restorative=60".to_owned();
        let (name, weight) = text.split_once('=').ok_or_else(form)?;
        let (scheme, function) = name.split_once('/').ok_or_else(form)?;
        let weight = weight.trim().parse().map_err(|_| form())?;
        Ok(Self { scheme: scheme.trim().to_owned(), function: function.trim().to_owned(), weight })
    }
}

/// The first digits of a clause's or action's id, as `show` prints them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemArg(pub(crate) String);

impl std::str::FromStr for ItemArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.to_ascii_lowercase();
        let good = (4..=16).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if good { Ok(Self(digits)) } else { Err("write at least four digits of the id that `show` prints".to_owned()) }
    }
}

impl ItemArg {
    /// Whether the item is meant.
    pub(crate) fn fits(&self, id: ItemId) -> bool {
        id.to_string().starts_with(&self.0)
    }
}

/// Must or may, from two flags of which clap takes at most one.
pub(crate) const fn modality(must: bool, may: bool) -> Option<Modality> {
    match (must, may) {
        (true, _) => Some(Modality::Must),
        (false, true) => Some(Modality::May),
        (false, false) => None,
    }
}

/// A civil date.
pub(super) fn date(text: &str) -> Result<CivilDate, String> {
    text.parse::<CivilDate>().map_err(|error| error.to_string())
}

impl Vocabulary for AgendaField {
    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|word| word.name()).collect()
    }

    fn named(name: &str) -> Option<Self> {
        Self::from_name(name)
    }
}
