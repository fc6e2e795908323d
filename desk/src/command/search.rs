//! Finding documents by their words.

use serde_json::json;

use super::{Call, reference};
use crate::cli::SearchArgs;
use crate::failure::Failure;
use crate::output::Answer;
use crate::show::found;

/// Documents that are brought into the search between two looks at how many are left.
const STEP: u64 = 50;

pub(super) async fn search(args: &SearchArgs, call: &Call) -> Result<(), Failure> {
    let space = match &args.space {
        Some(space) => Some(reference::space(&call.client, space).await?.space),
        None => None,
    };
    // A process that lives for one command has no background: what an earlier version left is brought in first. Each
    // document is durable by itself, so that an interruption loses nothing.
    loop {
        let left = call.client.bring_into_search(STEP).await?;
        if left == 0 {
            break;
        }
        call.teller.progress(format!("bringing documents into the search, {left} left"));
    }
    let words = args.words.join(" ");
    let page = call.client.search(&words, space, args.kind, args.offset, args.limit).await?;
    let spaces = call.client.spaces().await?;
    let text = found::page(&page, &spaces, args.offset, call.look());
    call.teller.say(&Answer::new(text, json!({"found": page, "offset": args.offset}))).await;
    Ok(())
}
