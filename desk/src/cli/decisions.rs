//! Commands about decisions.

use std::path::PathBuf;

use alliance_model::decision::{DecisionField, DecisionList};
use clap::{ArgGroup, Subcommand};

use super::documents::{Dated, GivenOut, ListFilter, TextSource};
use super::values::{self, ItemArg};

pub(super) const DECISION_HELP: &str = "\
Whoever begins a decision words it, and nobody else: the supervisee decides. The
supervisor says whether it is sound (`check`), and both seal it. What is sealed never
changes, and the next decision goes on from it.";

/// `alliance decision`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum DecisionCommand {
    /// Begin a decision of yours
    #[command(after_help = "\
Example:
  alliance decision new \"Amina and Ben\" --session 91ab --ethical \\
      --text \"May I tell the school what the mother told me?\"")]
    New {
        /// Title or first digits of the space's id
        space: String,
        /// The session in which you talked about it
        #[arg(long, value_name = "SESSION")]
        session: Option<String>,
        /// It is an ethical decision
        #[arg(long)]
        ethical: bool,
        /// The text is the question
        #[command(flatten)]
        source: TextSource,
    },
    /// Word a decision of yours: its question, its reasons, what you chose
    #[command(group = ArgGroup::new("needed").args(["text", "file", "ethical"]).required(true).multiple(true), after_help = "\
Examples:
  alliance decision edit 7c1e --field choice --text \"I tell nobody before I have asked her.\"
  alliance decision edit 7c1e --ethical true")]
    Edit {
        /// First digits of the decision's id
        decision: String,
        /// Which of its texts
        #[arg(long, value_parser = values::decision_field(), default_value = "choice")]
        field: DecisionField,
        /// Whether it is an ethical decision
        #[arg(long, value_name = "BOOL")]
        ethical: Option<bool>,
        #[command(flatten)]
        source: TextSource,
    },
    /// Write down what you could choose, or a code of ethics that you weighed
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = "\
Examples:
  alliance decision add 7c1e option --text \"Ask the mother first.\"
  alliance decision add 7c1e code --text \"Confidentiality, section 4\"")]
    Add {
        /// First digits of the decision's id
        decision: String,
        /// What it is
        #[arg(value_parser = values::decision_list())]
        list: DecisionList,
        #[command(flatten)]
        source: TextSource,
    },
    /// Take out something that you wrote down so
    Remove {
        /// First digits of the decision's id
        decision: String,
        /// First digits of its own id
        item: ItemArg,
    },
    /// Say whether another's decision is sound, and good for clients and organisation
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = "\
Example:
  alliance decision check 7c1e --text \"You ask first, and nobody is in danger meanwhile.\"")]
    Check {
        /// First digits of the decision's id
        decision: String,
        #[command(flatten)]
        source: TextSource,
    },
    /// Seal what a decision says: when both of you have, it never changes
    #[command(after_help = "\
Example:
  alliance decision seal 7c1e --on 2026-12-05")]
    Seal {
        /// First digits of the decision's id
        decision: String,
        #[command(flatten)]
        dated: Dated,
    },
    /// Show a decision, what was said to it, and who sealed it
    Show {
        /// First digits of the decision's id
        decision: String,
    },
    /// List the decisions
    List(ListFilter),
    /// Print the sealed decisions of a space, with signatures, as a file that proves itself
    #[command(after_help = "\
Example:
  alliance decision trail \"Amina and Ben\" --on 2026-12-20 --reason \"for the ethics board\" > trail.json

It holds the words of these decisions: give it to nobody who may not read them. Everybody
in the space sees that you gave it out.")]
    Trail {
        /// Title or first digits of the space's id
        space: String,
        #[command(flatten)]
        given: GivenOut,
    },
    /// Say what a file of sealed decisions proves; no store is needed
    Prove {
        /// The file
        file: PathBuf,
    },
}
