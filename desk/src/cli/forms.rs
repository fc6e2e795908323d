//! Commands about documents that a table describes: charter, contract, goals, feedback, remarks, reviews, closing
//! summaries.

mod items;
mod several;
mod tables;

use std::path::PathBuf;

use alliance_model::audience::Audience;
use alliance_model::{CivilDate, DocumentKind};
use clap::{ArgGroup, Args, Subcommand};

use super::documents::{Dated, TextSource};
use super::values;
use tables::{fields, sets, words};

pub(crate) use items::{FeedbackCommand, FeedbackGive, GoalCommand, RemarkAdd, RemarkCommand};
pub(crate) use several::{ClosingCommand, ContractCommand, ReviewCommand};

const CHARTER_HELP: &str = "\
A space has one charter, and everybody in it writes it. The first thing that somebody
says begins it.";

const CONTRACT_HELP: &str = "\
A contract lives in a space of the organisation's own, where nothing of any session is
(`alliance space create --audience organisation`). What all have signed there is a file,
and each pair adopts the file in its own space. Nothing comes back to the organisation.";

const GOAL_HELP: &str = "\
Whoever adds a goal words it, and nobody else. What becomes of it both may say.";

const FEEDBACK_HELP: &str = "\
Both give feedback, in either direction. It is its author's to word and, until somebody
has acknowledged it, to take back. Who wants none for now says `pause`.";

const REMARK_HELP: &str = "\
What you say beside a session's note: a perspective that the other may find useful, a
strength that you saw, a challenge with what it rests on, a criterion of good practice.";

const REVIEW_HELP: &str = "\
Each answers the questions in their own words. What you make of them is the outcome:
continue, amend, renegotiate or end. Both sign it, and then it never changes.";

const CLOSING_HELP: &str = "\
What is said at the end, for whoever goes on. Both sign it; the file of it can be handed
over with `give`, and is adopted in another space with `alliance charter adopt`.";

/// The commands of forms, one noun each.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum FormNoun {
    /// What a space is: who is what in it, which contract holds, and where it stands
    #[command(subcommand, after_help = CHARTER_HELP)]
    Charter(CharterCommand),
    /// The overall contract of an organisation, signed and handed on as a file
    #[command(subcommand, after_help = CONTRACT_HELP)]
    Contract(ContractCommand),
    /// Learning goals, and what becomes of them
    #[command(subcommand, after_help = GOAL_HELP)]
    Goal(GoalCommand),
    /// Feedback in either direction
    #[command(subcommand, after_help = FEEDBACK_HELP)]
    Feedback(FeedbackCommand),
    /// Perspectives, strengths, challenges and criteria
    #[command(subcommand, after_help = REMARK_HELP)]
    Remark(RemarkCommand),
    /// Reviews of how it goes, answered by each and signed by both
    #[command(subcommand, after_help = REVIEW_HELP)]
    Review(ReviewCommand),
    /// Closing summaries: what is said at the end, signed by both
    #[command(subcommand, after_help = CLOSING_HELP)]
    Closing(ClosingCommand),
    /// Files of what all have signed
    #[command(subcommand)]
    Signed(SignedCommand),
}

/// `alliance charter`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum CharterCommand {
    /// Show what is said of a space
    Show {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Say something of the space; where you said different things while apart, it chooses
    #[command(after_help = fields(DocumentKind::Charter, "\
Examples:
  alliance charter set \"Amina and Ben\" employed yes
  alliance charter set \"Amina and Ben\" label_supervisor \"critical friend\""))]
    Set {
        /// Title or first digits of the space's id
        space: String,
        /// Which field
        field: String,
        /// What it says
        value: String,
    },
    /// Take what a field says away
    Clear {
        /// Title or first digits of the space's id
        space: String,
        /// Which field
        field: String,
    },
    /// Put something into a set
    #[command(after_help = sets(DocumentKind::Charter, "\
Example:
  alliance charter put Circle purpose team_dynamics"))]
    Put {
        /// Title or first digits of the space's id
        space: String,
        /// Which set
        set: String,
        /// What
        value: String,
    },
    /// Take something out of a set
    Take {
        /// Title or first digits of the space's id
        space: String,
        /// Which set
        set: String,
        /// What
        value: String,
    },
    /// Say where the space stands
    #[command(after_help = words(DocumentKind::Charter, "\
Example:
  alliance charter say \"Amina and Ben\" paused --text \"Until Ben is back in March.\""))]
    Say {
        /// Title or first digits of the space's id
        space: String,
        #[command(flatten)]
        said: SayArgs,
    },
    /// Show whom the space is for, or say it: its founder, before anything else is in it, and for ever
    #[command(after_help = "\
Examples:
  alliance charter audience \"Amina and Ben\"
  alliance charter audience Clinic organisation

  personal      your own devices
  alliance      those who supervise and are supervised: what a space is if nobody says it
  scope         some of them
  disclosure    a supervisor and whom something that must be told concerns
  management    a manager and a practitioner
  organisation  an organisation's offices, and those whom its contract binds")]
    Audience {
        /// Title or first digits of the space's id
        space: String,
        /// For whom [default: show it]
        #[arg(value_name = "WORD", value_parser = values::audience(), hide_possible_values = true)]
        audience: Option<Audience>,
    },
    /// Take up a signed file in a space: a contract that holds here, a closing summary that is handed over
    #[command(after_help = "\
Example:
  alliance charter adopt \"Amina and Ben\" contract.json --on 2026-12-01

Everybody in the space has the file then, and it says by itself who signed what. Nobody
outside the space learns of it.")]
    Adopt {
        /// Title or first digits of the space's id
        space: String,
        /// The file, as `alliance contract give` or `alliance closing give` printed it
        file: PathBuf,
        /// The date that you put on it; no clock is asked
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        on: CivilDate,
    },
    /// List the signed files that hold in a space, and what they say
    Adopted {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Say that you have read a file that holds in a space: a contract that binds you
    Acknowledge {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the file's name
        file: String,
        /// The date that you put on it; no clock is asked
        #[arg(long, value_name = "DATE", value_parser = values::date)]
        on: CivilDate,
    },
    /// Let go of a file that holds in a space: once every member has, it holds no longer
    Release {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the file's name
        file: String,
    },
    /// Say what you trained as, and where you are registered
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = "\
Example:
  alliance charter train \"Amina and Ben\" --profession \"social worker\" --registration \"SW 4711\" \\
      --text \"Supervision course of two years, 2019.\"")]
    Train {
        /// Title or first digits of the space's id
        space: String,
        /// Your profession
        #[arg(long, value_name = "TEXT")]
        profession: Option<String>,
        /// Where you are registered, and under which number
        #[arg(long, value_name = "TEXT")]
        registration: Option<String>,
        #[command(flatten)]
        source: TextSource,
    },
}

/// `alliance signed`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SignedCommand {
    /// Say what a file of a signed text proves; no store is needed
    #[command(after_help = "\
Example:
  alliance closing give 7c1e --on 2026-12-20 > closing.json
  alliance signed prove closing.json")]
    Prove {
        /// The file
        file: PathBuf,
    },
}

/// Something that is said of a form or item.
#[derive(Debug, Clone, Args)]
pub(crate) struct SayArgs {
    /// What you say
    pub(crate) word: String,
    /// The date that goes with it
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub(crate) on: Option<CivilDate>,
    /// The number that goes with it
    #[arg(long, value_name = "N")]
    pub(crate) number: Option<u16>,
    /// What you say beside the word
    #[command(flatten)]
    pub(crate) source: TextSource,
}

/// How somebody signs a form.
#[derive(Debug, Clone, Args)]
pub(crate) struct SignArgs {
    /// Only these sign it, by name or first digits of the tag: name yourself, too [default: everybody who writes in the
    /// space]
    #[arg(long, value_name = "PERSON")]
    pub(crate) party: Vec<String>,
    #[command(flatten)]
    pub(crate) dated: Dated,
}

impl FormNoun {
    /// Where the command takes a text from, if it does.
    pub(crate) const fn text_source(&self) -> Option<&TextSource> {
        if let Self::Charter(
            CharterCommand::Say { said: SayArgs { source, .. }, .. } | CharterCommand::Train { source, .. },
        )
        | Self::Contract(
            ContractCommand::Edit { source, .. } | ContractCommand::Say { said: SayArgs { source, .. }, .. },
        )
        | Self::Goal(
            GoalCommand::Add { source, .. }
            | GoalCommand::Edit { source, .. }
            | GoalCommand::Say { said: SayArgs { source, .. }, .. },
        )
        | Self::Feedback(
            FeedbackCommand::Give(FeedbackGive { source, .. })
            | FeedbackCommand::Edit { source, .. }
            | FeedbackCommand::Acknowledge { source, .. },
        )
        | Self::Remark(
            RemarkCommand::Add(RemarkAdd { source, .. })
            | RemarkCommand::Edit { source, .. }
            | RemarkCommand::Say { said: SayArgs { source, .. }, .. },
        )
        | Self::Review(
            ReviewCommand::Edit { source, .. }
            | ReviewCommand::Answer { source, .. }
            | ReviewCommand::Say { said: SayArgs { source, .. }, .. },
        )
        | Self::Closing(ClosingCommand::Edit { source, .. }) = self
        {
            return Some(source);
        }
        None
    }
}
