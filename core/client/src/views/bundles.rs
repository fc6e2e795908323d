//! What is said of bundles: who will read one, what was written, what was taken of one, what is in one.

use alliance_wire::{DeviceKey, SpaceId};
use serde::Serialize;

use super::texts;

/// Somebody who will be able to read a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleReader {
    /// The name.
    pub name: String,
    /// The devices that it is sealed to.
    #[serde(serialize_with = "texts")]
    pub devices: Vec<DeviceKey>,
    /// Titles of the spaces that are in it for this person.
    pub spaces: Vec<String>,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BundleWritten {
    /// The bundle's id, for `since`.
    pub bundle: String,
    /// Spaces of which something is in it.
    pub spaces: u64,
    /// Entries.
    pub entries: u64,
    /// Receipts.
    pub receipts: u64,
    /// Bytes of all parts.
    pub bytes: u64,
    /// Parts.
    pub parts: u32,
}

/// What came of taking a bundle, or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// The bundle's id, if that could be read.
    pub bundle: Option<String>,
    /// Which part it was, and of how many.
    pub part: Option<(u32, u32)>,
    /// Bytes that were read.
    pub bytes: u64,
    /// Who wrote it, as this store calls them.
    pub from: Vec<String>,
    /// Entries that are new here.
    pub new: u64,
    /// Entries that were here already.
    pub known: u64,
    /// Receipts and proofs of forks that are new here.
    pub receipts: u64,
    /// Entries that were in the file and could not be read: they are asked for at the next meeting, or in another bundle.
    pub lost: u64,
    /// Stretches of the file that are damaged.
    pub damaged: u64,
    /// Bytes of these.
    pub damaged_bytes: u64,
    /// Pages that build on something that is not here: kept, and taken once that is.
    pub waiting: u64,
    /// Pages of those for which there was no room: the file must be taken again.
    pub not_kept: u64,
    /// Why something was refused, by code.
    pub refused: Vec<String>,
    /// Logs that were found to have forked.
    pub forks: u64,
    /// What is in it for others.
    pub not_for_you: u64,
    /// The file came to its end, and everything that was written into it could be read.
    pub whole: bool,
    /// Spaces of which something is new.
    #[serde(serialize_with = "texts")]
    pub spaces: Vec<SpaceId>,
}

/// What is in a file, without taking it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BundleInspection {
    /// The bundle's id, if that could be read.
    pub bundle: Option<String>,
    /// Which part it is, and of how many.
    pub part: Option<(u32, u32)>,
    /// Bytes of the file.
    pub bytes: u64,
    /// Stretches of the file that are damaged.
    pub damaged: u64,
    /// Bytes of these.
    pub damaged_bytes: u64,
    /// Its end is there: nothing was cut off.
    pub ended: bool,
    /// One for each space in it, as far as that can be told apart.
    pub parcels: Vec<ParcelView>,
}

/// What a bundle holds of one space.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ParcelView {
    /// It is sealed to this device.
    pub for_you: bool,
    /// The space's id, if it is for this device.
    pub space: Option<String>,
    /// How this store calls it.
    pub title: Option<String>,
    /// Who wrote it.
    pub from: Option<String>,
    /// Keys in it, those for nobody included: an upper bound of the devices that may read it.
    pub slots: u64,
    /// Keys for relays: whoever knows one of them sees what that relay would see.
    pub relay_slots: u64,
    /// Pages that are in order.
    pub pages: u64,
    /// Entries in them, if it is for this device.
    pub entries: u64,
    /// Its end is in the file.
    pub ended: bool,
}

/// A bundle that is carried for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CarriedBundle {
    /// Names the file here.
    pub id: String,
    /// The bundle's id, if that can be read.
    pub bundle: Option<String>,
    /// Which part it is, and of how many.
    pub part: Option<(u32, u32)>,
    /// Bytes.
    pub bytes: u64,
    /// When it was taken, in milliseconds since 1970.
    pub taken: u64,
    /// A relay can be given what is in it, by whoever meets that relay.
    pub for_relays: bool,
}

/// How far a bundle is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BundleProgress {
    /// Bytes so far.
    pub bytes: u64,
    /// Entries so far.
    pub entries: u64,
}
