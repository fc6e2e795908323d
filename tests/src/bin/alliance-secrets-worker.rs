//! Somebody at work with secrets, in a process whose memory a test reads (`tests/tests/memory_scan.rs`).
//!
//! Each line on standard input is a command, and each gets one line:
//!
//! | command | answer | when |
//! |---|---|---|
//! | `take` and a line with a secret | `taken` | it is held for the commands that follow |
//! | `make FOLDER NAME` | `open` | a store is made, under the passphrase and with the words that were taken |
//! | `open FOLDER` | `open` | the store is open, by the passphrase that was taken |
//! | `unlock FOLDER` | `open` | the only profile of the folder is open, by the PIN that was taken |
//! | `work` | `worked` | a space, a note and an invitation were made, and the note was sealed |
//! | `sync RELAY` | `synced` | what there is lies at the relay of this connect string |
//! | `recover RELAY` | `recovered` | the words that were taken last brought back what lies at the relay |
//! | `close` | `closed` | the store is closed, and every secret that was taken is let go of |
//! | `spill HEX` | `spilled` | these bytes lie in memory for good: what careless code leaves |
//!
//! The program is as careful with what it is given as `alliance` is, and runs as many threads.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use alliance_client::{Client, InviteOptions, NewSpace, Profiles, Role};
use alliance_model::DocumentKind;
use alliance_tests::people::{hear, insert, options};
use zeroize::Zeroizing;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(serve());
}

/// What is held while a store is open.
#[derive(Default)]
struct Held {
    secrets: Vec<Zeroizing<String>>,
    client: Option<Client>,
}

impl Held {
    fn client(&self) -> &Client {
        self.client.as_ref().expect("an open store")
    }
}

async fn serve() {
    // Not `std::io::stdin`, whose buffer would keep the secrets.
    let mut input = File::from(std::io::stdin().as_fd().try_clone_to_owned().expect("standard input"));
    let mut held = Held::default();
    while let Some(line) = read_line(&mut input) {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match verb {
            "take" => {
                held.secrets.push(read_line(&mut input).expect("a secret"));
                "taken"
            }
            "spill" => {
                let digits = rest.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
                let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
                std::hint::black_box(bytes.leak());
                "spilled"
            }
            "close" => {
                let Held { secrets, client } = core::mem::take(&mut held);
                client.expect("an open store").close().await.expect("the store closes");
                drop(secrets);
                "closed"
            }
            other => obey(other, rest, &mut held).await,
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}").and_then(|()| out.flush()).expect("somebody reads");
    }
}

/// Its own frame of stack, as a command of `alliance` has one.
async fn obey(verb: &str, rest: &str, held: &mut Held) -> &'static str {
    let secret = |n: usize| held.secrets[n].as_str();
    match verb {
        "make" => {
            let (folder, name) = rest.split_once(' ').expect("a folder and a name");
            let words = Some(secret(1));
            let made = Client::create(Path::new(folder), secret(0), name, words, options()).await;
            held.client = Some(made.expect("a new store").0);
            "open"
        }
        "open" => {
            held.client = Some(Client::open(Path::new(rest), secret(0), options()).await.expect("the store opens"));
            "open"
        }
        "unlock" => {
            let profiles = Profiles::new(&PathBuf::from(rest), options());
            let listed = profiles.list().await.expect("the profiles").pop().expect("a profile").id;
            let id = profiles.find(&listed).await.expect("the profile");
            held.client = Some(profiles.open(&id, secret(0)).await.expect("the profile opens").0);
            "open"
        }
        "work" => {
            work(held.client()).await;
            "worked"
        }
        "sync" => {
            held.client().add_relay(rest, None).await.expect("a relay");
            held.client().sync_once(hear).await.expect("the relay answers");
            "synced"
        }
        "recover" => {
            let words = held.secrets.last().expect("words").clone();
            held.client().add_relay(rest, None).await.expect("a relay");
            held.client().recover(&words, &[], hear).await.expect("the person comes back");
            "recovered"
        }
        other => panic!("what is {other}?"),
    }
}

async fn work(client: &Client) {
    let space = client.create_space("A space", NewSpace::Pair).await.expect("a space").space;
    let note = client.create_document(space, DocumentKind::Note).await.expect("a note");
    client.command(note, None, insert(0, "what was agreed")).await.expect("the note takes it");
    client.seal(note).await.expect("the note is sealed");
    client.invite(space, InviteOptions { role: Role::Writer, days: 7 }).await.expect("an invitation");
}

/// A line without its end, read byte by byte into memory that is wiped.
fn read_line(input: &mut File) -> Option<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::with_capacity(4096));
    let mut byte = [0];
    while input.read(&mut byte).expect("a byte") == 1 {
        if byte[0] == b'\n' {
            return Some(line);
        }
        assert!(line.len() < line.capacity(), "a line of at most {} bytes", line.capacity());
        line.push(byte[0].into());
    }
    None
}
