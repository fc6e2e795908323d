//! What belongs to one's own person: devices and recovery words.

use alliance_wire::{DeviceKey, SignerKey, SpaceId};
use serde::Serialize;

use super::{text, texts};

/// A device of one's own person, and where it stands.
#[derive(Debug, Clone, Serialize)]
pub struct OwnDevice {
    /// Its key.
    #[serde(serialize_with = "text")]
    pub device: DeviceKey,
    /// It is this one.
    pub me: bool,
    /// Spaces in which it reads and writes.
    #[serde(serialize_with = "texts")]
    pub active: Vec<SpaceId>,
    /// Spaces in which it is out until the recovery words take it back.
    #[serde(serialize_with = "texts")]
    pub suspended: Vec<SpaceId>,
    /// Spaces in which it is out for good.
    #[serde(serialize_with = "texts")]
    pub lost: Vec<SpaceId>,
}

impl OwnDevice {
    pub(crate) const fn new(device: DeviceKey, me: bool) -> Self {
        Self { device, me, active: Vec::new(), suspended: Vec::new(), lost: Vec::new() }
    }
}

/// Recovery words of one's own person, by their key, and where they stand.
#[derive(Debug, Clone, Serialize)]
pub struct OwnWords {
    /// The key that the words are.
    #[serde(serialize_with = "text")]
    pub key: SignerKey,
    /// Spaces that they open.
    #[serde(serialize_with = "texts")]
    pub active: Vec<SpaceId>,
    /// Spaces in which older words put them out.
    #[serde(serialize_with = "texts")]
    pub out: Vec<SpaceId>,
}

impl OwnWords {
    pub(crate) const fn new(key: SignerKey) -> Self {
        Self { key, active: Vec::new(), out: Vec::new() }
    }
}
