//! `alliance doctor`: what in the store is damaged, in sentences, and what to do about it.

use std::path::Path;

use alliance_client::{Client, Code, Error, Health, Salvage};
use serde_json::json;

use crate::failure::Failure;
use crate::output::text::count;
use crate::output::{Answer, Teller};
use crate::unlock::Unlock;

/// Looks at a store that nobody has open, and salvages it if that was asked for and something is damaged.
pub(crate) async fn doctor(store: &Path, unlock: &Unlock, salvage: bool, teller: &Teller) -> Result<(), Failure> {
    teller.progress("looking at every page");
    let health = match unlock {
        Unlock::Passphrase(passphrase) => Client::check(store, passphrase).await?,
        Unlock::Key(key) => Client::check_with(store, key).await?,
    };
    let needs_salvage = !health.whole && !only_cut(&health);
    if !(salvage && needs_salvage) {
        teller.say(&Answer::new(health_text(&health), json!({"health": health}))).await;
        return if needs_salvage { Err(Error::new(Code::StoreDamaged).into()) } else { Ok(()) };
    }
    teller.progress("saving what can be read");
    let saved = match unlock {
        Unlock::Passphrase(passphrase) => Client::salvage(store, passphrase).await?,
        Unlock::Key(key) => Client::salvage_with(store, key).await?,
    };
    let text = format!("{}\n{}", health_text(&health), salvage_text(&saved));
    teller.say(&Answer::new(text, json!({"health": health, "salvage": saved}))).await;
    if saved.profile { Ok(()) } else { Err(Error::new(Code::StoreDamaged).with("what", "no profile").into()) }
}

/// The next opening sees to a write-ahead log that was cut.
fn only_cut(health: &Health) -> bool {
    health.log_cut && health.pages.is_empty() && health.spaces.is_empty() && health.damaged == 0
}

fn health_text(health: &Health) -> String {
    if health.whole {
        return format!("Nothing is damaged. {} read and checked.", count(health.entries, "entry was", "entries were"));
    }
    let mut text = String::new();
    if health.log_cut {
        text.push_str(
            "What was written last may be lost on this disk: the log of the newest changes was cut short, by a power \
             failure or a flipped bit. The next command begins a new history of this device; sync, and what had left the \
             device comes back.\n",
        );
    }
    if !health.pages.is_empty() {
        text.push_str("Parts of the database are damaged:\n");
        health.pages.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    if !health.spaces.is_empty() {
        text.push_str("Spaces say something else of themselves than follows from their entries:\n");
        health.spaces.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    if health.damaged > 0 {
        let damaged = count(health.damaged, "entry does", "entries do");
        text.push_str(&format!("{damaged} not read as it was written.\n"));
    }
    if !only_cut(health) {
        text.push_str(
            "Nothing was changed. Copy the folder of the store to another disk if you can. Then run `alliance doctor \
             --salvage`: what can be read goes into a new database, drafts included, and the damaged one is kept. Sync \
             afterwards: what is missing comes back from whoever has it.\n",
        );
    }
    text.trim_end().to_owned()
}

fn salvage_text(saved: &Salvage) -> String {
    let mut text = format!(
        "{} and {} are in a new database. The damaged one is kept: {}\n",
        count(saved.entries, "entry", "entries"),
        count(saved.drafts, "draft", "drafts"),
        saved.aside
    );
    if saved.waiting > 0 {
        let waiting = count(saved.waiting, "entry", "entries");
        text.push_str(&format!("{waiting} could be read and not be taken over, because one before is missing.\n"));
    }
    if !saved.unread.is_empty() {
        text.push_str(&format!("Not everything could be read in: {}.\n", saved.unread.join(", ")));
    }
    text.push_str(if saved.profile {
        "Sync now: what is missing comes back from whoever has it."
    } else {
        "Who this device is could not be read. Restore a backup into another folder, and sync there."
    });
    text
}
