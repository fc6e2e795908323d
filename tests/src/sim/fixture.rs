//! What every simulation begins with: three people with two spaces, a relay that has both, and some notes. One of the
//! people has a second device.
//!
//! It is made once, by the facade's own invitations through the relay's own mailboxes, on a network where nothing goes
//! wrong. Each seed then moves the files into folders of its own: the same databases with their markers, as if the
//! processes had only been away for a while.

use std::path::Path;

use alliance_client::{Client, DocumentId, InviteOptions, InviteState, NewSpace, Role, Rules, SpaceId, Standing};
use alliance_crypto::{Cost, RecoveryWords, Secret as _};
use alliance_model::DocumentKind;
use alliance_net::{RelayAddress, RelaySecrets};
use alliance_store::Replica as _;
use alliance_wire::DeviceKey;
use tempfile::TempDir;

use super::fault::Faults;
use super::network::Network;
use super::node::{Common, Node};
use super::world::{World, runtime, scratch};
use crate::people::insert;
use crate::random::Random;

/// The devices, by whose they are. Asha founds both spaces.
pub const NAMES: [&str; 4] = ["Asha", "Ben", "Chloe", "Ben"];
/// Ben's first device's place among the nodes.
pub const BEN: usize = 1;
/// The place of the second one, which he added later.
pub const LAPTOP: usize = 3;
/// The relay's place among the nodes.
pub const RELAY: usize = NAMES.len();
/// Meetings of both devices of a person with the relay until everything has followed onto the second.
const FOLLOWS_MAX: usize = 8;

/// The files that a simulation begins with.
pub struct Fixture {
    folder: TempDir,
    /// A group of all three, and a group of the first two that waits for the third.
    pub spaces: [SpaceId; 2],
    /// The home of Ben's devices.
    pub home: SpaceId,
    /// Ben's recovery words.
    pub words: String,
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
        let (spaces, home, words, guest, notes) = runtime().block_on(make(&home));
        Self { folder, spaces, home, words, guest, notes }
    }

    /// The files of a node.
    #[must_use]
    pub fn files(&self, node: usize) -> std::path::PathBuf {
        self.folder.path().join(format!("node-{node}")).join("life-0")
    }
}

impl Fixture {
    /// The key of Ben's recovery words, which sign his membership entries.
    ///
    /// # Panics
    /// If they are no words.
    #[must_use]
    pub fn words_key(&self) -> DeviceKey {
        let words = RecoveryWords::parse(&self.words).expect("recovery words");
        words.secret(Cost::TEST).signer_key().into()
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

/// What is made: the parts of a [`Fixture`].
type Made = ([SpaceId; 2], SpaceId, String, Guest, Vec<(SpaceId, DocumentId)>);

async fn make(home: &Path) -> Made {
    let faults = Faults::default();
    let network = Network::new(Random::new(1), faults.clone());
    network.heal();
    let common = Common { home: home.to_owned(), network, faults, rules: Rules::ALL };
    let (mut nodes, mut words) = (Vec::new(), String::new());
    for (number, name) in NAMES.iter().enumerate() {
        let mut node = Node::new(number, false, 100 + number as u64, &common);
        let own = node.create(name).await;
        if number == BEN {
            words = own;
        }
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
    let home = further(&mut world, [group, other]).await;
    for device in [0, 2, BEN, LAPTOP] {
        world.sync(device, RELAY).await.expect("a meeting");
    }
    for device in 0..=RELAY {
        world.nodes[device].close().await;
    }
    ([group, other], home, words, guest, notes)
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

/// Ben's laptop becomes a device of his, by texts that go by hand, and both spaces follow onto it. Gives the home of
/// the two devices.
async fn further(world: &mut World, spaces: [SpaceId; 2]) -> SpaceId {
    let (first, laptop) = (world.client(BEN), world.client(LAPTOP));
    let invite = first.invite_device().await.expect("an invitation");
    let join = laptop.join(&invite.text, None).await.expect("the invitation is in order");
    let invite = first.answer_accept(&join.accept).await.expect("the answer is in order");
    laptop.answer_reveal(invite.reveal.as_deref().expect("a reveal")).await.expect("the reveal is in order");
    let InviteState::Answered { words, .. } = invite.state else { panic!("{invite:?} is not answered") };
    first.confirm(&invite.id, &words.join(" ")).await.expect("the words agree");
    for _ in 0..FOLLOWS_MAX {
        for device in [BEN, LAPTOP] {
            world.sync(device, RELAY).await.expect("a meeting");
        }
        if is_in(&laptop, spaces).await {
            let all = laptop.replica().spaces().await.expect("the store answers");
            return all.into_iter().find(|space| !spaces.contains(space)).expect("the home of both devices");
        }
    }
    panic!("the spaces do not follow");
}

async fn is_in(client: &Client, spaces: [SpaceId; 2]) -> bool {
    let views = client.spaces().await.expect("the store answers");
    spaces.iter().all(|space| views.iter().any(|view| view.space == *space && view.standing == Standing::Member))
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
