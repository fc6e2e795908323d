//! Commands about bundles: what is new for somebody, in a file.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) const BUNDLE_HELP: &str = "\
A bundle is sealed to the devices of those whom it is for. Anybody may carry it: on a
memory card, by mail, by Bluetooth. Taking one twice does nothing, and what is damaged
costs what it hits.";

/// `alliance bundle`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum BundleCommand {
    /// Write what is new for somebody into a file, and say first who will be able to read it
    #[command(after_help = "\
Examples:
  alliance bundle export /media/card/for-ben.bundle --for Ben
  alliance bundle export month.bundle --space \"Amina and Ben\" --all
  alliance bundle export mail.bundle --everything --split 20M
  alliance bundle export what-i-have.bundle --for Ben --ask

What the receivers' receipts show that they have is left out. `--all` leaves out nothing,
`--since` what an earlier bundle held. Where nobody has heard from the receiver for long,
`--ask` first keeps the answer small.")]
    Export(BundleExport),
    /// Take bundles, or parts of them, in any order
    #[command(after_help = "\
Examples:
  alliance bundle import /media/card/for-ben.bundle
  alliance bundle import mail.bundle.002 mail.bundle.001
  alliance bundle import --texts lines.txt       from the texts of codes, a line each")]
    Import {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The files hold the texts of codes
        #[arg(long)]
        texts: bool,
    },
    /// Say what is in a file, without taking it
    Inspect {
        /// The file
        file: PathBuf,
    },
    /// Show a small bundle as texts, one for each QR code, or as codes
    #[command(after_help = "\
Examples:
  alliance bundle codes for-ben.bundle > lines.txt
  alliance bundle codes for-ben.bundle --qr
  alliance bundle codes for-ben.bundle --png code.png     code-1.png, code-2.png and so on")]
    Codes {
        /// The file
        file: PathBuf,
        /// Draw the codes on the terminal
        #[arg(long)]
        qr: bool,
        /// Write the codes as pictures; existing files are refused
        #[arg(long, value_name = "FILE")]
        png: Option<PathBuf>,
    },
    /// Take a bundle along for others; you cannot read it
    Carry {
        /// The file
        file: PathBuf,
    },
    /// List the bundles that you carry
    List,
    /// Write a bundle that you carry into a file, to hand it on
    #[command(name = "hand-on")]
    HandOn {
        /// First digits of its id in `alliance bundle list`
        bundle: String,
        /// Where to write it
        file: PathBuf,
        /// Write over a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Let go of a bundle that you carry
    Drop {
        /// First digits of its id in `alliance bundle list`
        bundle: String,
    },
}

/// `alliance bundle export`.
#[derive(Debug, Clone, Args)]
pub(crate) struct BundleExport {
    /// Where to write it; an existing file is refused
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) to: BundleTo,
    /// Everything, also what the receivers have
    #[arg(long, conflicts_with = "since")]
    pub(crate) all: bool,
    /// Nothing but what you have: whoever takes it can write you what you lack, and no more
    #[arg(long, conflicts_with_all = ["since", "all"])]
    pub(crate) ask: bool,
    /// What came since this bundle of yours was written: the first digits of its id
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) since: Option<String>,
    /// Let a relay of the spaces take it, too, from whoever carries it; the file then hides less
    #[arg(long)]
    pub(crate) relay: bool,
    /// Write parts of at most so many bytes: FILE.001 and so on
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) split: Option<u64>,
    /// Write over files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Whom a bundle is for.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct BundleTo {
    /// One person: a name, or the first digits of a device's key
    #[arg(long = "for", value_name = "PERSON")]
    pub(crate) person: Option<String>,
    /// Everybody else in a space
    #[arg(long, value_name = "SPACE")]
    pub(crate) space: Option<String>,
    /// Everybody in all of your spaces, each what they may read
    #[arg(long)]
    pub(crate) everything: bool,
}

/// A number of bytes, with K, M or G for 1,024, its square or its cube.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1 << 10),
        None => match (text.strip_suffix(['M', 'm']), text.strip_suffix(['G', 'g'])) {
            (Some(digits), _) => (digits, 1 << 20),
            (_, Some(digits)) => (digits, 1 << 30),
            (None, None) => (text, 1),
        },
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|bytes| *bytes > 0);
    number.ok_or_else(|| "write a size such as 500K, 20M or 2G".to_owned())
}
