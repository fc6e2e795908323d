//! Coming back with nothing but the recovery words: from a relay, or from one colleague's phone.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{NewSpace, RecoveryWords, SpaceId};
use alliance_model::DocumentKind;
use alliance_store::{CACHED_ENTRIES_MAX, Replica as _, Spaces};
use alliance_sync::{Part, Since};
use alliance_tests::hostile::person_in_the_name_of;
use alliance_tests::people::{Met, Person, hear, let_in};
use alliance_tests::random::Random;
use alliance_tests::relay::{self, Site};
use tokio::sync::watch;

/// Everything that a history says, of people and texts.
async fn history(of: &Person, note: alliance_client::DocumentId) -> Vec<String> {
    let page = of.client.history(note, 0, 100).await.unwrap();
    page.versions.iter().map(|version| format!("{version:?}")).collect()
}

/// A new phone that knows the words and the relay.
async fn new_phone(words: &str, site: &Site) -> Person {
    let phone = Person::with_words("Amina", words).await;
    phone.client.add_relay(&site.address().to_string(), None).await.unwrap();
    phone
}

fn other_words() -> String {
    RecoveryWords::parse("legal winner thank year wave sausage worth useful legal winner thank yellow")
        .unwrap()
        .to_string()
}

async fn entries(of: &Person, space: SpaceId) -> usize {
    let since = Since { space, after: 0, part: Part::Membership, bytes: 10_000_000 };
    of.client.replica().since(since).await.unwrap().items.len()
}

/// All devices are gone; the words and the relay's address are there. Every space comes back with its title, its notes
/// and their history; the lost laptop is out of everything and hears of it; for Ben Amina is still Amina.
#[tokio::test]
async fn the_words_and_a_relay_bring_everything_back() {
    relay::watched(async {
        let (met, words) = Met::over_a_note_with_words("Before. ").await;
        met.amina.client.set_up_home().await.unwrap();
        met.amina.write(met.note, 0, "Twice. ").await;
        let group = met.amina.client.create_space("Mine alone", NewSpace::Group).await.unwrap().space;
        let own = met.amina.client.create_document(group, DocumentKind::Note).await.unwrap();
        met.amina.write(own, 0, "For myself. ").await;
        met.amina.sync().await;
        met.ben.sync().await;

        // Words that nobody lists lead to nothing, and say so.
        let stranger = new_phone(&other_words(), &met.site).await;
        let nothing = stranger.client.recover(&other_words(), &[], hear).await.unwrap_err();
        assert_eq!(nothing.code(), "NOTHING_TO_RECOVER");
        assert!(stranger.client.replica().spaces().await.unwrap().is_empty(), "it was told of no space");

        let phone = new_phone(&words, &met.site).await;
        let wrong = phone.client.recover(&other_words(), &[], hear).await.unwrap_err();
        assert_eq!(wrong.code(), "WORDS_OF_NOBODY");
        let unknown = phone.client.recover(&words, &["ffffffff".to_owned()], hear).await.unwrap_err();
        assert_eq!(unknown.code(), "UNKNOWN_DEVICE");
        let back = phone.client.recover(&words, &[], hear).await.unwrap();
        assert_eq!((back.spaces.len(), back.missing.len()), (2, 0), "{back:?}");
        assert_eq!(phone.text(met.note).await, "Twice. Before. ");
        assert_eq!(phone.text(own).await, "For myself. ");
        assert_eq!(history(&phone, met.note).await, history(&met.ben, met.note).await);
        assert_eq!(
            phone.client.find_space("Mine alone").await.unwrap().space,
            group,
            "under the title that she gave it"
        );
        let laptop = met.amina.client.whoami().device;
        let out = back.devices.iter().find(|device| device.device == laptop).unwrap();
        assert_eq!((out.active.len(), out.suspended.len()), (0, 3), "both spaces and the home: {out:?}");

        // She goes on, and Ben hears it from her; the laptop reads nothing of it any more.
        phone.write(met.note, 0, "Back. ").await;
        phone.sync().await;
        met.ben.sync().await;
        assert_eq!(met.ben.text(met.note).await, "Back. Twice. Before. ");
        met.ben.write(met.note, 0, "Welcome. ").await;
        met.ben.sync().await;
        phone.sync().await;
        assert_eq!(phone.text(met.note).await, "Welcome. Back. Twice. Before. ");
        met.amina.sync().await;
        let locked = met.amina.client.view(met.note).await.unwrap_err();
        assert_eq!(locked.code(), "DEVICE_SUSPENDED");

        // Once more: it is all there already, and nothing is signed again.
        let before = entries(&phone, met.space).await;
        let again = phone.client.recover(&words, &[], hear).await.unwrap();
        assert_eq!((again.spaces.len(), entries(&phone, met.space).await), (2, before));
        // A new space lists the words as the old ones do.
        let founded = phone.client.create_space("After", NewSpace::Pair).await.unwrap().space;
        let_in(&phone, &met.ben, &[founded]).await;
        let third = new_phone(&words, &met.site).await;
        let kept = phone.client.whoami().device.to_string();
        let back = third.client.recover(&words, &[kept[..8].to_owned()], hear).await.unwrap();
        assert_eq!(back.spaces.len(), 3, "{back:?}");
        let phone_now = back.devices.iter().find(|device| device.device == phone.client.whoami().device).unwrap();
        assert_eq!((phone_now.active.len(), phone_now.suspended.len()), (4, 0), "it is in her hands: {phone_now:?}");
    })
    .await;
}

/// No relay at all: what she shared with Ben comes from Ben's phone.
#[tokio::test]
async fn the_words_and_a_colleagues_phone_bring_back_what_both_have() {
    relay::watched(async {
        let (mut met, words) = Met::over_a_note_with_words("Before. ").await;
        met.site.stop().await;
        let phone = Person::with_words("Amina", &words).await;
        let nowhere = phone.client.recover(&words, &[], hear).await.unwrap_err();
        assert_eq!(nowhere.code(), "NO_RELAY");
        let listener = met.ben.client.listen("127.0.0.1:0").await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let address = listener.local_address().to_string();
        let key = met.ben.client.whoami().device;
        let recovering = async {
            let back = phone.client.recover_from(&words, key, &address, &[], hear).await.unwrap();
            stop.send_replace(true);
            back
        };
        let (listened, back) = tokio::join!(listener.run(stopped, hear), recovering);
        listened.unwrap();
        assert_eq!(back.spaces, [met.space]);
        assert_eq!(phone.text(met.note).await, "Before. ");
        assert_eq!(history(&phone, met.note).await, history(&met.ben, met.note).await);
        // Ben knows the phone by now, and not the laptop: what it seals is for the phone's eyes.
        phone.write(met.note, 0, "Back. ").await;
        alliance_tests::hostile::meet(&met.ben.client, &phone.client).await;
        assert_eq!(met.ben.text(met.note).await, "Back. Before. ");
        let members = met.ben.client.space(met.space).await.unwrap().members;
        let amina = members.iter().find(|member| member.name == "Amina").unwrap();
        assert_eq!(amina.devices, [phone.client.whoami().device]);
    })
    .await;
}

/// Who was removed stays removed, also as words: the relay gives them what they may read and nothing else.
#[tokio::test]
async fn the_words_of_somebody_who_was_removed_read_nothing_there() {
    relay::watched(async {
        let (met, words) = Met::over_a_note_with_words("In the pair. ").await;
        let group = met.ben.client.create_space("Group", NewSpace::Group).await.unwrap().space;
        let_in(&met.ben, &met.amina, &[group]).await;
        let note = met.ben.client.create_document(group, DocumentKind::Note).await.unwrap();
        met.ben.write(note, 0, "Among us. ").await;
        met.ben.sync().await;
        met.ben.client.remove_member(group, "Amina").await.unwrap();
        met.ben.sync().await;
        let phone = new_phone(&words, &met.site).await;
        let back = phone.client.recover(&words, &[], hear).await.unwrap();
        assert_eq!(back.spaces, [met.space], "the control: the other space comes");
        assert_eq!(phone.text(met.note).await, "In the pair. ");
        let here = phone.client.replica().spaces().await.unwrap();
        assert!(!here.contains(&group), "nothing of the group is on the phone");
    })
    .await;
}

/// A space at a relay that nobody wrote on paper: the home, on the first relay, says where it is.
#[tokio::test]
async fn the_home_tells_of_relays_that_have_more() {
    relay::watched(async {
        let (met, words) = Met::over_a_note_with_words("First. ").await;
        met.amina.client.set_up_home().await.unwrap();
        let second = Site::start(relay::open).await;
        let chandra = Person::new("Chandra").await;
        chandra.client.add_relay(&second.address().to_string(), None).await.unwrap();
        let space = chandra.client.create_space("Elsewhere", NewSpace::Pair).await.unwrap().space;
        let_in_by_two_relays(&chandra, &met.amina, space).await;
        let phone = new_phone(&words, &met.site).await;
        let back = phone.client.recover(&words, &[], hear).await.unwrap();
        assert_eq!((back.spaces.len(), back.missing.len()), (2, 0), "{back:?}");
        assert_eq!(phone.client.find_space("Elsewhere").await.unwrap().space, space);
    })
    .await;
}

/// As `let_in`, where the newcomer knows another relay as well.
async fn let_in_by_two_relays(founder: &Person, newcomer: &Person, space: SpaceId) {
    use alliance_client::{InviteOptions, InviteState, Role};
    let options = InviteOptions { role: Role::Writer, days: 7 };
    let invite = founder.client.invite(space, options).await.unwrap();
    founder.sync().await;
    newcomer.client.join(&invite.text, Some("Elsewhere")).await.unwrap();
    for _ in 0..2 {
        newcomer.client.sync_once(hear).await.unwrap();
        founder.sync().await;
    }
    let invite = founder.client.invites().await.unwrap().pop().unwrap();
    let InviteState::Answered { words, .. } = invite.state else { panic!("{invite:?}") };
    founder.client.confirm(&invite.id, &words.join(" ")).await.unwrap();
    for _ in 0..2 {
        founder.sync().await;
        newcomer.client.sync_once(hear).await.unwrap();
    }
}

/// Ben, who sees Amina's recovery key in the pair, founds a space of his own in its name. After coming back it stands
/// apart from hers, because none of her devices is in it; hers come back as ever.
#[tokio::test]
async fn a_space_that_somebody_founded_in_her_name_stands_apart() {
    relay::watched(async {
        let (met, words) = Met::over_a_note_with_words("Before. ").await;
        met.amina.client.set_up_home().await.unwrap();
        met.amina.sync().await;
        let spaces = Spaces::new(met.ben.client.replica().clone(), CACHED_ENTRIES_MAX);
        let membership = spaces.membership(met.space).await.unwrap().unwrap();
        let state = membership.state();
        let amina = state.person_of(met.amina.client.whoami().device).unwrap();
        let card = state.members[&amina].recovery[0];
        let folder = tempfile::tempdir().unwrap();
        let mut random = Random::new(1);
        let stranger = person_in_the_name_of(card, &folder.path().join("store"), "Amina", &mut random).await;
        stranger.add_relay(&met.site.address().to_string(), None).await.unwrap();
        let theirs = stranger.create_space("Not hers", NewSpace::Group).await.unwrap().space;
        stranger.sync_once(hear).await.unwrap();

        let phone = new_phone(&words, &met.site).await;
        let back = phone.client.recover(&words, &[], hear).await.unwrap();
        assert_eq!(back.groups.len(), 2, "{back:?}");
        assert!(back.groups[0].contains(&met.space) && back.groups[0].len() == 2, "hers and her home: {back:?}");
        assert_eq!(back.groups[1], [theirs]);
        assert_eq!(phone.text(met.note).await, "Before. ");
    })
    .await;
}
