//! Several devices of one person: everything follows, a person is one member, and a device that is not in one's hands
//! any more is put out of everything at once.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{NewSpace, OwnDevice, SpaceId};
use alliance_model::DocumentKind;
use alliance_tests::hostile::meet;
use alliance_tests::people::{Met, Person, add_device, insert, let_in};
use alliance_tests::relay;

/// Meets the relay as often as it takes for what one device asks and another answers.
async fn settle(people: &[&Person]) {
    for _ in 0..3 {
        for person in people {
            person.sync().await;
        }
    }
}

async fn phone_of(met: &Met) -> Person {
    let phone = Person::new("Amina").await;
    add_device(&met.amina, &phone).await;
    settle(&[&met.amina, &phone, &met.ben]).await;
    phone
}

async fn device(of: &Person, which: &Person) -> OwnDevice {
    let key = which.client.whoami().device;
    of.client.devices().await.unwrap().into_iter().find(|device| device.device == key).unwrap()
}

async fn members(of: &Person, space: SpaceId) -> Vec<(String, usize)> {
    let view = of.client.space(space).await.unwrap();
    let mut members: Vec<_> = view.members.iter().map(|member| (member.name.clone(), member.devices.len())).collect();
    members.sort();
    members
}

/// The phone gets every space with its notes; what it founds and joins comes to the laptop; for Ben Amina is one.
#[tokio::test]
async fn everything_follows_onto_a_second_device() {
    relay::watched(async {
        let met = Met::over_a_note("From the laptop. ").await;
        let phone = phone_of(&met).await;
        assert_eq!(phone.text(met.note).await, "From the laptop. ");
        let title = met.amina.client.space(met.space).await.unwrap().title;
        assert_eq!(phone.client.find_space(&title).await.unwrap().space, met.space, "under the title that she gave it");
        phone.write(met.note, 0, "From the phone. ").await;
        settle(&[&phone, &met.amina, &met.ben]).await;
        assert_eq!(met.ben.text(met.note).await, "From the phone. From the laptop. ");
        assert_eq!(members(&met.ben, met.space).await, [("Amina".to_owned(), 2), ("Ben".to_owned(), 1)]);
        // What either founds later comes to the other, without another word.
        let founded = phone.client.create_space("Founded on the phone", NewSpace::Pair).await.unwrap().space;
        let_in(&phone, &met.ben, &[founded]).await;
        let note = phone.client.create_document(founded, DocumentKind::Note).await.unwrap();
        phone.write(note, 0, "Everywhere. ").await;
        settle(&[&phone, &met.amina]).await;
        assert_eq!(met.amina.text(note).await, "Everywhere. ");
        assert_eq!(device(&met.amina, &phone).await.active.len(), 3, "both spaces and the home");
        // The home is nobody's space but the devices'.
        assert_eq!(phone.client.spaces().await.unwrap().len(), 2);
        assert_eq!(met.ben.client.devices().await.unwrap().len(), 1);
    })
    .await;
}

/// The same without any relay: the two devices meet, and again for what was asked.
#[tokio::test]
async fn everything_follows_phone_to_phone() {
    relay::watched(async {
        let (laptop, phone) = (Person::new("Amina").await, Person::new("Amina").await);
        let space = laptop.client.create_space("Mine", NewSpace::Group).await.unwrap().space;
        let note = laptop.client.create_document(space, DocumentKind::Note).await.unwrap();
        laptop.write(note, 0, "By hand. ").await;
        laptop.client.seal_all().await.unwrap();
        add_device(&laptop, &phone).await;
        for _ in 0..3 {
            meet(&laptop.client, &phone.client).await;
        }
        assert_eq!(phone.text(note).await, "By hand. ");
    })
    .await;
}

/// Only a store that is nowhere yet becomes a further device, and only where the words agree.
#[tokio::test]
async fn a_device_is_not_let_in_by_mistake() {
    relay::watched(async {
        let (laptop, phone, other) =
            (Person::new("Amina").await, Person::new("Amina").await, Person::new("Somebody").await);
        laptop.client.set_up_home().await.unwrap();
        other.client.create_space("Mine", NewSpace::Group).await.unwrap();
        let invite = laptop.client.invite_device().await.unwrap();
        let refused = other.client.join(&invite.text, None).await.unwrap_err();
        assert_eq!(refused.code(), "STORE_IN_USE");
        // A home with nobody else in it is given up for that of the person.
        phone.client.set_up_home().await.unwrap();
        let join = phone.client.join(&invite.text, None).await.unwrap();
        let invite = laptop.client.answer_accept(&join.accept).await.unwrap();
        let wrong = laptop.client.confirm(&invite.id, "these are other words").await.unwrap_err();
        assert_eq!(wrong.code(), "CODE_MISMATCH");
        assert_eq!(laptop.client.devices().await.unwrap().len(), 1, "nobody was let in");
        // The control: a fresh invitation lets it in.
        add_device(&laptop, &phone).await;
        assert_eq!(laptop.client.devices().await.unwrap().len(), 2);
    })
    .await;
}

/// A stolen phone is put out of everything by one word on the laptop: what it writes afterwards is shown nowhere, and
/// what the others write it cannot read. The recovery words take that back, or make it final.
#[tokio::test]
async fn a_stolen_phone_is_put_out_of_everything() {
    relay::watched(async {
        let (met, words) = Met::over_a_note_with_words("Before. ").await;
        let phone = phone_of(&met).await;
        phone.write(met.note, 0, "Seen. ").await;
        settle(&[&phone, &met.amina, &met.ben]).await;
        let key = phone.client.whoami().device.to_string();
        let own = met.amina.client.suspend_device(&met.amina.client.whoami().device.to_string()).await.unwrap_err();
        assert_eq!(own.code(), "ROLE_FORBIDS", "not by itself");
        let view = met.amina.client.suspend_device(&key[..8]).await.unwrap();
        assert_eq!((view.active.len(), view.suspended.len()), (0, 2), "the pair and the home: {view:?}");
        phone.write(met.note, 0, "A thief's. ").await;
        met.amina.sync().await;
        met.ben.sync().await;
        let _ = phone.client.sync_once(alliance_tests::people::hear).await;
        assert_eq!(met.amina.text(met.note).await, "Seen. Before. ");
        met.amina.write(met.note, 0, "Without it. ").await;
        met.amina.sync().await;
        met.ben.sync().await;
        assert_eq!(met.ben.text(met.note).await, "Without it. Seen. Before. ");
        assert_eq!(met.amina.text(met.note).await, "Without it. Seen. Before. ");
        phone.sync().await;
        let locked = phone.client.view(met.note).await.unwrap_err();
        assert_eq!(locked.code(), "DEVICE_SUSPENDED", "an honest program locks what it has");
        assert_eq!(met.ben.client.offered(met.space).await.unwrap().len(), 1, "and the thief's word is offered");
        let nobody = met.amina.client.restore_device(&key, &other_words()).await.unwrap_err();
        assert_eq!(nobody.code(), "WORDS_OF_NOBODY");
        let view = met.amina.client.report_lost(&key, &words).await.unwrap();
        assert_eq!((view.lost.len(), view.suspended.len()), (2, 0), "{view:?}");
        let view = met.amina.client.restore_device(&key, &words).await.unwrap();
        assert_eq!(view.lost.len(), 2, "what is lost is lost");
    })
    .await;
}

/// What a suspension took is given back by the words: the device goes on under a new incarnation.
#[tokio::test]
async fn the_words_take_a_suspension_back() {
    relay::watched(async {
        let (met, words) = Met::over_a_note_with_words("Before. ").await;
        let phone = phone_of(&met).await;
        phone.write(met.note, 0, "Seen. ").await;
        settle(&[&phone, &met.amina, &met.ben]).await;
        let (key, incarnation) = (phone.client.whoami().device.to_string(), phone.client.whoami().incarnation);
        met.amina.client.suspend_device(&key).await.unwrap();
        met.amina.client.restore_device(&key, &words).await.unwrap();
        settle(&[&met.amina, &phone]).await;
        phone.client.command(met.note, None, insert(0, "Back. ")).await.unwrap();
        settle(&[&phone, &met.amina, &met.ben]).await;
        assert_ne!(phone.client.whoami().incarnation, incarnation);
        for person in [&phone, &met.amina, &met.ben] {
            assert_eq!(person.text(met.note).await, "Back. Seen. Before. ", "{}", person.client.whoami().name);
        }
        assert_eq!(device(&met.amina, &phone).await.active.len(), 2, "and it is not suspended a second time");
    })
    .await;
}

/// The thief leaves the pair in Amina's name. On the laptop the words take it back: for Ben she is there again, the phone
/// is not, and both write on.
#[tokio::test]
async fn the_words_take_back_that_a_stolen_phone_left() {
    relay::watched(async {
        let (met, words) = Met::over_a_note_with_words("Before. ").await;
        let phone = phone_of(&met).await;
        settle(&[&phone, &met.amina, &met.ben]).await;
        let laptop = &met.amina.client;
        assert_eq!(laptop.take_back_leave(met.space, &words).await.unwrap_err().code(), "NOT_LEFT");
        phone.client.leave(met.space).await.unwrap();
        settle(&[&phone, &met.ben, &met.amina]).await;
        assert_eq!(members(&met.ben, met.space).await, [("Ben".to_owned(), 1)]);
        assert_eq!(laptop.space(met.space).await.unwrap().standing, alliance_client::Standing::Closed);
        let own = phone.client.take_back_leave(met.space, &words).await.unwrap_err();
        assert_eq!(own.code(), "ROLE_FORBIDS", "who left takes nothing back");
        assert_eq!(laptop.take_back_leave(met.space, &other_words()).await.unwrap_err().code(), "WORDS_OF_NOBODY");

        let space = laptop.take_back_leave(met.space, &words).await.unwrap();
        assert_eq!(space.standing, alliance_client::Standing::Member);
        settle(&[&met.amina, &met.ben]).await;
        settle(&[&met.amina, &met.ben]).await;
        let now = members(&met.ben, met.space).await;
        assert!(now.contains(&("Amina".to_owned(), 1)) && now.len() == 2, "without the phone: {now:?}");
        met.amina.write(met.note, 0, "Back. ").await;
        settle(&[&met.amina, &met.ben]).await;
        assert_eq!(met.ben.text(met.note).await, "Back. Before. ");
        met.ben.write(met.note, 0, "Good. ").await;
        settle(&[&met.ben, &met.amina, &phone]).await;
        assert_eq!(met.amina.text(met.note).await, "Good. Back. Before. ");
        // The phone left by itself and asks nobody about the space: it keeps what it had, until it is lost everywhere.
        assert_eq!(phone.text(met.note).await, "Before. ");
        laptop.report_lost(&phone.client.whoami().device.to_string(), &words).await.unwrap();
        settle(&[&met.amina, &phone]).await;
        assert_eq!(phone.client.view(met.note).await.unwrap_err().code(), "UNKNOWN_DOCUMENT");
        assert_eq!(laptop.take_back_leave(met.space, &words).await.unwrap_err().code(), "NOT_LEFT", "it is taken back");
    })
    .await;
}

fn other_words() -> String {
    alliance_client::RecoveryWords::parse("legal winner thank year wave sausage worth useful legal winner thank yellow")
        .unwrap()
        .to_string()
}
