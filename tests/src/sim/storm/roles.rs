//! Somebody's role changes in the midst of it.

use alliance_client::Role;

use super::Storm;
use crate::sim::fixture::BEN;
use crate::sim::story::CHLOE;

impl Storm {
    /// Asha makes Ben or the third person a reader of the first space, or a writer again.
    pub(super) async fn give_role(&mut self) -> Result<(), String> {
        let whose = if self.world.random.chance(20) { BEN } else { CHLOE };
        let role = match self.role_of(whose).await {
            Some("writer") => Role::Reader,
            Some("reader") => Role::Writer,
            _ => return Ok(()),
        };
        self.make(whose, role).await
    }

    /// The role of a device's person in the first space, as Asha sees it.
    async fn role_of(&self, device: usize) -> Option<&'static str> {
        let space = self.world.nodes[0].client()?.space(self.spaces[0]).await.ok()?;
        let key = self.world.nodes[device].key;
        space.members.iter().find(|member| member.devices.contains(&key)).map(|member| member.role)
    }

    /// What Asha had not seen by then is kept back, and what the person types on any device waits until it may write again.
    async fn make(&mut self, whose: usize, role: Role) -> Result<(), String> {
        let Some(client) = self.world.nodes[0].client().cloned() else { return Ok(()) };
        let key = self.world.nodes[whose].key.to_string();
        self.trace.push(format!("0 gives {whose} a role: {role:?}"));
        let theirs = |node: &usize| if whose == BEN { self.world.is_bens(*node) } else { self.world.is_guests(*node) };
        let theirs: Vec<usize> = (0..self.world.nodes.len()).filter(theirs).collect();
        // A disk that fails may have kept it all the same.
        self.ledger.given_role(&theirs);
        match client.set_role(self.spaces[0], &key, role).await {
            Ok(_) => self.world.common.faults.fire("somebody given another role"),
            Err(error) => self.may_fail(0, &error)?,
        }
        Ok(())
    }

    /// Everybody may write again, as far as Asha has heard.
    pub(in crate::sim) async fn let_all_write(&mut self) -> Result<(), String> {
        for whose in [BEN, CHLOE] {
            if self.role_of(whose).await == Some("reader") {
                self.make(whose, Role::Writer).await?;
            }
        }
        Ok(())
    }
}
