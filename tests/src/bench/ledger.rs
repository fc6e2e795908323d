//! Work whose instructions are counted (`.ci/soak callgrind`): the same on every machine that runs the same build.
//!
//! `alliance-bench callgrind WORK N` does the work N times. What one time costs is the difference between two runs by
//! the difference of their N: starting the process and making the scene are in both.

use alliance_client::{Client, NewSpace};
use alliance_crypto::{EpochKey, Rules, Verified, seal};
use alliance_document::gate::{Candidate, Gate, Rules as GateRules};
use alliance_document::{Actor, Document, seal as seal_draft};
use alliance_model::DocumentKind;
use alliance_wire::frame::{Cursors, Hello};
use alliance_wire::ids::{DocumentId, LogId};
use alliance_wire::{DeviceKey, Frame, Incarnation, Instance};

use crate::people::{PASSPHRASE, insert, options};
use crate::random::Random;
use crate::world::{World, Writer};

/// What is counted: a command made durable; a payload sealed; an entry verified; ten changes of another person judged,
/// applied, saved and proven to load; the first frame of a contact written and read.
pub const WORK: [&str; 5] = ["save", "seal", "verify", "apply-batch", "hello"];

const TEXT: &str = "twenty characters !!";
/// About what an entry of the workload holds.
const PAYLOAD_BYTES: usize = 300;
/// Changes of a batch.
const BATCH: usize = 10;
/// Spaces in a Hello.
const SPACES: u64 = 32;

/// Does the work `times` times. `false` if there is no such work.
///
/// # Panics
/// If it does not go well.
pub async fn run(work: &str, times: u64) -> bool {
    match work {
        "save" => save(times).await,
        "seal" => sealing(times),
        "verify" => verify(times),
        "apply-batch" => apply_batch(times),
        "hello" => hello(times),
        _ => return false,
    }
    true
}

async fn save(times: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let client = Client::create(&store, PASSPHRASE, "Ada", None, options()).await.expect("a new store").0;
    let space = client.create_space("alone", NewSpace::Personal).await.expect("a space").space;
    let note = client.create_document(space, DocumentKind::Note).await.expect("a note");
    for _ in 0..times {
        client.command(note, None, insert(0, TEXT)).await.expect("the edit fits");
    }
}

fn payload() -> Vec<u8> {
    TEXT.bytes().cycle().take(PAYLOAD_BYTES).collect()
}

fn sealing(times: u64) {
    let (key, plain) = (EpochKey::from_bytes([7; 32]), payload());
    for n in 0..times {
        let mut random = [7; 32];
        random[..8].copy_from_slice(&n.to_be_bytes());
        let sealed = seal(Rules::ALL, &key, LogId([7; 20]), b"where it lies", &plain, random).expect("a small payload");
        assert!(!sealed.is_empty());
    }
}

fn verify(times: u64) {
    let mut random = Random::new(7);
    let mut writers = vec![Writer::new(&mut random)];
    let world = World::new(&mut random, &writers, None);
    let entry = writers[0].write(world.space, world.epoch, &payload());
    let (name, entry) = entry.into_parts();
    for _ in 0..times {
        Verified::verify(world.space, &name, entry.clone()).expect("it was signed");
    }
}

fn apply_batch(times: u64) {
    let id = DocumentKind::Note.document_id([7; 16]);
    let (empty, gate) = (Document::new(id, DocumentKind::Note), Gate::new(id, DocumentKind::Note, GateRules::ALL));
    let candidates = batch(id, &empty, &gate);
    for _ in 0..times {
        let (mut document, mut gate) = (empty.clone(), gate.clone());
        let judged = gate.judge(&candidates);
        assert_eq!(judged.admitted.len(), BATCH);
        document.apply(&judged.admitted).expect("admitted changes apply");
        document.verified_save().expect("it loads again");
    }
}

/// Ten editing sessions of another person.
fn batch(id: DocumentId, empty: &Document, gate: &Gate) -> Vec<Candidate> {
    let actor = Actor::of(DeviceKey([9; 32]), Incarnation([9; 16]), id, 0).expect("the first actor");
    let (mut document, mut gate, mut candidates) = (empty.clone(), gate.clone(), Vec::new());
    for entry in 0..BATCH as u64 {
        let sealed = seal_draft(&document, &document.heads(), actor, &[insert(0, TEXT)]).expect("it fits");
        let changes = sealed.into_iter().map(|change| change.bytes).collect();
        let candidate = Candidate { entry, actor, person: None, schema: DocumentKind::Note.schema(), changes };
        let judged = gate.judge(std::slice::from_ref(&candidate));
        document.apply(&judged.admitted).expect("admitted changes apply");
        candidates.push(candidate);
    }
    candidates
}

fn hello(times: u64) {
    let cursors: Vec<u64> = (0..SPACES).map(|n| 400 + n).collect();
    let frame = Frame::Hello(Hello {
        version: 1,
        instance: Instance([7; 16]),
        known: [7; 8],
        spaces: 32,
        root: [7; 16],
        cursors: Cursors::All(cursors),
        check: [7; 8],
    });
    for _ in 0..times {
        assert_eq!(Frame::decode(&frame.encode()).expect("a frame"), frame);
    }
}
