//! Whether the login keyring helps to open the store.

use std::path::Path;

use alliance_client::{Client, Code, NotKept};
use serde_json::json;

use super::Call;
use crate::failure::Failure;
use crate::keyring::LoginKeyring;
use crate::output::text::paragraph;
use crate::output::{Answer, Teller};

const ON: &str = "No passphrase is asked any more while you are logged in: the login keyring has one half of this \
    store's key, the store's folder the other. Until you say `alliance keyring off`, any program that runs as you can \
    open the store, and on a stolen disk the store is only as safe as your login password. The passphrase still opens \
    it; backups and copies on other machines need it.";

/// `alliance keyring on`, on an open store.
pub(super) async fn on(call: &Call) -> Result<(), Failure> {
    call.client.keep_key(&LoginKeyring).await?;
    let text = paragraph(ON, "", call.look().columns);
    call.teller.say(&Answer::new(text, json!({"keyring": {"on": true}}))).await;
    Ok(())
}

/// `alliance keyring off`: needs no passphrase, since it only takes something away.
pub(crate) async fn off(store: &Path, teller: &Teller) -> Result<(), Failure> {
    is_store(store)?;
    let was_on = Client::is_kept(store);
    let left = Client::forget_key(store, &LoginKeyring).await?.err();
    let text = match (was_on, left) {
        (false, _) => "The keyring was not in use; nothing was changed.".to_owned(),
        (true, None) => "The passphrase is asked from now on; the keyring has forgotten its half.".to_owned(),
        (true, Some(why)) => {
            format!(
                "The passphrase is asked from now on. The keyring's half was left there, since {why}; it opens nothing."
            )
        }
    };
    let json = json!({"keyring": {"on": false, "left": left.map(|why| why.to_string())}});
    teller.say(&Answer::new(text, json)).await;
    Ok(())
}

/// `alliance keyring status`: what would be if a command were given now.
pub(crate) async fn status(store: &Path, teller: &Teller) -> Result<(), Failure> {
    is_store(store)?;
    let on = Client::is_kept(store);
    let opens = if on { Client::kept_key(store, &LoginKeyring).await.map(drop) } else { Err(NotKept::NoHalf) };
    let text = match (on, opens) {
        (false, _) => "Off: the passphrase is asked.".to_owned(),
        (true, Ok(())) => "On: no passphrase is asked at the moment.".to_owned(),
        (true, Err(why)) => format!("On, but the passphrase is asked at the moment, since {why}."),
    };
    let why = opens.err().filter(|_| on).map(|why| why.to_string());
    teller.say(&Answer::new(text, json!({"keyring": {"on": on, "opens": opens.is_ok(), "why": why}}))).await;
    Ok(())
}

fn is_store(store: &Path) -> Result<(), Failure> {
    let there = Client::is_store(store);
    if there { Ok(()) } else { Err(alliance_client::Error::new(Code::StoreAbsent).into()) }
}
