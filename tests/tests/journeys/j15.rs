//! DOMAIN 2.16, J15: the supervisor's phone is taken, unlocked, with two notes that nobody else has.
//!
//! The check of the organisation's register is marked *later* in docs/DOMAIN.md, 2.16.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{DocumentId, FrozenHash, NewSpace, SpaceId, Standing};
use alliance_model::agreement::{AgreementCommand, AgreementState, Term};
use alliance_model::{CivilDate, Command, DocumentKind, ItemId, NoteCommand, Splice};
use alliance_tests::agreements::{draft, propose, shown, sign, write};
use alliance_tests::hostile::meet;
use alliance_tests::people::{Person, hear, let_in};
use alliance_tests::relay::{self, Site, open};
use tokio::sync::watch;

/// Ben supervises Amina and Chidi; one relay.
struct Supervision {
    site: Site,
    ben: Person,
    words: String,
    amina: Person,
    chidi: Person,
    /// With Amina, with Chidi.
    spaces: [SpaceId; 2],
    notes: [DocumentId; 2],
    /// With Amina, and the version that both signed.
    agreement: (DocumentId, FrozenHash),
}

fn day() -> CivilDate {
    CivilDate::new(2026, 12, 1).unwrap()
}

/// What Ben and Amina signed, and what is to be done.
async fn agree(ben: &Person, amina: &Person, space: SpaceId, note: DocumentId) -> (DocumentId, FrozenHash) {
    let review = CivilDate::new(2027, 6, 1).unwrap();
    let agreement = draft(ben, space, [Term::ReviewDue(review), Term::DurationMin(60)]).await;
    let version = propose(ben, agreement, day()).await.unwrap();
    let id = ItemId([7; 8]);
    let action = [
        NoteCommand::AddAction { id, after: None },
        NoteCommand::EditAction { id, splice: Splice::insert(0, "Ask the clinic.") },
    ];
    for command in action {
        ben.client.command(note, None, Command::Note(command)).await.unwrap();
    }
    sign(ben, agreement, version, day()).await.unwrap();
    ben.sync().await;
    amina.sync().await;
    sign(amina, agreement, version, day()).await.unwrap();
    amina.sync().await;
    ben.sync().await;
    (agreement, version)
}

/// What is signed and to be done is on the new phone, and he signs again as the same person.
async fn goes_on(phone: &Person, amina: &Person, scene: &Supervision) {
    let (agreement, version) = scene.agreement;
    let (his, hers) = (shown(phone, agreement).await, shown(amina, agreement).await);
    assert_eq!(his.state, AgreementState::Active);
    assert_eq!(his.versions, hers.versions, "with both signatures");
    let again = sign(phone, agreement, version, day()).await.unwrap_err();
    assert_eq!(again.code(), "SAME_PERSON_COSIGN", "the old phone signed it, and he is the same person");
    let today = phone.client.today(day()).await.unwrap();
    let here = today.iter().find(|it| it.space == scene.spaces[0]).unwrap();
    let actions: Vec<&str> = here.actions.iter().map(|action| action.text.as_str()).collect();
    assert_eq!(actions, ["Ask the clinic."]);
    write(phone, agreement, [AgreementCommand::SetTerm { term: Term::DurationMin(90) }]).await;
    let next = propose(phone, agreement, day()).await.unwrap();
    sign(phone, agreement, next, day()).await.unwrap();
    phone.sync().await;
    amina.sync().await;
    sign(amina, agreement, next, day()).await.unwrap();
    let active: Vec<String> = shown(amina, agreement).await.active().map(|it| it.version.clone()).collect();
    assert_eq!(active, [next.to_string()], "two signatures of two persons");
    amina.sync().await;
    phone.sync().await;
}

impl Supervision {
    async fn new() -> Self {
        let site = Site::start(open).await;
        let words = alliance_client::RecoveryWords::generate([15; 32]).to_string();
        let ben = Person::with_words("Ben", &words).await;
        let (amina, chidi) = (Person::new("Amina").await, Person::new("Chidi").await);
        for person in [&ben, &amina, &chidi] {
            person.client.add_relay(&site.address().to_string(), None).await.unwrap();
        }
        ben.client.set_up_home().await.unwrap();
        let (mut spaces, mut notes) = (Vec::new(), Vec::new());
        for (title, other) in [("Amina and Ben", &amina), ("Chidi and Ben", &chidi)] {
            let space = ben.client.create_space(title, NewSpace::Pair).await.unwrap().space;
            let_in(&ben, other, &[space]).await;
            let note = ben.client.create_document(space, DocumentKind::Note).await.unwrap();
            ben.write(note, 0, "Synced. ").await;
            spaces.push(space);
            notes.push(note);
        }
        ben.sync().await;
        amina.sync().await;
        chidi.sync().await;
        let agreement = agree(&ben, &amina, spaces[0], notes[0]).await;
        // The two notes that nobody else has.
        for note in &notes {
            assert_eq!(ben.text(*note).await, "Synced. ");
            ben.write(*note, 8, "Unsent. ").await;
        }
        ben.client.seal_all().await.unwrap();
        let (spaces, notes) = (spaces.try_into().unwrap(), notes.try_into().unwrap());
        Self { site, ben, words, amina, chidi, spaces, notes, agreement }
    }

    /// The epoch under which the supervisees write now.
    async fn epochs(&self) -> Vec<String> {
        let mut epochs = Vec::new();
        for (person, space) in [&self.amina, &self.chidi].into_iter().zip(self.spaces) {
            let spaces = alliance_store::Spaces::new(person.client.replica().clone(), 16);
            let membership = spaces.membership(space).await.unwrap().unwrap();
            epochs.push(membership.best_epoch().unwrap().id.to_string());
        }
        epochs
    }
}

/// The new phone takes everything that it may have from a colleague's, who listens.
async fn recover_from(phone: &Person, words: &str, colleague: &Person) -> alliance_client::Recovered {
    let listener = colleague.client.listen("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let (address, key) = (listener.local_address().to_string(), colleague.client.whoami().device);
    let recovering = async {
        let back = phone.client.recover_from(words, key, &address, &[], hear).await.unwrap();
        stop.send_replace(true);
        back
    };
    let (listened, back) = tokio::join!(listener.run(stopped, hear), recovering);
    listened.unwrap();
    back
}

/// The store has nothing of a space any more but that it was in it.
async fn let_go(of: &Person, space: SpaceId, note: DocumentId) -> bool {
    let viewed = of.client.view(note).await.unwrap_err();
    let listed = of.client.documents(Some(space), None, None, 0, 10).await.unwrap_err();
    (viewed.code(), listed.code()) == ("UNKNOWN_DOCUMENT", "DEVICE_PUT_OUT")
}

/// First Amina's phone, without any network; then the relay; then the thief goes online.
#[tokio::test]
async fn a_lost_phone_is_shut_out_by_the_words() {
    relay::watched(async {
        let scene = Supervision::new().await;
        let Supervision { site, ben: stolen, words, amina, chidi, spaces, notes, .. } = &scene;
        let old = stolen.client.whoami().device;
        let before = scene.epochs().await;

        // On a new phone, with the words, from Amina's phone: what the two share is there, and the old phone is out of it.
        let phone = Person::with_words("Ben", words).await;
        let back = recover_from(&phone, words, amina).await;
        assert_eq!(back.spaces, [spaces[0]]);
        assert_eq!(phone.text(notes[0]).await, "Synced. ", "the unsent note is not there");
        phone.client.report_lost(&old.to_string()[..8], words).await.unwrap();
        meet(&amina.client, &phone.client).await;
        let out = amina.client.devices_put_out(spaces[0]).await.unwrap();
        assert_eq!((out.len(), out[0].device, out[0].standing), (1, old, Standing::PutOut), "Amina is told");
        assert!(!out[0].confirmed, "the old phone has not said that it knows");
        assert_ne!(scene.epochs().await[0], before[0], "the key of that space was changed");

        // The relay has the rest; nobody there knew before this contact.
        phone.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let back = phone.client.recover(words, &[], hear).await.unwrap();
        assert_eq!((back.spaces.len(), back.missing.len(), back.groups.len()), (2, 0, 1), "{back:?}");
        let view = phone.client.report_lost(&old.to_string()[..8], words).await.unwrap();
        assert_eq!((view.active.len(), view.suspended.len(), view.lost.len()), (0, 0, 3), "both, and the home");
        phone.sync().await;
        chidi.sync().await;
        assert_ne!(scene.epochs().await[1], before[1]);
        // He is the same person to everybody, and goes on.
        for (person, space, note) in [(amina, spaces[0], notes[0]), (chidi, spaces[1], notes[1])] {
            phone.write(note, 0, "From the new phone. ").await;
            phone.sync().await;
            person.sync().await;
            assert_eq!(person.text(note).await, "From the new phone. Synced. ");
            let members = person.client.space(space).await.unwrap().members;
            let ben: Vec<_> = members.iter().filter(|member| member.name == "Ben").collect();
            assert_eq!(
                (members.len(), ben.len(), ben[0].devices.as_slice()),
                (2, 1, &[phone.client.whoami().device][..])
            );
        }

        goes_on(&phone, amina, &scene).await;

        // The thief writes, and goes online once: the relay says that the phone is out, and it hands over and lets go.
        stolen.write(notes[0], 0, "A thief's. ").await;
        let hidden = stolen.client.create_space("The thief's", NewSpace::Pair).await.unwrap().space;
        let own = stolen.client.create_document(hidden, DocumentKind::Note).await.unwrap();
        stolen.write(own, 0, "Nobody's. ").await;
        stolen.client.sync_once(hear).await.unwrap();
        for (space, note) in [(spaces[0], notes[0]), (spaces[1], notes[1]), (hidden, own)] {
            assert!(let_go(stolen, space, note).await, "it erased what it held, also where nobody reported it");
        }
        for space in stolen.client.spaces().await.unwrap() {
            assert_eq!(space.standing, Standing::PutOut, "{space:?}");
        }
        phone.sync().await;
        amina.sync().await;
        chidi.sync().await;
        for (person, space, note) in [(amina, spaces[0], notes[0]), (chidi, spaces[1], notes[1])] {
            let out = person.client.devices_put_out(space).await.unwrap();
            assert!(out[0].confirmed, "its last receipt says that it knows");
            assert_eq!(person.text(note).await, "From the new phone. Synced. ", "nothing of it is applied");
        }

        // What it had written before it was reported, and what the thief wrote, is offered, and Ben keeps the first.
        let offered = phone.client.offered(spaces[0]).await.unwrap();
        assert_eq!(offered.len(), 2, "{offered:?}");
        phone.client.admit(spaces[0], &[&offered[0].id]).await.unwrap();
        phone.sync().await;
        amina.sync().await;
        for person in [&phone, amina] {
            assert_eq!(person.text(notes[0]).await, "From the new phone. Synced. Unsent. ");
        }
        assert_eq!(chidi.client.offered(spaces[1]).await.unwrap().len(), 1, "the other unsent note waits in its space");
    })
    .await;
}

/// Opened again, the phone has nothing either: not only what was in memory went.
#[tokio::test]
async fn what_a_lost_phone_let_go_of_stays_gone() {
    relay::watched(async {
        let scene = Supervision::new().await;
        let Supervision { site, ben: stolen, words, notes, spaces, .. } = scene;
        let old = stolen.client.whoami().device;
        let phone = Person::with_words("Ben", &words).await;
        phone.client.add_relay(&site.address().to_string(), None).await.unwrap();
        phone.client.recover(&words, &[], hear).await.unwrap();
        phone.client.report_lost(&old.to_string()[..8], &words).await.unwrap();
        phone.sync().await;
        stolen.client.sync_once(hear).await.unwrap();
        let mut stolen = stolen;
        stolen.reopen().await;
        for (space, note) in spaces.into_iter().zip(notes) {
            assert!(let_go(&stolen, space, note).await);
        }
        assert!(stolen.client.search("Synced", None, None, 0, 10).await.unwrap().hits.is_empty());
        assert!(!phone.client.search("Synced", None, None, 0, 10).await.unwrap().hits.is_empty(), "the control");
    })
    .await;
}
