//! Commands about packs: policy, templates and texts as signed files.

use std::path::PathBuf;

use alliance_model::CivilDate;
use clap::Subcommand;

use super::values;

pub(super) const PACK_HELP: &str = "\
A pack is a file of rules, templates and texts. The shipped one is the most that there
is: what a space adopts beside it takes away and never adds, and counts for what is
dated from the day of its adoption.";

/// `alliance pack`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PackCommand {
    /// Show what a pack says; no store is needed
    #[command(after_help = "\
Examples:
  alliance pack show shipped
  alliance pack show ours.json         before or after somebody signed it")]
    Show {
        /// The file, or `shipped`
        pack: String,
    },
    /// Show a text of a pack: of a space's packs the first that has it, else the shipped one
    #[command(after_help = "\
Examples:
  alliance pack text first_session
  alliance pack text exploration --space \"Amina and Ben\"

values, first_session, climate, exploration, understanding, action, before_solving,
purpose_questions, reflection, definitions and speak_for are shipped.")]
    Text {
        /// Its name
        name: String,
        /// As this space has it; without one no store is needed
        #[arg(long, value_name = "SPACE")]
        space: Option<String>,
    },
    /// Sign a pack as a member of a space, and print the signed file
    #[command(after_help = "\
Example:
  alliance pack sign \"Amina and Ben\" ours.json --on 2026-12-10 > ours.signed.json

A pack that allows more than the shipped one is signed by nobody (PACK_LOOSENS).")]
    Sign {
        /// Title or first digits of the space's id
        space: String,
        /// The pack
        file: PathBuf,
        /// The date that you put on it; no clock is asked
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        on: CivilDate,
    },
    /// Take up a signed pack in a space, for everybody in it
    #[command(after_help = "\
Example:
  alliance pack adopt \"Amina and Ben\" ours.signed.json --on 2026-12-10

It counts for what is dated from that day on; nothing takes it back. The file proves which
device signed it, and not whose that is: look at it with `alliance pack show` first.")]
    Adopt {
        /// Title or first digits of the space's id
        space: String,
        /// The file, as `alliance pack sign` printed it
        file: PathBuf,
        /// The day from which it counts
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        on: CivilDate,
    },
    /// List the packs that a space adopted
    List {
        /// Title or first digits of the space's id
        space: String,
    },
}
