//! Attempts on copies of a person's store: each finds what was there before any of them, whatever their order, and what
//! is refused must leave it so.

use alliance_client::{Client, Error};
use alliance_tests::people::options;
use alliance_tests::sim::disk::copy_files;
use tempfile::TempDir;

use crate::documents::Scene;
use crate::people::{Kind, Who};
use crate::table::{ALLOWED, Attempt, Table};
use crate::{calls, commands};

/// What needs other people, or another space, than the home of one's devices has.
const NOT_AT_HOME: &[&str] = &[
    "note.adopt_own",
    "session.merge_elsewhere",
    "document.copy_into",
    "document.copy_out",
    "preparation.copy",
    "member.role",
    "member.role_self",
    "member.expel",
    "decision.check_supervised",
    "decision.edit_sealed",
    "feedback.give",
    "feedback.give_paused",
    "feedback.acknowledge_own",
    "feedback.retract_own",
    "closing.edit_signed",
    "closing.sign_signed",
    "closing.give",
];

/// Whether there is such an attempt.
fn exists(kind: Kind, who: Who, name: &str) -> bool {
    let at_home = commands::is_of_the_log(name) || name == "preparation.read";
    match kind {
        Kind::Personal => !(name.ends_with("_others") || NOT_AT_HOME.contains(&name)),
        Kind::Joint | Kind::Group => !at_home && (!name.ends_with("_own") || has_own(kind, who, name)),
    }
}

/// Whether somebody has something of its own for this: who only ever read has nothing, and a decision has who writes to
/// the end. A suspended device has what its person has.
fn has_own(kind: Kind, who: Who, name: &str) -> bool {
    let whose = if who == Who::Suspended { kind.owner_of_two() } else { who };
    if name.starts_with("decision.") { whose.decides() } else { kind.wrote(whose) }
}

/// Everything that everybody can attempt in a space of this kind.
pub(crate) async fn all(kind: Kind) -> Table {
    let scene = Scene::set(kind).await;
    let mut table = Table::new();
    for who in kind.roles() {
        let mut person = Copies { scene: &scene, who: *who, open: None, first: String::new() };
        for name in commands::names().chain(calls::names()) {
            if exists(kind, *who, name) {
                table.insert(Attempt::new(name, *who, kind), person.attempt(name).await);
            }
        }
    }
    table
}

/// A copy of a store, open.
struct Opened {
    client: Client,
    _folder: TempDir,
}

/// One person's attempts.
struct Copies<'a> {
    scene: &'a Scene,
    who: Who,
    /// The copy on which something was refused: it is as good as new.
    open: Option<Opened>,
    /// What each copy shows before anything is attempted on it, as they have the same bytes. Empty before the first.
    first: String,
}

impl Copies<'_> {
    /// What becomes of an attempt.
    async fn attempt(&mut self, name: &str) -> String {
        let copy = match self.open.take() {
            Some(copy) => copy,
            None => self.fresh().await,
        };
        if self.first.is_empty() {
            self.first = shown(&copy.client).await;
        }
        let readied = calls::ready(self.scene, &copy.client, self.who, name).await;
        let before = if readied { shown(&copy.client).await } else { self.first.clone() };
        let Err(refused) = self.act(&copy.client, name).await else { return ALLOWED.to_owned() };
        let after = shown(&copy.client).await;
        assert!(after == before, "{name} of {:?} was refused and changed something:\n{before}\n{after}", self.who);
        if !readied {
            self.open = Some(copy);
        }
        refused.code().to_owned()
    }

    async fn act(&self, client: &Client, name: &str) -> Result<(), Error> {
        match commands::named(self.scene, self.who, name) {
            Some((document, command)) => client.command(document, None, command).await.map(drop),
            None => calls::call(self.scene, client, self.who, name).await,
        }
    }

    async fn fresh(&self) -> Opened {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        copy_files(&self.scene.people.all[&self.who].store(), &store).unwrap();
        let client = Client::open_with(&store, &self.scene.keys[&self.who], options()).await.unwrap();
        Opened { client, _folder: folder }
    }
}

/// Everything that a store shows: its documents, drafts included, its spaces with their members, what waits to be sent,
/// invitations and devices.
async fn shown(client: &Client) -> String {
    let (export, spaces) = (client.export(None).await.unwrap(), client.spaces().await.unwrap());
    let (status, devices) = (client.status().await.unwrap(), client.devices().await.unwrap());
    format!("{export}\n{spaces:?}\n{:?}\n{:?}\n{devices:?}", status.spaces, status.invites)
}
