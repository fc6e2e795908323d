//! A locked profile's outbox, in the hands of whoever uses the device next: to the relay, or to a colleague's phone.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;

use alliance_client::{DocumentId, NewProfile, NewSpace, Profiles, SpaceId};
use alliance_crypto::open_parcel;
use alliance_model::DocumentKind;
use alliance_tests::hostile::meet;
use alliance_tests::people::{Person, let_in, options};
use alliance_tests::relay::{self, Site, open};
use alliance_wire::DeviceKey;
use alliance_wire::bundle::{Bundle, Contents};
use tempfile::TempDir;

/// Amina and Chidi share a phone; Ben has one of his own, and a space with each of them.
struct Shared {
    site: Site,
    folder: TempDir,
    amina: Person,
    chidi: Person,
    ben: Person,
    /// Chidi's with Ben.
    space: SpaceId,
    note: DocumentId,
}

impl Shared {
    fn profiles(folder: &Path) -> Profiles {
        Profiles::new(folder, options())
    }

    async fn new() -> Self {
        let (site, folder) = (Site::start(open).await, tempfile::tempdir().unwrap());
        let mut both = Vec::new();
        for (name, pin) in [("Amina", "5309"), ("Chidi", "7150")] {
            let new = NewProfile { nickname: Some(name), name, pin, words: None };
            let (_, client, _) = Self::profiles(folder.path()).add(new).await.unwrap();
            client.add_relay(&site.address().to_string(), None).await.unwrap();
            both.push(Person::of(client));
        }
        let (chidi, amina) = (both.pop().unwrap(), both.pop().unwrap());
        let ben = Person::new("Ben").await;
        ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let hers = amina.client.create_space("Amina and Ben", NewSpace::Pair).await.unwrap().space;
        let_in(&amina, &ben, &[hers]).await;
        let space = chidi.client.create_space("Chidi and Ben", NewSpace::Pair).await.unwrap().space;
        let_in(&chidi, &ben, &[space]).await;
        let note = chidi.client.create_document(space, DocumentKind::Note).await.unwrap();
        chidi.write(note, 0, "First. ").await;
        chidi.sync().await;
        ben.sync().await;
        Self { site, folder, amina, chidi, ben, space, note }
    }

    /// What lies beside Chidi's store.
    fn outbox(&self) -> Option<Vec<u8>> {
        let store = self.chidi.client.whoami().store;
        std::fs::read(Path::new(&store).join("store.outbox")).ok()
    }
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// What of a bundle a replica with this key can read.
fn read_by(key: DeviceKey, bundle: &[u8]) -> Vec<u8> {
    let bundle = Bundle::decode(bundle).unwrap();
    let parcels = bundle.parcels.iter().filter_map(|parcel| open_parcel(&bundle.salt, key, parcel));
    parcels.flat_map(|contents| Contents::decode(&contents).unwrap().encode()).collect()
}

/// Chidi writes, locks her profile and goes. Amina syncs hers, without a relay of Chidi's spaces' being told to her, and
/// Ben has what Chidi wrote. What lay on the disk meanwhile named neither space, nor people, nor devices.
#[tokio::test]
async fn what_a_locked_profile_wrote_goes_with_the_next_person() {
    relay::watched(async {
        let shared = Shared::new().await;
        let Shared { amina, chidi, ben, note, space, .. } = &shared;
        chidi.write(*note, 7, "Before lunch. ").await;
        chidi.client.close().await.unwrap();
        let outbox = shared.outbox().expect("what is unsent lies beside the store");
        let (device, relay) = (chidi.client.whoami().device, shared.site.address().key());
        let inside = read_by(relay, &outbox);
        for (what, bytes) in [("the space", &space.0[..]), ("the author", &device.as_bytes()[..])] {
            assert!(!holds(&outbox, bytes), "{what} is open in the outbox");
            assert!(holds(&inside, bytes), "{what} is what the relay reads");
        }
        assert!(read_by(amina.client.whoami().device, &outbox).is_empty(), "the carrier reads nothing of it");
        assert!(!holds(&inside, b"lunch"), "nor does the relay read what was written");

        ben.sync().await;
        assert_eq!(ben.text(*note).await, "First. ", "nobody has brought it");
        amina.sync().await;
        assert!(amina.client.space(*space).await.is_err(), "it is none of her spaces");
        ben.sync().await;
        assert_eq!(ben.text(*note).await, "First. Before lunch. ");
        // Handed over is handed over: the same again costs nothing.
        let (first, second) = (amina.sync().await, amina.sync().await);
        assert!(first.bytes_up.max(second.bytes_up) < outbox.len() as u64 / 2, "{first:?} {second:?}");

        // Chidi comes back: nothing is twice, and nothing is left to be carried once it was acknowledged.
        let profiles = Shared::profiles(shared.folder.path());
        let id = profiles.find("Chidi").await.unwrap();
        let (client, _) = profiles.open(&id, "7150").await.unwrap();
        let back = Person::of(client);
        assert_eq!(back.text(*note).await, "First. Before lunch. ");
        back.sync().await;
        back.client.close().await.unwrap();
        assert!(shared.outbox().is_none(), "everything of hers is at the relay");
        ben.sync().await;
        assert_eq!(ben.text(*note).await, "First. Before lunch. ");
    })
    .await;
}

/// No relay: Ben's phone takes it from Amina's hands when the two meet.
#[tokio::test]
async fn a_colleagues_phone_takes_what_a_locked_profile_wrote() {
    relay::watched(async {
        let mut shared = Shared::new().await;
        shared.site.stop().await;
        let Shared { amina, chidi, ben, note, .. } = &shared;
        chidi.write(*note, 7, "On the way. ").await;
        chidi.client.close().await.unwrap();
        meet(&ben.client, &amina.client).await;
        assert_eq!(ben.text(*note).await, "First. On the way. ");
    })
    .await;
}

/// Damage, a foreign file and a newer version in its place keep nobody from anything.
#[tokio::test]
async fn a_damaged_outbox_is_passed_over() {
    relay::watched(async {
        let shared = Shared::new().await;
        let Shared { amina, chidi, ben, note, .. } = &shared;
        chidi.write(*note, 7, "Kept. ").await;
        chidi.client.close().await.unwrap();
        let path = Path::new(&chidi.client.whoami().store).join("store.outbox");
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        let mut newer = whole.clone();
        newer[1] = 2;
        for bytes in [damaged, newer, whole[..whole.len() - 9].to_vec(), b"no bundle at all".to_vec(), Vec::new()] {
            std::fs::write(&path, bytes).unwrap();
            amina.sync().await;
            ben.sync().await;
            assert_eq!(ben.text(*note).await, "First. ");
        }
        std::fs::write(&path, whole).unwrap();
        amina.sync().await;
        ben.sync().await;
        assert_eq!(ben.text(*note).await, "First. Kept. ");
    })
    .await;
}
