//! A device's folder and a relay's, with something in every table, closed in order or left as a crash leaves them.

use std::fs;
use std::path::Path;

use alliance_crypto::{RecoverySecret, Verified};
use alliance_store::conformance::{Author, batch, found_space, space};
use alliance_store::device::{
    Contact, DeviceOp, Direction, Document, DocumentHead, Draft, EntryRef, EntryState, EpochKeyRow, Listing,
    LocalSpace, Pending, Profile, RelayRow, Searchable, SpaceState,
};
use alliance_store::operator::{NewToken, Operator, TicketLimits, Tickets};
use alliance_store::{Device, Fresh, Kdf, Options, Replica, SqliteReplica, StoreHeader, StoreKey};
use alliance_sync::{Batch, Incoming};
use alliance_wire::membership::Admission;
use alliance_wire::{DeviceKey, DocumentId, DraftId, EpochId, HashPrefix, Incarnation, Instance, SpaceId, Stream};
use tempfile::TempDir;

pub(crate) const LIMITS: TicketLimits = TicketLimits { per_device: 4, total: 100, millis: 1_000_000 };
pub(crate) const RELAY: DeviceKey = DeviceKey([5; 32]);
pub(crate) const PEER: Instance = Instance([77; 16]);
/// Entries of each author in each of the first two spaces.
const ENTRIES: u8 = 45;

pub(crate) fn key() -> StoreKey {
    StoreKey::new([1; 32])
}

pub(crate) fn fresh(number: u8) -> Fresh {
    Fresh { incarnation: Incarnation([number; 16]), instance: Instance([number + 100; 16]) }
}

pub(crate) fn document(number: u8) -> DocumentId {
    DocumentId([number; 16])
}

pub(crate) fn draft(number: u8) -> DraftId {
    DraftId([number + 200; 16])
}

pub(crate) fn founder() -> Author {
    Author::new(9)
}

pub(crate) fn founded() -> SpaceId {
    found_space(&founder(), 4).0
}

pub(crate) fn spaces() -> [SpaceId; 3] {
    [space(1), space(2), founded()]
}

/// What one author writes into a space: payloads from 40 bytes to beyond a page.
pub(crate) fn chain(author: u8, into: SpaceId) -> Vec<Verified> {
    let who = Author::new(author);
    let mut chain: Vec<Verified> = Vec::new();
    for number in 0..ENTRIES {
        let payload = vec![number; 40 + usize::from(number) * 120];
        chain.push(who.next(into, Stream::Data, chain.last(), &payload));
    }
    chain
}

/// The log of a replica, in two commits.
async fn fill_log(replica: &SqliteReplica) {
    let relayed = |items| Batch {
        peer: Some((RELAY, PEER)),
        cursors: vec![(space(1), 7, HashPrefix([3; 16])), (space(2), 8, HashPrefix([4; 16]))],
        acked: vec![(space(1), 5), (space(2), 6)],
        ..batch(items)
    };
    let (founded, genesis) = found_space(&founder(), 4);
    let admission = Admission { token: [1; 8], mac: Admission::mac(&[1; 32], founded) };
    let first = Batch { creates: vec![(founded, Some(admission))], ..batch(vec![Incoming::Entry(genesis)]) };
    replica.put(first, Vec::new()).await.unwrap();
    for into in [space(1), space(2)] {
        for author in [1, 2] {
            let chain = chain(author, into);
            let receipt = Author::new(author).receipt(into, u64::from(author), Vec::new());
            let mut items: Vec<Incoming> = chain.iter().cloned().map(Incoming::Entry).collect();
            items.push(Incoming::Receipt(receipt));
            replica.put(relayed(items), Vec::new()).await.unwrap();
        }
    }
    // A fork behind the tenth entry.
    let who = Author::new(2);
    let other = who.next(space(2), Stream::Data, Some(&chain(2, space(2))[9]), b"another eleventh");
    replica.put(relayed(vec![Incoming::Entry(other)]), Vec::new()).await.unwrap();
    replica.set_absent(DeviceKey([6; 32]), space(1)).await.unwrap();
    let parts = replica.view_parts(founded).await.unwrap().unwrap();
    assert_eq!(parts.membership.len(), 1);
    for (number, space) in spaces().into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        let roster = alliance_store::Roster {
            space,
            readers: (1..4).map(|device| DeviceKey([device + number; 32])).collect(),
            former: Vec::new(),
            relays: vec![RELAY],
            heads: HashPrefix([number; 16]),
        };
        replica.set_roster(roster).await.unwrap();
    }
}

fn device_ops() -> Vec<DeviceOp> {
    let mut ops = vec![
        DeviceOp::PutProfile(Profile {
            secret: [7; 32].into(),
            recovery: RecoverySecret::from_seed([8; 32]).card(),
            name: "Amina".into(),
            created: 1,
        }),
        DeviceOp::PutSetting { name: "short", value: Some(vec![1; 10]) },
        DeviceOp::PutSetting { name: "long", value: Some((0..30_000_u32).map(|n| (n % 251) as u8).collect()) },
    ];
    for (number, space) in spaces().into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        let title = format!("Space {number}");
        let detail = vec![number; 6_000];
        ops.push(DeviceOp::PutSpace(LocalSpace { space, title, role: number, state: SpaceState::Joined, detail }));
        ops.push(DeviceOp::PutEpochKey(EpochKeyRow { space, epoch: EpochId([number; 16]), key: [3; 32].into() }));
        ops.push(DeviceOp::SetApplied { space, arrival: u64::from(number) + 3 });
    }
    for number in 1..40_u8 {
        let head = DocumentHead {
            space: space(1),
            document: document(number),
            kind: 2,
            schema: 1,
            heads: vec![number; 33],
            authors: vec![number; 80],
            updated: u64::from(number),
            flags: u32::from(number % 2),
        };
        ops.push(DeviceOp::PutDocument(Document { head, saved: vec![number; 300 * usize::from(number)] }));
        ops.push(DeviceOp::PutListing(Listing {
            space: space(1),
            document: document(number),
            kind: 2,
            title: format!("A note {number}"),
            date: format!("2026-01-{:02}", number % 28 + 1),
            snippet: "We looked at the week and at what was hard in it.".into(),
            markers: u32::from(number % 4),
            searched: false,
        }));
        ops.push(DeviceOp::PutSearchable(Searchable {
            space: space(1),
            document: document(number),
            version: 1,
            heads: vec![number; 33],
            draft: None,
            whole: true,
            title: format!("a note {number}"),
            body: "the words of the note ".repeat(usize::from(number) * 6),
            parts: vec![number; 90],
        }));
        let log = chain(1, space(1))[0].log();
        let state = if number % 5 == 0 { EntryState::Waiting(3) } else { EntryState::Applied };
        let entry = EntryRef { space: space(1), log, seq: u64::from(number) };
        ops.push(DeviceOp::SetEntry { entry, document: Some(document(number)), state });
    }
    for number in 1..4_u8 {
        ops.push(DeviceOp::PutDraft(Draft {
            draft: draft(number),
            space: space(1),
            document: document(number),
            kind: 2,
            schema: 1,
            base: vec![number; 33],
            incarnation: Incarnation([1; 16]),
            format: 1,
            revision: 0,
            opened: 1_000,
        }));
        for n in 1..30 {
            let bytes = format!("command {n} of draft {number}").into_bytes();
            ops.push(DeviceOp::AppendCommand { draft: draft(number), n, bytes });
        }
        ops.push(DeviceOp::PutPending(Pending { kind: 1, id: vec![number], value: vec![number; 900] }));
        let relay = DeviceKey([number; 32]);
        let address = format!("relay-{number}.example:4433");
        ops.push(DeviceOp::PutRelay(RelayRow { relay, address, token: Some(vec![number; 60]), added: 3 }));
        let (name, direction) = ("Boris".to_owned(), Direction::Outgoing);
        ops.push(DeviceOp::PutContact(Contact { device: relay, name, at: u64::from(number), direction }));
    }
    ops
}

/// All files of a folder, copied.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A folder, and the same as it was before it was closed.
pub(crate) struct Pair {
    pub(crate) closed: TempDir,
    pub(crate) crashed: TempDir,
}

pub(crate) async fn device(options: Options) -> Pair {
    let (closed, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let header = StoreHeader::new([3; 16], Kdf { memory_kib: 8, passes: 1, lanes: 1 }, &key());
    let (device, _) = Device::create(closed.path(), &header, &key(), fresh(1), options).unwrap();
    fill_log(device.replica()).await;
    device.apply(device_ops()).await.unwrap();
    device.apply(vec![DeviceOp::PutSetting { name: "last", value: Some(b"the last commit".to_vec()) }]).await.unwrap();
    copy(closed.path(), crashed.path());
    device.close();
    Pair { closed, crashed }
}

pub(crate) async fn relay(options: Options) -> Pair {
    let (closed, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (replica, opened) = SqliteReplica::open(closed.path(), fresh(1), false, options.clone()).unwrap();
    fill_log(&replica).await;
    let operator = Operator::open_with(closed.path(), options).unwrap();
    let today = operator.today(20_000).unwrap();
    operator.first_day(opened.instance, today).unwrap();
    operator.set_setting("connect", "alliance-relay:somewhere").unwrap();
    for number in 1..30_u8 {
        let label = format!("team {number}");
        let token = NewToken { id: [number; 8], secret: &[number; 32], label: &label, spaces_max: 40, day: today };
        operator.add_token(&token).unwrap();
        let admission = Admission { token: [number; 8], mac: Admission::mac(&[number; 32], space(number)) };
        operator.admit(space(number), &admission).unwrap();
        operator.list_mailboxes(space(1), &[[number; 32]]).unwrap();
        operator.post(&[number; 32], space(1), today, &vec![number; 100 * usize::from(number)]).unwrap();
    }
    let tickets = Tickets::open(closed.path(), LIMITS).unwrap();
    for number in 1..20_u8 {
        tickets.put(DeviceKey([number; 32]), &[number; 16], &vec![number; 500], 1_000).unwrap();
    }
    copy(closed.path(), crashed.path());
    drop((operator, tickets));
    replica.close();
    Pair { closed, crashed }
}
