//! What waits for a person, as text.

use alliance_client::{DocumentRow, InboxSpace, OpenAction, TodaySpace};
use alliance_model::CivilDate;

use crate::output::Look;
use crate::output::text::{bold, line, paragraph, short};

/// What came in and what is to be decided, space by space.
pub(crate) fn inbox(inbox: &[InboxSpace], look: Look) -> String {
    if inbox.is_empty() {
        return "Nothing waits for you.\n".to_owned();
    }
    let mut text = String::new();
    for space in inbox {
        text.push_str(&format!("{}\n", bold(&line(&space.title), look.color)));
        let mut list = |what: &str, rows: &[DocumentRow]| {
            for row in rows {
                let words = format!("{what}: {} {}, {}", short(&row.document), line(&row.title), row.date);
                text.push_str(&paragraph(&words, "  ", look.columns));
            }
        };
        list("new", &space.new);
        list("edited by both", &space.changed_by_both);
        list("please choose", &space.needs_choice);
        list("kept and not shown", &space.parked);
        for pair in &space.possible_duplicates {
            let row = format!("perhaps one session: {} and {}", short(&pair.session), short(&pair.other));
            text.push_str(&paragraph(&row, "  ", look.columns));
        }
    }
    text
}

/// What is due, space by space.
pub(crate) fn today(spaces: &[TodaySpace], look: Look) -> String {
    let mut text = String::new();
    for space in spaces {
        let people: Vec<String> = space.people.iter().map(|name| line(name)).collect();
        let with = if people.is_empty() { String::new() } else { format!(" · with {}", people.join(", ")) };
        text.push_str(&format!("{}{with}\n", bold(&line(&space.title), look.color)));
        let mut row = |words: String| text.push_str(&paragraph(&words, "  ", look.columns));
        row(met(space));
        for session in &space.planned {
            let late = if session.overdue { ", and nobody has said whether it took place" } else { "" };
            row(format!("session {} is planned for {}{late}", short(&session.session), session.date));
        }
        for review in &space.reviews {
            row(format!("the review of agreement {} is due since {}", short(&review.agreement), review.due));
        }
        for review in &space.planned_reviews {
            row(format!("review {} was planned for {}", short(&review.review), review.due));
        }
        for goal in &space.goals {
            let since = format!("{}'s goal is to be looked at since {}", line(&goal.of), goal.due);
            row(format!("{since}: {}", line(&goal.text)));
        }
        for action in &space.actions {
            row(to_do(action));
        }
        if space.needs_choice > 0 {
            row(format!("{} to choose in: alliance inbox", space.needs_choice));
        }
    }
    if text.is_empty() { "You are in no space yet.\n".to_owned() } else { text }
}

fn met(space: &TodaySpace) -> String {
    let last = match space.last_held {
        Some(date) => format!("last met on {date}"),
        None => "not met yet".to_owned(),
    };
    let next =
        |due: CivilDate| if space.overdue { format!(", overdue since {due}") } else { format!(", next due {due}") };
    format!("{last}{}", space.next_due.map(next).unwrap_or_default())
}

fn to_do(action: &OpenAction) -> String {
    let mut facts = vec![format!("to do: {}", line(&action.text))];
    facts.extend(action.owner.as_deref().map(line));
    let late = if action.overdue { "overdue since" } else { "until" };
    facts.extend(action.due.map(|due| format!("{late} {due}")));
    facts.push(format!("note {}", short(&action.note)));
    facts.join(" · ")
}
