//! A working agreement as text.

use std::collections::BTreeMap;

use alliance_model::AgreementView;
use alliance_model::agreement::{AgreementState, ClauseView, Modality, VersionState, VersionView};
use serde_json::Value;

use super::note::{capital, conflicts, said};
use super::written;
use crate::output::Look;
use crate::output::table::Table;
use crate::output::text::{bold, clean, line, paragraph};

pub(crate) fn agreement(agreement: &AgreementView, id: String, look: Look) -> String {
    let stands = agreement.state.name().replace('_', " ");
    let mut text = format!("{}\nagreement {id} · {stands}\n", bold("Working agreement", look.color));
    for version in agreement.versions.iter().filter(|version| version.state != VersionState::Superseded) {
        let draft = if version.text == agreement.text { "says what stands here" } else { "says something else" };
        let row = format!("Version {}, {}, {draft}", &version.version[..8], signatures(version));
        text.push_str(&paragraph(&row, "  ", look.columns));
    }
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
    let mut text = format!("{head}{}", written(&clause.text, authors, "    ", look));
    let name = |by: usize| authors.get(by).map_or_else(|| "?".to_owned(), |name| line(name));
    for remark in &clause.thread {
        let row = format!("{}: {}", name(remark.by), line(&remark.text));
        text.push_str(&paragraph(&row, "      ", look.columns));
    }
    // The newest thing that each person said.
    let newest: BTreeMap<usize, bool> = clause.understood.iter().map(|said| (said.by, said.current)).collect();
    let understood = newest.into_iter().map(|(by, current)| {
        let earlier = if current { "" } else { " (an earlier wording)" };
        format!("{}{earlier}", name(by))
    });
    let understood: Vec<String> = understood.collect();
    if !understood.is_empty() {
        text.push_str(&paragraph(&format!("Understood by {}", understood.join(", ")), "      ", look.columns));
    }
    text
}

/// Who signed a version, and who has still to.
fn signatures(version: &VersionView) -> String {
    let names = |done: bool| -> Vec<String> {
        let parties = version.by_party().filter(|(_, by)| by.is_some() == done);
        parties.map(|(party, _)| line(&party.name)).collect()
    };
    let (done, waits) = (names(true), names(false));
    match (done.is_empty(), waits.is_empty()) {
        (false, true) => format!("signed by {}", done.join(" and ")),
        (false, false) => format!("signed by {}, waits for {}", done.join(" and "), waits.join(" and ")),
        (true, _) => format!("waits for {}", waits.join(" and ")),
    }
}

/// What was proposed, and where each version stands. `due` says whether a review is due, where it was asked.
pub(crate) fn versions(agreement: &AgreementView, due: Option<bool>, look: Look) -> String {
    let mut table = Table::new(&["VERSION", "NO", "DATE", "PROPOSED BY", "STANDS", "SIGNATURES"], 5);
    for version in &agreement.versions {
        table.row([
            version.version[..8].to_owned(),
            version.number.to_string(),
            version.on.to_string(),
            agreement.authors.get(version.by).cloned().unwrap_or_default(),
            version.state.name().replace('_', " "),
            signatures(version),
        ]);
    }
    let mut text = table.print(look.columns, "Nothing was proposed yet.");
    if agreement.state == AgreementState::TwoActive {
        text.push_str(&paragraph(
            "Two versions are signed by everybody, because they were signed apart. Until a further version is signed, \
             the stricter protective terms of both hold.",
            "",
            look.columns,
        ));
    }
    match due {
        Some(true) => text.push_str("A review is due; what is active stays in force.\n"),
        Some(false) => text.push_str("No review is due on that date.\n"),
        None => {}
    }
    text
}

/// A version as it is signed: `canonical` is what its name is the hash of.
pub(crate) fn version(version: &VersionView, canonical: &Value, look: Look) -> String {
    let mut text = format!(
        "{}\nversion {} of {} in {}, {}\n{}\n",
        bold(&format!("Working agreement, version {}", version.number), look.color),
        &version.version[..8],
        version.on,
        line(&version.language),
        version.state.name().replace('_', " "),
        version.version
    );
    for (heading, key) in [("Terms", "terms"), ("Protective terms", "protective")] {
        let rows = canonical["text"][key].as_object().into_iter().flatten();
        let rows: Vec<String> = rows
            .map(|(name, value)| format!("{}: {}", capital(&line(name)), line(value.as_str().unwrap_or_default())))
            .collect();
        if !rows.is_empty() {
            text.push_str(&format!("\n{}\n", bold(heading, look.color)));
            rows.iter().for_each(|row| text.push_str(&paragraph(row, "  ", look.columns)));
        }
    }
    let mut section = String::new();
    for clause in canonical["text"]["clauses"].as_array().into_iter().flatten() {
        let of = |key: &str| clause[key].as_str().unwrap_or_default();
        if section != of("section") {
            of("section").clone_into(&mut section);
            text.push_str(&format!("\n{}\n", bold(&capital(&line(&section)), look.color)));
        }
        text.push_str(&format!("  we {}\n", line(of("modality"))));
        for row in clean(of("text")).lines() {
            text.push_str(&paragraph(row, "    ", look.columns));
        }
    }
    text.push_str(&format!("\n{}\n", bold("Signatures", look.color)));
    for (party, signed) in version.by_party() {
        let row = match signed {
            Some(signature) => format!(
                "{} signed on {}, having read it in {}",
                line(&party.name),
                signature.on,
                line(&signature.language)
            ),
            None => format!("{} has not signed", line(&party.name)),
        };
        text.push_str(&paragraph(&row, "  ", look.columns));
    }
    text
}
