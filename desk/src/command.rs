//! The commands on an open store: each turns its options into calls of the client and says what came of it.
//!
//! They know neither whose process they run in nor how their answer is printed, so that a process that holds a store
//! can run them for others.

mod agreement;
mod bundle;
pub(crate) mod decision;
mod device;
mod doctor;
mod due;
pub(crate) mod export;
pub(crate) mod form;
mod history;
mod invite;
pub(crate) mod keyring;
mod note;
pub(crate) mod pack;
mod person;
mod preparation;
pub(crate) mod profile;
mod recover;
pub(crate) mod reference;
mod search;
mod session;
mod space;
mod store;
mod sync;
mod words;

use std::path::PathBuf;

use alliance_client::Client;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::cli::{Command, KeyringCommand};
use crate::failure::{DeskCode, Failure};
use crate::output::{Look, Teller};

pub(crate) use doctor::doctor;
pub(crate) use note::seen;
pub(crate) use store::{UNFINISHED, recovery_words_text, restored, whoami_json};

/// What a command works with.
pub(crate) struct Call {
    /// The open store.
    pub(crate) client: Client,
    /// Where relative paths begin.
    pub(crate) folder: PathBuf,
    /// The text of `--text`, `--file` or standard input; of some commands the recovery words.
    pub(crate) text: Option<Zeroizing<String>>,
    /// Where to say what there is to say.
    pub(crate) teller: Teller,
    /// Becomes true when a long command should end.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Call {
    /// How the reader's terminal looks.
    pub(crate) const fn look(&self) -> Look {
        self.teller.look()
    }

    /// The text that the command cannot do without.
    pub(crate) fn text(&self) -> Result<&str, Failure> {
        self.text_if_any().ok_or_else(|| DeskCode::Usage.into())
    }

    /// The text, if one was given.
    pub(crate) fn text_if_any(&self) -> Option<&str> {
        self.text.as_ref().map(|text| text.as_str())
    }
}

/// Does a command.
///
/// # Errors
/// What the client refuses, by its stable code, and the desk's own.
pub(crate) async fn perform(command: &Command, call: &Call) -> Result<(), Failure> {
    match command {
        Command::Whoami => store::whoami(call).await,
        Command::Relay(command) => space::relay(command, call).await,
        Command::Space(command) => space::space(command, call).await,
        Command::Device(command) => device::device(command, call).await,
        Command::Recover(args) => recover::recover(args, call).await,
        Command::Words(command) => words::words(command, call).await,
        Command::Person(command) => person::person(command, call).await,
        Command::Invite(command) => invite::invite(command, call).await,
        Command::Join(command) => invite::join(command, call).await,
        Command::Agreement(command) => agreement::agreement(command, call).await,
        Command::Note(command) => note::note(command, call).await,
        Command::Session(command) => session::session(command, call).await,
        Command::Prep(command) => preparation::prep(command, call).await,
        Command::Decision(command) => decision::decision(command, call).await,
        Command::Form(noun) => form::form(noun, call).await,
        Command::Pack(command) => pack::pack(command, call).await,
        Command::Search(args) => search::search(args, call).await,
        Command::Inbox { accept, space } => due::inbox(*accept, space.as_deref(), call).await,
        Command::Today { as_of } => due::today(*as_of, call).await,
        Command::Sync(args) => sync::sync(args, call).await,
        Command::Peers(args) => sync::peers(args, call).await,
        Command::Status => store::status(call).await,
        Command::Vouch { request } => profile::vouch(request, call).await,
        Command::Backup { file } => store::backup(file, call).await,
        Command::Bundle(command) => bundle::bundle(command, call).await,
        Command::Export(args) => export::export(args, call).await,
        Command::Keyring(KeyringCommand::On) => keyring::on(call).await,
        // These make a store, or need no open one: they never come here.
        Command::Keyring(KeyringCommand::Off | KeyringCommand::Status)
        | Command::Init(_)
        | Command::Profile(_)
        | Command::Restore { .. }
        | Command::Doctor { .. }
        | Command::Demo(_) => Err(DeskCode::Usage.into()),
    }
}
