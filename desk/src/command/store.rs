//! The store as a whole: who it is, its honest state, backups and exports.

use std::path::Path;

use alliance_client::{Client, Code, Whoami};
use serde_json::{Value, json};

use super::Call;
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::{count, line, moment, paragraph};
use crate::show::lists;

pub(super) async fn whoami(call: &Call) -> Result<(), Failure> {
    let whoami = call.client.whoami();
    call.teller.say(&Answer::new(whoami_text(&whoami), whoami_json(&whoami))).await;
    Ok(())
}

fn whoami_text(whoami: &Whoami) -> String {
    format!(
        "{}\n  device       {}\n  incarnation  {}\n  made         {}\n  store        {}",
        line(&whoami.name),
        whoami.device,
        whoami.incarnation,
        moment(whoami.created),
        whoami.store
    )
}

pub(crate) fn whoami_json(whoami: &Whoami) -> Value {
    json!({"whoami": whoami})
}

/// Said before all else when what an interrupted making left was removed.
pub(crate) const UNFINISHED: &str = "An earlier `alliance init` or `restore` in this folder did not come to its end. Nothing was \
    ever written in that store; what there was of it is removed.\n\n";

/// What a person reads once, when a store is made.
pub(crate) fn recovery_words_text(words: &str, columns: usize) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let rows: Vec<String> = words.chunks(4).map(|row| format!("    {}\n", row.join("  "))).collect();
    let why = "Write these twelve words on paper, now, and keep the paper where nobody else looks: they are shown this once. \
        With them and a device or relay that has your notes, you are yourself again after this device is lost or broken. \
        Without the words and without a device of yours, nobody can give you back what only you could read: no operator, \
        no colleague, no password reset. Whoever reads the words can become you. Write your relay's connect string on \
        the same paper: a new device finds everything there with the words alone.";
    format!("Your recovery words:\n\n{}\n{}", rows.concat(), paragraph(why, "", columns))
}

pub(super) async fn status(call: &Call) -> Result<(), Failure> {
    let status = call.client.status().await?;
    let text = lists::status(&status, call.look());
    call.teller.say(&Answer::new(text, json!({"status": status}))).await;
    Ok(())
}

pub(super) async fn backup(file: &Path, call: &Call) -> Result<(), Failure> {
    let file = call.folder.join(file);
    call.teller.progress("sealing the backup");
    if file.exists() {
        return Err(Failure::from(DeskCode::FileExists).with("file", file.display()));
    }
    let bytes = call.client.backup(&file).await.map_err(|error| {
        // The client cannot tell the store's folder from the backup's; here it is the backup that is written.
        if error.code() == Code::StoreIo.code() {
            Failure::from(DeskCode::FileUnwritable).with("file", file.display())
        } else {
            error.into()
        }
    })?;
    let opens =
        if call.client.is_profile() { "opened by your recovery words" } else { "sealed with this store's passphrase" };
    let text = format!("{} written to {}, {opens}.", count(bytes, "byte", "bytes"), file.display());
    let json = json!({"backup": {"file": file.display().to_string(), "bytes": bytes}});
    call.teller.say(&Answer::new(text, json)).await;
    Ok(())
}

/// What is said of a store that was made from a backup.
pub(crate) fn restored(client: &Client) -> Answer {
    let whoami = client.whoami();
    let text = format!(
        "The backup is restored as a new history of the same device.\n{}\nSync now: what was written since the backup comes back from whoever has it.",
        whoami_text(&whoami)
    );
    Answer::new(text, json!({"restored": whoami}))
}
