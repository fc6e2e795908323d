//! The index of words: what is found in which order, when a document counts as searched, and what goes with it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::time::Instant;

use alliance_store::conformance::space;
use alliance_store::device::{
    DeviceOp, Document, DocumentHead, Draft, ListQuery, Listing, SEARCH_ROWS_MAX, SearchPage, SearchPhrase,
    SearchQuery, Searchable,
};
use alliance_store::{Device, Fresh, Kdf, Options, StoreHeader, StoreKey};
use alliance_wire::{DocumentId, DraftId, Incarnation, Instance};

fn key() -> StoreKey {
    StoreKey::new([1; 32])
}

fn fresh(number: u8) -> Fresh {
    Fresh { incarnation: Incarnation([number; 16]), instance: Instance([number + 100; 16]) }
}

fn create(folder: &Path) -> Device {
    let header = StoreHeader::new([3; 16], Kdf { memory_kib: 8, passes: 1, lanes: 1 }, &key());
    Device::create(folder, &header, &key(), fresh(1), Options::default()).unwrap().0
}

fn document_id(number: u16) -> DocumentId {
    let [high, low] = number.to_be_bytes();
    let mut id = [high; 16];
    id[15] = low;
    DocumentId(id)
}

/// A document of these heads, listed; even ones in the first space, odd ones in the second.
fn document(number: u16, heads: u8, title: &str) -> Vec<DeviceOp> {
    let (space, document) = (space(u8::try_from(number % 2).unwrap() + 1), document_id(number));
    let head = DocumentHead {
        space,
        document,
        kind: number % 3,
        schema: 1,
        heads: vec![heads],
        authors: Vec::new(),
        updated: 1,
        flags: 0,
    };
    let listing = Listing {
        space,
        document,
        kind: number % 3,
        title: title.to_owned(),
        date: String::new(),
        snippet: String::new(),
        markers: 0,
        searched: false,
    };
    vec![DeviceOp::PutDocument(Document { head, saved: vec![1] }), DeviceOp::PutListing(listing)]
}

fn words(number: u16, heads: u8, title: &str, body: &str) -> Searchable {
    Searchable {
        space: space(u8::try_from(number % 2).unwrap() + 1),
        document: document_id(number),
        version: 1,
        heads: vec![heads],
        draft: None,
        whole: true,
        title: title.to_owned(),
        body: body.to_owned(),
        parts: format!("parts of {number}").into_bytes(),
    }
}

async fn put(device: &Device, number: u16, title: &str, body: &str) {
    let mut ops = document(number, 1, title);
    ops.push(DeviceOp::PutSearchable(words(number, 1, title, body)));
    device.apply(ops).await.unwrap();
}

fn query(phrases: &[&str]) -> SearchQuery {
    let phrase = |text: &&str| SearchPhrase {
        terms: text.trim_end_matches('*').split(' ').map(str::to_owned).collect(),
        prefix: text.ends_with('*'),
    };
    SearchQuery { phrases: phrases.iter().map(phrase).collect(), limit: 50, ..SearchQuery::default() }
}

async fn found(device: &Device, query: SearchQuery) -> Vec<DocumentId> {
    let page: SearchPage = device.search(query).await.unwrap();
    page.hits.into_iter().map(|hit| hit.listing.document).collect()
}

#[tokio::test]
async fn words_are_found_and_ranked() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    put(&device, 1, "first", "the locked kitchen of the grandmother").await;
    put(&device, 2, "kitchen", "nothing more is said here").await;
    put(&device, 3, "third", "a kitchenette and many other words that make it longer").await;
    put(&device, 4, "厨房 房", "奶奶 奶不 不让 让我 我进 进厨 厨房 房").await;
    let id = document_id;
    // A word in the title first, then in the text; the beginning of a longer word last.
    assert_eq!(found(&device, query(&["kitchen*"])).await, [id(2), id(1), id(3)]);
    assert_eq!(found(&device, query(&["kitchen"])).await, [id(2), id(1)]);
    assert_eq!(found(&device, query(&["kitchen*", "grand*"])).await, [id(1)], "all words");
    assert_eq!(found(&device, query(&["locked kitchen"])).await, [id(1)]);
    assert_eq!(found(&device, query(&["kitchen locked"])).await, []);
    assert_eq!(found(&device, query(&["厨房"])).await, [id(4)]);
    assert_eq!(found(&device, query(&["让*"])).await, [id(4)]);
    assert_eq!(found(&device, SearchQuery { space: Some(space(1)), ..query(&["kitchen*"]) }).await, [id(2)]);
    assert_eq!(found(&device, SearchQuery { kind: Some(0), ..query(&["kitchen*"]) }).await, [id(3)]);
    assert_eq!(found(&device, SearchQuery { space: Some(space(9)), ..query(&["kitchen*"]) }).await, []);
    // Lists take the same words, in their own order.
    let list = ListQuery { containing: query(&["kitchen*"]).phrases, limit: 10, ..ListQuery::default() };
    let rows = device.list(list).await.unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.document).collect::<Vec<_>>(), [id(3), id(2), id(1)]);
    assert!(rows.iter().all(|row| row.searched));
    // What is no word is left out; nothing of a query is a language.
    for syntax in ["\"", "a\" OR \"kitchen", "kitchen OR", "title:kitchen", "^kitchen", "NEAR(a b)", "\0", "", "*"] {
        let phrases = vec![SearchPhrase { terms: vec![syntax.to_owned()], prefix: true }];
        let page = device.search(SearchQuery { phrases, limit: 5, ..SearchQuery::default() }).await;
        assert_eq!(page.unwrap().hits, [], "{syntax:?}");
    }
}

#[tokio::test]
async fn pages_hold_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    for number in 0..230 {
        put(&device, number, "note", &"word ".repeat(usize::from(number % 7) + 1)).await;
    }
    for limit in [1, 9, SEARCH_ROWS_MAX, 1_000] {
        let (mut all, mut offset) = (Vec::new(), 0);
        loop {
            let page = device.search(SearchQuery { offset, limit, ..query(&["word*"]) }).await.unwrap();
            assert!(page.hits.len() <= limit.min(SEARCH_ROWS_MAX));
            assert_eq!(page.hits[0].parts, format!("parts of {}", number_of(&page.hits[0].listing)).into_bytes());
            offset += page.hits.len() as u64;
            all.extend(page.hits.into_iter().map(|hit| hit.listing.document));
            if !page.more {
                break;
            }
        }
        assert_eq!(all.len(), 230, "pages of {limit}");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 230, "none twice in pages of {limit}");
    }
}

fn number_of(listing: &Listing) -> u16 {
    u16::from_be_bytes([listing.document.0[0], listing.document.0[15]])
}

/// Whether the second document's row says that it is searched, and how many are not.
async fn state(device: &Device) -> (bool, u64) {
    let row = device.listing(space(1), document_id(2)).await.unwrap().unwrap();
    (row.searched, device.unsearched(9, 10).await.unwrap().count)
}

#[tokio::test]
async fn a_document_is_searched_while_its_words_are_those_of_heads_and_draft() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    device.apply(document(2, 1, "t")).await.unwrap();
    assert_eq!(state(&device).await, (false, 1), "listed and not searched yet");
    assert_eq!(device.unsearched(9, 10).await.unwrap().next, [(space(1), document_id(2))]);
    let put = async |row: Searchable| device.apply(vec![DeviceOp::PutSearchable(row)]).await.unwrap();
    put(words(2, 1, "t", "one")).await;
    assert_eq!(state(&device).await, (true, 0));
    // New heads without their words, and with those of the old heads.
    device.apply(document(2, 5, "t")).await.unwrap();
    assert_eq!(state(&device).await, (false, 1));
    put(words(2, 1, "t", "one")).await;
    assert_eq!(state(&device).await, (false, 1), "words of other heads do not make it searched");
    put(words(2, 5, "t", "five")).await;
    assert_eq!((state(&device).await, found(&device, query(&["one"])).await.len()), ((true, 0), 0));

    let draft = Draft {
        draft: DraftId([6; 16]),
        space: space(1),
        document: document_id(2),
        kind: 2,
        schema: 1,
        base: vec![5],
        incarnation: Incarnation([1; 16]),
        format: 1,
        revision: 0,
        opened: 1,
    };
    let command = |n| DeviceOp::AppendCommand { draft: DraftId([6; 16]), n, bytes: vec![1] };
    let drafted = |commands| Some((DraftId([6; 16]), commands));
    device.apply(vec![DeviceOp::PutDraft(draft.clone()), command(1)]).await.unwrap();
    assert_eq!(state(&device).await, (false, 1), "what was typed is not searched yet");
    assert_eq!(found(&device, query(&["five"])).await.len(), 1, "and what was searched is found all the same");
    put(Searchable { draft: drafted(1), ..words(2, 5, "t", "five typed") }).await;
    assert_eq!(state(&device).await, (true, 0));
    device.apply(vec![command(2)]).await.unwrap();
    put(Searchable { draft: drafted(1), ..words(2, 5, "t", "five typed") }).await;
    assert_eq!(state(&device).await, (false, 1), "a command more than was searched");
    put(words(2, 5, "t", "five")).await;
    assert_eq!(state(&device).await, (false, 1), "words without the draft");
    put(Searchable { draft: drafted(2), ..words(2, 5, "t", "five typed more") }).await;
    assert_eq!(state(&device).await, (true, 0));
    // A document that cannot be taken apart is not asked for again, until it changes or a later version comes.
    device.apply(vec![DeviceOp::DropDraft(DraftId([6; 16]))]).await.unwrap();
    assert_eq!(state(&device).await, (false, 1), "the draft is gone, its words are still there");
    let tried = DeviceOp::TriedSearchable { space: space(1), document: document_id(2), version: 9 };
    device.apply(vec![tried]).await.unwrap();
    assert_eq!(state(&device).await, (false, 0));
    assert_eq!(device.unsearched(10, 10).await.unwrap().count, 1);
    device.apply(vec![DeviceOp::PutDraft(draft), command(1)]).await.unwrap();
    assert_eq!(state(&device).await, (false, 1));
    put(Searchable { draft: drafted(1), ..words(2, 5, "t", "five typed") }).await;
    // Another way of taking text apart.
    assert!(!device.has_other_words(1).await.unwrap() && device.has_other_words(2).await.unwrap());
    device.apply(vec![DeviceOp::MarkOtherWords(1)]).await.unwrap();
    assert_eq!(state(&device).await, (true, 0));
    device.apply(vec![DeviceOp::MarkOtherWords(2)]).await.unwrap();
    assert_eq!(state(&device).await, (false, 1));
}

/// Whether the index holds the end of a term; its beginnings are shared between neighbours.
fn index_holds(folder: &Path, end: &str) -> bool {
    let connection = rusqlite::Connection::open(folder.join("store.db")).unwrap();
    let hex: String = [[1_u8; 32].as_slice(), &[3; 16]].concat().iter().map(|byte| format!("{byte:02x}")).collect();
    connection.execute_batch(&format!("pragma key = \"x'{hex}'\"")).unwrap();
    let sql = "select exists (select 1 from words_data where instr(block, cast(?1 as blob)))";
    connection.query_row(sql, [end], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_dropped_document_leaves_no_word_behind() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    put(&device, 2, "secretword", "anotherword").await;
    put(&device, 4, "stays", "anotherword").await;
    assert_eq!(found(&device, query(&["anotherword"])).await.len(), 2);
    // Also what stood there before it was written anew.
    put(&device, 8, "t", "formerword").await;
    put(&device, 8, "t", "laterword").await;
    device.apply(vec![DeviceOp::DropDocument(space(1), document_id(8))]).await.unwrap();
    assert!(index_holds(folder.path(), "cretword"));
    assert!(!index_holds(folder.path(), "ormerword") && !index_holds(folder.path(), "aterword"));
    device.apply(vec![DeviceOp::DropDocument(space(1), document_id(2))]).await.unwrap();
    assert_eq!(found(&device, query(&["secretword"])).await, []);
    assert!(!index_holds(folder.path(), "cretword") && index_holds(folder.path(), "notherword"));
    assert_eq!(found(&device, query(&["anotherword"])).await, [document_id(4)]);
    assert_eq!(device.unsearched(1, 10).await.unwrap().count, 0);
    let page = device.search(query(&["anotherword"])).await.unwrap();
    assert_eq!((page.unsearched, page.cut), (0, 0));
    device
        .apply(vec![DeviceOp::PutSearchable(Searchable { whole: false, ..words(4, 1, "stays", "anotherword") })])
        .await
        .unwrap();
    assert_eq!(device.search(query(&["anotherword"])).await.unwrap().cut, 1);
    // A document larger than anything: 4 MiB in one word each.
    let body: String = (0..600_000).map(|n| format!("w{n} ")).collect();
    put(&device, 6, "large", &body).await;
    assert_eq!(found(&device, query(&["w599999"])).await, [document_id(6)]);
}

/// Nothing of an index is readable in the files; the same search finds the words in what goes in.
#[tokio::test]
async fn nothing_of_the_index_is_readable_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let word = "unmistakableword";
    let row = words(2, 1, "t", &format!("{word} ").repeat(300));
    let holds = |bytes: &[u8]| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(holds(row.body.as_bytes()));
    let mut ops = document(2, 1, "t");
    ops.push(DeviceOp::PutSearchable(row));
    device.apply(ops).await.unwrap();
    let mut files = 0;
    for open in [true, false] {
        if !open {
            device.close();
        }
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            assert!(!holds(&std::fs::read(&path).unwrap()), "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 6, "{files}");
}

#[tokio::test]
#[ignore = "prints figures"]
async fn figures_of_a_thousand_notes() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let mut number = 7_u64;
    let mut next = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % 20_000
    };
    let start = Instant::now();
    for note in 0..1_000 {
        // About two kilobytes; small numbers are frequent words.
        let body: String = (0..350).map(|_| format!("w{} ", next() * next() / 20_000)).collect();
        put(&device, note, &format!("note {note}"), &body).await;
    }
    println!("put: {:.2} ms a note", start.elapsed().as_secs_f64());
    let start = Instant::now();
    for note in 0..200 {
        device.apply(document(note + 2_000, 1, "without words")).await.unwrap();
    }
    println!("put without words: {:.2} ms a note", start.elapsed().as_secs_f64() * 5.0);
    for (name, phrases) in [
        ("a frequent word", vec!["w1"]),
        ("the beginning of nearly all words", vec!["w*"]),
        ("a rare word", vec!["w17321"]),
        ("three beginnings", vec!["w1*", "w2*", "w3*"]),
        ("a phrase", vec!["w1 w2"]),
    ] {
        let mut times = Vec::new();
        let mut hits = 0;
        for _ in 0..41 {
            let start = Instant::now();
            hits = device.search(query(&phrases)).await.unwrap().hits.len();
            times.push(start.elapsed());
        }
        times.sort_unstable();
        println!("{name}: {hits} hits, p50 {:?}, p95 {:?}", times[20], times[38]);
    }
    let start = Instant::now();
    for note in 0..100 {
        put(&device, note, "again", &format!("w{note} ").repeat(350)).await;
    }
    println!("put again: {:.2} ms a note", start.elapsed().as_secs_f64() * 10.0);
    device.close();
    println!("database: {} kB", std::fs::metadata(folder.path().join("store.db")).unwrap().len() / 1_000);
}
