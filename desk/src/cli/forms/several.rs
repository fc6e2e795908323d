//! Commands about forms of which a space has several: contract, review, closing summary.

use alliance_model::DocumentKind;
use clap::{ArgGroup, Subcommand};

use super::super::documents::{GivenOut, ListFilter, TextSource};
use super::tables::{fields, sets, texts, words};
use super::{SayArgs, SignArgs};

/// `alliance contract`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ContractCommand {
    /// Begin a contract in an organisation's space
    #[command(after_help = "\
Example:
  alliance space create Clinic --kind group --audience organisation
  alliance contract new Clinic")]
    New {
        /// Title or first digits of the space's id
        space: String,
    },
    /// List the contracts
    List(ListFilter),
    /// Show a contract, and who signed it
    Show {
        /// First digits of the contract's id
        contract: String,
    },
    /// Word one of its texts
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = texts(DocumentKind::Contract, "\
Example:
  alliance contract edit 7c1e --field purpose --text \"Every practitioner has supervision.\""))]
    Edit {
        /// First digits of the contract's id
        contract: String,
        /// Which of its texts
        #[arg(long, value_name = "NAME")]
        field: String,
        #[command(flatten)]
        source: TextSource,
    },
    /// Set a field; where you wrote different things while apart, it chooses
    #[command(after_help = fields(DocumentKind::Contract, "\
Example:
  alliance contract set 7c1e retention_months 84"))]
    Set {
        /// First digits of the contract's id
        contract: String,
        /// Which field
        field: String,
        /// What it says
        value: String,
    },
    /// Take what a field says away
    Clear {
        /// First digits of the contract's id
        contract: String,
        /// Which field
        field: String,
    },
    /// Put something into a set
    #[command(after_help = sets(DocumentKind::Contract, "\
Example:
  alliance contract put 7c1e kinds_allowed clinical"))]
    Put {
        /// First digits of the contract's id
        contract: String,
        /// Which set
        set: String,
        /// What
        value: String,
    },
    /// Take something out of a set
    Take {
        /// First digits of the contract's id
        contract: String,
        /// Which set
        set: String,
        /// What
        value: String,
    },
    /// Say that it holds no more
    #[command(after_help = words(DocumentKind::Contract, "\
Example:
  alliance contract say 7c1e superseded --text \"By the one of 2027.\""))]
    Say {
        /// First digits of the contract's id
        contract: String,
        #[command(flatten)]
        said: SayArgs,
    },
    /// Sign what it says: when all have who sign it, it never changes
    #[command(after_help = "\
Examples:
  alliance contract sign 7c1e --on 2026-12-01
  alliance contract sign 7c1e --on 2026-12-01 --party Chen      Chen alone signs, for the employer

Whoever wrote in it signs it. Signing is refused while something is not said that has to be.")]
    Sign {
        /// First digits of the contract's id
        contract: String,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Print what all have signed as a file that proves itself
    #[command(after_help = "\
Example:
  alliance contract give 7c1e --on 2026-12-01 --reason \"for our supervisors\" > contract.json

Everybody in the space sees that you gave it out.")]
    Give {
        /// First digits of the contract's id
        contract: String,
        #[command(flatten)]
        given: GivenOut,
    },
}

/// `alliance review`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ReviewCommand {
    /// Begin a review in a space
    New {
        /// Title or first digits of the space's id
        space: String,
    },
    /// List the reviews
    List(ListFilter),
    /// Show a review, who answered what, and who signed it
    Show {
        /// First digits of the review's id
        review: String,
    },
    /// Word what you make of it together
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = texts(DocumentKind::Review, "\
Example:
  alliance review edit 7c1e --text \"We go on, and meet every two weeks.\""))]
    Edit {
        /// First digits of the review's id
        review: String,
        /// Which of its texts
        #[arg(long, value_name = "NAME", default_value = "summary")]
        field: String,
        #[command(flatten)]
        source: TextSource,
    },
    /// Set a field; where you wrote different things while apart, it chooses
    #[command(after_help = fields(DocumentKind::Review, "\
Examples:
  alliance review set 7c1e due 2027-05-30
  alliance review set 7c1e held_session 91ab
  alliance review set 7c1e outcome continue"))]
    Set {
        /// First digits of the review's id
        review: String,
        /// Which field
        field: String,
        /// What it says
        value: String,
    },
    /// Answer a question in your own words; answering it again words your answer anew
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = "\
Example:
  alliance review answer 7c1e improve --text \"I would like to prepare more.\"

Questions:
  purpose        what we meet for
  benefits       what it has given you
  what_happens   what goes on when we meet
  improve        what could be better
  relationship   how we are with each other
  agreement      whether the working agreement still fits
  goals          how far the goals are")]
    Answer {
        /// First digits of the review's id
        review: String,
        /// Which question
        question: String,
        #[command(flatten)]
        source: TextSource,
    },
    /// Say that it is planned, or was held
    #[command(after_help = words(DocumentKind::Review, "\
Example:
  alliance review say 7c1e held"))]
    Say {
        /// First digits of the review's id
        review: String,
        #[command(flatten)]
        said: SayArgs,
    },
    /// Sign what it says: when all have who sign it, it never changes
    #[command(after_help = "\
Example:
  alliance review sign 7c1e --on 2027-05-30")]
    Sign {
        /// First digits of the review's id
        review: String,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Print what all have signed as a file that proves itself
    #[command(after_help = "\
Example:
  alliance review give 7c1e --on 2027-06-01 --reason \"for my registration\" > review.json

It holds your words: give it to nobody who may not read them. Everybody in the space sees
that you gave it out.")]
    Give {
        /// First digits of the review's id
        review: String,
        #[command(flatten)]
        given: GivenOut,
    },
}

/// `alliance closing`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ClosingCommand {
    /// Begin a closing summary in a space
    New {
        /// Title or first digits of the space's id
        space: String,
    },
    /// List the closing summaries
    List(ListFilter),
    /// Show a closing summary, and who signed it
    Show {
        /// First digits of the closing summary's id
        closing: String,
    },
    /// Word one of its texts
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = texts(DocumentKind::Closing, "\
Examples:
  alliance closing edit 7c1e --text \"We met for a year. She leads her own team now.\"
  alliance closing edit 7c1e --field open_questions --text \"Who visits the family in spring?\""))]
    Edit {
        /// First digits of the closing summary's id
        closing: String,
        /// Which of its texts
        #[arg(long, value_name = "NAME", default_value = "summary")]
        field: String,
        #[command(flatten)]
        source: TextSource,
    },
    /// Set a field; where you wrote different things while apart, it chooses
    #[command(after_help = fields(DocumentKind::Closing, "\
Examples:
  alliance closing set 7c1e ends_on 2026-12-20
  alliance closing set 7c1e reason \"Ben moves to another town.\""))]
    Set {
        /// First digits of the closing summary's id
        closing: String,
        /// Which field
        field: String,
        /// What it says
        value: String,
    },
    /// Sign what it says: when all have who sign it, it never changes
    #[command(after_help = "\
Example:
  alliance closing sign 7c1e --on 2026-12-20")]
    Sign {
        /// First digits of the closing summary's id
        closing: String,
        #[command(flatten)]
        sign: SignArgs,
    },
    /// Print what all have signed as a file that proves itself
    #[command(after_help = "\
Example:
  alliance closing give 7c1e --on 2026-12-20 --reason \"for whoever goes on\" > closing.json

It holds your words: give it to nobody who may not read them. Everybody in the space sees
that you gave it out.")]
    Give {
        /// First digits of the closing summary's id
        closing: String,
        #[command(flatten)]
        given: GivenOut,
    },
}
