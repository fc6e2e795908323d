//! Two people with spaces in common, and a relay that is honest until a story says otherwise.

use alliance_client::{Delivery, DeviceKey, DocumentId, SpaceId, SpaceStatus, SyncReport};
use alliance_model::DocumentKind;
use alliance_tests::hostile::relay::HostileRelay;
use alliance_tests::people::{Person, hear, pair_up};

pub(crate) struct Scene {
    pub(crate) relay: HostileRelay,
    pub(crate) ben: Person,
    pub(crate) amina: Person,
    /// In each of these lies the note of the same place, which Amina wrote.
    pub(crate) spaces: Vec<SpaceId>,
    pub(crate) notes: Vec<DocumentId>,
}

impl Scene {
    /// The control of every story: while the relay is honest everything arrives.
    pub(crate) async fn new(spaces: usize) -> Self {
        let relay = HostileRelay::start();
        let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
        ben.client.add_relay(&relay.address().to_string(), None).await.unwrap();
        let spaces = pair_up(&ben, &amina, spaces).await;
        let mut notes = Vec::new();
        for space in &spaces {
            let note = amina.client.create_document(*space, DocumentKind::Note).await.unwrap();
            amina.write(note, 0, "One. ").await;
            notes.push(note);
        }
        let scene = Self { relay, ben, amina, spaces, notes };
        scene.round().await;
        for note in &scene.notes {
            assert_eq!(scene.ben.text(*note).await, "One. ", "an honest relay brings it");
        }
        scene
    }

    /// Both meet the relay until both have the same and know it of each other.
    pub(crate) async fn round(&self) {
        for _ in 0..2 {
            self.amina.sync().await;
            self.ben.sync().await;
        }
    }

    pub(crate) fn devices(&self) -> [DeviceKey; 2] {
        [self.ben.client.whoami().device, self.amina.client.whoami().device]
    }

    /// What both show is the same, and nothing is kept back.
    pub(crate) async fn assert_same(&self, texts: &[&str]) {
        for person in [&self.ben, &self.amina] {
            for (note, text) in self.notes.iter().zip(texts) {
                assert_eq!(person.text(*note).await, *text);
                assert!(person.client.view(*note).await.unwrap().parked.is_empty());
            }
        }
    }
}

/// Writes into a note and seals it.
pub(crate) async fn write(person: &Person, note: DocumentId, text: &str) {
    let end = person.text(note).await.chars().count();
    person.write(note, u32::try_from(end).unwrap(), text).await;
    person.client.seal(note).await.unwrap();
}

/// Meets the relay, whatever comes of it.
pub(crate) async fn meet_relay(person: &Person) -> Result<SyncReport, String> {
    match person.client.sync_once(hear).await {
        Ok(mut reports) => Ok(reports.pop().expect("one relay")),
        Err(error) => Err(error.code().to_owned()),
    }
}

pub(crate) async fn status(person: &Person, space: SpaceId) -> SpaceStatus {
    let status = person.client.status().await.unwrap();
    status.spaces.into_iter().find(|it| it.space == space).unwrap()
}

pub(crate) async fn delivery(person: &Person, space: SpaceId) -> Delivery {
    status(person, space).await.delivery
}
