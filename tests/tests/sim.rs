//! The simulator: whole devices and relays keep every promise whatever breaks (tests/src/sim.rs).
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;

use alliance_client::Rules;
use alliance_tests::sim::fixture::Fixture;
use alliance_tests::sim::{Outcome, run};

fn replay(seed: u64) -> String {
    format!("replay: ALLIANCE_SEED={seed} cargo test --workspace --test sim one_seed -- --ignored --nocapture")
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
    let (mut passed, mut failed) = (0, 0);
    let mut fired: BTreeMap<&str, u64> = BTreeMap::new();
    let started = std::time::Instant::now();
    for seed in from..to {
        let Outcome { result, fired: here, looked, saved, trace } = run(&fixture, seed, Rules::ALL);
        for (name, count) in here {
            *fired.entry(name).or_default() += count;
        }
        match result {
            Ok(rounds) => {
                passed += 1;
                if to - from < 20 {
                    println!("seed {seed}: {rounds} rounds, {saved} saved, {looked} looked at");
                }
            }
            Err(what) => {
                failed += 1;
                if to - from == 1 {
                    trace.iter().for_each(|line| println!("  {line}"));
                }
                println!("seed {seed}: {what}; {}", replay(seed));
            }
        }
    }
    println!("{fired:#?}");
    println!("{:?}", started.elapsed());
    println!("{passed} passed, {failed} failed");
    assert_eq!(failed, 0);
}
