//! People with stores of their own, as the facade gives them: what scenarios start from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alliance_client::{
    Client, DocumentId, Fallback, InviteOptions, InviteState, JoinState, NewSpace, Options, Progress, Role, Rules,
    SpaceId, SyncReport, View,
};
use alliance_crypto::Cost;
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};
use alliance_store::Replica as _;
use alliance_sync::{Outgoing, Part, Since};
use alliance_wire::LogId;
use tempfile::TempDir;

use crate::relay::{self, Site};

/// The passphrase of every store here.
pub const PASSPHRASE: &str = "a passphrase";

/// Cheap keys: what Argon2 costs is not what these tests are about.
#[must_use]
pub const fn options() -> Options {
    Options { rules: Rules::ALL, cost: Cost::TEST, early_data: true, fallback: Fallback::DEFAULT }
}

/// A person with a store.
pub struct Person {
    folder: TempDir,
    /// The store, open.
    pub client: Client,
}

impl Person {
    /// A new person with a new store.
    ///
    /// # Panics
    /// If the store cannot be made.
    pub async fn new(name: &str) -> Self {
        Self::with(name, options()).await
    }

    /// The same with other options.
    ///
    /// # Panics
    /// If the store cannot be made.
    pub async fn with(name: &str, options: Options) -> Self {
        Self::in_folder(tempfile::tempdir().expect("a temporary folder"), name, options).await
    }

    /// The same with the store in a folder of the caller's.
    ///
    /// # Panics
    /// If the store cannot be made.
    pub async fn in_folder(folder: TempDir, name: &str, options: Options) -> Self {
        Self::create(folder, name, None, options).await.0
    }

    /// A store that was made with the recovery words of somebody.
    ///
    /// # Panics
    /// If the store cannot be made.
    pub async fn with_words(name: &str, words: &str) -> Self {
        Self::create(tempfile::tempdir().expect("a temporary folder"), name, Some(words), options()).await.0
    }

    /// The same, and the recovery words.
    async fn create(folder: TempDir, name: &str, words: Option<&str>, options: Options) -> (Self, String) {
        let store = folder.path().join("store");
        let (client, words) = Client::create(&store, PASSPHRASE, name, words, options).await.expect("a new store");
        (Self { folder, client }, words.to_string())
    }

    /// A client that somebody else opened, such as a profile's.
    ///
    /// # Panics
    /// If the machine gives no folder.
    #[must_use]
    pub fn of(client: Client) -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), client }
    }

    /// Where the store lies.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// A folder beside it, for backups and copies.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets go of the store without closing it in order: drafts stay drafts. Answers the folder that holds it.
    #[must_use]
    pub fn leave(self) -> TempDir {
        drop(self.client);
        self.folder
    }

    /// Closes the store and opens it again.
    ///
    /// # Panics
    /// If that fails.
    pub async fn reopen(&mut self) {
        self.client.close().await.expect("the store closes");
        self.client = Client::open(&self.store(), PASSPHRASE, options()).await.expect("the store opens");
    }

    /// Meets the relay once and checks that both agreed.
    ///
    /// # Panics
    /// If the relay cannot be reached, or both did not agree.
    pub async fn sync(&self) -> SyncReport {
        let mut reports = self.client.sync_once(hear).await.expect("the relay answers");
        let report = reports.pop().expect("one relay");
        assert!(report.settled && report.diverged == 0, "{report:?}");
        report
    }

    /// Inserts text into the exploration of a note.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn write(&self, note: DocumentId, pos: u32, text: &str) {
        self.client.command(note, None, insert(pos, text)).await.expect("the command is accepted");
    }

    /// The exploration of a note, as shown; nothing for another document.
    ///
    /// # Panics
    /// If it is not here.
    pub async fn text(&self, note: DocumentId) -> String {
        let View::Note(view) = self.client.view(note).await.expect("the note").view else { return String::new() };
        view.section(Stage::Exploration).map(|text| text.text.clone()).unwrap_or_default()
    }
}

/// Hears nothing.
pub fn hear(_: Progress) {}

/// Inserts text into the exploration of a note.
#[must_use]
pub fn insert(pos: u32, text: &str) -> Command {
    let splice = Splice { pos, delete: 0, insert: text.to_owned() };
    Command::Note(NoteCommand::EditSection { stage: Stage::Exploration, splice })
}

/// Spaces of a pair: `founder` invites, `newcomer` joins by the relay's mailboxes, both compare words.
///
/// # Panics
/// If any step fails.
pub async fn pair_up(founder: &Person, newcomer: &Person, count: usize) -> Vec<SpaceId> {
    let mut spaces = Vec::new();
    for n in 0..count {
        let space = founder.client.create_space(&format!("space {n}"), NewSpace::Pair).await.expect("a space");
        spaces.push(space.space);
    }
    let_in(founder, newcomer, &spaces).await;
    spaces
}

/// `founder` lets `newcomer` into these spaces, by the relay's mailboxes.
///
/// # Panics
/// If any step fails.
pub async fn let_in(founder: &Person, newcomer: &Person, spaces: &[SpaceId]) {
    let mut invites = Vec::new();
    for space in spaces {
        let options = InviteOptions { role: Role::Writer, days: 7 };
        invites.push(founder.client.invite(*space, options).await.expect("an invitation"));
    }
    founder.sync().await;
    for invite in &invites {
        newcomer.client.join(&invite.text, None).await.expect("the invitation is in order");
    }
    newcomer.sync().await;
    founder.sync().await;
    newcomer.sync().await;
    let joins = newcomer.client.joins().await.expect("joins");
    for invite in founder.client.invites().await.expect("invites") {
        let InviteState::Answered { words, .. } = invite.state else { continue };
        let theirs = joins.iter().any(|join| join.state == JoinState::Words { words: words.clone() });
        assert!(theirs, "both sides show the same words");
        founder.client.confirm(&invite.id, &words.join(" ")).await.expect("the words agree");
    }
    founder.sync().await;
    newcomer.sync().await;
    founder.sync().await;
}

/// The store of `further` becomes a further device of `first`'s person, by texts that go by hand.
///
/// # Panics
/// If any step fails.
pub async fn add_device(first: &Person, further: &Person) {
    let invite = first.client.invite_device().await.expect("an invitation");
    let join = further.client.join(&invite.text, None).await.expect("a fresh invitation");
    let invite = first.client.answer_accept(&join.accept).await.expect("a fresh accept");
    let join = further.client.answer_reveal(invite.reveal.as_deref().expect("a reveal")).await.expect("a fresh reveal");
    let words = if let InviteState::Answered { words, .. } = invite.state { words } else { Vec::new() };
    assert_eq!(join.state, JoinState::Words { words: words.clone() }, "both have the same words to compare");
    first.client.confirm(&invite.id, &words.join(" ")).await.expect("the words agree");
}

/// Two people with a space, a relay between them, and a note of Amina's that both have.
pub struct Met {
    /// The relay.
    pub site: Site,
    /// Founded the space.
    pub ben: Person,
    /// Was invited, and wrote the note.
    pub amina: Person,
    /// The space.
    pub space: SpaceId,
    /// The note.
    pub note: DocumentId,
}

impl Met {
    /// They pair up, Amina writes a note, and both meet the relay.
    ///
    /// # Panics
    /// If any step fails.
    pub async fn over_a_note(text: &str) -> Self {
        Self::over_a_note_with_words(text).await.0
    }

    /// The same, and Amina's recovery words.
    ///
    /// # Panics
    /// If any step fails.
    pub async fn over_a_note_with_words(text: &str) -> (Self, String) {
        let site = Site::start(relay::open).await;
        let ben = Person::new("Ben").await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (amina, words) = Person::create(folder, "Amina", None, options()).await;
        ben.client.add_relay(&site.address().to_string(), None).await.expect("a relay");
        let space = pair_up(&ben, &amina, 1).await[0];
        let note = amina.client.create_document(space, DocumentKind::Note).await.expect("a note");
        amina.write(note, 0, text).await;
        amina.sync().await;
        ben.sync().await;
        (Self { site, ben, amina, space, note }, words)
    }
}

/// Sealed bytes of every entry of a space: payload, suffix and signature, as a line carries them.
///
/// # Panics
/// If the store cannot be read.
pub async fn sealed_entries(client: &Client, space: SpaceId) -> BTreeMap<(LogId, u64), u64> {
    let since = Since { space, after: 0, part: Part::Everything, bytes: usize::MAX };
    let page = client.replica().since(since).await.expect("the store is read");
    let entry = |item| match item {
        Outgoing::Entry(name, entry) => {
            let signed = &entry.signed;
            let bytes = entry.payload.as_ref().map_or(0, Vec::len)
                + signed.header.suffix.as_bytes().len()
                + signed.signature.len();
            Some(((name.id(space), signed.header.seq), bytes as u64))
        }
        Outgoing::Receipt(_) | Outgoing::Fork(..) => None,
    };
    page.items.into_iter().filter_map(entry).collect()
}
