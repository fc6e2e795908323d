//! Stores of every released schema, as a program of that time left them: `tests/fixtures/schema-N`.
//!
//! Each holds a device's store and a relay's, in the midst of work: a published note, entries that the relay has not
//! yet, drafts with several rows on a published note and on one that nobody has seen, an invitation that waits. Nobody
//! closed the device's store in order, or its drafts would be sealed.

use std::fs;
use std::path::{Path, PathBuf};

use alliance_client::{DocumentId, InviteOptions, NewSpace, Role, SpaceId};
use alliance_model::note::NoteCommand;
use alliance_model::{CivilDate, Command, DocumentKind};
use alliance_tests::people::{Person, pair_up};
use alliance_tests::relay::{Site, open, watched};
use serde_json::{Value, json};

/// Where the fixtures lie.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Copies the files of a folder; the lock stays, it names a process that is gone.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_name() != "store.lock" {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// What a store must still hold, whatever became of it.
async fn expected(amina: &Person, site: &Site, space: SpaceId, notes: &[DocumentId]) -> Value {
    let mut documents = Vec::new();
    for note in notes {
        let view = amina.client.view(*note).await.unwrap();
        documents.push(json!({
            "document": note.to_string(), "exploration": amina.text(*note).await, "draft": view.draft,
        }));
    }
    let status = amina.client.status().await.unwrap();
    let delivery = status.spaces.iter().find(|status| status.space == space).unwrap().delivery;
    assert_eq!((delivery.drafts, delivery.unsent), (2, 2), "{delivery:?}");
    let on_relay = site.hashes(space).await.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "schema": alliance_store::file::schema_version(),
        "space": space.to_string(),
        "documents": documents,
        "drafts": delivery.drafts,
        "unsent": delivery.unsent,
        "invites": status.invites.len(),
        "relay": on_relay,
    })
}

#[tokio::test]
#[ignore = "writes the fixture stores of the present schema"]
async fn write_fixtures() {
    let target = folder().join(format!("schema-{}", alliance_store::file::schema_version()));
    assert!(!target.exists(), "{} is written once, by the first program of its schema", target.display());
    watched(async {
        let mut site = Site::start(open).await;
        let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
        for person in [&ben, &amina] {
            person.client.add_relay(&site.address().to_string(), None).await.unwrap();
        }
        let space = pair_up(&ben, &amina, 1).await[0];
        let published = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        amina.write(published, 0, "The grandmother would not let me in. ").await;
        amina.sync().await;
        ben.sync().await;
        ben.write(published, 0, "What would she say? ").await;
        ben.sync().await;
        amina.sync().await;
        // From here on the relay hears nothing.
        amina.write(published, 0, "I felt ashamed. ").await;
        amina.client.seal(published).await.unwrap();
        let unsent = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        amina.write(unsent, 0, "Nobody has seen this yet. ").await;
        amina.client.seal(unsent).await.unwrap();
        let drafted = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        for (pos, text) in [(0, "One. "), (5, "Two. "), (10, "Three. ")] {
            amina.write(drafted, pos, text).await;
            amina.write(published, pos, text).await;
        }
        let date = CivilDate::new(2026, 11, 26).unwrap();
        amina.client.command(drafted, None, Command::Note(NoteCommand::SetDate { date })).await.unwrap();
        let group = amina.client.create_space("A group", NewSpace::Group).await.unwrap().space;
        amina.client.invite(group, InviteOptions { role: Role::Writer, days: 7 }).await.unwrap();

        let expected = expected(&amina, &site, space, &[published, unsent, drafted]).await;
        site.stop().await;
        copy(&site.folder().join("data"), &target.join("relay"));
        // Not closed in order: that would seal the drafts.
        let left = amina.leave();
        copy(&left.path().join("store"), &target.join("device"));
        let text = serde_json::to_string_pretty(&expected).unwrap();
        fs::write(target.join("expected.json"), text + "\n").unwrap();
    })
    .await;
}
