//! The bench on a small piece of its workload: bytes and counts, never times.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::time::Duration;

use alliance_tests::bench::modes::{Bench, MODES};
use alliance_tests::bench::sha256;
use alliance_tests::bench::workload::{SHA256, Workload};
use alliance_tests::bench::world::{Scale, World};
use alliance_tests::binaries;
use alliance_tests::proxy::Link;
use serde_json::Value;

/// Entries that the whole workload becomes.
const ENTRIES: usize = 9_404;
/// Ends a test that hangs: it starts two dozen processes.
const HANG: Duration = Duration::from_secs(600);
const SMALL: Scale = Scale { alliances: 2, notes: 3 };

#[test]
fn the_workload_is_the_one_that_is_known() {
    let workload = Workload::new(7);
    assert_eq!(sha256(&workload.json()), SHA256);
    assert_eq!((workload.docs.len(), workload.turns()), (1_000, ENTRIES));
    assert_ne!(sha256(&Workload::new(8).json()), SHA256, "control: another seed is another workload");
}

mod ledger {
    //! Instructions as callgrind counts them, beside those that docs/BENCHMARKS.md has.

    use std::process::Command;

    use alliance_tests::bench::ledger::WORK;
    use alliance_tests::{binaries, soak};

    /// By so much a count may rise before somebody says why.
    const TOLERANCE: f64 = 1.10;

    /// Instructions of the work done so many times, as a process.
    fn instructions(work: &str, times: u64) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
        valgrind.arg(&binaries().bench).args(["callgrind", work, &times.to_string()]);
        let output = valgrind.output().expect("valgrind, a Debian package, is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(&out).unwrap();
        let summary = text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
        summary.and_then(|count| count.trim().parse().ok()).expect("callgrind's summary")
    }

    /// What the table in docs/BENCHMARKS.md has for this work.
    fn known(work: &str) -> Option<u64> {
        let text = include_str!("../../docs/BENCHMARKS.md");
        let row = text.lines().find_map(|line| line.strip_prefix(&format!("| `callgrind {work}` |")))?;
        row.split('|').next()?.trim().replace(',', "").parse().ok()
    }

    #[test]
    #[ignore = "counts instructions for the ledger: .ci/soak callgrind"]
    fn instructions_of_each_work() {
        let (mut passed, mut failed) = (0, 0);
        for work in WORK {
            let (few, many) = if work == "save" { (20, 120) } else { (10, 60) };
            let each = (instructions(work, many) - instructions(work, few)) / (many - few);
            let known = known(work);
            let rise = known.map(|known| each as f64 / known as f64);
            println!("| `callgrind {work}` | {each} |  known: {known:?}, rise: {rise:?}");
            if rise.is_some_and(|rise| rise <= TOLERANCE) { passed += 1 } else { failed += 1 }
        }
        soak::end(passed, failed);
        assert_eq!(failed, 0, "counts that rose: write down why, and the new count");
    }
}

fn number(said: &Value, name: &str) -> u64 {
    said[name].as_u64().unwrap_or_else(|| panic!("{name} is missing in {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_counts_what_it_should() {
    // Building the programs takes as long as it takes; what comes then is watched.
    let program = binaries().bench.clone();
    let measured = async {
        let folder = tempfile::tempdir().unwrap();
        let workload = Workload::new(7);
        // Preparing compares every note on both devices with what the workload says that it ends as.
        let world = World::in_folder(&folder.path().join("world"), &workload, SMALL).await;
        let places = [0, 1, 2, 50, 51, 52];
        let turns: usize = places.iter().map(|at| workload.docs[*at].turns().count()).sum();
        assert_eq!((world.entries, world.documents.len(), world.spaces.len()), (turns, 6, 2));
        let again = World::in_folder(&folder.path().join("world"), &workload, SMALL).await;
        assert_eq!(again.documents, world.documents, "what was prepared is used again");
        let bench = Bench { program, world, link: Link::DIRECT, count: 3 };
        let mut lines = Vec::new();
        for mode in MODES.map(|mode| if mode == "idle-100" { "idle-2" } else { mode }) {
            let said = bench.run(mode).await.unwrap();
            println!("{said}");
            assert_eq!(said["mode"], mode);
            lines.push(said);
        }
        let (lines, pairs) = lines.split_at(lines.len() - 3);
        let [push, last, cold, warm0, warm10, live, idle, save, open, list, search, profiles, members] = lines else {
            panic!("one line for each mode")
        };
        for pair in pairs {
            let wire = number(pair, "wire_up") + number(pair, "wire_down");
            assert!(number(pair, "entries") > 20 && wire > number(pair, "lacked"), "{pair}");
        }
        // Two spaces' membership and cards go with the notes' entries.
        assert!(number(push, "protocol_up") > 200 * turns as u64, "{push}");
        assert!(number(push, "wire_up") > number(push, "protocol_up"), "{push}");
        assert!(number(last, "protocol_up") < number(push, "protocol_up"), "{last}");
        assert!(number(cold, "received") > turns as u64 && number(cold, "rows") == 6, "{cold}");
        assert!(number(cold, "protocol_down") > 200 * turns as u64, "{cold}");
        for contact in [warm0, &warm0["living"]] {
            assert!(number(contact, "protocol_up") + number(contact, "protocol_down") <= 200, "{contact}");
            assert_eq!(number(contact, "docs_loaded") + number(contact, "received"), 0, "{contact}");
        }
        assert_eq!(number(warm10, "changed"), 1);
        assert!(number(warm10, "received") >= 1 && number(warm10, "docs_loaded") == 1, "{warm10}");
        assert!(number(live, "edits") == 3 && number(live, "wire_up") > 3 * 200, "{live}");
        assert!(number(idle, "connections") == 2 && number(idle, "rss_relay_kb") > 1_000, "{idle}");
        assert!(save["ours"]["n"] == 3 && save["bare"]["n"] == 3, "{save}");
        assert!(open["ours"]["n"] == 2 && open["bare"]["n"] == 2, "{open}");
        assert!(number(list, "rows") == 6 && number(list, "docs_loaded") == 0, "{list}");
        assert_eq!((number(&search["all"], "rows"), number(&search["none"], "rows")), (6, 0), "{search}");
        assert_eq!(number(&search["all"], "docs_loaded"), 0, "{search}");
        assert!(profiles["switch_s"]["n"] == 3 && profiles["unlock_s"]["n"] == 3, "{profiles}");
        assert!(members["epoch"]["n"] == 3 && members["operations"][2]["entries"] == 999, "{members}");
        assert!(
            number(&members["hostile"], "entries") > 900 && number(&members["hostile"], "bytes") > 7_000_000,
            "{members}"
        );
        assert!(bench.run("no-such-mode").await.is_none());
    };
    tokio::time::timeout(HANG, measured).await.expect("the bench hangs");
}
