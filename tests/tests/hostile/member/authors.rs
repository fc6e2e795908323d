//! What a member put on the agenda is that member's: another's program changes it nowhere, and writes under nobody's name.

use alliance_client::{Client, DocumentId, View};
use alliance_crypto::Place;
use alliance_document::gate::{Candidate, Gate, Rules, Verdict};
use alliance_document::{Actor, Document, seal};
use alliance_model::session::SessionCommand as S;
use alliance_model::{Command, DocumentKind, ItemId, SessionView, Splice};
use alliance_tests::hostile::Member;
use alliance_tests::relay::watched;
use alliance_wire::{DeviceKey, HeaderHash, Incarnation};

use super::scene::{Scene, sync};

const HERS: ItemId = ItemId([1; 8]);
const KIND: DocumentKind = DocumentKind::Session;

async fn session(client: &Client, session: DocumentId) -> (SessionView, Vec<String>) {
    let view = client.view(session).await.unwrap();
    let parked = view.parked.iter().map(|parked| parked.code.clone()).collect();
    let View::Session(session) = view.view else { panic!("a session") };
    (session, parked)
}

/// The session as the hostile member has it, and the log in which it was begun.
async fn read(mallory: &Member, id: DocumentId) -> (Document, (DeviceKey, Incarnation)) {
    let (mut document, mut gate) = (Document::new(id, KIND), Gate::new(id, KIND, Rules::ALL));
    let entries = mallory.read(id).await;
    for (name, changes) in &entries {
        let actor = Actor::of(name.device, name.incarnation, id, changes.actor).unwrap();
        let chunks = changes.changes.iter().map(|bytes| bytes.to_vec()).collect();
        let candidate = Candidate { entry: 0, actor, person: None, schema: changes.schema, changes: chunks };
        let judged = gate.judge(&[candidate]);
        assert_eq!(judged.verdicts[0].1, Verdict::Admitted);
        document.apply(&judged.admitted).unwrap();
    }
    (document, (entries[0].0.device, entries[0].0.incarnation))
}

/// What a program that is not ours writes as any actor, into its own log.
async fn writes(mallory: &mut Member, document: &Document, actor: Actor, place: &Place, command: S) {
    let sealed = seal(document, &document.heads(), actor, &[Command::Session(command)]).unwrap();
    let mut changes = mallory.changes(document.id(), 0, vec![sealed[0].bytes.clone()]);
    (changes.kind, changes.schema) = (KIND.number(), KIND.schema());
    let entry = mallory.entry(place, changes);
    mallory.store(vec![entry]).await;
}

#[tokio::test]
async fn nobody_words_what_another_put_on_the_agenda() {
    watched(async {
        let mut scene = Scene::new(11).await;
        let id = scene.amina.create_document(scene.space, KIND).await.unwrap();
        let splice = Splice::insert(0, "The visit.");
        for command in [S::AddItem { id: HERS, after: None }, S::EditItem { id: HERS, splice }] {
            scene.amina.command(id, None, Command::Session(command)).await.unwrap();
        }
        scene.amina.seal(id).await.unwrap();
        let mallory = &mut scene.mallory;
        assert!(mallory.visit(&scene.amina, |_| Vec::new()).await.settled);
        let (document, hers) = read(mallory, id).await;

        // As itself, into hers; as hers, by a log of its own that calls its incarnation hers; as itself, into its own.
        let edit = || S::EditItem { id: HERS, splice: Splice::insert(0, "Not ") };
        let own = Actor::of(mallory.key, mallory.incarnation, id, 0).unwrap();
        let place = mallory.place().await;
        writes(mallory, &document, own, &place, edit()).await;
        let posing = Place { incarnation: hers.1, seq: 1, prev: HeaderHash::NONE, ..place };
        writes(mallory, &document, Actor::of(hers.0, hers.1, id, 0).unwrap(), &posing, edit()).await;
        let place = mallory.place().await;
        writes(mallory, &document, own, &place, S::AddItem { id: ItemId([2; 8]), after: Some(HERS) }).await;
        assert!(mallory.visit(&scene.amina, |_| Vec::new()).await.settled);
        sync(&scene.amina).await;
        sync(&scene.ben).await;

        for client in [&scene.amina, &scene.ben] {
            let (view, mut parked) = session(client, id).await;
            parked.sort();
            assert_eq!(parked, ["ACTOR", "NOT_AUTHOR"]);
            let shown: Vec<(ItemId, &str, &str)> = view
                .agenda
                .iter()
                .map(|item| (item.id, item.text.text.as_str(), view.authors[item.by].as_str()))
                .collect();
            // The control is its own item, which the same program wrote in the same way.
            assert_eq!(shown, [(HERS, "The visit.", "Amina"), (ItemId([2; 8]), "", "Mallory")]);
        }
        // She goes on, and is the author of what she writes.
        let more = S::EditItem { id: HERS, splice: Splice::insert(0, "First: ") };
        scene.amina.command(id, None, Command::Session(more)).await.unwrap();
        scene.amina.seal(id).await.unwrap();
        sync(&scene.amina).await;
        sync(&scene.ben).await;
        let (view, _) = session(&scene.ben, id).await;
        assert_eq!(
            (view.agenda[0].text.text.as_str(), view.authors[view.agenda[0].by].as_str()),
            ("First: The visit.", "Amina")
        );
        scene.site.stop().await;
    })
    .await;
}
