//! A decision as text.

use alliance_model::DecisionView;
use alliance_model::decision::{DecisionField, DecisionList, DecisionState};

use super::history::difference;
use super::written;
use crate::output::Look;
use crate::output::text::{bold, line, paragraph};

/// Who decided what and why, what was said to it, and who sealed it.
pub(super) fn decision(decision: &DecisionView, id: String, look: Look) -> String {
    let kind = if decision.ethical { "Ethical decision" } else { "Decision" };
    let mut facts = vec![format!("decision {id}")];
    facts.extend(decision.maker_name().map(|name| format!("of {}", line(name))));
    facts.extend(decision.session.as_ref().map(|session| format!("session {}", &session[..8.min(session.len())])));
    facts.push(decision.state.name().replace('_', " "));
    let mut text = format!("{}\n{}", bold(kind, look.color), paragraph(&facts.join(" · "), "", look.columns));
    for field in DecisionField::ALL {
        let words = decision.field(*field);
        if !words.text.is_empty() {
            heading(&mut text, field.name(), look);
            text.push_str(&written(words, &decision.authors, "  ", look));
        }
    }
    for (list, name) in [(DecisionList::Option, "options"), (DecisionList::Code, "codes")] {
        let parts: Vec<_> = decision.list(list).collect();
        if !parts.is_empty() {
            heading(&mut text, name, look);
        }
        for part in parts {
            let words = format!("{} {}", &part.id.to_string()[..8], line(&part.text.text));
            text.push_str(&paragraph(&words, "  ", look.columns));
        }
    }
    if !decision.checks.is_empty() {
        heading(&mut text, "ethics check", look);
    }
    for check in &decision.checks {
        let by = decision.authors.get(check.by).map_or("?", String::as_str);
        text.push_str(&paragraph(&format!("{}: {}", line(by), line(&check.text)), "  ", look.columns));
    }
    text.push_str(&seals(decision, look));
    for apart in &decision.apart {
        text.push_str(&paragraph("Written without knowing that it was sealed, and no part of it:", "", look.columns));
        text.push_str(&difference(apart, look));
    }
    text
}

fn heading(text: &mut String, name: &str, look: Look) {
    text.push_str(&format!("\n{}\n", bold(&name.to_uppercase(), look.color)));
}

/// Of what was sealed only what is not the same as what is shown says its words.
fn seals(decision: &DecisionView, look: Look) -> String {
    let mut text = String::new();
    for seal in &decision.seals {
        let other = if seal.text == decision.text { "" } else { " (another text)" };
        for (party, by) in seal.by_party() {
            let said = by.map_or_else(|| "not yet".to_owned(), |by| format!("on {} in {}", by.on, line(&by.language)));
            text.push_str(&paragraph(&format!("Sealed by {}{other}: {said}", line(&party.name)), "", look.columns));
        }
    }
    if !text.is_empty() {
        text.insert(0, '\n');
    }
    if decision.state == DecisionState::Sealed {
        text.push_str("It never changes any more.\n");
    }
    text
}
