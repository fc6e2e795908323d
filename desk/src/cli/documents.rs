//! Commands about working agreements, and what commands about documents share.

use std::path::PathBuf;

use alliance_model::agreement::{ClauseSection, Modality, TermName};
use alliance_model::{CivilDate, DocumentKind};
use clap::{ArgGroup, Args, Subcommand};

use super::values::{self, ItemArg, NamedValue, ProtectArg};

/// A text on the command line, in a file or on standard input.
#[derive(Debug, Clone, Args)]
#[group(id = "given", multiple = false)]
pub(crate) struct TextSource {
    /// The text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: Option<String>,
    /// Read the text from FILE; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
}

impl TextSource {
    /// Whether a text was given.
    pub(crate) const fn is_given(&self) -> bool {
        self.text.is_some() || self.file.is_some()
    }
}

/// Which documents to list.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListFilter {
    /// Of this space only
    #[arg(long, value_name = "SPACE")]
    pub(crate) space: Option<String>,
    /// With all of these words only, as `alliance search` takes them
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    /// Skip so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: u64,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) limit: u64,
}

/// `alliance search`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  alliance search kitchen grandmother           both words, the best first
  alliance search '\"locked kitchen\"'           these words in this order
  alliance search fam --kind agreement          family, familiar, ...
  alliance search 厨房                          any script, one character is enough

Capitals and accents do not matter. Each word is the beginning of a word; words in
quotation marks are whole. Everything is searched on this device: what you typed
today and have not sent, too.")]
pub(crate) struct SearchArgs {
    /// What to look for
    #[arg(required = true, value_name = "WORDS")]
    pub(crate) words: Vec<String>,
    /// In this space only
    #[arg(long, value_name = "SPACE")]
    pub(crate) space: Option<String>,
    /// In documents of this kind only
    #[arg(long, value_parser = values::document_kind())]
    pub(crate) kind: Option<DocumentKind>,
    /// Skip so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: u64,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) limit: u64,
}

/// `alliance agreement`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum AgreementCommand {
    /// Begin a working agreement in a space
    #[command(after_help = "\
Examples:
  alliance agreement new \"Amina and Ben\"
  alliance agreement new \"Amina and Ben\" --template clinical_pair    (alliance agreement templates)")]
    New {
        /// Title or first digits of the space's id
        space: String,
        /// Copy this template into it
        #[arg(long, value_name = "NAME")]
        template: Option<String>,
    },
    /// List the templates that agreements of a space can begin with
    Templates {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Copy a template into an agreement, behind what it says already
    #[command(after_help = "\
Example:
  alliance agreement template 91ab clinical_pair

Nothing is overwritten: a term of which somebody has said something stays as it is.")]
    Template {
        /// Title or first digits of the agreement's id
        agreement: String,
        /// Its name, as `alliance agreement templates` lists it
        name: String,
    },
    /// Show an agreement, with who wrote what
    Show {
        /// Title or first digits of the agreement's id
        agreement: String,
    },
    /// Change terms and clauses
    Edit(AgreementEdit),
    /// Say that you understood a clause, or say something about it
    #[command(group = ArgGroup::new("what").args(["understood", "remark"]).required(true).multiple(true), after_help = "\
Examples:
  alliance agreement clause 91ab 5d20 --understood
  alliance agreement clause 91ab 5d20 --remark \"Every month is a lot for me.\"")]
    Clause {
        /// Title or first digits of the agreement's id
        agreement: String,
        /// First digits of the clause's id
        clause: ItemArg,
        /// You understood it as it stands now
        #[arg(long)]
        understood: bool,
        /// Say something about it
        #[arg(long, value_name = "TEXT")]
        remark: Option<String>,
    },
    /// Freeze the agreement as it is, for everybody to sign
    #[command(after_help = "\
Example:
  alliance agreement propose 91ab --on 2026-11-30

It must say something about responsibilities_roles and confidentiality, and when it is
reviewed (review_due). Whoever edits it afterwards makes a new draft: what was signed
stays what was read.")]
    Propose {
        /// Title or first digits of the agreement's id
        agreement: String,
        #[command(flatten)]
        dated: Dated,
    },
    /// Sign what was proposed
    #[command(after_help = "\
Examples:
  alliance agreement sign 91ab --on 2026-11-30
  alliance agreement sign 91ab --on 2026-11-30 --version 3f9c    a version that you have read
                                                                (alliance agreement versions 91ab --show 3f9c)")]
    Sign {
        /// Title or first digits of the agreement's id
        agreement: String,
        /// Sign this version, by the first digits of its name [default: what the agreement says now]
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        #[command(flatten)]
        dated: Dated,
    },
    /// List what was proposed and who signed it, or show one version word for word
    Versions {
        /// Title or first digits of the agreement's id
        agreement: String,
        /// Show this version as it is signed, by the first digits of its name
        #[arg(long, value_name = "VERSION")]
        show: Option<String>,
        /// Say whether a review is due on this date
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        as_of: Option<CivilDate>,
    },
    /// Print a version that all have signed, with their signatures, as a file that proves itself
    #[command(after_help = "\
Example:
  alliance agreement give 91ab --on 2026-12-20 --reason \"for the clinic\" > agreement.json

`alliance signed prove` says what it proves. Everybody in the space sees that you gave it
out.")]
    Give {
        /// Title or first digits of the agreement's id
        agreement: String,
        /// This version, by the first digits of its name [default: the one in force]
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        #[command(flatten)]
        given: GivenOut,
    },
    /// List the agreements
    List(ListFilter),
}

/// The date and the language of something that people sign.
#[derive(Debug, Clone, Args)]
pub(crate) struct Dated {
    /// The date that you put on it; no clock is asked
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub(crate) on: CivilDate,
    /// The language that you read it in, such as en, sw or ar
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub(crate) language: String,
}

/// When and why something is given out.
#[derive(Debug, Clone, Args)]
pub(crate) struct GivenOut {
    /// The date that you put on it; no clock is asked
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub(crate) on: CivilDate,
    /// Why; everybody in the space sees it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}

/// `alliance agreement edit`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("which").args(["add", "clause"]), after_help = "\
Examples:
  alliance agreement edit 91ab --set cadence=\"1 month\" --set duration_min=60
  alliance agreement edit 91ab --add confidentiality --must --text \"It stays here.\"
  alliance agreement edit 91ab --clause 5d20 --text \"It stays between us.\"
  alliance agreement edit 91ab --clause 5d20 --may
  alliance agreement edit 91ab --protect recording=no

A protective term holds its most protective value until everybody who signs has
lifted it (--lift).")]
pub(crate) struct AgreementEdit {
    /// Title or first digits of the agreement's id
    pub(crate) agreement: String,
    /// Set a term: cadence="2 week", duration_min, format, venue, preparation, review_due=2026-11-30,
    /// function_scheme, framework, retention_months, ends_on
    #[arg(long, value_name = "TERM=VALUE", help_heading = "Terms")]
    pub(crate) set: Vec<NamedValue<TermName>>,
    /// Take a term out
    #[arg(long, value_name = "TERM", value_parser = values::term_name(), hide_possible_values = true, help_heading = "Terms")]
    pub(crate) clear: Vec<TermName>,
    /// Ask for a value of a protective term: content_record_rule, recording, attendance_to_org
    #[arg(long, value_name = "TERM=VALUE", help_heading = "Terms")]
    pub(crate) protect: Option<ProtectArg>,
    /// With --protect: you agree to let go of the stricter values that stand
    #[arg(long, requires = "protect", help_heading = "Terms")]
    pub(crate) lift: bool,
    /// Add a clause to this section
    #[arg(
        long, value_name = "SECTION", value_parser = values::clause_section(), conflicts_with = "clause",
        requires = "given", help_heading = "Clauses"
    )]
    pub(crate) add: Option<ClauseSection>,
    /// Change this clause: the first digits of its id
    #[arg(long, value_name = "ID", help_heading = "Clauses")]
    pub(crate) clause: Option<ItemArg>,
    /// With --add or --clause: stand behind this clause [default for --add: at the end]
    #[arg(long, value_name = "ID", requires = "which", help_heading = "Clauses")]
    pub(crate) after: Option<ItemArg>,
    /// The clause says what you must
    #[arg(long, conflicts_with = "may", requires = "which", help_heading = "Clauses")]
    pub(crate) must: bool,
    /// The clause says what you may [default for --add]
    #[arg(long, requires = "which", help_heading = "Clauses")]
    pub(crate) may: bool,
    /// Remove the clause; it comes back if somebody edits it meanwhile
    #[arg(long, requires = "clause", conflicts_with_all = ["text", "file", "must", "may", "after"], help_heading = "Clauses")]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) source: TextSource,
}

impl AgreementEdit {
    pub(crate) const fn modality(&self) -> Option<Modality> {
        values::modality(self.must, self.may)
    }
}
