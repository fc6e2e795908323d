//! The tickets of devices that are in no space any more.

use std::collections::BTreeSet;

use alliance_store::Replica as _;
use alliance_sync::{Incoming, Query};
use alliance_wire::{DeviceKey, Kind, SpaceId};

use super::Host;

/// The spaces whose membership a question brings entries of.
pub(super) fn grown(query: &Query) -> BTreeSet<SpaceId> {
    let Query::Persist(batch) = query else { return BTreeSet::new() };
    let membership = |item: &&Incoming| matches!(item, Incoming::Entry(entry) if entry.kind() == Kind::Membership);
    batch.items.iter().filter(membership).map(Incoming::space).collect()
}

/// The tickets of a device that is in no space here any more go: they would say who it is to whoever has them.
pub(super) async fn forget_tickets(host: &Host, space: SpaceId) {
    let (Some(keeper), Ok(Some(membership))) = (&host.keeper, host.answers.spaces.membership(space).await) else {
        return;
    };
    let replica = host.answers.spaces.replica();
    for device in membership.listed().map(DeviceKey::from).filter(|device| !membership.state().may_read(*device)) {
        match replica.member_spaces(device).await {
            Ok(spaces) if spaces.is_empty() => keeper.put_out(device),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a device's tickets were not looked at"),
        }
    }
}
