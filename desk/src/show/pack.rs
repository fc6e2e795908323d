//! A pack as text: its rules row by row of DOMAIN 1.D, its templates and its texts.

use alliance_model::policy::{MeetingPolicy, PackText, Vocabulary, Word};
use alliance_model::{CosignatureView, Pack};

use crate::output::Look;
use crate::output::table::Table;
use crate::output::text::{bold, line, paragraph, short};

/// A row of DOMAIN 1.D: its name, what it is about, and what of a record counts for it.
type Row = (&'static str, &'static str, fn(&MeetingPolicy) -> String);

const ROWS: [Row; 6] = [
    ("D1", "agenda", agenda),
    ("D2", "confidentiality", confidentiality),
    ("D3", "information", |record| format!("for: {}", list(&record.information_purposes))),
    ("D4", "challenging", challenging),
    ("D5", "support", support),
    ("D6", "brought out", |record| list(&record.catalytic_topics)),
];

/// What a pack says.
pub(crate) fn pack(pack: &Pack, signed: Option<&CosignatureView>, loosens: &[String], look: Look) -> String {
    let language = pack.language.as_deref().map_or_else(String::new, |tag| format!(" · in {}", line(tag)));
    let mut text = format!("{}\n", bold(&format!("Pack {}", line(&pack.name)), look.color));
    text.push_str(&format!("version {}{language}\n", pack.version));
    if let Some(by) = signed {
        let said = format!("Signed on {} by person {} with device {}", by.on, short(&by.person), line(&by.device));
        text.push_str(&format!("{said}\n"));
        let whose = "Whose this device is, the file cannot prove: compare with `alliance whoami` there.";
        text.push_str(&paragraph(whose, "", look.columns));
    }
    if !loosens.is_empty() {
        text.push_str("It allows more than the shipped pack and is adopted nowhere [PACK_LOOSENS]:\n");
        loosens.iter().for_each(|path| text.push_str(&format!("  {}\n", line(path))));
    }
    for record in &pack.kinds {
        text.push_str(&kind(record, look));
    }
    text.push_str(&format!("\n{}\n{}", bold("TEMPLATES", look.color), templates(&[pack], look)));
    text.push_str(&format!("\n{}\n", bold("TEXTS", look.color)));
    let mut table = Table::new(&["name", "language", "lines"], 0);
    for it in &pack.texts {
        table.row([it.name.clone(), it.language.clone(), it.lines.len().to_string()]);
    }
    text.push_str(&table.print(look.columns, "none"));
    text
}

/// What holds for a kind of meeting: each row in the pack's own words, if it has some, and below them what counts.
fn kind(record: &MeetingPolicy, look: Look) -> String {
    let mut text = format!("\n{}\n", bold(&words(record.kind.as_str()).to_uppercase(), look.color));
    for (row, name, counts) in ROWS {
        let says = record.says(row).map_or_else(String::new, |says| format!(": {}", line(says)));
        text.push_str(&paragraph(&format!("{row} {name}{says}"), "  ", look.columns));
        text.push_str(&paragraph(&counts(record), "     ", look.columns));
    }
    text
}

fn agenda(record: &MeetingPolicy) -> String {
    let owner = format!("owned by {}", words(record.agenda_owner.as_str()));
    let others = record.proposers.iter();
    let others = others.map(|(role, origins)| format!("; {} brings {}", words(role.as_str()), spelt(origins)));
    others.fold(owner, |text, more| text + &more)
}

fn confidentiality(record: &MeetingPolicy) -> String {
    format!(
        "for: {}; the organisation learns: {}; records: {}",
        words(record.content_audience.as_str()),
        words(record.attendance_projection_max.as_str()),
        list(&record.content_record_rules)
    )
}

fn challenging(record: &MeetingPolicy) -> String {
    format!("on: {}; resting on: {}", list(&record.challenge_topics), spelt(&record.evidence_sources))
}

fn support(record: &MeetingPolicy) -> String {
    let help = &record.outside_help;
    let outside = if help.allowed { "yes".to_owned() } else { list(&help.except) };
    format!("outside meetings: {outside}")
}

/// Templates of packs, and which pack each is from.
pub(crate) fn templates(packs: &[&Pack], look: Look) -> String {
    let mut table = Table::new(&["name", "language", "title", "pack"], 2);
    for pack in packs {
        for it in &pack.templates {
            table.row([it.name.clone(), it.language.clone(), it.title.clone(), pack.name.clone()]);
        }
    }
    table.print(look.columns, "none")
}

/// The lines of a text.
pub(crate) fn text(text: &PackText, look: Look) -> String {
    let heading = format!("{}\n", bold(&words(&text.name).to_uppercase(), look.color));
    text.lines.iter().fold(heading, |shown, it| shown + &paragraph(&format!("- {}", line(it)), "", look.columns))
}

/// The packs that a space adopted.
pub(crate) fn list_of(packs: &[Pack], look: Look) -> String {
    let mut table = Table::new(&["name", "version", "kinds", "templates", "texts"], 2);
    for pack in packs {
        table.row([
            pack.name.clone(),
            pack.version.to_string(),
            list(&pack.kinds.iter().map(|record| record.kind.as_str()).collect::<Vec<_>>()),
            pack.templates.len().to_string(),
            pack.texts.len().to_string(),
        ]);
    }
    table.print(look.columns, "No pack was adopted here; the shipped one holds (`alliance pack show shipped`).")
}

/// Words as people read them.
fn list<S: AsRef<str>>(of: &[S]) -> String {
    let all: Vec<String> = of.iter().map(|word| words(word.as_ref())).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn spelt<E: Vocabulary>(of: &[Word<E>]) -> String {
    list(&of.iter().map(Word::as_str).collect::<Vec<_>>())
}

fn words(word: &str) -> String {
    line(&word.replace('_', " "))
}
