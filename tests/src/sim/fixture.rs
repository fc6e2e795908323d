//! What every simulation begins with: three people with two spaces, a relay that has both, and some notes.
//!
//! It is made once, by the facade's own invitations through the relay's own mailboxes, on a network where nothing goes
//! wrong. Each seed then moves the files into folders of its own: the same databases with their markers, as if the
//! processes had only been away for a while.

use std::path::Path;

use alliance_client::{DocumentId, InviteOptions, InviteState, NewSpace, Role, Rules, SpaceId};
use alliance_model::DocumentKind;
use alliance_net::{RelayAddress, RelaySecrets};
use tempfile::TempDir;

use super::fault::Faults;
use super::network::Network;
use super::node::{Common, Node};
use super::world::{World, runtime, scratch};
use crate::people::insert;
use crate::random::Random;

/// The people. Asha founds both spaces.
pub const NAMES: [&str; 3] = ["Asha", "Ben", "Chloe"];
/// The relay's place among the nodes.
pub const RELAY: usize = NAMES.len();

/// The files that a simulation begins with.
pub struct Fixture {
    folder: TempDir,
    /// A group of all three, and a group of the first two that waits for the third.
    pub spaces: [SpaceId; 2],
    /// The third person's answered invitation into the second space, which is Asha's to confirm.
    pub guest: Guest,
    /// Two notes of each space, with a line of text that everybody has.
    pub notes: Vec<(SpaceId, DocumentId)>,
}

impl Fixture {
    /// Makes it.
    ///
    /// # Panics
    /// If anything goes wrong, as nothing should.
    #[must_use]
    pub fn new() -> Self {
        let folder = scratch();
        let home = folder.path().to_owned();
        let (spaces, guest, notes) = runtime().block_on(make(&home));
        Self { folder, spaces, guest, notes }
    }

    /// The files of a node.
    #[must_use]
    pub fn files(&self, node: usize) -> std::path::PathBuf {
        self.folder.path().join(format!("node-{node}")).join("life-0")
    }
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

/// An invitation that was answered.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The invitation.
    pub invitation: String,
    /// What both people see.
    pub words: String,
}

async fn make(home: &Path) -> ([SpaceId; 2], Guest, Vec<(SpaceId, DocumentId)>) {
    let faults = Faults::default();
    let network = Network::new(Random::new(1), faults.clone());
    network.heal();
    let common = Common { home: home.to_owned(), network, faults, rules: Rules::ALL };
    let mut nodes = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        let mut node = Node::new(number, false, 100 + number as u64, &common);
        node.create(name).await;
        nodes.push(node);
    }
    let mut relay = Node::new(RELAY, true, 200, &common);
    std::fs::create_dir_all(&relay.folder).expect("a folder");
    let secrets = RelaySecrets::generate(&[7; 128]);
    std::fs::write(relay.folder.join("secrets"), &*secrets.to_bytes()).expect("the relay's secrets");
    let folder = relay.folder.clone();
    relay.start(&folder, false).await;
    let address = RelayAddress::new(relay.key, "relay.example:4433").expect("an address").to_string();
    nodes.push(relay);
    let mut world = World::with(common, nodes, Random::new(2));
    world.quiet(true);
    world.client(0).add_relay(&address, None).await.expect("the relay is taken");
    let group = found(&mut world, &[1, 2]).await;
    let other = found(&mut world, &[1]).await;
    let guest = invite(&mut world, other, 2, Role::Writer).await;
    let mut notes = Vec::new();
    for space in [group, group, other, other] {
        let client = world.client(0);
        let note = client.create_document(space, DocumentKind::Note).await.expect("a note");
        client.command(note, None, insert(0, "Begun. ")).await.expect("a first line");
        notes.push((space, note));
    }
    for device in [0, 1, 2, 1, 0] {
        world.sync(device, RELAY).await.expect("a meeting");
    }
    for device in 0..=RELAY {
        world.nodes[device].close().await;
    }
    ([group, other], guest, notes)
}

/// Founds a group and lets these devices in.
async fn found(world: &mut World, members: &[usize]) -> SpaceId {
    let space = world.client(0).create_space("a space", NewSpace::Group).await.expect("a space").space;
    world.sync(0, RELAY).await.expect("a meeting");
    for &member in members {
        admit(world, space, member, Role::Writer).await;
    }
    space
}

/// Asha lets a device in, by an invitation through the relay's mailbox.
///
/// # Panics
/// If anything goes wrong, as nothing should.
pub async fn admit(world: &mut World, space: SpaceId, member: usize, role: Role) {
    let guest = invite(world, space, member, role).await;
    world.client(0).confirm(&guest.invitation, &guest.words).await.expect("the words agree");
    for device in [0, member, 0, member] {
        world.sync(device, RELAY).await.expect("a meeting");
    }
}

/// The same up to the words, which Asha has still to confirm.
///
/// # Panics
/// If anything goes wrong, as nothing should.
pub async fn invite(world: &mut World, space: SpaceId, member: usize, role: Role) -> Guest {
    let options = InviteOptions { role, days: 7 };
    let invitation = world.client(0).invite(space, options).await.expect("an invitation");
    world.sync(0, RELAY).await.expect("a meeting");
    world.client(member).join(&invitation.text, None).await.expect("the invitation is in order");
    for device in [member, 0, member] {
        world.sync(device, RELAY).await.expect("a meeting");
    }
    let invites = world.client(0).invites().await.expect("invitations");
    let open = invites.into_iter().find(|invite| invite.id == invitation.id).expect("the invitation");
    let InviteState::Answered { words, .. } = open.state else { panic!("{open:?} is not answered") };
    Guest { invitation: open.id, words: words.join(" ") }
}
