//! `alliance-bench device`: a person's device as a process of its own, driven by lines of JSON.
//!
//! It is the client that every app has, opened on a store. What it measures of itself, it measures around calls of the
//! client; what it used as a process, whoever started it reads from the kernel.

mod local;

use std::path::Path;
use std::time::Instant;

use alliance_client::{Change, Client, DocumentId, Progress, SyncReport};
use alliance_crypto::{Cost, passphrase_key};
use alliance_store::Device;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, watch};

use super::clock::{cpu_seconds, monotonic_nanos};
use super::process::Used;
use super::world::open;
use crate::people::{PASSPHRASE, hear, insert};

/// Rows of the first page of a list.
pub const PAGE_ROWS: u64 = 50;

/// A live connection of this device.
struct Live {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    changes: broadcast::Receiver<Change>,
}

/// Runs until its input ends.
///
/// # Panics
/// If something that is measured does not work.
pub async fn run(store: &Path) {
    let (client, opened) = opening(store).await;
    answer(&opened);
    let mut lines = lines();
    let mut live: Option<Live> = None;
    while let Some(line) = lines.recv().await {
        let command: Value = serde_json::from_str(&line).expect("a line of JSON");
        match command["do"].as_str().unwrap_or_default() {
            "live" => {
                let (begun, settled) = begin_live(&client).await;
                live = Some(begun);
                answer(&settled);
            }
            "hear" => {
                let document = document(&command);
                let live = live.as_mut().expect("it is live");
                while !matches!(live.changes.recv().await.expect("changes"), Change::Document(_, it) if it == document)
                {
                }
                answer(&json!({ "at": monotonic_nanos() }));
            }
            "end" => {
                if let Some(live) = live.take() {
                    live.stop.send(true).expect("it runs");
                    live.task.await.expect("it ends well");
                }
                answer(&json!({}));
            }
            _ => answer(&perform(&client, &command).await),
        }
    }
    client.close().await.expect("the store closes");
}

/// The lines of this process's input.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (tell, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            if tell.send(line.expect("a pipe")).is_err() {
                return;
            }
        }
    });
    lines
}

/// One answer, one line: whoever drives this process reads it from a pipe.
#[expect(clippy::print_stdout, reason = "the pipe to whoever drives this process")]
fn answer(value: &Value) {
    println!("{value}");
}

fn document(command: &Value) -> DocumentId {
    command["document"].as_str().and_then(|id| id.parse().ok()).expect("a document's id")
}

/// The folder with the engine's bytes of every note, for the bare work.
fn saved(command: &Value) -> &Path {
    Path::new(command["saved"].as_str().expect("a folder"))
}

fn count(command: &Value) -> usize {
    usize::try_from(command["count"].as_u64().unwrap_or(100)).unwrap_or(100)
}

async fn perform(client: &Client, command: &Value) -> Value {
    match command["do"].as_str().unwrap_or_default() {
        "relay" => {
            let connect = command["connect"].as_str().expect("a connect string");
            client.add_relay(connect, None).await.expect("the relay is known");
            json!({})
        }
        "sync" => sync(client).await,
        "edit" => {
            for id in command["documents"].as_array().expect("documents") {
                let document: DocumentId = id.as_str().and_then(|id| id.parse().ok()).expect("a document's id");
                client.command(document, None, insert(0, "twenty characters !!")).await.expect("the edit fits");
                client.seal(document).await.expect("the draft is sealed");
            }
            json!({})
        }
        "type" => {
            let begun = monotonic_nanos();
            let text = insert(0, "twenty characters !!");
            client.command(document(command), None, text).await.expect("the edit fits");
            json!({ "begun": begun, "saved": monotonic_nanos() })
        }
        "watch" => {
            client.watch(document(command)).await.expect("the note");
            json!({})
        }
        "view" => json!({ "view": client.view(document(command)).await.expect("the note").view }),
        "rows" => json!({ "rows": client.documents(None, None, None, 0, u64::MAX).await.expect("rows").len() }),
        "save" => local::save(client, document(command), saved(command), count(command)).await,
        "open" => local::open_notes(client, &documents(command), saved(command)).await,
        "list" => local::list(client, count(command), None).await,
        "search" => local::list(client, count(command), command["word"].as_str()).await,
        other => unreachable!("no command is called {other:?}"),
    }
}

fn documents(command: &Value) -> Vec<DocumentId> {
    let ids = command["documents"].as_array().into_iter().flatten();
    ids.filter_map(|id| id.as_str()?.parse().ok()).collect()
}

/// Opens the store and shows the first page. What making the key from the passphrase costs is taken apart.
async fn opening(store: &Path) -> (Client, Value) {
    let header = Device::header(store).expect("a header").expect("a store");
    let cost = Cost::new(header.kdf.memory_kib, header.kdf.passes).expect("a possible cost");
    let begun = Instant::now();
    let key = passphrase_key(PASSPHRASE, &header.salt, cost).expect("a passphrase");
    let key_s = begun.elapsed().as_secs_f64();
    drop(key);
    let (before, begun) = (cpu_seconds(), Instant::now());
    let client = open(store).await;
    let open_s = begun.elapsed().as_secs_f64() - key_s;
    let rows = client.documents(None, None, None, 0, PAGE_ROWS).await.expect("rows").len();
    let (wall_s, cpu_s, used) = (begun.elapsed().as_secs_f64() - key_s, cpu_seconds() - before - key_s, Used::here());
    let said = json!({
        "key_s": key_s,
        "open_s": open_s,
        "first_page_s": wall_s,
        "first_page_cpu_s": cpu_s,
        "rows": rows,
        "rss_kb": used.rss_kb,
        "peak_kb": used.peak_kb,
        "docs_loaded": client.documents_loaded().await,
    });
    (client, said)
}

/// One contact, with what it cost and when the first page could be shown.
async fn sync(client: &Client) -> Value {
    let (before, begun) = (cpu_seconds(), Instant::now());
    let had = client.documents(None, None, None, 0, PAGE_ROWS).await.expect("rows").len() as u64;
    let first = if had < PAGE_ROWS { Some(tokio::spawn(first_page(client.clone(), before, begun))) } else { None };
    let reports = client.sync_once(hear).await.expect("the relay answers");
    let (cpu_s, wall_s) = (cpu_seconds() - before, begun.elapsed().as_secs_f64());
    let report: &SyncReport = reports.first().expect("one relay");
    let mut said = serde_json::to_value(report).expect("a report is data");
    said["cpu_s"] = json!(cpu_s);
    said["wall_s"] = json!(wall_s);
    if let Some(first) = first {
        said["first_page"] = if first.is_finished() { first.await.expect("a page") } else { Value::Null };
    }
    said
}

/// Waits until a first page is there; says what had been used until then.
async fn first_page(client: Client, before: f64, begun: Instant) -> Value {
    let mut changes = client.changes();
    loop {
        let rows = client.documents(None, None, None, 0, PAGE_ROWS).await.expect("rows").len() as u64;
        if rows >= PAGE_ROWS {
            return json!({ "cpu_s": cpu_seconds() - before, "wall_s": begun.elapsed().as_secs_f64() });
        }
        // Whoever falls behind looks anew.
        if let Err(broadcast::error::RecvError::Closed) = changes.recv().await {
            return Value::Null;
        }
    }
}

/// Stays connected, from the moment at which both sides have the same.
async fn begin_live(client: &Client) -> (Live, Value) {
    let (stop, stopped) = watch::channel(false);
    let (tell, mut told) = mpsc::unbounded_channel();
    let (of_task, changes) = (client.clone(), client.changes());
    let task = tokio::spawn(async move {
        // Nobody listens any more once it has settled.
        let hear = |event: Progress| drop(tell.send(event));
        of_task.sync_live(stopped, hear).await.expect("a live sync ends when it is told to");
    });
    while !matches!(told.recv().await.expect("a live sync goes on"), Progress::Settled) {}
    (Live { stop, task, changes }, json!({ "settled": true }))
}
