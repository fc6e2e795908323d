//! Changing who is in a space, and what role somebody has (PROTOCOL section 4).
//!
//! Each of these is one signed entry that brings the end of somebody's data and the next key with it. It holds from the
//! moment on when it is durable here; the others learn of it by any path.

use std::collections::BTreeSet;

use alliance_crypto::Made;
use alliance_model::{Refusal, RefusalCode};
use alliance_wire::membership::{CutOff, Role};
use alliance_wire::{DeviceKey, PersonTag, SpaceId};

use crate::append::{DeviceMaker, data_ends};
use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::names::Directory;
use crate::reference::{begins, only};
use crate::views::{Change, MemberView, SpaceView};

impl Client {
    /// Gives a member of a group another role: its steward's to do. A new reader writes no more: what its devices wrote
    /// that is not here by now is kept back, and the next key is made.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `UNKNOWN_MEMBER`, `AMBIGUOUS`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn set_role(&self, space: SpaceId, member: &str, role: Role) -> Result<MemberView, Error> {
        let person = self.inner.find_member(space, member).await?;
        let ends = role == Role::Reader;
        self.inner.change_person(space, person, ends, |maker, ends| maker.role(person, role, ends)).await?;
        let members = self.inner.members(space).await?;
        members.into_iter().find(|member| member.person == person).ok_or_else(|| Code::Internal.into())
    }

    /// Puts a member out of a group for good: its steward's to do. What its devices wrote that is not here by now is kept
    /// back, and the next key is made without it.
    ///
    /// # Errors
    /// As [`Self::set_role`].
    pub async fn remove_member(&self, space: SpaceId, member: &str) -> Result<SpaceView, Error> {
        let person = self.inner.find_member(space, member).await?;
        self.inner.change_person(space, person, true, |maker, ends| maker.remove(person, ends)).await?;
        self.space(space).await
    }

    /// Goes from a space for good. What is open is sealed first; what is here stays readable here.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `NOT_MEMBER`, `LAST_STEWARD` (a steward ends the space instead), and those of the store.
    pub async fn leave(&self, space: SpaceId) -> Result<SpaceView, Error> {
        let inner = &self.inner;
        let membership = inner.membership(space).await?;
        let state = membership.state();
        let person = state.person_of(inner.me).ok_or_else(|| Refusal::new(RefusalCode::NotMember))?;
        if state.is_steward(inner.me) {
            return Err(Refusal::new(RefusalCode::LastSteward).into());
        }
        inner.seal_all(None).await?;
        inner.change_person(space, person, true, |maker, ends| maker.leave(person, ends)).await?;
        self.space(space).await
    }

    /// Ends a space for everybody: in a pair or peer group any member may, in a group its steward. What is here stays
    /// readable; nobody writes, comes or goes any more.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn end_space(&self, space: SpaceId) -> Result<SpaceView, Error> {
        let inner = &self.inner;
        let membership = inner.membership(space).await?;
        let person = membership.state().person_of(inner.me).ok_or_else(|| Refusal::new(RefusalCode::NotMember))?;
        inner.seal_all(None).await?;
        inner.change_person(space, person, false, |maker, _| maker.end(person)).await?;
        self.space(space).await
    }
}

impl Inner {
    /// Signs what concerns a person: with where the data of all its devices ends, if it is to end.
    async fn change_person(
        &self,
        space: SpaceId,
        person: PersonTag,
        ends: bool,
        make: impl FnOnce(&DeviceMaker<'_>, Vec<CutOff>) -> Made,
    ) -> Result<(), Error> {
        let mut work = self.work.lock().await;
        let membership = self.membership(space).await?;
        if !membership.state().is_active(self.me) {
            return Err(Refusal::new(RefusalCode::NotMember).into());
        }
        let devices: BTreeSet<DeviceKey> =
            if ends { membership.state().devices_of(person).collect() } else { BTreeSet::new() };
        let cut_offs = self.spaces.view(space).await?.map(|view| data_ends(&view, &devices)).unwrap_or_default();
        self.change_membership(&mut work, space, &*self.secret, Vec::new(), |maker| make(maker, cut_offs)).await?;
        self.take_in(&mut work, space).await?;
        drop(work);
        self.tell(Change::Space(space));
        Ok(())
    }

    /// The one member with this name, or whose tag or one of whose devices begins so.
    pub(crate) async fn find_member(&self, space: SpaceId, reference: &str) -> Result<PersonTag, Error> {
        let reference = reference.trim();
        let directory: Directory = self.directory(space).await?;
        let membership = self.membership(space).await?;
        let members = membership.state().members.iter();
        let named: Vec<PersonTag> =
            members.clone().map(|(tag, _)| *tag).filter(|tag| directory.person(*tag) == reference).collect();
        let found = if named.is_empty() {
            let fits = members.filter(|(tag, member)| {
                begins(*tag, reference) || member.devices.keys().any(|device| begins(device, reference))
            });
            fits.map(|(tag, _)| *tag).collect()
        } else {
            named
        };
        only(found, Code::UnknownMember, "member", reference)
    }
}
