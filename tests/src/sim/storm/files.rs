//! People exchange files: what one wrote, others take soon, late, again, cut or damaged.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use alliance_client::{BundleFor, BundleFrom, BundleStream};
use tokio::time::Instant;

use super::Storm;

/// Files that lie about; the oldest go.
const FILES_MAX: usize = 3;

/// A file, and who has taken it whole.
pub(super) struct Card {
    bytes: Vec<u8>,
    taken: Vec<usize>,
}

/// A stream whose bytes are looked at later.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Storm {
    /// Somebody writes a file for everybody, or takes one that lies about.
    pub(super) async fn file(&mut self, device: usize) -> Result<(), String> {
        if self.cards.is_empty() || self.world.random.chance(40) {
            self.write_file(device).await
        } else {
            self.take_file(device).await
        }
    }

    async fn write_file(&mut self, device: usize) -> Result<(), String> {
        let from = [BundleFrom::Receipts, BundleFrom::Receipts, BundleFrom::Beginning, BundleFrom::Question];
        let from = from[self.world.random.below(4)].clone();
        let Some(client) = self.world.nodes[device].client().cloned() else { return Ok(()) };
        let (out, began) = (Shared::default(), Instant::now());
        let written = match client.plan_bundle(BundleFor::Everybody, from, false).await {
            Ok(plan) => client.write_bundle(plan, BundleStream(out.clone()), |_| {}).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(written) => {
                self.trace.push(format!("{device} writes a file of {} bytes", written.bytes));
                if let Some(open) = self.open_notes(device).await {
                    self.ledger.seal(device, began, false, &open);
                }
            }
            Err(error) if error.code() == "NOBODY_TO_READ" => return Ok(()),
            Err(error) => return self.may_fail(device, &error),
        }
        if self.cards.len() == FILES_MAX {
            self.cards.remove(0);
        }
        let bytes = std::mem::take(&mut *out.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.cards.push(Card { bytes, taken: Vec::new() });
        Ok(())
    }

    async fn take_file(&mut self, device: usize) -> Result<(), String> {
        let Some(client) = self.world.nodes[device].client().cloned() else { return Ok(()) };
        let card = self.world.random.below(self.cards.len());
        let mut bytes = self.cards[card].bytes.clone();
        let at = self.world.random.below(bytes.len());
        let harm = match self.world.random.below(10) {
            0..=1 => {
                bytes.truncate(at);
                Some("file cut")
            }
            2..=3 => {
                bytes[at] ^= 1 << self.world.random.below(8);
                Some("file damaged")
            }
            _ => None,
        };
        self.trace.push(format!("{device} takes a file{}", harm.map_or("", |_| ", which was harmed")));
        match client.import_bundle(Cursor::new(bytes), |_| {}).await {
            Ok(_) => {
                let taken = &mut self.cards[card].taken;
                let again = taken.contains(&device);
                if harm.is_none() && !again {
                    taken.push(device);
                }
                self.world.common.faults.fire(harm.unwrap_or(if again { "file taken again" } else { "file taken" }));
                Ok(())
            }
            // What says what it is, or whom it is for, was hit.
            Err(error) if harm.is_some() && ["BUNDLE_DAMAGED", "BUNDLE_NEWER"].contains(&error.code()) => Ok(()),
            Err(error) if error.code() == "BUNDLE_NOT_FOR_YOU" => Ok(()),
            Err(error) => self.may_fail(device, &error),
        }
    }
}
