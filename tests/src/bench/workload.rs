//! The workload "a team's quarter": 20 alliances of 50 session notes each, every note written by two people in turns.
//!
//! A port of a generator in Python, whose output is known by its SHA-256 ([`SHA256`] for seed 7): the figures of other
//! programs (docs/BENCHMARKS.md) were taken with the same notes. All text is ASCII, so that characters, bytes and UTF-16
//! units are counted alike.

mod python;

use serde::Serialize;

use python::Random;

/// The hash of [`Workload::json`] for seed 7.
pub const SHA256: &str = "f4206910563c5522203fedfda406833fd2df0639d57f0c6f0943aff080bec9c3";
/// Alliances of the whole workload.
pub const ALLIANCES: usize = 20;
/// Notes of an alliance.
pub const NOTES: usize = 50;

/// The sections that people write into, in the order of their weights.
pub const FIELDS: [&str; 4] = ["focus_question", "exploration", "understanding", "action"];
/// The functions of supervision.
pub const FUNCTIONS: [&str; 4] = ["management", "development", "support", "mediation"];

const WORDS: &str = include_str!("workload/words.txt");
const NAMES: [&str; 20] = [
    "Ada", "Bruno", "Carla", "Dario", "Elin", "Farid", "Greta", "Hana", "Ivo", "Jana", "Karim", "Lena", "Marco",
    "Nadia", "Oskar", "Pia", "Rafa", "Sofia", "Timo", "Vera",
];
const KINDS: [&str; 6] = ["consultation", "observation", "coaching", "mediation", "network meeting", "phone"];
/// Running sums of how often a field is written into: 1, 5, 4, 2.
const FIELD_SUMS: [f64; 4] = [1.0, 6.0, 10.0, 12.0];
/// How much of a note's first text each field has.
const SHARES: [f64; 4] = [0.12, 0.43, 0.32, 0.13];

/// All notes. The fields of these types are in alphabetical order: that is their order in the known bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Workload {
    /// The notes.
    pub docs: Vec<Note>,
    /// What they follow from.
    pub seed: u64,
}

/// One note: how it begins, who edits what, how it ends.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// How it begins; by the first author.
    pub base: State,
    /// What is done to it, in order.
    pub edits: Vec<Edit>,
    /// How it ends.
    #[serde(rename = "final")]
    pub end: State,
    /// `aNN-nNN`.
    pub id: String,
}

/// A note at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// A section.
    pub action: String,
    /// What is to be done.
    pub actions: Vec<Action>,
    /// The date as `YYYY-MM-DD`.
    pub date: String,
    /// A section.
    pub exploration: String,
    /// A section.
    pub focus_question: String,
    /// Weights in percent.
    pub functions: Functions,
    /// The kind of meeting.
    pub kind: String,
    /// The title.
    pub title: String,
    /// A section.
    pub understanding: String,
}

/// An action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Whether it is done.
    pub done: bool,
    /// Until when.
    pub due: String,
    /// Who does it.
    pub owner: String,
    /// What.
    pub text: String,
}

/// The weights of the functions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Functions {
    /// In percent.
    pub development: u8,
    /// In percent.
    pub management: u8,
    /// In percent.
    pub mediation: u8,
    /// In percent.
    pub support: u8,
}

/// One edit by one of two authors.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Edit {
    /// Inserts text.
    Insert {
        /// The author, 0 or 1.
        a: usize,
        /// The field.
        f: &'static str,
        /// `ins`.
        op: &'static str,
        /// Where.
        p: usize,
        /// What.
        t: String,
    },
    /// Deletes text.
    Delete {
        /// The author, 0 or 1.
        a: usize,
        /// The field.
        f: &'static str,
        /// How many characters.
        n: usize,
        /// `del`.
        op: &'static str,
        /// Where.
        p: usize,
    },
    /// Sets a value.
    Set {
        /// The author, 0 or 1.
        a: usize,
        /// `set`.
        op: &'static str,
        /// Which: a field, or `functions` and a name, or `actions`, an index and `done`.
        path: Vec<Step>,
        /// To what.
        v: Value,
    },
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A field.
    Field(&'static str),
    /// An index.
    Index(usize),
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A weight.
    Weight(u8),
    /// That it is done.
    Done(bool),
    /// A text.
    Text(String),
}

impl Edit {
    /// Who edits: 0 or 1.
    #[must_use]
    pub const fn author(&self) -> usize {
        match self {
            Self::Insert { a, .. } | Self::Delete { a, .. } | Self::Set { a, .. } => *a,
        }
    }
}

impl Note {
    /// The edits in turns: what one author does before it is the other's turn. One turn is one editing session.
    pub fn turns(&self) -> impl Iterator<Item = &[Edit]> {
        self.edits.chunk_by(|a, b| a.author() == b.author())
    }
}

impl State {
    /// A section's text.
    #[must_use]
    pub fn section(&self, field: &str) -> &str {
        match field {
            "focus_question" => &self.focus_question,
            "exploration" => &self.exploration,
            "understanding" => &self.understanding,
            _ => &self.action,
        }
    }

    fn section_mut(&mut self, field: &str) -> &mut String {
        match field {
            "focus_question" => &mut self.focus_question,
            "exploration" => &mut self.exploration,
            "understanding" => &mut self.understanding,
            _ => &mut self.action,
        }
    }
}

impl Workload {
    /// The workload of a seed: [`ALLIANCES`] times [`NOTES`] notes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut writer = Writer::new(seed);
        let places = (0..ALLIANCES).flat_map(|alliance| (0..NOTES).map(move |number| (alliance, number)));
        Self { docs: places.map(|(alliance, number)| writer.note(alliance, number)).collect(), seed }
    }

    /// The known bytes.
    ///
    /// # Panics
    /// Never: strings and numbers can be written as JSON.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers")
    }

    /// How many turns there are: entries of the two authors.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.docs.iter().map(|note| note.turns().count()).sum()
    }
}

struct Writer {
    random: Random,
    words: Vec<&'static str>,
    sums: Vec<f64>,
    /// Whether the next word begins a sentence.
    begins: bool,
}

impl Writer {
    fn new(seed: u64) -> Self {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let mut sum = 0.0;
        let weights = (0..words.len()).map(|at| 1.0 / (at as f64 + 3.0).powf(0.75));
        let sums = weights.map(|weight| {
            sum += weight;
            sum
        });
        Self { random: Random::new(seed), sums: sums.collect(), words, begins: true }
    }

    /// About `len` characters of words.
    fn text(&mut self, len: usize) -> String {
        let (mut out, mut written) = (Vec::new(), 0);
        while written < len {
            let mut word = self.random.weighted(&self.words, &self.sums).to_owned();
            if std::mem::take(&mut self.begins) {
                word[..1].make_ascii_uppercase();
            }
            let drawn = self.random.random();
            if drawn < 0.08 {
                word.push('.');
                self.begins = true;
            } else if drawn < 0.13 {
                word.push(',');
            }
            written += word.len() + 1;
            out.push(word);
        }
        let mut text = out.join(" ");
        text.truncate(len.saturating_sub(1).max(1));
        text.push(' ');
        text
    }

    fn action(&mut self) -> Action {
        let len = self.random.between(20, 60);
        let text = self.text(len).trim().to_owned();
        let owner = self.random.choice(&NAMES).to_owned();
        let (month, day) = (self.random.between(2, 6), self.random.between(1, 28));
        Action { done: false, due: format!("2026-{month:02}-{day:02}"), owner, text }
    }

    #[expect(clippy::cast_possible_truncation, reason = "lengths of a few thousand, cut as the original cuts them")]
    fn note(&mut self, alliance: usize, number: usize) -> Note {
        let target = (self.random.log_normal(7.25, 0.5) as usize).clamp(500, 4_000);
        let name = self.random.choice(&NAMES);
        let mut base = State {
            title: format!("Alliance {alliance:02} session {number:02} {name}"),
            date: format!("2026-{:02}-{:02}", 1 + number / 17, 1 + (number * 5) % 28),
            kind: self.random.choice(&KINDS).to_owned(),
            functions: Functions::default(),
            actions: Vec::new(),
            focus_question: String::new(),
            exploration: String::new(),
            understanding: String::new(),
            action: String::new(),
        };
        base.actions = (0..self.random.between(1, 3)).map(|_| self.action()).collect();
        let (low, high) = if target >= 900 { (10, 60) } else { (10, 22) };
        let by_edits = 15 * (low + high) - 4 * 15;
        let first = target.saturating_sub(by_edits).max(60);
        for (field, share) in FIELDS.into_iter().zip(SHARES) {
            *base.section_mut(field) = self.text(((first as f64 * share) as usize).max(8));
        }
        let mut note = Note { end: base.clone(), base, edits: Vec::new(), id: format!("a{alliance:02}-n{number:02}") };
        let mut ops = [vec!["app"; 24], vec!["mid"; 6], vec!["del"; 4], vec!["set"; 6]].concat();
        self.random.shuffle(&mut ops);
        let (mut author, mut left) = (0, self.random.between(1, 8));
        for op in ops {
            if left == 0 {
                author ^= 1;
                left = self.random.between(1, 8);
            }
            left -= 1;
            let field = self.random.weighted(&FIELDS, &FIELD_SUMS);
            let edit = self.edit(&mut note.end, op, author, field, (low, high));
            note.edits.push(edit);
        }
        note
    }

    fn edit(&mut self, now: &mut State, op: &str, a: usize, f: &'static str, (low, high): (usize, usize)) -> Edit {
        let text = now.section_mut(f);
        match op {
            "app" => {
                let len = self.random.between(low, high);
                let (p, t) = (text.len(), self.text(len));
                text.push_str(&t);
                Edit::Insert { a, f, op: "ins", p, t }
            }
            "mid" => {
                let p = self.random.between(0, text.len());
                let len = self.random.between(low, high);
                let t = self.text(len);
                text.insert_str(p, &t);
                Edit::Insert { a, f, op: "ins", p, t }
            }
            "del" => {
                let n = self.random.between(5, 25).min(text.len() - 1);
                let p = self.random.between(0, text.len() - n);
                text.replace_range(p..p + n, "");
                Edit::Delete { a, f, n, op: "del", p }
            }
            _ => self.set(now, a),
        }
    }

    fn set(&mut self, now: &mut State, a: usize) -> Edit {
        let drawn = self.random.random();
        let (path, v) = if drawn < 0.5 {
            let name = self.random.choice(&FUNCTIONS);
            let weight = u8::try_from(self.random.between(1, 18) * 5).unwrap_or(u8::MAX);
            *match name {
                "management" => &mut now.functions.management,
                "development" => &mut now.functions.development,
                "support" => &mut now.functions.support,
                _ => &mut now.functions.mediation,
            } = weight;
            (vec![Step::Field("functions"), Step::Field(name)], Value::Weight(weight))
        } else if drawn < 0.75 {
            let at = self.random.below(now.actions.len());
            now.actions[at].done = true;
            (vec![Step::Field("actions"), Step::Index(at), Step::Field("done")], Value::Done(true))
        } else if drawn < 0.9 {
            now.kind = self.random.choice(&KINDS).to_owned();
            (vec![Step::Field("kind")], Value::Text(now.kind.clone()))
        } else {
            let (month, day) = (self.random.between(1, 3), self.random.between(1, 28));
            now.date = format!("2026-{month:02}-{day:02}");
            (vec![Step::Field("date")], Value::Text(now.date.clone()))
        };
        Edit::Set { a, op: "set", path, v }
    }
}
