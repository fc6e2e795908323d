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
    "agenda.move_others",
    "agenda.remove_others",
    "agenda.edit_others",
    "agenda.set_others",
    "agenda.mark_others",
    "note.adopt_own",
    "note.adopt_others",
    "session.merge_elsewhere",
    "document.copy_into",
    "document.copy_out",
    "preparation.read_others",
    "preparation.write_others",
    "preparation.copy",
    "member.role",
    "member.role_self",
    "member.expel",
    "device.suspend_others",
];

/// Whether there is such an attempt.
fn exists(kind: Kind, who: Who, name: &str) -> bool {
    let at_home = commands::is_of_the_log(name) || name == "preparation.read";
    match kind {
        Kind::Personal => !NOT_AT_HOME.contains(&name),
        // Who only ever read has nothing of its own.
        Kind::Joint => !(at_home || (who == Who::Reader && name.ends_with("_own"))),
        Kind::Group => !at_home,
    }
}

/// Everything that everybody can attempt in a space of this kind.
pub(crate) async fn all(kind: Kind) -> Table {
    let scene = Scene::set(kind).await;
    let mut table = Table::new();
    for who in kind.roles() {
        let mut person = Copies { scene: &scene, who: *who, open: None };
        for name in commands::names().chain(calls::NAMES.iter().copied()) {
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
    /// What it shows.
    shown: String,
    _folder: TempDir,
}

/// One person's attempts.
struct Copies<'a> {
    scene: &'a Scene,
    who: Who,
    /// The copy on which something was refused: it is as good as new.
    open: Option<Opened>,
}

impl Copies<'_> {
    /// What becomes of an attempt.
    async fn attempt(&mut self, name: &str) -> String {
        let copy = match self.open.take() {
            Some(copy) => copy,
            None => self.fresh().await,
        };
        let readied = calls::ready(self.scene, &copy.client, name).await;
        let before = if readied { shown(&copy.client).await } else { copy.shown.clone() };
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
        let shown = shown(&client).await;
        Opened { client, shown, _folder: folder }
    }
}

/// Everything that a store shows: its documents, drafts included, its spaces with their members, what waits to be sent,
/// invitations and devices.
async fn shown(client: &Client) -> String {
    let (export, spaces) = (client.export(None).await.unwrap(), client.spaces().await.unwrap());
    let (status, devices) = (client.status().await.unwrap(), client.devices().await.unwrap());
    format!("{export}\n{spaces:?}\n{:?}\n{:?}\n{devices:?}", status.spaces, status.invites)
}
