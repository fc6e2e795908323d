//! What goes wrong with nodes: their disks, their clocks, and which of their databases is used.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::disk::copy_files;
use super::fixture::RELAY;
use super::node::Node;
use super::storm::{Copy, Storm};

/// Copies of devices in one simulation: more would make every round of meetings long.
const COPIES_MAX: usize = 1;

impl Storm {
    /// The process will die inside a commit.
    pub(super) fn dies_inside(&mut self, node: usize) {
        let commits = self.world.random.below(6);
        self.world.nodes[node].disk.die_in(u32::try_from(commits).unwrap_or(0));
        self.trace.push(format!("{node} dies in {commits} commits"));
    }

    /// The disk is full, or fails now and then, or is well again.
    pub(super) fn disk(&mut self, node: usize) {
        let what = self.world.random.below(3);
        let disk = &self.world.nodes[node].disk;
        disk.set_full(what == 0);
        disk.set_failing(if what == 1 { 15 } else { 0 });
        self.trace.push(format!("{node}: {}", ["disk full", "disk fails", "disk well"][what]));
    }

    /// The clock is anything.
    pub(super) fn clock(&mut self, node: usize) {
        const YEAR: i64 = 365 * 24 * 3_600 * 1_000;
        let skews = [0, 60_000, -3_600_000, 50 * YEAR, -60 * YEAR];
        let skew = skews[self.world.random.below(skews.len())];
        self.world.nodes[node].source.set_skew(skew);
        self.world.common.faults.fire(if skew < -50 * YEAR { "clock before 1970" } else { "clock moved" });
        self.trace.push(format!("{node}: its clock is off by {skew} ms"));
    }

    /// A device backs itself up; a relay's operator copies its database without the marker.
    pub(super) async fn backup(&mut self, number: usize) {
        let node = &mut self.world.nodes[number];
        if node.is_dead() {
            return;
        }
        let folder = node.next_folder();
        std::fs::create_dir_all(&folder).expect("a folder");
        let at = Instant::now();
        if let Some(client) = node.client() {
            if client.backup(&folder.join("backup")).await.is_err() {
                return;
            }
        } else {
            copy_files(&node.folder, &folder).expect("the files can be copied");
            std::fs::remove_file(folder.join("marker")).expect("the marker is there");
        }
        self.trace.push(format!("{number} is backed up"));
        self.backups.insert(number, Copy { folder, at });
    }

    /// A node's database is lost and the last backup restored.
    pub(super) async fn restore(&mut self, number: usize) {
        let Some(Copy { folder, at }) = self.backups.remove(&number) else { return };
        self.world.nodes[number].kill();
        self.world.bury();
        self.down.remove(&number);
        self.trace.push(format!("{number} is restored from a backup"));
        let faults = self.world.common.faults.clone();
        let node = &mut self.world.nodes[number];
        if number == RELAY {
            let next = node.next_folder();
            copy_files(&folder, &next).expect("the files can be copied");
            node.start(&next, false).await;
            faults.fire("relay restored from a backup");
        } else {
            node.restore(&folder.join("backup")).await;
            faults.fire("device restored from a backup");
        }
        self.ledger.go_back(number, Some(at));
    }

    /// The relay's disk is gone; a new one has its keys and nothing else.
    pub(super) fn lose_relay(&mut self) {
        self.world.nodes[RELAY].kill();
        self.world.bury();
        let node = &mut self.world.nodes[RELAY];
        let next = node.next_folder();
        std::fs::create_dir_all(&next).expect("a folder");
        std::fs::copy(node.folder.join("secrets"), next.join("secrets")).expect("the relay's secrets");
        let back = Instant::now() + Duration::from_secs(5);
        self.down.insert(RELAY, (back, next));
        self.ledger.go_back(RELAY, None);
        self.trace.push("the relay is lost".into());
        self.world.common.faults.fire("relay lost");
    }

    /// An image of a node's disk is made, marker and all.
    pub(super) fn image(&mut self, number: usize) {
        let node = &mut self.world.nodes[number];
        if node.is_dead() {
            return;
        }
        let folder = node.next_folder();
        copy_files(&node.folder, &folder).expect("the files can be copied");
        self.trace.push(format!("an image of {number} is made"));
        self.images.insert(number, Copy { folder, at: Instant::now() });
    }

    /// One of the nodes of which there is an image is put back from it.
    pub(super) async fn put_one_back(&mut self) -> Result<(), String> {
        let numbers: Vec<usize> = self.images.keys().copied().collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let number = numbers[self.world.random.below(numbers.len())];
        self.put_back(number).await
    }

    /// A node's disk is what its image was: the database cannot know it.
    async fn put_back(&mut self, number: usize) -> Result<(), String> {
        let Some(Copy { folder, at }) = self.images.remove(&number) else { return Ok(()) };
        self.world.nodes[number].kill();
        self.world.bury();
        self.trace.push(format!("{number} is put back from an image"));
        if number == RELAY {
            self.ledger.go_back(number, Some(at));
            self.world.common.faults.fire("relay put back from an image of its disk");
            self.watcher.relay_put_back(self.world.nodes.len());
        } else {
            self.ledger.put_back(number, at);
            self.watcher.doubled(&[number]);
            self.world.common.faults.fire("device put back from an image of its disk");
        }
        self.down.insert(number, (Instant::now(), folder));
        self.rise(number).await
    }

    /// A device's files are copied while it runs, and the copy runs beside it under the same key: with the marker, and
    /// then it cannot know that it is one, or without; with another random source, or with one that says the same.
    pub(super) async fn copy(&mut self, number: usize) {
        let copies = self.world.nodes.len() - RELAY - 1;
        if self.world.nodes[number].is_dead() || copies >= COPIES_MAX {
            return;
        }
        let to = self.world.nodes.len();
        let random = &mut self.world.random;
        let (seed, marker, same) = (random.next(), random.chance(50), random.chance(50));
        let mut node = Node::new(to, false, seed, &self.world.common);
        if same {
            node.source = Arc::new(self.world.nodes[number].source.copy());
        }
        let folder = node.next_folder();
        copy_files(&self.world.nodes[number].folder, &folder).expect("the files can be copied");
        if !marker {
            std::fs::remove_file(folder.join("marker")).expect("the marker is there");
        }
        self.trace.push(format!("{number} is copied to {to}, marker: {marker}, same random source: {same}"));
        self.world.common.faults.fire(if marker { "device copied, marker and all" } else { "device copied" });
        self.ledger.copy(number, to, marker);
        self.watcher.copied(number, to);
        if marker {
            self.watcher.doubled(&[number, to]);
        }
        node.start(&folder, false).await;
        self.world.nodes.push(node);
    }
}
