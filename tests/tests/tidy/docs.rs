//! Every path and section that a text names exists.

use std::collections::BTreeSet;

use crate::source::{File, Repository, line_of};

/// Paths that texts name as coming later. One that exists has come: it leaves this list.
pub const LATER: &[&str] = &["mobile-ffi", "sync-server/src/postgres", "tests/benches"];

/// Folders and files that a path in a text begins with.
const TOPS: &[&str] = &["core", "sync-server", "mobile-ffi", "desk", "tests", "docs", ".ci", ".cargo"];

/// Paths in backticks or links that lead nowhere.
pub fn dead_paths<'a>(files: impl IntoIterator<Item = &'a File>, paths: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, name, link) in mentions(&file.text) {
            let path = name.split('#').next().unwrap_or_default().trim_end_matches('/');
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !link && !looks_like_path(path) {
                continue;
            }
            let beside = join(folder, path);
            let known = |path: &str| paths.contains(path) || later(path);
            if !known(path) && !known(&beside) && !known(&join("docs", path)) {
                complaints.push(format!("{}:{line}: `{name}` does not exist", file.path));
            }
        }
    }
    complaints
}

/// Entries of [`LATER`] that have come.
pub fn come(later: &[&str], paths: &BTreeSet<String>) -> Vec<String> {
    let come = later.iter().filter(|path| paths.contains(**path));
    come.map(|path| format!("{path} exists: take it out of the list of what comes later")).collect()
}

fn later(path: &str) -> bool {
    LATER.iter().any(|later| path == *later || path.strip_prefix(later).is_some_and(|rest| rest.starts_with('/')))
}

fn looks_like_path(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let (first, nested) = name.split_once('/').map_or((name, false), |(first, _)| (first, true));
    plain && ((nested && TOPS.contains(&first)) || name.ends_with(".md") || (nested && name.ends_with(".rs")))
}

fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// (line, text, is a link) of every inline code span and link target outside fenced blocks.
fn mentions(text: &str) -> Vec<(usize, String, bool)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        for (index, span) in line.split('`').enumerate() {
            if index % 2 == 1 {
                found.push((number + 1, span.to_owned(), false));
            }
        }
        for (at, _) in line.match_indices("](") {
            if let Some(target) = line[at + 2..].split(')').next() {
                found.push((number + 1, target.to_owned(), true));
            }
        }
    }
    found
}

/// References such as "PROTOCOL section 3" or "DOMAIN 2.8" that name no heading of those documents.
pub fn dead_sections(files: &[&File], protocol: &str, domain: &str) -> Vec<String> {
    let protocol = headings(protocol);
    let domain_headings = headings(domain);
    let mut complaints = Vec::new();
    for file in files {
        let text = &file.text;
        for (at, _) in text.match_indices("PROTOCOL") {
            let rest = after_name(&text[at + "PROTOCOL".len()..]);
            if let Some(rest) = rest.strip_prefix("section").map(|rest| rest.trim_start_matches('s').trim_start()) {
                let number = leading(rest, |c| c.is_ascii_digit() || c == '.');
                if !number.is_empty() && !protocol.contains(number.trim_end_matches('.')) {
                    complaints.push(format!("{}:{}: PROTOCOL has no section {number}", file.path, line_of(text, at)));
                }
            }
        }
        for (at, _) in text.match_indices("DOMAIN") {
            let rest = after_name(&text[at + "DOMAIN".len()..]);
            let rest = rest.strip_prefix("section").unwrap_or(rest).trim_start_matches('s').trim_start();
            let word =
                leading(rest, |c| c.is_ascii_digit() || c.is_ascii_uppercase() || c == '.').trim_end_matches('.');
            let known = if word.starts_with(|c: char| c.is_ascii_digit()) {
                domain_headings.contains(word)
            } else {
                !is_row(word) || domain.contains(&format!("| {word} |"))
            };
            if !known {
                complaints.push(format!("{}:{}: DOMAIN has no {word}", file.path, line_of(text, at)));
            }
        }
    }
    complaints
}

/// What follows a document's name, its extension and punctuation left out.
fn after_name(rest: &str) -> &str {
    rest.strip_prefix(".md").unwrap_or(rest).trim_start_matches([',', '`', ')', ' '])
}

fn leading(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !wanted(c)).unwrap_or(text.len())]
}

/// A row of the domain's sources: a letter from A to E, then digits.
fn is_row(word: &str) -> bool {
    let mut chars = word.chars();
    matches!(chars.next(), Some('A'..='E')) && word.len() > 1 && chars.all(|c| c.is_ascii_digit())
}

/// The numbers that a document's headings begin with.
fn headings(text: &str) -> BTreeSet<&str> {
    let titles =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim_start());
    titles.filter_map(|title| title.split(' ').next()).map(|number| number.trim_end_matches('.')).collect()
}

/// Things at the top level that do not belong there.
pub fn top_level(repository: &Repository) -> Vec<String> {
    strangers(repository.paths.iter().filter(|path| !path.contains('/')).map(String::as_str))
}

/// Names that are not of the top level.
pub fn strangers<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    const ALLOWED: &[&str] = &[
        ".cargo",
        ".ci",
        ".editorconfig",
        ".gitattributes",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "clippy.toml",
        "core",
        "deny.toml",
        "desk",
        "docs",
        "mobile-ffi",
        "rustfmt.toml",
        "sync-server",
        "tests",
    ];
    names
        .filter(|name| !ALLOWED.contains(name))
        .map(|name| format!("{name} does not belong at the top level"))
        .collect()
}

/// Documents that lie beside the sources: everything but the README is in `docs`.
pub fn documents_elsewhere<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let documents = paths.filter(|path| path.ends_with(".md") && *path != "README.md" && !path.starts_with("docs/"));
    documents.map(|path| format!("{path}: documents lie in docs")).collect()
}
