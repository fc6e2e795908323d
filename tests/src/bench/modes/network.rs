//! Contacts with a relay: the first push, a cold start, and coming back when little or nothing is new.

use std::path::Path;
use std::time::Instant;

use alliance_client::{Client, NewSpace};
use alliance_model::DocumentKind;
use serde_json::{Value, json};

use super::{Bench, Place, contact, copy_of_relay, device, empty_relay};
use crate::bench::bare::BareStore;
use crate::bench::clock::cpu_seconds;
use crate::bench::notes::Scribe;
use crate::bench::process::{DeviceProcess, folder_bytes};
use crate::bench::workload::{ALLIANCES, Workload};
use crate::people::{PASSPHRASE, options};

/// Bytes of a payload in the bare loop: about what an entry of the workload has.
const BARE_PAYLOAD_BYTES: usize = 300;
/// Rows that the bare loop commits at a time.
const BARE_GROUP: usize = 100;

impl Bench {
    /// A device gives a relay that has nothing all that it has.
    pub(super) fn push(&self, folder: &Path) -> Value {
        let data = empty_relay(&self.world, folder);
        let place = Place::start(&data, self.link);
        let (mut ada, _) = device(self, &self.world.copy_of("ada", folder), &place.connect());
        let mut said = contact(&mut ada, &place);
        ada.end();
        self.end_push(&mut said, place, folder, self.world.entries);
        said
    }

    /// The same notes as one author's single entries in their final state: what bytes without a history cost.
    pub(super) async fn push_final(&self, folder: &Path) -> Value {
        let place = Place::start(&folder.join("relay"), self.link);
        let store = folder.join("final");
        let alliances = self.world.spaces.len();
        let notes = self.world.documents.len() / alliances.max(1);
        let client = Client::create(&store, PASSPHRASE, "Ada", None, options()).await.expect("a new store").0;
        client.add_relay(&place.connect(), None).await.expect("the relay is known");
        let workload = Workload::new(7);
        let mut entries = 0;
        for (alliance, docs) in workload.docs.chunks(workload.docs.len() / ALLIANCES).enumerate().take(alliances) {
            let title = format!("Alliance {alliance:02}");
            let space = client.create_space(&title, NewSpace::Peers(3)).await.expect("a space").space;
            for note in &docs[..notes] {
                let document = client.create_document(space, DocumentKind::Note).await.expect("a note");
                for command in Scribe::new(note, 1).begin(&note.end) {
                    client.command(document, None, command).await.expect("the workload's notes fit");
                }
                client.seal(document).await.expect("the draft is sealed");
                entries += 1;
            }
        }
        client.close().await.expect("the store closes");
        let (mut ada, _) = DeviceProcess::start(&self.program, &store);
        let mut said = contact(&mut ada, &place);
        ada.end();
        self.end_push(&mut said, place, folder, entries);
        said
    }

    fn end_push(&self, said: &mut Value, place: Place, folder: &Path, entries: usize) {
        place.relay.end();
        said["entries"] = json!(entries);
        said["relay_disk"] = json!(folder_bytes(&folder.join("relay")));
        let (cpu, begun) = (cpu_seconds(), Instant::now());
        BareStore::create(&folder.join("bare.db"), false).insert_groups(entries, BARE_GROUP, &[7; BARE_PAYLOAD_BYTES]);
        let bare_cpu = cpu_seconds() - cpu;
        said["bare"] = json!({ "cpu_s": bare_cpu, "wall_s": begun.elapsed().as_secs_f64(), "group": BARE_GROUP });
        said["relay_cpu_ratio"] = json!(said["cpu_relay_s"].as_f64().unwrap_or_default() / bare_cpu);
    }

    /// A device that was let in and has nothing gets everything.
    pub(super) fn cold(&self, folder: &Path) -> Value {
        let data = copy_of_relay(&self.world, folder);
        let place = Place::start(&data, self.link);
        let (mut cleo, _) = device(self, &self.world.copy_of("cleo", folder), &place.connect());
        let mut said = contact(&mut cleo, &place);
        said["rows"] = cleo.ask(&json!({ "do": "rows" }))["rows"].clone();
        cleo.end();
        // What loading the same notes costs the engine, in this run.
        let mut seconds = 0.0;
        for document in &self.world.documents {
            let bytes = std::fs::read(self.world.saved().join(document.to_string())).expect("the note's bytes");
            let before = cpu_seconds();
            drop(crate::bench::bare::BareNote::new(&bytes));
            seconds += cpu_seconds() - before;
        }
        said["bare_load_cpu_s"] = json!(seconds);
        said["load_ratio"] = json!(said["cpu_client_s"].as_f64().unwrap_or_default() / seconds);
        said
    }

    /// A device comes back and nothing is new: as a new process, then again in the same one.
    pub(super) fn warm0(&self, folder: &Path) -> Value {
        let data = copy_of_relay(&self.world, folder);
        let place = Place::start(&data, self.link);
        let (mut ada, _) = device(self, &self.world.copy_of("ada", folder), &place.connect());
        let mut said = contact(&mut ada, &place);
        said["living"] = contact(&mut ada, &place);
        ada.end();
        said
    }

    /// A device comes back and ten notes have changed.
    pub(super) fn warm10(&self, folder: &Path) -> Value {
        let data = copy_of_relay(&self.world, folder);
        let place = Place::start(&data, self.link);
        let mut ids: Vec<String> = self.world.documents.iter().map(ToString::to_string).collect();
        ids.sort_unstable();
        // Index 37 of each hundred; of a smaller world, one note.
        let changed: Vec<&String> = ids.iter().skip(37.min(ids.len() - 1)).step_by(100).collect();
        let (mut ben, _) = device(self, &self.world.copy_of("ben", folder), &place.connect());
        ben.ask(&json!({ "do": "edit", "documents": changed }));
        let pushed = ben.ask(&json!({ "do": "sync" }));
        ben.end();
        let (mut ada, _) = device(self, &self.world.copy_of("ada", folder), &place.connect());
        let mut said = contact(&mut ada, &place);
        ada.end();
        said["changed"] = json!(changed.len());
        said["pushed"] = json!({ "up": pushed["bytes_up"], "down": pushed["bytes_down"] });
        said
    }
}
