//! A person's device as the document tests need it: a published document, its gate, an actor.

use alliance_document::gate::{Candidate, Gate, Judged, Rules, Verdict};
use alliance_document::{Actor, Document, Heads, View, ViewContext, seal};
use alliance_model::kind::decision_of;
use alliance_model::{AgreementView, CivilDate, Command, Cosignature, DocumentKind, NoteView, Party};
use alliance_wire::ids::{DocumentId, Incarnation};
use alliance_wire::{DeviceKey, FrozenHash, PersonTag};

/// One device.
#[derive(Clone)]
pub struct Replica {
    pub name: &'static str,
    /// Whose device it is.
    pub person: Option<PersonTag>,
    pub document: Document,
    pub gate: Gate,
    pub actor: Actor,
    /// What it published, as others receive it.
    pub log: Vec<Candidate>,
}

pub const DOCUMENT: DocumentId = DocumentId([7; 16]);

/// The document of a kind in these tests; a decision is Asha's.
pub fn id_of(kind: DocumentKind) -> DocumentId {
    if kind == DocumentKind::Decision { decision_of(&PEOPLE[0].0, [7; 16]) } else { DOCUMENT }
}

/// The actor of a person in these tests.
pub fn actor_of(name: &str) -> Actor {
    let mut incarnation = [0; 16];
    for (byte, letter) in incarnation.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    let mut device = [0; 32];
    device[..16].copy_from_slice(&incarnation);
    Actor::of(DeviceKey(device), Incarnation(incarnation), DOCUMENT, 0).unwrap()
}

/// The person of whom that is the device.
pub fn person_of(name: &str) -> Option<PersonTag> {
    PEOPLE.iter().find(|(_, known)| *known == name).map(|(person, _)| *person)
}

/// Who wrote: the tests' people.
pub fn author(actor: &[u8]) -> String {
    let names = ["asha", "ben", "carol", "mallory"];
    names.iter().find(|name| actor_of(name).0 == actor).map_or("nobody", |name| name).to_owned()
}

/// The person who writes as an actor.
#[allow(dead_code)]
pub fn person(actor: &[u8]) -> Option<PersonTag> {
    person_of(&author(actor))
}

impl Replica {
    pub fn new(name: &'static str, kind: DocumentKind) -> Self {
        Self {
            name,
            person: person_of(name),
            document: Document::new(id_of(kind), kind),
            gate: Gate::new(id_of(kind), kind, Rules::ALL),
            actor: actor_of(name),
            log: Vec::new(),
        }
    }

    /// Seals commands as one editing session and admits the result here.
    #[allow(dead_code)]
    pub fn write(&mut self, commands: &[Command]) -> Candidate {
        self.write_at(&self.document.heads(), commands)
    }

    /// As `write`, on an older state.
    #[allow(dead_code)]
    pub fn write_at(&mut self, base: &Heads, commands: &[Command]) -> Candidate {
        let sealed = seal(&self.document, base, self.actor, commands).unwrap();
        assert!(!sealed.is_empty(), "these commands change something");
        let changes = sealed.into_iter().map(|change| change.bytes).collect();
        let (actor, person) = (self.actor, self.person);
        let candidate = Candidate { entry: self.log.len() as u64, actor, person, schema: 1, changes };
        self.log.push(candidate.clone());
        self.receive(std::slice::from_ref(&candidate));
        candidate
    }

    /// Admits entries of others; every one must be admitted.
    pub fn receive(&mut self, candidates: &[Candidate]) {
        let judged = self.judge(candidates);
        for (entry, verdict) in &judged.verdicts {
            assert_eq!(*verdict, Verdict::Admitted, "{}: entry {entry}", self.name);
        }
    }

    /// Stage 1 and stage 2.
    pub fn judge(&mut self, candidates: &[Candidate]) -> Judged {
        let judged = self.gate.judge(candidates);
        self.document.apply(&judged.admitted).unwrap();
        judged
    }

    #[allow(dead_code)]
    pub fn note(&self) -> NoteView {
        let View::Note(view) = self.document.view(context()).unwrap() else { panic!("a note") };
        view
    }

    #[allow(dead_code)]
    pub fn agreement(&self, protectors: &[&str]) -> AgreementView {
        let protectors: Vec<String> = protectors.iter().map(|p| (*p).to_owned()).collect();
        match self.document.view(ViewContext { protectors: &protectors, ..context() }).unwrap() {
            View::Agreement(view) => view,
            View::Note(_)
            | View::Session(_)
            | View::Preparation(_)
            | View::Decision(_)
            | View::Exports(_)
            | View::Form(_) => panic!("an agreement"),
        }
    }
}

/// The people by their tags.
#[allow(dead_code)]
pub const PEOPLE: [(PersonTag, &str); 3] =
    [(PersonTag([0xa; 16]), "asha"), (PersonTag([0xb; 16]), "ben"), (PersonTag([0xc; 16]), "carol")];

/// Asha and Ben, as those who sign.
#[allow(dead_code)]
pub fn both() -> Vec<Party> {
    PEOPLE[..2].iter().map(|(person, name)| Party { person: *person, name: (*name).into() }).collect()
}

/// A signature that verifies, or does not: every one does whose first byte says so. Who checks for real is the client.
#[allow(dead_code)]
pub fn signature(frozen: FrozenHash, person: PersonTag, device: u8, valid: bool) -> Cosignature {
    let on = CivilDate::new(2026, 11, 30).unwrap();
    let mut signature = [0; 64];
    signature[0] = u8::from(valid);
    Cosignature { frozen, person, device: DeviceKey([device; 32]), language: "en".into(), on, signature }
}

/// For whoever looks at what is signed; the members are those whose names are given.
#[allow(dead_code)]
pub fn reading(members: &[String]) -> ViewContext<'_> {
    ViewContext {
        verifies: Some(&|signature| signature.signature[0] == 1),
        protectors: members,
        name: &name,
        ..context()
    }
}

#[allow(dead_code)]
fn name(person: PersonTag) -> String {
    PEOPLE.iter().find(|(tag, _)| *tag == person).map_or("nobody", |(_, name)| name).to_owned()
}

pub fn context() -> ViewContext<'static> {
    ViewContext { author: &author, ..ViewContext::BARE }
}
