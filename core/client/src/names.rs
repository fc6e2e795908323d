//! How members are called: each device presents itself to a space, sealed.

use std::collections::BTreeMap;

use alliance_crypto::{Membership, State};
use alliance_model::Cosignature;
use alliance_store::device::LocalSpace;
use alliance_wire::{DeviceKey, PersonTag, codec};

use crate::views::MemberView;

/// What this device keeps of a space beside its log, encoded in the store's row.
#[derive(Debug, Clone, Default, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub(crate) struct Details {
    /// Names by device, as their cards say.
    #[n(0)]
    pub(crate) names: Vec<(DeviceKey, String)>,
}

impl Details {
    pub(crate) fn of(local: &LocalSpace) -> Self {
        codec::decode(&local.detail).unwrap_or_default()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Takes a device's newest name; `false` if it had that name already.
    pub(crate) fn set(&mut self, device: DeviceKey, name: String) -> bool {
        match self.names.iter_mut().find(|(known, _)| *known == device) {
            Some((_, known)) if *known == name => false,
            Some((_, known)) => {
                *known = name;
                true
            }
            None => {
                self.names.push((device, name));
                true
            }
        }
    }
}

/// What views of a space's documents need to know of its people.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    pub(crate) directory: Directory,
    /// Whose lifts loosen a protective term: the members, by name.
    pub(crate) protectors: Vec<String>,
    /// Whoever looks, by name.
    pub(crate) me: String,
}

impl People {
    pub(crate) fn new(directory: Directory, members: &[MemberView]) -> Self {
        let me = directory.own().unwrap_or_default();
        Self { directory, protectors: members.iter().map(|member| member.name.clone()).collect(), me }
    }
}

/// Names of a space's people, no two alike.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    persons: BTreeMap<PersonTag, String>,
    devices: BTreeMap<DeviceKey, PersonTag>,
    /// This device.
    me: Option<DeviceKey>,
}

/// Whose the devices of a space are and were. Former members keep their names on what they wrote. Only what counts says
/// whose device it is: anybody may sign an entry that does nothing and names another's device.
pub(crate) fn persons(state: &State) -> BTreeMap<DeviceKey, PersonTag> {
    let mut devices: BTreeMap<DeviceKey, PersonTag> =
        state.listings().map(|(person, device)| (device, person)).collect();
    for device in state.devices() {
        devices.extend(state.person_of(device).map(|person| (device, person)));
    }
    devices
}

impl Directory {
    pub(crate) fn new(details: &Details, membership: &Membership, me: DeviceKey) -> Self {
        let devices = persons(membership.state());
        let mut persons: BTreeMap<PersonTag, String> = BTreeMap::new();
        for (device, person) in &devices {
            let known = details.names.iter().find(|(named, _)| named == device).map(|(_, name)| name.clone());
            if let Some(name) = known {
                persons.insert(*person, name);
            } else {
                persons.entry(*person).or_insert_with(|| format!("person {}", person.short()));
            }
        }
        let names: Vec<String> = persons.values().cloned().collect();
        for (person, name) in &mut persons {
            if names.iter().filter(|other| *other == name).count() > 1 {
                *name = format!("{name} ({})", person.short());
            }
        }
        Self { persons, devices, me: Some(me) }
    }

    /// A person's name.
    pub(crate) fn person(&self, person: PersonTag) -> String {
        self.persons.get(&person).cloned().unwrap_or_else(|| format!("person {}", person.short()))
    }

    /// Everybody who is or was here, by tag.
    pub(crate) fn tags(&self) -> impl Iterator<Item = PersonTag> {
        self.persons.keys().copied()
    }

    /// One's own name.
    pub(crate) fn own(&self) -> Option<String> {
        self.me.map(|me| self.device(me))
    }

    /// Whether a signature verifies, and its device is or was one of its person's.
    pub(crate) fn verifies(&self, signature: &Cosignature) -> bool {
        self.devices.get(&signature.device) == Some(&signature.person)
            && alliance_crypto::verify(signature.device, &signature.message(), &signature.signature).is_ok()
    }

    /// The person of a device.
    pub(crate) fn tag(&self, device: DeviceKey) -> Option<PersonTag> {
        self.devices.get(&device).copied()
    }

    /// The name of a device's person.
    pub(crate) fn device(&self, device: DeviceKey) -> String {
        self.devices.get(&device).map_or_else(|| format!("device {}", device.short()), |person| self.person(*person))
    }
}
