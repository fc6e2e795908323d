//! What people say beside their notes: sessions with an agenda, sessions that are one, decisions, goals, feedback, closing
//! summaries that they sign. It need not survive, it must only be the same everywhere in the end, and what one may not
//! say is refused.

use alliance_client::{Client, DocumentId, Error, SpaceId, View, item_id};
use alliance_model::decision::{DecisionCommand as D, DecisionField};
use alliance_model::form::{FormCommand as F, Said};
use alliance_model::session::{AgendaTransition, SessionCommand as S};
use alliance_model::{CivilDate, Command, DocumentKind, FormView, Splice};

use super::Storm;
use crate::sim::Saying;

impl Storm {
    /// The same storm, in which people say so much.
    #[must_use]
    pub const fn saying(mut self, saying: Saying) -> Self {
        self.saying = saying;
        self
    }

    /// Somebody says something in a session or a decision, their own or another's.
    pub(super) async fn say(&mut self, device: usize) -> Result<(), String> {
        let space = self.space_of(device);
        let Some(client) = self.world.nodes[device].client().cloned() else { return Ok(()) };
        let what = self.world.random.below(12);
        let known: Vec<DocumentId> =
            self.said.iter().filter(|(of, _)| *of == space).map(|(_, document)| *document).collect();
        let about = (!known.is_empty()).then(|| known[self.world.random.below(known.len())]);
        let other = (!known.is_empty()).then(|| known[self.world.random.below(known.len())]);
        self.trace.push(format!("{device} says something beside notes: {what}"));
        let said = match (what, about, other) {
            (0, ..) | (_, None, _) => begins(&client, space, DocumentKind::Session).await,
            (1, ..) => begins(&client, space, DocumentKind::Decision).await,
            (2, Some(one), Some(other)) => client.merge_sessions(one, other).await.map(|()| one),
            (8, ..) => begins(&client, space, DocumentKind::Closing).await,
            (9, ..) => adds(&client, space, (DocumentKind::Goals, "goal")).await,
            (10, ..) => adds(&client, space, (DocumentKind::Feedback, "feedback")).await,
            (_, Some(about), _) => goes_on(&client, about, what).await,
        };
        match said {
            Ok(document) => {
                if !self.said.contains(&(space, document)) {
                    self.said.push((space, document));
                }
                self.world.common.faults.fire("something said beside notes");
                Ok(())
            }
            Err(Error::Refused(_)) => {
                self.world.common.faults.fire("what one may not say refused");
                Ok(())
            }
            // A key is on its way: what was typed waits.
            Err(error) if error.code() == "WAITING_FOR_KEYS" => Ok(()),
            Err(error) => self.may_fail(device, &error),
        }
    }
}

/// A session with something on its agenda, or a decision with a question.
async fn begins(client: &Client, space: SpaceId, kind: DocumentKind) -> Result<DocumentId, Error> {
    let document = client.create_document(space, kind).await?;
    let id = item_id()?;
    let commands = if kind == DocumentKind::Decision {
        vec![worded(DecisionField::Question)]
    } else if kind == DocumentKind::Closing {
        let summary = F::EditText { name: "summary".to_owned(), splice: splice() };
        let ends = F::Set { field: "ends_on".to_owned(), value: "2026-12-31".to_owned() };
        [summary, ends].map(|command| Command::Form(kind, command)).to_vec()
    } else {
        [S::AddItem { id, after: None }, S::EditItem { id, splice: splice() }].map(Command::Session).to_vec()
    };
    for command in commands {
        client.command(document, None, command).await?;
    }
    Ok(document)
}

/// Something in the one document of its kind of a space, which everybody begins.
async fn adds(client: &Client, space: SpaceId, (kind, list): (DocumentKind, &str)) -> Result<DocumentId, Error> {
    client.add_to_space((space, kind), list, &[], "word ").await.map(|(document, _)| document)
}

fn splice() -> Splice {
    Splice::insert(0, "word ")
}

fn worded(field: DecisionField) -> Command {
    Command::Decision(D::Edit { id: field.id(), splice: splice() })
}

async fn goes_on(client: &Client, document: DocumentId, what: usize) -> Result<DocumentId, Error> {
    match client.view(document).await?.view {
        View::Session(session) => {
            let Some(item) = session.agenda.first() else { return Ok(document) };
            let id = item.id;
            let command = match what {
                // Also of what somebody else put there, which is refused.
                3 => S::EditItem { id, splice: splice() },
                4 => S::MarkItem { id, op: item_id()?, transition: AgendaTransition::Discussed, cites: item.newest() },
                5 => S::RemoveItem { id },
                _ => S::AddItem { id: item_id()?, after: Some(id) },
            };
            client.command(document, None, Command::Session(command)).await?;
        }
        View::Decision(decision) => match what {
            3 => client.check_decision(document, "Sound.").await?,
            4 | 5 => {
                let seen = decision.text.parse().map_err(|_| alliance_client::Code::Internal)?;
                let on = CivilDate::new(2026, 12, 5).map_err(|_| alliance_client::Code::Internal)?;
                client.seal_decision(document, seen, "en", on).await?;
            }
            _ => {
                for field in DecisionField::ALL {
                    client.command(document, None, worded(*field)).await?;
                }
            }
        },
        View::Form(form) => on_a_form(client, document, &form, what).await?,
        View::Agreement(_) | View::Note(_) | View::Preparation(_) | View::Exports(_) => {}
    }
    Ok(document)
}

/// Signs a summary, words what is there, also what another added, or says what became of it.
async fn on_a_form(client: &Client, document: DocumentId, form: &FormView, what: usize) -> Result<(), Error> {
    if form.kind == DocumentKind::Closing {
        if what == 3 {
            let summary = F::EditText { name: "summary".to_owned(), splice: splice() };
            return client.command(document, None, Command::Form(form.kind, summary)).await.map(drop);
        }
        let seen = form.text.parse().map_err(|_| alliance_client::Code::Internal)?;
        let on = CivilDate::new(2026, 12, 5).map_err(|_| alliance_client::Code::Internal)?;
        return client.sign_form(document, seen, ("en", on), None).await.map(drop);
    }
    let Some(item) = form.items.first() else { return Ok(()) };
    let id = item.id;
    let command = match what {
        3 | 4 => F::EditItem { id, splice: splice() },
        5 => F::Remove { id },
        _ => {
            let word = if form.kind == DocumentKind::Goals { "agreed" } else { "retracted" };
            F::Say { op: item_id()?, item: Some(id), said: Said::word(word) }
        }
    };
    client.command(document, None, Command::Form(form.kind, command)).await.map(drop)
}
