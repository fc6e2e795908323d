//! Members go, are put out, and get other roles: what they wrote before stays, what they write afterwards is kept back
//! and offered, and the next key is made without them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{Change, Client, DocumentId, NewSpace, Role, SpaceId, Standing};
use alliance_model::DocumentKind;
use alliance_tests::hostile::{group, meet};
use alliance_tests::people::{Met, Person, let_in};
use alliance_tests::relay::{self, Site};

/// Ben's group with Amina and Chen, and a note of Amina's that all three have.
struct Group {
    site: Site,
    ben: Person,
    amina: Person,
    chen: Person,
    space: SpaceId,
    note: DocumentId,
}

impl Group {
    async fn over_a_note(text: &str) -> Self {
        let site = Site::start(relay::open).await;
        let (ben, amina, chen) = (Person::new("Ben").await, Person::new("Amina").await, Person::new("Chen").await);
        ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = group(&ben.client).await;
        let_in(&ben, &amina, &[space]).await;
        let_in(&ben, &chen, &[space]).await;
        amina.sync().await;
        let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        amina.write(note, 0, text).await;
        for person in [&amina, &ben, &chen] {
            person.sync().await;
        }
        let group = Self { site, ben, amina, chen, space, note };
        assert_eq!(group.text(&group.chen).await, text);
        group
    }

    async fn text(&self, of: &Person) -> String {
        of.text(self.note).await
    }
}

/// Codes of what is kept and not shown in a document, with how many entries.
async fn held(client: &Client, note: DocumentId) -> Vec<(String, u64)> {
    let view = client.view(note).await.unwrap();
    view.parked.into_iter().map(|parked| (parked.code, parked.entries)).collect()
}

/// What Amina writes after she was put out is kept back everywhere and shown nowhere; what she had written before, and
/// what the others write, is as good as ever.
#[tokio::test]
async fn a_removed_member_writes_for_nobody() {
    relay::watched(async {
        let group = Group::over_a_note("Before. ").await;
        // She wrote before she heard of it, and Chen got it from her by hand; Ben had not.
        group.amina.write(group.note, 0, "Unheard. ").await;
        meet(&group.chen.client, &group.amina.client).await;
        assert_eq!(group.text(&group.chen).await, "Unheard. Before. ");
        let view = group.ben.client.remove_member(group.space, "Amina").await.unwrap();
        assert_eq!(view.members.len(), 2, "{view:?}");
        group.ben.sync().await;
        group.chen.sync().await;
        // For Ben it never was there, for Chen it is shown no more: the same for both.
        for person in [&group.ben, &group.chen] {
            assert_eq!(group.text(person).await, "Before. ", "{}", person.client.whoami().name);
        }
        assert_eq!(held(&group.chen.client, group.note).await, [("AFTER_CUT_OFF".to_owned(), 1)]);
        group.chen.sync().await;
        group.ben.sync().await;
        assert_eq!(held(&group.ben.client, group.note).await, [("AFTER_CUT_OFF".to_owned(), 1)], "offered to Ben, too");
        // The control, and the next key: what the others write goes on.
        group.chen.write(group.note, 0, "Afterwards. ").await;
        group.chen.sync().await;
        group.ben.sync().await;
        assert_eq!(group.text(&group.ben).await, "Afterwards. Before. ");
        let refused = group.chen.client.remove_member(group.space, "Ben").await.unwrap_err();
        assert_eq!(refused.code(), "ROLE_FORBIDS", "nobody but the steward puts anybody out");
        let unknown = group.ben.client.remove_member(group.space, "Amina").await.unwrap_err();
        assert_eq!(unknown.code(), "UNKNOWN_MEMBER");
        drop(group.site);
    })
    .await;
}

/// What is above a cut-off can be admitted, and is shown again by everybody.
#[tokio::test]
async fn what_is_kept_back_can_be_admitted() {
    relay::watched(async {
        let group = Group::over_a_note("Before. ").await;
        group.amina.write(group.note, 0, "Unheard. ").await;
        meet(&group.chen.client, &group.amina.client).await;
        group.ben.client.remove_member(group.space, "Amina").await.unwrap();
        group.ben.sync().await;
        group.chen.sync().await;
        let offered = group.chen.client.offered(group.space).await.unwrap();
        assert_eq!((offered.len(), offered[0].by.as_str(), offered[0].document), (1, "Amina", Some(group.note)));
        group.chen.client.admit(group.space, &[offered[0].id.as_str()]).await.unwrap();
        assert_eq!(group.text(&group.chen).await, "Unheard. Before. ");
        assert!(group.chen.client.offered(group.space).await.unwrap().is_empty());
        group.chen.sync().await;
        group.ben.sync().await;
        assert_eq!(group.text(&group.ben).await, "Unheard. Before. ");
        assert_eq!(held(&group.ben.client, group.note).await, []);
        let unknown = group.chen.client.admit(group.space, &["0123abcd"]).await.unwrap_err();
        assert_eq!(unknown.code(), "UNKNOWN_VERSION");
    })
    .await;
}

/// What somebody published builds on what was kept back afterwards: that is admitted without anybody's asking, and
/// nothing else is.
#[tokio::test]
async fn what_one_has_built_on_is_let_in_again() {
    relay::watched(async {
        let group = Group::over_a_note("Before. ").await;
        group.amina.write(group.note, 0, "Unheard. ").await;
        let other = group.amina.client.create_document(group.space, DocumentKind::Note).await.unwrap();
        group.amina.write(other, 0, "Nobody answered. ").await;
        meet(&group.chen.client, &group.amina.client).await;
        assert_eq!(group.text(&group.chen).await, "Unheard. Before. ", "he has read it");
        group.chen.write(group.note, 0, "An answer. ").await;
        group.chen.client.seal(group.note).await.unwrap();
        // The control: what she adds later is known to Chen and nothing of his builds on it.
        meet(&group.chen.client, &group.amina.client).await;
        assert_eq!(group.text(&group.amina).await, "An answer. Unheard. Before. ");
        group.amina.write(group.note, 0, "Later. ").await;
        meet(&group.chen.client, &group.amina.client).await;
        assert_eq!(group.text(&group.chen).await, "Later. An answer. Unheard. Before. ");
        group.ben.client.remove_member(group.space, "Amina").await.unwrap();
        group.ben.sync().await;
        for person in [&group.chen, &group.ben] {
            person.sync().await;
            assert_eq!(group.text(person).await, "An answer. Unheard. Before. ", "{}", person.client.whoami().name);
            let mut offered: Vec<_> =
                person.client.offered(group.space).await.unwrap().into_iter().map(|entry| entry.document).collect();
            offered.sort();
            let mut expected = [Some(group.note), Some(other)];
            expected.sort();
            assert_eq!(offered, expected);
        }
    })
    .await;
}

/// A reader reads what the others write and writes no more; as a writer again it goes on.
#[tokio::test]
async fn a_reader_reads_on() {
    relay::watched(async {
        let group = Group::over_a_note("Before. ").await;
        group.amina.write(group.note, 0, "A draft. ").await;
        let member = group.ben.client.set_role(group.space, "Amina", Role::Reader).await.unwrap();
        assert_eq!((member.name.as_str(), member.role), ("Amina", "reader"));
        group.ben.sync().await;
        group.amina.sync().await;
        group.ben.write(group.note, 0, "For readers. ").await;
        group.ben.sync().await;
        group.amina.sync().await;
        let refused = group.amina.client.command(group.note, None, alliance_tests::people::insert(0, "No. ")).await;
        assert_eq!(refused.unwrap_err().code(), "ROLE_FORBIDS");
        let shown = group.text(&group.amina).await;
        assert!(shown.contains("For readers. "), "she reads on: {shown}");
        group.ben.client.set_role(group.space, "Amina", Role::Writer).await.unwrap();
        group.ben.sync().await;
        group.amina.sync().await;
        group.amina.write(group.note, 0, "Back. ").await;
        group.amina.sync().await;
        group.ben.sync().await;
        let shown = group.text(&group.ben).await;
        assert!(shown.contains("Back. "), "{shown}");
        assert!(shown.contains("For readers. Before. "), "{shown}");
    })
    .await;
}

/// Who leaves takes what it has along; those who stay write under a key that it does not get, although whose turn it was
/// to make one is away.
#[tokio::test]
async fn a_member_leaves_and_the_others_go_on() {
    relay::watched(async {
        let group = Group::over_a_note("Before. ").await;
        group.amina.write(group.note, 0, "A last word. ").await;
        assert_eq!(group.ben.client.leave(group.space).await.unwrap_err().code(), "LAST_STEWARD");
        let view = group.amina.client.leave(group.space).await.unwrap();
        assert_eq!(view.standing, Standing::Closed);
        meet(&group.chen.client, &group.amina.client).await;
        assert_eq!(group.text(&group.chen).await, "A last word. Before. ", "what she sealed before she left counts");
        group.chen.write(group.note, 0, "Among us. ").await;
        group.chen.sync().await;
        group.ben.sync().await;
        assert_eq!(group.text(&group.ben).await, "Among us. A last word. Before. ");
        group.ben.write(group.note, 0, "Yes. ").await;
        group.ben.sync().await;
        group.chen.sync().await;
        assert_eq!(group.text(&group.chen).await, "Yes. Among us. A last word. Before. ");
        assert_eq!(group.text(&group.amina).await, "A last word. Before. ", "she keeps what she had");
    })
    .await;
}

/// In a pair nobody puts anybody out; either may end it, and then nobody writes.
#[tokio::test]
async fn a_pair_ends() {
    relay::watched(async {
        let met = Met::over_a_note("Before. ").await;
        let refused = met.ben.client.remove_member(met.space, "Amina").await.unwrap_err();
        assert_eq!(refused.code(), "ROLE_FORBIDS");
        let mut changes = met.ben.client.changes();
        assert_eq!(met.amina.client.end_space(met.space).await.unwrap().standing, Standing::Closed);
        met.amina.sync().await;
        met.ben.sync().await;
        let heard = core::iter::from_fn(|| changes.try_recv().ok()).any(|change| matches!(change, Change::Space(_)));
        assert!(heard, "Ben's screen is told");
        assert_eq!(met.ben.client.space(met.space).await.unwrap().standing, Standing::Closed);
        let refused = met.ben.client.command(met.note, None, alliance_tests::people::insert(0, "No. ")).await;
        assert_eq!(refused.unwrap_err().code(), "ROLE_FORBIDS");
        assert_eq!(met.ben.text(met.note).await, "Before. ", "and everything stays readable");
        let again = met.ben.client.create_space("Another", NewSpace::Pair).await.unwrap();
        assert_eq!(again.standing, Standing::Member);
    })
    .await;
}
