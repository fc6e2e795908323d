//! What a person types: the commands, their options, their help.

mod bundles;
mod decisions;
mod documents;
mod exports;
mod forms;
mod near;
mod notes;
mod packs;
mod people;
mod preparation;
mod profile;
mod sessions;
mod spaces;
mod values;

use std::path::PathBuf;

use alliance_model::CivilDate;
use clap::{Args, Parser, Subcommand};

pub(crate) use bundles::{BundleCommand, BundleExport};
pub(crate) use decisions::DecisionCommand;
pub(crate) use documents::{AgreementCommand, AgreementEdit, Dated, GivenOut, ListFilter, SearchArgs, TextSource};
pub(crate) use exports::{ExportArgs, ExportCommand};
pub(crate) use forms::{
    CharterCommand, ClosingCommand, ContractCommand, FeedbackCommand, FeedbackGive, FormNoun, GoalCommand, RemarkAdd,
    RemarkCommand, ReviewCommand, SayArgs, SignArgs, SignedCommand,
};
pub(crate) use near::NearArgs;
pub(crate) use notes::{NewNote, NoteAction, NoteCommand, NoteEdit, NoteHead, NoteHistory};
pub(crate) use packs::PackCommand;
pub(crate) use people::{
    DeviceCommand, Drawing, InviteCommand, InviteNew, JoinCommand, JoinSubcommand, JoinText, PersonCommand,
    RecoverArgs, WordsCommand, WordsSource,
};
pub(crate) use preparation::{PrepAdd, PrepCommand};
pub(crate) use profile::{ProfileAdd, ProfileCommand};
pub(crate) use sessions::{SessionCommand, SessionEdit};
pub(crate) use spaces::{KindArg, RelayCommand, SpaceCommand};
pub(crate) use values::{FunctionArg, ItemArg, NamedValue, PeerAddress};

const EXAMPLES: &str = "\
Examples:
  alliance demo                              the whole story, on this machine
  alliance init --name Amina                 make your store, note the words
  alliance relay add alliance-relay:...      exchange without meeting
  alliance space create \"Amina and Ben\"      a space for the two of you
  alliance invite new \"Amina and Ben\"        text to give to Ben
  alliance note new \"Amina and Ben\" --title \"First session\"
  alliance note append 3f2a --section focus --text \"How to say no?\"
  alliance search kitchen                    where it was written
  alliance sync                              exchange with every relay you know
  alliance bundle export card.bundle --for Ben
  alliance status                            what has arrived where

Spaces and documents are named by title or by the first digits of their id (four
or more). Everything but `sync` works without a network.";

/// Alliance: notes and agreements for people who meet to reflect on their work
///
/// Everything that you write is kept, encrypted, in a store on this device. When devices meet, directly or through a
/// relay, both end up with everything that they share, and with who wrote what. A relay cannot read it.
#[derive(Debug, Parser)]
#[command(name = "alliance", version, after_help = EXAMPLES, max_term_width = 100, propagate_version = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The folder of the store [default: $XDG_DATA_HOME/alliance or ~/.local/share/alliance]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Options of every command")]
    pub(crate) store: Option<PathBuf>,
    /// Print one JSON object instead of text, also for failures
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub(crate) json: bool,
    /// Work on this profile of several people's: its nickname, or the first digits of its id
    #[arg(
        long,
        global = true,
        value_name = "PROFILE",
        conflicts_with = "store",
        help_heading = "Options of every command"
    )]
    pub(crate) profile: Option<String>,
    /// The folder of the profiles [default: alliance-profiles beside the default store]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Options of every command")]
    pub(crate) profiles: Option<PathBuf>,
    /// Read the passphrase or PIN from the first line of FILE (- is standard input) instead of asking
    #[arg(long, global = true, value_name = "FILE", help_heading = "Options of every command")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// The commands, grouped by what they are about.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Make a new store on this device, and its twelve recovery words
    Init(InitArgs),
    /// Show who and which device this store is
    Whoami,
    /// Relays: machines that carry sealed entries between people who do not meet
    #[command(subcommand)]
    Relay(RelayCommand),
    /// Spaces: who shares what with whom
    #[command(subcommand)]
    Space(SpaceCommand),
    /// Your own devices: further ones, lost ones
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Come back with your recovery words: every space of yours onto this device
    ///
    /// The store must have been made with the words: `alliance init --name NAME --words`.
    Recover(RecoverArgs),
    /// Your recovery words: which there are, further ones, and taking them back
    #[command(subcommand, after_help = people::WORDS_HELP)]
    Words(WordsCommand),
    /// The people in a space: roles, and putting somebody out
    #[command(subcommand)]
    Person(PersonCommand),
    /// Invite somebody into a space
    #[command(subcommand, after_help = people::INVITE_HELP)]
    Invite(InviteCommand),
    /// Join a space that you were invited into
    Join(JoinCommand),
    /// Working agreements: what must and may be between you
    #[command(subcommand)]
    Agreement(AgreementCommand),
    /// Session notes
    #[command(subcommand)]
    Note(NoteCommand),
    /// Sessions: when and where, who takes part, the agenda
    #[command(subcommand)]
    Session(SessionCommand),
    /// What you prepare for supervision, for yourself alone, and what you share of it
    #[command(subcommand, after_help = preparation::PREP_HELP)]
    Prep(PrepCommand),
    /// Decisions: what you chose and why, checked by the other, sealed by both
    #[command(subcommand, after_help = decisions::DECISION_HELP)]
    Decision(DecisionCommand),
    #[command(flatten)]
    Form(FormNoun),
    /// Packs: rules of meetings, templates and texts
    #[command(subcommand, after_help = packs::PACK_HELP)]
    Pack(PackCommand),
    /// Find notes, sessions, agreements, decisions and what you prepared by their words
    Search(SearchArgs),
    /// What came in and what is to be decided, over all spaces
    #[command(after_help = "\
A document that somebody else changed and you did not is only new: `--accept` takes all of
these as seen. What both of you changed, what needs your choice and what is kept back stays.")]
    Inbox {
        /// Take as seen what only others changed
        #[arg(long)]
        accept: bool,
        /// In this space only
        #[arg(long, value_name = "SPACE")]
        space: Option<String>,
    },
    /// What is due on a date: sessions, reviews, open actions, and when you last met whom
    Today {
        /// The date; no clock is asked
        #[arg(value_name = "DATE", value_parser = values::date)]
        as_of: CivilDate,
    },
    /// Exchange what is new with relays and devices
    Sync(SyncArgs),
    /// Bundles: what is new for somebody in a file, to be carried by anybody
    #[command(subcommand, after_help = bundles::BUNDLE_HELP)]
    Bundle(BundleCommand),
    /// Say who is near on this network, with whom you share a space; nothing is exchanged
    #[command(after_help = near::PEERS_HELP)]
    Peers(NearArgs),
    /// Show what has arrived where, by signed receipts
    Status,
    /// The login keyring: whether it opens the store in place of the passphrase
    #[command(subcommand, after_help = KEYRING_HELP)]
    Keyring(KeyringCommand),
    /// Several people on this device, each with a store that their PIN opens
    #[command(subcommand, after_help = profile::PROFILE_HELP)]
    Profile(ProfileCommand),
    /// Help somebody who named you and forgot the PIN of a profile; make sure who asks
    Vouch {
        /// The text that `alliance profile reset --helped` shows there: alliance-help:...
        request: String,
    },
    /// Write everything into one sealed file
    #[command(after_help = "The file is sealed with the store's passphrase. `alliance restore FILE` reads it.")]
    Backup {
        /// Where to write it; an existing file is refused
        file: PathBuf,
    },
    /// Make a store from a backup
    ///
    /// The restored store continues as a new history of the same device: nothing that was written since the backup and
    /// reached anybody is overwritten. Sync afterwards.
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Look at everything in the store for damage, and say what to do
    ///
    /// Nothing is changed without --salvage. No other command may hold the store meanwhile.
    Doctor {
        /// Put what can be read of a damaged store into a new database and keep the damaged one beside it; sync afterwards
        #[arg(long)]
        salvage: bool,
    },
    /// Print what this store holds, readable, as JSON; or give out a space in files of its own
    #[command(after_help = exports::EXPORT_HELP)]
    Export(ExportArgs),
    /// See the whole story on this machine: a real relay, several people, real encryption
    Demo(DemoArgs),
}

/// `alliance keyring`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum KeyringCommand {
    /// Ask for no passphrase any more while the login keyring is unlocked
    On,
    /// Ask for the passphrase again
    Off,
    /// Show which of the two holds now
    Status,
}

const KEYRING_HELP: &str = "\
The keyring keeps one half of the store's key, the store's folder the other.
While it is on, any program that runs as you can open the store. Where there is
no keyring, or it is locked, the passphrase is asked as before.";

/// `alliance init`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  alliance init --name Amina
  alliance init --name Amina --words          on a new device: `alliance recover`
  alliance init --name Amina --passphrase-file secret --words-file words")]
pub(crate) struct InitArgs {
    /// Your name, as the people whom you meet will see it
    #[arg(long)]
    pub(crate) name: String,
    /// Take the recovery words from FILE; if it does not exist, write the new words to it instead of showing them
    #[arg(long, value_name = "FILE")]
    pub(crate) words_file: Option<PathBuf>,
    /// Ask for recovery words that you have, instead of making new ones
    #[arg(long, conflicts_with = "words_file")]
    pub(crate) words: bool,
}

/// `alliance sync`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  alliance sync                                      every relay, once
  alliance sync --live                               stay connected until Ctrl-C
  alliance sync --listen 0.0.0.0:4460                wait for colleagues nearby
  alliance sync --with 9f31...c2@192.168.1.20:4460   meet one that waits
  alliance sync --lan                                find everybody near and exchange
  alliance sync --address 192.168.1.20:4460          where finding is blocked

`--listen` prints the text to give to `--with`. With `--lan` and `--address`
nobody learns whose device this is who shares no space with you. While a sync runs, other
`alliance` commands on the same store work as usual.")]
pub(crate) struct SyncArgs {
    /// Exchange once and end; with --listen, end after one device has come [default without --live and --listen]
    #[arg(long, conflicts_with = "live")]
    pub(crate) once: bool,
    /// Stay connected to the relays, and connect again, until interrupted
    #[arg(long)]
    pub(crate) live: bool,
    /// End after so many seconds at most; what has come by then stays, and the next sync goes on from there
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["live", "listen", "with"], value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) within: Option<u32>,
    /// The network is paid for by what goes over it: bundles that you carry for others wait for another one
    #[arg(long)]
    pub(crate) metered: bool,
    /// Where relays do not answer over UDP, try this port over TCP [default: 443]
    #[arg(long, value_name = "PORT", conflicts_with = "with", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) tcp_port: Option<u16>,
    /// Wait here for devices that connect directly; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Connect directly to the device KEY at ADDR
    #[arg(long, value_name = "KEY@ADDR", conflicts_with_all = ["live", "listen"])]
    pub(crate) with: Option<PeerAddress>,
    /// Find devices on this network and exchange with all that share a space
    #[arg(long, conflicts_with_all = ["once", "live", "with"])]
    pub(crate) lan: bool,
    /// How devices near are met
    #[command(flatten)]
    pub(crate) near: NearArgs,
}

/// `alliance demo`.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// The relay program [default: `alliance-relay` beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) relay: Option<PathBuf>,
    /// Keep the folder with the stores and the relay's files, and say where it is
    #[arg(long)]
    pub(crate) keep: bool,
}

impl Command {
    /// Whether it may hold the store for long, so that others are served meanwhile.
    pub(crate) const fn is_long(&self) -> bool {
        matches!(self, Self::Sync(_) | Self::Peers(_) | Self::Recover(_))
            || matches!(
                self,
                Self::Join(
                    JoinCommand { text: JoinText { at: Some(_), .. }, .. }
                        | JoinCommand { command: Some(JoinSubcommand::Meet { .. }), .. }
                )
            )
    }

    /// Where the command takes recovery words from, if it needs them.
    pub(crate) const fn words_source(&self) -> Option<&WordsSource> {
        if let Self::Device(DeviceCommand::Lost { words, .. } | DeviceCommand::Restore { words, .. })
        | Self::Space(SpaceCommand::Return { words, .. })
        | Self::Words(WordsCommand::Add { words, .. } | WordsCommand::Withdraw { words, .. })
        | Self::Recover(RecoverArgs { words, .. }) = self
        {
            return Some(words);
        }
        None
    }

    /// Where the command takes a text from, if it does.
    pub(crate) const fn text_source(&self) -> Option<&TextSource> {
        match self {
            Self::Note(NoteCommand::Append { source, .. } | NoteCommand::Addendum { source, .. }) => Some(source),
            Self::Note(NoteCommand::Edit(edit)) => Some(&edit.source),
            Self::Agreement(AgreementCommand::Edit(edit)) => Some(&edit.source),
            Self::Session(SessionCommand::Edit(edit)) => Some(&edit.source),
            Self::Prep(PrepCommand::Add(add)) => Some(&add.source),
            Self::Decision(
                DecisionCommand::New { source, .. }
                | DecisionCommand::Edit { source, .. }
                | DecisionCommand::Add { source, .. }
                | DecisionCommand::Check { source, .. },
            ) => Some(source),
            Self::Prep(PrepCommand::Edit { source, .. } | PrepCommand::Share { source, .. }) => Some(source),
            Self::Form(noun) => noun.text_source(),
            Self::Init(_)
            | Self::Whoami
            | Self::Relay(_)
            | Self::Space(_)
            | Self::Device(_)
            | Self::Recover(_)
            | Self::Words(_)
            | Self::Person(_)
            | Self::Invite(_)
            | Self::Join(_)
            | Self::Agreement(_)
            | Self::Note(_)
            | Self::Session(_)
            | Self::Prep(_)
            | Self::Decision(_)
            | Self::Pack(_)
            | Self::Search(_)
            | Self::Inbox { .. }
            | Self::Today { .. }
            | Self::Sync(_)
            | Self::Peers(_)
            | Self::Status
            | Self::Keyring(_)
            | Self::Profile(_)
            | Self::Vouch { .. }
            | Self::Backup { .. }
            | Self::Restore { .. }
            | Self::Doctor { .. }
            | Self::Bundle(_)
            | Self::Export(_)
            | Self::Demo(_) => None,
        }
    }
}
