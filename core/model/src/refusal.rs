//! Refusals as data: a stable code and parameters, equal online and offline (DOMAIN 2.8). The English sentences are
//! one table here; other languages come from packs.

use core::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident $code:literal $sentence:literal, $next:literal;)+) => {
        /// Why a command was refused. Codes are stable; those of DOMAIN 2.8 keep their names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RefusalCode {
            $($(#[$doc])* $variant,)+
        }

        impl RefusalCode {
            /// Every code, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What happened, in one English sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }

            /// What to do next, in one English sentence.
            #[must_use]
            pub const fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next,)+ }
            }
        }
    };
}

refusals! {
    /// The person is no member of the space.
    NotMember "NOT_MEMBER" "You are not a member of this space.", "Ask a member of the space for an invitation.";
    /// The person's role does not allow the command.
    RoleForbids "ROLE_FORBIDS" "Your role in this space does not allow this.", "Ask the steward of the space for another role.";
    /// The steward cannot leave its space.
    LastSteward "LAST_STEWARD" "A space cannot go on without its steward.", "End the space instead.";
    /// A document's or note's kind is fixed once chosen.
    KindFixed "KIND_FIXED" "The kind is fixed once it is chosen.", "Write a new note of the other kind.";
    /// The policy of the kind of meeting does not allow it: `kind` and `rule` say which.
    KindForbids "KIND_FORBIDS" "This kind of meeting or space does not allow this.", "Use a meeting or a space of the kind that does; the parameters say which rule it is.";
    /// The kind of meeting does not allow evidence from there: management never cites clinical sessions.
    EvidenceSource "EVIDENCE_SOURCE" "What is challenged here may not rest on this evidence.", "Name evidence that this kind of meeting allows, or leave it out.";
    /// The supervisor stands in the supervisee's line.
    Independence "INDEPENDENCE" "A line manager supervises here only where the overall contract says so.", "Choose a supervisor outside the line, or change the contract first.";
    /// There is no overall contract, or its terms are loosened.
    ContractRequired "CONTRACT_REQUIRED" "This agreement needs an overall contract, or may not loosen the one that it has.", "Take the employer's contract in first, and keep to its terms.";
    /// Notes would be kept longer than the contract lets them.
    RetentionLongerThanContract "RETENTION_LONGER_THAN_CONTRACT" "The contract does not let notes be kept this long.", "Choose at most the time that the contract names.";
    /// Not everybody concerned has signed an agreement that is in force.
    NoActiveAgreement "NO_ACTIVE_AGREEMENT" "No agreement is in force with everybody whom this concerns.", "Propose the agreement, and let everybody sign it.";
    /// Somebody asked for no more feedback at the moment.
    FeedbackPaused "FEEDBACK_PAUSED" "This person asked for no more feedback just now.", "Wait until the person takes the pause back, or bring it to the next review.";
    /// A pack would allow more than the shipped policy does.
    PackLoosens "PACK_LOOSENS" "This pack allows more than the policy that it would tighten.", "Ask whoever made it for one without what is named.";
    /// The agreed record rule does not allow this content.
    RecordRule "RECORD_RULE" "You agreed not to keep this content.", "Change the record rule in the agreement first.";
    /// Only the author may do this.
    NotAuthor "NOT_AUTHOR" "Only its author can change this.", "Add your own paragraph.";
    /// The person does not sign this text.
    NotParty "NOT_PARTY" "You are not one of those who sign this.", "Propose a version that you are a party of.";
    /// What the signer was shown is not what is signed.
    StaleText "STALE_TEXT" "This is not the text that you would sign.", "The text changed; read the new version.";
    /// The person has signed on this device.
    AlreadySigned "ALREADY_SIGNED" "You have signed this already.", "Wait for the others to sign.";
    /// The person has signed on another of its devices: that counts once.
    SamePersonCosign "SAME_PERSON_COSIGN" "You have signed this on another of your devices.", "The other person signs on their own device.";
    /// Everybody who was present has confirmed the note.
    LockedNote "LOCKED_NOTE" "This note is locked: everybody who was present has confirmed it.", "Add an addendum.";
    /// Two texts of a note were locked apart.
    TwoLocks "TWO_LOCKS" "Two texts of this note were locked while you were apart.", "Read both, and let everybody confirm one of them once more.";
    /// Everybody who has to has sealed a decision.
    Sealed "SEALED" "All have signed this: it never changes.", "Begin a new one.";
    /// A file that was given out is not what was signed.
    ExportBroken "EXPORT_BROKEN" "This file is not what the signature beside it is of.", "Ask for both files again; do not rely on these.";
    /// A file of decisions is not what it says.
    TrailBroken "TRAIL_BROKEN" "This file is not the trail of decisions that people sealed.", "Ask for the file again; do not rely on this one.";
    /// A file is no pack that can be read, or not what was signed.
    PackBroken "PACK_BROKEN" "This file is no pack, or not the one that was signed.", "Ask for the file again; do not rely on this one.";
    /// Two sessions are one already.
    AlreadyMerged "ALREADY_MERGED" "These are one session already.", "Show the session; it has everything of both.";
    /// Two sessions of different spaces.
    DifferentAlliance "DIFFERENT_ALLIANCE" "These sessions are in different spaces.", "Merge sessions of one space.";
    /// Something must be said before the agreement is proposed.
    Incomplete "INCOMPLETE" "It does not say yet what it has to.", "Write what is named.";
    /// There is nothing to sign.
    NothingProposed "NOTHING_PROPOSED" "Nothing was proposed yet.", "Propose the agreement, or wait for the other's proposal.";
    /// People said different things about a field.
    NeedsChoice "NEEDS_CHOICE" "People wrote different things here while apart.", "Choose the value that holds first.";
    /// No tag of a language.
    LanguageInvalid "LANGUAGE_INVALID" "This is not the tag of a language.", "Write a tag such as en, sw or ar-SD.";
    /// A newer version of the program wrote the document.
    SchemaNewer "SCHEMA_NEWER" "A newer version wrote this.", "You can read it; update to edit.";
    /// The view that the command was made on is too old to be mapped.
    StaleView "STALE_VIEW" "The text changed while you were writing.", "Look at the new text and try again.";
    /// The command belongs to another document type.
    WrongKind "WRONG_KIND" "This document is of another type.", "Use the command of this document's type.";
    /// No such clause, action or log entry is in the document.
    UnknownItem "UNKNOWN_ITEM" "There is no such item in this document.", "Show the document and choose one of its items.";
    /// An item with this id is there already.
    ItemExists "ITEM_EXISTS" "An item with this id is already there.", "Try again with a new id.";
    /// A place outside the text.
    PositionOutOfRange "POSITION_OUT_OF_RANGE" "The place is outside the text.", "Look at the text and choose a place inside it.";
    /// A field that may not be empty is empty, or a command that does nothing.
    TextEmpty "TEXT_EMPTY" "There is nothing to write.", "Write something first.";
    /// A text above its limit.
    TextTooLong "TEXT_TOO_LONG" "The text is too long.", "Shorten it, or write it in parts.";
    /// Characters that may not stand in a text.
    TextInvalid "TEXT_INVALID" "The text holds characters that cannot be kept.", "Remove control characters.";
    /// More items than the document may have.
    TooManyItems "TOO_MANY_ITEMS" "The document has as many items as it may have.", "Remove one, or begin another document.";
    /// A weight above 100.
    WeightInvalid "WEIGHT_INVALID" "A weight is a number from 0 to 100.", "Choose a weight from 0 to 100.";
    /// A function that no scheme has.
    UnknownFunction "UNKNOWN_FUNCTION" "No scheme has this function.", "Choose a function of the agreed scheme.";
    /// Others would read it who cannot now, and not all have signed it.
    ScopeLeak "SCOPE_LEAK" "People would read this who cannot read it now.", "Let everybody whom it concerns sign it first; what all have signed can be handed over.";
    /// No field of this document.
    UnknownField "UNKNOWN_FIELD" "This document has no such field.", "Show the document and choose one of its fields.";
    /// No word that may stand here.
    UnknownWord "UNKNOWN_WORD" "This word may not stand here.", "Choose one of the words that are shown.";
    /// A signed file is not what it says.
    SignedBroken "SIGNED_BROKEN" "This file is not a text that all have signed.", "Ask for the file again; do not rely on this one.";
    /// No date of the calendar.
    DateInvalid "DATE_INVALID" "This is not a date of the calendar.", "Write the date as 2026-11-30.";
    /// No time of day.
    TimeInvalid "TIME_INVALID" "This is not a time of day.", "Write the time as 14:30.";
    /// A session is closed of which nobody has said that it took place or was missed.
    NotHeld "NOT_HELD" "Nobody has said whether this session took place, or people said different things.", "Say first that it was held or missed.";
    /// What somebody prepares is for that person's devices only (DOMAIN 2.6 row 6).
    Private "PRIVATE" "What you prepare is yours alone.", "Keep it in your own log; share items one by one.";
    /// A number outside its range.
    NumberInvalid "NUMBER_INVALID" "The number is outside its range.", "Choose a number in the range that is shown.";
    /// A display name against the rule.
    NameInvalid "NAME_INVALID" "This name cannot be used.", "Use at most 64 characters, without control characters.";
    /// A search for nothing.
    QueryEmpty "QUERY_EMPTY" "There is nothing to search for.", "Write a word, a part of one, or an emoji.";
    /// A search for more than a query may hold.
    QueryTooLong "QUERY_TOO_LONG" "The search is too long.", "Search for a few words of it.";
}

/// A refused command: a code and its parameters. Parameters carry numbers and names of fields, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: RefusalCode,
    /// Named parameters, in the order in which they were added.
    pub params: Vec<(String, String)>,
}

impl Refusal {
    /// A refusal without parameters.
    #[must_use]
    pub const fn new(code: RefusalCode) -> Self {
        Self { code, params: Vec::new() }
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.sentence())?;
        for (name, value) in &self.params {
            write!(f, " ({name}: {value})")?;
        }
        write!(f, " {}", self.code.next_step())
    }
}

impl core::error::Error for Refusal {}
