//! What a relay keeps beside the log: days, tokens, mailboxes, tickets.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_store::operator::{
    Admittance, MAILBOX_MESSAGES_PER_SPACE_MAX, NewToken, Operator, Posted, RelayDay, TicketLimits, Tickets, day_of,
    inspect,
};
use alliance_store::{Fresh, OpenError, Options, SqliteReplica};
use alliance_wire::membership::Admission;
use alliance_wire::{DeviceKey, Incarnation, Instance, SpaceId, limits};

const SPACE: SpaceId = SpaceId([1; 16]);

fn operator() -> (tempfile::TempDir, Operator) {
    let folder = tempfile::tempdir().unwrap();
    let operator = Operator::open(folder.path()).unwrap();
    (folder, operator)
}

fn token(operator: &Operator, number: u8, spaces_max: u32) {
    let day = RelayDay(1);
    operator.add_token(&NewToken { id: [number; 8], secret: &[number; 32], label: "ours", spaces_max, day }).unwrap();
}

fn admission(token: u8, secret: u8, space: SpaceId) -> Admission {
    Admission { token: [token; 8], mac: Admission::mac(&[secret; 32], space) }
}

#[test]
fn a_day_passes_when_the_calendar_goes_on_and_never_two_at_once() {
    let (folder, operator) = operator();
    // (what the calendar shows, which relay-day that is)
    let cases = [(100, 1), (100, 1), (101, 2), (40_000, 3), (40_000, 3), (102, 3), (103, 4), (0, 4), (1, 5)];
    for (calendar, day) in cases {
        assert_eq!(operator.today(calendar).unwrap(), RelayDay(day), "calendar {calendar}");
    }
    drop(operator);
    let again = Operator::open(folder.path()).unwrap();
    assert_eq!(again.today(1).unwrap(), RelayDay(5), "days are kept");
    assert_eq!(day_of(86_399), 0);
    assert_eq!(day_of(86_400), 1);
    assert_eq!(day_of(u64::MAX), u32::MAX);
    let (one, other) = (Instance([1; 16]), Instance([2; 16]));
    assert_eq!(again.first_day(one, RelayDay(5)).unwrap(), RelayDay(5));
    assert_eq!(again.first_day(one, RelayDay(9)).unwrap(), RelayDay(5));
    assert_eq!(again.first_day(other, RelayDay(9)).unwrap(), RelayDay(9));
}

#[test]
fn a_token_admits_as_many_spaces_as_it_may() {
    let (folder, operator) = operator();
    token(&operator, 1, 2);
    let spaces: Vec<SpaceId> = (1..=4).map(|n| SpaceId([n; 16])).collect();
    // (space, token, secret used, verdict)
    let cases = [
        (0, 9, 9, Admittance::Refused),
        (0, 1, 2, Admittance::Refused),
        (0, 1, 1, Admittance::Granted),
        (0, 1, 1, Admittance::Granted),
        (1, 1, 1, Admittance::Granted),
        (2, 1, 1, Admittance::Full),
        (1, 1, 1, Admittance::Granted),
    ];
    for (number, (space, id, secret, verdict)) in cases.into_iter().enumerate() {
        let found = operator.admit(spaces[space], &admission(id, secret, spaces[space])).unwrap();
        assert_eq!(found, verdict, "case {number}");
    }
    // A MAC for another space is worth nothing.
    let stolen = admission(1, 1, spaces[0]);
    assert_eq!(operator.admit(spaces[3], &stolen).unwrap(), Admittance::Refused);
    // Another process sees and changes the same.
    let other = Operator::open(folder.path()).unwrap();
    let rows = other.tokens().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].spaces, rows[0].spaces_max, rows[0].label.as_str()), (2, 2, "ours"));
    assert!(other.revoke_token([1; 8]).unwrap());
    assert!(!other.revoke_token([9; 8]).unwrap());
    assert_eq!(operator.admit(spaces[0], &stolen).unwrap(), Admittance::Refused);
    // Its secret is gone: a MAC of the overwritten one is refused too.
    assert_eq!(operator.admit(spaces[0], &admission(1, 0, spaces[0])).unwrap(), Admittance::Refused);
    let rows = operator.tokens().unwrap();
    assert!(rows[0].revoked && rows[0].spaces == 2, "{rows:?}");
}

#[test]
fn a_mailbox_holds_eight_messages_for_thirty_days() {
    let (_folder, operator) = operator();
    let (one, two) = ([1; 32], [2; 32]);
    assert_eq!(operator.mailbox_space(&one).unwrap(), None);
    operator.list_mailboxes(SPACE, &[one, two]).unwrap();
    // Who comes second does not get it.
    operator.list_mailboxes(SpaceId([9; 16]), &[one]).unwrap();
    assert_eq!(operator.mailbox_space(&one).unwrap(), Some(SPACE));
    let today = operator.today(1).unwrap();
    let messages = u8::try_from(limits::MAILBOX_MESSAGES_MAX).unwrap();
    for number in 0..messages {
        assert_eq!(operator.post(&one, SPACE, today, &[number]).unwrap(), Posted::Kept);
    }
    assert_eq!(operator.post(&one, SPACE, today, b"one more").unwrap(), Posted::Full);
    assert_eq!(operator.post(&one, SPACE, today, &[3]).unwrap(), Posted::Kept, "the same message again");
    assert_eq!(operator.post(&two, SPACE, today, b"elsewhere").unwrap(), Posted::Kept);
    let expected: Vec<Vec<u8>> = (0..messages).map(|number| vec![number]).collect();
    assert_eq!(operator.collect(&one).unwrap(), expected);
    // A clock that goes back loses nothing, one that jumps costs a day.
    for calendar in [0, 30_000] {
        operator.today(calendar).unwrap();
        assert_eq!(operator.collect(&one).unwrap(), expected, "calendar {calendar}");
    }
    let start = operator.today(40_000).unwrap();
    for calendar in 40_001..40_000 + limits::MAILBOX_DAYS_MAX - 2 {
        operator.today(calendar).unwrap();
    }
    assert_eq!(operator.collect(&one).unwrap().len(), usize::from(messages), "the last day");
    let end = operator.today(50_000).unwrap();
    assert_eq!(end.since(today), limits::MAILBOX_DAYS_MAX);
    assert!(end.since(start) < limits::MAILBOX_DAYS_MAX);
    assert_eq!(operator.collect(&one).unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(operator.post(&one, SPACE, end, b"room again").unwrap(), Posted::Kept);
}

#[test]
fn all_mailboxes_of_a_space_together_are_bounded() {
    let (_folder, operator) = operator();
    let today = operator.today(1).unwrap();
    let address = |number: u64| {
        let mut address = [0; 32];
        address[..8].copy_from_slice(&number.to_be_bytes());
        address
    };
    for number in 0..MAILBOX_MESSAGES_PER_SPACE_MAX {
        assert_eq!(operator.post(&address(number), SPACE, today, b"one").unwrap(), Posted::Kept);
    }
    let next = address(MAILBOX_MESSAGES_PER_SPACE_MAX);
    assert_eq!(operator.post(&next, SPACE, today, b"one").unwrap(), Posted::Full);
    // The control: another space has room.
    assert_eq!(operator.post(&next, SpaceId([2; 16]), today, b"one").unwrap(), Posted::Kept);
}

#[test]
fn a_ticket_is_handed_out_once_and_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let limits = TicketLimits { per_device: 2, total: 4, millis: 100 };
    let tickets = Tickets::open(folder.path(), limits).unwrap();
    let device = |number| DeviceKey([number; 32]);
    let put = |number: u8, of: u8, now: u64| tickets.put(device(of), &[number], &[number; 3], now).unwrap();
    put(1, 1, 1_000);
    assert_eq!(tickets.take(&[1], 1_050).unwrap(), Some(vec![1; 3]));
    assert_eq!(tickets.take(&[1], 1_050).unwrap(), None, "once");
    for (number, now) in [(2, 1_100), (3, 999)] {
        put(number, 1, 1_000);
        assert_eq!(tickets.take(&[number], now).unwrap(), None, "at {now}");
    }
    // The control: a moment earlier the ticket is good.
    put(4, 1, 1_000);
    assert_eq!(tickets.take(&[4], 1_099).unwrap(), Some(vec![4; 3]));
    for number in 10..13 {
        put(number, 1, 1_000);
    }
    assert_eq!(tickets.count().unwrap(), 2, "the oldest of a device goes");
    for number in 20..25 {
        put(number, number, 1_000);
    }
    assert_eq!(tickets.count().unwrap(), 4, "the oldest of all go");
    put(30, 30, 1_200);
    assert_eq!(tickets.count().unwrap(), 1, "what is too old goes");
    tickets.forget(device(30)).unwrap();
    assert_eq!(tickets.count().unwrap(), 0);
    put(40, 4, 1_000);
    drop(tickets);
    let again = Tickets::open(folder.path(), limits).unwrap();
    assert_eq!(again.take(&[40], 1_001).unwrap(), Some(vec![40; 3]), "over a restart");
    drop(again);
    // A database that cannot be read is made anew.
    std::fs::write(folder.path().join("sessions.db"), [7; 4_096]).unwrap();
    let anew = Tickets::open(folder.path(), limits).unwrap();
    assert_eq!(anew.count().unwrap(), 0);
}

#[test]
fn a_newer_operators_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    // Without a key, so that its bytes can be changed.
    let plain = Options { signed: false, ..Options::default() };
    let operator = Operator::open_with(folder.path(), plain.clone()).unwrap();
    operator.set_setting("connect", "somewhere").unwrap();
    drop(operator);
    let path = folder.path().join("operator.db");
    let good = std::fs::read(&path).unwrap();
    let mut newer = good.clone();
    // `user_version` is the big-endian number at byte 60 of the file (SQLite file format, section 1.3).
    newer[63] += 1;
    std::fs::write(&path, &newer).unwrap();
    for options in [plain, Options::default()] {
        let opened = Operator::open_with(folder.path(), options);
        assert!(matches!(opened, Err(OpenError::Newer { found: 2, known: 1 })));
        assert_eq!(std::fs::read(&path).unwrap(), newer);
    }
    // The control: as it was, it opens, and is put under the folder's key.
    std::fs::write(&path, &good).unwrap();
    assert_eq!(Operator::open(folder.path()).unwrap().setting("connect").unwrap().as_deref(), Some("somewhere"));
    assert_ne!(std::fs::read(&path).unwrap()[..16], good[..16]);
}

#[test]
fn a_running_replica_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(inspect(folder.path()), Err(OpenError::Absent)));
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    let (replica, opened) = SqliteReplica::open(folder.path(), fresh, false, Options::default()).unwrap();
    let found = inspect(folder.path()).unwrap();
    assert_eq!((found.instance, found.spaces, found.entries, found.bytes), (opened.instance, 0, 0, 0));
    replica.close();
    assert_eq!(inspect(folder.path()).unwrap().instance, opened.instance);
}
