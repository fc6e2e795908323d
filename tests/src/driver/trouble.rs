//! What goes wrong with nodes and connections.

use alliance_sync::{Input, Query};
use alliance_wire::{Frame, HeaderHash, Incarnation, Instance, Kind};

use super::Driver;
use crate::memory::MemoryReplica;

impl Driver {
    pub(super) fn cut_any(&mut self) {
        let Some(at) = self.any_link() else { return };
        let side = self.random.below(2);
        if let Some(frame) = self.links[at].ends[side].arriving.front() {
            // The frame that the cut goes through never arrives whole; a decoder must not take the part for a frame.
            let len = self.random.below(frame.len());
            let whole = Frame::decode(frame);
            assert!(whole.is_err() || Frame::decode(&frame[..len]) != whole, "a part of a frame is not the frame");
            let beginning = Frame::beginning(&frame[..len]);
            self.faults.fire("cut inside a frame");
            self.links[at].ends[side].arriving.clear();
            if let Some(beginning) = beginning {
                self.faults.fire("a page's beginning kept");
                self.hear_frame(at, side, beginning);
            }
        } else {
            self.faults.fire("cut between frames");
        }
        self.close(at);
    }

    /// A process dies: its connections are gone, and a transaction under way happened or did not.
    pub(super) fn crash_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        for at in 0..self.links.len() {
            for side in 0..2 {
                if self.links[at].ends[side].node == node && self.links[at].open {
                    let asked = std::mem::take(&mut self.links[at].ends[side].asked);
                    for (_, query) in asked {
                        let Query::Persist(batch) = query else { continue };
                        if self.random.chance(50) {
                            self.faults.fire("killed after the transaction");
                            let done = self.nodes[node].replica.persist(batch);
                            for tail in done.tails {
                                self.tell(node, at, tail);
                            }
                        } else {
                            self.faults.fire("killed before the transaction");
                        }
                    }
                    self.links[at].open = false;
                    let other = 1 - side;
                    self.feed(at, other, Input::Ended);
                }
            }
        }
    }

    pub(super) fn back_up_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        let it = &mut self.nodes[node];
        let writer = it.writer.as_ref().map(|writer| (writer.incarnation, writer.data));
        let (incarnation, data) = writer.unwrap_or((Incarnation([0; 16]), (0, HeaderHash::NONE)));
        it.backup = Some((it.replica.clone(), incarnation, data));
    }

    /// The database is lost and an older one restored: a new instance, and a new incarnation for what is written.
    pub(super) fn restore_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        self.disconnect(node);
        let it = &mut self.nodes[node];
        let Some((backup, _, _)) = it.backup.clone() else { return };
        self.faults.fire("restored from a backup");
        it.replica = backup;
        it.replica.instance = Instance(self.random.bytes16());
        if let Some(writer) = &mut it.writer {
            writer.begin_anew(Incarnation(self.random.bytes16()));
        }
    }

    /// A whole disk was copied with its marker: the same incarnation writes on from an old number. Nothing can tell
    /// until two entries of one number meet.
    pub(super) fn copy_any(&mut self) {
        let node = self.random.below(self.nodes.len() - 1);
        self.disconnect(node);
        let it = &mut self.nodes[node];
        let Some((backup, incarnation, data)) = it.backup.clone() else { return };
        let Some(writer) = &mut it.writer else { return };
        if writer.data == data && writer.incarnation == incarnation {
            return;
        }
        self.faults.fire("copied database");
        it.replica = backup;
        writer.incarnation = incarnation;
        writer.data = data;
        // The first contact shows it; a device that learns of its own fork starts a new incarnation. Until then it
        // writes once more into the old log.
        self.write_on(node);
        let it = &mut self.nodes[node];
        if let Some(writer) = &mut it.writer {
            writer.begin_anew(Incarnation(self.random.bytes16()));
        }
    }

    /// A file system loses an entry of somebody else's, and nobody notices (R6).
    pub(super) fn lose_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        self.disconnect(node);
        let kind = if self.random.chance(30) { Kind::Membership } else { Kind::Data };
        let it = &mut self.nodes[node];
        if it.replica.lose(self.space, it.key, kind) {
            self.faults.fire("entry lost in silence");
            it.backup = None;
        }
    }

    /// There is no room on a disk any more, or room again.
    pub(super) fn fill_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        let replica = &mut self.nodes[node].replica;
        replica.full = !replica.full;
        if replica.full {
            self.faults.fire("disk full");
        }
    }

    /// The relay's disk is replaced by an empty one.
    pub(super) fn lose_relay(&mut self) {
        let relay = self.nodes.len() - 1;
        self.disconnect(relay);
        self.faults.fire("relay's database lost");
        self.nodes[relay].replica = MemoryReplica::new(Instance(self.random.bytes16()));
        self.nodes[relay].backup = None;
    }

    fn disconnect(&mut self, node: usize) {
        for at in 0..self.links.len() {
            if self.links[at].open && self.links[at].ends.iter().any(|end| end.node == node) {
                self.close(at);
            }
        }
    }
}
