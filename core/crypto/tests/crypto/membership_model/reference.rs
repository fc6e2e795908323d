//! The reference model itself, where there is Python.
#![allow(clippy::disallowed_types, reason = "the crate is pure, the model is a program")]

use alliance_crypto::MembershipRules;
use serde_json::Value;

use super::{ATTACKS, evaluate, list, random};
use crate::soak;

/// What the model says now, as `write.py` prints it.
fn written(arguments: &[&str]) -> String {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/membership/write.py");
    // -B: nothing is written beside the sources.
    let ran = std::process::Command::new("/usr/bin/python3").args(["-B", program]).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// Compares the evaluation under these rules with the model on random histories; the first that end otherwise.
fn compare(rules: MembershipRules, count: u64, seed: u64) -> Result<usize, String> {
    let histories: Value =
        serde_json::from_str(&written(&["--random", &count.to_string(), &seed.to_string()])).unwrap();
    let mut entries = 0;
    for (at, value) in list(&histories).iter().enumerate() {
        let (history, expected) = random(format!("history {at} of seed {seed}"), value);
        for order in 0..3 {
            if evaluate(rules, &history, order) != expected {
                return Err(history.label);
            }
        }
        entries += history.items.len();
    }
    Ok(entries)
}

/// The model itself, on histories that are not committed; and the committed attacks are what it says today.
#[test]
#[ignore = "needs Python; .ci/run"]
fn python_model_agrees_on_more_histories() {
    assert!(written(&["--attacks"]) == ATTACKS, "attacks.json is not what write.py writes");
    let entries = compare(MembershipRules::ALL, 2_000, 2).unwrap();
    println!("2,000 histories of seed 2: {entries} entries");
    // The control: without a rule some end otherwise.
    let without = compare(MembershipRules { cuts: false, ..MembershipRules::ALL }, 2_000, 2);
    println!("without cuts: {without:?} ends otherwise");
    assert!(without.is_err());
}

/// `.ci/soak histories N`: each seed is a hundred histories.
#[test]
#[ignore = "needs ALLIANCE_SEED and Python; .ci/soak histories"]
fn many_histories() {
    // Seeds of the committed histories and of CI lie below.
    soak::each_seed(|seed| {
        compare(MembershipRules::ALL, 100, 1_000 + seed).unwrap();
    });
}
