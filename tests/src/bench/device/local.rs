//! What a device does without a network: saving, opening, listing, searching, each beside the bare work.

use std::path::Path;
use std::time::Instant;

use alliance_client::{Client, DocumentId, SpaceId};
use alliance_model::DocumentKind;
use serde_json::{Value, json};

use super::PAGE_ROWS;
use crate::bench::bare::{BareNote, BareStore};
use crate::bench::clock::cpu_seconds;
use crate::people::insert;

const TEXT: &str = "twenty characters !!";

/// Times of the same work done many times.
#[derive(Default)]
struct Times {
    wall: Vec<f64>,
    cpu: f64,
}

impl Times {
    async fn of<T>(&mut self, work: impl Future<Output = T>) -> T {
        let (cpu, begun) = (cpu_seconds(), Instant::now());
        let done = work.await;
        self.wall.push(begun.elapsed().as_secs_f64());
        self.cpu += cpu_seconds() - cpu;
        done
    }

    #[expect(clippy::cast_possible_truncation, reason = "a position in a short list")]
    fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.wall.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(((sorted.len() as f64 - 1.0) * part) as usize).copied().unwrap_or_default()
    }

    fn json(&self) -> Value {
        json!({
            "n": self.wall.len(),
            "p50_ms": self.quantile(0.5) * 1e3,
            "p99_ms": self.quantile(0.99) * 1e3,
            "cpu_ms": self.cpu * 1e3 / self.wall.len().max(1) as f64,
        })
    }

    /// (ratio of medians, ratio of processor time) to other work.
    fn ratios(&self, other: &Self) -> Value {
        json!({ "p50": self.quantile(0.5) / other.quantile(0.5), "cpu": self.cpu / other.cpu })
    }
}

/// Small edits made durable, by the client and bare: the same row into a bare encrypted database, the same splice and
/// commit on a bare document. In turns, so that both meet the same machine.
pub(super) async fn save(client: &Client, document: DocumentId, saved: &Path, count: usize) -> Value {
    // The note is open, as in an app where somebody writes.
    client.view(document).await.expect("the note");
    let folder = tempfile::tempdir_in(&client.whoami().store).expect("a folder on the same disk");
    let store = BareStore::create(&folder.path().join("bare.db"), true);
    let mut note = BareNote::new(&saved_bytes(saved, document));
    let (mut ours, mut bare, mut insert_only) = (Times::default(), Times::default(), Times::default());
    let bytes = insert(0, TEXT).encode();
    for n in 0..count {
        let saved = async { client.command(document, None, insert(0, TEXT)).await.expect("the edit fits") };
        let inserted = async {
            insert_only.of(async { store.insert(n, &bytes) }).await;
            note.splice(TEXT);
        };
        // Each goes first every second time: the disk may be slower for whoever comes right behind the other.
        if n % 2 == 0 {
            ours.of(saved).await;
            bare.of(inserted).await;
        } else {
            bare.of(inserted).await;
            ours.of(saved).await;
        }
    }
    json!({ "ours": ours.json(), "bare": bare.json(), "insert": insert_only.json(), "ratio": ours.ratios(&bare) })
}

/// Notes opened for the first time, by the client and bare: the engine's own load of the same saved bytes. Each goes
/// first every second time, because whoever comes second finds the processor's caches warm.
pub(super) async fn open_notes(client: &Client, documents: &[DocumentId], saved: &Path) -> Value {
    let (mut ours, mut again, mut bare) = (Times::default(), Times::default(), Times::default());
    for (n, document) in documents.iter().enumerate() {
        let bytes = saved_bytes(saved, *document);
        let load = async { BareNote::new(&bytes) };
        let view = async { client.view(*document).await.expect("the note") };
        if n % 2 == 0 {
            ours.of(view).await;
            bare.of(load).await;
        } else {
            bare.of(load).await;
            ours.of(view).await;
        }
        again.of(async { client.view(*document).await.expect("the note") }).await;
    }
    json!({ "ours": ours.json(), "again": again.json(), "bare": bare.json(), "ratio": ours.ratios(&bare) })
}

fn saved_bytes(folder: &Path, document: DocumentId) -> Vec<u8> {
    std::fs::read(folder.join(document.to_string())).expect("the note's bytes")
}

/// Pages of 50 rows: all notes, of one space after the other, or those with a word.
pub(super) async fn list(client: &Client, count: usize, word: Option<&str>) -> Value {
    let before = client.documents_loaded().await;
    let spaces: Vec<SpaceId> = client.spaces().await.expect("spaces").iter().map(|space| space.space).collect();
    let (mut all, mut filtered, mut rows) = (Times::default(), Times::default(), 0);
    for n in 0..count {
        let page = async { client.documents(None, Some(DocumentKind::Note), word, 0, PAGE_ROWS).await.expect("rows") };
        rows = all.of(page).await.len();
        let space = spaces.get(n % spaces.len().max(1)).copied();
        let page = async { client.documents(space, Some(DocumentKind::Note), word, 0, PAGE_ROWS).await.expect("rows") };
        filtered.of(page).await;
    }
    json!({
        "all": all.json(),
        "of_one_space": filtered.json(),
        "rows": rows,
        "docs_loaded": client.documents_loaded().await - before,
    })
}
