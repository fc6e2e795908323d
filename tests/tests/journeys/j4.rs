//! DOMAIN 2.16, J4: preparing privately, sharing two items, withdrawing one.
//!
//! Checks of this journey that belong to the policy of meeting kinds (which kinds of items an agenda takes), to the
//! organisation's store and to the resource audit are marked *later* in docs/DOMAIN.md, 2.16.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command as Process, Stdio};

use alliance_client::{Client, DocumentId, Options, Rules, View};
use alliance_model::preparation::{
    Feeling, PreparationCommand as P, PreparationKind, PreparationState, PreparationValue as V, PreparationView,
};
use alliance_model::session::{AgendaField, AgendaState, SessionCommand, SessionView};
use alliance_model::{Command, DocumentKind, ItemId, Splice};
use alliance_tests::opened::Opened;
use alliance_tests::people::{Met, PASSPHRASE, Person, add_device, options};
use alliance_tests::relay::{self, Site};

/// What she logs in the month; each has a word that stands nowhere else.
const ENTRIES: [&str; 9] = [
    "The grandmother locked the kitchen, quillworth.",
    "He asked me not to tell, brindlemere.",
    "She laughed for the first time, ostervane.",
    "I was late for three visits, fenwickle.",
    "How do I end a visit that nobody wants to end? Tamarrow.",
    "The colleague said that I am soft, gristlode.",
    "I dreamt of the stairs, hollinquay.",
    "Nobody thanked me, and I minded, pervenche.",
    "The form asks what I cannot ask, saltmarrow.",
];
/// Of each entry the word that nobody else has.
const WORDS: [&str; 9] = [
    "quillworth",
    "brindlemere",
    "ostervane",
    "fenwickle",
    "Tamarrow",
    "gristlode",
    "hollinquay",
    "pervenche",
    "saltmarrow",
];
/// Shared by another wording, and as it stands.
const REWORDED: usize = 1;
const AS_IT_STANDS: usize = 4;
const WORDING: &str = "A promise that I should not have given, zephyrine.";

fn id(n: usize) -> ItemId {
    ItemId([u8::try_from(n + 1).unwrap(); 8])
}

async fn log(of: &Person) -> PreparationView {
    let log = of.client.preparation().await.unwrap();
    let View::Preparation(view) = of.client.view(log).await.unwrap().view else { panic!("a preparation log") };
    view
}

async fn prepare(of: &Person, command: P) {
    let log = of.client.preparation().await.unwrap();
    of.client.command(log, None, Command::Preparation(command)).await.unwrap();
}

async fn write_down(of: &Person, n: usize) {
    let after = n.checked_sub(1).map(id);
    prepare(of, P::AddEntry { id: id(n), after }).await;
    prepare(of, P::EditEntry { id: id(n), splice: Splice::insert(0, ENTRIES[n]) }).await;
    prepare(of, P::SetEntry { id: id(n), value: V::Kind(PreparationKind::ALL[n % 7]) }).await;
    prepare(of, P::SetEntry { id: id(n), value: V::Priority(u16::try_from(9 - n).unwrap()) }).await;
    prepare(of, P::AddFeeling { id: id(n), feeling: Feeling::ALL[n] }).await;
}

async fn agenda(of: &Person, session: DocumentId) -> SessionView {
    let View::Session(view) = of.client.view(session).await.unwrap().view else { panic!("a session") };
    view
}

async fn texts(of: &Person, session: DocumentId) -> Vec<String> {
    agenda(of, session).await.agenda.into_iter().map(|item| item.text.text).collect()
}

async fn bring(of: &Person, session: DocumentId, item: ItemId, after: Option<ItemId>, text: &str) {
    for command in [
        SessionCommand::AddItem { id: item, after },
        SessionCommand::EditItem { id: item, splice: Splice::insert(0, text) },
    ] {
        of.client.command(session, None, Command::Session(command)).await.unwrap();
    }
}

/// Her program is killed when the copy is begun and her log does not know of it.
async fn killed_while_sharing(amina: &mut Person, entry: ItemId, session: DocumentId) {
    amina.client.close().await.unwrap();
    let mut child = Process::new(env!("CARGO_BIN_EXE_alliance-crash-writer"))
        .arg(amina.store())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(answers.next().unwrap().unwrap().starts_with("open "));
    writeln!(child.stdin.as_mut().unwrap(), "share {entry} {session}").unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), "begun");
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it did not end by itself");
    amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
}

/// How many cells of the relay's databases hold a text.
fn relay_holds(site: &Site, text: &str) -> usize {
    let (mut cells, mut found) = (0, 0);
    alliance_store::operator::dump(&site.folder().join("data"), |cell| {
        cells += 1;
        found += usize::from(cell.bytes.windows(text.len()).any(|window| window == text.as_bytes()));
        Ok(())
    })
    .unwrap();
    assert!(cells > 0, "something was looked at");
    found
}

#[tokio::test]
async fn nine_are_prepared_two_are_shared_and_one_is_withdrawn() {
    relay::watched(async {
        let mut met = Met::over_a_note("A note of both. ").await;
        let mut phone = Person::new("Amina").await;
        add_device(&met.amina, &phone).await;
        for _ in 0..3 {
            for person in [&met.amina, &phone, &met.ben] {
                person.sync().await;
            }
        }
        // Ben plans the session, and brings something himself.
        let session = met.ben.client.create_document(met.space, DocumentKind::Session).await.unwrap();
        bring(&met.ben, session, ItemId([0xb1; 8]), None, "How we work together").await;
        met.ben.sync().await;

        // During the month she logs nine, on both of her devices, and sets priorities.
        for n in 0..6 {
            write_down(&met.amina, n).await;
        }
        met.amina.sync().await;
        phone.sync().await;
        for n in 6..9 {
            write_down(&phone, n).await;
        }
        phone.sync().await;
        met.amina.sync().await;
        let shown: Vec<String> = log(&met.amina).await.entries.into_iter().map(|entry| entry.text.text).collect();
        assert_eq!(shown, ENTRIES);

        // She shares two, each with a time wish. Her program is killed in the midst of the second.
        let first = met.amina.client.share_preparation(id(REWORDED), session, Some(WORDING), Some(20)).await.unwrap();
        assert!(first.begun);
        killed_while_sharing(&mut met.amina, id(AS_IT_STANDS), session).await;
        assert_eq!(agenda(&met.amina, session).await.agenda.len(), 3, "the copy is begun");
        assert!(log(&met.amina).await.entry(id(AS_IT_STANDS)).unwrap().shares.is_empty(), "her log knows nothing");
        let second = met.amina.client.share_preparation(id(AS_IT_STANDS), session, None, Some(15)).await.unwrap();
        met.amina.sync().await;
        met.ben.sync().await;
        let order = ["How we work together", WORDING, ENTRIES[AS_IT_STANDS]];
        assert_eq!(texts(&met.ben, session).await, order, "one copy of each, in her order behind his");
        let view = agenda(&met.ben, session).await;
        let wishes =
            view.agenda.iter().flat_map(|item| &item.fields).map(|field| (field.field, &*field.values[0].value));
        assert_eq!(wishes.collect::<Vec<_>>(), [(AgendaField::Minutes, "20"), (AgendaField::Minutes, "15")]);
        assert_eq!(view.authors[view.item(second.item).unwrap().by], "Amina");

        // What she writes into her log afterwards changes nothing of the copies.
        for n in [REWORDED, AS_IT_STANDS] {
            prepare(&met.amina, P::EditEntry { id: id(n), splice: Splice::insert(0, "Thought again, undersong. ") })
                .await;
        }
        // Before the session she withdraws one; both see it, and her phone knows it.
        met.amina.client.withdraw_preparation(id(REWORDED), session).await.unwrap();
        met.amina.reopen().await;
        for person in [&met.amina, &met.ben, &phone] {
            person.sync().await;
        }
        for person in [&met.amina, &met.ben, &phone] {
            assert_eq!(texts(person, session).await, order);
            let states: Vec<_> = agenda(person, session).await.agenda.iter().map(|item| item.state).collect();
            assert_eq!(states, [AgendaState::Open, AgendaState::Withdrawn, AgendaState::Open]);
        }
        for device in [&met.amina, &phone] {
            let states: Vec<_> = log(device).await.entries.iter().map(|entry| entry.state).collect();
            let mut expected = [PreparationState::Private; 9];
            expected[REWORDED] = PreparationState::Withdrawn;
            expected[AS_IT_STANDS] = PreparationState::Shared;
            assert_eq!(states, expected);
        }
        never_left(&mut met, &mut phone).await;
    })
    .await;
}

/// Seven entries, and what was reworded of the eighth, are on her devices and nowhere else.
async fn never_left(met: &mut Met, phone: &mut Person) {
    // Somebody whose program does not seal: what is looked for in the relay's databases would be found there.
    let open = Person::with("Open", Options { rules: Rules { seal: false, ..Rules::ALL }, ..options() }).await;
    open.client.add_relay(&met.site.address().to_string(), None).await.unwrap();
    let readable = open.client.preparation().await.unwrap();
    for command in [
        P::AddEntry { id: id(0), after: None },
        P::EditEntry { id: id(0), splice: Splice::insert(0, "Written in the open, candlewick.") },
    ] {
        open.client.command(readable, None, Command::Preparation(command)).await.unwrap();
    }
    open.sync().await;
    assert!(relay_holds(&met.site, "candlewick") > 0, "the control");

    for person in [&met.amina, &met.ben, &*phone] {
        person.client.close().await.unwrap();
    }
    let (hers, on_phone, his) =
        (Opened::of(&met.amina.store()).await, Opened::of(&phone.store()).await, Opened::of(&met.ben.store()).await);
    for (n, word) in WORDS.into_iter().enumerate() {
        for of in [&hers, &on_phone] {
            let (cells, entries) = of.count(word);
            assert!(cells > 0 && entries > 0, "the control: {word} is on her devices");
        }
        assert_eq!(relay_holds(&met.site, word), 0, "{word}");
        let (cells, entries) = his.count(word);
        if n == AS_IT_STANDS {
            assert!(cells > 0 && entries > 0, "the control: {word} was shared");
        } else {
            assert_eq!((cells, entries), (0, 0), "{word} left her devices");
        }
    }
    let (cells, entries) = his.count("zephyrine");
    assert!(cells > 0 && entries > 0, "the control: the wording was shared");
    // Nor does he learn what she thought of afterwards, or what she felt.
    for word in ["undersong", "vulnerability"] {
        assert_eq!((his.count(word), relay_holds(&met.site, word)), ((0, 0), 0), "{word}");
        assert!(hers.count(word).0 > 0, "the control: {word}");
    }
}
