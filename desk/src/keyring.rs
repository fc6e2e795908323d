//! The login keyring, as a keeper of keys: the Secret Service of the session's D-Bus (GNOME Keyring, KWallet,
//! KeePassXC and others).
//!
//! Nothing here asks a person: a locked keyring is "locked", a prompt that the keyring would show is dismissed. The
//! session with it is `plain`, not encrypted: the bus is a socket of this user's own, and whoever may listen on it may
//! also ask the keyring. Its alternative, Diffie-Hellman over 1,024 bits without authentication, would keep nobody out
//! who is not kept out already, and what travels is one half of a key.

use std::collections::HashMap;
use std::time::Duration;

use alliance_client::{KeeperError, KeyKeeper};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zbus::{Connection, DynamicType, OwnedObjectPath, OwnedVariant, Type, Variant};
use zeroize::Zeroizing;

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const OF_SERVICE: &str = "org.freedesktop.Secret.Service";
const OF_COLLECTION: &str = "org.freedesktop.Secret.Collection";
const OF_ITEM: &str = "org.freedesktop.Secret.Item";
const OF_PROMPT: &str = "org.freedesktop.Secret.Prompt";
/// The path that says that there is no object: no prompt, no collection.
const NOTHING: &str = "/";
const IS_LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";
/// How a person finds the item among others.
const LABEL: &str = "Alliance";
/// The attribute by which an item is found; its value is the name of the half.
const ATTRIBUTE: &str = "alliance-half";
const CONTENT: &str = "application/octet-stream";
/// How long the keyring may take to answer; the bus may have to start it first.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The keyring of this login session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoginKeyring;

/// A secret as it travels: session, parameters, value, kind of content.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// Where a found item is.
enum Found {
    Open(OwnedObjectPath),
    Locked(OwnedObjectPath),
}

impl KeyKeeper for LoginKeyring {
    async fn fetch(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeeperError> {
        let keyring = Session::open().await?;
        match keyring.find(name).await? {
            None => Ok(None),
            Some(Found::Locked(_)) => Err(KeeperError::Locked),
            Some(Found::Open(item)) => {
                let secret: Secret = keyring.ask(item.as_str(), OF_ITEM, "GetSecret", &(&keyring.session,)).await?;
                Ok(Some(Zeroizing::new(secret.2)))
            }
        }
    }

    async fn keep(&self, name: &str, secret: &[u8]) -> Result<(), KeeperError> {
        let keyring = Session::open().await?;
        let collection: OwnedObjectPath = keyring.ask(ROOT, OF_SERVICE, "ReadAlias", &("default",)).await?;
        if collection.as_str() == NOTHING {
            return Err(KeeperError::Refused);
        }
        keyring.unlock(&collection).await?;
        let attributes = HashMap::from([(ATTRIBUTE, name)]);
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Variant::from(LABEL)),
            ("org.freedesktop.Secret.Item.Attributes", Variant::from(attributes)),
        ]);
        let secret = (&keyring.session, Vec::<u8>::new(), secret, CONTENT);
        let (item, prompt): (OwnedObjectPath, OwnedObjectPath) =
            keyring.ask(collection.as_str(), OF_COLLECTION, "CreateItem", &(properties, secret, true)).await?;
        keyring.dismiss(&prompt).await?;
        if item.as_str() == NOTHING { Err(KeeperError::Refused) } else { Ok(()) }
    }

    async fn forget(&self, name: &str) -> Result<(), KeeperError> {
        let keyring = Session::open().await?;
        let item = match keyring.find(name).await? {
            None => return Ok(()),
            Some(Found::Open(item)) => item,
            Some(Found::Locked(item)) => {
                keyring.unlock(&item).await?;
                item
            }
        };
        let prompt: OwnedObjectPath = keyring.ask(item.as_str(), OF_ITEM, "Delete", &()).await?;
        keyring.dismiss(&prompt).await
    }
}

/// A conversation with the keyring.
struct Session {
    bus: Connection,
    session: OwnedObjectPath,
}

impl Session {
    async fn open() -> Result<Self, KeeperError> {
        let builder = zbus::connection::Builder::session().method_timeout(ANSWER_MAX);
        let bus = tokio::time::timeout(ANSWER_MAX, builder.build()).await;
        let bus = bus.map_err(|_| KeeperError::Absent)?.map_err(|_| KeeperError::Absent)?;
        let opened = call(&bus, ROOT, OF_SERVICE, "OpenSession", &("plain", Variant::from(""))).await;
        // Whatever goes wrong with the first word: there is nobody there who keeps secrets.
        let (_, session): (OwnedVariant, OwnedObjectPath) = opened.map_err(|_| KeeperError::Absent)?;
        Ok(Self { bus, session })
    }

    async fn find(&self, name: &str) -> Result<Option<Found>, KeeperError> {
        let attributes = HashMap::from([(ATTRIBUTE, name)]);
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.ask(ROOT, OF_SERVICE, "SearchItems", &(attributes,)).await?;
        let open = open.into_iter().next().map(Found::Open);
        Ok(open.or_else(|| locked.into_iter().next().map(Found::Locked)))
    }

    /// Unlocks what can be unlocked without asking anybody.
    async fn unlock(&self, object: &OwnedObjectPath) -> Result<(), KeeperError> {
        let (open, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.ask(ROOT, OF_SERVICE, "Unlock", &(vec![object],)).await?;
        let locked = self.dismiss(&prompt).await.is_err() || !open.contains(object);
        if locked { Err(KeeperError::Locked) } else { Ok(()) }
    }

    /// `Locked` if the keyring would ask the person, which is not done.
    async fn dismiss(&self, prompt: &OwnedObjectPath) -> Result<(), KeeperError> {
        if prompt.as_str() == NOTHING {
            return Ok(());
        }
        // A prompt that is not shown needs no answer; this is tidiness.
        let _: Result<(), _> = self.ask(prompt.as_str(), OF_PROMPT, "Dismiss", &()).await;
        Err(KeeperError::Locked)
    }

    async fn ask<B, R>(&self, path: &str, interface: &str, method: &str, body: &B) -> Result<R, KeeperError>
    where
        B: Serialize + DynamicType,
        R: DeserializeOwned + Type,
    {
        call(&self.bus, path, interface, method, body).await.map_err(|error| {
            let locked = matches!(&error, zbus::Error::MethodError(name, ..) if name.as_str() == IS_LOCKED);
            if locked { KeeperError::Locked } else { KeeperError::Refused }
        })
    }
}

async fn call<B, R>(bus: &Connection, path: &str, interface: &str, method: &str, body: &B) -> Result<R, zbus::Error>
where
    B: Serialize + DynamicType,
    R: DeserializeOwned + Type,
{
    let reply = bus.call_method(Some(SERVICE), path, Some(interface), method, body).await?;
    let body = reply.body();
    body.deserialize()
}
