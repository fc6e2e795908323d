//! Commands about several people on one device.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) const PROFILE_HELP: &str = "\
Several people share this device: each has a profile, a store of their own that
their PIN opens.
  alliance profile add --name \"Amina Diallo\" --nickname Amina
  alliance profile use Amina                 later commands are Amina's
  alliance profile lock                      nobody's, and what ran is ended
  alliance --profile Ben note list           this one command is Ben's
The PIN is asked by every command, never given as an argument;
--passphrase-file reads it from the first line of a file, `-` from standard
input. Five wrong PINs lock a profile for a minute, more for longer; nothing is
ever erased for it. Who forgot the PIN sets a new one with the recovery words.
Everything works without a network.";

const HELPER_HELP: &str = "\
One half of what opens the profile stays on this device, the other can be opened
by the helper's devices alone. Who forgot the PIN runs `profile reset --helped`
and shows the helper a text; the helper, who should know who asks, runs `vouch
TEXT` and gives the answer back. The helper gets nothing to read by it. But the
helper with this device in hand could set a PIN.";

/// `alliance profile`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Make a profile: its store, its PIN, its twelve recovery words
    Add(ProfileAdd),
    /// List the profiles of this device
    List,
    /// Use a profile for later commands; the one that was in use is locked
    Use {
        /// Nickname, or the first digits of the id
        profile: String,
    },
    /// Seal and close a profile, whatever command has it open, and use none
    Lock {
        /// Nickname, or the first digits of the id [default: the one in use]
        profile: Option<String>,
    },
    /// Choose another PIN
    #[command(after_help = "With --passphrase-file the old PIN is the first line, the new one the second.")]
    Pin {
        /// Nickname, or the first digits of the id
        profile: String,
    },
    /// Set a new PIN with the recovery words, after the old one was forgotten
    Reset {
        /// Nickname, or the first digits of the id
        profile: String,
        #[command(flatten)]
        words: WordsSource,
        /// Show a request to the person whom `profile helper` named, and ask for the answer, instead of the words
        #[arg(long, conflicts_with = "words_file")]
        helped: bool,
    },
    /// Name somebody who can help when the PIN is forgotten
    #[command(after_help = HELPER_HELP)]
    Helper {
        /// Nickname, or the first digits of the id
        profile: String,
        /// A space that both are in: title or first digits of the id
        #[arg(long, required_unless_present = "none", requires = "person")]
        space: Option<String>,
        /// The name of one of its members
        #[arg(long, requires = "space")]
        person: Option<String>,
        /// Nobody any more
        #[arg(long, conflicts_with = "space")]
        none: bool,
    },
    /// Remove a profile from this device; refused while it has work that is nowhere else
    Remove {
        /// Nickname, or the first digits of the id
        profile: String,
        /// Remove it all the same, and say what is lost
        #[arg(long)]
        force: bool,
    },
    /// Make a profile of a backup of one, with its recovery words and a new PIN
    Restore {
        /// The backup
        file: PathBuf,
        /// What anybody who holds this device sees in the list [default: digits]
        #[arg(long)]
        nickname: Option<String>,
        #[command(flatten)]
        words: WordsSource,
    },
}

/// `alliance profile add`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProfileAdd {
    /// Your name, as the people whom you meet will see it; it lies in your store
    #[arg(long)]
    pub(crate) name: String,
    /// What anybody who holds this device sees in the list [default: digits]
    #[arg(long)]
    pub(crate) nickname: Option<String>,
    /// Take the recovery words from FILE; if it does not exist, write the new words to it instead of showing them
    #[arg(long, value_name = "FILE")]
    pub(crate) words_file: Option<PathBuf>,
}

/// Where recovery words come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct WordsSource {
    /// Read the recovery words from FILE instead of asking
    #[arg(long, value_name = "FILE")]
    pub(crate) words_file: Option<PathBuf>,
}
