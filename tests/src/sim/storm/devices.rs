//! A device of Ben's is suspended by another one of his, and comes back by his recovery words.

use std::collections::BTreeSet;

use alliance_client::{Client, SpaceId, Standing};

use super::Storm;
use crate::sim::fixture::{BEN, LAPTOP, RELAY};

impl Storm {
    /// One of Ben's devices suspends the other one, in everything that it knows of.
    pub(super) async fn suspend(&mut self) -> Result<(), String> {
        let key = self.world.nodes[if self.world.random.chance(70) { LAPTOP } else { BEN }].key;
        let (theirs, others): (Vec<usize>, Vec<usize>) =
            self.bens().into_iter().partition(|node| self.world.nodes[*node].key == key);
        let by = others[self.world.random.below(others.len())];
        let Some(client) = self.world.nodes[by].client().cloned() else { return Ok(()) };
        self.trace.push(format!("{by} suspends {theirs:?}"));
        // A disk that fails may have kept it all the same.
        self.world.out.insert(key);
        self.ledger.suspended(by, &theirs);
        match client.suspend_device(&key.to_string()).await {
            Ok(view) if view.suspended.is_empty() => {}
            Ok(_) => self.world.common.faults.fire("device suspended by another"),
            Err(error) => self.may_fail(by, &error)?,
        }
        Ok(())
    }

    /// Ben types his words into one of his devices, whatever became of it: those that it knows to be suspended come back.
    pub(super) async fn restore_by_words(&mut self, by: usize) -> Result<(), String> {
        let Some(client) = self.world.nodes[by].client().cloned() else { return Ok(()) };
        let devices = match client.devices().await {
            Ok(devices) => devices,
            Err(error) => return self.may_fail(by, &error),
        };
        for device in devices.iter().filter(|device| !device.suspended.is_empty()) {
            self.trace.push(format!("{by} takes back that {} is suspended", device.device.short()));
            match client.restore_device(&device.device.to_string(), &self.words).await {
                Ok(_) => self.world.common.faults.fire("device let in again by the words"),
                Err(error) => self.may_fail(by, &error)?,
            }
        }
        Ok(())
    }

    /// Whoever is suspended comes back, as far as any device of Ben's has heard.
    pub(in crate::sim) async fn let_all_return(&mut self) -> Result<(), String> {
        for by in self.bens() {
            self.restore_by_words(by).await?;
        }
        Ok(())
    }

    /// Some device of Ben's, or a copy of one.
    pub(super) fn some_of_bens(&mut self) -> usize {
        let all = self.bens();
        all[self.world.random.below(all.len())]
    }

    fn bens(&self) -> Vec<usize> {
        (0..self.world.nodes.len()).filter(|node| *node != RELAY && self.world.is_bens(*node)).collect()
    }

    /// The spaces in which a device is suspended, of which it shows nothing (I6).
    pub(in crate::sim) async fn locked(&self, device: usize, client: &Client) -> Result<BTreeSet<SpaceId>, String> {
        let spaces = client.spaces().await.map_err(|error| format!("node {device}: {error}"))?;
        let locked: BTreeSet<SpaceId> =
            spaces.iter().filter(|space| space.standing == Standing::Suspended).map(|space| space.space).collect();
        for (_, note) in self.notes.iter().filter(|(space, _)| locked.contains(space)) {
            let looked = client.view(*note).await;
            let codes = ["DEVICE_SUSPENDED", "UNKNOWN_DOCUMENT"];
            if !looked.as_ref().is_err_and(|error| codes.contains(&error.code())) {
                return Err(format!("I6 node {device} is suspended and shows {}", note.short()));
            }
        }
        Ok(locked)
    }
}
