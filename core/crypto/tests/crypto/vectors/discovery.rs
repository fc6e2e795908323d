//! `discovery.json`.

use alliance_crypto::{Age, Discovery, DiscoverySecret, EpochKey, Pages, Side};
use alliance_wire::{EpochId, SpaceId};

use super::{array, bytes, cases, file};

#[test]
fn secrets_tags_and_pages() {
    let vectors = file("discovery.json");
    let (space, epoch) = (SpaceId(array(&vectors["space"])), EpochId(array(&vectors["epoch"])));
    let secret = DiscoverySecret::of(&EpochKey::from_bytes(array(&vectors["key"])), space, epoch);
    assert_eq!(secret.as_bytes(), &array(&vectors["secret"]));
    let exporter = array(&vectors["exporter"]);
    for case in cases(&vectors, "tags") {
        let side = if case["side"] == 1 { Side::Dialler } else { Side::Listener };
        let age = if case["age"] == 1 { Age::Newest } else { Age::Older };
        assert_eq!(secret.tag(side, age, &exporter), array(&case["tag"]), "{case}");
    }
    // Who reads the pages finds the space in them, and knows what the epoch is to their sender.
    let said = Pages::parse(&bytes(&vectors["pages"]["said"])).unwrap();
    let mut known = Discovery::new();
    known.add(space, secret, Age::Older);
    let matches = known.compare(Side::Dialler, &exporter, &said);
    assert_eq!(matches.len(), 1);
    assert_eq!((matches[0].space, matches[0].own, matches[0].theirs), (space, Age::Older, Age::Newest));
}
