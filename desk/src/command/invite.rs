//! Inviting and joining (docs/PROTOCOL.md section 4, invitation).

use alliance_client::{InviteOptions, InviteState, InviteView, JoinState, JoinView, Role};
use serde_json::json;

use super::{Call, reference};
use crate::cli::{InviteCommand, InviteNew, JoinCommand, JoinSubcommand, RoleArg};
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::line;
use crate::show::lists;

pub(super) async fn invite(command: &InviteCommand, call: &Call) -> Result<(), Failure> {
    match command {
        InviteCommand::New(args) => new(args, call).await,
        InviteCommand::List => {
            let invites = call.client.invites().await?;
            let text = lists::invites(&invites, call.look());
            call.teller.say(&Answer::new(text, json!({"invites": invites}))).await;
            Ok(())
        }
        InviteCommand::Answer { text } => {
            let invite = call.client.answer_accept(text).await?;
            call.teller.say(&Answer::new(answered(&invite), json!({"invite": invite}))).await;
            Ok(())
        }
        InviteCommand::Confirm { id, words } => {
            let member = call.client.confirm(id, &spoken(words)).await?;
            let text = format!(
                "{} is a member now ({}). The keys are sealed for the newcomer's device; sync, or meet again, to hand them over.",
                line(&member.name),
                member.role
            );
            call.teller.say(&Answer::new(text, json!({"member": member}))).await;
            Ok(())
        }
    }
}

async fn new(args: &InviteNew, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, &args.space).await?;
    let role = match args.role {
        RoleArg::Reader => Role::Reader,
        RoleArg::Writer => Role::Writer,
        RoleArg::Signer => Role::Signer,
    };
    let invite = call.client.invite(space.space, InviteOptions { role, days: args.days }).await?;
    let text = format!(
        "Give this text to the person whom you invite into \"{}\", and to nobody else:\n\n{}\n\nIt works once, until {}. Number of the invitation: {}.\nNext: they run `alliance join TEXT`; both sync; `alliance invite list` shows the words to compare.",
        line(&invite.title),
        invite.text,
        crate::output::text::moment(invite.expires),
        invite.id
    );
    call.teller.say(&Answer::new(text, json!({"invite": invite}))).await;
    Ok(())
}

/// What the inviter hands over and compares.
fn answered(invite: &InviteView) -> String {
    let mut text = String::new();
    if let Some(reveal) = &invite.reveal {
        text.push_str("Hand this text to the newcomer, who runs `alliance join reveal TEXT`:\n\n");
        text.push_str(reveal);
        text.push_str("\n\n");
    }
    if let InviteState::Answered { name, words } = &invite.state {
        text.push_str(&format!(
            "{} has answered. Compare by voice; your words are:\n\n    {}\n\nIf theirs are the same: `alliance invite confirm {} WORDS...` with the words that they read aloud.\n",
            line(name),
            words.join(" "),
            invite.id
        ));
    }
    text
}

pub(super) async fn join(command: &JoinCommand, call: &Call) -> Result<(), Failure> {
    match &command.command {
        Some(JoinSubcommand::List) => {
            let joins = call.client.joins().await?;
            let text = lists::joins(&joins, call.look());
            call.teller.say(&Answer::new(text, json!({"joins": joins}))).await;
        }
        Some(JoinSubcommand::Reveal { text }) => {
            let join = call.client.answer_reveal(text).await?;
            call.teller.say(&Answer::new(revealed(&join), json!({"join": join}))).await;
        }
        None => {
            let invitation = command.text.invitation.as_deref().ok_or_else(|| Failure::from(DeskCode::Usage))?;
            let join = call.client.join(invitation, command.text.title.as_deref()).await?;
            let text = format!(
                "You asked to join \"{}\".\nWith a relay: sync, and when the inviter has synced, `alliance join list` shows the words to compare.\nWithout one: hand this text to the inviter, who runs `alliance invite answer TEXT`:\n\n{}",
                line(&join.title),
                join.accept
            );
            call.teller.say(&Answer::new(text, json!({"join": join}))).await;
        }
    }
    Ok(())
}

fn revealed(join: &JoinView) -> String {
    match &join.state {
        JoinState::Words { words } => format!(
            "Compare by voice with the inviter; your words are:\n\n    {}\n\nRead them aloud. The inviter confirms; then sync, or meet.",
            words.join(" ")
        ),
        JoinState::Mismatch => {
            "The inviter's answer does not fit the invitation: somebody may stand between you. Nothing was shared; ask for a new invitation."
                .to_owned()
        }
        JoinState::Asked => "The inviter has not answered yet.".to_owned(),
        JoinState::Joined => format!("You are a member of \"{}\".", line(&join.title)),
    }
}

/// Words as typed: with or without commas, quotes and capitals.
fn spoken(words: &[String]) -> String {
    let joined = words.join(" ").to_lowercase();
    let words = joined.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
