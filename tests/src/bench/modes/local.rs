//! What a device does by itself: a process on a copy of Ada's store, and no relay.

use std::path::Path;

use serde_json::{Value, json};

use super::Bench;
use crate::bench::process::DeviceProcess;

impl Bench {
    pub(super) fn save(&self, folder: &Path) -> Value {
        let command = json!({
            "do": "save", "document": self.world.documents[0].to_string(),
            "saved": self.world.saved(), "count": self.count,
        });
        self.alone(folder, &command)
    }

    pub(super) fn open(&self, folder: &Path) -> Value {
        // Every third note: more than stay in memory, and none twice.
        let ids: Vec<String> = self.world.documents.iter().step_by(3).map(ToString::to_string).collect();
        self.alone(folder, &json!({ "do": "open", "documents": ids, "saved": self.world.saved() }))
    }

    pub(super) fn list(&self, folder: &Path) -> Value {
        self.alone(folder, &json!({ "do": "list", "count": self.count }))
    }

    pub(super) fn search(&self, folder: &Path) -> Value {
        // A word that some notes have, one that every note has, and one that none has.
        let (mut device, opened) = DeviceProcess::start(&self.program, &self.world.copy_of("ada", folder));
        let mut said = json!({ "opening": opened });
        for (name, word) in [("some", "kindergarten"), ("all", "the"), ("none", "xylophone")] {
            said[name] = device.ask(&json!({ "do": "search", "count": self.count, "word": word }));
        }
        self.used(&mut said, &device);
        device.end();
        said
    }

    fn alone(&self, folder: &Path, command: &Value) -> Value {
        let (mut device, opened) = DeviceProcess::start(&self.program, &self.world.copy_of("ada", folder));
        let mut said = device.ask(command);
        said["opening"] = opened;
        self.used(&mut said, &device);
        device.end();
        said
    }

    fn used(&self, said: &mut Value, device: &DeviceProcess) {
        let used = device.used();
        said["cpu_client_s"] = json!(used.cpu_s);
        said["rss_client_kb"] = json!(used.rss_kb);
        said["peak_client_kb"] = json!(used.peak_kb);
    }
}
