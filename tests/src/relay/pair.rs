//! A space of two members that names a relay.

use alliance_wire::membership::{Admission, Operation};

use super::{Device, Site};
use crate::random::Random;
use crate::world::{World, Writer};

/// Two members of one space that names the relay, each with a store. The first founded the space and has its
/// membership; the second only expects it.
pub struct Pair {
    /// Where everything random comes from.
    pub random: Random,
    /// Who writes; the first is the founder.
    pub writers: Vec<Writer>,
    /// The space.
    pub world: World,
    /// Their devices, in the same order.
    pub devices: Vec<Device>,
}

impl Pair {
    /// A new space; `admission` says what its membership carries for the relay.
    pub async fn new(seed: u64, site: &Site, admission: impl FnOnce(&World) -> Option<Admission>) -> Self {
        let mut random = Random::new(seed);
        let writers: Vec<Writer> = (0..2).map(|_| Writer::new(&mut random)).collect();
        let mut world = World::new(&mut random, &writers, None);
        let pin = site.address().pin(admission(&world));
        world.operate(&writers[0], world.founder, Operation::Relay(pin));
        let mut devices: Vec<Device> = writers.iter().map(|writer| Device::new(&mut random, writer)).collect();
        devices[0].store(world.membership.clone()).await;
        devices[1].expected.push(world.space);
        Self { random, writers, world, devices }
    }

    /// Member `who` writes an entry on its device.
    pub async fn write(&mut self, who: usize, payload: &[u8]) {
        let entry = self.writers[who].write(self.world.space, self.world.epoch, payload);
        self.devices[who].store([entry]).await;
    }

    /// The founder appends a membership entry on its device.
    pub async fn operate(&mut self, operation: Operation) {
        let known = self.world.membership.len();
        self.world.operate(&self.writers[0], self.world.founder, operation);
        self.devices[0].store(self.world.membership[known..].to_vec()).await;
    }

    /// Both devices and the relay hold the same, and it is not nothing.
    ///
    /// # Panics
    /// If they do not.
    pub async fn assert_equal(&self, site: &Site) {
        let here = site.hashes(self.world.space).await;
        assert!(!here.is_empty());
        for device in &self.devices {
            assert_eq!(device.hashes(self.world.space).await, here);
        }
    }
}
