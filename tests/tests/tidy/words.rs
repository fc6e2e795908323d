//! Words that must not stand in the sources: unfinished work, machine paths, switches of rules, features.

use crate::source::{File, code_only, in_word, line_of};

/// Variables of the environment that the command line may read: where things lie and how to print, never a rule.
const VARIABLES: &[&str] =
    &["CARGO", "HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "COLUMNS", "NO_COLOR", "TERM", "ALLIANCE_STORE"];

/// Places that exist on one machine only.
const PLACES: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/t", "mp/"), concat!("/ho", "me/")];

/// Work that was left for later.
pub fn unfinished<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    in_code(files, &["todo!", "unimplemented!"], "is unfinished work")
}

/// Tests that are left out without saying what they need.
pub fn ignored_without_reason<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    in_code(files, &["#[ignore]"], "say what it needs, as docs/CI.md shows")
}

/// Tests that no program runs: in the source of a package whose library says `test = false`, or in a file below `tests`
/// that its program does not name.
pub fn in_no_program(files: &[File]) -> Vec<String> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        if let Some((package, _)) = file.path.split_once("/src/")
            && text(&format!("{package}/Cargo.toml")).is_some_and(|text| text.contains("[lib]\ntest = false\n"))
        {
            let code = code_only(&file.text);
            let at = code.find("#[test]").or_else(|| code.find("#[tokio::test"));
            complaints.extend(at.map(|at| format!("{}:{}: no program runs it", file.path, line_of(&code, at))));
        }
        let Some((folder, name)) = file.path.rsplit_once('/') else { continue };
        // Cargo finds what lies in `tests` itself, and folders with a `main.rs`.
        if folder.split_once("/tests/").is_none_or(|(_, below)| below.is_empty()) || name == "main.rs" {
            continue;
        }
        let module = format!("mod {};", name.trim_end_matches(".rs"));
        let above = [format!("{folder}.rs"), format!("{folder}/main.rs")];
        let named = above.iter().filter_map(|path| text(path)).any(|text| text.contains(&module));
        let by_path = format!("/{name}\"]");
        if !named && !files.iter().any(|file| file.is_rust() && file.text.contains(&by_path)) {
            complaints.push(format!("{}: no program names it", file.path));
        }
    }
    complaints
}

/// Conditional compilation by feature: a feature may not change behaviour, so there is none.
pub fn features<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    in_code(files, &["cfg(feature", "cfg!(feature", "cfg_attr(feature"], "prefer a crate to a feature")
}

fn in_code<'a>(files: impl IntoIterator<Item = &'a File>, words: &[&str], why: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let code = code_only(&file.text);
        for word in words {
            for (at, _) in code.match_indices(word) {
                if !in_word(code.as_bytes(), at) {
                    complaints.push(format!("{}:{}: {word}: {why}", file.path, line_of(&code, at)));
                }
            }
        }
    }
    complaints
}

/// Paths of somebody's machine, comments and texts included.
pub fn machine_paths<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for place in PLACES {
            for (at, _) in file.text.match_indices(place) {
                let own =
                    file.text[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '.');
                if own {
                    complaints.push(format!(
                        "{}:{}: {place} is a place on one machine",
                        file.path,
                        line_of(&file.text, at)
                    ));
                }
            }
        }
    }
    complaints
}

/// Builds of one package: they unify features differently, compile third-party crates again and link something else.
pub fn single_package_builds<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let chosen = line.contains(" -p ") || line.contains(" --package ");
            let builds = ["build", "run", "test", "check", "clippy", "bench"]
                .iter()
                .any(|command| line.contains(&format!("cargo {command}")));
            if chosen && builds {
                complaints.push(format!("{}:{}: build with --workspace or --bin", file.path, number + 1));
            }
        }
    }
    complaints
}

/// Whether a source is part of a program that people run.
pub fn is_shipped_shell(path: &str) -> bool {
    let shells = ["core/client/src/", "sync-server/src/", "desk/src/", "mobile-ffi/src/"];
    shells.iter().any(|shell| path.starts_with(shell))
}

/// A program that turns a rule off: `Rules` has one value outside tests.
pub fn rules_off<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let code = code_only(&file.text);
        for (at, _) in code.match_indices("Rules") {
            if in_word(code.as_bytes(), at) {
                continue;
            }
            let rest = &code[at + "Rules".len()..];
            let chosen = rest.strip_prefix("::").is_some_and(|rest| {
                // `Rules::{self}` is an import; anything else than ALL is a choice.
                !rest.starts_with("ALL") && !rest.starts_with('{')
            });
            let before = code[..at].trim_end();
            let literal = rest.trim_start().starts_with('{')
                && !["->", "struct", "impl", "for", "::{"].iter().any(|end| before.ends_with(end));
            if chosen || literal {
                complaints.push(format!("{}:{}: a program uses Rules::ALL", file.path, line_of(&code, at)));
            }
        }
    }
    complaints
}

/// The environment read anywhere but in the command line, or there for a name that is not listed.
pub fn environment<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let code = code_only(&file.text);
        for (at, _) in code.match_indices("env::var") {
            let call = &file.text[at..file.text.len().min(at + 120)];
            let name = call.split_once('(').and_then(|(_, rest)| rest.trim_start().strip_prefix('"'));
            let name = name.and_then(|rest| rest.split('"').next()).unwrap_or_default();
            if !(file.path.starts_with("desk/src/") && VARIABLES.contains(&name)) {
                complaints.push(format!("{}:{}: reads the environment ({name})", file.path, line_of(&code, at)));
            }
        }
    }
    complaints
}
