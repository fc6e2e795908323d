//! The document types.

use alliance_wire::PersonTag;
use alliance_wire::ids::DocumentId;

use crate::form::{Form, form_of};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a document is. Fixed at creation; the number travels in sealed payloads and in the genesis change.
    DocumentKind {
        /// The working agreement of one alliance (DOMAIN 2.2).
        Agreement = 1 "agreement",
        /// The note of one session (DOMAIN 2.2).
        Note = 2 "note",
        /// A session, planned or held (DOMAIN 2.2).
        Session = 3 "session",
        /// What a person prepares, for nobody else's eyes (DOMAIN 2.2).
        Preparation = 4 "preparation",
        /// What somebody decided, and why (DOMAIN 2.2).
        Decision = 5 "decision",
        /// What was given out of a space (DOMAIN 2.2, ExportRecord).
        Exports = 6 "exports",
        /// What a space is, under which contract and policy (DOMAIN 2.2, Alliance).
        Charter = 7 "charter",
        /// The overall contract of an organisation (DOMAIN 2.2).
        Contract = 8 "contract",
        /// Learning goals (DOMAIN 2.2).
        Goals = 9 "goals",
        /// Feedback (DOMAIN 2.2).
        Feedback = 10 "feedback",
        /// Perspectives, strengths, challenges and criteria (DOMAIN 2.2).
        Remarks = 11 "remarks",
        /// A review of how it goes (DOMAIN 2.2).
        Review = 12 "review",
        /// What is said at the end (DOMAIN 2.4).
        Closing = 13 "closing",
    }
}

impl DocumentKind {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Agreement => 1,
            Self::Note => 2,
            Self::Session => 3,
            Self::Preparation => 4,
            Self::Decision => 5,
            Self::Exports => 6,
            Self::Charter => 7,
            Self::Contract => 8,
            Self::Goals => 9,
            Self::Feedback => 10,
            Self::Remarks => 11,
            Self::Review => 12,
            Self::Closing => 13,
        }
    }

    /// The kind with this number; `None` means a newer version made the document.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Agreement),
            2 => Some(Self::Note),
            3 => Some(Self::Session),
            4 => Some(Self::Preparation),
            5 => Some(Self::Decision),
            6 => Some(Self::Exports),
            7 => Some(Self::Charter),
            8 => Some(Self::Contract),
            9 => Some(Self::Goals),
            10 => Some(Self::Feedback),
            11 => Some(Self::Remarks),
            12 => Some(Self::Review),
            13 => Some(Self::Closing),
            _ => None,
        }
    }

    /// The newest schema of this kind that this version writes and reads. A payload that names a newer one waits
    /// as `SCHEMA_NEWER` (PROTOCOL section 2, genesis).
    #[must_use]
    pub const fn schema(self) -> u16 {
        match self {
            // Schema 2: logs of what was confirmed and of what was added.
            Self::Note => 2,
            Self::Agreement
            | Self::Session
            | Self::Preparation
            | Self::Decision
            | Self::Exports
            | Self::Charter
            | Self::Contract
            | Self::Goals
            | Self::Feedback
            | Self::Remarks
            | Self::Review
            | Self::Closing => 1,
        }
    }

    /// What it holds, if it is a form.
    #[must_use]
    pub fn form(self) -> Option<&'static Form> {
        form_of(self)
    }

    /// How it is written and read. Where this is asked, a further form changes nothing.
    ///
    /// # Panics
    /// Never: a test asks it of every kind.
    #[must_use]
    pub fn shape(self) -> Shape {
        match self {
            Self::Agreement => Shape::Agreement,
            Self::Note => Shape::Note,
            Self::Session => Shape::Session,
            Self::Preparation => Shape::Preparation,
            Self::Decision => Shape::Decision,
            Self::Exports => Shape::Exports,
            Self::Charter
            | Self::Contract
            | Self::Goals
            | Self::Feedback
            | Self::Remarks
            | Self::Review
            | Self::Closing => Shape::Form(self.form().expect("these kinds have a row in the table of forms")),
        }
    }
}

/// How documents of a kind are written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A working agreement.
    Agreement,
    /// A session note.
    Note,
    /// A session.
    Session,
    /// A preparation log.
    Preparation,
    /// A decision.
    Decision,
    /// The log of what was given out.
    Exports,
    /// What a table says.
    Form(&'static Form),
}

impl DocumentKind {
    /// The id of a document of this kind, made of 16 random or hashed bytes: its last two bytes are the kind's number,
    /// so that nobody can take somebody else's document for another kind before its first entry arrives.
    #[must_use]
    pub const fn document_id(self, mut bytes: [u8; 16]) -> DocumentId {
        [bytes[14], bytes[15]] = self.number().to_be_bytes();
        DocumentId(bytes)
    }

    /// Whether a document of this id can be of the kind with this number.
    #[must_use]
    pub const fn fits(number: u16, id: &DocumentId) -> bool {
        u16::from_be_bytes([id.0[14], id.0[15]]) == number
    }
}

/// Identifies a clause, an action or a log entry inside its document: eight random bytes that the command chose,
/// so that a draft can name what it has made before anything is sealed (PROTOCOL section 2, granularity).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct ItemId(#[cbor(with = "minicbor::bytes")] pub [u8; 8]);

impl ItemId {
    /// The item with this key in a document's map.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        if key.len() != 16 || !key.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return None;
        }
        u64::from_str_radix(key, 16).ok().map(|number| Self(number.to_be_bytes()))
    }
}

impl core::fmt::Display for ItemId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl core::fmt::Debug for ItemId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ItemId({self})")
    }
}

impl serde::Serialize for ItemId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ItemId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        Self::from_key(&key).ok_or_else(|| serde::de::Error::custom("an item id has 16 hexadecimal digits"))
    }
}

/// The id of a session's note: both phones that begin the note of one planned session make the *same* document
/// (DOMAIN 2.2, SessionNote). `session` is the id of the session as created, never one resolved through an alias.
#[must_use]
pub fn note_of_session(session: &[u8; 16], space: &alliance_wire::ids::SpaceId) -> DocumentId {
    let digest =
        alliance_wire::hash::content_hash(&[b"alliance v1 note of session".as_slice(), session, &space.0].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    DocumentKind::Note.document_id(id)
}

/// The id of a person's preparation log: all devices of the person begin the *same* document in their home (DOMAIN 2.2,
/// PrepLog). It tells nothing of its own: whoever knows the space knows it.
#[must_use]
pub fn preparation_of(home: &alliance_wire::ids::SpaceId) -> DocumentId {
    let digest = alliance_wire::hash::content_hash(&[b"alliance v1 preparation of home".as_slice(), &home.0].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    DocumentKind::Preparation.document_id(id)
}

/// The id of the log of what was given out of a space: everybody in it writes into the *same* document.
#[must_use]
pub fn exports_of(space: &alliance_wire::ids::SpaceId) -> DocumentId {
    let digest = alliance_wire::hash::content_hash(&[b"alliance v1 exports of space".as_slice(), &space.0].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    DocumentKind::Exports.document_id(id)
}

/// The id of a decision of this person: its first half follows from the person, so that the gate lets nobody else word
/// it. `random` makes it one of that person's.
#[must_use]
pub fn decision_of(person: &PersonTag, random: [u8; 16]) -> DocumentId {
    let mut id = random;
    id[..DECISION_MAKER_BYTES].copy_from_slice(&maker_of(person));
    DocumentKind::Decision.document_id(id)
}

/// Whether a decision of this id is this person's.
#[must_use]
pub fn is_decision_of(id: &DocumentId, person: &PersonTag) -> bool {
    id.0[..DECISION_MAKER_BYTES] == maker_of(person)
}

/// Bytes of a decision's id that say whose it is.
const DECISION_MAKER_BYTES: usize = 8;

fn maker_of(person: &PersonTag) -> [u8; DECISION_MAKER_BYTES] {
    let digest = alliance_wire::hash::content_hash(&[b"alliance v1 decision of".as_slice(), &person.0].concat());
    let mut maker = [0; DECISION_MAKER_BYTES];
    maker.copy_from_slice(&digest[..DECISION_MAKER_BYTES]);
    maker
}
