//! How the people of the bench come together.

use std::path::Path;

use alliance_client::{Client, InviteOptions, InviteState, JoinState, NewSpace, Role, SpaceId};

use alliance_crypto::{Cost, passphrase_key};
use alliance_store::{Device, Fresh, Options, StoreKey};
use alliance_wire::{Incarnation, Instance};

use super::meet;
use crate::people::{PASSPHRASE, options};

/// Everybody, with open stores.
pub(super) struct People {
    pub(super) ada: Client,
    pub(super) ben: Client,
    pub(super) cleo: Client,
}

/// Three people with new stores in this folder; Ada knows the relay.
pub(super) async fn people(folder: &Path, connect: &str) -> People {
    let mut made = Vec::new();
    for name in ["Ada", "Ben", "Cleo"] {
        let store = folder.join(name.to_lowercase());
        made.push(Client::create(&store, PASSPHRASE, name, None, options()).await.expect("a new store").0);
    }
    let [ada, ben, cleo] = <[Client; 3]>::try_from(made).expect("three people");
    ada.add_relay(connect, None).await.expect("the relay is known");
    People { ada, ben, cleo }
}

/// Founds alliances: Ada invites Ben to write and Cleo to read, both join through the relay and compare words.
pub(super) async fn alliances(people: &People, count: usize) -> Vec<SpaceId> {
    let mut spaces = Vec::new();
    for n in 0..count {
        let space = people.ada.create_space(&format!("Alliance {n:02}"), NewSpace::Peers(3)).await.expect("a space");
        spaces.push(space.space);
    }
    for (newcomer, role) in [(&people.ben, Role::Writer), (&people.cleo, Role::Reader)] {
        join(&people.ada, newcomer, role, &spaces).await;
    }
    spaces
}

async fn join(founder: &Client, newcomer: &Client, role: Role, spaces: &[SpaceId]) {
    for space in spaces {
        let invite = founder.invite(*space, InviteOptions { role, days: 7 }).await.expect("an invitation");
        newcomer.join(&invite.text, None).await.expect("the invitation is in order");
    }
    for client in [founder, newcomer, founder, newcomer] {
        meet(client).await;
    }
    let joins = newcomer.joins().await.expect("joins");
    for invite in founder.invites().await.expect("invites") {
        let InviteState::Answered { words, .. } = invite.state else { continue };
        let theirs = joins.iter().any(|join| join.state == JoinState::Words { words: words.clone() });
        assert!(theirs, "both sides show the same words");
        founder.confirm(&invite.id, &words.join(" ")).await.expect("the words agree");
    }
    for client in [founder, newcomer, founder] {
        meet(client).await;
    }
    assert_eq!(newcomer.spaces().await.expect("spaces").len(), spaces.len());
}

/// Writes the engine's bytes of every note of a closed store into a folder.
pub(super) async fn save_bytes(store: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    let header = Device::header(store).expect("a header").expect("a store");
    let cost = Cost::new(header.kdf.memory_kib, header.kdf.passes).expect("a possible cost");
    let key = StoreKey::new(*passphrase_key(PASSPHRASE, &header.salt, cost).expect("a key"));
    // Ids for a database that would be new, which this one is not.
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([1; 16]) };
    let (device, _) = Device::open(store, &key, fresh, Options::default()).expect("the store opens");
    for local in device.local_spaces().await.expect("spaces") {
        for (document, _) in device.document_ids(local.space).await.expect("documents") {
            let saved = device.document(local.space, document).await.expect("a document").expect("a document");
            std::fs::write(to.join(document.to_string()), saved.saved).expect("a file");
        }
    }
    device.close();
}
