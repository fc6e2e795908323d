//! What signed pages cost a relay: processor time of each durable entry and of reading it back, with and without.
//! Processor time is the whole process's: run it alone, `cargo test --test store costs:: -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::sync::Arc;

use alliance_crypto::Verified;
use alliance_store::conformance::{Author, batch, space};
use alliance_store::{Fresh, Options, Replica, SqliteReplica};
use alliance_sync::{Incoming, Outcome, Part, Since};
use alliance_wire::{Incarnation, Instance, Stream};

/// Devices that write at once, and entries of each.
const DEVICES: u8 = 64;
const ENTRIES: usize = 200;
const PAYLOAD: usize = 300;

/// Processor time of this process so far, in microseconds (proc(5): fields 14 and 15, in hundredths of a second).
fn cpu_micros() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let rest = text.rsplit_once(')').unwrap().1;
    let fields: Vec<u64> = rest.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // Behind the state, a letter, stand fields 4 and on.
    (fields[10] + fields[11]) * 10_000
}

async fn run(signed: bool, chains: &[Vec<Verified>]) {
    let folder = tempfile::tempdir().unwrap();
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    let options = Options { signed, ..Options::default() };
    let replica = Arc::new(SqliteReplica::open(folder.path(), fresh, false, options).unwrap().0);
    let began = (cpu_micros(), std::time::Instant::now());
    let writers: Vec<_> = chains
        .iter()
        .map(|chain| {
            let (replica, chain) = (Arc::clone(&replica), chain.clone());
            tokio::spawn(async move {
                for entry in chain {
                    let stored = replica.put(batch(vec![Incoming::Entry(entry)]), Vec::new()).await.unwrap();
                    assert!(matches!(stored.outcomes[..], [Outcome::Stored(_)]));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let (cpu, wall) = (cpu_micros() - began.0, began.1.elapsed());
    let count = (usize::from(DEVICES) * ENTRIES) as u64;
    let began = cpu_micros();
    let mut read = 0;
    for number in 1..=DEVICES {
        let since = Since { space: space(number), after: 0, part: Part::Everything, bytes: usize::MAX };
        read += replica.since(since).await.unwrap().items.len() as u64;
    }
    assert_eq!(read, count);
    let reading = cpu_micros() - began;
    let stats = replica.stats().await.unwrap();
    println!(
        "signed {signed}: {} us of CPU per durable entry, {} per entry read, {:.0} entries/s, {} commits, {} bytes",
        cpu / count,
        reading / count,
        count as f64 / wall.as_secs_f64(),
        stats.commits,
        stats.bytes
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn what_signed_pages_cost_a_relay() {
    let chain = |number: u8| {
        let author = Author::new(number);
        let mut chain: Vec<Verified> = Vec::with_capacity(ENTRIES);
        for at in 0..ENTRIES {
            let payload = vec![u8::try_from(at).unwrap_or(0); PAYLOAD];
            chain.push(author.next(space(number), Stream::Data, chain.last(), &payload));
        }
        chain
    };
    let chains: Vec<_> = (1..=DEVICES).map(chain).collect();
    for _ in 0..3 {
        for signed in [false, true] {
            run(signed, &chains).await;
        }
    }
}
