//! A working agreement as text.

use alliance_model::AgreementView;
use alliance_model::agreement::{ClauseView, Modality};

use super::note::{capital, conflicts, said};
use super::written;
use crate::output::Look;
use crate::output::text::{bold, line, paragraph};

pub(super) fn agreement(agreement: &AgreementView, id: String, look: Look) -> String {
    let mut text = format!("{}\nagreement {id}\n", bold("Working agreement", look.color));
    if !agreement.terms.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Terms", look.color)));
        for term in &agreement.terms {
            let row = format!("{}: {}", capital(term.name.name()), said(&term.values, &agreement.authors, ""));
            text.push_str(&paragraph(&row, "  ", look.columns));
        }
    }
    let protective: Vec<_> = agreement.protective.iter().filter(|term| term.value.is_some()).collect();
    if !protective.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Protective terms", look.color)));
        for term in protective {
            let value = term.value.as_deref().map_or_else(String::new, line);
            let row = format!("{}: {}", capital(term.term.name()), value.replace('_', " "));
            text.push_str(&paragraph(&row, "  ", look.columns));
        }
    }
    let mut section = None;
    for clause in &agreement.clauses {
        if section != Some(clause.section) {
            let name = clause.section.map_or("a section of a newer version", |section| section.name());
            text.push_str(&format!("\n{}\n", bold(&capital(name), look.color)));
            section = Some(clause.section);
        }
        text.push_str(&clause_text(clause, &agreement.authors, look));
    }
    text.push_str(&conflicts(&agreement.conflicts, &agreement.authors, look));
    text
}

fn clause_text(clause: &ClauseView, authors: &[String], look: Look) -> String {
    let modality = match clause.modality {
        Some(Modality::Must) => "we must",
        Some(Modality::May) => "we may",
        None => "?",
    };
    let head = format!("  {} {modality}\n", &clause.id.to_string()[..8]);
    format!("{head}{}", written(&clause.text, authors, "    ", look))
}
