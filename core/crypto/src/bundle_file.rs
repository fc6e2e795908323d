//! Keys and pages of bundles in files (PROTOCOL section 3, bundles).
//!
//! ```text
//! device slot = HPKE, as for key boxes, to the device's box key; info: "alliance v1 bundle box" ‖ bundle ‖ parcel ‖ device
//! relay slot  = small sealed message under a key made of the relay's public key, as in a parcel's slot
//! page        = small sealed message under the parcel's key; associated data: parcel ‖ number (8)
//! ```
//!
//! A relay has no box key. Its slot hides the parcel from whoever does not know that relay's key; whoever knows it sees what
//! the relay would.

use alliance_wire::bundle_file::{
    BUNDLE_FILE_VERSION, BundleId, DEVICE_SLOT_BYTES, Head, PageBody, ParcelId, RELAY_SLOT_BYTES, SealedPage,
    SignedPage,
};
use alliance_wire::{BoxKey, DeviceKey, Frame, limits};

use crate::boxes::{open_with, seal_to};
use crate::keys::{DeviceSecret, Secret, verify};
use crate::parcel::slot_key;
use crate::seal::OpenError;
use crate::small::{SmallDomain, open_small, seal_small};
use crate::wiped::KeyBytes;

/// Slots of a head are filled up to a multiple of this, so that their number says little of who receives.
const SLOTS_STEP: usize = 8;

/// The key under which the pages of one parcel are sealed.
#[derive(Debug)]
pub struct BundleKey(KeyBytes);

/// What a head is made of.
#[derive(Debug, Clone, Copy)]
pub struct HeadSeal<'a> {
    /// The bundle.
    pub bundle: BundleId,
    /// The parcel.
    pub parcel: ParcelId,
    /// The devices that may open it, with their box keys; at most [`limits::PARCEL_SLOTS_MAX`] are taken.
    pub devices: &'a [(DeviceKey, BoxKey)],
    /// The relays that may.
    pub relays: &'a [DeviceKey],
}

/// Why a page is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// It does not open under the parcel's key.
    #[error("the page does not open")]
    Sealed,
    /// A newer version wrote it.
    #[error("the page is of a newer version")]
    Newer,
    /// It is not what a page can be.
    #[error("not a page")]
    Malformed,
    /// Its writer did not sign it.
    #[error("the page's signature does not verify")]
    Signature,
}

impl BundleKey {
    /// A key for one parcel; `random` is drawn for it alone.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(KeyBytes::new(random))
    }

    /// Seals this key to everybody who may open the parcel. `random` is hedged by the writer's secret.
    #[must_use]
    pub fn seal(&self, writer: &DeviceSecret, to: &HeadSeal<'_>, random: [u8; 32]) -> Head {
        let mut slots = Vec::new();
        for (device, boxes) in to.devices.iter().take(limits::PARCEL_SLOTS_MAX) {
            let info = info(to.bundle, to.parcel, *device);
            let seed = writer.hedge(random, "bundle box", &[&info, &self.0[..]]);
            // A box key that is none was refused with its card.
            slots.extend(seal_to(&seed, *boxes, &info, &self.0));
        }
        let fill = slots.len().next_multiple_of(SLOTS_STEP).min(limits::PARCEL_SLOTS_MAX);
        for n in slots.len()..fill {
            slots.push(blind(writer, random, to, n));
        }
        // Their order says nothing.
        slots.sort_unstable();
        let mut relays: Vec<Vec<u8>> =
            to.relays.iter().map(|relay| self.seal_for_relay(to.parcel, *relay, random)).collect();
        relays.sort_unstable();
        relays.truncate(limits::PARCEL_SLOTS_MAX);
        let (bundle, parcel) = (to.bundle, to.parcel);
        let (devices, relays) = (slots.concat().into(), relays.concat().into());
        Head { version: BUNDLE_FILE_VERSION, bundle, parcel, devices, relays }
    }

    fn seal_for_relay(&self, parcel: ParcelId, relay: DeviceKey, random: [u8; 32]) -> Vec<u8> {
        let key = slot_key(&parcel, relay);
        seal_small(SmallDomain::ParcelSlot, &key, &parcel, self.0.as_slice(), random)
    }

    /// The key in a head, if one of its slots is for this device.
    #[must_use]
    pub fn open(head: &Head, device: &DeviceSecret) -> Option<Self> {
        let info = info(head.bundle, head.parcel, device.key());
        head.devices.chunks_exact(DEVICE_SLOT_BYTES).find_map(|slot| {
            let slot: &[u8; DEVICE_SLOT_BYTES] = slot.try_into().ok()?;
            open_with(device, &info, slot).map(Self)
        })
    }

    /// The key in a head, if one of its slots is for the relay with this public key: whoever hands the parcel to it.
    #[must_use]
    pub fn open_for_relay(head: &Head, relay: DeviceKey) -> Option<Self> {
        let key = slot_key(&head.parcel, relay);
        head.relays.chunks_exact(RELAY_SLOT_BYTES).find_map(|slot| {
            let opened = open_small(SmallDomain::ParcelSlot, &key, &head.parcel, slot).ok()?;
            KeyBytes::from_slice(&zeroize::Zeroizing::new(opened)).map(Self)
        })
    }

    /// Signs and seals a page.
    #[must_use]
    pub fn seal_page(
        &self,
        writer: &DeviceSecret,
        (parcel, number): (ParcelId, u64),
        body: &PageBody,
        random: [u8; 32],
    ) -> SealedPage {
        let body = body.encode();
        let signature = writer.sign(&SignedPage::message(parcel, number, &body));
        let signed = SignedPage { writer: writer.key(), signature, body: body.into() };
        let sealed = seal_small(SmallDomain::BundlePage, &self.0, &place(parcel, number), &signed.encode(), random);
        SealedPage { parcel, number, sealed: sealed.into() }
    }

    /// Opens a page: who wrote it, what it says, its frames.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn open_page(&self, page: &SealedPage) -> Result<(DeviceKey, PageBody, Vec<Frame>), PageError> {
        let ad = place(page.parcel, page.number);
        let opened = open_small(SmallDomain::BundlePage, &self.0, &ad, &page.sealed);
        let newer = |error| matches!(error, OpenError::Version);
        let opened = opened.map_err(|error| if newer(error) { PageError::Newer } else { PageError::Sealed })?;
        let signed = SignedPage::decode(&opened).map_err(|_| PageError::Malformed)?;
        let message = SignedPage::message(page.parcel, page.number, &signed.body);
        verify(signed.writer, &message, &signed.signature).map_err(|_| PageError::Signature)?;
        let (body, frames) = PageBody::decode(&signed.body).map_err(|_| PageError::Malformed)?;
        Ok((signed.writer, body, frames))
    }
}

fn info(bundle: BundleId, parcel: ParcelId, device: DeviceKey) -> Vec<u8> {
    [b"alliance v1 bundle box".as_slice(), &bundle, &parcel, &device.0].concat()
}

fn place(parcel: ParcelId, number: u64) -> Vec<u8> {
    [parcel.as_slice(), &number.to_be_bytes()].concat()
}

/// A slot for nobody. A point of X25519 has 255 bits, and so has this.
fn blind(writer: &DeviceSecret, random: [u8; 32], to: &HeadSeal<'_>, n: usize) -> [u8; DEVICE_SLOT_BYTES] {
    let seed = writer.hedge(random, "bundle blind slot", &[&to.bundle, &to.parcel, &(n as u64).to_be_bytes()]);
    let mut slot = [0; DEVICE_SLOT_BYTES];
    blake3::Hasher::new_keyed(&seed).finalize_xof().fill(&mut slot);
    slot[31] &= 0x7f;
    slot
}
