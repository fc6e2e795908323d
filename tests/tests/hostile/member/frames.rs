//! Entries that are damaged, foreign, out of order or repeated, handed by a real member to a client and to a relay.

use alliance_crypto::{DeviceSecret, Place, Verified, sign_entry};
use alliance_tests::hostile::{Handed, Met, after};
use alliance_tests::relay::watched;
use alliance_wire::frame::{Run, RunPayload};
use alliance_wire::{Frame, HeaderHash, LogName, SpaceId, Stream, limits};

use super::scene::{Scene, state, write};

/// What is wrong, the change of an honest handing over, and the code with which it is refused; none where it is of no
/// consequence.
type Case = (&'static str, fn(&mut Handed, &Scene), Option<&'static str>);

const CASES: &[Case] = &[
    ("a byte of the payload", |h, _| flip(payload(h)), Some("BAD_SIGNATURE")),
    ("a payload that was cut", |h, _| payload(h).truncate(200), Some("BAD_SIGNATURE")),
    ("another payload", |h, _| *payload(h) = vec![1; 300], Some("BAD_SIGNATURE")),
    ("a payload over its limit", |h, _| *payload(h) = vec![1; limits::DATA_PAYLOAD_BYTES_MAX + 1], Some("MALFORMED")),
    ("a byte of the signature", |h, _| h.entry.signature[9] ^= 1, Some("BAD_SIGNATURE")),
    ("a byte of the epoch", |h, _| *h.entry.suffix.last_mut().unwrap() ^= 1, Some("BAD_SIGNATURE")),
    ("another kind", |h, _| h.entry.suffix[2] ^= 1, Some("MALFORMED")),
    ("no suffix", |h, _| h.entry.suffix = Vec::new().into(), Some("MALFORMED")),
    (
        "a suffix over its limit",
        |h, _| h.entry.suffix = vec![0xa0; limits::SUFFIX_BYTES_MAX + 1].into(),
        Some("MALFORMED"),
    ),
    ("another predecessor", |h, _| h.prev = HeaderHash([3; 32]), None),
    ("number 0", |h, _| h.seq = 0, Some("MALFORMED")),
    ("the first number again", |h, _| h.seq = 1, Some("BAD_SIGNATURE")),
    ("the last number", |h, _| h.seq = u64::MAX, Some("MALFORMED")),
    ("a gap", |h, _| h.seq += 1, None),
    ("another's log", |h, s| h.log.device = s.amina.whoami().device, None),
    ("another incarnation", |h, _| h.log.incarnation.0[0] ^= 1, None),
    ("the membership log", |h, _| h.log.stream = Stream::Membership, None),
];

fn payload(handed: &mut Handed) -> &mut Vec<u8> {
    if !matches!(handed.entry.payload, RunPayload::Here(_)) {
        handed.entry.payload = RunPayload::Here(Vec::new().into());
    }
    match &mut handed.entry.payload {
        RunPayload::Here(bytes) => bytes,
        RunPayload::Absent { .. } => unreachable!("set above"),
    }
}

fn flip(bytes: &mut [u8]) {
    bytes[60] ^= 1;
}

/// The hostile member's next entry, an honest one, which nobody has seen.
async fn next(scene: &mut Scene, text: &str) -> (Place, Verified) {
    let place = scene.mallory.place().await;
    let document = alliance_model::DocumentKind::Note.document_id(scene.random.bytes16());
    let change = scene.change(document, 0, text);
    let changes = scene.mallory.changes(document, 0, vec![change]);
    let entry = scene.mallory.entry(&place, changes);
    (place, entry)
}

/// What a client and the relay hold before and after must be the same.
async fn held(scene: &Scene) -> (String, Vec<HeaderHash>) {
    (state(&scene.amina).await.to_string(), scene.site.hashes(scene.space).await)
}

/// Hands frames to the client and to the relay.
async fn hand(scene: &Scene, what: &str, handed: &Handed, code: Option<&str>) {
    let before = held(scene).await;
    let met = scene.mallory.visit(&scene.amina, |names| handed.clone().frames(names)).await;
    assert!(met.settled, "{what}: {met:?}");
    let report = met.theirs.unwrap().unwrap_or_else(|error| panic!("{what}: {error}"));
    let expected: Vec<String> = code.iter().map(ToString::to_string).collect();
    assert_eq!((report.refused, report.received, report.forks), (expected, 0, 0), "{what}, the client");
    let refused = |met: &Met| code.is_none_or(|code| met.refused.contains(&code));
    let met = scene.mallory.visit_relay(&scene.site.address(), |names| handed.clone().frames(names), refused).await;
    assert!(met.settled, "{what}: {met:?}");
    assert_eq!(met.refused, code.into_iter().collect::<Vec<_>>(), "{what}, the relay");
    assert_eq!(held(scene).await, before, "{what}");
}

#[tokio::test]
async fn damaged_entries_are_refused_by_name() {
    watched(async {
        let mut scene = Scene::new(3).await;
        for (what, change, code) in CASES {
            let (_, entry) = next(&mut scene, "never shown").await;
            let mut handed = Handed::new(&entry);
            change(&mut handed, &scene);
            hand(&scene, what, &handed, *code).await;
        }
        // The control: the same way, unharmed, and it is shown. An entry stands where its predecessor stands, whatever
        // continuation is named: this one is none, and nothing forks.
        let (_, entry) = next(&mut scene, "shown at last").await;
        let mut handed = Handed::new(&entry);
        handed.log.path = vec![HeaderHash([4; 32])];
        let met = scene.mallory.visit(&scene.amina, |names| handed.frames(names)).await;
        assert!(met.settled && met.theirs.is_some_and(|report| report.is_ok()));
        assert!(state(&scene.amina).await.to_string().contains("shown at last"));
        write(&scene.amina, scene.note, "On. ").await;
        scene.honest_round().await;
        assert!(state(&scene.ben).await.to_string().contains("shown at last"));
        assert_eq!(scene.ben.status().await.unwrap().spaces[0].forks, 0);
        scene.site.stop().await;
    })
    .await;
}

#[tokio::test]
async fn foreign_repeated_and_forked_entries() {
    watched(async {
        let mut scene = Scene::new(4).await;
        // Repeated: nothing happens.
        let (_, entry) = next(&mut scene, "said once").await;
        scene.mallory.store(vec![entry.clone()]).await;
        scene.mallory.visit(&scene.amina, |_| Vec::new()).await;
        scene.mallory.visit_relay(&scene.site.address(), |_| Vec::new(), |_| true).await;
        hand(&scene, "a replay", &Handed::new(&entry), None).await;
        // A stranger's entry, signed well.
        let stranger = DeviceSecret::from_seed(scene.random.bytes32());
        let place = Place { seq: 1, prev: HeaderHash::NONE, ..scene.mallory.place().await };
        let foreign = sign_entry(&stranger, &place, entry.header().epoch(), vec![1; 300]).unwrap();
        hand(&scene, "a stranger's entry", &Handed::new(&foreign), Some("NOT_MEMBER")).await;
        // A space that the victim does not have.
        let mut elsewhere = Handed::new(&entry);
        elsewhere.space = SpaceId([9; 16]);
        let before = held(&scene).await;
        let met = scene.mallory.visit(&scene.amina, |names| elsewhere.clone().frames(names)).await;
        assert_eq!(met.theirs.unwrap().unwrap().refused, ["ABSENT"]);
        // What no session says ends the conversation.
        let unnamed = Frame::Run(Run { log: 1_000, first: 1, prev: None, entries: Vec::new() }).encode();
        for (what, bytes) in [("a log without a name", unnamed), ("noise", vec![0xff; 50]), ("a number", vec![7])] {
            let met = scene.mallory.visit(&scene.amina, |_| vec![bytes.clone()]).await;
            assert_eq!(met.theirs.unwrap().unwrap_err(), "PEER_MISBEHAVED", "{what}");
            let met = scene.mallory.visit_relay(&scene.site.address(), |_| vec![bytes], |_| true).await;
            assert!(met.settled, "{what}: the relay served until then");
            assert_eq!(held(&scene).await, before, "{what}");
        }
        fork(&mut scene).await;
        write(&scene.amina, scene.note, "On. ").await;
        scene.honest_round().await;
        scene.site.stop().await;
    })
    .await;
}

/// Two entries of one number. Neither says anything that is shown, so whichever branch is taken, the state is equal.
async fn fork(scene: &mut Scene) {
    let place = scene.mallory.place().await;
    let (one, other) = (scene.mallory.sealed(&place, &[1; 30]), scene.mallory.sealed(&place, &[2; 30]));
    assert_eq!(after(&place, &one).seq, after(&place, &other).seq);
    scene.mallory.store(vec![one]).await;
    scene.mallory.visit(&scene.amina, |_| Vec::new()).await;
    let before = state(&scene.amina).await;
    let met = scene.mallory.visit(&scene.amina, |names| Handed::new(&other).frames(names)).await;
    assert!(met.settled && met.theirs.as_ref().is_some_and(Result::is_ok), "{met:?}");
    assert_eq!(state(&scene.amina).await, before);
    assert_eq!(scene.amina.status().await.unwrap().spaces[0].forks, 1);
    // Everybody hears of it.
    scene.honest_round().await;
    assert_eq!(scene.ben.status().await.unwrap().spaces[0].forks, 1);
    let name = LogName::new(scene.mallory.key, scene.mallory.incarnation, Stream::Data);
    assert_eq!(name, *other.name());
}
