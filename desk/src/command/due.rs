//! What waits: what came in, and what is due on a date.

use alliance_model::CivilDate;
use serde_json::json;

use super::{Call, reference};
use crate::failure::Failure;
use crate::output::Answer;
use crate::output::text::count;
use crate::show::due;

pub(super) async fn inbox(accept: bool, space: Option<&str>, call: &Call) -> Result<(), Failure> {
    let space = match space {
        Some(space) => Some(reference::space(&call.client, space).await?.space),
        None => None,
    };
    let accepted = if accept { call.client.accept_unchanged(space).await? } else { 0 };
    let mut inbox = call.client.inbox().await?;
    inbox.retain(|waits| space.is_none_or(|space| space == waits.space));
    let mut text = due::inbox(&inbox, call.look());
    if accept {
        text.insert_str(0, &format!("{} taken as seen.\n", count(accepted, "document is", "documents are")));
    }
    call.teller.say(&Answer::new(text, json!({"inbox": inbox, "accepted": accepted}))).await;
    Ok(())
}

pub(super) async fn today(as_of: CivilDate, call: &Call) -> Result<(), Failure> {
    let spaces = call.client.today(as_of).await?;
    let text = due::today(&spaces, call.look());
    call.teller.say(&Answer::new(text, json!({"as_of": as_of, "spaces": spaces}))).await;
    Ok(())
}
