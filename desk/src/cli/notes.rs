//! Commands about session notes.

use alliance_model::CivilDate;
use alliance_model::note::{MeetingKind, Stage};
use clap::{ArgGroup, Args, Subcommand};

use super::documents::{Dated, ListFilter, TextSource};
use super::values::{self, FunctionArg, ItemArg};

/// `alliance note`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum NoteCommand {
    /// Begin the note of a session in a space
    New(NewNote),
    /// Change a note: title, date, sections, functions, actions
    Edit(NoteEdit),
    /// Write at the end of a section, on a new line
    #[command(group = ArgGroup::new("needed").args(["text", "file"]).required(true), after_help = "\
Examples:
  alliance note append \"First session\" --section close --text \"We met in May.\"
  alliance note append 3f2a --section action --file plan.txt
  alliance note append 3f2a --section close --file -     from standard input")]
    Append {
        /// Title or first digits of the note's id
        note: String,
        /// The section
        #[arg(long, value_parser = values::stage())]
        section: Stage,
        #[command(flatten)]
        source: TextSource,
    },
    /// Show a note, with who wrote what
    Show {
        /// Title or first digits of the note's id
        note: String,
    },
    /// Show a note's versions, the note as it was, and what differs; bring a passage back
    History(NoteHistory),
    /// Confirm what a note says; when everybody who was there has, it is locked
    #[command(after_help = "\
Examples:
  alliance note confirm 3f2a --on 2026-10-05
  alliance note confirm 3f2a --on 2026-10-05 --text 91c0    a text that somebody else confirmed

Those confirm a note who were at its session (alliance session person --attendance), and
everybody who wrote in it. A locked note is never changed: who has more to say writes an
addendum.")]
    Confirm {
        /// Title or first digits of the note's id
        note: String,
        /// Confirm this text, by its first digits [default: what the note says now]
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        #[command(flatten)]
        dated: Dated,
    },
    /// Add something to a note that is never changed
    #[command(group = ArgGroup::new("needed").args(["text", "file", "adopt"]).required(true), after_help = "\
Examples:
  alliance note addendum 3f2a --text \"The clinic called back on Monday.\"
  alliance note addendum 3f2a --adopt 1     what you wrote without knowing that the note was
                                           locked; the number is that of `note show`")]
    Addendum {
        /// Title or first digits of the note's id
        note: String,
        /// Add what you wrote apart, by its number
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
        adopt: Option<u16>,
        #[command(flatten)]
        source: TextSource,
    },
    /// List the notes
    List(ListFilter),
}

/// `alliance note history`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("of").args(["section", "action", "title", "date"]), after_help = "\
Examples:
  alliance note history 3f2a                          who changed what, the newest first
  alliance note history 3f2a --at 9c41                the note as that person saw it then
  alliance note history 3f2a --compare 9c41           what differs from now
  alliance note history 3f2a --compare 9c41 --with 77d0
  alliance note history 3f2a --restore 9c41 --section close --passage \"We met in May.\"

A version is one editing session of one person, by the signature that it carries. The
time is what that person's clock said. Bringing a passage back is an edit of today:
only what is missing is written, where it stood, and nothing is taken away.")]
pub(crate) struct NoteHistory {
    /// Title or first digits of the note's id
    pub(crate) note: String,
    /// Show the note as it was at the end of this version
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["compare", "restore"])]
    pub(crate) at: Option<String>,
    /// Show what differs between this version and now, or --with
    #[arg(long, value_name = "VERSION", conflicts_with = "restore")]
    pub(crate) compare: Option<String>,
    /// With --compare: the other version
    #[arg(long, value_name = "VERSION", requires = "compare")]
    pub(crate) with: Option<String>,
    /// Bring back what is missing today of this version's text
    #[arg(long, value_name = "VERSION", requires = "of")]
    pub(crate) restore: Option<String>,
    /// With --restore: of this section
    #[arg(long, value_parser = values::stage(), requires = "restore")]
    pub(crate) section: Option<Stage>,
    /// With --restore: of this action's text
    #[arg(long, value_name = "ID", requires = "restore")]
    pub(crate) action: Option<ItemArg>,
    /// With --restore: the title
    #[arg(long, requires = "restore", conflicts_with = "passage")]
    pub(crate) title: bool,
    /// With --restore: the date
    #[arg(long, requires = "restore", conflicts_with = "passage")]
    pub(crate) date: bool,
    /// With --restore: these words only, as they stood in that version [default: the whole text]
    #[arg(long, value_name = "TEXT", requires = "restore", allow_hyphen_values = true)]
    pub(crate) passage: Option<String>,
    /// Skip so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: u64,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) limit: u64,
}

/// `alliance note new`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Example:
  alliance note new \"Amina and Ben\" --title \"First session\" --date 2026-10-02")]
pub(crate) struct NewNote {
    /// Title or first digits of the space's id
    pub(crate) space: String,
    #[command(flatten)]
    pub(crate) head: NoteHead,
}

/// Title, date and kind.
#[derive(Debug, Clone, Args)]
pub(crate) struct NoteHead {
    /// The title, one line
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// The date of the session: 2026-10-02
    #[arg(long, value_parser = values::date)]
    pub(crate) date: Option<CivilDate>,
    /// The kind of session; fixed once chosen
    #[arg(long, value_parser = values::note_kind())]
    pub(crate) kind: Option<MeetingKind>,
}

/// `alliance note edit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  alliance note edit 3f2a --title \"The difficult visit\"
  alliance note edit 3f2a --section exploration --file exploration.txt
  alliance note edit 3f2a --function proctor3/restorative=60
  alliance note edit 3f2a --add-action --text \"Call the clinic\" --owner Amina
  alliance note edit 3f2a --action 77aa --done

`--section` with a text replaces the section. Only what differs is written, so
that what somebody else writes in the same section meanwhile stays.")]
pub(crate) struct NoteEdit {
    /// Title or first digits of the note's id
    pub(crate) note: String,
    #[command(flatten)]
    pub(crate) head: NoteHead,
    /// Replace the text of this section
    #[arg(long, value_parser = values::stage(), conflicts_with_all = ["action", "add_action"], requires = "given")]
    pub(crate) section: Option<Stage>,
    /// Say how much of the session a function took, in percent
    #[arg(long, value_name = "SCHEME/FUNCTION=WEIGHT")]
    pub(crate) function: Vec<FunctionArg>,
    #[command(flatten)]
    pub(crate) item: NoteAction,
    #[command(flatten)]
    pub(crate) source: TextSource,
}

/// The part of `alliance note edit` about actions.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Actions", group = ArgGroup::new("which").args(["add_action", "action"]))]
pub(crate) struct NoteAction {
    /// Add an action at the end of the list
    #[arg(long, conflicts_with = "action", requires = "given")]
    pub(crate) add_action: bool,
    /// Change this action: the first digits of its id
    #[arg(long, value_name = "ID")]
    pub(crate) action: Option<ItemArg>,
    /// Who does it
    #[arg(long, value_name = "NAME", requires = "which")]
    pub(crate) owner: Option<String>,
    /// Until when
    #[arg(long, value_name = "DATE", value_parser = values::date, conflicts_with = "no_due", requires = "which")]
    pub(crate) due: Option<CivilDate>,
    /// There is no date
    #[arg(long, requires = "action")]
    pub(crate) no_due: bool,
    /// It is done
    #[arg(long, requires = "action", conflicts_with = "reopen")]
    pub(crate) done: bool,
    /// It is open again
    #[arg(long, requires = "action")]
    pub(crate) reopen: bool,
    /// Remove it; it comes back if somebody edits it meanwhile
    #[arg(long, requires = "action", conflicts_with_all = ["text", "file", "owner", "due", "no_due", "done", "reopen"])]
    pub(crate) remove: bool,
}
