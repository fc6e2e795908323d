//! Commands about relays and spaces.

use alliance_model::audience::Audience;
use clap::{Subcommand, ValueEnum};

use super::{WordsSource, values};

/// `alliance relay`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RelayCommand {
    /// Know a relay from now on, pinned by its key
    Add {
        /// The connect string that the relay's operator gave you: alliance-relay:...
        connect: String,
        /// The admission token that the operator gave you: alliance-token:...
        #[arg(long)]
        token: Option<String>,
    },
    /// List the relays that this store knows
    List,
    /// Let another relay carry what an old one carried
    #[command(after_help = "\
The old relay stays known, so that whoever has not heard of the new one is still met there; when it is
gone for good, `alliance relay forget` it.

Example:
  alliance relay replace old.example:4433 alliance-relay:...")]
    Replace {
        /// The old relay: its address, its connect string, or the first digits of its key
        old: String,
        /// The new relay's connect string: alliance-relay:...
        connect: String,
        /// The admission token that the new relay's operator gave you: alliance-token:...
        #[arg(long)]
        token: Option<String>,
    },
    /// Meet a relay no more
    Forget {
        /// Its address, its connect string, or the first digits of its key
        relay: String,
    },
}

/// `alliance space`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SpaceCommand {
    /// Found a space
    #[command(after_help = "\
Kinds:
  pair      two persons, an alliance; nobody expels anybody
  peers     several persons as equals (--persons); nobody expels anybody
  group     belongs to its steward: a facilitated group
  personal  your own devices only

Examples:
  alliance space create \"Amina and Ben\" --kind pair
  alliance space create Clinic --kind group --audience organisation")]
    Create {
        /// What you call it; only you see this
        title: String,
        /// What kind of space it is, for ever
        #[arg(long, value_enum, default_value_t = KindArg::Pair)]
        kind: KindArg,
        /// How many persons a space of peers may have
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..))]
        persons: Option<u16>,
        /// Whom it is for, for ever [default: an alliance, or your own devices]
        #[arg(long, value_name = "WORD", value_parser = values::audience())]
        audience: Option<Audience>,
    },
    /// List the spaces
    List,
    /// Show one space and its members
    Show {
        /// Title or first digits of the id
        space: String,
    },
    /// Go from a space for good; what is here stays readable here
    Leave {
        /// Title or first digits of the id
        space: String,
    },
    /// End a space for everybody, for good; what is here stays readable
    #[command(after_help = "In a pair or a peer group any member may; a group only its steward.")]
    End {
        /// Title or first digits of the id
        space: String,
    },
    /// Found a space in place of one, and copy its documents into it
    #[command(after_help = "\
The old space stays as it is, and so do its documents: the copies are documents of their own, which
you wrote. Who was in the old space is invited anew, or not.

Examples:
  alliance space renew Circle
  alliance space renew Circle --title \"Circle of three\" --kind peers --persons 3
  alliance space renew Circle --into \"Circle of three\"     go on where it was interrupted")]
    Renew {
        /// Title or first digits of the id
        space: String,
        /// What you call the new one [default: the old title and \"(renewed)\"]
        #[arg(long, conflicts_with = "into")]
        title: Option<String>,
        /// What kind the new one is [default: the old one's]
        #[arg(long, value_enum, conflicts_with = "into")]
        kind: Option<KindArg>,
        /// How many persons a space of peers may have
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..), requires = "kind")]
        persons: Option<u16>,
        /// Copy into this space, which is there already
        #[arg(long, value_name = "SPACE")]
        into: Option<String>,
    },
    /// Take back, with your recovery words, that a device of yours that is in other hands left a space
    Return {
        /// Title or first digits of the id
        space: String,
        #[command(flatten)]
        words: WordsSource,
    },
    /// List what was written by somebody who had been put out by then: kept, and not shown
    Offered {
        /// Title or first digits of the id
        space: String,
    },
    /// Show to everybody what is offered
    #[command(after_help = "\
Nothing else of the same author's is shown by it.

Example:
  alliance space admit Circle 8f20c1d4")]
    Admit {
        /// Title or first digits of the id
        space: String,
        /// Ids as `space offered` shows them, or their first digits
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// Kinds of spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    /// Two persons
    Pair,
    /// Several persons as equals
    Peers,
    /// A facilitated group
    Group,
    /// Your own devices
    Personal,
}
