//! Membership entries: who is in a space, with which devices, words and keys (PROTOCOL section 4).
//!
//! These payloads are readable by a relay. They hold keys, roles, epochs and ids, never a name.

mod cards;
mod operations;

use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::ids::{HeaderHash, PersonTag};
use crate::limits;
pub use cards::{CardFor, CardForOwn, DeviceCard, RecoveryCard, Role};
pub use operations::{
    Add, Admission, Admit, BOX_BYTES, Boxes, CutOff, Ending, Epoch, EpochLink, First, FurtherWords, GiveRole, Invite,
    KeyBox, Leave, OnceKey, OwnDevice, RelayPin, Restore, Stop, commitment,
};

/// Version of the membership payload's layout.
pub const MEMBERSHIP_VERSION: u8 = 1;
/// HPKE with X25519, HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180, KEM 0x0020).
pub const KEM_X25519: u16 = 0x0020;
/// Length of a relay's address as text.
pub const ADDRESS_BYTES_MAX: usize = 256;

/// The payload of a membership entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Payload {
    /// [`MEMBERSHIP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// Header hashes of the membership heads that the author knew; empty in a space's first entry only.
    #[n(1)]
    pub parents: Vec<HeaderHash>,
    /// The person acted on (`add`) or acted for (the rest); absent in a space's first entry.
    #[n(2)]
    pub person: Option<PersonTag>,
    /// What is done.
    #[n(3)]
    pub operation: Operation,
}

/// What a membership entry does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Operation {
    /// Founds the space: its id fixes every signed byte of this entry.
    #[n(0)]
    First(#[n(0)] First),
    /// Names the relay that carries the space, with the operator's admission where one is needed.
    #[n(1)]
    Relay(#[n(0)] RelayPin),
    /// Opens an invitation: a right to ask.
    #[n(2)]
    Invite(#[n(0)] Invite),
    /// Admits a person with a first device.
    #[n(3)]
    Add(#[n(0)] Add),
    /// Appends key boxes that are missing.
    #[n(4)]
    Box(#[n(0)] Boxes),
    /// Begins a key epoch.
    #[n(5)]
    Epoch(#[n(0)] Epoch),
    /// Lists a further device of the person.
    #[n(6)]
    Device(#[n(0)] OwnDevice),
    /// Lists further recovery words of the person.
    #[n(7)]
    Recovery(#[n(0)] FurtherWords),
    /// Puts out a device or a younger recovery key of the person until it is restored.
    #[n(8)]
    Suspend(#[n(0)] Stop),
    /// Cancels suspensions.
    #[n(9)]
    Restore(#[n(0)] Restore),
    /// Puts out a device or a younger recovery key of the person for good.
    #[n(10)]
    Lost(#[n(0)] Stop),
    /// Gives the person another role.
    #[n(11)]
    Role(#[n(0)] GiveRole),
    /// Puts out the person for good.
    #[n(12)]
    Remove(#[n(0)] Ending),
    /// The person goes for good.
    #[n(13)]
    Leave(#[n(0)] Leave),
    /// Ends the space.
    #[n(14)]
    End,
    /// Lets data entries above a cut-off count.
    #[n(15)]
    Admit(#[n(0)] Admit),
}

impl Operation {
    /// The epoch that the entry begins.
    #[must_use]
    pub fn epoch(&self) -> Option<&Epoch> {
        if let Self::Epoch(epoch) = self { Some(epoch) } else { self.ending().map(|ending| &ending.epoch) }
    }

    /// The boxes of an earlier epoch's key that the entry carries.
    #[must_use]
    pub const fn appended(&self) -> Option<&Boxes> {
        if let Self::Box(boxes) | Self::Add(Add { boxes, .. }) = self {
            Some(boxes)
        } else if let Self::Device(OwnDevice { boxes, .. }) | Self::Recovery(FurtherWords { boxes, .. }) = self {
            boxes.as_ref()
        } else {
            None
        }
    }

    /// Whose data ends with what, and the epoch that follows.
    #[must_use]
    pub const fn ending(&self) -> Option<&Ending> {
        if let Self::Suspend(stop) | Self::Lost(stop) = self {
            Some(&stop.ending)
        } else if let Self::Role(given) = self {
            given.ending.as_ref()
        } else if let Self::Remove(ending) = self {
            Some(ending)
        } else {
            None
        }
    }

    /// Where the data of the devices concerned ends; `None` where the operation ends nobody's.
    #[must_use]
    pub fn cut_offs(&self) -> Option<&[CutOff]> {
        if let Self::Leave(leave) = self {
            return Some(&leave.cut_offs);
        }
        self.ending().map(|ending| ending.cut_offs.as_slice())
    }

    /// Checks limits, and that there is one form for each value.
    fn check(&self) -> Result<(), DecodeError> {
        if let Self::Relay(pin) = self {
            codec::within("relay address", pin.address.len(), ADDRESS_BYTES_MAX)?;
        } else if let Self::Invite(invite) = self {
            codec::within("one-time keys", invite.keys.len(), limits::MEMBERS_MAX)?;
        } else if let Self::Admit(admit) = self {
            codec::within("admitted entries", admit.entries.len(), limits::ADMITTED_MAX)?;
            in_order("admitted entries", &admit.entries, |one, next| one < next)?;
        } else if let Self::Role(given) = self
            && given.ending.is_some() != (given.role == Role::Reader)
        {
            return Err(DecodeError::Shape("a reader's role ends what it wrote, and no other does".into()));
        }
        if let Some(epoch) = self.epoch() {
            codec::within("epoch links", epoch.links.len(), limits::PARENTS_MAX)?;
        }
        if let Some(cut_offs) = self.cut_offs() {
            codec::within("cut-offs", cut_offs.len(), limits::CUT_OFFS_MAX)?;
            in_order("cut-offs", cut_offs, |one, next| one.log < next.log)?;
        }
        Ok(())
    }

    /// The card of a device that the entry lists.
    #[must_use]
    pub const fn card(&self) -> Option<&DeviceCard> {
        if let Self::First(First { card, .. }) | Self::Add(Add { card, .. }) | Self::Device(OwnDevice { card, .. }) =
            self
        {
            return Some(card);
        }
        None
    }

    /// The recovery key that the entry lists.
    #[must_use]
    pub const fn recovery(&self) -> Option<&RecoveryCard> {
        if let Self::First(First { recovery, .. })
        | Self::Add(Add { recovery, .. })
        | Self::Recovery(FurtherWords { recovery, .. }) = self
        {
            return Some(recovery);
        }
        None
    }
}

/// What kind of space it is, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum SpaceKind {
    /// One person's own devices.
    #[n(0)]
    Personal,
    /// Nobody expels anybody; at most `persons_max` persons.
    #[n(1)]
    Joint {
        /// Persons at most, the steward included.
        #[n(0)]
        persons_max: u16,
    },
    /// Belongs to its steward.
    #[n(2)]
    Group,
}

/// Who must agree to an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EraseRule {
    /// The owner (personal spaces).
    #[n(0)]
    Owner,
    /// Every person (joint spaces).
    #[n(1)]
    Everybody,
    /// The steward (groups).
    #[n(2)]
    Steward,
}

impl Payload {
    /// Reads a payload and checks its limits.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not a membership payload of this version or over a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("membership payload", bytes.len(), limits::MEMBERSHIP_PAYLOAD_BYTES_MAX)?;
        let payload: Self = codec::decode(bytes)?;
        if payload.version != MEMBERSHIP_VERSION {
            return Err(DecodeError::Shape("membership payload of another version".into()));
        }
        let first = matches!(payload.operation, Operation::First(_));
        if first != payload.parents.is_empty() || first != payload.person.is_none() {
            return Err(DecodeError::Shape("only a first entry has no parents and no person".into()));
        }
        codec::within("parents", payload.parents.len(), limits::PARENTS_MAX)?;
        payload.operation.check()?;
        Ok(payload)
    }

    /// The CBOR of the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// `Err` if an entry has the number 0, or if one does not stand before the next.
fn in_order(what: &str, entries: &[CutOff], before: impl Fn(&CutOff, &CutOff) -> bool) -> Result<(), DecodeError> {
    let ordered = entries.windows(2).all(|pair| before(&pair[0], &pair[1]));
    if ordered && entries.iter().all(|entry| entry.seq > 0) {
        return Ok(());
    }
    Err(DecodeError::Shape(format!("{what} are not in ascending order")))
}
