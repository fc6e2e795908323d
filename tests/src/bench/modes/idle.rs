//! Many devices that are connected and silent: what each costs the relay.

use std::path::Path;

use alliance_net::RelayAddress;
use alliance_wire::membership::Operation;
use serde_json::{Value, json};

use super::{Bench, Place};
use crate::proxy::Way;
use crate::random::Random;
use crate::relay::Device;
use crate::world::{World as Space, Writer};

/// Spaces of each device.
const SPACES: usize = 32;
const SEED: u64 = 7;

impl Bench {
    /// `connections` devices with 32 spaces of their own each. They push them first; then the relay starts anew, so that
    /// what it holds for connections is all that it holds.
    pub(super) async fn idle(&self, folder: &Path, connections: usize) -> Value {
        let data = folder.join("relay");
        let place = Place::start(&data, self.link);
        let mut random = Random::new(SEED);
        let relay = place.relay.address();
        let mut devices = Vec::new();
        for _ in 0..connections {
            let writer = Writer::new(&mut random);
            let device = Device::new(&mut random, &writer);
            for _ in 0..SPACES {
                let mut space = Space::new(&mut random, std::slice::from_ref(&writer), None);
                let founder = space.founder;
                space.operate(&writer, founder, Operation::Relay(relay.pin(None)));
                device.store(space.membership.clone()).await;
            }
            let visit = device.visit(&relay).await;
            assert!(visit.settled(), "{visit:?}");
            devices.push(device);
        }
        place.relay.end();
        let place = Place::start(&data, self.link);
        let through = RelayAddress::new(place.relay.address().key(), place.proxy.address().to_string());
        let through = through.expect("an address");
        let (mut live, mut first) = (Vec::new(), None);
        for device in &devices {
            let mut connection = device.live(&through).await;
            connection.until(|event| *event == alliance_sync::Event::Settled).await.expect("it settles");
            live.push(connection);
            first.get_or_insert_with(|| place.relay.used());
        }
        let (used, wire) = (place.relay.used(), place.proxy.take());
        let mut frame_bytes = 0;
        for connection in live {
            frame_bytes += connection.leave().await.frame_bytes;
        }
        // What the first connection alone makes the relay hold is not repeated by the others.
        let each = |kb: u64| kb as f64 / (connections.max(2) - 1) as f64;
        let base = first.map_or(0, |used| used.rss_kb);
        json!({
            "connections": connections,
            "spaces": SPACES,
            "rss_relay_kb": used.rss_kb,
            "rss_relay_at_rest_kb": place.at_rest.rss_kb,
            "rss_per_connection_kb": each(used.rss_kb.saturating_sub(base)),
            "cpu_relay_s": used.cpu_s - place.at_rest.cpu_s,
            "protocol_per_connection": frame_bytes as f64 / connections as f64,
            "wire_up": wire.bytes(Way::Up),
            "wire_down": wire.bytes(Way::Down),
        })
    }
}
