//! The history of a note through the facade: two people who wrote apart, many versions, a passage brought back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::time::Instant;

use alliance_client::{Client, DocumentId, NewSpace, PieceKind, VersionDocument, View};
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};
use alliance_tests::people::{Met, Person};
use alliance_tests::relay::watched;

fn exploration(shown: &VersionDocument) -> String {
    let View::Note(note) = &shown.view else { panic!("a note") };
    note.section(Stage::Exploration).unwrap().text.clone()
}

async fn cut(client: &Client, note: DocumentId, pos: u32, delete: u32) {
    let splice = Splice { pos, delete, insert: String::new() };
    let command = NoteCommand::EditSection { stage: Stage::Exploration, splice };
    client.command(note, None, Command::Note(command)).await.unwrap();
}

#[tokio::test]
async fn who_wrote_what_apart_and_a_passage_brought_back() {
    watched(async {
        let Met { mut site, ben, amina, note, .. } = Met::over_a_note("We met in May. It rained.").await;
        // Apart: Amina takes the first sentence out, Ben writes into it and behind it.
        cut(&amina.client, note, 0, 15).await;
        ben.write(note, 13, " (no, in June)").await;
        let title = Command::Note(NoteCommand::SetTitle { title: "A walk".into() });
        ben.client.command(note, None, title).await.unwrap();
        for person in [&amina, &ben, &amina, &ben] {
            person.sync().await;
        }
        assert_eq!(amina.text(note).await, " (no, in June)It rained.");
        let page = amina.client.history(note, 0, 10).await.unwrap();
        assert_eq!((page.total, page.draft), (3, false));
        let theirs = ben.client.history(note, 0, 10).await.unwrap();
        let ids = |page: &alliance_client::HistoryPage| -> Vec<String> {
            page.versions.iter().map(|version| version.version.clone()).collect()
        };
        assert_eq!(ids(&page), ids(&theirs), "the same versions in the same order on both devices");
        let of = |name: &str| page.versions.iter().find(|version| version.by == name).unwrap().clone();
        let first = page.versions.last().unwrap().clone();
        assert_eq!((first.by.as_str(), first.device), ("Amina", amina.client.whoami().device));
        assert!(first.said_at.is_some() && first.not_shown.is_none());
        let changed = |version: &alliance_client::VersionView| -> Vec<(String, usize, usize)> {
            version.changed.iter().map(|it| (it.place.clone(), it.added, it.removed)).collect()
        };
        let exploration_of = "sections.exploration".to_owned();
        assert_eq!(changed(&first), [(exploration_of.clone(), 25, 0)]);
        assert_eq!(changed(&of("Amina")), [(exploration_of.clone(), 0, 15)]);
        assert_eq!(changed(&of("Ben")), [(exploration_of.clone(), 14, 0), ("title".to_owned(), 0, 0)]);
        // Each saw what they saw, not what was written beside it.
        let at = async |id: &str| amina.client.view_version(note, id).await.unwrap();
        assert_eq!(exploration(&at(&first.version).await), "We met in May. It rained.");
        assert_eq!(exploration(&at(&of("Ben").version[..8]).await), "We met in May (no, in June). It rained.");
        assert_eq!(exploration(&at(&of("Amina").version).await), "It rained.");
        let compared = amina.client.compare_versions(note, &first.version, None).await.unwrap();
        let text = compared.differences.iter().find(|it| it.place == exploration_of).unwrap();
        let of_kind =
            |kind| -> String { text.pieces.iter().filter(|it| it.kind == kind).map(|it| it.text.as_str()).collect() };
        assert_eq!(of_kind(PieceKind::Removed), "We met in May. ");
        assert_eq!(
            (of_kind(PieceKind::Added), of_kind(PieceKind::Kept)),
            (" (no, in June)".into(), "It rained.".into())
        );
        let title = compared.differences.iter().find(|it| it.place == "title").unwrap();
        assert_eq!((title.before.as_deref(), title.after.as_deref()), (None, Some("A walk")));
        let between =
            amina.client.compare_versions(note, &of("Amina").version, Some(&of("Ben").version)).await.unwrap();
        assert!(between.differences.iter().any(|it| it.place == exploration_of && it.added == 29), "{between:?}");

        // Brought back: each part of the passage where it stood, Ben's words where they are, under Ben's name now.
        let written = ben.client.restore_passage(note, &first.version, &exploration_of, Some((0, 15))).await.unwrap();
        assert_eq!(written, 2);
        assert_eq!(ben.text(note).await, "We met in May (no, in June). It rained.");
        assert!(ben.client.history(note, 0, 1).await.unwrap().draft, "an edit of today, in the draft");
        let code = async |result: Result<u64, alliance_client::Error>| result.unwrap_err().code();
        let again = ben.client.restore_passage(note, &first.version, &exploration_of, Some((0, 15))).await;
        assert_eq!(code(again).await, "NOTHING_MISSING");
        for person in [&ben, &amina] {
            person.sync().await;
        }
        let page = amina.client.history(note, 0, 1).await.unwrap();
        assert_eq!((page.total, page.versions[0].by.as_str()), (4, "Ben"), "nothing was rewritten");
        assert_eq!(amina.text(note).await, "We met in May (no, in June). It rained.");
        refusals(&amina, note, &first.version).await;
        site.stop().await;
    })
    .await;
}

async fn refusals(amina: &Person, note: DocumentId, version: &str) {
    let restore = async |version: &str, place: &str, passage| {
        amina.client.restore_passage(note, version, place, passage).await.unwrap_err().code()
    };
    assert_eq!(restore("ffffffff", "title", None).await, "UNKNOWN_VERSION");
    assert_eq!(restore("", "title", None).await, "UNKNOWN_VERSION");
    assert_eq!(restore(version, "sections.exploration", Some((20, 100))).await, "NO_PASSAGE");
    assert_eq!(restore(version, "sections.exploration", Some((usize::MAX, 2))).await, "NO_PASSAGE");
    assert_eq!(restore(version, "sections.nowhere", None).await, "NO_PASSAGE");
    assert_eq!(restore(version, "sections.close", None).await, "NO_PASSAGE");
    assert_eq!(restore(version, "title", None).await, "NOTHING_MISSING");
    let refused = amina.client.view_version(note, "zz").await.unwrap_err();
    assert_eq!(refused.code(), "UNKNOWN_VERSION");
    let absent = DocumentKind::Note.document_id([9; 16]);
    assert_eq!(amina.client.history(absent, 0, 1).await.unwrap_err().code(), "UNKNOWN_DOCUMENT");
}

#[tokio::test]
async fn five_hundred_versions_come_in_pages() {
    let amina = Person::new("Amina").await;
    let space = amina.client.create_space("Mine", NewSpace::Personal).await.unwrap().space;
    let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
    for n in 0..500_u32 {
        amina.write(note, 0, &format!("{n:03} ")).await;
        amina.client.seal(note).await.unwrap();
    }
    let start = Instant::now();
    let (mut all, mut offset) = (Vec::new(), 0);
    loop {
        let page = amina.client.history(note, offset, 1_000).await.unwrap();
        assert_eq!(page.total, 500);
        if page.versions.is_empty() {
            break;
        }
        assert!(page.versions.len() <= 100, "a page is bounded whatever is asked for");
        assert!(page.versions.iter().all(|version| version.changed.len() == 1 && version.changed[0].added == 4));
        offset += page.versions.len() as u64;
        all.extend(page.versions.into_iter().map(|version| version.version));
    }
    println!("500 versions in pages of 100: {:?}", start.elapsed());
    assert_eq!(all.len(), 500);
    for n in [0_usize, 7, 250, 499] {
        let then = amina.client.view_version(note, &all[499 - n]).await.unwrap();
        let expected: String = (0..=n).rev().map(|n| format!("{n:03} ")).collect();
        assert_eq!(exploration(&then), expected);
    }
    let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), 500);
}
