//! What a device had from somebody else, nobody sends it again.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;

use alliance_crypto::Rules;
use alliance_tests::driver::Driver;

const SEED: u64 = 20_261_129;
const DEVICES: usize = 3;
const RELAY: usize = DEVICES;

/// Every device has written something, and these meet one after the other: how many entries came to somebody who had them.
fn repeated(meetings: &[(usize, usize)], rules: Rules) -> usize {
    let mut driver = Driver::new(SEED, DEVICES, rules);
    driver.converge(8).unwrap();
    driver.arrived = Some(Vec::new());
    for _ in 0..4 {
        (0..DEVICES).for_each(|node| driver.write_on(node));
    }
    for (one, other) in meetings {
        assert!(driver.meet(*one, *other).settled, "{meetings:?}");
    }
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    for entry in driver.arrived.iter().flatten() {
        *times.entry(*entry).or_default() += 1;
    }
    times.values().map(|times| times - 1).sum()
}

#[test]
fn what_came_from_somebody_else_does_not_come_again() {
    let stories: [(&str, &[(usize, usize)]); 5] = [
        ("whoever met somebody before dials", &[(2, 0), (0, 1)]),
        ("three phones meet in turn", &[(1, 0), (2, 0), (2, 1)]),
        ("near each other first, then at a relay", &[(1, 0), (0, RELAY), (1, RELAY)]),
        ("at a relay first, then near each other", &[(0, RELAY), (1, RELAY), (1, 0)]),
        ("one phone was at the relay and passes it on", &[(0, RELAY), (1, RELAY), (2, 1), (2, RELAY), (2, 0)]),
    ];
    let without = Rules { resume: false, ..Rules::ALL };
    for (story, meetings) in stories {
        assert_eq!(repeated(meetings, Rules::ALL), 0, "{story}");
        let control = repeated(meetings, without);
        println!("seed {SEED}, {story}: nothing came twice; without the rule {control} entries did");
        assert!(control > 0, "{story}: the control");
    }
}
