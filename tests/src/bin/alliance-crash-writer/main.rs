//! A person at a device that is killed: does what it is told, and says what was saved.
//!
//! `alliance-crash-writer FOLDER` opens the store in FOLDER, or makes one with a space, and says `open INCARNATION`.
//! Then each line on standard input is a command, and each gets one line:
//!
//! | command | answer | when |
//! |---|---|---|
//! | `note` | `note ID` | the note is durable |
//! | `write ID TEXT` | `saved` | the text stands at the beginning of the note and is durable |
//! | `seal ID` | `sealed` | the draft is an entry and durable |
//! | `read ID` | `text TEXT` | |
//! | `share ENTRY SESSION` | `begun` | a copy of what was prepared is begun on the agenda, and the process stands still |
//!
//! What the facade refuses is answered with `refused CODE`. `alliance-crash-writer FOLDER early` answers `write` before
//! it writes: a program that lies, to show that whoever asks here notices.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead as _, Write as _};
use std::path::Path;

use alliance_client::{Client, DocumentId, Error, NewSpace, View};
use alliance_model::note::Stage;
use alliance_model::{DocumentKind, ItemId};
use alliance_tests::people::{PASSPHRASE, insert, options};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("usage: alliance-crash-writer FOLDER [early]");
    let early = arguments.next().is_some_and(|word| word == "early");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(serve(Path::new(&folder), early));
}

async fn serve(folder: &Path, early: bool) {
    let client = match open(folder).await {
        Ok(client) => client,
        Err(error) => return say(&format!("refused {}", error.code())),
    };
    say(&format!("open {}", client.whoami().incarnation));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        if early && line.starts_with("write ") {
            say("saved");
            obey(&client, &line).await.expect("what was promised is done");
            continue;
        }
        match obey(&client, &line).await {
            Ok(answer) => say(&answer),
            Err(error) => say(&format!("refused {}", error.code())),
        }
    }
    client.close().await.expect("the store closes");
}

async fn open(folder: &Path) -> Result<Client, Error> {
    if folder.join("store.head").exists() {
        return Client::open(folder, PASSPHRASE, options()).await;
    }
    let (client, _) = Client::create(folder, PASSPHRASE, "Amina", None, options()).await?;
    client.create_space("A space", NewSpace::Personal).await?;
    Ok(client)
}

async fn obey(client: &Client, line: &str) -> Result<String, Error> {
    let mut words = line.splitn(3, ' ');
    let (verb, id, text) = (words.next().unwrap_or_default(), words.next(), words.next().unwrap_or_default());
    let note = || id.and_then(|id| id.parse::<DocumentId>().ok()).expect("a note's id");
    match verb {
        "note" => {
            let space = client.spaces().await?.first().expect("the space").space;
            Ok(format!("note {}", client.create_document(space, DocumentKind::Note).await?))
        }
        "write" => client.command(note(), None, insert(0, text)).await.map(|_| "saved".to_owned()),
        "seal" => client.seal(note()).await.map(|()| "sealed".to_owned()),
        "read" => {
            let View::Note(view) = client.view(note()).await?.view else { panic!("a note") };
            let text = view.section(Stage::Exploration).map(|text| text.text.clone()).unwrap_or_default();
            Ok(format!("text {text}"))
        }
        "share" => {
            let (entry, session) = (id.and_then(ItemId::from_key), text.parse::<DocumentId>());
            let (entry, session) = (entry.expect("an entry"), session.expect("a session"));
            let mut changes = client.changes();
            tokio::select! {
                biased;
                // The first command is durable. Whoever hears of it kills the process; nothing else goes on in it.
                _ = changes.recv() => {
                    say("begun");
                    loop {
                        std::thread::park();
                    }
                }
                done = client.share_preparation(entry, session, None, None) => done.map(|_| "shared".to_owned()),
            }
        }
        other => panic!("what is {other}?"),
    }
}

/// Says a line at once: the process may be killed at any moment.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody reads");
}
