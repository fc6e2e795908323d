//! Every byte at which a line can break: what came whole is kept, and nothing of it comes again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;

use alliance_crypto::Rules;
use alliance_tests::driver::Driver;
use alliance_tests::random::Random;
use alliance_tests::soak::each_seed;

const SEED: u64 = 20_261_128;
/// Bytes from one cut of the control to the next.
const CONTROL_EVERY: u64 = 16;

/// What there is to exchange: entries of the first device and of the second.
#[derive(Clone, Copy)]
struct Written {
    first: usize,
    /// `None`: it has nothing of the space yet.
    second: Option<usize>,
}

/// Two devices that have met, or are to.
fn two(written: Written, rules: Rules) -> Driver {
    let mut driver = Driver::new(SEED, 2, rules);
    if let Some(count) = written.second {
        driver.converge(8).unwrap();
        (0..count).for_each(|_| driver.write_on(1));
        driver.sign_receipt_on(1);
    }
    (0..written.first).for_each(|_| driver.write_on(0));
    driver.sign_receipt_on(0);
    driver.arrived = Some(Vec::new());
    driver
}

/// Bytes of a whole exchange towards the dialler and the listener.
fn whole(written: Written) -> [u64; 2] {
    [0, 1].map(|side| u64::MAX - two(written, Rules::ALL).meet_until((1, 0), side, u64::MAX).unwrap())
}

/// How many entries came twice to one device when the line broke at a byte and the two met again.
fn repeated(written: Written, side: usize, byte: u64, rules: Rules) -> usize {
    let mut driver = two(written, rules);
    assert_eq!(driver.meet_until((1, 0), side, byte), None, "the line breaks at byte {byte}");
    let meeting = driver.meet_again(1, 0);
    assert!(meeting.settled, "side {side}, byte {byte}: both have everything");
    let hashes = |node: usize| driver.nodes[node].replica.hashes(driver.space);
    assert_eq!(hashes(0), hashes(1), "side {side}, byte {byte}: the same on both");
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    for entry in driver.arrived.iter().flatten() {
        *times.entry(*entry).or_default() += 1;
    }
    times.values().filter(|times| **times > 1).count()
}

/// PROTOCOL section 3, R8: at most the entry that the cut went through is sent again.
fn each_byte(written: Written) {
    let ends = whole(written);
    println!("seed {SEED}: {} bytes to the dialler, {} to the listener", ends[0], ends[1]);
    assert!(ends.iter().sum::<u64>() <= 4_096, "a small exchange");
    let without = Rules { resume: false, ..Rules::ALL };
    let (mut cuts, mut control) = (0, 0);
    for (side, end) in ends.into_iter().enumerate() {
        for byte in 0..end {
            assert_eq!(repeated(written, side, byte, Rules::ALL), 0, "side {side}, byte {byte}: entries came twice");
            if byte % CONTROL_EVERY == 0 {
                control += repeated(written, side, byte, without);
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts: nothing came twice; without the rule {control} entries did");
    assert!(control > 0, "the control: where nothing is kept at a cut, entries come again");
}

#[test]
fn nothing_comes_twice_wherever_a_line_breaks() {
    each_byte(Written { first: 4, second: Some(2) });
}

#[test]
fn nothing_comes_twice_at_first_contact() {
    each_byte(Written { first: 4, second: None });
}

/// A month of two people: sixty entries of each.
#[test]
#[ignore = "a soak: .ci/soak cuts"]
fn a_month() {
    let written = Written { first: 60, second: Some(60) };
    let ends = whole(written);
    println!("{} bytes to the dialler, {} to the listener", ends[0], ends[1]);
    each_seed(|seed| {
        let mut random = Random::new(seed);
        let side = random.below(2);
        let byte = random.below(usize::try_from(ends[side]).unwrap()) as u64;
        assert_eq!(repeated(written, side, byte, Rules::ALL), 0, "side {side}, byte {byte}: entries came twice");
        let without = Rules { resume: false, ..Rules::ALL };
        assert!(repeated(written, side, ends[side] / 2, without) > 0, "the control");
    });
}
