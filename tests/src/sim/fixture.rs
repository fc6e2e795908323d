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
    /// A group of all three, and a pair of the first two.
    pub spaces: [SpaceId; 2],
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
        let (spaces, notes) = runtime().block_on(make(&home));
        Self { folder, spaces, notes }
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

async fn make(home: &Path) -> ([SpaceId; 2], Vec<(SpaceId, DocumentId)>) {
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
    let group = found(&mut world, NewSpace::Group, &[1, 2]).await;
    let pair = found(&mut world, NewSpace::Pair, &[1]).await;
    let mut notes = Vec::new();
    for space in [group, group, pair, pair] {
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
    ([group, pair], notes)
}

/// Founds a space and lets these devices in.
async fn found(world: &mut World, kind: NewSpace, members: &[usize]) -> SpaceId {
    let space = world.client(0).create_space("a space", kind).await.expect("a space").space;
    world.sync(0, RELAY).await.expect("a meeting");
    for &member in members {
        let options = InviteOptions { role: Role::Writer, days: 7 };
        let invitation = world.client(0).invite(space, options).await.expect("an invitation");
        world.sync(0, RELAY).await.expect("a meeting");
        world.client(member).join(&invitation.text, None).await.expect("the invitation is in order");
        for device in [member, 0, member] {
            world.sync(device, RELAY).await.expect("a meeting");
        }
        let invites = world.client(0).invites().await.expect("invitations");
        let open = invites.into_iter().find(|invite| invite.id == invitation.id).expect("the invitation");
        let InviteState::Answered { words, .. } = open.state else { panic!("{open:?} is not answered") };
        world.client(0).confirm(&open.id, &words.join(" ")).await.expect("the words agree");
        for device in [0, member, 0, member] {
            world.sync(device, RELAY).await.expect("a meeting");
        }
    }
    space
}
