//! The simulator: whole devices and relays keep every promise whatever breaks (tests/src/sim.rs).
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;

use alliance_client::Rules;
use alliance_tests::sim::fault::{FAULTS, MOST_WORK, SAYINGS};
use alliance_tests::sim::fixture::Fixture;
use alliance_tests::sim::{Outcome, Saying, run, run_saying};
use alliance_tests::soak::{each_seed, seeds};

/// Seeds that the plain test runs; `.ci/soak sim N` runs more.
const SEEDS: u64 = 120;

/// Seeds, from each rule's first on, among which one notices that the rule is off; most notice it at the first few.
const WINDOW: u64 = 40;

/// What many runs come to.
#[derive(Default)]
struct Total {
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
            let total = self.fired.entry(name).or_default();
            *total = if name == MOST_WORK { count.max(*total) } else { *total + count };
        }
        self.looked += looked;
        self.saved += saved;
        if verbose {
            trace.iter().for_each(|line| println!("  {line}"));
        }
        let rounds = result.unwrap_or_else(|what| {
            panic!("seed {seed}: {what}; replay: ALLIANCE_SEED={seed} cargo test --workspace --test sim seeds::one_seed -- --ignored --nocapture")
        });
        self.rounds_max = self.rounds_max.max(rounds);
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
    for fault in FAULTS {
        assert!(
            total.fired.contains_key(fault),
            "the fault \"{fault}\" never fired: this test proves nothing about it"
        );
    }
    assert!(total.saved > 1_000 && total.looked > 10_000, "too little happened");
}

/// What people say beside their notes: it is the same everywhere in the end, and what one may not say is refused.
#[test]
fn what_people_say_beside_their_notes_is_the_same_everywhere() {
    const SAYING: u64 = 16;
    println!("seeds 0..{SAYING}");
    let fixture = Fixture::new();
    let mut fired: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 0..SAYING {
        let outcome = run_saying(&fixture, seed, Rules::ALL, Saying::All);
        outcome.result.unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        for (name, count) in outcome.fired {
            *fired.entry(name).or_default() += count;
        }
    }
    println!("fired: {fired:#?}");
    for name in SAYINGS {
        assert!(fired.contains_key(name), "\"{name}\" never happened: this test proves nothing about it");
    }
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

/// A rule that is off is noticed: the simulator can tell. The control is the same seed with the one rule on. What
/// digests would repair in the end is shown without repair. (R1, R2, R6, R7 and R8: stories of their own.)
#[test]
fn without_a_rule_an_invariant_breaks() {
    let all = Rules::ALL;
    let fixture = Fixture::new();
    for (name, from, control, rules) in variants() {
        let broken = (from..from + WINDOW).find_map(|seed| {
            let what = run(&fixture, seed, rules).result.err()?;
            // The control: with the rule this seed is as good as any other.
            run(&fixture, seed, control).result.ok().map(|_| (seed, what))
        });
        let (seed, what) =
            broken.unwrap_or_else(|| panic!("without {name} nothing went wrong in {WINDOW} seeds from {from}"));
        println!("without {name}: seed {seed}: {what:.200}");
        let kept = run(&fixture, seed, all).result;
        assert!(kept.is_ok(), "seed {seed} with every rule: {kept:?}");
    }
}

/// Each rule with the first seed of its window, its control, and the rules without it.
fn variants() -> [(&'static str, u64, Rules, Rules); 7] {
    let all = Rules::ALL;
    let unrepaired = Rules { repair: false, ..all };
    [
        ("sealing", 0, all, Rules { seal: false, ..all }),
        ("signatures", 0, all, Rules { verify_signatures: false, ..all }),
        // Few seeds have a source repeat itself at the right moment.
        ("nonces", 140, all, Rules { hedge_nonces: false, ..all }),
        ("chains", 0, all, Rules { check_chain: false, ..all }),
        ("R3", 0, unrepaired, Rules { durable_acks: false, ..unrepaired }),
        ("R4", 0, all, Rules { empty_vectors: false, ..all }),
        ("R5", 0, all, Rules { pass_on: false, ..all }),
    ]
}

/// Where the windows of [`without_a_rule_an_invariant_breaks`] may begin: the seeds of a range that notice each rule.
#[test]
#[ignore = "needs ALLIANCE_SEED; prints the seeds that notice a rule"]
fn windows() {
    let fixture = Fixture::new();
    for (name, _, control, rules) in variants() {
        let notices =
            |seed: &u64| run(&fixture, *seed, rules).result.is_err() && run(&fixture, *seed, control).result.is_ok();
        println!("{name}: {:?}", seeds().filter(notices).collect::<Vec<_>>());
    }
}

/// For a failing seed, or many seeds: `ALLIANCE_SEED=n` or `ALLIANCE_SEED=from..to`.
#[test]
#[ignore = "needs ALLIANCE_SEED; .ci/soak sim"]
fn one_seed() {
    let fixture = Fixture::new();
    let mut total = Total::default();
    let verbose = seeds().count() == 1;
    each_seed(|seed| total.run(&fixture, seed, verbose));
    total.print();
}
