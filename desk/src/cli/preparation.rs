//! Commands about what a person prepares.

use alliance_model::preparation::{Feeling, PreparationField, PreparationMark, PreparationState};
use clap::{ArgGroup, Args, Subcommand};

use super::documents::TextSource;
use super::values::{self, ItemArg, NamedValue};

pub(super) const PREP_HELP: &str = "\
What you prepare stays on your own devices. `share` puts a copy of one entry on the
agenda of a session; nothing else of it goes with it.";

/// `alliance prep`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PrepCommand {
    /// Write something down
    #[command(after_help = "\
Example:
  alliance prep add --text \"The grandmother would not let me in.\" --set kind=upsetting \\
      --set priority=1 --set occurred_on=2026-11-20 --feel shame --feel anger")]
    Add(PrepAdd),
    /// List what you prepared
    List {
        /// In this state only
        #[arg(long, value_parser = values::preparation_state())]
        state: Option<PreparationState>,
    },
    /// Show what you prepared, and what became of what you shared
    Show {
        /// First digits of an entry's id [default: all of them]
        entry: Option<ItemArg>,
    },
    /// Change an entry's text, or its place; what you shared of it stays as it was
    #[command(group = ArgGroup::new("what").args(["text", "file", "after"]).required(true).multiple(true))]
    Edit {
        /// First digits of the entry's id
        entry: ItemArg,
        /// Behind this entry
        #[arg(long, value_name = "ID")]
        after: Option<ItemArg>,
        #[command(flatten)]
        source: TextSource,
    },
    /// Say more about an entry: when it was, of what sort, how much it matters, what became of it
    #[command(group = ArgGroup::new("what").args(["set", "clear", "says"]).required(true).multiple(true), after_help = "\
Examples:
  alliance prep set 5d20 priority=1 kind=ethical client_alias=\"the boy\"
  alliance prep set 5d20 --clear function_hint --says selected")]
    Set {
        /// First digits of the entry's id
        entry: ItemArg,
        /// Set a field: occurred_on, kind, priority (1 to 9), function_hint, client_alias
        #[arg(value_name = "FIELD=VALUE")]
        set: Vec<NamedValue<PreparationField>>,
        /// Take a field out
        #[arg(long, value_name = "FIELD", value_parser = values::preparation_field(), hide_possible_values = true)]
        clear: Vec<PreparationField>,
        /// What is to become of it, or became of it
        #[arg(long, value_parser = values::preparation_mark())]
        says: Option<PreparationMark>,
    },
    /// Name the feelings that go with an entry
    #[command(group = ArgGroup::new("what").args(["feelings", "not"]).required(true).multiple(true), after_help = "\
Example:
  alliance prep feel 5d20 shame pride --not anger")]
    Feel {
        /// First digits of the entry's id
        entry: ItemArg,
        /// The feelings
        #[arg(value_name = "FEELING", value_parser = values::feeling())]
        feelings: Vec<Feeling>,
        /// Take one out
        #[arg(long, value_name = "FEELING", value_parser = values::feeling(), hide_possible_values = true)]
        not: Vec<Feeling>,
    },
    /// Put a copy of an entry on the agenda of a session: who is in that space can read it
    #[command(after_help = "\
Example:
  alliance prep share 5d20 91ab --text \"How to say no in somebody's home?\" --minutes 20")]
    Share {
        /// First digits of the entry's id
        entry: ItemArg,
        /// First digits of the session's id
        session: String,
        /// How many minutes it wants
        #[arg(long, value_name = "MINUTES")]
        minutes: Option<u16>,
        #[command(flatten)]
        source: TextSource,
    },
    /// Take back what you shared of an entry: it shows as withdrawn to both of you
    Withdraw {
        /// First digits of the entry's id
        entry: ItemArg,
        /// First digits of the session's id
        session: String,
    },
    /// Remove an entry from your log; what you shared of it stays on the agenda until you withdraw it
    Remove {
        /// First digits of the entry's id
        entry: ItemArg,
    },
}

/// `alliance prep add`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("what").args(["text", "file"]).required(true))]
pub(crate) struct PrepAdd {
    /// Set a field: occurred_on, kind, priority (1 to 9), function_hint, client_alias
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<NamedValue<PreparationField>>,
    /// Name a feeling that goes with it
    #[arg(long, value_name = "FEELING", value_parser = values::feeling())]
    pub(crate) feel: Vec<Feeling>,
    /// Behind this entry [default: at the end]
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<ItemArg>,
    #[command(flatten)]
    pub(crate) source: TextSource,
}
