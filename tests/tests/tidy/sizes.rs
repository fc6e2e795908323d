//! Sizes of files and functions, and that every module says what it is.

use crate::source::{File, code_only, in_word, line_of};

const FILE_LINES_SOFT: usize = 400;
const FILE_LINES_HARD: usize = 800;
const FUNCTION_LINES_SOFT: usize = 70;
const FUNCTION_LINES_HARD: usize = 100;
/// Lines of documentation with which a crate introduces itself.
const ESSAY_LINES_MIN: usize = 3;

/// What is too large (`hard`), and what is on its way there (`soft`).
#[derive(Default)]
pub struct Sizes {
    pub hard: Vec<String>,
    pub soft: Vec<String>,
}

pub fn sizes<'a>(files: impl IntoIterator<Item = &'a File>) -> Sizes {
    let mut sizes = Sizes::default();
    for file in files {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_HARD {
            sizes.hard.push(format!("{}: {lines} lines, over {FILE_LINES_HARD}", file.path));
        } else if lines > FILE_LINES_SOFT {
            sizes.soft.push(format!("{}: {lines} lines", file.path));
        }
        for function in functions(&file.text) {
            let place = format!("{}:{} fn {}", file.path, function.line, function.name);
            if function.lines > FUNCTION_LINES_HARD {
                sizes.hard.push(format!("{place}: {} lines, over {FUNCTION_LINES_HARD}", function.lines));
            } else if function.lines > FUNCTION_LINES_SOFT {
                sizes.soft.push(format!("{place}: {} lines", function.lines));
            }
        }
    }
    sizes
}

/// A function: where it begins, and how many lines it has from its `fn` to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// The functions with a body, nested ones too, by matching braces.
pub fn functions(source: &str) -> Vec<Function> {
    let code = code_only(source);
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if in_word(bytes, at) {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            continue;
        }
        if let Some(end) = body_end(bytes, at) {
            let (line, last) = (line_of(&code, at), line_of(&code, end));
            found.push(Function { name, line, lines: last - line + 1 });
        }
    }
    found
}

fn body_end(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0usize, 0usize);
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b';' if braces == 0 && brackets == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Modules without documentation, crates without an introduction, and `mod.rs`.
pub fn undocumented<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        if file.path.ends_with("/mod.rs") {
            complaints.push(format!("{}: a module is `foo.rs` beside `foo/`, not `mod.rs`", file.path));
        }
        let essay = introduction(&file.text);
        if essay == 0 {
            complaints.push(format!("{}: begins without `//!`", file.path));
        } else if file.path.ends_with("/src/lib.rs") && essay < ESSAY_LINES_MIN {
            complaints.push(format!("{}: the crate's introduction has {essay} lines", file.path));
        }
    }
    complaints
}

/// Lines of `//!` with words at the head of a file, behind inner attributes if there are any.
fn introduction(text: &str) -> usize {
    let mut lines = text.lines().map(str::trim).skip_while(|line| {
        // An attribute may span lines: anything up to the first item or documentation.
        !line.starts_with("//!")
            && !["use ", "pub ", "mod ", "fn ", "struct ", "const "].iter().any(|item| line.starts_with(item))
    });
    let mut count = 0;
    for line in lines.by_ref() {
        match line.strip_prefix("//!") {
            Some(words) if !words.trim().is_empty() => count += 1,
            Some(_) => {}
            None => break,
        }
    }
    count
}
