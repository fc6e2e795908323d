//! The people in a space.

use serde_json::json;

use super::{Call, reference};
use crate::cli::PersonCommand;
use crate::failure::Failure;
use crate::output::Answer;
use crate::output::text::line;
use crate::show::lists;

pub(super) async fn person(command: &PersonCommand, call: &Call) -> Result<(), Failure> {
    match command {
        PersonCommand::List { space } => {
            let space = reference::space(&call.client, space).await?;
            let text = lists::members(&space.members, call.look());
            call.teller.say(&Answer::new(text, json!({"members": space.members}))).await;
        }
        PersonCommand::Role { space, member, role } => {
            let space = reference::space(&call.client, space).await?;
            let member = call.client.set_role(space.space, member, role.role()).await?;
            let text = format!("{} is a {} from now on.", line(&member.name), member.role);
            call.teller.say(&Answer::new(text, json!({"member": member}))).await;
        }
        PersonCommand::Remove { space, member } => {
            let space = reference::space(&call.client, space).await?;
            let space = call.client.remove_member(space.space, member).await?;
            let text = format!(
                "{} is put out of \"{}\", and the next key is made. The others hear of it when you next sync.",
                line(member),
                line(&space.title)
            );
            call.teller.say(&Answer::new(text, json!({"space": space}))).await;
        }
    }
    Ok(())
}
