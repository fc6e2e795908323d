//! Who is in a space.

mod changing;
mod needed;
mod offered;

use alliance_crypto::MemberRole;
use alliance_store::device::LocalSpace;
use alliance_wire::SpaceId;
use alliance_wire::membership::Role;

use crate::error::Error;
use crate::inner::Inner;
use crate::names::{Details, Directory, People};
use crate::views::MemberView;

impl Inner {
    /// The names of a space's people.
    pub(crate) async fn directory(&self, space: SpaceId) -> Result<Directory, Error> {
        self.directory_of(&self.local_space(space).await?).await
    }

    /// The same of a space whose row is at hand.
    pub(crate) async fn directory_of(&self, local: &LocalSpace) -> Result<Directory, Error> {
        let details = Details::of(local);
        let Some(membership) = self.spaces.membership(local.space).await? else { return Ok(Directory::default()) };
        Ok(Directory::new(&details, &membership, self.me))
    }

    /// What views of a space's documents need to know of its people.
    pub(crate) async fn people(&self, space: SpaceId) -> Result<People, Error> {
        let directory = self.directory(space).await?;
        let members = self.members_by(space, &directory).await?;
        Ok(People::new(directory, &members))
    }

    /// The members of a space, oneself first.
    pub(crate) async fn members(&self, space: SpaceId) -> Result<Vec<MemberView>, Error> {
        let directory = self.directory(space).await?;
        self.members_by(space, &directory).await
    }

    /// The same, by names that are at hand.
    pub(crate) async fn members_by(&self, space: SpaceId, directory: &Directory) -> Result<Vec<MemberView>, Error> {
        let Some(membership) = self.spaces.membership(space).await? else { return Ok(Vec::new()) };
        let state = membership.state();
        let me = state.person_of(self.me);
        let mut views: Vec<MemberView> = state
            .members
            .iter()
            .map(|(tag, member)| MemberView {
                person: *tag,
                name: directory.person(*tag),
                role: role_name(member.role),
                devices: member.devices.keys().copied().collect(),
                me: Some(*tag) == me,
            })
            .collect();
        views.sort_by(|a, b| b.me.cmp(&a.me).then_with(|| a.name.cmp(&b.name)));
        Ok(views)
    }
}

/// A role as views name it.
pub(crate) const fn role_name(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Steward => "steward",
        MemberRole::Given(Role::Reader) => "reader",
        MemberRole::Given(Role::Writer) => "writer",
        MemberRole::Given(Role::Signer) => "signer",
    }
}
