//! The simulator: whole devices and relays keep every promise whatever breaks (tests/src/sim.rs).
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;

use alliance_client::Rules;
use alliance_tests::sim::fault::FAULTS;
use alliance_tests::sim::fixture::Fixture;
use alliance_tests::sim::{Outcome, run};

/// Seeds that the plain test runs; `.ci/soak sim N` runs more.
const SEEDS: u64 = 200;

/// What many runs come to.
#[derive(Default)]
struct Total {
    passed: u64,
    failed: u64,
    fired: BTreeMap<&'static str, u64>,
    looked: u64,
    saved: usize,
    rounds_max: usize,
}

impl Total {
    /// Runs a seed, and says how to do so again if it fails.
    fn run(&mut self, fixture: &Fixture, seed: u64, verbose: bool) {
        let Outcome { result, fired, looked, saved, trace } = run(fixture, seed, Rules::ALL);
        for (name, count) in fired {
            *self.fired.entry(name).or_default() += count;
        }
        self.looked += looked;
        self.saved += saved;
        match result {
            Ok(rounds) => {
                self.passed += 1;
                self.rounds_max = self.rounds_max.max(rounds);
            }
            Err(what) => {
                self.failed += 1;
                if verbose {
                    trace.iter().for_each(|line| println!("  {line}"));
                }
                println!("seed {seed}: {what}");
                println!(
                    "replay: ALLIANCE_SEED={seed} cargo test --workspace --test sim one_seed -- --ignored --nocapture"
                );
            }
        }
    }

    fn print(&self) {
        println!("faults fired: {:#?}", self.fired);
        println!(
            "{} pieces saved, {} entries and acknowledgements looked at, at most {} rounds until all agreed",
            self.saved, self.looked, self.rounds_max
        );
    }
}

#[test]
fn three_people_and_a_relay_lose_nothing_whatever_breaks() {
    println!("seeds 0..{SEEDS}");
    let fixture = Fixture::new();
    let mut total = Total::default();
    for seed in 0..SEEDS {
        total.run(&fixture, seed, false);
    }
    total.print();
    assert_eq!(total.failed, 0);
    for fault in FAULTS {
        assert!(
            total.fired.contains_key(fault),
            "the fault \"{fault}\" never fired: this test proves nothing about it"
        );
    }
    assert!(total.saved > 1_000 && total.looked > 10_000, "too little happened");
}

/// One seed is one run, to the last step and the last fault; another seed is another.
#[test]
fn a_seed_is_a_run() {
    let fixture = Fixture::new();
    let (one, again, other) =
        (run(&fixture, 1, Rules::ALL), run(&fixture, 1, Rules::ALL), run(&fixture, 2, Rules::ALL));
    assert_eq!((&one.trace, &one.fired, one.looked), (&again.trace, &again.fired, again.looked));
    assert_ne!(one.trace, other.trace);
}

/// A rule that is off is noticed: the simulator can tell.
#[test]
fn without_a_rule_an_invariant_breaks() {
    let all = Rules::ALL;
    let variants = [
        ("sealing", Rules { seal: false, ..all }, "I6"),
        ("signatures", Rules { verify_signatures: false, ..all }, "I4"),
        ("nonces", Rules { hedge_nonces: false, ..all }, "I9"),
        ("R1", Rules { check_cursors: false, repair: false, ..all }, "I"),
        ("R3", Rules { durable_acks: false, repair: false, ..all }, "I"),
        ("R6", Rules { repair: false, ..all }, "I"),
    ];
    let fixture = Fixture::new();
    for (name, rules, invariant) in variants {
        let failed = (0..300).find_map(|seed| {
            let what = run(&fixture, seed, rules).result.err()?;
            Some((seed, what))
        });
        match failed {
            Some((seed, what)) => {
                println!("without {name}: seed {seed}: {:.300}; {}", what, what.starts_with(invariant))
            }
            None => println!("without {name}: nothing"),
        }
    }
}

/// For a failing seed, or many seeds: `ALLIANCE_SEED=n` or `ALLIANCE_SEED=from..to`.
#[test]
#[ignore = "needs ALLIANCE_SEED; .ci/soak sim"]
fn one_seed() {
    let seeds = std::env::var("ALLIANCE_SEED").expect("ALLIANCE_SEED is n or from..to");
    let (from, to) = seeds.split_once("..").map_or_else(
        || (seeds.parse().unwrap(), seeds.parse::<u64>().unwrap() + 1),
        |(from, to)| (from.parse::<u64>().unwrap(), to.parse().unwrap()),
    );
    let fixture = Fixture::new();
    let mut total = Total::default();
    for seed in from..to {
        total.run(&fixture, seed, to - from == 1);
    }
    total.print();
    println!("{} passed, {} failed", total.passed, total.failed);
    assert_eq!(total.failed, 0);
}
