//! What a space is: its charter, whom it is for, and the signed files that hold in it.

use std::path::Path;

use alliance_model::audience::Audience;
use alliance_model::{CivilDate, DocumentKind};
use serde_json::json;

use super::opened::{self, Named};
use super::{items, signing, writing};
use crate::cli::CharterCommand;
use crate::command::{Call, reference};
use crate::failure::Failure;
use crate::output::Answer;
use crate::show;

pub(super) async fn charter(command: &CharterCommand, call: &Call) -> Result<(), Failure> {
    let of = |space| Named::OfSpace(DocumentKind::Charter, space);
    match command {
        CharterCommand::Show { space } => {
            let none = "Nothing is said of this space yet; `alliance charter set --help` shows what can be.";
            opened::show(of(space), none, call).await
        }
        CharterCommand::Set { space, field, value } => writing::set(of(space), field, value, call).await,
        CharterCommand::Clear { space, field } => writing::clear(of(space), field, call).await,
        CharterCommand::Put { space, set, value } => writing::put(of(space), set, value, call).await,
        CharterCommand::Take { space, set, value } => writing::take(of(space), set, value, call).await,
        CharterCommand::Say { space, said } => writing::say(of(space), said, None, call).await,
        CharterCommand::Audience { space, audience } => self::audience(space, *audience, call).await,
        CharterCommand::Adopt { space, file, on } => adopt(space, &call.folder.join(file), *on, call).await,
        CharterCommand::Adopted { space } => {
            let space = reference::space(&call.client, space).await?.space;
            let adopted = call.client.adopted_files(space).await?;
            call.teller.say(&Answer::new(show::adopted(&adopted, call.look()), json!({"adopted": adopted}))).await;
            Ok(())
        }
        CharterCommand::Acknowledge { space, file, on } => {
            let space = reference::space(&call.client, space).await?.space;
            let adopted = call.client.acknowledge_file(space, file, *on).await?;
            let text = format!("{}\n", show::who_has_read(&adopted).join("; "));
            call.teller.say(&Answer::new(text, json!({"adopted": adopted}))).await;
            Ok(())
        }
        CharterCommand::Release { space, file } => {
            let space = reference::space(&call.client, space).await?.space;
            call.client.release(space, file).await?;
            let adopted = call.client.adopted_files(space).await?;
            let text = "You let go of it. It holds until every member of the space has.";
            call.teller.say(&Answer::new(text.to_owned(), json!({"adopted": adopted}))).await;
            Ok(())
        }
        CharterCommand::Train { space, profession, registration, source: _ } => {
            let fields = [("profession", profession.as_deref()), ("registration", registration.as_deref())];
            items::add(of(space), "training", &fields, call).await
        }
    }
}

async fn audience(space: &str, says: Option<Audience>, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, space).await?.space;
    if let Some(says) = says {
        call.client.set_audience(space, says).await?;
    }
    let audience = call.client.audience(space).await?;
    let held = DocumentKind::ALL.iter().filter(|kind| audience.holds(**kind)).map(|kind| kind.name());
    let held: Vec<&str> = held.collect();
    let text = format!("This space is for: {audience}\nIt holds: {}", held.join(", "));
    call.teller.say(&Answer::new(text, json!({"audience": audience, "holds": held}))).await;
    Ok(())
}

async fn adopt(space: &str, file: &Path, on: CivilDate, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, space).await?.space;
    let adopted = call.client.adopt_file(space, &signing::read(file)?, on).await?;
    let text = format!(
        "{}It holds here from now on; everybody in the space has it after the next sync.\n",
        show::adopted(std::slice::from_ref(&adopted), call.look())
    );
    call.teller.say(&Answer::new(text, json!({"adopted": adopted}))).await;
    Ok(())
}
