//! Commands about people and devices, and how somebody comes in.

use std::path::PathBuf;

use alliance_client::{INVITE_USES_MAX, Role};
use clap::{Args, Subcommand, ValueEnum};

use super::PeerAddress;

pub(super) const INVITE_HELP: &str = "\
How two people become members of one space:
  1. The inviter runs `invite new SPACE` and gives the text to the newcomer, or
     shows it as a QR code (--qr), or as a picture (--png, --svg).
  2. The newcomer runs `join TEXT`. Then both sync with the relay.
     Without a relay, on one network or one phone's hotspot, the inviter runs
     `sync --listen ADDR` and the newcomer `join TEXT --at ADDR`.
     Without a network the newcomer hands back the text that `join` printed; the
     inviter runs `invite answer TEXT`, and the newcomer `join reveal TEXT`
     with what that prints.
  3. Both see four words (`invite list`, `join list`) and compare them by
     voice. The same words mean that nobody stands between the two: the inviter
     runs `invite confirm ID WORDS...` with the words that the newcomer read.
  4. Both sync, or meet, again (`join meet ID ADDR`): the newcomer has the keys.";

/// `alliance device`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum DeviceCommand {
    /// List your devices, those that are out included
    List,
    /// Let a further device of yours in: text or QR code for it
    #[command(after_help = "\
On the other device, in a store that has no spaces yet:
  alliance init --name NAME
  alliance join TEXT
Then, by hand, as `alliance invite --help` says: `invite answer` here with what
that printed, `join reveal` there, and `invite confirm` here with the words that
both show. Every space that you have, and every one that either of the two
devices founds or joins later, follows when both sync.")]
    Invite(Drawing),
    /// Put a device of yours out of every space, at once: it is lost, stolen, or in other hands
    #[command(after_help = "\
Nothing is destroyed by it. What the device wrote that is not here by now is
kept back and offered (`alliance space offered`), and the next keys are made
without it. Your recovery words take it back (`device restore`) or make it
final (`device lost`).

Example:
  alliance device suspend 3f81")]
    Suspend {
        /// First digits of its key
        device: String,
    },
    /// Say with your recovery words that a device is lost: it never comes back
    Lost {
        /// First digits of its key
        device: String,
        #[command(flatten)]
        words: WordsSource,
    },
    /// Take a suspension back with your recovery words
    #[command(after_help = "\
A device that was in other hands is better made anew: what it signed meanwhile
counts again.")]
    Restore {
        /// First digits of its key
        device: String,
        #[command(flatten)]
        words: WordsSource,
    },
}

/// `alliance recover`.
#[derive(Debug, Clone, Args)]
#[command(after_help = RECOVER_HELP)]
pub(crate) struct RecoverArgs {
    /// Take everything from the device KEY at ADDR, which runs `alliance sync --listen`, instead of the relays
    #[arg(long, value_name = "KEY@ADDR")]
    pub(crate) from: Option<PeerAddress>,
    /// A device of yours that is in your own hands: first digits of its key; it is not put out
    #[arg(long, value_name = "DEVICE")]
    pub(crate) keep: Vec<String>,
    #[command(flatten)]
    pub(crate) words: WordsSource,
}

const RECOVER_HELP: &str = "\
On a new device:
  1. alliance init --name NAME --words      asks for the twelve words
  2. alliance relay add CONNECT             from your paper, or from a colleague
  3. alliance recover                       asks for the words once more
Without a relay, a colleague runs `alliance sync --listen ADDR`, and you run
`alliance recover --from KEY@ADDR`: the spaces that you share come from there.

Your other devices are put out of every space, but for those of --keep: what
they write from then on is kept back. `alliance device lost` makes that final,
`alliance device restore` takes it back. It may be run again.";

pub(super) const WORDS_HELP: &str = "\
Words are named by the key that they are; nobody can see the words themselves.
Older words outrank younger ones: further words open everything, from a second
paper in a second place, and cannot take back what the first ones say. Paper
that somebody else may have read is put out with older words. For the first
words there are no older ones: whoever reads them is you.";

/// `alliance words`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum WordsCommand {
    /// List the words that your spaces know, the oldest first
    List,
    /// Make twelve further words; asks for the first ones
    #[command(after_help = "\
A space that you found or join later lists your first words only. Write the
further ones into a file and run this again with it: they are listed wherever
they are missing.

Examples:
  alliance words add
  alliance words add --new-words-file further.txt")]
    Add {
        #[command(flatten)]
        words: WordsSource,
        /// Write the further words to this new file instead of showing them; a file with words is read
        #[arg(long, value_name = "FILE")]
        new_words_file: Option<PathBuf>,
    },
    /// Put further words out for good; asks for older ones
    Withdraw {
        /// First digits of their key
        key: String,
        #[command(flatten)]
        words: WordsSource,
    },
}

/// Where recovery words come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct WordsSource {
    /// Read the twelve words from this file instead of asking
    #[arg(long, value_name = "FILE")]
    pub(crate) words_file: Option<PathBuf>,
}

/// `alliance person`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PersonCommand {
    /// List the members of a space
    List {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Give a member of your group another role
    Role {
        /// Title or first digits of the space's id
        space: String,
        /// Name, or first digits of the tag or of a device's key
        member: String,
        /// What the member may do from now on
        #[arg(value_enum)]
        role: RoleArg,
    },
    /// Put a member out of your group for good
    #[command(after_help = "\
What the member wrote and is not here by now is kept back and offered
(`alliance space offered`). The others go on under a new key.")]
    Remove {
        /// Title or first digits of the space's id
        space: String,
        /// Name, or first digits of the tag or of a device's key
        member: String,
    },
}

/// `alliance invite`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum InviteCommand {
    /// Make an invitation: text or QR code to give to one person
    #[command(after_help = "\
A text, and so a picture of it, lets whoever has it ask to join, once. Each
person is given one of their own: --uses 5 --png circle.png writes circle-1.png
to circle-5.png.

Examples:
  alliance invite new \"Amina and Ben\" --qr
  alliance invite new Circle --uses 5 --role writer --png circle.png")]
    New(InviteNew),
    /// Show an invitation once more: its text, QR code, or words to compare
    Show {
        /// Number of the invitation, as `invite list` shows it
        id: String,
        #[command(flatten)]
        drawing: Drawing,
    },
    /// Take an invitation back, or say that the words differ: nobody comes in by it
    Reject {
        /// Number of the invitation, as `invite list` shows it
        id: String,
    },
    /// List the invitations that you gave, with the words to compare
    List,
    /// Take the newcomer's answer, handed over as text where no relay carries it
    Answer {
        /// The text that `alliance join` printed on the newcomer's device
        text: String,
    },
    /// Add the newcomer, after both compared the words by voice
    #[command(after_help = "\
If the words differ, somebody may stand between the two of you: nothing is
shared, and the invitation is spent.

Example:
  alliance invite confirm 7c1e river stone candle north")]
    Confirm {
        /// Number of the invitation, as `invite list` shows it
        id: String,
        /// The four words that the newcomer read aloud
        #[arg(required = true, num_args = 1..=8)]
        words: Vec<String>,
    },
}

/// `alliance invite new`.
#[derive(Debug, Clone, Args)]
pub(crate) struct InviteNew {
    /// Title or first digits of the space's id
    pub(crate) space: String,
    /// What the newcomer may do
    #[arg(long, value_enum, default_value_t = RoleArg::Signer)]
    pub(crate) role: RoleArg,
    /// Days until the invitation expires
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub(crate) days: u32,
    /// How many persons it is for: as many texts, each for one person once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=i64::from(INVITE_USES_MAX)))]
    pub(crate) uses: u16,
    #[command(flatten)]
    pub(crate) drawing: Drawing,
}

/// Ways to draw an invitation.
#[derive(Debug, Clone, Args)]
pub(crate) struct Drawing {
    /// Draw the invitation as a QR code, here
    #[arg(long)]
    pub(crate) qr: bool,
    /// Write it as a QR code into this new file, as PNG
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,
    /// Write it as a QR code into this new file, as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// Roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// Reads
    Reader,
    /// Reads and writes
    Writer,
    /// Reads, writes and signs
    Signer,
}

impl RoleArg {
    pub(crate) const fn role(self) -> Role {
        match self {
            Self::Reader => Role::Reader,
            Self::Writer => Role::Writer,
            Self::Signer => Role::Signer,
        }
    }
}

/// `alliance join`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = INVITE_HELP)]
pub(crate) struct JoinCommand {
    #[command(flatten)]
    pub(crate) text: JoinText,
    #[command(subcommand)]
    pub(crate) command: Option<JoinSubcommand>,
}

/// `alliance join TEXT`.
#[derive(Debug, Clone, Args)]
pub(crate) struct JoinText {
    /// The invitation that you were given
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) invitation: Option<String>,
    /// What you call the space; only you see this
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Ask the inviter's device itself, which runs `alliance sync --listen` at this address; no relay is needed
    #[arg(long, value_name = "ADDR")]
    pub(crate) at: Option<String>,
}

/// `alliance join list|reveal|meet`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum JoinSubcommand {
    /// List your requests to join, with the words to compare
    List,
    /// Meet the inviter again at ADDR, who has confirmed the words: the space comes here
    Meet {
        /// The request's number, or its first digits
        id: String,
        /// Where the inviter's device listens
        #[arg(value_name = "ADDR")]
        at: String,
    },
    /// Take the inviter's text, handed over where no relay carries it
    Reveal {
        /// The text that `alliance invite answer` printed on the inviter's device
        text: String,
    },
}
