//! Somebody's role changes in the midst of it.

use alliance_client::Role;

use super::Storm;

impl Storm {
    /// Asha makes the third person a reader of the first space, or a writer again.
    pub(super) async fn give_role(&mut self) -> Result<(), String> {
        let role = match self.thirds_role().await {
            Some("writer") => Role::Reader,
            Some("reader") => Role::Writer,
            _ => return Ok(()),
        };
        self.make(role).await
    }

    /// The third person's role in the first space, as Asha sees it.
    async fn thirds_role(&self) -> Option<&'static str> {
        let space = self.world.nodes[0].client()?.space(self.spaces[0]).await.ok()?;
        let third = self.world.nodes[2].key;
        space.members.iter().find(|member| member.devices.contains(&third)).map(|member| member.role)
    }

    /// What Asha had not seen by then is kept back, and what the third person types waits until it may write again.
    async fn make(&mut self, role: Role) -> Result<(), String> {
        let Some(client) = self.world.nodes[0].client().cloned() else { return Ok(()) };
        let third = self.world.nodes[2].key.to_string();
        self.trace.push(format!("0 gives 2 a role: {role:?}"));
        let thirds: Vec<usize> = (0..self.world.nodes.len()).filter(|node| self.world.is_guests(*node)).collect();
        // A disk that fails may have kept it all the same.
        self.ledger.judged(&thirds);
        match client.set_role(self.spaces[0], &third, role).await {
            Ok(_) => self.world.common.faults.fire("somebody given another role"),
            Err(error) => self.may_fail(0, &error)?,
        }
        Ok(())
    }

    /// The third person may write again, as far as Asha has heard.
    pub(in crate::sim) async fn let_all_write(&mut self) -> Result<(), String> {
        if self.thirds_role().await == Some("reader") { self.make(Role::Writer).await } else { Ok(()) }
    }
}
