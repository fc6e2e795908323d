//! One document under attack, and what should become of it.

use std::collections::BTreeMap;

use alliance_document::gate::{Candidate, Gate, Rules, Verdict, Waiting};
use alliance_document::{Actor, Document, ViewContext, seal};
use alliance_model::note::{NoteCommand as N, Stage, Transition};
use alliance_model::{CivilDate, Command, DocumentKind, ItemId, Splice};
use alliance_tests::mutate::Mutator;
use alliance_wire::limits::ACTORS_MAX;
use alliance_wire::{DeviceKey, DocumentId, Incarnation};

const KIND: DocumentKind = DocumentKind::Note;
const ACTION: ItemId = ItemId([1; 8]);

/// Mutations that no honest program can have made, whatever the change: a code must say so.
const NEVER_ADMITTED: &[&str] = &[
    "seq",
    "genesis actor",
    "another's actor",
    "random actor",
    "time",
    "message",
    "footer",
    "chunk type",
    "no deps",
    "dep twice",
    "unknown dep",
    "deflate bit",
    "expand column",
    "the root",
];

/// An edit of a section.
pub(crate) fn edit(stage: Stage, pos: u32, delete: u32, insert: &str) -> Command {
    Command::Note(N::EditSection { stage, splice: Splice { pos, delete, insert: insert.into() } })
}

/// A change to be sent, by which of the hostile member's actors.
pub(crate) struct Attack {
    pub(crate) actor: u8,
    pub(crate) bytes: Vec<u8>,
    pub(crate) what: &'static str,
    /// The verdict that every replica should come to.
    pub(crate) verdict: Verdict,
}

/// A document as a replica has it that took everything in one by one.
pub(crate) struct Target {
    pub(crate) id: DocumentId,
    log: (DeviceKey, Incarnation),
    gate: Gate,
    pub(crate) document: Document,
    history: Vec<Vec<u8>>,
    /// The hostile member's actor in use.
    actor: u8,
    authors: BTreeMap<[u8; 16], &'static str>,
    /// Codes of what was parked or waits.
    pub(crate) codes: BTreeMap<String, u64>,
}

impl Target {
    /// A note of which nothing is known.
    pub(crate) fn new(id: DocumentId, log: (DeviceKey, Incarnation)) -> Self {
        let (gate, document) = (Gate::new(id, KIND, Rules::ALL), Document::new(id, KIND));
        let (history, authors, codes) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { id, log, gate, document, history, actor: 0, authors, codes }
    }

    fn actor(&self, n: u8) -> Actor {
        Actor::of(self.log.0, self.log.1, self.id, n).expect("below the limit")
    }

    /// The hostile member's first change, which is an honest one.
    pub(crate) fn begin(&mut self) -> Vec<u8> {
        let commands = [
            edit(Stage::Exploration, 0, 0, "Yes. We met under the tree, as we do every month."),
            Command::Note(N::AddAction { id: ACTION, after: None }),
            Command::Note(N::EditAction { id: ACTION, splice: Splice::insert(0, "call the clinic") }),
            edit(Stage::Focus, 0, 0, "No"),
        ];
        let bytes = self.write(0, &commands).expect("a fresh document takes these commands");
        let verdict = self.take(self.actor(0), "Mallory", &bytes);
        assert_eq!(verdict, Verdict::Admitted);
        bytes
    }

    /// Takes in what an honest member wrote.
    pub(crate) fn receive(
        &mut self,
        log: (DeviceKey, Incarnation),
        name: &'static str,
        actor: u8,
        changes: &[Vec<u8>],
    ) {
        let actor = Actor::of(log.0, log.1, self.id, actor).expect("below the limit");
        for bytes in changes {
            let verdict = self.take(actor, name, bytes);
            assert_eq!(verdict, Verdict::Admitted, "what honest people write");
        }
    }

    /// An honest change of one of the hostile member's actors, if these commands fit what the document became.
    fn write(&self, n: u8, commands: &[Command]) -> Option<Vec<u8>> {
        let sealed = seal(&self.document, &self.document.heads(), self.actor(n), commands).ok()?;
        sealed.into_iter().next().map(|change| change.bytes)
    }

    /// The change that is mutated: it touches most kinds of objects.
    fn honest(&self, n: u8) -> Option<Vec<u8>> {
        let date = CivilDate::new(2026, 11, 5).expect("a date");
        self.write(
            n,
            &[
                edit(Stage::Exploration, 8, 5, "wrote ä"),
                edit(Stage::Focus, 0, 1, "w"),
                Command::Note(N::SetDate { date }),
                Command::Note(N::EditAction {
                    id: ACTION,
                    splice: Splice { pos: 0, delete: 4, insert: "visit".into() },
                }),
                Command::Note(N::MarkAction {
                    id: ACTION,
                    op: ItemId([0x20 + n; 8]),
                    transition: Transition::Done,
                    cites: Vec::new(),
                }),
                Command::Note(N::AddAction { id: ItemId([0x30 + n; 8]), after: Some(ACTION) }),
            ],
        )
    }

    /// Up to `count` mutations; fewer if the hostile member's actors are used up. An actor whose mutation was admitted,
    /// or waits for ever, has no use for mutations of the same number.
    pub(crate) fn attacks(&mut self, seed: u64, count: usize) -> Vec<Attack> {
        let mut attacks = Vec::new();
        while attacks.len() < count && self.actor < ACTORS_MAX {
            let Some(honest) = self.honest(self.actor) else { break };
            let mixed = seed ^ u64::from_be_bytes(self.id.0[..8].try_into().expect("eight bytes"));
            let Some(mut mutator) = Mutator::new(mixed ^ u64::from(self.actor), &honest, &self.history) else { break };
            while attacks.len() < count {
                let mutation = mutator.next_mutation();
                let (bytes, what) = (mutation.bytes, mutation.what);
                let actor = self.actor;
                let verdict = self.take(self.actor(actor), "Mallory", &bytes);
                assert!(verdict != Verdict::Admitted || !NEVER_ADMITTED.contains(&what), "{what} was admitted");
                attacks.push(Attack { actor, bytes, what, verdict });
                if matches!(verdict, Verdict::Admitted | Verdict::Waiting(_)) {
                    self.actor += 1;
                    break;
                }
            }
        }
        attacks
    }

    /// The positive control: the change that was mutated, as it was; absent if no actor is left.
    pub(crate) fn control(&mut self) -> Option<Attack> {
        let actor = self.actor;
        let bytes = if actor < ACTORS_MAX { self.honest(actor)? } else { return None };
        let verdict = self.take(self.actor(actor), "Mallory", &bytes);
        assert_eq!(verdict, Verdict::Admitted, "an honest change after many parked ones");
        Some(Attack { actor, bytes, what: "nothing", verdict })
    }

    fn take(&mut self, actor: Actor, name: &'static str, bytes: &[u8]) -> Verdict {
        let before = self.document.content_id();
        let candidate =
            Candidate { entry: 0, actor, person: None, schema: KIND.schema(), changes: vec![bytes.to_vec()] };
        let judged = self.gate.judge(std::slice::from_ref(&candidate));
        self.document.apply(&judged.admitted).expect("the gate lets nothing through on which the engine fails");
        let verdict = judged.verdicts[0].1;
        let code = match verdict {
            Verdict::Admitted => {
                self.document.verified_save().expect("what was applied can be saved and loaded");
                self.history.push(bytes.to_vec());
                self.authors.insert(actor.0, name);
                return verdict;
            }
            Verdict::ParkedForGood(code) => code.code(),
            Verdict::Waiting(Waiting::Missing) => "WAITING_FOR_CHANGE",
            Verdict::Waiting(Waiting::Behind | Waiting::SchemaNewer) | Verdict::ParkedUntilUpdate(_) => {
                unreachable!("nothing is held here: {verdict:?}")
            }
        };
        assert_eq!(self.document.content_id(), before, "{code} changes nothing");
        *self.codes.entry(code.to_owned()).or_default() += 1;
        verdict
    }

    /// What a person should see.
    pub(crate) fn view(&self) -> serde_json::Value {
        let author = |actor: &[u8]| {
            let actor = <[u8; 16]>::try_from(actor).ok();
            actor.and_then(|actor| self.authors.get(&actor)).map_or("unknown", |name| name).to_owned()
        };
        let context = ViewContext { author: &author, verifies: Some(&|_| false), ..ViewContext::BARE };
        let view = self.document.view(context).expect("a view");
        serde_json::to_value(view).expect("a view is plain data")
    }
}
