//! Files that were cut, flipped and zeroed, at every record and at every offset.

use alliance_client::BundleFrom;
use alliance_model::DocumentKind;
use alliance_tests::people::Person;
use alliance_tests::random::Random;
use alliance_tests::relay;
use alliance_wire::bundle_file::{MARK, RECORD_HEAD_BYTES};

use super::support::{Two, entries, take, write};

/// Where each record of a file begins and ends.
fn records(bundle: &[u8]) -> Vec<(usize, usize)> {
    let mut at = 0;
    let mut found = Vec::new();
    while at < bundle.len() {
        assert!(bundle[at..].starts_with(&MARK));
        let length = u32::from_be_bytes(bundle[at + 9..at + 13].try_into().unwrap()) as usize;
        found.push((at, at + RECORD_HEAD_BYTES + length));
        at += RECORD_HEAD_BYTES + length;
    }
    found
}

/// Ben with a store of his own each time: copied while nothing has it open.
struct Copies {
    store: std::path::PathBuf,
    at: tempfile::TempDir,
    count: usize,
}

impl Copies {
    async fn of(ben: &Person) -> Self {
        ben.client.close().await.unwrap();
        Self { store: ben.store(), at: tempfile::tempdir().unwrap(), count: 0 }
    }

    /// The store as it was.
    async fn fresh(&mut self) -> Person {
        self.count += 1;
        let folder = tempfile::TempDir::new_in(self.at.path()).unwrap();
        let store = folder.path().join("store");
        copy(&self.store, &store);
        let options = alliance_tests::people::options();
        let client = alliance_client::Client::open(&store, alliance_tests::people::PASSPHRASE, options).await.unwrap();
        let person = Person::of(client);
        // The store lies in `at`, which outlives everybody.
        let _ = folder.keep();
        person
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Five notes of Amina's, an entry in each and two in the first.
async fn written() -> (Two, Vec<u8>, Vec<u8>) {
    let two = Two::apart().await;
    for n in 0..12 {
        let note = two.amina.client.create_document(two.space, DocumentKind::Note).await.unwrap();
        let mut random = Random::new(n);
        let text: String = (0..600).map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap())).collect();
        two.amina.write(note, 0, &text).await;
        two.amina.client.seal_all().await.unwrap();
    }
    let bundle = write(&two.amina, "Ben", BundleFrom::Receipts).await;
    let whole = write(&two.amina, "Ben", BundleFrom::Beginning).await;
    (two, bundle, whole)
}

/// One record after the other is flipped, zeroed, or cut out. Everything before it in its log arrives at once, everything
/// behind it waits, and a later bundle brings what is missing: then everything is there, whatever was damaged.
#[tokio::test]
async fn damage_in_each_record_costs_that_record() {
    relay::watched(async {
        let (two, bundle, whole) = written().await;
        let records = records(&bundle);
        assert!(records.len() > 5, "{records:?}");
        let everything = entries(&two.amina).await;
        let mut copies = Copies::of(&two.ben).await;
        let mut random = Random::new(7);
        for (n, (from, to)) in records.iter().copied().enumerate() {
            let mut damaged = bundle.clone();
            let at = from + random.below(to - from);
            match n % 3 {
                0 => damaged[at] ^= 1 << random.below(8),
                1 => {
                    let end = damaged.len().min(at + 512);
                    damaged[at..end].fill(0);
                }
                _ => drop(damaged.drain(from..to)),
            }
            let ben = copies.fresh().await;
            let before = entries(&ben).await;
            let first = take(&ben, &damaged).await;
            let after = entries(&ben).await;
            let whole_said = first.as_ref().is_ok_and(|report| report.whole);
            assert!(!whole_said || after == everything, "record {n} at {at} is missing and nobody says so: {first:?}");
            assert!(after.is_superset(&before) && after.is_subset(&everything), "record {n}");
            let healed = take(&ben, &whole).await.unwrap();
            assert_eq!(healed.waiting, 0, "record {n}: {healed:?}");
            assert_eq!(entries(&ben).await, everything, "record {n}");
            ben.client.close().await.unwrap();
        }
    })
    .await;
}

/// What is behind the damage is kept: the bundle that heals needs to hold only what was lost.
#[tokio::test]
async fn what_is_behind_damage_waits_and_is_not_asked_for_again() {
    relay::watched(async {
        let (two, bundle, _) = written().await;
        let records = records(&bundle);
        // The page before the last two: the end page, and the head behind it.
        let (from, to) = records[3];
        let mut damaged = bundle.clone();
        damaged[(from + to) / 2] ^= 4;
        let everything = entries(&two.amina).await;
        let first = take(&two.ben, &damaged).await.unwrap();
        assert!(first.damaged == 1 && first.lost > 0 && first.waiting > 0 && !first.whole, "{first:?}");
        assert!(entries(&two.ben).await.len() < everything.len());
        // Only the record that was lost, with what opens it.
        let only: Vec<u8> =
            [records[0], records[1], records[3]].iter().flat_map(|(a, b)| &bundle[*a..*b]).copied().collect();
        let second = take(&two.ben, &only).await.unwrap();
        assert!(second.waiting == 0 && second.new > first.lost, "{second:?}");
        assert_eq!(entries(&two.ben).await, everything);
    })
    .await;
}

/// A small bundle, cut at every offset, then whole: every entry arrives once, whatever came of the cut one.
#[tokio::test]
async fn cut_at_every_offset_and_then_whole() {
    relay::watched(async {
        let two = Two::apart().await;
        two.amina.write(two.note, 0, "Short. ").await;
        let bundle = write(&two.amina, "Ben", BundleFrom::Receipts).await;
        assert!(bundle.len() <= 4 * 1024, "{}", bundle.len());
        let everything = entries(&two.amina).await;
        let mut copies = Copies::of(&two.ben).await;
        // Stores cost more than cuts: one store takes a stretch of cuts, each twice as long as the one before it is not.
        let mut ben = copies.fresh().await;
        let start = entries(&ben).await;
        let mut brought = 0;
        for cut in 0..bundle.len() {
            match take(&ben, &bundle[..cut]).await {
                Ok(report) => brought += report.new,
                Err(error) => assert_eq!(error.code(), "BUNDLE_DAMAGED", "cut at {cut}: {error}"),
            }
            if cut % 256 == 255 {
                let report = take(&ben, &bundle).await.unwrap();
                assert!(report.whole, "{report:?}");
                assert_eq!(entries(&ben).await, everything, "cut at {cut}");
                let new = everything.difference(&start).count() as u64;
                assert_eq!(brought + report.new, new, "cut at {cut}: each entry is new once");
                assert_eq!(take(&ben, &bundle).await.unwrap().new, 0);
                ben.client.close().await.unwrap();
                (ben, brought) = (copies.fresh().await, 0);
            }
        }
    })
    .await;
}

/// What is no bundle, of a newer version, or empty is told apart, and takes nothing.
#[tokio::test]
async fn what_is_no_bundle() {
    use alliance_wire::bundle_file::{RecordKind, Start, record};
    let ben = Person::new("Ben").await;
    for bytes in [Vec::new(), b"no bundle".to_vec(), vec![0; 100_000], MARK.repeat(1_000)] {
        assert_eq!(take(&ben, &bytes).await.unwrap_err().code(), "BUNDLE_DAMAGED");
    }
    let mut start = Start { bundle: [1; 16], part: 1, parts: 1 }.encode();
    assert!(take(&ben, &record(RecordKind::Start, &start)).await.is_ok_and(|report| report.new == 0 && !report.whole));
    start[0] = 2;
    assert_eq!(take(&ben, &record(RecordKind::Start, &start)).await.unwrap_err().code(), "BUNDLE_NEWER");
}

/// A card that is pulled out: so many bytes come, then the disk fails.
struct Pulled(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Pulled {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(std::io::Error::other("the card is gone")),
            read => Ok(read),
        }
    }
}

/// What was stored before the card was pulled out, or the process died, is there and is shown; the next import goes on
/// and brings nothing twice.
#[tokio::test]
async fn a_card_that_is_pulled_out_and_a_process_that_dies() {
    relay::watched(async {
        let two = Two::apart().await;
        for n in 0..80 {
            let note = two.amina.client.create_document(two.space, DocumentKind::Note).await.unwrap();
            let mut random = Random::new(n);
            let letter = |_| char::from(b'a' + u8::try_from(random.below(26)).unwrap());
            let text: String = (0..7_000).map(letter).collect();
            two.amina.write(note, 0, &text).await;
        }
        let bundle = write(&two.amina, "Ben", BundleFrom::Receipts).await;
        let (start, everything) = (entries(&two.ben).await, entries(&two.amina).await);
        let cut = bundle.len() * 9 / 10;
        let pulled = Pulled(std::io::Cursor::new(bundle[..cut].to_vec()));
        let failed = two.ben.client.import_bundle(pulled, |_| {}).await.unwrap_err();
        assert_eq!(failed.code(), "BUNDLE_IO");
        let there = entries(&two.ben).await;
        assert!(there.len() > start.len() + 5 && there.len() < everything.len(), "{} entries", there.len());
        let shown = two.ben.client.documents(Some(two.space), None, None, 0, 100).await.unwrap().len();
        assert!(shown > 5, "{shown} notes are shown");

        // Nothing is closed in order: as if the process had been killed.
        let folder = two.ben.leave();
        let options = alliance_tests::people::options();
        let store = folder.path().join("store");
        let client = alliance_client::Client::open(&store, alliance_tests::people::PASSPHRASE, options).await.unwrap();
        let ben = Person::of(client);
        assert!(entries(&ben).await.is_superset(&there));
        let report = take(&ben, &bundle).await.unwrap();
        assert_eq!(report.new, (everything.len() - there.len()) as u64, "{report:?}");
        assert_eq!(entries(&ben).await, everything);
    })
    .await;
}
