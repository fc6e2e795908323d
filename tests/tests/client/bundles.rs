//! Bundles: people who meet by files only, what is damaged, who can read what, and who carries.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod damage;
mod handing;
mod parts;
pub(crate) mod support;

use alliance_client::{BundleFor, BundleFrom, Code, NewSpace};
use alliance_model::DocumentKind;
use alliance_store::Replica as _;
use alliance_tests::people::{Person, let_in};
use alliance_tests::relay::{self, Site, open};

use support::{Two, bytes_of, holds, take, write};

/// Two people exchange by files alone, back and forth, both writing in the meantime: both have the same, and each file
/// holds what the other did not have.
#[tokio::test]
async fn two_people_meet_by_files_only() {
    relay::watched(async {
        let two = Two::apart().await;
        let Two { amina, ben, note, .. } = &two;
        amina.write(*note, 0, "From Amina. ").await;
        let first = write(amina, "Ben", BundleFrom::Receipts).await;
        let report = take(ben, &first).await.unwrap();
        assert!(report.whole && report.new > 0 && report.lost == 0 && report.refused.is_empty(), "{report:?}");
        assert_eq!(report.from, ["Amina"]);
        assert_eq!(ben.text(*note).await, "From Amina. First. ");

        ben.write(*note, 0, "From Ben. ").await;
        let back = write(ben, "Amina", BundleFrom::Receipts).await;
        let report = take(amina, &back).await.unwrap();
        assert!(report.new > 0, "{report:?}");
        assert_eq!(amina.text(*note).await, ben.text(*note).await);

        // The same again does nothing, to the documents or to the log.
        let before = ben.client.replica().stats().await.unwrap().entries;
        let again = take(ben, &first).await.unwrap();
        assert_eq!((again.new, ben.client.replica().stats().await.unwrap().entries), (0, before), "{again:?}");

        // Both have everything and have said so: what is written now is small, and holds no entry.
        let nothing = write(amina, "Ben", BundleFrom::Receipts).await;
        let everything = write(amina, "Ben", BundleFrom::Beginning).await;
        assert_eq!(take(ben, &nothing).await.unwrap().known, 0, "nothing that he has is in it");
        let here = support::entries(ben).await.iter().filter(|(space, ..)| *space == two.space).count() as u64;
        assert_eq!(take(ben, &everything).await.unwrap().known, here, "everything is in this one");
    })
    .await;
}

/// A newcomer whom the inviter has confirmed gets all of the space by a file: nothing of it was there.
#[tokio::test]
async fn a_newcomer_gets_the_space_by_a_file() {
    let (amina, ben) = (Person::new("Amina").await, Person::new("Ben").await);
    let space = amina.client.create_space("Both", NewSpace::Pair).await.unwrap().space;
    let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
    amina.write(note, 0, "By hand. ").await;
    support::let_in_by_texts(&amina, &ben, space).await;
    let bundle = write(&amina, "Ben", BundleFrom::Receipts).await;
    let report = take(&ben, &bundle).await.unwrap();
    assert!(report.whole && report.refused.is_empty(), "{report:?}");
    assert_eq!(ben.text(note).await, "By hand. ");
    // And he writes back.
    ben.write(note, 0, "Read. ").await;
    let back = write(&ben, "Amina", BundleFrom::Receipts).await;
    take(&amina, &back).await.unwrap();
    assert_eq!(amina.text(note).await, ben.text(note).await);
}

/// Three people in one space; each hands one file to the next in a ring. Everybody has everything, also what came from
/// somebody who is not the one that the file came from.
#[tokio::test]
async fn three_people_in_a_ring_of_files() {
    relay::watched(async {
        let site = Site::start(open).await;
        let people = [Person::new("Amina").await, Person::new("Ben").await, Person::new("Chidi").await];
        let [amina, ben, chidi] = &people;
        amina.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = amina.client.create_space("Three", NewSpace::Group).await.unwrap().space;
        let_in(amina, ben, &[space]).await;
        let_in(amina, chidi, &[space]).await;
        ben.sync().await;
        let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        amina.write(note, 0, "Begun. ").await;
        for _ in 0..3 {
            for (from, to) in [(amina, ben), (ben, chidi), (chidi, amina)] {
                let bundle = support::write_for(from, BundleFor::Space(space), BundleFrom::Receipts).await;
                take(to, &bundle).await.unwrap();
                to.write(note, 0, &format!("{}. ", to.client.whoami().name)).await;
                to.client.seal_all().await.unwrap();
            }
        }
        // One round more, in which nobody writes.
        for (from, to) in [(amina, ben), (ben, chidi), (chidi, amina), (amina, ben)] {
            let bundle = support::write_for(from, BundleFor::Space(space), BundleFrom::Receipts).await;
            take(to, &bundle).await.unwrap();
        }
        let text = amina.text(note).await;
        assert_eq!(text.matches("Chidi. ").count(), 3, "{text}");
        assert_eq!([ben.text(note).await, chidi.text(note).await], [text.clone(), text]);
    })
    .await;
}

/// Somebody else cannot read a file, is told so, carries it in the store, and hands it on: byte for byte what a reader
/// needs. Nothing of the space is in the file but ciphertext.
#[tokio::test]
async fn a_third_carries_what_it_cannot_read() {
    relay::watched(async {
        let two = Two::apart().await;
        let Two { amina, ben, note, space, .. } = &two;
        let chidi = Person::new("Chidi").await;
        amina.write(*note, 0, "kitchen table ").await;
        let bundle = write(amina, "Ben", BundleFrom::Receipts).await;
        let refused = take(&chidi, &bundle).await.unwrap_err();
        assert_eq!(refused.code(), "BUNDLE_NOT_FOR_YOU");

        // Words, title, space, devices: not in the file. That the words could be found at all shows the reader's export.
        let export = ben_export(ben, &bundle).await;
        assert!(export.contains("kitchen table"), "the words are there for whoever reads");
        let (author, reader) = (amina.client.whoami().device, ben.client.whoami().device);
        for (what, needle) in [
            ("a word", b"kitchen".as_slice()),
            ("the title", b"space 0"),
            ("the space", &space.0),
            ("the author", author.as_bytes()),
            ("the reader", reader.as_bytes()),
        ] {
            assert!(!holds(&bundle, needle), "{what} is open in the file");
        }

        let carried = chidi.client.carry_bundle(std::io::Cursor::new(bundle.clone())).await.unwrap();
        assert_eq!((carried.bytes, carried.part, carried.for_relays), (bundle.len() as u64, Some((1, 1)), false));
        assert_eq!(chidi.client.carried_bundles().await.unwrap(), std::slice::from_ref(&carried));
        let path = chidi.beside("handed-on");
        let file = alliance_client::BundleFile::new(&path, None, false).unwrap();
        chidi.client.hand_on_bundle(&carried.id[..6], file).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bundle, "as it came");
        let report = take(ben, &std::fs::read(&path).unwrap()).await.unwrap();
        assert_eq!(report.refused, Vec::<String>::new());
        assert!(ben.text(*note).await.contains("kitchen table"));
        chidi.client.drop_carried_bundle(&carried.id).await.unwrap();
        assert!(chidi.client.carried_bundles().await.unwrap().is_empty());
    })
    .await;
}

async fn ben_export(ben: &Person, bundle: &[u8]) -> String {
    take(ben, bundle).await.unwrap();
    ben.client.export(None).await.unwrap().to_string()
}

/// Who will be able to read is known before anything is written, and is true: a file for one person is none for another
/// member.
#[tokio::test]
async fn a_file_is_for_whom_it_says() {
    relay::watched(async {
        let site = Site::start(open).await;
        let [amina, ben, chidi] = [Person::new("Amina").await, Person::new("Ben").await, Person::new("Chidi").await];
        amina.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = amina.client.create_space("Three", NewSpace::Group).await.unwrap().space;
        let_in(&amina, &ben, &[space]).await;
        let_in(&amina, &chidi, &[space]).await;
        let plan =
            amina.client.plan_bundle(BundleFor::Person("Ben".into()), BundleFrom::Beginning, false).await.unwrap();
        let devices: Vec<_> =
            plan.readers.iter().map(|reader| (reader.name.as_str(), reader.devices.clone())).collect();
        assert_eq!(devices, [("Ben", vec![ben.client.whoami().device])]);
        assert_eq!(plan.readers[0].spaces, ["Three"]);
        let bundle = bytes_of(&amina, plan).await;
        assert_eq!(take(&chidi, &bundle).await.unwrap_err().code(), "BUNDLE_NOT_FOR_YOU");
        assert!(take(&ben, &bundle).await.unwrap().known > 0);
        // Whoever wrote it looks into it, too.
        let found = amina.client.inspect_bundle(std::io::Cursor::new(bundle.clone()), |_| {}).await.unwrap();
        assert!(found.damaged == 0 && found.ended && found.parcels.len() == 1 && found.parcels[0].for_you, "{found:?}");
        assert!(found.parcels[0].ended && found.parcels[0].title.as_deref() == Some("Three"), "{found:?}");
        // For a stranger it is a number of pages.
        let found =
            Person::new("Dora").await.client.inspect_bundle(std::io::Cursor::new(bundle), |_| {}).await.unwrap();
        assert!(!found.parcels[0].for_you && found.parcels[0].pages > 0 && found.parcels[0].entries == 0, "{found:?}");
        // A name that nobody has, and a space in which nobody else is.
        let nobody = amina.client.plan_bundle(BundleFor::Person("Eve".into()), BundleFrom::Beginning, false).await;
        assert_eq!(nobody.unwrap_err().code(), Code::UnknownMember.code());
        let alone = amina.client.create_space("Alone", NewSpace::Pair).await.unwrap().space;
        let nobody = amina.client.plan_bundle(BundleFor::Space(alone), BundleFrom::Beginning, false).await;
        assert_eq!(nobody.unwrap_err().code(), Code::NobodyToRead.code());
    })
    .await;
}

/// Since an earlier bundle: what came behind it, which waits where that one did not arrive.
#[tokio::test]
async fn since_a_bundle_of_before() {
    relay::watched(async {
        let two = Two::apart().await;
        let Two { amina, ben, note, space, .. } = &two;
        amina.write(*note, 0, "One. ").await;
        amina.client.seal_all().await.unwrap();
        let to = BundleFor::Space(*space);
        let (first, written) = support::written(amina, to.clone(), BundleFrom::Receipts).await;
        amina.write(*note, 0, "Two. ").await;
        amina.client.seal_all().await.unwrap();
        let since = BundleFrom::Since(written.bundle[..8].to_owned());
        let second = support::write_for(amina, to.clone(), since).await;
        let report = take(ben, &second).await.unwrap();
        assert!(report.waiting > 0 && report.new == 0 && report.not_kept == 0, "{report:?}");
        let report = take(ben, &first).await.unwrap();
        assert!(report.waiting == 0 && report.new >= 2, "{report:?}");
        assert_eq!(ben.text(*note).await, amina.text(*note).await);
        let unknown = amina.client.plan_bundle(to, BundleFrom::Since("00000000".into()), false).await;
        assert_eq!(unknown.unwrap_err().code(), "UNKNOWN_BUNDLE");
    })
    .await;
}
