//! Inviting and joining (docs/PROTOCOL.md section 4, invitation).

mod drawing;

use alliance_client::{Code, InviteOptions, InviteState, InviteView, JoinState, JoinView};
use serde_json::{Value, json};

use super::sync::{progress, until};
use super::{Call, reference};
use crate::cli::{Drawing, InviteCommand, InviteNew, JoinCommand, JoinSubcommand};
use crate::code;
use crate::failure::{DeskCode, Failure};
use crate::output::text::{line, moment, width};
use crate::output::{Answer, Look};
use crate::show::lists;
use drawing::{Drawings, Drawn};

pub(super) async fn invite(command: &InviteCommand, call: &Call) -> Result<(), Failure> {
    match command {
        InviteCommand::New(args) => new(args, call).await,
        InviteCommand::Show { id, drawing } => show(id, drawing, call).await,
        InviteCommand::Reject { id } => {
            let invite = call.client.reject(id).await?;
            let text = format!("The invitation {} is spent: nobody comes in by it, and nothing was shared.", invite.id);
            call.teller.say(&Answer::new(text, json!({"invite": invite}))).await;
            Ok(())
        }
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
    let drawings = Drawings::prepare(&args.drawing, args.uses, call)?;
    let options = InviteOptions { role: args.role.role(), days: args.days };
    let invites = call.client.invite_several(space.space, options, args.uses).await?;
    let Some(first) = invites.first() else { return Err(alliance_client::Error::new(Code::Internal).into()) };
    let title = line(&first.title);
    let mut text = if args.uses == 1 {
        format!("Give this text to the person whom you invite into \"{title}\", and to nobody else:\n\n")
    } else {
        format!("Give one of these {} texts to each person whom you invite into \"{title}\":\n\n", args.uses)
    };
    let drawn = drawings.draw(&invites)?;
    for (invite, drawn) in invites.iter().zip(&drawn) {
        text.push_str(&texts_of(invite, drawn, call.look()));
    }
    text.push_str("Next: they run `alliance join TEXT`; both sync; `alliance invite list` shows the words to compare.");
    let rows: Vec<_> = invites.iter().zip(&drawn).map(|(invite, drawn)| with_drawn(invite, drawn)).collect();
    let answer = match rows.as_slice() {
        [one] => json!({"invite": one}),
        several => json!({"invites": several}),
    };
    call.teller.say(&Answer::new(text, answer)).await;
    Ok(())
}

/// An invitation for a further device of this person.
pub(super) async fn device(drawing: &Drawing, call: &Call) -> Result<(), Failure> {
    let drawings = Drawings::prepare(drawing, 1, call)?;
    let invite = call.client.invite_device().await?;
    let drawn = drawings.draw(std::slice::from_ref(&invite))?;
    let mut text = "For your other device, where `alliance join TEXT` takes it:\n\n".to_owned();
    for drawn in &drawn {
        text.push_str(&texts_of(&invite, drawn, call.look()));
    }
    text.push_str("Next: `alliance invite answer TEXT` here, with what that prints.");
    let rows: Vec<_> = drawn.iter().map(|drawn| with_drawn(&invite, drawn)).collect();
    call.teller.say(&Answer::new(text, json!({"invite": rows.first()}))).await;
    Ok(())
}

async fn show(id: &str, drawing: &Drawing, call: &Call) -> Result<(), Failure> {
    let invite = call.client.invitation(id).await?;
    let wanted = drawing.qr || drawing.png.is_some() || drawing.svg.is_some();
    if wanted && invite.state != InviteState::Open {
        return Err(alliance_client::Error::new(Code::InvitationUsed).into());
    }
    let drawn = Drawings::prepare(drawing, 1, call)?.draw(std::slice::from_ref(&invite))?;
    let text = match &invite.state {
        InviteState::Open => drawn.iter().map(|drawn| texts_of(&invite, drawn, call.look())).collect(),
        InviteState::Answered { .. } => answered(&invite),
        InviteState::Confirmed => "This invitation was used: its newcomer is a member.".to_owned(),
        InviteState::Spent => "This invitation is spent: nobody comes in by it.".to_owned(),
    };
    let rows: Vec<_> = drawn.iter().map(|drawn| with_drawn(&invite, drawn)).collect();
    call.teller.say(&Answer::new(text, json!({"invite": rows.first()}))).await;
    Ok(())
}

/// An invitation's text and drawing, for people.
fn texts_of(invite: &InviteView, drawn: &Drawn, look: Look) -> String {
    let mut text = format!("{}\n\n", invite.text);
    if let Some(lines) = &drawn.lines {
        let columns = lines.first().map_or(0, |line| width(line));
        if look.color && columns > look.columns {
            text.push_str(&format!(
                "The code needs {columns} columns and the terminal has {}: make it wider and run `alliance invite show {} --qr`, or write the code into a file with --png.\n\n",
                look.columns, invite.id
            ));
        } else {
            text.push_str(&code::colored(lines, look.color));
            text.push('\n');
        }
    }
    for file in &drawn.files {
        text.push_str(&format!(
            "As a QR code in {}. Whoever has the file can ask to join: delete it afterwards.\n\n",
            line(file)
        ));
    }
    text.push_str(&format!(
        "It works once, until {}. Number of the invitation: {}.\n",
        moment(invite.expires),
        invite.id
    ));
    text
}

/// An invitation for programs, with what was drawn.
fn with_drawn(invite: &InviteView, drawn: &Drawn) -> Value {
    let mut value = json!(invite);
    if let Some(lines) = &drawn.lines {
        value["qr"] = json!(lines);
    }
    if !drawn.files.is_empty() {
        value["files"] = json!(drawn.files);
    }
    value
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
        Some(JoinSubcommand::Meet { id, at }) => meet(id, at, call).await?,
        Some(JoinSubcommand::Reveal { text }) => {
            let join = call.client.answer_reveal(text).await?;
            call.teller.say(&Answer::new(revealed(&join), json!({"join": join}))).await;
        }
        None => {
            let invitation = command.text.invitation.as_deref().ok_or_else(|| Failure::from(DeskCode::Usage))?;
            let join = call.client.join(invitation, command.text.title.as_deref()).await?;
            if let Some(at) = &command.text.at {
                return meet(&join.id, at, call).await;
            }
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

/// Meets the inviter; what comes of it is the words to compare, or the space.
async fn meet(id: &str, at: &str, call: &Call) -> Result<(), Failure> {
    let work = call.client.meet_inviter(id, at, progress(&call.teller));
    let join = until(call.stop.clone(), work).await?;
    call.teller.say(&Answer::new(revealed(&join), json!({"join": join}))).await;
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
