//! What can be attempted on decisions (DOMAIN 2.5, decision): whose it is words it, and somebody else checks it.

use alliance_client::{Client, DocumentId, Error};
use alliance_model::Splice;
use alliance_model::decision::{DecisionCommand as D, DecisionField, DecisionList};
use alliance_model::session::{SessionCommand as S, SessionRole};

use crate::commands::FRESH;
use crate::documents::{Scene, day};
use crate::papers::{OPTION, Paper};
use crate::people::Who;

/// Commands that are no calls of their own.
pub(crate) const COMMANDS: &[&str] = &[
    "decision.edit_own",
    "decision.edit_others",
    "decision.edit_sealed",
    "decision.add_own",
    "decision.add_others",
    "decision.remove_own",
    "decision.remove_others",
    "decision.set_ethical_own",
    "decision.set_ethical_others",
];

/// Calls.
pub(crate) const CALLS: &[&str] = &[
    "decision.begin",
    "decision.begin_supervising",
    "decision.check_own",
    "decision.check_others",
    "decision.check_supervised",
    "decision.seal_own",
    "decision.seal_others",
    "decision.trail",
];

/// The decision that an attempt is on, but for the sealed one.
fn paper(scene: &Scene, who: Who, name: &str) -> Paper {
    let own = if who == Who::Suspended { scene.people.kind.owner_of_two() } else { who };
    scene.papers.decision_of(if name.ends_with("_own") { own } else { who.other() })
}

/// The command of this name, and the decision that it is for.
pub(crate) fn command(scene: &Scene, who: Who, name: &str) -> (DocumentId, D) {
    let sealed = name == "decision.edit_sealed";
    let document = if sealed { scene.papers.settled().decision } else { paper(scene, who, name).document };
    let command = match name {
        "decision.edit_own" | "decision.edit_others" | "decision.edit_sealed" => {
            D::Edit { id: DecisionField::Choice.id(), splice: Splice::insert(0, "Today ") }
        }
        "decision.add_own" | "decision.add_others" => D::Add { id: FRESH, list: DecisionList::Code, after: None },
        "decision.remove_own" | "decision.remove_others" => D::Remove { id: OPTION },
        "decision.set_ethical_own" | "decision.set_ethical_others" => D::SetEthical { ethical: true },
        _ => panic!("{name}: no such command"),
    };
    (document, command)
}

/// Who the session's supervisor is has to be said before an attempt for which it counts: whoever attempts it, or the
/// steward. Nothing for an attempt for which it does not.
pub(crate) fn supervisor(scene: &Scene, who: Who, name: &str) -> Option<S> {
    let supervises = match name {
        "decision.begin_supervising" => who,
        "decision.check_supervised" => Who::Steward,
        _ => return None,
    };
    Some(S::SetRole { person: scene.people.own[&supervises].tag, role: SessionRole::Supervisor })
}

/// Makes the call of this name.
pub(crate) async fn call(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    let (space, session) = (scene.people.space, scene.documents.session);
    match name {
        "decision.begin" | "decision.begin_supervising" => client.begin_decision(space, Some(session)).await.map(drop),
        "decision.check_own" | "decision.check_others" | "decision.check_supervised" => {
            client.check_decision(paper(scene, who, name).document, "Good for both.").await
        }
        "decision.seal_own" | "decision.seal_others" => {
            let Paper { document, text } = paper(scene, who, name);
            client.seal_decision(document, text, "en", day()).await.map(drop)
        }
        "decision.trail" => client.decision_trail(space, day(), "for the ethics board").await.map(drop),
        _ => panic!("{name}: no such call"),
    }
}
