//! What is looked at after every step: all entries that became durable anywhere since the step before.

use std::collections::{BTreeMap, BTreeSet};

use alliance_client::{Rules, SpaceId};
use alliance_crypto::Verifier;
use alliance_store::{Replica as _, SqliteReplica};
use alliance_sync::{Outgoing, Part, Since};
use alliance_wire::{DeviceKey, Entry, EpochId, HashPrefix, HeaderHash, Instance, LogId, LogName};

use super::fixture::RELAY;
use super::world::World;

/// Bytes of a page that is read at once.
const PAGE: usize = 1024 * 1024;
/// Where a payload's nonce lies.
const NONCE: core::ops::Range<usize> = 1..25;

/// A node's process: its place, and how many it had before.
type Life = (usize, u64);

/// What one process is known to hold.
#[derive(Debug, Default)]
struct Holding {
    upto: BTreeMap<SpaceId, u64>,
    heads: BTreeMap<(SpaceId, LogId), (u64, HeaderHash)>,
    entries: BTreeMap<(SpaceId, HashPrefix), (HeaderHash, DeviceKey)>,
    proofs: BTreeSet<LogId>,
    /// How far the acknowledgements of each life of its relay were looked at.
    acknowledged: BTreeMap<(SpaceId, u64), u64>,
}

/// Everything that was ever seen.
#[derive(Debug, Default)]
pub struct Watcher {
    holdings: BTreeMap<Life, Holding>,
    nonces: BTreeMap<(EpochId, LogId, [u8; 24]), [u8; 32]>,
    numbers: BTreeMap<(LogId, u64, HeaderHash), HeaderHash>,
    /// Devices whose relay was put back from an image: until both have met, it cannot know what it acknowledged.
    unsettled: BTreeSet<usize>,
    /// Devices of which there are two.
    doubles: BTreeSet<usize>,
    /// How often something was looked at, for proving that something was.
    pub looked: u64,
}

impl Watcher {
    /// A relay's database is an older one that cannot know it.
    pub fn relay_put_back(&mut self, devices: usize) {
        self.unsettled = (0..devices).collect();
    }

    /// Two databases have the same key and instance, and neither knows: what a relay acknowledged to one it seems to have
    /// acknowledged to the other where their numbers agree by chance. Digests find what is missing (I5).
    pub fn doubled(&mut self, nodes: &[usize]) {
        self.doubles.extend(nodes);
    }

    /// A device's database was copied to another node.
    pub fn copied(&mut self, from: usize, to: usize) {
        if self.unsettled.contains(&from) {
            self.unsettled.insert(to);
        }
    }

    /// A device and the relay have met and agreed.
    pub fn settled(&mut self, device: usize) {
        self.unsettled.remove(&device);
    }

    /// Looks at what is new everywhere.
    ///
    /// # Errors
    /// A sentence about the invariant that does not hold.
    pub async fn look(&mut self, world: &World, spaces: &[SpaceId]) -> Result<(), String> {
        world.quiet(true);
        let looked = self.look_at_all(world, spaces).await;
        world.quiet(false);
        looked
    }

    async fn look_at_all(&mut self, world: &World, spaces: &[SpaceId]) -> Result<(), String> {
        // Asked before the entries are read: connections go on meanwhile, and the relay takes what it then acknowledges.
        let acknowledged = self.acknowledged(world, spaces).await?;
        for node in world.nodes.iter().filter(|node| !node.is_dead() && !node.hostile) {
            let Some(replica) = node.replica() else { continue };
            let life = (node.number, node.lives());
            for (place, space) in spaces.iter().enumerate() {
                self.read(life, replica, *space, &world.writers(place))
                    .await
                    .map_err(|what| format!("node {}: {what}", node.number))?;
            }
        }
        for (node, place) in acknowledged {
            self.look_at_acked(world, node, place).await?;
        }
        Ok(())
    }

    async fn read(
        &mut self,
        life: Life,
        replica: &SqliteReplica,
        space: SpaceId,
        writers: &[DeviceKey],
    ) -> Result<(), String> {
        loop {
            let after = self.holdings.entry(life).or_default().upto.get(&space).copied().unwrap_or(0);
            let since = Since { space, after, part: Part::Everything, bytes: PAGE };
            let page = replica.since(since).await.map_err(|error| format!("a page cannot be read: {error}"))?;
            for item in page.items {
                match item {
                    Outgoing::Entry(name, entry) => self.entry(life, space, &name, entry, writers)?,
                    Outgoing::Fork(name, _) => {
                        let holding = self.holdings.entry(life).or_default();
                        holding.proofs.insert(name.id(space));
                        // What the log and its continuations are is settled anew by the proof.
                        holding.heads.retain(|(of, _), _| *of != space);
                        holding.upto.insert(space, after);
                    }
                    Outgoing::Receipt(_) => {}
                }
            }
            self.holdings.entry(life).or_default().upto.insert(space, page.upto.max(after));
            if !page.more || page.upto <= after {
                return Ok(());
            }
        }
    }

    fn entry(
        &mut self,
        life: Life,
        space: SpaceId,
        name: &LogName,
        entry: Entry,
        writers: &[DeviceKey],
    ) -> Result<(), String> {
        self.looked += 1;
        let header = entry.header().clone();
        let (seq, prev, hash) = (header.seq, header.prev, header.hash());
        // I4, I7: what is stored was signed by its author, who is a member, and continues its log.
        let payload = entry.payload.clone();
        Verifier::new(Rules::ALL)
            .verify(space, name, entry)
            .map_err(|error| format!("I4 entry {seq} of log {}: {error}", header.log.short()))?;
        if !writers.contains(&name.device) {
            return Err(format!(
                "I7 entry {seq} of log {} is of {}, no member",
                header.log.short(),
                name.device.short()
            ));
        }
        let before = if seq == 1 { None } else { Some(prev) };
        let known = self.numbers.entry((header.log, seq, hash)).or_insert(prev);
        if *known != prev {
            return Err(format!("I4 two entries of hash {} differ", hash.short()));
        }
        let holding = self.holdings.entry(life).or_default();
        if before
            .is_some_and(|before| holding.entries.get(&(space, before.prefix())).map(|(hash, _)| *hash) != Some(before))
        {
            return Err(format!("I4 entry {seq} of log {} stands without its predecessor", header.log.short()));
        }
        holding.entries.insert((space, hash.prefix()), (hash, name.device));
        // I4: one number, one entry, or the proof that its author signed two.
        let log = name.id(space);
        match holding.heads.get(&(space, log)) {
            Some((at, other)) if *at == seq && *other != hash && !holding.proofs.contains(&log) => {
                return Err(format!("I4 log {} has two entries {seq} and no proof", log.short()));
            }
            Some((at, _)) if *at >= seq => {}
            _ => {
                holding.heads.insert((space, log), (seq, hash));
            }
        }
        // I9: no nonce twice under one key; each log of each epoch has a key of its own.
        if let (Some(epoch), Some(payload)) = (header.epoch(), payload) {
            let nonce: [u8; 24] = payload
                .get(NONCE)
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| format!("entry {seq} is too short to be sealed"))?;
            let known = self.nonces.entry((epoch, header.log, nonce)).or_insert(header.payload_hash);
            if *known != header.payload_hash {
                return Err(format!("I9 log {} uses a nonce twice, at entry {seq}", header.log.short()));
            }
        }
        Ok(())
    }

    /// What the relay acknowledged to each device that it may be held to: the device, and up to which number of a space.
    async fn acknowledged(&self, world: &World, spaces: &[SpaceId]) -> Result<Vec<(usize, (SpaceId, u64))>, String> {
        let relay = &world.nodes[RELAY];
        let (Some(theirs), false) = (relay.replica(), relay.is_dead()) else { return Ok(Vec::new()) };
        let instance: Instance = theirs.instance();
        let mut acknowledged = Vec::new();
        for node in world.nodes.iter().filter(|node| !node.relay && !node.hostile && !node.is_dead()) {
            let Some(replica) = node.replica() else { continue };
            if self.unsettled.contains(&node.number) || self.doubles.contains(&node.number) {
                continue;
            }
            let fails = |error| format!("I2 cannot be looked at: {error}");
            if replica.peer_instance(relay.key).await.map_err(fails)? != Some(instance) {
                continue;
            }
            let cursors = replica.cursors(instance).await.map_err(fails)?;
            let cursors = cursors.into_iter().filter(|cursor| spaces.contains(&cursor.space));
            acknowledged.extend(cursors.map(|cursor| (node.number, (cursor.space, cursor.acked))));
        }
        Ok(acknowledged)
    }

    /// I2: what the relay acknowledged is there.
    async fn look_at_acked(&mut self, world: &World, node: usize, (space, upto): (SpaceId, u64)) -> Result<(), String> {
        let (node, relay) = (&world.nodes[node], &world.nodes[RELAY]);
        let (key, out) = (node.key, world.out.contains(&node.key));
        let (Some(replica), false) = (node.replica(), node.is_dead() || relay.is_dead()) else { return Ok(()) };
        let (life, relay): (Life, Life) = ((node.number, node.lives()), (RELAY, relay.lives()));
        let from = self.holdings.entry(life).or_default().acknowledged.insert((space, relay.1), upto).unwrap_or(0);
        let at = (from + 1..=upto).map(|number| (space, number)).collect();
        let hashes = replica.hashes_at(at).await.map_err(|error| format!("I2 cannot be looked at: {error}"))?;
        let empty = Holding::default();
        let ours = self.holdings.get(&life).unwrap_or(&empty);
        let theirs = self.holdings.get(&relay).unwrap_or(&empty);
        for hash in hashes.into_iter().flatten() {
            self.looked += 1;
            // Receipts and proofs have numbers, too; they are not what a person waits for.
            let Some((_, author)) = ours.entries.get(&(space, hash)) else { continue };
            // Who was put out hands over its own, which is what is acknowledged to it (docs/PROTOCOL.md, put out).
            let counts = !out || *author == key;
            if counts && !theirs.entries.contains_key(&(space, hash)) {
                let node = life.0;
                return Err(format!(
                    "I2 node {node}: the relay acknowledged up to {upto} (from {from}) and has not entry {}",
                    hash.short()
                ));
            }
        }
        Ok(())
    }
}
