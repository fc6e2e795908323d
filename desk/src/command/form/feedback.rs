//! Feedback: given, heard, taken back, and none for now.

use alliance_model::DocumentKind;
use alliance_model::form::{FormItemView, Said, is_paused};
use serde_json::json;

use super::items;
use super::opened::{self, Form, Named};
use super::writing::{FEEDBACK_AGAIN, NO_FEEDBACK_NOW, saying};
use crate::cli::{FeedbackCommand, FeedbackGive};
use crate::command::Call;
use crate::failure::Failure;
use crate::output::Answer;
use crate::output::text::line;

const ACKNOWLEDGED: &str = "acknowledged";
const RETRACTED: &str = "retracted";

pub(super) async fn feedback(command: &FeedbackCommand, call: &Call) -> Result<(), Failure> {
    let of = |space| Named::OfSpace(DocumentKind::Feedback, space);
    match command {
        FeedbackCommand::List { space } => {
            let none =
                "There is no feedback yet; give some with `alliance feedback give SPACE --to PERSON --text ...`.";
            opened::show(of(space), none, call).await
        }
        FeedbackCommand::Give(FeedbackGive { space, to, sort, timing, session, source: _ }) => {
            let fields = [
                ("to", Some(to.as_str())),
                ("sort", sort.as_deref()),
                ("timing", timing.as_deref()),
                ("session", session.as_deref()),
            ];
            items::add(of(space), "feedback", &fields, call).await
        }
        FeedbackCommand::Edit { space, feedback, source: _ } => items::edit(of(space), feedback, call).await,
        FeedbackCommand::Acknowledge { space, feedback, source: _ } => {
            let form = Form::open(of(space), call).await?;
            let change = saying(&form, Some(form.item(feedback)?), Said::word(ACKNOWLEDGED), call)?;
            form.write(vec![change], call).await
        }
        FeedbackCommand::Retract { space, feedback } => {
            let form = Form::open(of(space), call).await?;
            let item = form.item(feedback)?;
            if let Some(by) = heard(&form, item) {
                return nothing(&form, &format!("{} has acknowledged it, so it stays.", line(by)), call).await;
            }
            let change = saying(&form, Some(item), Said::word(RETRACTED), call)?;
            form.write(vec![change], call).await
        }
        FeedbackCommand::Pause { space } => pause(space, true, call).await,
        FeedbackCommand::Resume { space } => pause(space, false, call).await,
    }
}

/// Who has acknowledged what is one's own: what was heard is not taken back, and saying so would do nothing.
fn heard<'a>(form: &'a Form, item: &FormItemView) -> Option<&'a str> {
    let own = form.view.author(item.by) == form.me;
    let said = item.log.iter().find(|said| own && said.word == ACKNOWLEDGED)?;
    Some(form.view.author(said.by))
}

/// Asks for no more feedback just now, or for some again. It stands in the charter.
async fn pause(space: &str, wanted: bool, call: &Call) -> Result<(), Failure> {
    let charter = Form::open(Named::OfSpace(DocumentKind::Charter, space), call).await?;
    if is_paused(&charter.view, &charter.me) == wanted {
        let text = if wanted { "You have asked for none already." } else { "You have not asked for a pause." };
        return nothing(&charter, text, call).await;
    }
    let word = if wanted { NO_FEEDBACK_NOW } else { FEEDBACK_AGAIN };
    let change = saying(&charter, None, Said::word(word), call)?;
    charter.write(vec![change], call).await
}

/// Says why nothing was written.
async fn nothing(form: &Form, why: &str, call: &Call) -> Result<(), Failure> {
    let json = json!({"document": form.document.to_string(), "commands": 0});
    call.teller.say(&Answer::new(format!("{why} Nothing was written."), json)).await;
    Ok(())
}
