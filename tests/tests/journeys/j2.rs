//! DOMAIN 2.16, J2: two phones meet, without a network but their own, and form an alliance.
//!
//! Checks of this journey that belong to the documents of the domain (an overall contract, CONTRACT_REQUIRED, the
//! organisation's projection) are marked *later* in docs/DOMAIN.md, 2.16.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{
    Client, InviteOptions, InviteState, InviteView, JoinState, JoinView, Listener, NewSpace, Progress, Role,
};
use alliance_model::DocumentKind;
use alliance_store::Replica as _;
use alliance_tests::people::{Person, hear};
use alliance_tests::relay::{self, Site, open};

const OPTIONS: InviteOptions = InviteOptions { role: Role::Signer, days: 7 };

/// The newcomer dials the inviter, who listens, and gets as far as it can.
async fn meets(inviter: &Client, newcomer: &Client, join: &JoinView) -> Result<JoinView, alliance_client::Error> {
    let listener = inviter.listen("127.0.0.1:0").await.unwrap();
    let address = listener.local_address().to_string();
    let (served, met) = tokio::join!(listener.accept_once(hear), newcomer.meet_inviter(&join.id, &address, hear));
    let (join, _) = (met?, served);
    Ok(join)
}

/// Whether a store holds no space of anybody's.
async fn is_empty(client: &Client) -> bool {
    client.replica().spaces().await.unwrap().is_empty()
}

async fn invited(inviter: &Client, id: &str) -> InviteView {
    inviter.invitation(id).await.unwrap()
}

fn words_of(invite: &InviteView) -> Vec<String> {
    let InviteState::Answered { words, .. } = &invite.state else { panic!("nobody has answered: {invite:?}") };
    words.clone()
}

async fn refuses(listener: &Listener, dials: &Client, device: alliance_client::DeviceKey) -> (String, String) {
    let address = listener.local_address().to_string();
    let (served, met) = tokio::join!(listener.accept_once(hear), dials.sync_with(device, &address, |_: Progress| {}));
    (served.unwrap_err().code().to_owned(), met.unwrap_err().code().to_owned())
}

/// Amina is supervised by Ben. No relay, no internet: his phone listens on a hotspot, hers reads the code on his screen.
#[tokio::test]
async fn two_phones_meet_and_form_an_alliance() {
    relay::watched(async {
        let (ben, amina, third) = (Person::new("Ben").await, Person::new("Amina").await, Person::new("Eve").await);
        let space = ben.client.create_space("Amina and Ben", NewSpace::Pair).await.unwrap().space;

        // Without an invitation a stranger learns not even the listener's key.
        let listener = ben.client.listen("127.0.0.1:0").await.unwrap();
        let (here, there) = refuses(&listener, &amina.client, ben.client.whoami().device).await;
        assert_eq!((here.as_str(), there.as_str()), ("PEER_REFUSED", "PEER_REFUSED"));

        let invite = ben.client.invite(space, OPTIONS).await.unwrap();
        let join = amina.client.join(&invite.text, Some("With Ben")).await.unwrap();
        let join = meets(&ben.client, &amina.client, &join).await.unwrap();
        let JoinState::Words { words } = join.state.clone() else { panic!("{join:?}") };
        let invite = invited(&ben.client, &invite.id).await;
        assert_eq!(words_of(&invite), words, "both read the same four words");
        assert!(matches!(&invite.state, InviteState::Answered { name, .. } if name == "Amina"));
        // Nothing is shared yet.
        assert!(is_empty(&amina.client).await);
        let early = meets(&ben.client, &amina.client, &join).await.unwrap();
        assert!(matches!(early.state, JoinState::Words { .. }) && is_empty(&amina.client).await);

        let member = ben.client.confirm(&invite.id, &words.join(" ")).await.unwrap();
        assert_eq!((member.name.as_str(), member.role), ("Amina", "signer"));
        let joined = meets(&ben.client, &amina.client, &join).await.unwrap();
        assert_eq!(joined.state, JoinState::Joined);
        let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        amina.write(note, 0, "Our first session. ").await;
        alliance_tests::hostile::meet(&ben.client, &amina.client).await;
        assert_eq!(ben.text(note).await, "Our first session. ");
        let view = amina.client.space(space).await.unwrap();
        assert_eq!((view.title.as_str(), view.kind), ("With Ben", "pair"));
        let names: Vec<&str> = view.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!((names.len(), names.contains(&"Ben")), (2, true), "nobody else is in it: no organisation either");

        // Supervised here, she supervises there, with the same store.
        let other = amina.client.create_space("Chidi and Amina", NewSpace::Pair).await.unwrap().space;
        assert!(amina.client.space(other).await.unwrap().members[0].me);

        // A third person with nothing in her hands is a stranger again: no invitation is open.
        let (here, _) = refuses(&listener, &third.client, ben.client.whoami().device).await;
        assert_eq!(here, "PEER_REFUSED");
    })
    .await;
}

/// An invitation of Ben's, taken up by somebody through the relay, as far as the words.
async fn asked_by_relay(ben: &Person, newcomer: &Person, space: alliance_client::SpaceId) -> InviteView {
    let invite = ben.client.invite(space, OPTIONS).await.unwrap();
    ben.sync().await;
    // The invitation names the relay: a newcomer needs to know nothing else.
    newcomer.client.join(&invite.text, None).await.unwrap();
    for person in [newcomer, ben, newcomer] {
        person.sync().await;
    }
    invited(&ben.client, &invite.id).await
}

/// The same through a relay, for two who do not meet: the words are compared by telephone. Words that differ share
/// nothing here either.
#[tokio::test]
async fn two_people_form_an_alliance_through_a_relay() {
    relay::watched(async {
        let site = Site::start(open).await;
        let (ben, amina, eve) = (Person::new("Ben").await, Person::new("Amina").await, Person::new("Eve").await);
        ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = ben.client.create_space("Amina and Ben", NewSpace::Pair).await.unwrap().space;
        let note = ben.client.create_document(space, DocumentKind::Note).await.unwrap();
        ben.write(note, 0, "For Amina. ").await;

        let invite = asked_by_relay(&ben, &eve, space).await;
        let error = ben.client.confirm(&invite.id, "abandon ability able about").await.unwrap_err();
        assert_eq!(error.code(), "CODE_MISMATCH");
        ben.sync().await;
        eve.sync().await;
        assert!(is_empty(&eve.client).await);

        let invite = asked_by_relay(&ben, &amina, space).await;
        let words = words_of(&invite);
        assert_eq!(amina.client.joins().await.unwrap()[0].state, JoinState::Words { words: words.clone() });
        assert!(is_empty(&amina.client).await, "nothing is shared before Ben confirms");
        ben.client.confirm(&invite.id, &words.join(" ")).await.unwrap();
        ben.sync().await;
        amina.sync().await;
        assert_eq!(amina.text(note).await, "For Amina. ");
    })
    .await;
}

/// Eve photographed the code and was faster. Ben sees her words, Amina sees that somebody else was; nothing is shared,
/// and the invitation is spent.
#[tokio::test]
async fn words_that_differ_share_nothing() {
    relay::watched(async {
        let (ben, amina, eve) = (Person::new("Ben").await, Person::new("Amina").await, Person::new("Eve").await);
        let space = ben.client.create_space("Amina and Ben", NewSpace::Pair).await.unwrap().space;
        let note = ben.client.create_document(space, DocumentKind::Note).await.unwrap();
        ben.write(note, 0, "For Amina. ").await;
        let invite = ben.client.invite(space, OPTIONS).await.unwrap();
        let hers = eve.client.join(&invite.text, None).await.unwrap();
        let hers = meets(&ben.client, &eve.client, &hers).await.unwrap();
        assert!(matches!(hers.state, JoinState::Words { .. }), "she has the text, so she may ask");
        let join = amina.client.join(&invite.text, None).await.unwrap();
        let join = meets(&ben.client, &amina.client, &join).await.unwrap();
        assert_eq!(join.state, JoinState::Mismatch, "somebody else's request was answered");

        let spoken = "abandon ability able about";
        assert_ne!(words_of(&invited(&ben.client, &invite.id).await).join(" "), spoken);
        let error = ben.client.confirm(&invite.id, spoken).await.unwrap_err();
        assert_eq!(error.code(), "CODE_MISMATCH");
        let again = meets(&ben.client, &eve.client, &hers).await.unwrap_err();
        assert_eq!(again.code(), "PEER_REFUSED", "the invitation is spent: she is a stranger");
        for person in [&eve, &amina] {
            assert!(is_empty(&person.client).await);
        }
        assert_eq!(ben.client.space(space).await.unwrap().members.len(), 1);
    })
    .await;
}

/// Another phone answers at the address: it is not the one that invited, and hears nothing of the request.
#[tokio::test]
async fn another_phone_at_the_inviters_address_is_noticed() {
    relay::watched(async {
        let (ben, amina, eve) = (Person::new("Ben").await, Person::new("Amina").await, Person::new("Eve").await);
        let space = ben.client.create_space("Amina and Ben", NewSpace::Pair).await.unwrap().space;
        let invite = ben.client.invite(space, OPTIONS).await.unwrap();
        // Eve listens with an invitation of her own open, so that her phone answers whoever dials.
        let own = eve.client.create_space("Eve's", NewSpace::Pair).await.unwrap().space;
        eve.client.invite(own, OPTIONS).await.unwrap();
        let join = amina.client.join(&invite.text, None).await.unwrap();
        let error = meets(&eve.client, &amina.client, &join).await.unwrap_err();
        assert_eq!(error.code(), "WRONG_DEVICE_KEY");
        assert!(matches!(amina.client.joins().await.unwrap()[0].state, JoinState::Asked));
    })
    .await;
}
