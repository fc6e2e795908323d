//! Search through the facade: what was typed today, what came in, what an earlier version left, what is hostile.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::time::Instant;

use alliance_client::{Client, DocumentId, NewSpace, SearchHit, SearchPage};
use alliance_crypto::{Cost, passphrase_key};
use alliance_model::note::Stage;
use alliance_model::{AgreementCommand, Command, DocumentKind, ItemId, NoteCommand, Splice};
use alliance_store::device::DeviceOp;
use alliance_store::{Device, Fresh, StoreKey};
use alliance_tests::people::{PASSPHRASE, Person, options, pair_up};
use alliance_tests::relay::{Site, open, watched};
use alliance_wire::{Incarnation, Instance, SpaceId};

async fn search(client: &Client, words: &str) -> SearchPage {
    client.search(words, None, None, 0, 100).await.unwrap()
}

async fn found(client: &Client, words: &str) -> Vec<DocumentId> {
    search(client, words).await.hits.into_iter().map(|hit| hit.document).collect()
}

/// The places that were marked, as they were written.
fn marked(hit: &SearchHit) -> Vec<String> {
    let snippet = hit.snippet.as_ref().unwrap();
    let stretch = |mark: &alliance_model::search::Mark| snippet.text.chars().skip(mark.start).take(mark.len).collect();
    snippet.marks.iter().map(stretch).collect()
}

async fn mine(person: &Person) -> SpaceId {
    person.client.create_space("Mine", NewSpace::Personal).await.unwrap().space
}

async fn note(person: &Person, space: SpaceId, title: &str, text: &str) -> DocumentId {
    let note = person.client.create_document(space, DocumentKind::Note).await.unwrap();
    let command = Command::Note(NoteCommand::SetTitle { title: title.to_owned() });
    person.client.command(note, None, command).await.unwrap();
    if !text.is_empty() {
        person.write(note, 0, text).await;
    }
    note
}

#[tokio::test]
async fn what_was_typed_is_found_at_once_and_after_a_kill() {
    let mut amina = Person::new("Amina").await;
    let space = mine(&amina).await;
    let kitchen = note(&amina, space, "The locked kitchen", "Élodie would not open. ").await;
    let other = note(&amina, space, "Another day", "Nothing of it.").await;
    // Nothing is sealed yet.
    assert_eq!(found(&amina.client, "elodie open").await, [kitchen]);
    assert_eq!(found(&amina.client, "elodie absent").await, [], "all words must be there");
    let page = search(&amina.client, "nothing").await;
    assert_eq!((page.hits[0].document, page.hits[0].draft, page.not_searched), (other, true, 0));
    assert_eq!(marked(&page.hits[0]), ["Nothing"]);
    assert_eq!((page.hits[0].place.as_str(), page.hits[0].title.as_str()), ("sections.exploration", "Another day"));
    // Typed since, and taken back.
    amina.write(kitchen, 0, "Grandmother! ").await;
    assert_eq!(found(&amina.client, "grandmother").await, [kitchen]);
    let back = Splice { pos: 0, delete: 13, insert: String::new() };
    let back = NoteCommand::EditSection { stage: Stage::Exploration, splice: back };
    amina.client.command(kitchen, None, Command::Note(back)).await.unwrap();
    assert_eq!(found(&amina.client, "grandmother").await, []);
    amina.client.seal_all().await.unwrap();
    assert_eq!(found(&amina.client, "elodie").await, [kitchen]);
    let page = search(&amina.client, "title_is locked").await;
    assert_eq!(page.hits.len(), 0);
    assert_eq!(search(&amina.client, "locked").await.hits[0].place, "title");

    // A process that dies with an open draft: the draft's words come back with the store.
    amina.write(kitchen, 0, "Unsealed. ").await;
    let left = amina.beside("left");
    std::fs::create_dir(&left).unwrap();
    for file in std::fs::read_dir(amina.store()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), left.join(file.file_name())).unwrap();
    }
    amina.client.close().await.unwrap();
    std::fs::remove_dir_all(amina.store()).unwrap();
    std::fs::rename(&left, amina.store()).unwrap();
    amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
    assert_eq!(amina.client.bring_into_search(100).await.unwrap(), 0);
    let page = search(&amina.client, "unsealed").await;
    assert_eq!((page.hits.len(), page.not_searched), (1, 0));
    assert!(page.hits[0].draft && page.hits[0].searched);
}

#[tokio::test]
async fn what_comes_in_is_found_and_no_document_is_loaded_for_it() {
    watched(async {
        let mut site = Site::start(open).await;
        let (ben, mut amina) = (Person::new("Ben").await, Person::new("Amina").await);
        ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = pair_up(&ben, &amina, 1).await[0];
        let shared = note(&ben, space, "Shared", "奶奶不让我进厨房").await;
        let agreement = ben.client.create_document(space, DocumentKind::Agreement).await.unwrap();
        let id = ItemId([1; 8]);
        let section = alliance_model::agreement::ClauseSection::Confidentiality;
        let modality = alliance_model::agreement::Modality::Must;
        for command in [
            AgreementCommand::AddClause { id, section, modality, after: None },
            AgreementCommand::EditClause { id, splice: Splice::insert(0, "It stays between us.") },
        ] {
            ben.client.command(agreement, None, Command::Agreement(command)).await.unwrap();
        }
        ben.sync().await;
        amina.sync().await;
        amina.reopen().await;
        let loaded = amina.client.documents_loaded().await;
        assert_eq!(found(&amina.client, "厨房").await, [shared]);
        let page = search(&amina.client, "stays").await;
        assert_eq!((page.hits[0].document, page.hits[0].kind), (agreement, DocumentKind::Agreement));
        assert_eq!(page.hits[0].place, format!("clauses.{id}"));
        let only = |kind| amina.client.search("agreement stays", None, Some(kind), 0, 10);
        assert_eq!(only(DocumentKind::Note).await.unwrap().hits.len(), 0);
        assert_eq!(only(DocumentKind::Agreement).await.unwrap().hits.len(), 1);
        // A list takes the same words.
        let listed = amina.client.documents(Some(space), None, Some("奶奶"), 0, 10).await.unwrap();
        assert_eq!((listed.len(), listed[0].document, listed[0].searched), (1, shared, true));
        assert_eq!(amina.client.documents_loaded().await, loaded, "no document was loaded");
        // Looking at it takes its mark away and not its words.
        assert!(listed[0].unread);
        amina.client.view(shared).await.unwrap();
        assert_eq!(amina.client.documents_loaded().await, loaded + 1, "control: a view loads it");
        let listed = amina.client.documents(Some(space), None, Some("奶奶"), 0, 10).await.unwrap();
        assert!(!listed[0].unread && listed[0].searched);

        // Both write: with a draft open, what it says and what came in meanwhile are both found.
        amina.write(shared, 0, "Mine alone. ").await;
        ben.write(shared, 0, "Bens Satz. ").await;
        ben.sync().await;
        let reports = amina.client.sync_once(alliance_tests::people::hear).await.unwrap();
        assert!(reports[0].settled);
        amina.write(shared, 0, "Typed later. ").await;
        for words in ["mine alone", "bens satz", "typed later", "厨房"] {
            assert_eq!(found(&amina.client, words).await, [shared], "{words}");
        }
        site.stop().await;
    })
    .await;
}

/// Opens a store below the client, as if an earlier version had left it, with no document searched.
async fn forget_words(person: &mut Person) {
    person.client.close().await.unwrap();
    let header = Device::header(&person.store()).unwrap().unwrap();
    let key = passphrase_key(PASSPHRASE, &header.salt, Cost::TEST).unwrap();
    let fresh = Fresh { incarnation: Incarnation([9; 16]), instance: Instance([9; 16]) };
    let store = alliance_store::Options::default();
    let (device, _) = Device::open(&person.store(), &StoreKey::new(*key), fresh, store).unwrap();
    device.apply(vec![DeviceOp::MarkOtherWords(u32::MAX)]).await.unwrap();
    device.close();
}

#[tokio::test]
async fn what_an_earlier_version_left_is_brought_in_and_can_be_interrupted() {
    let mut amina = Person::new("Amina").await;
    let space = mine(&amina).await;
    let mut notes = Vec::new();
    for n in 0..40 {
        notes.push(note(&amina, space, &format!("Note {n}"), &format!("word{n} everywhere")).await);
    }
    forget_words(&mut amina).await;
    // Opened and closed at once: whatever was done is kept, the rest is due.
    for _ in 0..2 {
        amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
        let page = search(&amina.client, "everywhere").await;
        assert!(page.not_searched <= 40);
        amina.client.close().await.unwrap();
    }
    amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
    let mut last = u64::MAX;
    loop {
        let left = amina.client.bring_into_search(3).await.unwrap();
        assert!(left < last, "it comes to its end: {left}");
        if left == 0 {
            break;
        }
        last = left;
    }
    let page = search(&amina.client, "everywhere").await;
    assert_eq!((page.hits.len(), page.not_searched), (40, 0));
    assert_eq!(found(&amina.client, "word17").await, [notes[17]]);
    let rows = amina.client.documents(None, None, None, 0, 100).await.unwrap();
    assert!(rows.len() == 40 && rows.iter().all(|row| row.searched));
    assert_eq!(amina.client.documents_loaded().await, 0, "nothing that people have open gave way");
}

#[tokio::test]
async fn hostile_texts_and_queries() {
    let amina = Person::new("Amina").await;
    let space = mine(&amina).await;
    let long = note(&amina, space, "Long", "").await;
    // A section as long as one may be, in a script of three bytes a character.
    let piece: String = "ភាសាខ្មែរ".chars().cycle().take(2_500).collect();
    for n in 0..20_u32 {
        amina.write(long, n * 2_500, &piece).await;
    }
    let close = Splice::insert(0, "\u{202E}שלום NEAR(\"x\") * the end");
    let command = Command::Note(NoteCommand::EditSection { stage: Stage::Close, splice: close });
    amina.client.command(long, None, command).await.unwrap();
    let start = Instant::now();
    assert_eq!(found(&amina.client, "ខ្មែរ").await, [long]);
    println!("50,000 characters taken in and found in {:?}", start.elapsed());
    assert_eq!(found(&amina.client, "\u{202E}שלום the end").await, [long]);
    let code = async |query: &str| amina.client.search(query, None, None, 0, 10).await.unwrap_err().code();
    assert_eq!(code(&"query ".repeat(1_667)).await, "QUERY_TOO_LONG");
    assert_eq!(code("\0").await, "QUERY_EMPTY");
    assert_eq!(amina.client.documents(None, None, Some(" * "), 0, 10).await.unwrap_err().code(), "QUERY_EMPTY");
    for query in
        ["\"", "x\" OR \"the", "NEAR(x)", "title:the", "end*\0", "{the} : end", "-the", "'; drop table words; --"]
    {
        let answer = amina.client.search(query, None, None, 0, 10).await;
        println!("{query:?}: {:?}", answer.as_ref().map(|page| page.hits.len()).map_err(|error| error.code()));
        assert!(answer.is_ok() || answer.is_err_and(|error| error.code() == "QUERY_EMPTY"), "{query:?}");
    }
    // Pages: a limit beyond what one may hold, an offset beyond the end.
    assert_eq!(amina.client.search("the", None, None, u64::MAX, u64::MAX).await.unwrap().hits.len(), 0);
    assert_eq!(amina.client.search("the", None, None, 0, 0).await.unwrap().hits.len(), 1);
}

#[tokio::test]
#[ignore = "prints figures"]
async fn figures_of_a_thousand_notes() {
    let amina = Person::new("Amina").await;
    let space = mine(&amina).await;
    let syllables = ["ba", "ro", "ki", "ten", "mal", "su", "dor", "ela", "vin", "po", "gra", "nu", "hes", "tri", "lo"];
    let mut state = 7_usize;
    let mut word = || {
        let mut text = String::new();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(syllables[(state >> 40) % syllables.len()]);
        }
        text
    };
    for n in 0..1_000 {
        let text: Vec<String> = (0..300).map(|_| word()).collect();
        let note = note(&amina, space, &format!("Session {n}"), &text.join(" ")).await;
        amina.client.seal(note).await.unwrap();
    }
    for query in ["barokiten", "baroki", "ba", "gra hes", "session 77", "\"barokiten malsudor\"", "absent"] {
        let (mut times, mut hits) = (Vec::new(), 0);
        for _ in 0..41 {
            let start = Instant::now();
            hits = amina.client.search(query, None, None, 0, 50).await.unwrap().hits.len();
            times.push(start.elapsed());
        }
        times.sort_unstable();
        println!("{query}: {hits} hits on the page, p50 {:?}, p95 {:?}", times[20], times[38]);
    }
    assert_eq!(amina.client.documents_loaded().await, 0);
}

/// A store of the schema before there was a search: everything is listed, marked, and found once it was brought in.
#[tokio::test]
async fn a_store_without_words_gets_them() {
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schema-1/device");
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(fixture).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let client = Client::open(folder.path(), PASSPHRASE, options()).await.unwrap();
    assert_eq!(client.bring_into_search(100).await.unwrap(), 0);
    let page = search(&client, "felt ashamed grandmother").await;
    assert_eq!((page.hits.len(), page.not_searched), (1, 0));
    assert!(page.hits[0].draft, "what was published, with the draft on it");
    assert_eq!(found(&client, "\"one two three\"").await.len(), 2, "two drafts");
    assert_eq!(found(&client, "nobody").await.len(), 1);
    assert!(client.documents(None, None, None, 0, 10).await.unwrap().iter().all(|row| row.searched));
}
