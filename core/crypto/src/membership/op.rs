//! Operations of membership entries as the evaluation sees them.

use alliance_wire::membership::Role;

/// A key, by the number that the caller gave it.
pub type Key = u32;
/// A person's tag, by the number that the caller gave it.
pub type Tag = u32;
/// An entry, by the order in which it was put in; 0 is the space's first entry.
pub type Number = usize;

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Founds the space. Only [`super::evaluation::Evaluation::new`] makes one.
    First {
        /// The founder's device.
        new: Key,
        /// The founder's first recovery key.
        recovery: Key,
    },
    /// Opens an invitation.
    Invite,
    /// Admits the person that the entry names.
    Add {
        /// The first device.
        new: Key,
        /// The first recovery key.
        recovery: Key,
        /// The role.
        role: Role,
        /// The tag is the hash of device, recovery key and one-time key, and the device's card is signed for this
        /// space, tag, one-time key and role.
        fits: bool,
    },
    /// Gives the person that the entry names another role.
    Role(Role),
    /// Puts out the person that the entry names.
    Remove,
    /// Names a relay.
    Relay,
    /// The person goes.
    Leave,
    /// The space ends.
    End,
    /// Lists a further device.
    Device {
        /// The device.
        new: Key,
        /// Its card is signed by itself for this space, tag and adding key.
        fits: bool,
    },
    /// Lists a further recovery key.
    Recovery {
        /// The recovery key.
        new: Key,
        /// Boxes can be sealed to it.
        fits: bool,
    },
    /// Puts a device or a younger recovery key out until it is restored.
    Suspend {
        /// The key.
        target: Key,
    },
    /// Cancels the suspensions of a device that it knows.
    Restore {
        /// The key.
        target: Key,
    },
    /// Puts a key out for good.
    Lost {
        /// The key.
        target: Key,
    },
    /// Begins a key epoch.
    Epoch,
    /// Lets data entries above a cut-off count.
    Admit,
    /// Asks for an erasure.
    Erase,
    /// Agrees to one.
    Agree,
    /// Appends key boxes.
    Box,
}

impl Op {
    /// Operations of the steward's devices, whatever person the entry names.
    pub(super) const fn is_stewards(self) -> bool {
        matches!(self, Self::Invite | Self::Add { .. } | Self::Role(_) | Self::Remove)
    }

    /// Operations that need a role above reader.
    pub(super) const fn is_writers(self) -> bool {
        matches!(self, Self::Epoch | Self::Admit | Self::Erase | Self::Agree)
    }

    /// The key that a `suspend` or `lost` puts out.
    pub(super) const fn puts_out(self) -> Option<Key> {
        if let Self::Suspend { target } | Self::Lost { target } = self { Some(target) } else { None }
    }

    /// The role that an `add` or `role` gives.
    pub(super) const fn gives_role(self) -> Option<Role> {
        if let Self::Add { role, .. } | Self::Role(role) = self { Some(role) } else { None }
    }
}

/// An entry to be put in.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Orders entries with as many ancestors as each other.
    pub hash: [u8; 32],
    /// Who signed it.
    pub key: Key,
    /// The person acted on (`add`, `role`, `remove`) or acted for (the rest).
    pub person: Tag,
    /// What it does.
    pub op: Op,
    /// The entries that its author knew, its own log's previous entry among them: numbers that are in already.
    pub parents: Vec<Number>,
}
