//! Tags of spaces, and who shows itself first.

use std::collections::BTreeSet;

use alliance_crypto::{
    Age, DISCOVERY_TAGS_MAX, Discovery, DiscoverySecret, EpochKey, Match, PAGE_TAGS, Pages, PagesError, Side,
    first_to_prove,
};
use alliance_wire::{EpochId, SpaceId};

const EXPORTER: [u8; 32] = [0x71; 32];

fn space(number: usize) -> SpaceId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    SpaceId(id)
}

fn secret(number: usize, epoch: u8) -> DiscoverySecret {
    DiscoverySecret::of(&EpochKey::from_bytes([epoch; 32]), space(number), EpochId([epoch; 16]))
}

fn knows(epochs: &[(usize, u8, Age)]) -> Discovery {
    let mut discovery = Discovery::new();
    for (number, epoch, age) in epochs {
        discovery.add(space(*number), secret(*number, *epoch), *age);
    }
    discovery
}

fn said(discovery: &Discovery, side: Side) -> Pages {
    discovery.pages(side, &EXPORTER, [1; 32])
}

#[test]
fn pages_are_one_four_or_sixteen() {
    for (spaces, pages) in [(0, 1), (1, 1), (32, 1), (33, 4), (128, 4), (129, 16), (512, 16), (600, 16)] {
        let epochs: Vec<_> = (0..spaces).map(|number| (number, 1, Age::Newest)).collect();
        let discovery = knows(&epochs);
        assert_eq!(discovery.len(), spaces.min(DISCOVERY_TAGS_MAX));
        let bytes = said(&discovery, Side::Dialler).to_bytes();
        assert_eq!(bytes.len(), 2 + pages * PAGE_TAGS * 16, "{spaces} spaces");
        assert_eq!(Pages::parse(&bytes).unwrap().to_bytes(), bytes);
        // Whoever has the spaces finds all of them in it, whatever fills it up.
        assert_eq!(discovery.compare(Side::Dialler, &EXPORTER, &Pages::parse(&bytes).unwrap()).len(), spaces.min(512));
    }
}

#[test]
fn a_tag_stands_anywhere_in_its_page() {
    let discovery = knows(&[(1, 1, Age::Newest)]);
    let tag_at = |exporter: [u8; 32]| {
        let bytes = discovery.pages(Side::Dialler, &exporter, [1; 32]).to_bytes();
        let tag = secret(1, 1).tag(Side::Dialler, Age::Newest, &exporter);
        bytes[2..].chunks(16).position(|chunk| chunk == tag).unwrap()
    };
    let places: BTreeSet<usize> = (0..400_u16)
        .map(|number| {
            let mut exporter = [0; 32];
            exporter[..2].copy_from_slice(&number.to_be_bytes());
            tag_at(exporter)
        })
        .collect();
    assert_eq!(places.len(), PAGE_TAGS, "{places:?}");
}

#[test]
fn tags_are_of_one_connection_side_age_epoch_and_space() {
    let (one, two) = (knows(&[(1, 1, Age::Newest)]), knows(&[(1, 1, Age::Newest)]));
    let matches = |side: Side, exporter: [u8; 32], pages: &Pages| two.compare(side, &exporter, pages).len();
    let pages = said(&one, Side::Dialler);
    // The control: said by whom it says, where it was said.
    assert_eq!(matches(Side::Dialler, EXPORTER, &pages), 1);
    // Sent back to the dialler as if the listener had said it; brought to another connection.
    assert_eq!(matches(Side::Listener, EXPORTER, &pages), 0);
    assert_eq!(matches(Side::Dialler, [0x73; 32], &pages), 0);
    for other in [(1, 2, Age::Newest), (2, 1, Age::Newest)] {
        assert_eq!(knows(&[other]).compare(Side::Dialler, &EXPORTER, &pages), []);
    }
    let found = knows(&[(1, 1, Age::Older)]).compare(Side::Dialler, &EXPORTER, &pages);
    assert_eq!(found, [Match { space: space(1), own: Age::Older, theirs: Age::Newest }]);
}

#[test]
fn who_has_only_old_epochs_shows_itself_first() {
    use Age::{Newest, Older};
    // What the dialler's and the listener's common epoch is to each, and who proves first.
    let cases = [
        (Newest, Newest, Side::Dialler),
        (Newest, Older, Side::Dialler),
        (Older, Newest, Side::Listener),
        (Older, Older, Side::Dialler),
    ];
    for (dialler, listener, first) in cases {
        let one = knows(&[(1, 1, dialler)]);
        let two = knows(&[(1, 1, listener)]);
        let at_one = one.compare(Side::Listener, &EXPORTER, &said(&two, Side::Listener));
        let at_two = two.compare(Side::Dialler, &EXPORTER, &said(&one, Side::Dialler));
        assert_eq!(first_to_prove(Side::Dialler, &at_one), Some(first), "{dialler:?} {listener:?}");
        assert_eq!(first_to_prove(Side::Listener, &at_two), Some(first), "{dialler:?} {listener:?}");
    }
    // Somebody who was put out dials, and says what it likes of its epoch: it is first.
    for claimed in [Newest, Older] {
        let member = knows(&[(1, 2, Newest), (1, 1, Older)]);
        let put_out = knows(&[(1, 1, claimed)]);
        let seen = member.compare(Side::Dialler, &EXPORTER, &said(&put_out, Side::Dialler));
        assert_eq!(first_to_prove(Side::Listener, &seen), Some(Side::Dialler));
    }
    // And where everybody has passed the old epoch, there is no match at all.
    let member = knows(&[(1, 2, Newest)]);
    let seen = member.compare(Side::Dialler, &EXPORTER, &said(&knows(&[(1, 1, Newest)]), Side::Dialler));
    assert_eq!(first_to_prove(Side::Listener, &seen), None);
}

#[test]
fn other_bytes_are_refused() {
    let good = said(&knows(&[(1, 1, Age::Newest)]), Side::Dialler).to_bytes();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Pages::parse(&bytes)
    };
    assert!(changed(&|_| ()).is_ok());
    assert_eq!(changed(&|bytes| bytes[0] = 1), Err(PagesError::Kind));
    assert_eq!(changed(&|bytes| bytes[1] = 2), Err(PagesError::Size));
    assert_eq!(changed(&|bytes| bytes[1] = 255), Err(PagesError::Size));
    assert_eq!(changed(&|bytes| bytes.truncate(100)), Err(PagesError::Size));
    assert_eq!(changed(&|bytes| bytes.push(0)), Err(PagesError::Size));
    assert_eq!(changed(&|bytes| bytes[2..34].rotate_left(16)), Err(PagesError::Order));
    assert_eq!(Pages::parse(&[]), Err(PagesError::Size));
}
