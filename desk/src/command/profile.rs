//! Several people on one device: profiles are made, listed, used, locked and removed here; none of it needs the store
//! of a profile open beyond the command.

use std::path::Path;
use std::time::Duration;

use alliance_client::{Client, Code, Error, NewProfile, ProfileId, ProfileView, Profiles, UnsentView};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::cli::{Common, ProfileAdd, ProfileCommand};
use crate::failure::Failure;
use crate::output::table::Table;
use crate::output::text::{count, line};
use crate::output::{Answer, Teller};
use crate::words::{WordsFile, ask_back_at_last};
use crate::{place, secret};

/// How long a command that has a profile open may take to seal and close it.
const CLOSING_MAX: Duration = Duration::from_secs(10);
/// Between two looks whether it has.
const PAUSE: Duration = Duration::from_millis(40);
/// Digits of an id in a list.
const SHORT_DIGITS: usize = 8;

/// `alliance profile`.
pub(crate) async fn profile(command: &ProfileCommand, common: &Common, teller: &Teller) -> Result<(), Failure> {
    let profiles = place::profiles(common)?;
    let file = common.passphrase_file.as_deref();
    match command {
        ProfileCommand::Add(args) => add(&profiles, args, file, teller).await,
        ProfileCommand::List => list(&profiles, teller).await,
        ProfileCommand::Use { profile } => use_it(&profiles, profile, file, teller).await,
        ProfileCommand::Lock { profile } => lock(&profiles, profile.as_deref(), teller).await,
        ProfileCommand::Pin { profile } => {
            let id = profiles.find(profile).await?;
            let old = secret::pin(file).await?;
            let new = secret::new_pin(file, 1).await?;
            profiles.change_pin(&id, &old, &new).await?;
            said(&profiles, &id, "The new PIN opens this profile from now on.", json!({}), teller).await
        }
        ProfileCommand::Reset { profile, helped: true, .. } => helped(&profiles, profile, file, teller).await,
        ProfileCommand::Helper { profile, space, person, .. } => {
            let named = space.as_deref().zip(person.as_deref());
            helper(&profiles, profile, named, file, teller).await
        }
        ProfileCommand::Reset { profile, words, .. } => {
            let id = profiles.find(profile).await?;
            reset(&profiles, &id, words.words_file.as_deref(), file).await?;
            said(&profiles, &id, "The new PIN opens this profile from now on.", json!({}), teller).await
        }
        ProfileCommand::Remove { profile, force } => remove(&profiles, profile, *force, file, teller).await,
        ProfileCommand::Restore { file: backup, nickname, words } => {
            teller.progress("reading the backup");
            let id = profiles.restore(backup, nickname.as_deref()).await?;
            let set = reset(&profiles, &id, words.words_file.as_deref(), file).await;
            let text = "The backup is a profile of this device, as a new history of the same device. Sync now: what was \
                written since the backup comes back from whoever has it.";
            // A profile without a PIN is one: `profile reset` goes on from here.
            said(&profiles, &id, text, json!({}), teller).await?;
            set
        }
    }
}

/// Opens a profile's store by its PIN, and says if others tried.
pub(crate) async fn unlock(
    profiles: &Profiles,
    id: &ProfileId,
    file: Option<&Path>,
    teller: &Teller,
) -> Result<alliance_client::StoreKey, Failure> {
    let pin = secret::pin(file).await?;
    let unlocked = profiles.unlock(id, &pin).await?;
    if unlocked.wrong > 0 {
        let wrong = count(unlocked.wrong.into(), "wrong PIN was", "wrong PINs were");
        teller.remark(&format!("{wrong} tried since this profile was opened last.")).await;
    }
    Ok(unlocked.key)
}

async fn add(profiles: &Profiles, args: &ProfileAdd, file: Option<&Path>, teller: &Teller) -> Result<(), Failure> {
    let words = WordsFile::of(args.words_file.as_deref())?;
    let made = match secret::new_pin(file, 0).await {
        Ok(pin) => {
            teller.progress("making the profile");
            let nickname = args.nickname.as_deref();
            let new = NewProfile { nickname, name: &args.name, pin: &pin, words: words.given() };
            profiles.add(new).await.map_err(Failure::from)
        }
        Err(failure) => Err(failure),
    };
    let (id, client, fresh) = match made {
        Ok(made) => made,
        Err(failure) => {
            words.give_up();
            return Err(failure);
        }
    };
    let whoami = client.whoami();
    words.found_home(&client).await;
    client.close().await?;
    let view = view(profiles, &id).await?;
    let mut text = format!(
        "{} is a profile of this device: {}\nIts store: {}\n\n",
        line(&whoami.name),
        shown(&view),
        whoami.store
    );
    let mut json = super::whoami_json(&whoami);
    json["profile"] = json!(view);
    let shown = words.tell(&Zeroizing::new(fresh.to_string()), teller.look().columns, &mut text, &mut json);
    teller.say(&Answer::new(text, json)).await;
    if shown && file.is_none() && !teller.look().json {
        ask_back_at_last(&fresh, teller).await?;
    }
    Ok(())
}

async fn list(profiles: &Profiles, teller: &Teller) -> Result<(), Failure> {
    let list = profiles.list().await?;
    let mut table = Table::new(&["PROFILE", "ID", "IN USE", "PIN"], 0);
    for view in &list {
        let pin = match (view.has_pin, view.wait_seconds) {
            (false, _) => "none: set one with the recovery words".to_owned(),
            (true, 0) => "asked".to_owned(),
            (true, wait) => format!("not taken for {}", count(wait, "second", "seconds")),
        };
        let used = if view.chosen { "yes" } else { "" };
        let nickname = view.nickname.clone().unwrap_or_default();
        table.row([nickname, view.id[..SHORT_DIGITS].to_owned(), used.to_owned(), pin]);
    }
    let text =
        table.print(teller.look().columns, "There is no profile on this device; make one with `alliance profile add`.");
    teller.say(&Answer::new(text, json!({"profiles": list}))).await;
    Ok(())
}

async fn use_it(profiles: &Profiles, reference: &str, file: Option<&Path>, teller: &Teller) -> Result<(), Failure> {
    let id = profiles.find(reference).await?;
    unlock(profiles, &id, file, teller).await?;
    if let Some(before) = profiles.chosen().await?.filter(|before| *before != id) {
        close(profiles, &before).await?;
    }
    profiles.choose(Some(&id)).await?;
    said(profiles, &id, "Later commands are of this profile, until `alliance profile lock`.", json!({}), teller).await
}

async fn lock(profiles: &Profiles, reference: Option<&str>, teller: &Teller) -> Result<(), Failure> {
    let chosen = profiles.chosen().await?;
    let id = match reference {
        Some(reference) => profiles.find(reference).await?,
        None => chosen.clone().ok_or_else(|| Error::new(Code::UnknownProfile).with("what", "none is in use"))?,
    };
    let ended = close(profiles, &id).await?;
    if chosen.as_ref() == Some(&id) {
        profiles.choose(None).await?;
    }
    let text = match ended {
        Some(_) => "Locked: the command that had it open sealed what it could and ended.",
        None => "Locked: no command has it open. What could be sealed was sealed when the last one ended.",
    };
    said(profiles, &id, text, json!({"ended": ended}), teller).await
}

/// Ends the command that has a profile open, if any, in order; its process id.
async fn close(profiles: &Profiles, id: &ProfileId) -> Result<Option<u32>, Failure> {
    let until = Instant::now() + CLOSING_MAX;
    let mut ended = None;
    while let Some(holder) = profiles.holder(id).await? {
        // Named once it has written its id; told once, since a second signal would not wait for sealing.
        if let Some(pid) = holder.filter(|pid| ended != Some(*pid))
            && let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        {
            // Gone meanwhile: the next look says so.
            let _ = kill_process(process, Signal::TERM);
            ended = Some(pid);
        }
        if Instant::now() > until {
            let busy = Error::new(Code::StoreBusy);
            return Err(holder.map_or(busy.clone(), |pid| busy.with("pid", pid)).into());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(ended)
}

async fn reset(
    profiles: &Profiles,
    id: &ProfileId,
    words_file: Option<&Path>,
    file: Option<&Path>,
) -> Result<(), Failure> {
    let words = secret::words(words_file).await?;
    let pin = secret::new_pin(file, 0).await?;
    Ok(profiles.reset_pin(id, &words, &pin).await?)
}

async fn helper(
    profiles: &Profiles,
    reference: &str,
    named: Option<(&str, &str)>,
    file: Option<&Path>,
    teller: &Teller,
) -> Result<(), Failure> {
    let id = profiles.find(reference).await?;
    let key = unlock(profiles, &id, file, teller).await?;
    let client = Client::open_with(&profiles.store(&id), &key, alliance_client::Options::default()).await?;
    let set = async {
        let Some((space, person)) = named else {
            profiles.remove_helper(&id, &client).await?;
            return Ok("Nobody can help with this PIN any more but you, by the recovery words.".to_owned());
        };
        let space = super::reference::space(&client, space).await?.space;
        let devices = profiles.set_helper(&id, &client, space, person).await?;
        let devices = count(devices.len() as u64, "device", "devices");
        Ok(format!("{} can help when the PIN is forgotten, on {devices}.", line(person)))
    };
    let set: Result<String, Failure> = set.await;
    client.close().await?;
    said(profiles, &id, &set?, json!({}), teller).await
}

async fn helped(profiles: &Profiles, reference: &str, file: Option<&Path>, teller: &Teller) -> Result<(), Failure> {
    let id = profiles.find(reference).await?;
    let ask = profiles.ask_help(&id).await?;
    let text =
        format!("For your helper, who runs `alliance vouch` with it and gives you the answer:\n\n{}\n", ask.text);
    teller.say(&Answer::new(text, json!({"request": ask.text}))).await;
    let answer = secret::answer(file).await?;
    let pin = secret::new_pin(file, 0).await?;
    let device = profiles.reset_helped(&id, &ask, &answer, &pin).await?;
    let json = json!({"helped_by": device.to_string()});
    said(profiles, &id, "The new PIN opens this profile from now on.", json, teller).await
}

/// `alliance vouch`, on the helper's open store.
pub(super) async fn vouch(request: &str, call: &super::Call) -> Result<(), Failure> {
    let answer = call.client.vouch(request)?;
    let text = format!("Whoever has this and the device that asked sets a new PIN there. The answer:\n\n{answer}\n");
    call.teller.say(&Answer::new(text, json!({"answer": answer}))).await;
    Ok(())
}

async fn remove(
    profiles: &Profiles,
    reference: &str,
    force: bool,
    file: Option<&Path>,
    teller: &Teller,
) -> Result<(), Failure> {
    let id = profiles.find(reference).await?;
    let view = view(profiles, &id).await?;
    let key = unlock(profiles, &id, file, teller).await?;
    teller.progress("looking for what is nowhere else");
    let client = Client::open_with(&profiles.store(&id), &key, alliance_client::Options::default()).await?;
    let lost = client.unsent().await?;
    match profiles.remove(&id, &client, force).await {
        Ok(_) => {}
        Err(refused) if refused.code() == Code::ProfileUnsent.code() => {
            let named: Vec<String> = lost.iter().map(|one| format!("  {}", unsent(one))).collect();
            teller.remark(&format!("Nowhere else is:\n{}", named.join("\n"))).await;
            client.close().await?;
            return Err(refused.into());
        }
        Err(error) => return Err(error.into()),
    }
    let mut text = format!("{} is removed from this device.\n", shown(&view));
    if !lost.is_empty() {
        let named: Vec<String> = lost.iter().map(|one| format!("  {}\n", unsent(one))).collect();
        text.push_str(&format!("Lost with it, because it was nowhere else:\n{}", named.concat()));
    }
    teller.say(&Answer::new(text, json!({"removed": view, "lost": lost}))).await;
    Ok(())
}

fn unsent(lost: &UnsentView) -> String {
    let drafts = count(lost.drafts, "draft", "drafts");
    format!("{}: {drafts}, {}", line(&lost.title), count(lost.unsent, "entry", "entries"))
}

/// Says something of a profile.
async fn said(
    profiles: &Profiles,
    id: &ProfileId,
    text: &str,
    mut json: Value,
    teller: &Teller,
) -> Result<(), Failure> {
    let view = view(profiles, id).await?;
    let text = format!("{}: {text}", shown(&view));
    json["profile"] = json!(view);
    let columns = teller.look().columns;
    teller.say(&Answer::new(crate::output::text::paragraph(&text, "", columns), json)).await;
    Ok(())
}

async fn view(profiles: &Profiles, id: &ProfileId) -> Result<ProfileView, Failure> {
    let list = profiles.list().await?;
    let found = list.into_iter().find(|view| view.id == id.as_str());
    found.ok_or_else(|| Error::new(Code::UnknownProfile).into())
}

/// Nickname and first digits.
fn shown(view: &ProfileView) -> String {
    let digits = &view.id[..SHORT_DIGITS];
    view.nickname.as_ref().map_or_else(|| digits.to_owned(), |nickname| format!("{} ({digits})", line(nickname)))
}
