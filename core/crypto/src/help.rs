//! A forgotten PIN with somebody's help: a store's key that two shares open together, and neither alone.
//!
//! One share lies beside the store. The other is sealed to each device of a helper and lies there as well, so that the
//! helper keeps nothing and cannot lose it. Who forgot the PIN shows the helper a [`HelpRequest`]; the helper's device
//! opens its share, seals it to the request's one-time key and signs that: a [`HelpAnswer`]. The share never travels in
//! the open, and the helper, who has no copy of the store, learns nothing of it.

use alliance_wire::membership::BOX_BYTES;
use alliance_wire::{BoxKey, DeviceKey, Signature};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize as _, Zeroizing};

use crate::boxes;
use crate::keys::{DeviceSecret, HelpSecret, Secret, verify};
use crate::small::{SmallDomain, open_small, seal_small};
use crate::wiped::KeyBytes;

/// Devices of a helper to which a share is sealed, at most.
pub const HELP_DEVICES_MAX: usize = 8;

/// A helper's share, sealed to one of the helper's devices.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct HelpBox {
    #[n(0)]
    device: DeviceKey,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    sealed: [u8; BOX_BYTES],
}

/// A store's key under two shares, with the one of this device. It lies beside the store in the open.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct HelpWrap {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    own: [u8; 32],
    #[n(1)]
    boxes: Vec<HelpBox>,
    #[n(2)]
    sealed: ByteVec,
}

/// What is shown to the helper.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HelpRequest {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    place: [u8; 16],
    #[n(1)]
    asker: BoxKey,
    #[n(2)]
    boxes: Vec<HelpBox>,
}

/// What the helper's device says to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HelpAnswer {
    #[n(0)]
    device: DeviceKey,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    sealed: [u8; BOX_BYTES],
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    signature: Signature,
}

/// Why help does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelpError {
    /// No share is sealed to this device, or the answer is from a device to which none is.
    #[error("this device is not the helper's")]
    NotTheHelper,
    /// A share, or the key under both, does not open: damaged, or of another store or request.
    #[error("the share does not open")]
    Sealed,
    /// The answer is not signed by the device that it names.
    #[error("the answer is not signed by the helper's device")]
    Signature,
}

impl core::fmt::Debug for HelpWrap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HelpWrap").field("boxes", &self.boxes.len()).finish_non_exhaustive()
    }
}

impl HelpWrap {
    /// Seals a store's key under two shares, `own` and `theirs`, which are fresh random bytes, the second for each of the
    /// helper's devices. `place` is the salt in the store's header. Nothing if none of the box keys is one, or there are
    /// more than [`HELP_DEVICES_MAX`].
    #[must_use]
    pub fn seal(
        key: &[u8; 32],
        place: &[u8; 16],
        helper: &[(DeviceKey, BoxKey)],
        (own, theirs): ([u8; 32], &KeyBytes),
        random: [u8; 32],
    ) -> Option<Self> {
        let share = |(device, to): &(DeviceKey, BoxKey)| {
            let mut seed = blake3::Hasher::new_derive_key("alliance v1 help share ephemeral");
            seed.update(&random).update(theirs.as_slice()).update(place).update(&device.0).update(&to.0);
            let seed = Zeroizing::new(*seed.finalize().as_bytes());
            let sealed = boxes::seal_to(&seed, *to, &share_info(place, *device), theirs)?;
            Some(HelpBox { device: *device, sealed })
        };
        let boxes: Vec<HelpBox> = helper.iter().filter_map(share).collect();
        if boxes.is_empty() || boxes.len() > HELP_DEVICES_MAX {
            return None;
        }
        let sealed = seal_small(SmallDomain::HelpWrap, &under(&own, theirs), place, key, random).into();
        Some(Self { own, boxes, sealed })
    }

    /// What to show the helper; `secret` is for this request alone and stays in memory.
    #[must_use]
    pub fn ask(&self, place: &[u8; 16], secret: &HelpSecret) -> HelpRequest {
        HelpRequest { place: *place, asker: secret.box_key(), boxes: self.boxes.clone() }
    }

    /// The store's key by the helper's answer, and which device gave it.
    ///
    /// # Errors
    /// [`HelpError`].
    pub fn open(
        &self,
        place: &[u8; 16],
        secret: &HelpSecret,
        answer: &HelpAnswer,
    ) -> Result<(KeyBytes, DeviceKey), HelpError> {
        let device = answer.device;
        if !self.boxes.iter().any(|known| known.device == device) {
            return Err(HelpError::NotTheHelper);
        }
        let info = answer_info(place, secret.box_key(), device);
        verify(device, &message(&info, &answer.sealed), &answer.signature).map_err(|_| HelpError::Signature)?;
        let theirs = boxes::open_with(secret, &info, &answer.sealed).ok_or(HelpError::Sealed)?;
        let opened = open_small(SmallDomain::HelpWrap, &under(&self.own, &theirs), place, &self.sealed);
        let opened = Zeroizing::new(opened.map_err(|_| HelpError::Sealed)?);
        Ok((KeyBytes::from_slice(&opened).ok_or(HelpError::Sealed)?, device))
    }

    /// The helper's devices.
    pub fn devices(&self) -> impl Iterator<Item = DeviceKey> + '_ {
        self.boxes.iter().map(|sealed| sealed.device)
    }
}

impl HelpRequest {
    /// The answer of a helper's device. `random` is fresh.
    ///
    /// # Errors
    /// [`HelpError::NotTheHelper`] or [`HelpError::Sealed`].
    pub fn answer(&self, helper: &DeviceSecret, random: [u8; 32]) -> Result<HelpAnswer, HelpError> {
        let device = helper.key();
        let own = self.boxes.iter().find(|sealed| sealed.device == device).ok_or(HelpError::NotTheHelper)?;
        let theirs = boxes::open_with(helper, &share_info(&self.place, device), &own.sealed);
        let theirs = theirs.ok_or(HelpError::Sealed)?;
        let info = answer_info(&self.place, self.asker, device);
        let seed = Zeroizing::new(helper.hedge(random, "help answer", &[&info, theirs.as_slice()]));
        let sealed = boxes::seal_to(&seed, self.asker, &info, &theirs).ok_or(HelpError::Sealed)?;
        Ok(HelpAnswer { device, sealed, signature: helper.sign(&message(&info, &sealed)) })
    }
}

/// The key that both shares make.
fn under(own: &[u8; 32], theirs: &KeyBytes) -> KeyBytes {
    let mut both = [0; 64];
    both[..32].copy_from_slice(own);
    both[32..].copy_from_slice(theirs.as_slice());
    let key = KeyBytes::new(blake3::derive_key("alliance v1 help wrap", &both));
    both.zeroize();
    key
}

fn share_info(place: &[u8; 16], device: DeviceKey) -> Vec<u8> {
    [b"alliance v1 help share".as_slice(), place, &device.0].concat()
}

fn answer_info(place: &[u8; 16], asker: BoxKey, device: DeviceKey) -> Vec<u8> {
    [b"alliance v1 help answer".as_slice(), place, &asker.0, &device.0].concat()
}

/// What the helper's device signs.
fn message(info: &[u8], sealed: &[u8; BOX_BYTES]) -> [u8; 32] {
    *blake3::Hasher::new_derive_key("alliance v1 help signature").update(info).update(sealed).finalize().as_bytes()
}
