//! A member, one whose words are known, a steward on whose device they are typed, and a relay.

use std::path::PathBuf;

use alliance_client::{Client, DocumentId, NewSpace, Progress, SpaceId, SyncReport, View};
use alliance_crypto::{Made, Maker, RecoverySecret};
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};
use alliance_tests::hostile::{Member, PASSPHRASE, admit, group, options, person};
use alliance_tests::random::Random;
use alliance_tests::relay::{Site, open};
use alliance_wire::PersonTag;
use alliance_wire::membership::CutOff;
use tempfile::TempDir;

/// The note that all have.
pub(crate) const SHARED: &str = "We looked at the week.";

pub(crate) struct Scene {
    pub(crate) site: Site,
    folder: TempDir,
    pub(crate) space: SpaceId,
    /// Another space, of Amina's alone.
    pub(crate) own: SpaceId,
    pub(crate) ben: Client,
    pub(crate) amina: Client,
    words: RecoverySecret,
    pub(crate) courier: Member,
    pub(crate) note: DocumentId,
    pub(crate) own_note: DocumentId,
}

impl Scene {
    pub(crate) async fn new(seed: u64) -> Self {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let site = Site::start(open).await;
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let ben = person(&place("Ben"), "Ben", &mut random).await;
        let words = words_of_next(&random);
        let amina = person(&place("Amina"), "Amina", &mut random).await;
        let courier = person(&place("Carla"), "Carla", &mut random).await;
        // The device with the smaller key gives missing key boxes, and the courier's runs no program of ours.
        assert!(ben.whoami().device < courier.whoami().device, "another seed");
        courier.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = group(&courier).await;
        sync(&courier).await;
        for newcomer in [&ben, &amina] {
            admit(&courier, space, newcomer).await;
        }
        courier.close().await.unwrap();
        let courier = Member::take_over(&place("Carla"), space, Random::new(random.next())).await;
        let note = amina.create_document(space, DocumentKind::Note).await.unwrap();
        write(&amina, note, SHARED).await;
        let own = amina.create_space("Mine", NewSpace::Group).await.unwrap().space;
        let own_note = amina.create_document(own, DocumentKind::Note).await.unwrap();
        write(&amina, own_note, "nobody else's").await;
        let mut scene = Self { site, folder, space, own, ben, amina, words, courier, note, own_note };
        scene.carry().await;
        for client in [&scene.ben, &scene.amina, &scene.ben, &scene.amina] {
            sync(client).await;
        }
        scene.carry().await;
        scene
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The courier meets the relay.
    pub(crate) async fn carry(&mut self) {
        let met = self.courier.visit_relay(&self.site.address(), |_| Vec::new(), |_| true).await;
        assert!(met.settled, "{met:?}");
    }

    /// Amina's words are typed on the courier's device, which brings what they sign to the relay.
    pub(crate) async fn by_words(
        &mut self,
        make: impl FnOnce(&Maker<'_, RecoverySecret>, PersonTag, Vec<CutOff>) -> Made,
    ) {
        let target = self.amina.whoami().device;
        let entry = self.courier.by_words(&self.words, target, make).await;
        self.courier.store(vec![entry]).await;
        self.carry().await;
    }

    /// The steward removes Amina, and brings it to the relay.
    pub(crate) async fn remove(&mut self) {
        let target = self.amina.whoami().device;
        let membership = self.courier.membership().await;
        let person = membership.state().person_of(target).unwrap();
        let entry = self.courier.by_device(target, |maker, ends| maker.remove(person, ends)).await;
        self.courier.store(vec![entry]).await;
        self.carry().await;
    }

    /// Amina's store is closed and opened again.
    pub(crate) async fn reopen(&mut self) {
        self.amina.close().await.unwrap();
        self.amina = Client::open(&self.place("Amina"), PASSPHRASE, options()).await.unwrap();
    }
}

/// The recovery key of the person that is made next: its seed is the last of what `person` draws.
fn words_of_next(random: &Random) -> RecoverySecret {
    let mut random = random.clone();
    (0..3).for_each(|_| {
        random.bytes16();
    });
    random.bytes32();
    RecoverySecret::from_seed(random.bytes32())
}

pub(crate) fn hear(_: Progress) {}

pub(crate) async fn sync(client: &Client) -> SyncReport {
    let report = client.sync_once(hear).await.unwrap().pop().unwrap();
    assert!(report.settled && report.diverged == 0, "{report:?}");
    report
}

fn edit(text: &str) -> Command {
    Command::Note(NoteCommand::EditSection { stage: Stage::Exploration, splice: Splice::insert(0, text) })
}

/// Types at the beginning; it stays a draft.
pub(crate) async fn type_in(client: &Client, note: DocumentId, text: &str) {
    client.command(note, None, edit(text)).await.unwrap();
}

/// Writes at the beginning.
pub(crate) async fn write(client: &Client, note: DocumentId, text: &str) {
    type_in(client, note, text).await;
    client.seal(note).await.unwrap();
}

pub(crate) async fn text(client: &Client, note: DocumentId) -> String {
    let View::Note(view) = client.view(note).await.unwrap().view else { panic!("a note") };
    view.section(Stage::Exploration).unwrap().text.clone()
}

/// How many entries of a space are kept and not shown.
pub(crate) async fn kept(client: &Client, space: SpaceId) -> u64 {
    let status = client.status().await.unwrap();
    status.spaces.iter().find(|status| status.space == space).unwrap().parked
}

/// The code with which something is refused.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, alliance_client::Error>) -> String {
    result.unwrap_err().code().to_owned()
}
