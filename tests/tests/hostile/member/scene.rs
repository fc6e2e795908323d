//! Honest people, a hostile member and a relay.

use std::path::Path;

use alliance_client::{Client, DocumentId, SpaceId, View};
use alliance_document::{Actor, Document, seal};
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};
use alliance_tests::hostile::{Member, admit, group, hear, person};
use alliance_tests::random::Random;
use alliance_tests::relay::{Site, open};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Scene {
    pub(crate) site: Site,
    pub(crate) folder: TempDir,
    pub(crate) random: Random,
    pub(crate) space: SpaceId,
    /// The victim.
    pub(crate) amina: Client,
    /// Honest, too.
    pub(crate) ben: Client,
    pub(crate) mallory: Member,
    pub(crate) note: DocumentId,
}

impl Scene {
    pub(crate) async fn new(seed: u64) -> Self {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let site = Site::start(open).await;
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let amina = person(&place("amina"), "Amina", &mut random).await;
        let ben = person(&place("ben"), "Ben", &mut random).await;
        let mallory = person(&place("mallory"), "Mallory", &mut random).await;
        amina.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = group(&amina).await;
        sync(&amina).await;
        for newcomer in [&ben, &mallory] {
            admit(&amina, space, newcomer).await;
        }
        sync(&amina).await;
        ben.add_relay(&site.address().to_string(), None).await.unwrap();
        mallory.close().await.unwrap();
        let mallory = Member::take_over(&place("mallory"), space, Random::new(random.next())).await;
        let note = amina.create_document(space, DocumentKind::Note).await.unwrap();
        write(&amina, note, "We looked at the week.").await;
        let scene = Self { site, folder, random, space, amina, ben, mallory, note };
        scene.honest_round().await;
        scene
    }

    /// The victim and the other honest member meet the relay in turn, and both show the same.
    pub(crate) async fn honest_round(&self) {
        sync(&self.amina).await;
        sync(&self.ben).await;
        sync(&self.amina).await;
        let (a, b) = (state(&self.amina).await, state(&self.ben).await);
        assert_eq!(a.as_array().unwrap().len(), b.as_array().unwrap().len());
        for (a, b) in a.as_array().unwrap().iter().zip(b.as_array().unwrap()) {
            assert_eq!(a, b);
        }
    }

    /// An honest first change of the hostile member's `actor`-th actor in a document of its own.
    pub(crate) fn change(&self, document: DocumentId, actor: u8, text: &str) -> Vec<u8> {
        let empty = Document::new(document, DocumentKind::Note);
        let actor = Actor::of(self.mallory.key, self.mallory.incarnation, document, actor).unwrap();
        let sealed = seal(&empty, &empty.heads(), actor, &[edit(0, text)]).unwrap();
        sealed[0].bytes.clone()
    }
}

fn edit(pos: u32, text: &str) -> Command {
    Command::Note(NoteCommand::EditSection { stage: Stage::Exploration, splice: Splice::insert(pos, text) })
}

pub(crate) async fn sync(client: &Client) {
    for report in client.sync_once(hear).await.unwrap() {
        assert!(report.settled && report.diverged == 0, "{report:?}");
    }
}

/// Writes at the beginning.
pub(crate) async fn write(client: &Client, note: DocumentId, text: &str) {
    client.command(note, None, edit(0, text)).await.unwrap();
    client.seal(note).await.unwrap();
}

pub(crate) async fn text(client: &Client, note: DocumentId) -> String {
    let View::Note(view) = client.view(note).await.unwrap().view else { panic!("a note") };
    view.section(Stage::Exploration).unwrap().text.clone()
}

/// Everything that a client shows.
pub(crate) async fn state(client: &Client) -> Value {
    client.export(None).await.unwrap()["spaces"][0]["documents"].clone()
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
