//! Soaks: ignored tests that run as many seeds as they are given (`.ci/soak`, docs/CI.md).
//!
//! The module stands alone, so that a crate's own test can include it.
#![allow(clippy::print_stdout)]

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The seeds that this run was given: `ALLIANCE_SEED` is one number, or `from..to`.
///
/// # Panics
/// If it is neither.
#[must_use]
pub fn seeds() -> Range<u64> {
    let text = std::env::var("ALLIANCE_SEED").expect("ALLIANCE_SEED is n or from..to");
    let number = |text: &str| text.parse::<u64>().expect("ALLIANCE_SEED is n or from..to");
    text.split_once("..").map_or_else(|| number(&text)..number(&text) + 1, |(from, to)| number(from)..number(to))
}

/// Runs each seed, says which one failed, goes on, and ends with `N passed, N failed`. The panic of a seed is printed
/// where it happens and should say how to repeat it.
///
/// # Panics
/// If a seed failed, after the last one.
pub fn each_seed(mut run: impl FnMut(u64)) {
    let seeds = seeds();
    assert!(!seeds.is_empty(), "no seed was given");
    let (mut passed, mut failed) = (0_u64, Vec::new());
    for seed in seeds {
        match catch_unwind(AssertUnwindSafe(|| run(seed))) {
            Ok(()) => passed += 1,
            Err(_) => {
                println!("seed {seed} failed");
                failed.push(seed);
            }
        }
    }
    end(passed, failed.len() as u64);
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
}

/// The line that a soak ends with. [`each_seed`] prints it itself.
pub fn end(passed: u64, failed: u64) {
    println!("{passed} passed, {failed} failed");
}
