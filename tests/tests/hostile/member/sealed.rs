//! Entries that are signed and chained as they should be, and hold what no program of ours would seal. A relay cannot
//! see it; a client keeps them, shows nothing and says why.

use alliance_client::{Client, DocumentId};
use alliance_crypto::{Place, Verified};
use alliance_document::gate::ParkCode;
use alliance_model::DocumentKind;
use alliance_store::Fresh;
use alliance_store::device::EntryState;
use alliance_tests::hostile::{PASSPHRASE, after, open_store, options};
use alliance_tests::relay::watched;
use alliance_wire::{Incarnation, Instance, codec};

use super::scene::{Scene, state, write};

/// What is wrong, how the entry is made, and the code.
type Case = (&'static str, fn(&mut Scene, &Place) -> Verified, &'static str);

const CASES: &[Case] = &[
    ("bytes that were never sealed", |s, at| s.mallory.signed(at, vec![1; 300]), "BAD_SEAL"),
    ("no bytes at all", |s, at| s.mallory.signed(at, Vec::new()), "BAD_SEAL"),
    ("an unknown version of sealing", |s, at| s.mallory.signed(at, vec![9; 300]), "SCHEMA_NEWER"),
    (
        "a payload that was sealed for another place",
        |s, at| {
            let elsewhere = Place { seq: at.seq + 1, ..*at };
            let inside = honest(s, "elsewhere");
            let payload = s.mallory.sealed(&elsewhere, &inside).payload().unwrap().to_vec();
            s.mallory.signed(at, payload)
        },
        "BAD_SEAL",
    ),
    ("noise", |s, at| s.mallory.sealed(at, &[0x5a; 100]), "MALFORMED"),
    (
        "content with something behind it",
        |s, at| {
            let inside = [honest(s, "behind"), vec![0]].concat();
            s.mallory.sealed(at, &inside)
        },
        "MALFORMED",
    ),
    ("content of a newer version", |s, at| s.mallory.sealed(at, &codec::encode(&(2_u8, "news"))), "SCHEMA_NEWER"),
    (
        "a document of another kind",
        |s, at| changed(s, at, |changes| (changes.document, changes.kind) = (NOTE, DocumentKind::Agreement.number())),
        "WRONG_KIND",
    ),
    (
        "what somebody prepares, in a space with others",
        |s, at| {
            changed(s, at, |changes| {
                let kind = DocumentKind::Preparation;
                (changes.document, changes.kind) = (kind.document_id(changes.document.0), kind.number());
            })
        },
        "PRIVATE",
    ),
    (
        "a kind that nobody knows, of a document that others write",
        |s, at| changed(s, at, |changes| (changes.document, changes.kind) = (NOTE, 999)),
        "WRONG_KIND",
    ),
    (
        "a kind that nobody knows",
        |s, at| {
            changed(s, at, |changes| {
                // Ids end with the kind's number.
                changes.kind = 999;
                changes.document.0[14..].copy_from_slice(&999_u16.to_be_bytes());
            })
        },
        "SCHEMA_NEWER",
    ),
    ("a newer schema", |s, at| changed(s, at, |changes| changes.schema = 3), "SCHEMA_NEWER"),
    ("an actor beyond the last", |s, at| changed(s, at, |changes| changes.actor = 8), "MALFORMED"),
    ("another actor than the change names", |s, at| changed(s, at, |changes| changes.actor = 1), "ACTOR"),
    ("no change", |s, at| changed(s, at, |changes| changes.changes.clear()), "ENTRY_LIMIT"),
    (
        "a change that was cut",
        |s, at| {
            changed(s, at, |changes| {
                let bytes = changes.changes[0].to_vec();
                changes.changes = vec![bytes[..bytes.len() - 1].to_vec().into()];
            })
        },
        "CHUNK_DAMAGED",
    ),
    (
        "a change over its limit",
        |s, at| {
            changed(s, at, |changes| {
                changes.changes = vec![vec![7; alliance_wire::limits::CHANGE_BYTES_MAX + 1].into()]
            })
        },
        "MALFORMED",
    ),
];

/// Stands for the victim's note in the table.
const NOTE: DocumentId = DocumentId([0xee; 16]);

/// Content with an honest change of a document that is nobody's.
fn honest(scene: &mut Scene, text: &str) -> Vec<u8> {
    let document = DocumentKind::Note.document_id(scene.random.bytes16());
    let change = scene.change(document, 0, text);
    let changes = scene.mallory.changes(document, 0, vec![change]);
    scene.mallory.content(changes)
}

fn changed(scene: &mut Scene, at: &Place, change: impl FnOnce(&mut alliance_wire::content::Changes)) -> Verified {
    let document = DocumentKind::Note.document_id(scene.random.bytes16());
    let honest = scene.change(document, 0, "an honest text");
    let mut changes = scene.mallory.changes(document, 0, vec![honest]);
    change(&mut changes);
    if changes.document == NOTE {
        changes.document = scene.note;
    }
    scene.mallory.entry(at, changes)
}

#[tokio::test]
async fn what_no_program_seals_is_kept_and_not_shown() {
    watched(async {
        let mut scene = Scene::new(2).await;
        let before = written(&state(&scene.amina).await);
        for (what, make, _) in CASES {
            let place = scene.mallory.place().await;
            let entry = make(&mut scene, &place);
            scene.mallory.store(vec![entry]).await;
            let met = scene.mallory.visit(&scene.amina, |_| Vec::new()).await;
            assert!(met.settled && met.refused.is_empty(), "{what}: {met:?}");
            // A document of which nothing was admitted may be listed; nothing of it is shown.
            assert_eq!(written(&state(&scene.amina).await), before, "{what}");
        }
        let expected: Vec<_> = CASES.iter().map(|(what, _, code)| (*what, state_of(code))).collect();
        let found = CASES.iter().map(|(what, _, _)| *what).zip(kept(&mut scene).await);
        assert_eq!(found.collect::<Vec<_>>(), expected);
        // The control: the same member, the same way, an honest change.
        let place = scene.mallory.place().await;
        let inside = honest(&mut scene, "honest at last");
        let entry = scene.mallory.sealed(&place, &inside);
        assert_eq!(after(&place, &entry).seq, place.seq + 1);
        scene.mallory.store(vec![entry]).await;
        let met = scene.mallory.visit(&scene.amina, |_| Vec::new()).await;
        assert!(met.settled, "{met:?}");
        assert!(state(&scene.amina).await.to_string().contains("honest at last"));
        write(&scene.amina, scene.note, "On. ").await;
        // The relay is blind to all of it.
        scene.mallory.visit_relay(&scene.site.address(), |_| Vec::new(), |_| true).await;
        scene.honest_round().await;
        assert!(state(&scene.ben).await.to_string().contains("On. We looked"));
        scene.site.stop().await;
    })
    .await;
}

/// Documents with any text in them.
fn written(state: &serde_json::Value) -> Vec<serde_json::Value> {
    let shown = |document: &&serde_json::Value| {
        let view = document["view"].to_string();
        view.contains("We looked") || view.contains("honest") || view.contains("elsewhere") || view.contains("behind")
    };
    state.as_array().unwrap().iter().filter(shown).cloned().collect()
}

/// The states of what the victim keeps and does not show, in the order of arrival. The store is closed and opened for
/// it: of an entry that names no document nothing but a count is told by the facade.
async fn kept(scene: &mut Scene) -> Vec<EntryState> {
    scene.amina.close().await.unwrap();
    let place = scene.folder.path().join("amina");
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([1; 16]) };
    let (device, _) = open_store(&place, fresh);
    let open = device.open_entries(scene.space, 0).await.unwrap();
    device.close();
    scene.amina = Client::open(&place, PASSPHRASE, options()).await.unwrap();
    assert!(open.next.is_none(), "a few entries");
    open.entries.into_iter().map(|entry| entry.state).collect()
}

/// The state that stands for a code in a client's store.
fn state_of(code: &str) -> EntryState {
    match code {
        "BAD_SEAL" => EntryState::ParkedForGood(2),
        "MALFORMED" => EntryState::ParkedForGood(3),
        "WRONG_KIND" => EntryState::ParkedForGood(4),
        "PRIVATE" => EntryState::ParkedForGood(5),
        // With the number of the program that tried it.
        "SCHEMA_NEWER" => EntryState::Waiting(6 + (1 << 8)),
        other => {
            let number = ParkCode::ALL.iter().position(|code| code.code() == other).unwrap();
            EntryState::ParkedForGood(100 + u32::try_from(number).unwrap())
        }
    }
}
