//! How often a PIN may be tried: waits that grow, on a clock that nobody sets.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_crypto::{Look, PIN_TRIES_FREE, Tries, Uptime};

const MINUTE: u64 = 60_000;
const BOOT: [u8; 16] = [1; 16];

fn at(millis: u64) -> Uptime {
    Uptime { boot: BOOT, millis }
}

/// After so many wrong tries, the last one at this time.
fn failed(times: u32, now: Uptime) -> Tries {
    (0..times).fold(Tries::NONE, |tries, _| tries.with_one_more(now))
}

#[test]
fn waits_grow_to_an_hour() {
    for times in 0..PIN_TRIES_FREE {
        let tries = failed(times, at(1_000));
        assert_eq!((tries.failed(), tries.free(), tries.look(at(1_000))), (times, 5 - times, Look::Free));
    }
    for (times, minutes) in [(5, 1), (6, 5), (7, 15), (8, 60), (9, 60), (1_000, 60)] {
        let (tries, end) = (failed(times, at(1_000)), 1_000 + minutes * MINUTE);
        assert_eq!((tries.free(), tries.wait()), (0, minutes * MINUTE));
        assert_eq!(tries.look(at(1_000)), Look::Wait(minutes * MINUTE), "{times}");
        assert_eq!(tries.look(at(end - 1)), Look::Wait(1), "{times}");
        assert_eq!(tries.look(at(end)), Look::Free, "{times}");
    }
    // Nothing overflows, however long somebody goes on.
    let mut many = failed(5, at(u64::MAX));
    assert_eq!(many.look(at(u64::MAX)), Look::Wait(MINUTE));
    for _ in 0..100 {
        many = many.with_one_more(at(u64::MAX));
    }
    assert_eq!(many.look(at(u64::MAX)), Look::Wait(60 * MINUTE));
}

#[test]
fn another_start_and_a_clock_that_says_less_begin_the_wait_anew() {
    let tries = failed(6, at(10 * MINUTE));
    // The control: on the same start, four of five minutes later, one is left.
    assert_eq!(tries.look(at(14 * MINUTE)), Look::Wait(MINUTE));
    for now in [Uptime { boot: [2; 16], millis: 14 * MINUTE }, at(9 * MINUTE)] {
        let Look::Anew(wait, anew) = tries.look(now) else { panic!("{now:?}") };
        assert_eq!((wait, anew.failed()), (5 * MINUTE, 6));
        // From then on it runs off.
        let later = |millis: u64| Uptime { millis: now.millis + millis, ..now };
        assert_eq!(anew.look(now), Look::Wait(5 * MINUTE));
        assert_eq!(anew.look(later(4 * MINUTE)), Look::Wait(MINUTE));
        assert_eq!(anew.look(later(5 * MINUTE)), Look::Free);
    }
    // Without a wait a start changes nothing.
    assert_eq!(failed(4, at(0)).look(Uptime { boot: [2; 16], millis: 0 }), Look::Free);
}

#[test]
fn a_lost_count_is_no_gift() {
    let Look::Anew(wait, anew) = Tries::LOST.look(at(0)) else { panic!() };
    assert_eq!((wait, anew.look(at(0))), (MINUTE, Look::Wait(MINUTE)));
    assert_eq!(anew.look(at(MINUTE)), Look::Free);
    // The next wrong one costs what a sixth does.
    assert_eq!(anew.with_one_more(at(MINUTE)).wait(), 5 * MINUTE);
}
