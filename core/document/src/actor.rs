//! Actors: the names under which one incarnation of a device writes into one document (PROTOCOL section 1).

use core::fmt;

use alliance_wire::DeviceKey;
use alliance_wire::hash::{Domain, hash};
use alliance_wire::ids::{DocumentId, Incarnation};
use alliance_wire::limits::ACTORS_MAX;

/// An Automerge actor: derived, so that a receiver knows which one to expect, and never drawn at random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(pub [u8; 16]);

impl Actor {
    /// The actor of this device, incarnation and document with number `n`: first 16 bytes of BLAKE3(device, incarnation,
    /// document, n). `None` from [`ACTORS_MAX`] on. A fresh number is taken when an earlier one's change was parked.
    ///
    /// The device is in it because anybody may call an incarnation what another device's is called.
    #[must_use]
    pub fn of(device: DeviceKey, incarnation: Incarnation, document: DocumentId, n: u8) -> Option<Self> {
        Self::hashed(&[device.as_bytes(), &incarnation.0, &document.0, &[n]], n)
    }

    /// The actor under which the first version of the program wrote: without the device.
    #[must_use]
    pub fn earlier(incarnation: Incarnation, document: DocumentId, n: u8) -> Option<Self> {
        Self::hashed(&[&incarnation.0, &document.0, &[n]], n)
    }

    /// The actor of an entry of this device's log: as the first version named it, where its first change says so.
    #[must_use]
    pub fn of_entry(
        (device, incarnation): (DeviceKey, Incarnation),
        document: DocumentId,
        n: u8,
        first: Option<&[u8]>,
    ) -> Option<Self> {
        let earlier = Self::earlier(incarnation, document, n)?;
        let named = first.and_then(crate::gate::change_actor);
        if named == Some(earlier) { named } else { Self::of(device, incarnation, document, n) }
    }

    fn hashed(parts: &[&[u8]], n: u8) -> Option<Self> {
        if n >= ACTORS_MAX {
            return None;
        }
        let digest = hash(Domain::Actor, parts);
        let mut actor = [0; 16];
        actor.copy_from_slice(&digest[..16]);
        Some(Self(actor))
    }

    pub(crate) fn id(self) -> automerge::ActorId {
        automerge::ActorId::from(self.0)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actor({self})")
    }
}
