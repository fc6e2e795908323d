//! The recovery words of one's own person.

use alliance_client::OwnWords;
use serde_json::json;

use super::Call;
use crate::cli::WordsCommand;
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::{count, short};
use crate::show::lists;

pub(super) async fn words(command: &WordsCommand, call: &Call) -> Result<(), Failure> {
    let (words, sentence) = match command {
        WordsCommand::List => {
            let words = call.client.words().await?;
            let text = lists::words(&words, call.look());
            call.teller.say(&Answer::new(text, json!({"words": words}))).await;
            return Ok(());
        }
        WordsCommand::Add { .. } => {
            let (words, further) = call.text()?.split_once('\n').ok_or(DeskCode::Usage)?;
            (call.client.add_words(words, further).await?, "open everything of yours, as the first ones do.")
        }
        WordsCommand::Withdraw { key, .. } => {
            (call.client.withdraw_words(key, call.text()?).await?, "open nothing any more. Sync: then the others know.")
        }
    };
    let text = format!("The words with the key {} {sentence}\n{}", short(&words.key), places(&words));
    call.teller.say(&Answer::new(text, json!({"words": words}))).await;
    Ok(())
}

fn places(words: &OwnWords) -> String {
    let spaces = |spaces: &[alliance_client::SpaceId]| count(spaces.len() as u64, "space", "spaces");
    format!(
        "Listed in {}, out of {}; the one that holds your devices together counts as one.",
        spaces(&words.active),
        spaces(&words.out)
    )
}
