//! Devices seal and meet in the midst of it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Storm;
use crate::sim::fixture::RELAY;

impl Storm {
    pub(super) async fn seal(&mut self, device: usize) {
        let Some(client) = self.world.nodes[device].client().cloned() else { return };
        let began = Instant::now();
        if client.seal_all().await.is_ok()
            && let Some(open) = self.open_notes(device).await
        {
            self.trace.push(format!("{device} seals"));
            self.ledger.seal(device, began, false, &open);
        }
    }

    pub(super) fn meet(&mut self, from: usize, to: usize) {
        if self.world.begin(from, to, None) {
            self.trace.push(format!("{from} dials {to}"));
        }
    }

    /// A device stays connected to the relay for a while.
    pub(super) fn stay(&mut self, device: usize) {
        let (stop, stopped) = watch::channel(false);
        if self.world.begin(device, RELAY, Some(stopped)) {
            self.trace.push(format!("{device} stays connected"));
            let long = Duration::from_millis(self.world.random.below(60_000) as u64);
            let task = tokio::spawn(async move {
                tokio::time::sleep(long).await;
                stop.send_replace(true);
            });
            self.world.nodes[device].tasks.push(task);
        }
    }
}
