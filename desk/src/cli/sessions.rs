//! Commands about sessions.

use alliance_model::policy::AgendaOrigin;
use alliance_model::session::{
    AgendaField, AgendaTransition, Attendance, SessionField, SessionRole, SessionTransition,
};
use clap::{ArgGroup, Args, Subcommand};

use super::documents::{ListFilter, TextSource};
use super::values::{self, ItemArg, NamedValue};

/// `alliance session`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SessionCommand {
    /// Plan a session in a space, or write down one that took place
    #[command(after_help = "\
Examples:
  alliance session new \"Amina and Ben\" --set kind=clinical --set date=2026-12-04 \\
      --set time=14:30 --set zone=Africa/Nairobi --set minutes=60
  alliance session new \"Amina and Ben\" --set start=\"2026-11-27 14:05\" --held-unplanned")]
    New {
        /// Title or first digits of the space's id
        space: String,
        /// Set a field: kind, date, time, zone, minutes, format, place, start, end, outcome
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<NamedValue<SessionField>>,
        /// It took place without having been planned
        #[arg(long)]
        held_unplanned: bool,
    },
    /// Show a session, with who wrote what
    Show {
        /// First digits of the session's id
        session: String,
    },
    /// Change fields, the agenda, and whom it is about
    Edit(SessionEdit),
    /// Say as what somebody takes part, and whether they were there
    #[command(group = ArgGroup::new("what").args(["role", "attendance", "chose_focus"]).required(true).multiple(true), after_help = "\
Example:
  alliance session person 91ab Amina --role supervisee --attendance attended")]
    Person {
        /// First digits of the session's id
        session: String,
        /// Name of a member, or first digits of the tag that `--json` prints
        person: String,
        /// As what
        #[arg(long, value_parser = values::session_role())]
        role: Option<SessionRole>,
        /// Whether they were there
        #[arg(long, value_parser = values::attendance())]
        attendance: Option<Attendance>,
        /// They chose the focus
        #[arg(long)]
        chose_focus: bool,
    },
    /// Say that it was held, missed, put off or closed
    Mark {
        /// First digits of the session's id
        session: String,
        /// What is said
        #[arg(value_parser = values::session_transition())]
        says: SessionTransition,
    },
    /// Begin the session's note, or say which it is: both of you write in the same one
    Note {
        /// First digits of the session's id
        session: String,
    },
    /// Say that two sessions are one, written down twice: they are shown as one from then on
    #[command(after_help = "\
Example:
  alliance session merge 91ab 5d20

Nothing is copied, and either of you may say it, in either order: the session with the
smaller id stands for both. What was confirmed of their notes is asked for again. Undo it
with `alliance session apart 91ab`.")]
    Merge {
        /// First digits of the one session's id
        session: String,
        /// First digits of the other's
        other: String,
    },
    /// Say that sessions are two: undo a merge, or answer that they only look alike
    #[command(after_help = "\
Examples:
  alliance session apart 91ab         undo what this session was merged with
  alliance session apart 91ab 5d20    these two are two, and are not asked about again")]
    Apart {
        /// First digits of the one session's id
        session: String,
        /// First digits of the other's
        other: Option<String>,
    },
    /// List the sessions
    List(ListFilter),
}

/// `alliance session edit`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("which").args(["add", "item"]), after_help = "\
Examples:
  alliance session edit 91ab --set place=\"Under the tree\" --clear minutes
  alliance session edit 91ab --add --text \"The locked kitchen\" --about focus=ethical --about minutes=20
  alliance session edit 91ab --add --from from_sessions --text \"You spoke of the kitchen three times\"
  alliance session edit 91ab --item 5d20 --says discussed
  alliance session edit 91ab --stakeholder client --stakeholder colleagues")]
pub(crate) struct SessionEdit {
    /// First digits of the session's id
    pub(crate) session: String,
    /// Set a field: kind, date, time, zone, minutes, format, place, start, end, outcome
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<NamedValue<SessionField>>,
    /// Take a field out
    #[arg(long, value_name = "FIELD", value_parser = values::session_field(), hide_possible_values = true)]
    pub(crate) clear: Vec<SessionField>,
    /// Name somebody whom the session is about
    #[arg(long, value_name = "NAME")]
    pub(crate) stakeholder: Vec<String>,
    /// Take one out
    #[arg(long, value_name = "NAME")]
    pub(crate) no_stakeholder: Vec<String>,
    /// Put something on the agenda
    #[arg(long, conflicts_with = "item", requires = "given", help_heading = "Agenda")]
    pub(crate) add: bool,
    /// Where it comes from: needed by whoever does not own the agenda of this kind of meeting
    #[arg(
        long, value_name = "ORIGIN", value_parser = values::agenda_origin(), requires = "add", help_heading = "Agenda"
    )]
    pub(crate) from: Option<AgendaOrigin>,
    /// Change this on the agenda: the first digits of its id
    #[arg(long, value_name = "ID", help_heading = "Agenda")]
    pub(crate) item: Option<ItemArg>,
    /// Behind this on the agenda [default for --add: at the end]
    #[arg(long, value_name = "ID", requires = "which", help_heading = "Agenda")]
    pub(crate) after: Option<ItemArg>,
    /// Say more about it: focus, mode, minutes, priority
    #[arg(long, value_name = "FIELD=VALUE", requires = "which", help_heading = "Agenda")]
    pub(crate) about: Vec<NamedValue<AgendaField>>,
    /// What became of it
    #[arg(long, value_parser = values::agenda_transition(), requires = "item", help_heading = "Agenda")]
    pub(crate) says: Option<AgendaTransition>,
    /// Remove it; it comes back if somebody edits it meanwhile
    #[arg(long, requires = "item", conflicts_with_all = ["text", "file", "after", "about", "says"], help_heading = "Agenda")]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) source: TextSource,
}
