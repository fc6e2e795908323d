//! Bundles in several files, in codes, and files as they lie on disks.

use std::fs::File;

use alliance_client::{BundleFile, BundleFor, BundleFrom, bundle_from_texts, bundle_texts};
use alliance_model::DocumentKind;
use alliance_tests::relay;

use super::support::{Two, entries, take, write};

async fn split(two: &Two, name: &str, bytes: u64) -> Vec<std::path::PathBuf> {
    for n in 0..60 {
        let note = two.amina.client.create_document(two.space, DocumentKind::Note).await.unwrap();
        two.amina.write(note, 0, &format!("Note {n}. ").repeat(40)).await;
    }
    let plan = two.amina.client.plan_bundle(BundleFor::Space(two.space), BundleFrom::Receipts, false).await.unwrap();
    let path = two.amina.beside(name);
    let file = BundleFile::new(&path, Some(bytes), false).unwrap();
    let written = two.amina.client.write_bundle(plan, file, |_| {}).await.unwrap();
    let parts: Vec<_> = (1..=written.parts).map(|n| two.amina.beside(&format!("{name}.{n:03}"))).collect();
    assert!(parts.iter().all(|part| part.metadata().unwrap().len() <= bytes), "no part is larger");
    assert_eq!(parts.iter().map(|part| part.metadata().unwrap().len()).sum::<u64>(), written.bytes);
    parts
}

/// Parts in any order, one at a time: each is kept or taken, and with the last of them everything is there.
#[tokio::test]
async fn parts_in_any_order() {
    relay::watched(async {
        let two = Two::apart().await;
        let parts = split(&two, "parts.bundle", 8 * 1024).await;
        assert!(parts.len() >= 3, "{}", parts.len());
        let everything = entries(&two.amina).await;
        let order = [1, 0].into_iter().chain((2..parts.len()).rev());
        let many = u32::try_from(parts.len()).unwrap();
        for (n, at) in order.enumerate() {
            let report = two.ben.client.import_bundle(File::open(&parts[at]).unwrap(), |_| {}).await.unwrap();
            assert_eq!(report.part, Some((u32::try_from(at).unwrap() + 1, many)));
            assert!(report.damaged == 0 && report.lost == 0 && report.not_kept == 0, "{report:?}");
            assert_eq!(report.waiting == 0, n + 1 == parts.len() || n == 1, "{report:?}");
        }
        assert_eq!(entries(&two.ben).await, everything);
        // Nothing is left behind.
        let area = two.ben.store().join("bundles");
        assert_eq!(std::fs::read_dir(area).unwrap().count(), 0);
    })
    .await;
}

/// The texts of a small bundle in any order, doubled, in capitals; one that is missing or wrong is named.
#[tokio::test]
async fn a_small_bundle_as_texts() {
    relay::watched(async {
        let two = Two::apart().await;
        two.amina.write(two.note, 0, "By a camera. ").await;
        let bundle = write(&two.amina, "Ben", BundleFrom::Receipts).await;
        let mut texts = bundle_texts(&bundle).unwrap();
        assert!(texts.len() > 1);
        let last = texts.len() - 1;
        texts.swap(0, last);
        texts.push(texts[0].to_uppercase());
        assert_eq!(bundle_from_texts(&texts.join("\n\n")).unwrap(), bundle);
        let missing = bundle_from_texts(&texts[..last].join("\n")).unwrap_err();
        assert_eq!(missing.code(), "BUNDLE_TEXTS_MISSING");
        assert!(missing.params().contains(&("missing".to_owned(), "1".to_owned())), "{missing}");
        let mut wrong = texts.clone();
        let end = wrong[1].pop().unwrap();
        wrong[1].push(if end == 'a' { 'e' } else { 'a' });
        assert_eq!(bundle_from_texts(&wrong.join("\n")).unwrap_err().code(), "BUNDLE_TEXT_DAMAGED");
        let other = bundle_texts(&bundle[1..]).unwrap();
        assert_eq!(
            bundle_from_texts(&[&texts[0], &other[1]].map(String::as_str).join("\n")).unwrap_err().code(),
            "BUNDLE_TEXT_DAMAGED"
        );
        assert_eq!(bundle_texts(&vec![0; 60_000]).unwrap_err().code(), "BUNDLE_TOO_LARGE");
        take(&two.ben, &bundle).await.unwrap();
        assert!(two.ben.text(two.note).await.contains("By a camera. "));
    })
    .await;
}

/// A file is never written over unless that is asked for, through no link, and a name is given to a whole file only.
#[tokio::test]
async fn files_are_whole_and_never_written_over() {
    relay::watched(async {
        let two = Two::apart().await;
        two.amina.write(two.note, 0, "Kept. ").await;
        let plan = || two.amina.client.plan_bundle(BundleFor::Space(two.space), BundleFrom::Receipts, false);
        let path = two.amina.beside("there.bundle");
        std::fs::write(&path, "mine").unwrap();
        assert_eq!(BundleFile::new(&path, None, false).unwrap_err().code(), "BUNDLE_EXISTS");
        let link = two.amina.beside("link.bundle");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(BundleFile::new(&link, None, false).unwrap_err().code(), "BUNDLE_EXISTS");
        assert_eq!(BundleFile::new(&two.amina.beside("no/such"), None, false).unwrap_err().code(), "BUNDLE_IO");
        assert_eq!(BundleFile::new(&path, Some(100), true).unwrap_err().code(), "SPLIT_TOO_SMALL");

        // Asked for, the link is replaced, and not what it leads to.
        let file = BundleFile::new(&link, None, true).unwrap();
        two.amina.client.write_bundle(plan().await.unwrap(), file, |_| {}).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        assert!(link.symlink_metadata().unwrap().is_file());

        // Somebody is quicker: nothing is written over, and nothing of ours is left.
        let late = two.amina.beside("late.bundle");
        let file = BundleFile::new(&late, None, false).unwrap();
        std::fs::write(&late, "theirs").unwrap();
        let refused = two.amina.client.write_bundle(plan().await.unwrap(), file, |_| {}).await.unwrap_err();
        assert_eq!(refused.code(), "BUNDLE_EXISTS");
        assert_eq!(std::fs::read(&late).unwrap(), b"theirs");
        assert!(!two.amina.beside("late.bundle.unfinished").exists());
        drop(take(&two.ben, &std::fs::read(&link).unwrap()).await.unwrap());
    })
    .await;
}
