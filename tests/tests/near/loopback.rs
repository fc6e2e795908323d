//! Several stores in this process, on the loopback interface alone.

use std::time::Duration;

use alliance_client::{NearReport, Nearby, SpaceId};
use alliance_model::DocumentKind;
use alliance_net::{Activity, DeviceIdentity, Dialer, Settings};
use alliance_tests::hostile::{admit, group};
use alliance_tests::people::{Person, hear};
use alliance_tests::relay::watched;
use tokio::sync::watch;

/// Nothing is announced on an interface of the machine.
fn nearby(wait: u64) -> Nearby {
    Nearby { interfaces: vec!["lo".into()], wait: Duration::from_secs(wait), ..Nearby::default() }
}

async fn near(person: &Person, near: Nearby) -> NearReport {
    let (_keep, stop) = watch::channel(false);
    person.client.sync_near(near, stop, hear).await.unwrap()
}

/// A group, with a note of each of its people.
async fn people(names: &[&str]) -> (Vec<Person>, SpaceId) {
    let mut people = Vec::new();
    for name in names {
        people.push(Person::new(name).await);
    }
    let space = group(&people[0].client).await;
    for person in &people[1..] {
        admit(&people[0].client, space, &person.client).await;
    }
    // Everybody has heard of everybody.
    for person in &people[1..] {
        alliance_tests::hostile::meet(&people[0].client, &person.client).await;
    }
    for person in &people {
        let note = person.client.create_document(space, DocumentKind::Note).await.unwrap();
        person.write(note, 0, "What I saw. ").await;
        // Whoever only listens seals nothing.
        person.client.seal_all().await.unwrap();
    }
    (people, space)
}

fn names(report: &NearReport) -> Vec<&str> {
    let mut names: Vec<&str> = report.people.iter().map(|person| person.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_near_is_found_and_everything_goes_round() {
    watched(async {
        let (people, space) = people(&["Amina", "Ben", "Chidi"]).await;
        let stranger = Person::new("Eve").await;
        let (amina, ben, chidi, eve) = tokio::join!(
            near(&people[0], nearby(6)),
            near(&people[1], nearby(6)),
            near(&people[2], nearby(6)),
            near(&stranger, nearby(6))
        );
        assert_eq!(names(&amina), ["Ben", "Chidi"]);
        assert_eq!(names(&ben), ["Amina", "Chidi"]);
        assert_eq!(names(&chidi), ["Amina", "Ben"]);
        // Whoever shares nothing learns how many there are, and so do they.
        assert_eq!((names(&eve), eve.strangers), (vec![], 3));
        for report in [&amina, &ben, &chidi] {
            assert_eq!(report.strangers, 1, "{report:?}");
        }
        for person in &people {
            let notes = person.client.documents(Some(space), None, None, 0, 100).await.unwrap();
            assert_eq!(notes.len(), 3, "everybody has everybody's");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_enough_where_nobody_can_be_found() {
    watched(async {
        let (people, space) = people(&["Amina", "Ben"]).await;
        let listener = people[0].client.listen("127.0.0.1:0").await.unwrap();
        let address = listener.local_address().to_string();
        let typed = Nearby { discover: false, addresses: vec![address.clone()], ..nearby(20) };
        let (served, met) = tokio::join!(listener.accept_once(hear), near(&people[1], typed.clone()));
        served.unwrap();
        assert_eq!((names(&met), met.strangers, met.reports.len()), (vec!["Amina"], 0, 1));
        assert!(met.reports[0].settled);
        for person in &people {
            assert_eq!(person.client.documents(Some(space), None, None, 0, 100).await.unwrap().len(), 2);
        }
        // The control: a stranger at the same address learns that somebody is there, and no name.
        let eve = Person::new("Eve").await;
        let (served, met) = tokio::join!(listener.accept_once(hear), near(&eve, typed));
        assert_eq!(served.unwrap_err().code(), "PEER_REFUSED");
        assert_eq!((names(&met), met.strangers), (vec![], 1));
    })
    .await;
}

/// Somebody who was put out dials with all that it knows: as long as somebody may not have heard of the new epoch it
/// hears that it is out, if it proves itself; afterwards it is a stranger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_put_out_becomes_a_stranger() {
    watched(async {
        let (people, space) = people(&["Amina", "Ben", "Chidi"]).await;
        let [amina, ben, chidi] = [&people[0], &people[1], &people[2]];
        for other in [ben, chidi] {
            alliance_tests::hostile::meet(&amina.client, &other.client).await;
        }
        amina.client.remove_member(space, "Chidi").await.unwrap();
        // Ben hears of it, and Amina by his receipt that he has: nobody needs the old epoch any more.
        alliance_tests::hostile::meet(&amina.client, &ben.client).await;
        alliance_tests::hostile::meet(&ben.client, &amina.client).await;
        let listener = amina.client.listen("127.0.0.1:0").await.unwrap();
        let typed = Nearby { discover: false, addresses: vec![listener.local_address().to_string()], ..nearby(20) };
        let (served, met) = tokio::join!(listener.accept_once(hear), near(chidi, typed.clone()));
        assert_eq!(served.unwrap_err().code(), "PEER_REFUSED");
        assert_eq!((names(&met), met.strangers), (vec![], 1));
        // The control: Ben is met in the same way.
        let (served, met) = tokio::join!(listener.accept_once(hear), near(ben, typed));
        served.unwrap();
        assert_eq!(names(&met), ["Amina"]);
    })
    .await;
}

/// A neighbour that dials with no space, hangs, and comes again stops nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_floods_stops_nobody() {
    watched(async {
        let (people, space) = people(&["Amina", "Ben"]).await;
        let (stop, stopped) = watch::channel(false);
        let listener = people[0].client.listen("127.0.0.1:0").await.unwrap();
        let address = listener.local_address();
        let serving = tokio::spawn(async move { listener.run(stopped, hear).await });
        // Connections that say nothing, and datagrams that are none.
        let bad = Dialer::bind(DeviceIdentity::from_seed(&[9; 32]), Settings::default()).unwrap();
        let noise = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut hanging = tokio::task::JoinSet::new();
        for number in 0..40_u8 {
            let bad = bad.clone();
            hanging.spawn(async move {
                let empty = alliance_crypto::Discovery::new();
                let _ = bad.seek(address, &empty, [number; 32], Activity::Background).await;
            });
            for length in [1, 40, 1_200] {
                noise.send_to(&vec![number; length], address).unwrap();
            }
        }
        let typed = Nearby { discover: false, addresses: vec![address.to_string()], ..nearby(20) };
        let met = near(&people[1], typed).await;
        assert_eq!(names(&met), ["Amina"]);
        assert_eq!(people[1].client.documents(Some(space), None, None, 0, 100).await.unwrap().len(), 2);
        hanging.shutdown().await;
        stop.send(true).unwrap();
        serving.await.unwrap().unwrap();
    })
    .await;
}
