//! Commands about what is given out.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::documents::GivenOut;

pub(super) const EXPORT_HELP: &str = "\
Without a subcommand it prints everything that you hold, for yourself. `write` gives a
space out: everybody in it sees that you did, when and why.";

/// `alliance export`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ExportArgs {
    /// This space only
    #[arg(long, value_name = "SPACE")]
    pub(crate) space: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<ExportCommand>,
}

/// What else `alliance export` does.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write a space into a new folder: JSON with your signature, tables, and each document for Automerge programs
    #[command(after_help = "\
Example:
  alliance export write \"Amina and Ben\" handed-over --on 2026-12-20 --reason \"for the ethics board\"")]
    Write {
        /// Title or first digits of the space's id
        space: String,
        /// A folder that is not there yet
        folder: PathBuf,
        #[command(flatten)]
        given: GivenOut,
    },
    /// List what was given out of a space
    List {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Say whose signature lies beside a file; no store is needed
    Prove {
        /// The file; its signature is the file with `.signature` behind its name
        file: PathBuf,
    },
}
