//! Commands about forms of which a space has one, and which are lists: goals, feedback, remarks.

use alliance_model::DocumentKind;
use clap::{ArgGroup, Args, Subcommand};

use super::super::documents::TextSource;
use super::super::values::ItemArg;
use super::SayArgs;
use super::tables::{item_fields, item_words};

/// `alliance goal`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum GoalCommand {
    /// Show the goals of a space, and what was said of each
    List {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Write down a goal of yours
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = item_fields(DocumentKind::Goals, "\
Example:
  alliance goal add \"Amina and Ben\" --text \"Bear not knowing.\" --area confidence_with_uncertainty"))]
    Add {
        /// Title or first digits of the space's id
        space: String,
        /// Which part of your work it is about
        #[arg(long, value_name = "WORD")]
        area: Option<String>,
        #[command(flatten)]
        source: TextSource,
    },
    /// Word a goal of yours anew
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true))]
    Edit {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the goal's id
        goal: ItemArg,
        #[command(flatten)]
        source: TextSource,
    },
    /// Set a field of a goal of yours
    #[command(after_help = item_fields(DocumentKind::Goals, "\
Example:
  alliance goal set \"Amina and Ben\" 5d20 area communication"))]
    Set {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the goal's id
        goal: ItemArg,
        /// Which field
        field: String,
        /// What it says
        value: String,
    },
    /// Take a goal of yours out
    Remove {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the goal's id
        goal: ItemArg,
    },
    /// Say what becomes of a goal, when you look at it again, how far it is
    #[command(after_help = item_words(DocumentKind::Goals, "\
Examples:
  alliance goal say \"Amina and Ben\" agreed --item 5d20
  alliance goal say \"Amina and Ben\" review_on --item 5d20 --on 2027-03-01
  alliance goal say \"Amina and Ben\" progress --item 5d20 --on 2027-01-15 --number 2"))]
    Say {
        /// Title or first digits of the space's id
        space: String,
        #[command(flatten)]
        said: SayArgs,
        /// First digits of the goal's id
        #[arg(long, value_name = "ID")]
        item: ItemArg,
    },
}

/// `alliance feedback`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum FeedbackCommand {
    /// Show the feedback of a space
    List {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Give somebody feedback
    Give(FeedbackGive),
    /// Word feedback of yours anew
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true))]
    Edit {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the feedback's id
        feedback: ItemArg,
        #[command(flatten)]
        source: TextSource,
    },
    /// Say that you have heard another's feedback: from then on it stays
    #[command(after_help = "\
Example:
  alliance feedback acknowledge \"Amina and Ben\" 5d20 --text \"I did not notice. Thank you.\"")]
    Acknowledge {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the feedback's id
        feedback: ItemArg,
        #[command(flatten)]
        source: TextSource,
    },
    /// Take feedback of yours back, unless it was acknowledged; who has read it has read it
    Retract {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the feedback's id
        feedback: ItemArg,
    },
    /// Ask for no more feedback just now: the others' programs refuse to give you any
    Pause {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Say that you would like some again
    Resume {
        /// Title or first digits of the space's id
        space: String,
    },
}

/// `alliance feedback give`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = item_fields(DocumentKind::Feedback, "\
Example:
  alliance feedback give \"Amina and Ben\" --to Ben --text \"Your question about the door helped me.\" \\
      --session 91ab"))]
pub(crate) struct FeedbackGive {
    /// Title or first digits of the space's id
    pub(crate) space: String,
    /// Whom it is for: name of a member, or first digits of the tag that `--json` prints
    #[arg(long, value_name = "PERSON")]
    pub(crate) to: String,
    /// Of which sort it is
    #[arg(long, value_name = "WORD")]
    pub(crate) sort: Option<String>,
    /// Whether it was given as it came, or in a review
    #[arg(long, value_name = "WORD")]
    pub(crate) timing: Option<String>,
    /// The session that it is about
    #[arg(long, value_name = "SESSION")]
    pub(crate) session: Option<String>,
    #[command(flatten)]
    pub(crate) source: TextSource,
}

/// `alliance remark`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RemarkCommand {
    /// Show the remarks of a space
    List {
        /// Title or first digits of the space's id
        space: String,
    },
    /// Make a remark
    Add(RemarkAdd),
    /// Word a remark of yours anew
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true))]
    Edit {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the remark's id
        remark: ItemArg,
        #[command(flatten)]
        source: TextSource,
    },
    /// Set a field of a remark of yours
    #[command(after_help = item_fields(DocumentKind::Remarks, "\
Example:
  alliance remark set \"Amina and Ben\" 5d20 session 91ab"))]
    Set {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the remark's id
        remark: ItemArg,
        /// Which field
        field: String,
        /// What it says
        value: String,
    },
    /// Take a remark of yours out
    Remove {
        /// Title or first digits of the space's id
        space: String,
        /// First digits of the remark's id
        remark: ItemArg,
    },
    /// Say something of another's remark
    #[command(after_help = item_words(DocumentKind::Remarks, "\
Example:
  alliance remark say \"Amina and Ben\" useful --item 5d20 --text \"I had not seen it so.\""))]
    Say {
        /// Title or first digits of the space's id
        space: String,
        #[command(flatten)]
        said: SayArgs,
        /// First digits of the remark's id
        #[arg(long, value_name = "ID")]
        item: ItemArg,
    },
}

/// `alliance remark add`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = item_fields(DocumentKind::Remarks, "\
Examples:
  alliance remark add \"Amina and Ben\" perspective --session 91ab --text \"She may be ashamed.\"
  alliance remark add \"Amina and Ben\" strength --of Amina --text \"You stayed in the room.\"
  alliance remark add \"Amina and Ben\" challenge --topic blind_spot --evidence clinical_session \\
      --evidence-session 91ab --text \"You spoke of everybody but him.\"
  alliance remark add \"Amina and Ben\" criterion --text \"The client knows what is written.\""))]
pub(crate) struct RemarkAdd {
    /// Title or first digits of the space's id
    pub(crate) space: String,
    /// What it is: perspective, strength, challenge or criterion
    pub(crate) list: String,
    /// Whose strength it is: name of a member, or first digits of the tag that `--json` prints
    #[arg(long, value_name = "PERSON")]
    pub(crate) of: Option<String>,
    /// What is challenged, as the kind of meeting allows: blind_spot, standards, teamwork, ...
    #[arg(long, value_name = "WORD")]
    pub(crate) topic: Option<String>,
    /// What a challenge rests on, as the kind of meeting allows: clinical_session, work_situation, ...
    #[arg(long, value_name = "WORD")]
    pub(crate) evidence: Option<String>,
    /// The session that a challenge rests on
    #[arg(long, value_name = "SESSION")]
    pub(crate) evidence_session: Option<String>,
    /// What was agreed that a challenge rests on
    #[arg(long, value_name = "TEXT")]
    pub(crate) clause: Option<String>,
    /// The session that it is about
    #[arg(long, value_name = "SESSION")]
    pub(crate) session: Option<String>,
    #[command(flatten)]
    pub(crate) source: TextSource,
}
