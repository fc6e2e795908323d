//! `history.json`: a space with everything that membership entries do.

use alliance_crypto::{
    DataAt, DeviceSecret, Keyring, Membership, MembershipError, MembershipRules, RecoverySecret, Verified, VerifyError,
};
use alliance_wire::entry::SignedHeader;
use alliance_wire::{
    DeviceKey, Entry, HashPrefix, Header, HeaderHash, Incarnation, Kind, LogName, SpaceId, Stream, Suffix,
};
use serde_json::{Value, json};

use super::generate::history::{state, verdict};
use super::{array, bytes, cases, file, text};

/// Reads an entry as another implementation would.
fn read(space: SpaceId, case: &Value) -> Result<Verified, VerifyError> {
    let (device, incarnation) = (DeviceKey(array(&case["device"])), Incarnation(array(&case["incarnation"])));
    let name = LogName::new(device, incarnation, Stream::Membership);
    let (payload, suffix) = (bytes(&case["payload"]), Suffix::new(Kind::Membership, None));
    let (seq, prev) = (case["seq"].as_u64().unwrap(), HeaderHash(array(&case["prev"])));
    let header = Header::new(space, name.signed_log(space), seq, prev, suffix, &payload).unwrap();
    let signed = SignedHeader { header, signature: array(&case["signature"]) };
    Verified::verify(space, &name, Entry::new(signed, payload).unwrap())
}

#[test]
fn a_history_of_every_operation() {
    let vectors = file("history.json");
    let space = SpaceId(array(&vectors["space"]));
    let entries: Vec<_> = cases(&vectors, "entries").iter().map(|case| read(space, case).unwrap()).collect();
    let mut all = Membership::new(space);
    for (entry, case) in entries.iter().zip(cases(&vectors, "entries")) {
        assert_eq!(entry.hash().0, array(&case["hash"]), "{}", case["what"]);
        all.insert(entry).unwrap();
        assert_eq!(state(&all), case["after"], "{}", case["what"]);
    }
    let (mut granted, mut counting) = (0, 0);
    for (entry, case) in entries.iter().zip(cases(&vectors, "entries")) {
        assert_eq!(json!(all.is_authorised(entry.hash())), case["granted"], "{}", case["what"]);
        assert_eq!(json!(all.state().counting.contains(&entry.hash())), case["counts"], "{}", case["what"]);
        granted += usize::from(case["granted"] == true);
        counting += usize::from(case["counts"] == true);
    }
    assert!(counting < granted && granted < entries.len(), "{counting} count of {granted} of {}", entries.len());

    every_order_and_every_secret(&vectors, &entries, &all);
    let mut verdicts = std::collections::BTreeSet::new();
    for case in cases(&vectors, "data") {
        let (device, incarnation) = (DeviceKey(array(&case["device"])), Incarnation(array(&case["incarnation"])));
        let name = LogName::new(device, incarnation, Stream::Data);
        let heads: Vec<_> = case["heads"].as_array().unwrap().iter().map(|head| HashPrefix(array(head))).collect();
        let (seq, hash) = (case["seq"].as_u64().unwrap(), HeaderHash(array(&case["hash"])));
        let at = DataAt { name: &name, seq, hash, heads: &heads };
        let judged = verdict(all.judge_data(&at, |_| panic!("no branch")));
        assert_eq!(judged, text(&case["verdict"]), "{}", case["what"]);
        verdicts.insert(judged);
    }
    assert_eq!(verdicts.len(), 3, "{verdicts:?}");
    for case in cases(&vectors, "must_fail") {
        let error = match read(space, case) {
            Err(error) => format!("{error:?}"),
            Ok(entry) => format!("{:?}", all.insert(&entry).unwrap_err()),
        };
        assert!(error.starts_with(text(&case["error"])), "{}: {error}", case["what"]);
    }
}

/// Somebody who leaves and came into an epoch by a link: without the rule the one before would be used.
#[test]
fn an_epoch_that_is_linked_from_one_of_who_left() {
    let vectors = file("links.json");
    let space = SpaceId(array(&vectors["space"]));
    let entries: Vec<_> = cases(&vectors, "entries").iter().map(|case| read(space, case).unwrap()).collect();
    let without = MembershipRules { links: false, ..MembershipRules::ALL };
    let (mut all, mut loose) = (Membership::new(space), Membership::under(without, space));
    for (entry, case) in entries.iter().zip(cases(&vectors, "entries")) {
        all.insert(entry).unwrap();
        loose.insert(entry).unwrap();
        assert_eq!(state(&all), case["after"], "{}", case["what"]);
    }
    every_order_and_every_secret(&vectors, &entries, &all);
    assert_eq!(all.best_epoch(), None);
    let opens = &cases(&vectors, "opens")[2]["epochs"];
    let best = loose.best_epoch().expect("the control").id;
    assert!(opens.as_array().unwrap().iter().any(|pair| array(&pair[0]) == best.0), "and who left opens it");
}

fn every_order_and_every_secret(vectors: &Value, entries: &[Verified], all: &Membership) {
    // The last first: each waits for its ancestors.
    let (mut waiting, mut other) = (entries.iter().rev().collect::<Vec<_>>(), Membership::new(all.space()));
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|entry| matches!(other.insert(entry), Err(MembershipError::Missing(_))));
        assert!(waiting.len() < before);
    }
    assert_eq!(state(&other), state(all));

    for case in cases(vectors, "opens") {
        let (mut ring, seed) = (Keyring::new(), array(&case["seed"]));
        let faults = if case["kind"] == "device" {
            ring.update(all, &DeviceSecret::from_seed(seed))
        } else {
            ring.update(all, &RecoverySecret::from_seed(seed))
        };
        assert_eq!(faults, Vec::new(), "{}", case["who"]);
        let expected = case["epochs"].as_array().unwrap();
        assert_eq!(ring.len(), expected.len(), "{}", case["who"]);
        for (epoch, key) in ring.iter() {
            let is_it = |pair: &Value| array(&pair[0]) == epoch.0 && array(&pair[1]) == *key.as_bytes();
            assert!(expected.iter().any(is_it), "{}", case["who"]);
        }
    }
}
