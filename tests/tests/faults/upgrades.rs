//! A store of every released schema, opened by this program, and upgrades that are cut off.

#[path = "upgrades/killed.rs"]
mod killed;
#[path = "upgrades/old.rs"]
pub(crate) mod old;

use std::fs;
use std::path::Path;

use alliance_client::{Client, DocumentId, SpaceId, View};
use alliance_model::note::Stage;
use alliance_tests::people::{PASSPHRASE, hear, options};
use alliance_tests::relay::{Site, open, watched};
use serde_json::Value;

use crate::fixtures::{copy, folder};

/// What the fixture of a schema holds; absent if there is none.
fn expected(schema: u32) -> Option<Value> {
    let text = fs::read_to_string(folder().join(format!("schema-{schema}/expected.json"))).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The schemas with their fixtures. Every schema before this program's must have one.
fn fixtures() -> Vec<(u32, Value)> {
    let newest = alliance_store::file::schema_version();
    let mut found = Vec::new();
    for schema in 1..=newest {
        match expected(schema) {
            Some(expected) => found.push((schema, expected)),
            None => assert_eq!(schema, newest, "the stores of schema {schema} are gone from tests/fixtures"),
        }
    }
    assert!(!found.is_empty());
    found
}

/// The client shows what the fixture's program showed, and has what was not sent.
async fn check(client: &Client, expected: &Value, what: &str) {
    for document in expected["documents"].as_array().unwrap() {
        let id: DocumentId = document["document"].as_str().unwrap().parse().unwrap();
        let view = client.view(id).await.unwrap();
        assert_eq!(view.draft, document["draft"].as_bool().unwrap(), "{what}: {id}");
        let View::Note(note) = view.view else { panic!("{what}: {id} is a note") };
        let text = note.section(Stage::Exploration).map(|text| text.text.as_str());
        assert_eq!(text, document["exploration"].as_str(), "{what}: {id}");
    }
    let space: SpaceId = expected["space"].as_str().unwrap().parse().unwrap();
    let status = client.status().await.unwrap();
    let delivery = status.spaces.iter().find(|status| status.space == space).unwrap().delivery;
    assert_eq!(Some(delivery.drafts), expected["drafts"].as_u64(), "{what}");
    assert_eq!(Some(delivery.unsent), expected["unsent"].as_u64(), "{what}");
    assert_eq!(Some(status.invites.len() as u64), expected["invites"].as_u64(), "{what}");
}

/// The device sends everything that the fixture's program had not, drafts included.
async fn goes_on(device: &Path, relay: &Path, expected: &Value, what: &str) {
    let client = Client::open(device, PASSPHRASE, options()).await.unwrap();
    check(&client, expected, what).await;
    let folder = tempfile::tempdir().unwrap();
    copy(relay, &folder.path().join("data"));
    let mut site = Site::start_in(folder, open).await;
    let space: SpaceId = expected["space"].as_str().unwrap().parse().unwrap();
    let had: Vec<String> =
        expected["relay"].as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().into()).collect();
    let has = async |site: &Site| site.hashes(space).await.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(has(&site).await, had, "{what}: the relay has what it had");
    // The same relay, at another port.
    client.add_relay(&site.address().to_string(), None).await.unwrap();
    let report = client.sync_once(hear).await.unwrap().pop().unwrap();
    assert!(report.settled && report.diverged == 0 && report.forks == 0, "{what}: {report:?}");
    let delivery = client.status().await.unwrap().spaces.iter().find(|status| status.space == space).unwrap().delivery;
    assert!(delivery.on_relay && delivery.unsent == 0 && delivery.drafts == 0, "{what}: {delivery:?}");
    let now = has(&site).await;
    assert!(had.iter().all(|hash| now.contains(hash)), "{what}");
    let new = expected["unsent"].as_u64().unwrap() + expected["drafts"].as_u64().unwrap();
    assert!(now.len() as u64 >= had.len() as u64 + new, "{what}: {} and {} entries", had.len(), now.len());
    client.close().await.unwrap();
    site.stop().await;
}

#[tokio::test]
async fn a_store_of_every_schema_opens_and_goes_on() {
    watched(async {
        for (schema, expected) in fixtures() {
            let what = format!("schema {schema}");
            let place = tempfile::tempdir().unwrap();
            let fixture = folder().join(format!("schema-{schema}"));
            let device = place.path().join("device");
            copy(&fixture.join("device"), &device);
            goes_on(&device, &fixture.join("relay"), &expected, &what).await;
        }
    })
    .await;
}
