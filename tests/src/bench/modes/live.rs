//! Two devices connected at once: how long an edit takes from one to the other, and what it costs each.

use std::path::Path;

use serde_json::{Value, json};

use super::{Bench, Place, connect, copy_of_relay, device, wired};
use crate::proxy::Way;

/// How many edits pass before Ben says again that he looks: what he said holds for a minute.
const WATCH_EVERY: usize = 25;

impl Bench {
    /// Ada types, Ben has the note open. One edit at a time: the next begins when the last one is shown.
    pub(super) fn live(&self, folder: &Path) -> Value {
        let data = copy_of_relay(&self.world, folder);
        let place = Place::start(&data, self.link);
        let bens = Place::link(&place.relay, self.link);
        let (mut ada, _) = device(self, &self.world.copy_of("ada", folder), &place.connect());
        let (mut ben, _) = device(self, &self.world.copy_of("ben", folder), &connect(&place.relay, &bens));
        let note = self.world.documents[0].to_string();
        for device in [&mut ada, &mut ben] {
            device.ask(&json!({ "do": "live" }));
            device.ask(&json!({ "do": "view", "document": note }));
        }
        let (mut micros, mut saved) = (Vec::new(), Vec::new());
        let type_once = json!({ "do": "type", "document": note });
        let mut edit = |measured: bool, ada: &mut super::DeviceProcess, ben: &mut super::DeviceProcess| {
            ben.say(&json!({ "do": "hear", "document": note }));
            let typed = ada.ask(&type_once);
            let heard = ben.hear();
            let nanos = |value: &Value| value.as_u64().expect("a time");
            if measured {
                micros.push((nanos(&heard["at"]) - nanos(&typed["begun"])) / 1_000);
                saved.push((nanos(&typed["saved"]) - nanos(&typed["begun"])) / 1_000);
            }
        };
        // Whether Ben's notice has reached Ada shows by the first edit: it is the one that travels.
        ben.ask(&json!({ "do": "watch", "document": note }));
        edit(false, &mut ada, &mut ben);
        let (before, relay_before) = ([ada.used(), ben.used()], place.relay.used());
        drop((place.proxy.take(), bens.take()));
        for n in 1..=self.count {
            if n % WATCH_EVERY == 0 {
                ben.ask(&json!({ "do": "watch", "document": note }));
            }
            edit(true, &mut ada, &mut ben);
        }
        let (up, down, relay) = (place.proxy.take(), bens.take(), place.relay.used());
        let after = [ada.used(), ben.used()];
        let shown = [&mut ada, &mut ben].map(|it| it.ask(&json!({ "do": "view", "document": note }))["view"].clone());
        let text = |view: &Value| view["sections"][1]["text"]["text"].clone();
        assert_eq!(text(&shown[0]), text(&shown[1]), "both see the same at the end");
        for mut device in [ada, ben] {
            device.ask(&json!({ "do": "end" }));
            device.end();
        }
        micros.sort_unstable();
        saved.sort_unstable();
        let at = |values: &[u64], part: usize| values[(values.len() - 1) * part / 100];
        let each = |bytes: u64| bytes as f64 / self.count as f64;
        let mut said = wired(&up);
        said["edits"] = json!(self.count);
        said["p50_ms"] = json!(at(&micros, 50) as f64 / 1e3);
        said["p99_ms"] = json!(at(&micros, 99) as f64 / 1e3);
        said["saved_p50_ms"] = json!(at(&saved, 50) as f64 / 1e3);
        said["udp_writer_up"] = json!(each(up.bytes(Way::Up)));
        said["udp_writer_down"] = json!(each(up.bytes(Way::Down)));
        said["udp_reader_up"] = json!(each(down.bytes(Way::Up)));
        said["udp_reader_down"] = json!(each(down.bytes(Way::Down)));
        said["cpu_client_s"] = json!(after[0].cpu_s - before[0].cpu_s);
        said["cpu_reader_s"] = json!(after[1].cpu_s - before[1].cpu_s);
        said["cpu_relay_s"] = json!(relay.cpu_s - relay_before.cpu_s);
        said["rss_client_kb"] = json!(after[0].peak_kb);
        said["rss_relay_kb"] = json!(relay.peak_kb);
        said
    }
}
