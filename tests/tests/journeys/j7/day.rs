//! A supervisor and eight workers, what they had, and what each wrote on a day without a network.

use alliance_client::{Client, DocumentId, NewSpace};
use alliance_document::{Actor, Document, seal};
use alliance_model::note::Stage;
use alliance_model::session::{SessionCommand, SessionField, SessionValue};
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};
use alliance_tests::calendar::Calendar;
use alliance_tests::hostile::{Member, admit, meet};
use alliance_tests::opened::Opened;
use alliance_tests::people::{PASSPHRASE, options};
use alliance_tests::random::Random;
use alliance_tests::room::{Phone, Room};
use tokio::runtime::Runtime;

use super::people::{Person, text};

/// Who leaves the hotspot in the midst of it, and whose program is killed.
pub(super) const REACH: usize = 0;
pub(super) const LEFT: usize = 1;
/// Who and the supervisor wrote in the same documents.
pub(super) const MERGED: usize = 2;
/// Whose clock is in 1970.
pub(super) const IN_1970: usize = 3;
/// Whose app is two versions older than the supervisor's.
pub(super) const OLDER: usize = 4;
/// Of whose note an entry is damaged.
pub(super) const DAMAGED: usize = 5;

/// Notes that those who drop out bring beside the day's.
pub(super) const BACKLOG: usize = 300;
/// Letters of each, which no compression makes fewer than half.
const NOTE_LETTERS: usize = 2_000;
/// The date that the worker with the wrong clock gives her note.
pub(super) const CHOSEN: &str = "2026-11-27";

const NAMES: [&str; 8] = ["Amina", "Ben", "Chidi", "Dana", "Emre", "Fatou", "Gita", "Hana"];
/// Each worker's word, which stands nowhere else.
const WORDS: [&str; 8] =
    ["quillworth", "brindlemere", "ostervane", "fenwickle", "tamarrow", "gristlode", "hollinquay", "pervenche"];

/// A worker, her phone, and the alliance that she has with the supervisor.
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) word: String,
    pub(super) person: Person,
    pub(super) phone: Phone,
    pub(super) space: String,
    /// A note and a session that both had before.
    pub(super) before: (String, String),
    /// Her note of the day.
    pub(super) note: String,
}

pub(super) struct Day {
    pub(super) sam: Person,
    pub(super) workers: Vec<Worker>,
    /// Of the backlog of one who drops out.
    pub(super) backlog_bytes: u64,
    /// What the newer app wrote: changes of its two schemas.
    newer: Vec<(u16, Vec<u8>)>,
}

const NEWER: &str = "Of a newer app";

fn edit(words: &str) -> Command {
    Command::Note(NoteCommand::EditSection { stage: Stage::Focus, splice: Splice::insert(0, words) })
}

fn start(words: &str) -> Command {
    let value = SessionValue::from_text(SessionField::Start, words).unwrap();
    Command::Session(SessionCommand::Set { value })
}

async fn opened(person: &Person) -> Client {
    Client::open(&person.store, PASSPHRASE, options()).await.unwrap()
}

async fn begun(client: &Client, space: &str, kind: DocumentKind, commands: Vec<Command>) -> DocumentId {
    let document = client.create_document(space.parse().unwrap(), kind).await.unwrap();
    for command in commands {
        client.command(document, None, command).await.unwrap();
    }
    document
}

/// A first change of a document, by a member's `actor`-th actor.
fn change(member: &Member, document: DocumentId, actor: u8, words: &str) -> Vec<u8> {
    let empty = Document::new(document, DocumentKind::Note);
    let actor = Actor::of(member.key, member.incarnation, document, actor).unwrap();
    seal(&empty, &empty.heads(), actor, &[edit(words)]).unwrap()[0].bytes.clone()
}

impl Day {
    /// They know each other, and have a note and a session of before.
    pub(super) async fn before(room: &mut Room) -> Self {
        let mut sam = Person::without_store(PASSPHRASE);
        let his = Client::create(&sam.store, PASSPHRASE, "Sam", None, options()).await.unwrap().0;
        let mut workers = Vec::new();
        for (name, word) in NAMES.iter().zip(WORDS) {
            let person = Person::without_store(PASSPHRASE);
            let hers = Client::create(&person.store, PASSPHRASE, name, None, options()).await.unwrap().0;
            let space = his.create_space("A group", NewSpace::Pair).await.unwrap().space;
            admit(&his, space, &hers).await;
            let space = space.to_string();
            let note = begun(&his, &space, DocumentKind::Note, vec![edit("his ")]).await;
            let session = begun(&his, &space, DocumentKind::Session, vec![start("2026-11-20 09:00")]).await;
            his.seal_all().await.unwrap();
            meet(&his, &hers).await;
            hers.accept_unchanged(None).await.unwrap();
            hers.close().await.unwrap();
            let (phone, before) = (room.phone(), (note.to_string(), session.to_string()));
            let (name, word) = ((*name).to_owned(), word.to_owned());
            let person = person.by(phone.prefix());
            workers.push(Worker { name, word, person, phone, space, before, note: String::new() });
        }
        his.accept_unchanged(None).await.unwrap();
        his.close().await.unwrap();
        sam = sam.by(room.phone().prefix());
        Self { sam, workers, backlog_bytes: 0, newer: Vec::new() }
    }

    /// A day without a network: what each writes, and how their phones are.
    pub(super) fn apart(&mut self, calendar: &Calendar, runtime: &Runtime) {
        runtime.block_on(self.everybody_writes());
        // Her program believes what its clock says.
        let worker = self.workers.remove(IN_1970);
        let person = worker.person.in_environment(calendar.environment());
        let note = person.json(&["note", "new", &worker.space, "--title", "Field day", "--date", CHOSEN]);
        let note = text(&note["document"]).to_owned();
        person.json(&["note", "append", &note, "--section", "focus", "--text", &worker.word]);
        person.json(&["note", "append", &worker.before.0, "--section", "focus", "--text", "hers"]);
        self.workers.insert(IN_1970, Worker { person, note, ..worker });
        runtime.block_on(async {
            self.backlogs().await;
            self.damaged_item().await;
            self.newer_app().await;
        });
    }

    async fn everybody_writes(&mut self) {
        let sam = opened(&self.sam).await;
        for (at, worker) in self.workers.iter_mut().enumerate() {
            begun(&sam, &worker.space, DocumentKind::Note, vec![edit("For when we meet.")]).await;
            if at == IN_1970 {
                continue;
            }
            let hers = opened(&worker.person).await;
            let note = begun(&hers, &worker.space, DocumentKind::Note, vec![edit(&worker.word)]).await;
            worker.note = note.to_string();
            if at == MERGED {
                for (client, words, time) in [(&sam, "He. ", "2026-11-20 10:00"), (&hers, "She. ", "2026-11-20 11:00")]
                {
                    client.command(worker.before.0.parse().unwrap(), None, edit(words)).await.unwrap();
                    client.command(worker.before.1.parse().unwrap(), None, start(time)).await.unwrap();
                    client.seal_all().await.unwrap();
                }
            }
            hers.seal_all().await.unwrap();
            hers.close().await.unwrap();
        }
        sam.seal_all().await.unwrap();
        sam.close().await.unwrap();
    }

    async fn backlogs(&mut self) {
        for at in [REACH, LEFT] {
            let worker = &self.workers[at];
            let mut random = Random::new(at as u64);
            let mut member =
                Member::take_over(&worker.person.store, worker.space.parse().unwrap(), Random::new(9)).await;
            let mut all = Vec::new();
            for _ in 0..BACKLOG {
                let document = DocumentKind::Note.document_id(random.bytes16());
                let hex: String =
                    (0..NOTE_LETTERS / 64).flat_map(|_| random.bytes32()).map(|byte| format!("{byte:02x}")).collect();
                let bytes = change(&member, document, 0, &hex);
                self.backlog_bytes = self.backlog_bytes.max(BACKLOG as u64 * bytes.len() as u64);
                all.push(member.changes(document, 0, vec![bytes]));
            }
            member.write(all).await;
            member.close();
        }
    }

    /// A change that was cut, in an entry that is sealed and signed as it should be.
    async fn damaged_item(&self) {
        let worker = &self.workers[DAMAGED];
        let document: DocumentId = worker.note.parse().unwrap();
        let mut member = Member::take_over(&worker.person.store, worker.space.parse().unwrap(), Random::new(10)).await;
        let mut bytes = change(&member, document, 1, "cut");
        bytes.pop();
        let changes = member.changes(document, 1, vec![bytes]);
        member.write(vec![changes]).await;
        member.close();
    }

    /// The supervisor's app is two versions newer: it writes under the next schema of notes, and under the one behind it.
    async fn newer_app(&mut self) {
        let worker = &self.workers[OLDER];
        let document: DocumentId = worker.before.0.parse().unwrap();
        let mut member = Member::take_over(&self.sam.store, worker.space.parse().unwrap(), Random::new(11)).await;
        for further in [1, 2] {
            let bytes = change(&member, document, u8::try_from(further).unwrap(), NEWER);
            let mut changes = member.changes(document, u8::try_from(further).unwrap(), vec![bytes.clone()]);
            changes.schema += further;
            self.newer.push((changes.schema, bytes));
            member.write(vec![changes]).await;
        }
        member.close();
    }

    /// The older app shows what it knows, writes on, and keeps what it does not know to the last byte.
    pub(super) async fn older_app(&self) {
        let worker = &self.workers[OLDER];
        let shown = worker.person.json(&["note", "show", &worker.before.0])["document"].clone();
        assert!(!shown["view"].to_string().contains(NEWER), "{shown}");
        assert!(shown["parked"].to_string().contains("SCHEMA_NEWER"), "{shown}");
        worker.person.json(&["note", "append", &worker.before.0, "--section", "focus", "--text", "hers"]);
        assert!(Opened::of(&worker.person.store).await.count(NEWER).1 >= self.newer.len(), "they are there");
        let member = Member::take_over(&worker.person.store, worker.space.parse().unwrap(), Random::new(12)).await;
        let kept: Vec<(u16, Vec<u8>)> = member
            .read(worker.before.0.parse().unwrap())
            .await
            .into_iter()
            .filter(|(_, changes)| changes.schema > DocumentKind::Note.schema())
            .map(|(_, changes)| (changes.schema, changes.changes[0].to_vec()))
            .collect();
        assert_eq!(kept, self.newer, "untouched");
        member.close();
        // What she wrote on goes its way.
        let (hers, his) = (opened(&worker.person).await, opened(&self.sam).await);
        meet(&his, &hers).await;
        hers.close().await.unwrap();
        his.close().await.unwrap();
        assert!(super::people::whole_section(&self.sam, &worker.before.0, "focus").contains("hers"));
    }
}
