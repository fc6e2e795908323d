//! The world in which the bench measures: two people's stores with all notes, the relay's folder, and a third person's
//! store that was let in before there was a note.
//!
//! Ada founds every alliance and begins every note; Ben is the other author; Cleo only reads. A turn of the workload is
//! one editing session: its commands are one draft, sealed as one entry. In each round every note gets its next turn by
//! whoever has it, and then both devices exchange through a relay: so each turn was written on all turns before it.

mod gather;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alliance_client::{Client, DocumentId, SpaceId, View};
use alliance_model::DocumentKind;
use serde_json::{Value, json};

use super::notes::{Scribe, stage, title};
use super::process::{RelayProcess, copy_folder};
use super::workload::{Note, Workload};
use crate::people::{PASSPHRASE, hear, options};

/// How much of the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Alliances, at most those of the workload.
    pub alliances: usize,
    /// Notes of each.
    pub notes: usize,
}

impl Scale {
    /// All of it.
    pub const FULL: Self = Self { alliances: super::workload::ALLIANCES, notes: super::workload::NOTES };

    /// The notes of the workload that belong to it, by alliance.
    pub(crate) fn notes_of(self, workload: &Workload) -> impl Iterator<Item = (usize, &Note)> {
        let all = workload.docs.iter().enumerate().map(|(at, note)| (at / super::workload::NOTES, at, note));
        all.filter(move |(alliance, at, _)| *alliance < self.alliances && at % super::workload::NOTES < self.notes)
            .map(|(alliance, _, note)| (alliance, note))
    }
}

/// A prepared world: folders that each measurement copies before it uses them.
#[derive(Debug, Clone)]
pub struct World {
    folder: PathBuf,
    /// The documents in the order of the workload.
    pub documents: Vec<DocumentId>,
    /// The spaces in the order of the workload's alliances.
    pub spaces: Vec<SpaceId>,
    /// Turns. One of the whole workload deletes nothing and does nothing else, and a few set what is set already: they
    /// become no entry.
    pub entries: usize,
}

impl World {
    /// A person's store with everything: `ada` or `ben`. `cleo`'s has spaces and no note.
    #[must_use]
    pub fn store(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The relay's folder with everything.
    #[must_use]
    pub fn relay(&self) -> PathBuf {
        self.folder.join("relay")
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder with the engine's bytes of every note, each named by the document's id: for bare work beside ours.
    #[must_use]
    pub fn saved(&self) -> PathBuf {
        self.folder.join("saved")
    }

    /// Takes a world from a folder where it was prepared before, or prepares it there.
    ///
    /// # Panics
    /// If it cannot be prepared, or does not hold what the workload says.
    pub async fn in_folder(folder: &Path, workload: &Workload, scale: Scale) -> Self {
        if let Some(world) = Self::read(folder) {
            return world;
        }
        // What was begun and not finished goes.
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).expect("a folder");
        Self::prepare(folder, workload, scale).await
    }

    fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read(folder.join("world.json")).ok()?;
        let value: Value = serde_json::from_slice(&text).ok()?;
        let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
        let documents = list("documents").iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
        let spaces = list("spaces").iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
        let entries = usize::try_from(value["entries"].as_u64()?).ok()?;
        Some(Self { folder: folder.to_owned(), documents, spaces, entries })
    }

    fn write(&self) {
        let texts = |ids: Vec<String>| Value::from(ids);
        let value = json!({
            "documents": texts(self.documents.iter().map(ToString::to_string).collect()),
            "spaces": texts(self.spaces.iter().map(ToString::to_string).collect()),
            "entries": self.entries,
        });
        std::fs::write(self.folder.join("world.json"), value.to_string()).expect("a file");
    }

    async fn prepare(folder: &Path, workload: &Workload, scale: Scale) -> Self {
        let relay = RelayProcess::start(&folder.join("relay"));
        let people = gather::people(folder, relay.connect()).await;
        let spaces = gather::alliances(&people, scale.alliances).await;
        people.cleo.close().await.expect("the store closes");
        let authors = [people.ada.clone(), people.ben.clone()];
        let mut writing = Writing::new(workload, scale);
        while let Some(turns) = writing.next_round() {
            writing.write(&authors, &spaces, turns).await;
            // What Ben wrote reaches Ada at her second contact.
            for who in [0, 1, 0] {
                meet(&authors[who]).await;
            }
        }
        for who in [0, 1, 0, 1] {
            meet(&authors[who]).await;
        }
        for author in &authors {
            writing.verify(author).await;
        }
        for author in &authors {
            author.close().await.expect("the store closes");
        }
        relay.end();
        gather::save_bytes(&folder.join("ada"), &folder.join("saved")).await;
        let documents = writing.documents.values().copied().collect();
        let world = Self { folder: folder.to_owned(), documents, spaces, entries: writing.entries };
        world.write();
        world
    }

    /// A copy of a person's store for one measurement.
    #[must_use]
    pub fn copy_of(&self, name: &str, to: &Path) -> PathBuf {
        let copy = to.join(name);
        copy_folder(&self.store(name), &copy);
        copy
    }
}

/// A store opened as the bench opens stores.
///
/// # Panics
/// If it does not open.
pub async fn open(store: &Path) -> Client {
    Client::open(store, PASSPHRASE, options()).await.expect("the store opens")
}

/// One contact with the relay, at the end of which both have the same.
///
/// # Panics
/// If it does not come to that.
pub async fn meet(client: &Client) {
    let reports = client.sync_once(hear).await.expect("the relay answers");
    assert!(reports.iter().all(|report| report.settled && report.diverged == 0), "{reports:?}");
}

/// How far the notes are.
struct Writing {
    notes: Vec<(usize, Arc<Note>)>,
    /// By position in `notes`: each note's document, and whoever knows its items.
    documents: BTreeMap<usize, DocumentId>,
    scribes: Vec<Scribe>,
    round: usize,
    entries: usize,
}

/// One author's turn: which note, and what is written.
struct Turn {
    note: usize,
    author: usize,
}

impl Writing {
    fn new(workload: &Workload, scale: Scale) -> Self {
        let notes: Vec<_> =
            scale.notes_of(workload).map(|(alliance, note)| (alliance, Arc::new(note.clone()))).collect();
        let scribes = notes.iter().enumerate().map(|(at, (_, note))| Scribe::new(note, at as u64)).collect();
        Self { notes, documents: BTreeMap::new(), scribes, round: 0, entries: 0 }
    }

    /// Every note's next turn; nothing when all are written.
    fn next_round(&mut self) -> Option<Vec<Turn>> {
        let round = self.round;
        self.round += 1;
        let turn = |(note, (_, text)): (usize, &(usize, Arc<Note>))| {
            let edits = text.turns().nth(round)?;
            Some(Turn { note, author: edits[0].author() })
        };
        let turns: Vec<Turn> = self.notes.iter().enumerate().filter_map(turn).collect();
        if turns.is_empty() { None } else { Some(turns) }
    }

    /// Both authors write at the same time, each their own turns.
    async fn write(&mut self, authors: &[Client; 2], spaces: &[SpaceId], turns: Vec<Turn>) {
        let round = self.round - 1;
        let mut work = [Vec::new(), Vec::new()];
        for turn in turns {
            let (alliance, note) = self.notes[turn.note].clone();
            if round == 0 {
                let space = spaces[alliance];
                let created = authors[0].create_document(space, DocumentKind::Note).await.expect("a note");
                self.documents.insert(turn.note, created);
            }
            let scribe = &mut self.scribes[turn.note];
            let mut commands = if round == 0 { scribe.begin(&note.base) } else { Vec::new() };
            commands.extend(note.turns().nth(round).unwrap_or_default().iter().filter_map(|edit| scribe.edit(edit)));
            work[turn.author].push((self.documents[&turn.note], commands));
            self.entries += 1;
        }
        let [first, second] = work;
        let write = |client: Client, work: Vec<(DocumentId, Vec<alliance_model::Command>)>| async move {
            for (document, commands) in work {
                // Who writes looks first: what the other author wrote enters the view then.
                client.view(document).await.expect("the note");
                for command in commands {
                    client.command(document, None, command).await.expect("the workload's edits fit");
                }
                client.seal(document).await.expect("the draft is sealed");
            }
        };
        tokio::join!(write(authors[0].clone(), first), write(authors[1].clone(), second));
    }

    /// Every note is shown as the workload says that it ends.
    async fn verify(&self, client: &Client) {
        for (at, document) in &self.documents {
            let end = &self.notes[*at].1.end;
            let View::Note(view) = client.view(*document).await.expect("the note").view else {
                unreachable!("the workload has notes only")
            };
            for field in super::workload::FIELDS {
                let shown = view.section(stage(field)).map(|text| text.text.as_str());
                assert_eq!(shown, Some(end.section(field)), "{field} of {}", self.notes[*at].1.id);
            }
            assert_eq!(view.title, Some(title(&end.title, &end.kind)));
            assert_eq!(view.date.map(|date| date.to_string()).as_deref(), Some(end.date.as_str()));
            assert_eq!(view.actions.len(), end.actions.len());
        }
    }
}
