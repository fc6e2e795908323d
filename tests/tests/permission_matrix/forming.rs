//! What can be attempted on forms (DOMAIN 2.2): goals, feedback, the charter, and closing summaries.

use alliance_client::{Client, DocumentId, Error};
use alliance_model::audience::Audience;
use alliance_model::form::{FilePiece, FormCommand as F, Said, form_of_space};
use alliance_model::{Command, DocumentKind, ItemId, Splice, cosign};

use crate::commands::FRESH;
use crate::documents::{Scene, day};
use crate::papers::{FEEDBACK, GOAL, PRACTICE, PURPOSE, STAGE, SUMMARY, hears};
use crate::people::{Kind, Who};

/// Commands that are no calls of their own.
pub(crate) const COMMANDS: &[&str] = &[
    "goal.add",
    "goal.edit_own",
    "goal.edit_others",
    "goal.set_own",
    "goal.set_others",
    "goal.remove_own",
    "goal.remove_others",
    "goal.say_own",
    "goal.say_others",
    "goal.achieve_own",
    "goal.achieve_others",
    "feedback.acknowledge_own",
    "feedback.acknowledge_others",
    "feedback.retract_own",
    "feedback.retract_others",
    "charter.set",
    "charter.clear",
    "charter.put",
    "charter.take",
    "charter.say",
    "charter.keep",
    "closing.edit_text",
    "closing.edit_signed",
];

/// Calls.
pub(crate) const CALLS: &[&str] = &[
    "feedback.give",
    "feedback.give_paused",
    "charter.audience",
    "charter.audience_other_kind",
    "charter.adopt",
    "charter.adopt_broken",
    "closing.sign",
    "closing.sign_signed",
    "closing.give",
    "closing.give_unsigned",
];

/// How the names of a command's rows begin. Whoever adds a command is asked here for its rows.
pub(crate) const fn stems(command: &F) -> &'static [&'static str] {
    match command {
        F::EditText { .. } => &["closing.edit_text", "closing.edit_signed"],
        F::Set { .. } => &["charter.set"],
        F::Clear { .. } => &["charter.clear"],
        F::Put { .. } => &["charter.put"],
        F::Take { .. } => &["charter.take"],
        F::Add { .. } => &["goal.add", "feedback.give"],
        F::EditItem { .. } => &["goal.edit", "feedback.give"],
        F::SetItem { .. } => &["goal.set", "feedback.give", "charter.audience"],
        F::Remove { .. } => &["goal.remove"],
        F::Say { .. } => &["goal.say", "goal.achieve", "feedback.acknowledge", "feedback.retract", "charter.say"],
        F::Sign { .. } => &["closing.sign"],
        F::Keep { .. } => &["charter.keep", "charter.adopt"],
    }
}

/// The command of this name, and the form that it is for.
pub(crate) fn command(scene: &Scene, who: Who, name: &str) -> (DocumentId, Command) {
    let one = |kind| (kind, form_of_space(kind, &scene.people.space));
    let (kind, document) = match name {
        "closing.edit_text" => (DocumentKind::Closing, scene.papers.closing.document),
        "closing.edit_signed" => (DocumentKind::Closing, scene.papers.settled().closing.document),
        _ if name.starts_with("goal.") => one(DocumentKind::Goals),
        _ if name.starts_with("feedback.") => one(DocumentKind::Feedback),
        _ => one(DocumentKind::Charter),
    };
    let command = match kind {
        DocumentKind::Goals => goal(scene, who, name),
        DocumentKind::Feedback => feedback(who, name),
        DocumentKind::Closing => F::EditText { name: SUMMARY.to_owned(), splice: Splice::insert(0, "In short: ") },
        DocumentKind::Charter
        | DocumentKind::Agreement
        | DocumentKind::Note
        | DocumentKind::Session
        | DocumentKind::Preparation
        | DocumentKind::Decision
        | DocumentKind::Exports
        | DocumentKind::Contract
        | DocumentKind::Remarks
        | DocumentKind::Review => charter(name),
    };
    (document, Command::Form(kind, command))
}

fn goal(scene: &Scene, who: Who, name: &str) -> F {
    let id = if name.ends_with("_own") { who.item() } else { who.other().item() };
    match name {
        "goal.add" => F::Add { id: FRESH, list: GOAL.to_owned(), after: None, person: scene.people.own[&who].tag },
        "goal.edit_own" | "goal.edit_others" => F::EditItem { id, splice: Splice::insert(0, "Again: ") },
        "goal.set_own" | "goal.set_others" => {
            F::SetItem { id, field: "area".to_owned(), value: "communication".to_owned() }
        }
        "goal.remove_own" | "goal.remove_others" => F::Remove { id },
        "goal.say_own" | "goal.say_others" => {
            say(Some(id), Said { on: Some(day()), number: Some(2), ..Said::word("progress") })
        }
        "goal.achieve_own" | "goal.achieve_others" => say(Some(id), Said::word("achieved")),
        _ => panic!("{name}: no such command"),
    }
}

fn feedback(who: Who, name: &str) -> F {
    match name {
        "feedback.acknowledge_own" => say(Some(who.item()), Said::word("acknowledged")),
        "feedback.acknowledge_others" => say(Some(heard_from(who).item()), Said::word("acknowledged")),
        "feedback.retract_own" => say(Some(who.item()), Said::word("retracted")),
        "feedback.retract_others" => say(Some(who.other().item()), Said::word("retracted")),
        _ => panic!("{name}: no such command"),
    }
}

fn charter(name: &str) -> F {
    match name {
        "charter.set" => F::Set { field: STAGE.to_owned(), value: "training".to_owned() },
        "charter.clear" => F::Clear { field: STAGE.to_owned() },
        "charter.put" => F::Put { set: PURPOSE.to_owned(), value: "theme".to_owned() },
        "charter.take" => F::Take { set: PURPOSE.to_owned(), value: PRACTICE.to_owned() },
        "charter.say" => say(None, Said::word("active")),
        "charter.keep" => {
            let bytes = b"a file".to_vec();
            F::Keep { op: FRESH, piece: FilePiece { file: cosign::frozen(&bytes), number: 0, of: 1, bytes } }
        }
        _ => panic!("{name}: no such command"),
    }
}

fn say(item: Option<ItemId>, said: Said) -> F {
    F::Say { op: FRESH, item, said }
}

/// Who gave somebody feedback. Who is no member to the end got none, and tries with the writer's.
const fn heard_from(who: Who) -> Who {
    match who {
        Who::Signer => Who::Steward,
        Who::Writer | Who::Suspended => Who::Signer,
        Who::Steward | Who::Reader | Who::Former | Who::Removed => Who::Writer,
    }
}

/// Makes the call of this name.
pub(crate) async fn call(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    match name {
        "feedback.give" => {
            // Somebody else who has not asked for a pause.
            give(scene, client, if who == Who::Steward { Who::Writer } else { Who::Steward }).await
        }
        "feedback.give_paused" => give(scene, client, hears(Who::Steward)).await,
        "charter.audience" | "charter.audience_other_kind" => {
            let own = (scene.people.kind == Kind::Personal) == (name == "charter.audience");
            let audience = if own { Audience::Personal } else { Audience::Alliance };
            client.set_audience(scene.people.space, audience).await
        }
        "charter.adopt" => client.adopt_file(scene.people.space, &scene.papers.contract, day()).await.map(drop),
        "charter.adopt_broken" => {
            let (_, broken) = scene.papers.contract.split_last().expect("a file");
            client.adopt_file(scene.people.space, broken, day()).await.map(drop)
        }
        _ => closing(scene, client, name).await,
    }
}

async fn give(scene: &Scene, client: &Client, to: Who) -> Result<(), Error> {
    let feedback = form_of_space(DocumentKind::Feedback, &scene.people.space);
    let to = scene.people.own[&to].tag.to_string();
    let fields = [("to", to.as_str()), ("sort", "non_evaluative"), ("timing", "spontaneous")];
    client.add_to_form(feedback, FEEDBACK, &fields, "You asked, and waited.").await.map(drop)
}

async fn closing(scene: &Scene, client: &Client, name: &str) -> Result<(), Error> {
    let papers = &scene.papers;
    let paper = if matches!(name, "closing.sign" | "closing.give_unsigned") {
        papers.closing
    } else {
        papers.settled().closing
    };
    match name {
        "closing.sign" | "closing.sign_signed" => {
            client.sign_form(paper.document, paper.text, ("en", day()), None).await.map(drop)
        }
        "closing.give" | "closing.give_unsigned" => {
            client.signed_file(paper.document, day(), "for whoever goes on").await.map(drop)
        }
        _ => panic!("{name}: no such call"),
    }
}
