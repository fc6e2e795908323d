//! Another relay takes the place of one: everybody learns of it by any path, and nothing is lost.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::NewSpace;
use alliance_crypto::DeviceSecret;
use alliance_net::RelayAddress;
use alliance_tests::hostile::{group, meet};
use alliance_tests::people::{Met, Person, hear, let_in};
use alliance_tests::relay::{self, Site};

/// The old relay lives: it tells of the new one.
#[tokio::test]
async fn the_old_relay_tells_of_the_new_one() {
    relay::watched(async {
        let met = Met::over_a_note("Before. ").await;
        let new = Site::start(relay::open).await;
        let old = met.site.address().address().to_owned();
        let replaced = met.ben.client.replace_relay(&old, &new.address().to_string(), None).await.unwrap();
        assert_eq!((replaced.spaces.as_slice(), replaced.waiting.len()), ([met.space].as_slice(), 0));
        assert!(!met.amina.client.relays().await.unwrap().iter().any(|relay| relay.key == new.address().key()));
        met.ben.client.sync_once(hear).await.unwrap();
        met.amina.client.sync_once(hear).await.unwrap();
        let known = met.amina.client.relays().await.unwrap();
        assert!(known.iter().any(|relay| relay.key == new.address().key()), "Amina has heard of it: {known:?}");
        assert_eq!(met.amina.client.space(met.space).await.unwrap().relay.as_deref(), Some(new.address().address()));
        // A space that is founded now names the new one.
        let space = met.ben.client.create_space("Another", NewSpace::Pair).await.unwrap();
        assert_eq!(space.relay.as_deref(), Some(new.address().address()));
    })
    .await;
}

/// The old relay is gone with all that it had: two people meet, and the new one is filled.
#[tokio::test]
async fn a_relay_that_is_gone_is_replaced_and_nothing_is_lost() {
    relay::watched(async {
        let mut met = Met::over_a_note("Before. ").await;
        let old = met.site.address().address().to_owned();
        let had = met.site.hashes(met.space).await.len();
        met.site.stop().await;
        met.amina.write(met.note, 0, "Nobody heard this. ").await;
        let new = Site::start(relay::open).await;
        met.ben.client.replace_relay(&old, &new.address().to_string(), None).await.unwrap();
        let refused = met.amina.client.forget_relay(&old).await.unwrap_err();
        assert_eq!(refused.code(), "RELAY_IN_USE", "Amina has not heard of another");
        meet(&met.ben.client, &met.amina.client).await;
        for person in [&met.ben, &met.amina] {
            person.client.forget_relay(&old).await.unwrap();
            assert_eq!(person.client.forget_relay(&old).await.unwrap_err().code(), "UNKNOWN_RELAY");
        }
        met.amina.write(met.note, 0, "Through the new one. ").await;
        met.amina.sync().await;
        met.ben.sync().await;
        assert_eq!(met.ben.text(met.note).await, "Through the new one. Nobody heard this. Before. ");
        let has = new.hashes(met.space).await.len();
        assert!(has > had, "the new relay has everything that the old one had, and more: {has}, {had}");
    })
    .await;
}

/// In a group the relay is the steward's to name; another member's own store only knows one more.
#[tokio::test]
async fn in_a_group_the_steward_names_the_relay() {
    relay::watched(async {
        let (site, new) = (Site::start(relay::open).await, Site::start(relay::open).await);
        let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
        ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = group(&ben.client).await;
        let_in(&ben, &amina, &[space]).await;
        let old = site.address().address().to_owned();
        let replaced = amina.client.replace_relay(&old, &new.address().to_string(), None).await.unwrap();
        assert_eq!((replaced.spaces.len(), replaced.waiting.as_slice()), (0, [space].as_slice()));
        // The control: the steward may.
        let replaced = ben.client.replace_relay(&old, &new.address().to_string(), None).await.unwrap();
        assert_eq!((replaced.spaces.as_slice(), replaced.waiting.len()), ([space].as_slice(), 0));
    })
    .await;
}

/// Who names relays has others dial them: not without end, and not away from where another space names the same.
#[tokio::test]
async fn nobody_has_others_dial_without_end_or_turns_them_away() {
    relay::watched(async {
        let met = Met::over_a_note("Before. ").await;
        let key = met.site.address().key();
        let (here, elsewhere) = (met.site.address().address().to_owned(), "127.0.0.1:9");
        // Ben says that the relay moved; Amina hears of it from him.
        let moves = async |from: &str, to: &str| {
            let to = RelayAddress::new(key, to).unwrap().to_string();
            met.ben.client.replace_relay(from, &to, None).await.unwrap();
            meet(&met.ben.client, &met.amina.client).await;
            let known = met.amina.client.relays().await.unwrap();
            known.into_iter().find(|relay| relay.key == key).unwrap().address
        };
        assert_eq!(moves(&here, elsewhere).await, elsewhere, "the control: one that moved is followed");
        assert_eq!(moves(elsewhere, &here).await, here);
        met.amina.client.create_space("Her own", NewSpace::Personal).await.unwrap();
        assert_eq!(moves(&here, elsewhere).await, here, "another space names it there");

        // Amina knows fourteen of her own, and learns of so many more that there are sixteen.
        let another = |n: u8| RelayAddress::new(DeviceSecret::from_seed([n; 32]).key(), format!("127.0.0.1:10{n:02}"));
        for n in met.amina.client.relays().await.unwrap().len()..14 {
            let address = another(u8::try_from(n).unwrap() + 50).unwrap();
            met.amina.client.add_relay(&address.to_string(), None).await.unwrap();
        }
        let mut last = elsewhere.to_owned();
        let mut known = Vec::new();
        for n in 1..=4 {
            let next = another(n).unwrap();
            met.ben.client.replace_relay(&last, &next.to_string(), None).await.unwrap();
            last = next.address().to_owned();
            meet(&met.ben.client, &met.amina.client).await;
            known.push(met.amina.client.relays().await.unwrap().len());
        }
        assert_eq!(known, [15, 16, 16, 16]);
    })
    .await;
}
