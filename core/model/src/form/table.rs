//! The forms (DOMAIN 2.2): what each kind of document holds.

use super::{By, Field, Form, Keeps, List, Signing, Sort, With, Word};
use crate::audience::Audience;
use crate::kind::DocumentKind;
use crate::limits::{FORM_ITEMS_MAX, FORM_SAID_MAX};

const fn all(name: &'static str, sort: Sort) -> Field {
    Field { name, sort, keeps: Keeps::All }
}

const fn newest(name: &'static str, sort: Sort) -> Field {
    Field { name, sort, keeps: Keeps::Newest }
}

const fn state(name: &'static str, by: By) -> Word {
    Word { name, by, state: true, with: &[With::Text] }
}

const fn said(name: &'static str, by: By, with: &'static [With]) -> Word {
    Word { name, by, state: false, with }
}

/// Worded by whoever adds it.
const fn texts(name: &'static str, fields: &'static [Field], words: &'static [Word]) -> List {
    List { name, fields, words, text: true, max: FORM_ITEMS_MAX }
}

const SESSION: Field = newest("session", Sort::Document);
const AUDIENCES: Sort = Sort::Word(Audience::NAMES);
/// Why somebody ends an alliance or asks for a review: in their words.
const LINE: Sort = Sort::Line;

/// What an alliance, an organisation or another space is (DOMAIN 2.1, 2.2 Alliance): who is what in it, under which
/// contract and policy, and where it stands.
const CHARTER: Form = Form {
    kind: DocumentKind::Charter,
    title: "Charter",
    one: true,
    texts: &[],
    fields: &[
        // What needs the stricter reading first: a line manager supervises only where the contract says so (DOMAIN 2.15).
        all("independence", Sort::Word(&["line_manager", "internal_independent", "external"])),
        // Who is newest needs most (E17).
        all("stage", Sort::Word(&["training", "newly_qualified", "experienced"])),
        all("employed", Sort::Word(&["yes", "no"])),
        // The title misleads (A22): people say what they call each other.
        newest("label_supervisor", LINE),
        newest("label_supervisee", LINE),
    ],
    sets: &[newest("purpose", Sort::Word(&["practice", "team_dynamics", "theme"]))],
    lists: &[
        // Only what the founder says of it counts, once; others may add what says nothing.
        List {
            name: "audience",
            fields: &[newest("audience", AUDIENCES)],
            words: &[],
            text: false,
            max: FORM_ITEMS_MAX,
        },
        // What each says of the own training and registration (B10, C11).
        texts("training", &[newest("profession", LINE), newest("registration", LINE)], &[]),
    ],
    words: &[
        state("forming", By::Anyone),
        state("active", By::Anyone),
        state("paused", By::Anyone),
        state("ending", By::Anyone),
        state("closed", By::Anyone),
        said("no_feedback_now", By::Anyone, &[]),
        said("feedback_again", By::Anyone, &[]),
        // Which contract holds here, and which packs: the file lies beside it, and the text is its name.
        said("adopted_contract", By::Anyone, &[With::Date, With::Text]),
        said("adopted_pack", By::Anyone, &[With::Date, With::Text]),
        // Whom a contract binds has read it.
        said("acknowledged", By::Anyone, &[With::Date, With::Text]),
        // What everybody says so of holds no longer.
        said("released", By::Anyone, &[With::Text]),
        said("handed_over", By::Anyone, &[With::Date, With::Text]),
    ],
    signed: None,
    files: true,
};

/// The overall contract of an organisation (DOMAIN 2.2; A04, A05, A39, B11). What must be said first is A39's list.
const CONTRACT: Form = Form {
    kind: DocumentKind::Contract,
    title: "Overall contract",
    one: false,
    texts: &[
        "purpose",
        "manner",
        "responsibilities",
        "assessment_methods",
        "confidentiality_limits",
        "employer_commitments",
    ],
    fields: &[
        all("organisation", LINE),
        all("attendance_projection", Sort::Word(&["none", "dates", "dates_parties"])),
        all("line_manager_supervises", Sort::Word(&["no", "yes"])),
        all("retention_months", Sort::Number(1, 1_200)),
        all("cadence_days", Sort::Number(1, 366)),
        all("cadence_days_newly_qualified", Sort::Number(1, 366)),
        all("valid_from", Sort::Date),
    ],
    sets: &[
        newest("codes", LINE),
        newest("kinds_allowed", Sort::Word(crate::meeting::MeetingKind::NAMES)),
        newest("disclosure_grounds", LINE),
    ],
    lists: &[],
    words: &[state("superseded", By::Anyone), state("withdrawn", By::Anyone)],
    // The employer signs; whom it binds, if they are named.
    signed: Some(Signing {
        needed: &[
            "organisation",
            "purpose",
            "manner",
            "responsibilities",
            "assessment_methods",
            "confidentiality_limits",
            "attendance_projection",
            "retention_months",
        ],
        persons: 1,
    }),
    files: false,
};

/// Learning goals (DOMAIN 2.2; A28, A43, A44, B03, B07). Whose eyes a goal is for says the space that it lives in.
const GOALS: Form = Form {
    kind: DocumentKind::Goals,
    title: "Learning goals",
    one: true,
    texts: &[],
    fields: &[],
    sets: &[],
    lists: &[texts(
        "goal",
        &[newest(
            "area",
            Sort::Word(&[
                "reasoning",
                "communication",
                "confidence_with_uncertainty",
                "knowledge",
                "skill",
                "relationship",
                "wellbeing",
                "other",
            ]),
        )],
        &[
            state("proposed", By::Author),
            state("agreed", By::Anyone),
            state("working", By::Author),
            state("reviewed", By::Anyone),
            state("achieved", By::Author),
            state("revised", By::Author),
            state("dropped", By::Author),
            said("review_on", By::Anyone, &[With::Date]),
            said("progress", By::Anyone, &[With::Date, With::Number(4), With::Text]),
        ],
    )],
    words: &[],
    signed: None,
    files: false,
};

/// Feedback in any direction (DOMAIN 2.2; A25, A30, A31).
const FEEDBACK: Form = Form {
    kind: DocumentKind::Feedback,
    title: "Feedback",
    one: true,
    texts: &[],
    fields: &[],
    sets: &[],
    lists: &[texts(
        "feedback",
        &[
            newest("to", Sort::Person),
            newest("sort", Sort::Word(&["non_evaluative", "evaluative"])),
            newest("timing", Sort::Word(&["spontaneous", "review"])),
            SESSION,
        ],
        &[said("acknowledged", By::Named("to"), &[With::Text]), said("retracted", By::Author, &[])],
    )],
    words: &[],
    signed: None,
    files: false,
};

/// What people say beside a session's note (DOMAIN 2.2): what one sees that the other may find useful (A29), strengths
/// (B03, C06), challenges with what they rest on (1.D, D4), criteria of good practice (A15).
const REMARKS: Form = Form {
    kind: DocumentKind::Remarks,
    title: "Remarks",
    one: true,
    texts: &[],
    fields: &[],
    sets: &[],
    lists: &[
        texts(
            "perspective",
            &[SESSION],
            &[said("useful", By::Others, &[With::Text]), said("not_useful", By::Others, &[With::Text])],
        ),
        texts("strength", &[newest("of", Sort::Person), SESSION], &[]),
        texts(
            "challenge",
            &[
                newest("topic", LINE),
                newest("evidence", LINE),
                newest("evidence_session", Sort::Document),
                newest("clause", LINE),
                SESSION,
            ],
            &[said("answered", By::Others, &[With::Text])],
        ),
        texts("criterion", &[], &[said("shared", By::Others, &[With::Text])]),
    ],
    words: &[],
    signed: None,
    files: false,
};

/// A review of how it goes (DOMAIN 2.2, 2.4; B01, B13, E04): who answers what, and what both do with it.
const REVIEW: Form = Form {
    kind: DocumentKind::Review,
    title: "Review",
    one: false,
    texts: &["summary"],
    fields: &[
        all("due", Sort::Date),
        all("held_on", Sort::Date),
        newest("held_session", Sort::Document),
        all("outcome", Sort::Word(&["renegotiate", "amend", "end", "continue"])),
    ],
    sets: &[],
    lists: &[texts(
        "answer",
        &[newest(
            "question",
            Sort::Word(&["purpose", "benefits", "what_happens", "improve", "relationship", "agreement", "goals"]),
        )],
        &[],
    )],
    words: &[state("planned", By::Anyone), state("held", By::Anyone)],
    signed: Some(Signing { needed: &["outcome"], persons: 2 }),
    files: false,
};

/// What is said at the end, for whoever goes on (DOMAIN 2.4, ending and hand-over).
const CLOSING: Form = Form {
    kind: DocumentKind::Closing,
    title: "Closing summary",
    one: false,
    texts: &["summary", "open_questions"],
    fields: &[all("ends_on", Sort::Date), newest("reason", LINE)],
    sets: &[],
    lists: &[],
    words: &[],
    signed: Some(Signing { needed: &["summary", "ends_on"], persons: 2 }),
    files: false,
};

/// Every form.
pub const FORMS: &[Form] = &[CHARTER, CONTRACT, GOALS, FEEDBACK, REMARKS, REVIEW, CLOSING];

/// Entries of a log that a command may make it grow to.
pub(super) const SAID_MAX: usize = FORM_SAID_MAX;

/// The form of a kind of document, if it is one.
#[must_use]
pub fn form_of(kind: DocumentKind) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.kind == kind)
}
