//! What is shown of devices that were put out of a space.

use alliance_wire::DeviceKey;
use serde::Serialize;

use super::{Standing, text};

/// A device that was put out of a space, as a member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutView {
    /// The device.
    #[serde(serialize_with = "text")]
    pub device: DeviceKey,
    /// Its person, by name.
    pub name: String,
    /// How it is out: suspended, out for good, or its person left.
    pub standing: Standing,
    /// Its last receipt says that it knows; without one, that is not confirmed.
    pub confirmed: bool,
}
