//! No relay: twelve devices meet in pairs, as chance has it and two of them by file alone, until everybody has
//! everything. What goes over lines and in files is compared with what had to.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;

use alliance_client::{BundleFrom, SpaceId};
use alliance_model::DocumentKind;
use alliance_net::PROOF_BYTES;
use alliance_tests::bench::notes::Scribe;
use alliance_tests::bench::workload::{NOTES, Note, Workload};
use alliance_tests::hostile::{admit, group, meet};
use alliance_tests::people::{Person, sealed_entries};
use alliance_tests::random::Random;

use super::bundles::support::{take, write};

const DEVICES: usize = 12;
/// The last ones have no network: whoever meets them exchanges files with them.
const BY_FILE: usize = 2;
/// Far more meetings than gossip among twelve takes.
const MEETINGS_MAX: usize = 400;
/// Bytes that may go for each byte of entries that somebody lacked.
const BYTES_FOR_EACH: f64 = 1.3;

/// A note of the workload by one person; each editing session becomes an entry.
async fn write_note(person: &Person, space: SpaceId, note: &Note, seed: u64) {
    let document = person.client.create_document(space, DocumentKind::Note).await.unwrap();
    let mut scribe = Scribe::new(note, seed);
    let mut commands = scribe.begin(&note.base);
    for turn in note.turns() {
        commands.extend(turn.iter().filter_map(|edit| scribe.edit(edit)));
        for command in commands.drain(..) {
            person.client.command(document, None, command).await.unwrap();
        }
        person.client.seal(document).await.unwrap();
    }
}

/// Two people exchange what is new: over a line, or where one has no network by files. Bytes of frames and files.
async fn exchange(people: &[Person], one: usize, two: usize) -> u64 {
    if one.max(two) < DEVICES - BY_FILE {
        let report = meet(&people[one].client, &people[two].client).await;
        return report.bytes_up + report.bytes_down - 2 * PROOF_BYTES as u64;
    }
    let mut bytes = 0;
    // A question, the answer, and what that shows to be missing on the other side.
    let files = [(one, two, BundleFrom::Question), (two, one, BundleFrom::Receipts), (one, two, BundleFrom::Receipts)];
    for (from, to, since) in files {
        let file = write(&people[from], &format!("Person {to}"), since).await;
        bytes += file.len() as u64;
        let report = take(&people[to], &file).await.unwrap();
        assert!(report.whole, "{report:?}");
    }
    bytes
}

/// People of one group who know each other.
async fn group_of_twelve() -> (Vec<Person>, SpaceId) {
    let mut people = Vec::new();
    for number in 0..DEVICES {
        people.push(Person::new(&format!("Person {number}")).await);
    }
    let space = group(&people[0].client).await;
    for newcomer in &people[1..] {
        admit(&people[0].client, space, &newcomer.client).await;
    }
    for other in &people[1..] {
        meet(&people[0].client, &other.client).await;
    }
    (people, space)
}

/// Bytes that went until everybody had everything, for each byte that somebody lacked.
async fn rumour(seed: u64, notes: usize) -> f64 {
    let (people, space) = group_of_twelve().await;
    let workload = Workload::new(7);
    for (number, note) in workload.docs[..notes].iter().enumerate() {
        write_note(&people[number % DEVICES], space, note, number as u64).await;
    }
    let mut before = Vec::new();
    for person in &people {
        before.push(sealed_entries(&person.client, space).await);
    }
    let all: BTreeMap<_, _> = before.iter().flatten().map(|(place, bytes)| (*place, *bytes)).collect();
    let lacks = |have: &BTreeMap<_, _>| -> u64 {
        all.iter().filter(|(place, _)| !have.contains_key(*place)).map(|(_, bytes)| bytes).sum()
    };
    let lacked: u64 = before.iter().map(lacks).sum();
    let mut random = Random::new(seed);
    let (mut bytes, mut meetings, mut by_file) = (0, 0, 0);
    loop {
        let (one, two) = (random.below(DEVICES), random.below(DEVICES));
        if one == two {
            continue;
        }
        bytes += exchange(&people, one, two).await;
        meetings += 1;
        by_file += usize::from(one.max(two) >= DEVICES - BY_FILE);
        let mut missing = 0;
        for person in &people {
            missing += lacks(&sealed_entries(&person.client, space).await);
        }
        if missing == 0 {
            break;
        }
        assert!(meetings < MEETINGS_MAX, "seed {seed}: {missing} bytes are missing somewhere");
    }
    for person in &people {
        let shown = person.client.documents(Some(space), Some(DocumentKind::Note), None, 0, 1_000).await.unwrap();
        assert_eq!(shown.len(), notes, "seed {seed}: everybody shows every note");
    }
    let ratio = bytes as f64 / lacked as f64;
    println!(
        "seed {seed}: {notes} notes; {meetings} meetings, {by_file} of them by file; {lacked} bytes were lacking, \
         {bytes} went ({ratio:.3} for each)"
    );
    ratio
}

/// Twelve people with the notes of one alliance of the benchmark's workload.
#[tokio::test]
async fn twelve_devices_tell_each_other_everything() {
    let ratio = rumour(1, NOTES).await;
    assert!(ratio <= BYTES_FOR_EACH, "{ratio:.3}");
}

/// What is not entries weighs most where there is least to tell.
#[tokio::test]
#[ignore = "prints figures"]
async fn twelve_devices_with_a_note_each() {
    for seed in 2..5 {
        rumour(seed, DEVICES).await;
        rumour(seed, NOTES).await;
    }
}
