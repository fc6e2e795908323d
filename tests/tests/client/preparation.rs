//! The preparation log through the facade: one for all devices of a person and nowhere else, and what is shared of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod interrupted;

use alliance_client::{Client, DocumentId, NewSpace, Role, SpaceId, View};
use alliance_document::{Actor, Document, seal};
use alliance_model::kind::preparation_of;
use alliance_model::preparation::{PreparationCommand as P, PreparationEntryView, PreparationState, PreparationValue};
use alliance_model::session::{AgendaField, AgendaState, SessionCommand, SessionField, SessionValue, SessionView};
use alliance_model::{Command, DocumentKind, ItemId, Splice};
use alliance_store::Fresh;
use alliance_store::device::EntryState;
use alliance_tests::hostile::{Member, meet, open_store};
use alliance_tests::people::{Met, PASSPHRASE, Person, add_device, insert, let_in, options};
use alliance_tests::random::Random;
use alliance_tests::relay;
use alliance_wire::{Incarnation, Instance};

const ENTRY: ItemId = ItemId([1; 8]);

async fn prepare(of: &Person, command: P) {
    let log = of.client.preparation().await.unwrap();
    of.client.command(log, None, Command::Preparation(command)).await.unwrap();
}

async fn write_down(of: &Person, id: ItemId, text: &str) {
    prepare(of, P::AddEntry { id, after: None }).await;
    prepare(of, P::EditEntry { id, splice: Splice::insert(0, text) }).await;
}

async fn prepared(of: &Client, id: ItemId) -> PreparationEntryView {
    let log = of.preparation().await.unwrap();
    let View::Preparation(view) = of.view(log).await.unwrap().view else { panic!("a preparation log") };
    view.entry(id).unwrap().clone()
}

async fn session(of: &Person, space: SpaceId) -> DocumentId {
    let session = of.client.create_document(space, DocumentKind::Session).await.unwrap();
    let value = SessionValue::from_text(SessionField::Date, "2026-12-04").unwrap();
    of.client.command(session, None, Command::Session(SessionCommand::Set { value })).await.unwrap();
    of.client.seal(session).await.unwrap();
    session
}

async fn agenda(of: &Client, session: DocumentId) -> SessionView {
    let View::Session(view) = of.view(session).await.unwrap().view else { panic!("a session") };
    view
}

async fn texts(of: &Client, session: DocumentId) -> Vec<String> {
    agenda(of, session).await.agenda.into_iter().map(|item| item.text.text).collect()
}

#[tokio::test]
async fn a_preparation_log_is_in_the_home_and_nowhere_else() {
    relay::watched(async {
        let met = Met::over_a_note("A note of both. ").await;
        let (amina, client) = (&met.amina, &met.amina.client);
        let log = client.preparation().await.unwrap();
        assert_eq!(client.preparation().await.unwrap(), log, "there is one");
        write_down(amina, ENTRY, "The locked kitchen").await;
        let home = client.view(log).await.unwrap().space;
        assert_eq!((log, client.space(home).await.unwrap().kind), (preparation_of(&home), "personal"));
        let mine = client.create_space("Mine", NewSpace::Personal).await.unwrap().space;
        for space in [met.space, mine] {
            let refused = client.create_document(space, DocumentKind::Preparation).await.unwrap_err();
            assert_eq!(refused.code(), "PRIVATE");
            client.create_document(space, DocumentKind::Note).await.unwrap();
        }
        assert_eq!(client.create_document(home, DocumentKind::Preparation).await.unwrap(), log);

        // It is copied nowhere, not even by whoever copies everything; a note is.
        let into = client.create_space("Anew", NewSpace::Group).await.unwrap().space;
        let refused = client.copy_document(log, into).await.unwrap_err();
        assert_eq!(refused.code(), "PRIVATE");
        let renewed = client.copy_documents(home, into).await.unwrap();
        assert_eq!((renewed.copied.len(), renewed.left.len()), (0, 1), "{renewed:?}");
        assert_eq!((renewed.left[0].document, renewed.left[0].code), (log, "PRIVATE"));
        let copied = client.copy_documents(met.space, into).await.unwrap();
        assert_eq!(copied.copied.len(), 2, "the control");
        assert_eq!(client.documents(Some(into), None, None, 0, 10).await.unwrap().len(), 2);

        // Its person finds it, exports it, and hears where it is.
        let hits = client.search("kitchen", None, None, 0, 10).await.unwrap().hits;
        assert_eq!((hits.len(), hits[0].document, hits[0].kind), (1, log, DocumentKind::Preparation));
        assert!(client.export(None).await.unwrap().to_string().contains("The locked kitchen"));
        let status = client.status().await.unwrap().spaces;
        assert!(status.iter().any(|space| space.space == home), "{status:?}");
        let status = met.ben.client.status().await.unwrap().spaces;
        assert_eq!(status.len(), 1, "nothing is prepared in his home: {status:?}");
        drop(met.site);
    })
    .await;
}

#[tokio::test]
async fn a_copy_goes_its_own_way() {
    relay::watched(async {
        let met = Met::over_a_note("A note of both. ").await;
        let (amina, client) = (&met.amina, &met.amina.client);
        let meeting = session(amina, met.space).await;
        write_down(amina, ENTRY, "The grandmother locked the kitchen").await;
        prepare(amina, P::SetEntry { id: ENTRY, value: PreparationValue::ClientAlias("the boy".into()) }).await;
        let share = async |wording, minutes| client.share_preparation(ENTRY, meeting, wording, minutes).await;

        // What is refused leaves nothing behind.
        let unknown = client.share_preparation(ItemId([9; 8]), meeting, None, None).await.unwrap_err();
        let (nowhere, note) = (DocumentKind::Session.document_id([7; 16]), met.note);
        let missing = client.share_preparation(ENTRY, nowhere, None, None).await.unwrap_err();
        let other = client.share_preparation(ENTRY, note, None, None).await.unwrap_err();
        let (empty, long) = (share(Some(" \n"), None).await.unwrap_err(), share(None, Some(0)).await.unwrap_err());
        let control = share(Some("a\u{7}b"), None).await.unwrap_err();
        let codes = [unknown, missing, other, empty, long, control].map(|error| error.code());
        let expected =
            ["UNKNOWN_ITEM", "UNKNOWN_DOCUMENT", "WRONG_KIND", "TEXT_EMPTY", "NUMBER_INVALID", "TEXT_INVALID"];
        assert_eq!(codes, expected);
        let refused = client.withdraw_preparation(ENTRY, meeting).await.unwrap_err();
        assert_eq!(refused.code(), "UNKNOWN_ITEM", "nothing of it is there");
        assert!(texts(client, meeting).await.is_empty());
        assert_eq!(prepared(client, ENTRY).await.state, PreparationState::Private);

        // The wording is what the other gets, and nothing else of the entry.
        let shared = share(Some("How to say no in somebody's home?"), Some(20)).await.unwrap();
        assert!(shared.begun);
        let again = share(Some("Another wording"), None).await.unwrap();
        assert_eq!((again.begun, again.item, again.text.as_str()), (false, shared.item, shared.text.as_str()));
        prepare(amina, P::EditEntry { id: ENTRY, splice: Splice::insert(0, "Afterwards: ") }).await;
        met.amina.sync().await;
        met.ben.sync().await;
        let view = agenda(&met.ben.client, meeting).await;
        let [item] = view.agenda.as_slice() else { panic!("{view:?}") };
        assert_eq!((item.text.text.as_str(), view.authors[item.by].as_str()), (shared.text.as_str(), "Amina"));
        assert_eq!((item.fields.len(), item.fields[0].field), (1, AgendaField::Minutes));
        assert_eq!(item.fields[0].values[0].value, "20");
        let entry = prepared(client, ENTRY).await;
        assert_eq!((entry.state, entry.shares.len()), (PreparationState::Shared, 1));
        let share_view = &entry.shares[0];
        assert_eq!((share_view.item, share_view.date.unwrap().to_string().as_str()), (shared.item, "2026-12-04"));
        assert!(entry.text.text.starts_with("Afterwards: "));

        // What the other makes of the copy is seen, and is not written into her log.
        let now = client.shared_now().await.unwrap();
        assert_eq!((now.len(), now[0].state, now[0].edited), (1, Some(AgendaState::Open), false));
        let edit = SessionCommand::EditItem { id: shared.item, splice: Splice::insert(0, "Together: ") };
        let edit = Command::Session(edit);
        // The copy is hers as the entry is: he can neither change nor remove it.
        assert_eq!(met.ben.client.command(meeting, None, edit.clone()).await.unwrap_err().code(), "NOT_AUTHOR");
        let remove = Command::Session(SessionCommand::RemoveItem { id: shared.item });
        assert_eq!(met.ben.client.command(meeting, None, remove).await.unwrap_err().code(), "NOT_AUTHOR");
        client.command(meeting, None, edit).await.unwrap();
        assert!(client.shared_now().await.unwrap()[0].edited);

        client.withdraw_preparation(ENTRY, meeting).await.unwrap();
        met.amina.sync().await;
        met.ben.sync().await;
        for of in [client, &met.ben.client] {
            assert_eq!(agenda(of, meeting).await.agenda[0].state, AgendaState::Withdrawn);
        }
        assert_eq!(prepared(client, ENTRY).await.state, PreparationState::Withdrawn);
        let refused = client.withdraw_preparation(ENTRY, meeting).await.unwrap_err();
        assert_eq!(refused.code(), "UNKNOWN_ITEM", "there is nothing left to take back");
        // Shared once more it is another copy, and the first stays withdrawn.
        let second = share(None, None).await.unwrap();
        assert!(second.begun && second.item != shared.item);
        let states: Vec<_> = agenda(client, meeting).await.agenda.iter().map(|item| item.state).collect();
        assert_eq!(states, [AgendaState::Withdrawn, AgendaState::Open]);
        assert_eq!(prepared(client, ENTRY).await.state, PreparationState::Shared);
        drop(met.site);
    })
    .await;
}

#[tokio::test]
async fn nobody_shares_where_they_may_not_write() {
    relay::watched(async {
        let met = Met::over_a_note("A note of both. ").await;
        let client = &met.amina.client;
        write_down(&met.amina, ENTRY, "The locked kitchen").await;
        let group = met.ben.client.create_space("Group", NewSpace::Group).await.unwrap().space;
        let_in(&met.ben, &met.amina, &[group]).await;
        let meeting = session(&met.ben, group).await;
        met.ben.sync().await;
        met.amina.sync().await;
        client.share_preparation(ENTRY, meeting, Some("As a writer"), None).await.unwrap();
        client.withdraw_preparation(ENTRY, meeting).await.unwrap();
        met.amina.sync().await;
        met.ben.sync().await;
        met.ben.client.set_role(group, "Amina", Role::Reader).await.unwrap();
        meet(&met.ben.client, client).await;
        let reader = client.share_preparation(ENTRY, meeting, None, None).await.unwrap_err();
        assert_eq!(reader.code(), "ROLE_FORBIDS");
        met.ben.client.end_space(group).await.unwrap();
        meet(&met.ben.client, client).await;
        let ended = client.share_preparation(ENTRY, meeting, None, None).await.unwrap_err();
        assert_eq!(ended.code(), "ROLE_FORBIDS", "nobody writes in a space that has ended");
        assert_eq!(texts(client, meeting).await, ["As a writer"]);
        let of_both = session(&met.amina, met.space).await;
        client.leave(met.space).await.unwrap();
        let left = client.share_preparation(ENTRY, of_both, None, None).await.unwrap_err();
        assert_eq!(left.code(), "NOT_MEMBER");
        assert!(texts(client, of_both).await.is_empty(), "what she planned there can be read on");
        assert_eq!(prepared(client, ENTRY).await.shares.len(), 1);
        drop(met.site);
    })
    .await;
}

#[tokio::test]
async fn two_devices_prepare_in_one_log_and_share_one_copy() {
    relay::watched(async {
        let met = Met::over_a_note("A note of both. ").await;
        let phone = Person::new("Amina").await;
        add_device(&met.amina, &phone).await;
        for _ in 0..3 {
            for person in [&met.amina, &phone, &met.ben] {
                person.sync().await;
            }
        }
        let meeting = session(&met.ben, met.space).await;
        met.ben.sync().await;
        // Each begins the log while apart: it is the same document.
        write_down(&met.amina, ENTRY, "On the laptop").await;
        write_down(&phone, ItemId([2; 8]), "On the phone").await;
        let log = met.amina.client.preparation().await.unwrap();
        assert_eq!(phone.client.preparation().await.unwrap(), log);
        for person in [&met.amina, &phone, &met.amina] {
            person.sync().await;
        }
        for device in [&met.amina, &phone] {
            assert_eq!(prepared(&device.client, ENTRY).await.text.text, "On the laptop");
            assert_eq!(prepared(&device.client, ItemId([2; 8])).await.text.text, "On the phone");
        }
        // Both share the same while apart: the supervisor gets it once, and each device knows of both.
        let items: Vec<ItemId> = {
            let one = met.amina.client.share_preparation(ENTRY, meeting, Some("The kitchen"), None).await.unwrap();
            let other = phone.client.share_preparation(ENTRY, meeting, Some("The kitchen"), None).await.unwrap();
            vec![one.item, other.item]
        };
        assert_eq!(items[0], items[1]);
        for person in [&met.amina, &phone, &met.amina, &met.ben] {
            person.sync().await;
        }
        for person in [&met.amina, &phone, &met.ben] {
            assert_eq!(texts(&person.client, meeting).await, ["The kitchen"]);
        }
        let entry = prepared(&phone.client, ENTRY).await;
        assert_eq!((entry.shares.len(), entry.state), (2, PreparationState::Shared));
        phone.client.withdraw_preparation(ENTRY, meeting).await.unwrap();
        for person in [&phone, &met.amina, &met.ben] {
            person.sync().await;
        }
        assert_eq!(prepared(&met.amina.client, ENTRY).await.state, PreparationState::Withdrawn);
        assert_eq!(agenda(&met.ben.client, meeting).await.agenda[0].state, AgendaState::Withdrawn);
        let theirs = met.ben.client.documents(None, Some(DocumentKind::Preparation), None, 0, 10).await.unwrap();
        assert!(theirs.is_empty(), "{theirs:?}");
        drop(met.site);
    })
    .await;
}

/// The states of what a closed store keeps and does not show of a space.
async fn kept(store: &std::path::Path, space: SpaceId) -> Vec<EntryState> {
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([1; 16]) };
    let (device, _) = open_store(store, fresh);
    let open = device.open_entries(space, 0).await.unwrap();
    device.close();
    open.entries.into_iter().map(|entry| entry.state).collect()
}

/// A preparation log's first change, as the program writes it; `member` writes it into its store.
async fn smuggle(member: &mut Member, document: DocumentId, text: &str) {
    let empty = Document::new(document, DocumentKind::Preparation);
    let actor = Actor::of(member.key, member.incarnation, document, 0).unwrap();
    let write = [P::AddEntry { id: ENTRY, after: None }, P::EditEntry { id: ENTRY, splice: Splice::insert(0, text) }];
    let sealed = seal(&empty, &empty.heads(), actor, &write.map(Command::Preparation)).unwrap();
    let mut changes = member.changes(document, 0, vec![sealed[0].bytes.clone()]);
    let kind = DocumentKind::Preparation;
    (changes.kind, changes.schema) = (kind.number(), kind.schema());
    member.write(vec![changes]).await;
}

/// Ben's program is another: it writes a preparation log into the pair. Nobody shows it; the same entry in the home of
/// Amina's devices is shown.
#[tokio::test]
async fn what_somebody_prepares_is_parked_in_a_space_with_others() {
    relay::watched(async {
        let mut met = Met::over_a_note("A note of both. ").await;
        let phone = Person::new("Amina").await;
        add_device(&met.amina, &phone).await;
        for person in [&met.amina, &phone, &met.amina] {
            person.sync().await;
        }
        let log = met.amina.client.preparation().await.unwrap();
        let home = met.amina.client.view(log).await.unwrap().space;
        met.amina.client.close().await.unwrap();
        let mut laptop = Member::take_over(&met.amina.store(), home, Random::new(4)).await;
        smuggle(&mut laptop, log, "At home").await;
        laptop.close();
        met.amina.client = Client::open(&met.amina.store(), PASSPHRASE, options()).await.unwrap();
        met.amina.sync().await;
        phone.sync().await;
        assert_eq!(prepared(&phone.client, ENTRY).await.text.text, "At home", "the control");

        met.ben.client.close().await.unwrap();
        let mut mallory = Member::take_over(&met.ben.store(), met.space, Random::new(5)).await;
        let random = DocumentKind::Preparation.document_id([6; 16]);
        for document in [preparation_of(&met.space), random, log] {
            smuggle(&mut mallory, document, "In the pair").await;
        }
        mallory.close();
        met.ben.client = Client::open(&met.ben.store(), PASSPHRASE, options()).await.unwrap();
        met.ben.write(met.note, 0, "And on. ").await;
        met.ben.sync().await;
        met.amina.sync().await;
        assert_eq!(met.amina.text(met.note).await, "And on. A note of both. ", "what is honest is taken in");
        let rows = met.amina.client.documents(None, Some(DocumentKind::Preparation), None, 0, 10).await.unwrap();
        assert_eq!(rows.iter().map(|row| (row.document, row.space)).collect::<Vec<_>>(), [(log, home)]);
        assert_eq!(prepared(&met.amina.client, ENTRY).await.text.text, "At home", "hers is untouched");
        let status = met.amina.client.status().await.unwrap().spaces;
        let parked = |space| status.iter().find(|row| row.space == space).unwrap().parked;
        assert_eq!((parked(met.space), parked(home)), (3, 0), "she is told");
        met.amina.client.close().await.unwrap();
        // 5 is PRIVATE.
        assert_eq!(kept(&met.amina.store(), met.space).await, [EntryState::ParkedForGood(5); 3]);
        drop(met.site);
    })
    .await;
}

/// A home in which something was prepared is not given up for that of another store: what was prepared would be lost.
#[tokio::test]
async fn a_store_with_something_prepared_becomes_nobodys_further_device() {
    relay::watched(async {
        let (first, further) = (Person::new("Amina").await, Person::new("Amina").await);
        let invite = first.client.invite_device().await.unwrap();
        let log = further.client.preparation().await.unwrap();
        write_down(&further, ENTRY, "The locked kitchen").await;
        let refused = further.client.join(&invite.text, None).await.unwrap_err();
        assert_eq!(refused.code(), "STORE_IN_USE");
        assert_eq!(further.client.preparation().await.unwrap(), log, "nothing was given up");
        let empty = Person::new("Amina").await;
        empty.client.set_up_home().await.unwrap();
        empty.client.join(&invite.text, None).await.expect("the control: a home with nothing in it");
        // Notes go on as ever.
        let space = further.client.create_space("Mine", NewSpace::Personal).await.unwrap().space;
        let note = further.client.create_document(space, DocumentKind::Note).await.unwrap();
        further.client.command(note, None, insert(0, "On. ")).await.unwrap();
    })
    .await;
}
