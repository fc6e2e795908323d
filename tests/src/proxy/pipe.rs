//! One way of a link: what it loses, and when the rest arrives.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::Link;
use crate::random::Random;

/// Datagrams under way. They arrive in the order in which they entered.
pub(super) struct Pipe {
    random: Random,
    under_way: VecDeque<(Instant, SocketAddr, Vec<u8>)>,
    /// When the last one has left the sender, where the link has a rate.
    free: Option<Instant>,
}

impl Pipe {
    pub(super) const fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), under_way: VecDeque::new(), free: None }
    }

    /// Takes a datagram in. False: it is lost.
    pub(super) fn offer(&mut self, link: &Link, now: Instant, device: SocketAddr, bytes: &[u8]) -> bool {
        // One number for each datagram, whatever the link does with it: what is lost does not depend on the rate.
        let lost = self.random.below(1_000) < usize::from(link.loss_per_mille);
        let mut leaves = now;
        if let Some(rate) = link.bits_per_second {
            let begins = self.free.map_or(now, |free| free.max(now));
            if begins - now > on_the_line(link.queue_bytes, rate) {
                return false;
            }
            leaves = begins + on_the_line(bytes.len(), rate);
            self.free = Some(leaves);
        }
        if lost {
            return false;
        }
        let arrives = leaves + link.delay;
        // A link that became quicker does not let later ones overtake.
        let arrives = self.under_way.back().map_or(arrives, |(before, _, _)| arrives.max(*before));
        self.under_way.push_back((arrives, device, bytes.to_vec()));
        true
    }

    /// When the next one arrives.
    pub(super) fn due(&self) -> Option<Instant> {
        self.under_way.front().map(|(arrives, _, _)| *arrives)
    }

    /// The next one that has arrived.
    pub(super) fn arrived(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        self.under_way.pop_front_if(|(arrives, _, _)| *arrives <= now).map(|(_, device, bytes)| (device, bytes))
    }
}

/// How long bytes take at a rate.
fn on_the_line(bytes: usize, bits_per_second: u64) -> Duration {
    Duration::from_nanos((bytes as u64).saturating_mul(8_000_000_000) / bits_per_second.max(1))
}
