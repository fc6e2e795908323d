//! Relays and spaces.

use alliance_client::{NewSpace, SpaceView, Standing};
use alliance_model::RefusalCode;
use alliance_model::audience::Audience;
use serde_json::{Value, json};

use super::note::refused;
use super::{Call, reference};
use crate::cli::{KindArg, RelayCommand, SpaceCommand};
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::{count, line};
use crate::show::lists;

pub(super) async fn relay(command: &RelayCommand, call: &Call) -> Result<(), Failure> {
    match command {
        RelayCommand::Add { connect, token } => {
            let relay = call.client.add_relay(connect, token.as_deref()).await?;
            let text = format!(
                "Relay {} is known from now on, by its key {}.\nSpaces that you found now name it; `alliance sync` exchanges with it.",
                relay.address, relay.key
            );
            call.teller.say(&Answer::new(text, json!({"relay": relay}))).await;
        }
        RelayCommand::List => {
            let relays = call.client.relays().await?;
            let text = lists::relays(&relays, call.look());
            call.teller.say(&Answer::new(text, json!({"relays": relays}))).await;
        }
        RelayCommand::Replace { old, connect, token } => {
            let replaced = call.client.replace_relay(old, connect, token.as_deref()).await?;
            let mut lines = vec![format!(
                "Relay {} carries {}.",
                replaced.relay.address,
                count(replaced.spaces.len() as u64, "space", "spaces")
            )];
            if !replaced.waiting.is_empty() {
                lines.push(format!(
                    "{} the old one carries still, until its steward names another.",
                    count(replaced.waiting.len() as u64, "space", "spaces")
                ));
            }
            lines.push("`alliance sync` tells the others, through either relay or directly.".to_owned());
            call.teller.say(&Answer::new(lines.join("\n"), json!({"replaced": replaced}))).await;
        }
        RelayCommand::Forget { relay } => {
            let relay = call.client.forget_relay(relay).await?;
            let text = format!("Relay {} is met no more.", relay.address);
            call.teller.say(&Answer::new(text, json!({"relay": relay}))).await;
        }
    }
    Ok(())
}

pub(super) async fn space(command: &SpaceCommand, call: &Call) -> Result<(), Failure> {
    match command {
        SpaceCommand::Create { title, kind, persons, audience } => {
            let kind = new_space(*kind, *persons)?;
            let space = found(title, kind, *audience, call).await?;
            let carried = match &space.relay {
                Some(relay) => format!("Relay {relay} will carry it."),
                None => "No relay carries it: you exchange directly (`alliance sync --listen`, `--with`).".to_owned(),
            };
            let text = format!(
                "Space \"{}\" ({}) is founded: {}\n{carried}\nInvite somebody with `alliance invite new {}`.",
                line(&space.title),
                space.kind,
                space.space,
                crate::output::text::short(&space.space),
            );
            let audience = self::audience(&space, call).await;
            call.teller.say(&Answer::new(text, json!({"space": with_audience(&space, audience)}))).await;
        }
        SpaceCommand::List => list(call).await?,
        SpaceCommand::Show { space } => {
            let space = reference::space(&call.client, space).await?;
            let audience = audience(&space, call).await;
            let text = lists::space(&space, audience, call.look());
            call.teller.say(&Answer::new(text, json!({"space": with_audience(&space, audience)}))).await;
        }
        SpaceCommand::Leave { space } => {
            let space = reference::space(&call.client, space).await?;
            let space = call.client.leave(space.space).await?;
            let text = format!("You left \"{}\". The others hear of it when you next sync.", line(&space.title));
            call.teller.say(&Answer::new(text, json!({"space": space}))).await;
        }
        SpaceCommand::End { space } => {
            let space = reference::space(&call.client, space).await?;
            let space = call.client.end_space(space.space).await?;
            let text = format!(
                "\"{}\" has ended: what is there stays readable, and nobody writes any more.",
                line(&space.title)
            );
            call.teller.say(&Answer::new(text, json!({"space": space}))).await;
        }
        SpaceCommand::Renew { space, title, kind, persons, into } => {
            let old = reference::space(&call.client, space).await?;
            let renewed = match into {
                Some(into) => {
                    let into = reference::space(&call.client, into).await?;
                    call.client.copy_documents(old.space, into.space).await?
                }
                None => {
                    let kind = kind.map(|kind| new_space(kind, *persons)).transpose()?;
                    let title = title.clone().unwrap_or_else(|| format!("{} (renewed)", old.title));
                    call.client.renew_space(old.space, &title, kind).await?
                }
            };
            let text = lists::renewed(&old, &renewed);
            call.teller.say(&Answer::new(text, json!({"renewed": renewed}))).await;
        }
        SpaceCommand::Return { space, .. } => {
            let space = reference::space(&call.client, space).await?;
            let space = call.client.take_back_leave(space.space, call.text()?).await?;
            let text = format!(
                "You are in \"{}\" again, and the device that left in your name is put out. Sync: then the others know.",
                line(&space.title)
            );
            call.teller.say(&Answer::new(text, json!({"space": space}))).await;
        }
        SpaceCommand::Offered { space } => {
            let space = reference::space(&call.client, space).await?;
            let offered = call.client.offered(space.space).await?;
            let text = lists::offered(&offered, call.look());
            call.teller.say(&Answer::new(text, json!({"offered": offered}))).await;
        }
        SpaceCommand::Admit { space, ids } => {
            let space = reference::space(&call.client, space).await?;
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            call.client.admit(space.space, &ids).await?;
            let text = format!("{} shown from now on.", count(ids.len() as u64, "entry is", "entries are"));
            call.teller.say(&Answer::new(text, json!({"admitted": ids}))).await;
        }
    }
    Ok(())
}

async fn list(call: &Call) -> Result<(), Failure> {
    let mut spaces = Vec::new();
    for space in call.client.spaces().await? {
        let audience = audience(&space, call).await;
        spaces.push((space, audience));
    }
    let text = lists::spaces(&spaces, call.look());
    let json: Vec<Value> = spaces.iter().map(|(space, audience)| with_audience(space, *audience)).collect();
    call.teller.say(&Answer::new(text, json!({"spaces": json}))).await;
    Ok(())
}

/// Founds a space, and says whom it is for before anything is in it.
async fn found(title: &str, kind: NewSpace, audience: Option<Audience>, call: &Call) -> Result<SpaceView, Failure> {
    if let Some(audience) = audience
        && (audience == Audience::Personal) != (kind == NewSpace::Personal)
    {
        // The client would refuse it as well, with the space founded by then.
        return Err(refused(RefusalCode::KindForbids).with("audience", audience));
    }
    let space = call.client.create_space(title, kind).await?;
    if let Some(audience) = audience {
        call.client.set_audience(space.space, audience).await?;
    }
    Ok(space)
}

/// Whom a space is for, where its kind does not say it. A space that cannot be read now is listed all the same.
async fn audience(space: &SpaceView, call: &Call) -> Option<Audience> {
    if !matches!(space.standing, Standing::Member | Standing::Closed) {
        return None;
    }
    let said = call.client.audience(space.space).await.ok()?;
    (!matches!(said, Audience::Personal | Audience::Alliance)).then_some(said)
}

/// A space, with whom it is for where its kind does not say it.
fn with_audience(space: &SpaceView, audience: Option<Audience>) -> Value {
    let mut json = json!(space);
    if let Some(audience) = audience {
        json["audience"] = json!(audience);
    }
    json
}

/// `--persons` belongs to spaces of peers, which cannot do without.
fn new_space(kind: KindArg, persons: Option<u16>) -> Result<NewSpace, Failure> {
    match (kind, persons) {
        (KindArg::Pair, None) => Ok(NewSpace::Pair),
        (KindArg::Peers, Some(persons)) => Ok(NewSpace::Peers(persons)),
        (KindArg::Group, None) => Ok(NewSpace::Group),
        (KindArg::Personal, None) => Ok(NewSpace::Personal),
        (KindArg::Peers, None) => Err(Failure::from(DeskCode::Usage).with("missing", "--persons")),
        (KindArg::Pair | KindArg::Group | KindArg::Personal, Some(_)) => {
            Err(Failure::from(DeskCode::Usage).with("only with --kind peers", "--persons"))
        }
    }
}
