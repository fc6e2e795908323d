//! What the people of the demo write, and the words of it that are looked for in the relay's files: words that stand in
//! no program and no schema.

pub(super) const PAIR: &str = "Amina and Ben";
pub(super) const GROUP: &str = "Thursday circle";

pub(super) const TITLE: &str = "The locked kitchen";
pub(super) const EXPLORATION: &str = "The grandmother would not let me into the kitchen. I left earlier than planned.";
pub(super) const AMINA_BEHIND: &str = "into the kitchen.";
pub(super) const AMINA_INSERTS: &str = " I felt ashamed in front of the neighbours.";
pub(super) const BEN_BEHIND: &str = AMINA_BEHIND;
pub(super) const BEN_INSERTS: &str = " What would the grandmother say about that afternoon?";
pub(super) const UNDERSTANDING: &str = "A locked door can protect dignity, not hide a secret.";
pub(super) const ACTION: &str = "Visit again on Tuesday, bring mangoes";

pub(super) const VENUE: &str = "under the jacaranda tree";
pub(super) const MUST: &str = "We must keep what is said under the jacaranda between us.";
pub(super) const MAY: &str = "We may interrupt each other with questions and laughter.";

pub(super) const GROUP_TITLE: &str = "Who visits whom in the rainy season";
pub(super) const GROUP_LINES: &[&str] =
    &["Ferries stop at noon.\n", "The valley road floods first.\n", "My motorbike needs new tyres.\n"];

/// Amina's and Ben's words: in Amina's export too.
const SHARED: &[&str] = &[
    TITLE,
    EXPLORATION_BEGINS,
    UNDERSTANDING,
    ACTION,
    VENUE,
    MUST,
    MAY,
    "grandmother",
    "kitchen",
    "ashamed",
    "neighbours",
    "afternoon",
    "dignity",
    "mangoes",
    "jacaranda",
    "laughter",
    GROUP_TITLE,
    "Ferries",
    "valley road",
    "motorbike",
    "tyres",
];
const EXPLORATION_BEGINS: &str = "The grandmother would not let me into the kitchen.";

/// Names of people and of spaces: no relay learns them.
const NAMES: &[&str] = &["Amina", "Chidi", PAIR, GROUP];

/// Everything that the relay must not hold.
pub(super) fn words() -> Vec<&'static str> {
    SHARED.iter().chain(NAMES).copied().collect()
}

/// What a readable export of Amina's store must hold.
pub(super) fn words_of_amina() -> Vec<&'static str> {
    SHARED.to_vec()
}
