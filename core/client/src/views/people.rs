//! Who is in a space, and who reads a document.

use alliance_wire::{DeviceKey, PersonTag};
use serde::Serialize;

use super::{text, texts};

/// A member.
#[derive(Debug, Clone, Serialize)]
pub struct MemberView {
    /// Its tag in this space.
    #[serde(serialize_with = "text")]
    pub person: PersonTag,
    /// Display name, as the member gave it; its tag's first digits until the member's card has arrived.
    pub name: String,
    /// `steward`, `reader`, `writer` or `signer`.
    pub role: &'static str,
    /// The person's active devices.
    #[serde(serialize_with = "texts")]
    pub devices: Vec<DeviceKey>,
    /// It is oneself.
    pub me: bool,
}

/// Who reads a document, and on how many devices it lies or will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReaderView {
    /// By name.
    pub name: String,
    /// On which devices.
    #[serde(serialize_with = "texts")]
    pub devices: Vec<DeviceKey>,
}

impl From<MemberView> for ReaderView {
    fn from(member: MemberView) -> Self {
        Self { name: member.name, devices: member.devices }
    }
}
