//! A device's own tables, and entries appended with them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;

use alliance_crypto::{RecoverySecret, Verified};
use alliance_store::conformance::{Author, batch, space};
use alliance_store::device::{
    AppendError, Command, Contact, DeviceOp, Direction, Document, DocumentHead, Draft, EntryRef, EntryState,
    EpochKeyRow, ListQuery, Listing, LocalSpace, Pending, Profile, Quarantine, RelayRow, RestoreError, SpaceState,
    Trying, restore,
};
use alliance_store::{
    Device, Fresh, Kdf, OpenError, Opened, Options, Replica, Spaces, StoreError, StoreHeader, StoreKey,
};
use alliance_sync::{Incoming, Outcome};
use alliance_wire::{DeviceKey, DocumentId, DraftId, EpochId, HashPrefix, Incarnation, Instance, Stream};

fn key() -> StoreKey {
    StoreKey::new([1; 32])
}

fn fresh(number: u8) -> Fresh {
    Fresh { incarnation: Incarnation([number; 16]), instance: Instance([number + 100; 16]) }
}

fn create(folder: &Path) -> Device {
    let header = StoreHeader::new([3; 16], Kdf { memory_kib: 8, passes: 1, lanes: 1 }, &key());
    Device::create(folder, &header, &key(), fresh(1), Options::default()).unwrap().0
}

fn open(folder: &Path, number: u8) -> (Device, Opened) {
    Device::open(folder, &key(), fresh(number), Options::default()).unwrap()
}

fn items(entries: &[Verified]) -> Vec<Incoming> {
    entries.iter().cloned().map(Incoming::Entry).collect()
}

const DOCUMENT: DocumentId = DocumentId([4; 16]);
const DRAFT: DraftId = DraftId([6; 16]);

fn draft() -> Draft {
    Draft {
        draft: DRAFT,
        space: space(1),
        document: DOCUMENT,
        kind: 2,
        schema: 1,
        base: vec![1, 2, 3],
        incarnation: Incarnation([1; 16]),
        format: 1,
        revision: 0,
        opened: 1_000,
    }
}

fn command(n: u64) -> DeviceOp {
    DeviceOp::AppendCommand { draft: DRAFT, n, bytes: format!("command {n}").into_bytes() }
}

fn document(text: &str) -> Document {
    let head = DocumentHead {
        space: space(1),
        document: DOCUMENT,
        kind: 2,
        schema: 1,
        heads: vec![9],
        authors: vec![8],
        updated: 5,
        flags: 1,
    };
    Document { head, saved: text.as_bytes().to_vec() }
}

fn listing(number: u8, kind: u16, date: &str, title: &str) -> Listing {
    Listing {
        space: space(number % 2 + 1),
        document: DocumentId([number; 16]),
        kind,
        title: title.to_owned(),
        date: date.to_owned(),
        snippet: format!("snippet {number}"),
        markers: u32::from(number.is_multiple_of(3)),
        searched: false,
    }
}

#[tokio::test]
async fn rows_are_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    assert!(device.profile().await.unwrap().is_none());
    let profile = Profile {
        secret: [7; 32].into(),
        recovery: RecoverySecret::from_seed([8; 32]).card(),
        name: "Amina".into(),
        created: 1,
    };
    let row = LocalSpace {
        space: space(1),
        title: "With Boris".into(),
        role: 2,
        state: SpaceState::Expected,
        detail: vec![1],
    };
    let relay =
        RelayRow { relay: DeviceKey([5; 32]), address: "relay.example:4433".into(), token: Some(vec![1]), added: 3 };
    let contact = Contact { device: DeviceKey([6; 32]), name: "Boris".into(), at: 9, direction: Direction::Outgoing };
    let pending = Pending { kind: 1, id: vec![1], value: b"invitation".to_vec() };
    let keys = EpochKeyRow { space: space(1), epoch: EpochId([2; 16]), key: [3; 32].into() };
    let ops = vec![
        DeviceOp::PutProfile(profile.clone()),
        DeviceOp::PutSetting { name: "a", value: Some(vec![1]) },
        DeviceOp::PutSetting { name: "b", value: Some(vec![2]) },
        DeviceOp::PutSetting { name: "b", value: None },
        DeviceOp::PutSpace(row.clone()),
        DeviceOp::PutSpace(LocalSpace { state: SpaceState::Joined, ..row.clone() }),
        DeviceOp::PutEpochKey(keys),
        DeviceOp::PutPending(pending.clone()),
        DeviceOp::PutPending(Pending { id: vec![2], ..pending.clone() }),
        DeviceOp::DropPending { kind: 1, id: vec![2] },
        DeviceOp::PutRelay(relay.clone()),
        DeviceOp::PutRelay(RelayRow { relay: DeviceKey([9; 32]), ..relay.clone() }),
        DeviceOp::DropRelay(DeviceKey([9; 32])),
        DeviceOp::PutContact(contact.clone()),
        DeviceOp::SetApplied { space: space(1), arrival: 12 },
    ];
    device.apply(ops).await.unwrap();
    device.close();

    let (device, _) = open(folder.path(), 2);
    let found = device.profile().await.unwrap().unwrap();
    assert_eq!((found.secret, found.recovery, found.name), (profile.secret, profile.recovery, profile.name));
    assert_eq!((device.setting("a").await, device.setting("b").await), (Ok(Some(vec![1])), Ok(None)));
    assert_eq!(device.local_spaces().await.unwrap(), [LocalSpace { state: SpaceState::Joined, ..row }]);
    let keys = device.epoch_keys(space(1)).await.unwrap();
    assert_eq!((keys.len(), keys[0].epoch, *keys[0].key), (1, EpochId([2; 16]), [3; 32]));
    assert_eq!(device.pending(1).await.unwrap(), [pending]);
    assert_eq!(device.relays().await.unwrap(), [relay]);
    assert_eq!(device.contacts().await.unwrap(), [contact]);
    assert_eq!(device.applied_upto(space(1)).await, Ok(12));
    assert_eq!(device.replica().spaces().await, Ok(vec![]), "an expected space is not in the log");
    device.apply(vec![DeviceOp::ForgetEpochKeys(space(1))]).await.unwrap();
    assert!(device.epoch_keys(space(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn drafts_are_saved_command_by_command() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    device.apply(vec![DeviceOp::PutDraft(draft()), command(1)]).await.unwrap();
    device.apply(vec![DeviceOp::PutDraft(Draft { revision: 2, ..draft() }), command(2)]).await.unwrap();
    // A number that is taken, or a draft that is not here, and nothing of the call is kept.
    let taken = device.apply(vec![command(3), command(2)]).await;
    assert!(matches!(taken, Err(StoreError::Database { .. })), "{taken:?}");
    let unknown = DeviceOp::AppendCommand { draft: DraftId([7; 16]), n: 1, bytes: vec![] };
    assert!(matches!(device.apply(vec![command(3), unknown]).await, Err(StoreError::Shape(_))));
    let texts = |commands: Vec<Command>| commands.into_iter().map(|command| command.n).collect::<Vec<_>>();
    assert_eq!(texts(device.commands(DRAFT).await.unwrap()), [1, 2]);
    drop(device);

    let (device, _) = open(folder.path(), 2);
    assert_eq!(device.drafts().await.unwrap(), [Draft { revision: 2, ..draft() }]);
    assert_eq!(device.drafts_of(space(1), DOCUMENT).await.unwrap().len(), 1);
    assert!(device.drafts_of(space(2), DOCUMENT).await.unwrap().is_empty());
    assert_eq!(device.commands(DRAFT).await.unwrap()[1].bytes, b"command 2");
    device.apply(vec![DeviceOp::DropCommands { draft: DRAFT, upto: 1 }, command(3)]).await.unwrap();
    assert_eq!(texts(device.commands(DRAFT).await.unwrap()), [2, 3]);
    device.apply(vec![DeviceOp::DropDraft(DRAFT)]).await.unwrap();
    assert!(device.drafts().await.unwrap().is_empty() && device.commands(DRAFT).await.unwrap().is_empty());
}

#[tokio::test]
async fn sealing_takes_entry_and_rows_together() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let spaces = Spaces::new(device.replica().clone(), 100);
    let author = Author::new(1);
    let chain = author.chain(space(1), Stream::Data, None, "entry", 2);
    device.apply(vec![DeviceOp::PutDraft(draft()), command(1), command(2)]).await.unwrap();
    let seal = async |entry: &Verified| {
        let ops = vec![
            DeviceOp::DropCommands { draft: DRAFT, upto: 1 },
            DeviceOp::SetEntry {
                entry: EntryRef { space: space(1), log: entry.log(), seq: entry.seq() },
                document: Some(DOCUMENT),
                state: EntryState::Applied,
            },
            DeviceOp::PutDocument(document("saved")),
        ];
        let device = device.clone();
        let put = move |batch, rosters| async move { device.append(batch, rosters, ops).await };
        spaces.persist_with(batch(items(std::slice::from_ref(entry))), put).await
    };
    // Not the next of its log: nothing changes, and the store goes on.
    assert_eq!(seal(&chain[1]).await.unwrap_err(), AppendError::NotTaken(vec![Outcome::Gap]));
    assert_eq!(device.commands(DRAFT).await.unwrap().len(), 2);
    assert!(device.document(space(1), DOCUMENT).await.unwrap().is_none());

    let mut changes = spaces.changes();
    assert_eq!(seal(&chain[0]).await.unwrap().outcomes, [Outcome::Stored(1)]);
    assert_eq!(changes.recv().await.unwrap().arrival, 1);
    assert_eq!(device.commands(DRAFT).await.unwrap().len(), 1);
    assert_eq!(device.document(space(1), DOCUMENT).await.unwrap(), Some(document("saved")));
    // Written already, or beside what was written: a restored database never does either silently.
    assert_eq!(seal(&chain[0]).await.unwrap_err(), AppendError::NotTaken(vec![Outcome::Duplicate]));
    let beside = author.next(space(1), Stream::Data, None, b"beside");
    let refused = seal(&beside).await.unwrap_err();
    assert!(matches!(&refused, AppendError::NotTaken(outcomes) if matches!(outcomes[..], [Outcome::Forked(..)])));
    assert_eq!(device.replica().tails(vec![space(1)]).await.unwrap()[0].arrival, 1);
    assert!(device.replica().view_parts(space(1)).await.unwrap().unwrap().forks.is_empty());
}

#[tokio::test]
async fn entries_keep_their_document_through_a_fork() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let author = Author::new(1);
    let chain = author.chain(space(1), Stream::Data, None, "entry", 4);
    device.replica().put(batch(items(&chain)), Vec::new()).await.unwrap();
    let log = chain[0].log();
    let at = |log, seq| EntryRef { space: space(1), log, seq };
    let set = |seq, document, state| DeviceOp::SetEntry { entry: at(log, seq), document, state };
    let states = [
        set(1, Some(DOCUMENT), EntryState::Applied),
        set(2, Some(DOCUMENT), EntryState::Waiting(7)),
        set(3, Some(DOCUMENT), EntryState::ParkedForGood(3)),
        set(4, None, EntryState::ParkedUntil(9)),
    ];
    device.apply(states.to_vec()).await.unwrap();
    let missing = set(9, None, EntryState::Applied);
    assert!(matches!(device.apply(vec![missing]).await, Err(StoreError::Shape(_))));

    let of = device.entries_of(space(1), DOCUMENT, 0).await.unwrap();
    let found: Vec<_> = of.entries.iter().map(|entry| (entry.entry.header().seq, entry.state)).collect();
    let expected = [(1, EntryState::Applied), (2, EntryState::Waiting(7)), (3, EntryState::ParkedForGood(3))];
    assert_eq!((found.as_slice(), of.next), (expected.as_slice(), None));
    assert_eq!(device.entries_of(space(1), DOCUMENT, 2).await.unwrap().entries.len(), 1);
    let open = device.open_entries(space(1), 0).await.unwrap();
    let documents: Vec<_> = open.entries.iter().map(|entry| entry.document).collect();
    assert_eq!(documents, [Some(DOCUMENT), Some(DOCUMENT), None]);
    assert_eq!(device.count_open(space(1)).await, Ok([1, 1, 1, 0]));
    let arrivals: Vec<_> = of.entries.iter().map(|entry| entry.arrival).collect();
    let behind = device.states_behind(space(1), arrivals[0], arrivals[2]).await.unwrap();
    assert_eq!(behind, [(at(log, 2), EntryState::Waiting(7)), (at(log, 3), EntryState::ParkedForGood(3))]);

    // A fork behind the second entry moves the third and fourth to a continuation; their state goes along.
    let other = author.next(space(1), Stream::Data, Some(&chain[1]), b"other");
    device.replica().put(batch(items(&[other])), Vec::new()).await.unwrap();
    let moved = at(log.continuation(chain[2].hash()), 3);
    assert_eq!(device.entry_state(at(log, 3)).await, Ok(None));
    assert_eq!(device.entry_state(moved).await, Ok(Some(EntryState::ParkedForGood(3))));
    // A later word about an entry keeps its document.
    let op = DeviceOp::SetEntry { entry: moved, document: None, state: EntryState::Quarantined(Quarantine::CutOff) };
    device.apply(vec![op]).await.unwrap();
    let of = device.entries_of(space(1), DOCUMENT, 2).await.unwrap();
    assert_eq!((of.entries[0].log, of.entries[0].state), (moved.log, EntryState::Quarantined(Quarantine::CutOff)));
    // A space that was forgotten and received again begins with nothing said about its entries.
    device.replica().forget_space(space(1)).await.unwrap();
    device.replica().put(batch(items(&chain)), Vec::new()).await.unwrap();
    assert!(device.entries_of(space(1), DOCUMENT, 0).await.unwrap().entries.is_empty());
    assert_eq!(device.entry_state(at(log, 1)).await, Ok(None));
}

#[tokio::test]
async fn interrupted_trial_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let entry = EntryRef { space: space(1), log: Author::new(1).name(Stream::Data).id(space(1)), seq: 3 };
    let begin = |document| DeviceOp::BeginTrying { document, entries: vec![entry] };
    device.apply(vec![begin(DOCUMENT), begin(DocumentId([5; 16]))]).await.unwrap();
    device.apply(vec![DeviceOp::EndTrying(space(1), DocumentId([5; 16]))]).await.unwrap();
    drop(device);
    let (device, _) = open(folder.path(), 2);
    assert_eq!(device.trying().await.unwrap(), [Trying { document: DOCUMENT, entry }]);
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let dates = ["2026-03-01", "2026-01-15", "", "2026-03-01", "2025-12-31"];
    let rows: Vec<_> = (0..50_u8)
        .map(|number| {
            listing(number, u16::from(number % 2) + 1, dates[usize::from(number % 5)], &format!("Note {number}"))
        })
        .collect();
    device.apply(rows.into_iter().map(DeviceOp::PutListing).collect()).await.unwrap();
    let all = device.list(ListQuery { limit: 1_000, ..ListQuery::default() }).await.unwrap();
    assert_eq!((all.rows.len(), all.next), (50, None));
    assert!(all.rows.is_sorted_by(|one, next| one.date >= next.date), "the newest date first");
    for limit in [1, 7, 49, 50] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = device.list(ListQuery { limit, after, ..ListQuery::default() }).await.unwrap();
            assert!(page.rows.len() <= limit);
            paged.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, all.rows, "pages of {limit}");
    }
    // (query, how many rows)
    let query = ListQuery { limit: 1_000, ..ListQuery::default() };
    let table = [
        (ListQuery { space: Some(space(1)), ..query.clone() }, 25),
        (ListQuery { space: Some(space(9)), ..query.clone() }, 0),
        (ListQuery { kind: Some(2), ..query.clone() }, 25),
        (ListQuery { space: Some(space(1)), kind: Some(2), ..query.clone() }, 0),
        (ListQuery { markers: 1, ..query.clone() }, 17),
    ];
    for (query, expected) in table {
        assert_eq!(device.list(query.clone()).await.unwrap().rows.len(), expected, "{query:?}");
    }
    assert_eq!(device.count_marked(space(1), 1, 1).await, Ok(9));
    let one = device.listing(space(1), DocumentId([2; 16])).await.unwrap().unwrap();
    assert_eq!((one.title.as_str(), one.searched), ("Note 2", false));
    // Marks can be taken away; nothing else of a row changes.
    let clear = DeviceOp::ClearMarkers { space: space(1), document: DocumentId([6; 16]), markers: 1 };
    device.apply(vec![clear]).await.unwrap();
    assert_eq!(device.count_marked(space(1), 1, 1).await, Ok(8));
    let cleared = device.listing(space(1), DocumentId([6; 16])).await.unwrap().unwrap();
    assert_eq!(cleared, Listing { markers: 0, ..listing(6, 1, "2026-01-15", "Note 6") });
}

#[tokio::test]
async fn documents_are_saved_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let ops = vec![DeviceOp::PutDocument(document("one")), DeviceOp::PutListing(listing(4, 2, "", "t"))];
    device.apply(ops).await.unwrap();
    device.apply(vec![DeviceOp::PutDocument(document("two"))]).await.unwrap();
    assert_eq!(device.document(space(1), DOCUMENT).await.unwrap(), Some(document("two")));
    assert_eq!(device.document_head(space(1), DOCUMENT).await.unwrap(), Some(document("").head));
    assert_eq!(device.document_ids(space(1)).await.unwrap(), [(DOCUMENT, 2)]);
    assert!(device.document(space(2), DOCUMENT).await.unwrap().is_none());
    device.apply(vec![DeviceOp::DropDocument(space(1), DOCUMENT)]).await.unwrap();
    assert!(device.document(space(1), DOCUMENT).await.unwrap().is_none());
    assert!(device.listing(space(1), DOCUMENT).await.unwrap().is_none());
}

#[tokio::test]
async fn acknowledgements_are_known_by_instance() {
    let folder = tempfile::tempdir().unwrap();
    let device = create(folder.path());
    let mut batch = batch(items(&Author::new(1).chain(space(1), Stream::Data, None, "entry", 2)));
    batch.peer = Some((DeviceKey([5; 32]), Instance([6; 16])));
    batch.cursors = vec![(space(1), 3, HashPrefix([1; 16]))];
    batch.acked = vec![(space(1), 2)];
    device.replica().put(batch, Vec::new()).await.unwrap();
    assert_eq!(device.acked(Instance([6; 16]), space(1)).await, Ok(2));
    assert_eq!(device.acked(Instance([7; 16]), space(1)).await, Ok(0));
}

#[tokio::test]
async fn restored_backup_has_everything_and_begins_anew() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let device = create(folder.path());
    let chain = Author::new(1).chain(space(1), Stream::Data, None, "entry", 30);
    device.replica().put(batch(items(&chain)), Vec::new()).await.unwrap();
    device.apply(vec![DeviceOp::PutDraft(draft()), command(1)]).await.unwrap();
    let mut backup = Vec::new();
    device.backup_to(&mut backup).unwrap();
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name != "store.backup"), "nothing is left behind");
    // What comes later is not in it.
    device.apply(vec![command(2)]).await.unwrap();
    let words = b"command 1";
    assert!(!backup.windows(words.len()).any(|window| window == words), "it is sealed");

    let into = |folder: &Path, bytes: &[u8]| restore(folder, &mut &bytes[..]);
    // Cut short, damaged, something else, a newer format: refused, and the folder stays free.
    let mut damaged = backup.clone();
    damaged[backup.len() / 2] ^= 1;
    let mut newer = backup.clone();
    newer[16] = 9;
    for bytes in [&backup[..backup.len() - 1], &backup[..400], &damaged[..]] {
        assert!(matches!(into(elsewhere.path(), bytes), Err(RestoreError::Damaged)));
    }
    assert!(matches!(into(elsewhere.path(), b"PK"), Err(RestoreError::NotABackup)));
    assert!(matches!(into(elsewhere.path(), &[b'x'; 9_000]), Err(RestoreError::NotABackup)));
    assert!(matches!(into(elsewhere.path(), &newer), Err(RestoreError::Newer(9))));
    assert!(matches!(into(folder.path(), &backup), Err(RestoreError::Open(OpenError::Busy { .. }))));
    assert!(Device::header(elsewhere.path()).unwrap().is_none());

    into(elsewhere.path(), &backup).unwrap();
    assert!(matches!(into(elsewhere.path(), &backup), Err(RestoreError::Open(OpenError::Exists))));
    let wrong = Device::open(elsewhere.path(), &StoreKey::new([2; 32]), fresh(9), Options::default());
    assert!(matches!(wrong, Err(OpenError::WrongKey)));
    let (restored, opened) = open(elsewhere.path(), 9);
    assert!(opened.fresh && opened.incarnation != fresh(1).incarnation && opened.instance != fresh(1).instance);
    assert_eq!(opened.previous, Some(fresh(1).incarnation));
    assert_eq!(restored.drafts().await.unwrap(), device.drafts().await.unwrap());
    assert_eq!(restored.commands(DRAFT).await.unwrap().len(), 1);
    let tails = vec![space(1)];
    assert_eq!(restored.replica().tails(tails.clone()).await, device.replica().tails(tails).await);
}
