//! The one place that prints.
//!
//! A command computes an [`Answer`], text and JSON of the same thing, and hands it to its [`Teller`]. A teller sends
//! [`Line`]s to whoever asked: the terminal of this process ([`print()`]), or another process whose command this one
//! serves ([`crate::holder`]). What other people wrote is cleaned of characters that steer terminals before it becomes
//! text; JSON escapes them itself.

pub(crate) mod table;
pub(crate) mod text;

use std::io::{IsTerminal as _, Write as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

/// Lines that wait for a slow reader, at most.
const LINES_WAITING_MAX: usize = 64;
/// Columns where the terminal does not say, and the least and most that layouts are made for.
const COLUMNS: (usize, usize, usize) = (80, 40, 120);

/// How the reader's terminal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Text may carry colour.
    pub color: bool,
    /// Width in columns.
    pub columns: usize,
    /// JSON is wanted.
    pub json: bool,
}

impl Look {
    /// How standard output looks. Colour only on a terminal that can, and never where `NO_COLOR` is set.
    #[must_use]
    pub fn of_stdout(json: bool) -> Self {
        let (usual, least, most) = COLUMNS;
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let measured = || rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col));
        let columns = if terminal { measured().filter(|columns| *columns > 0).unwrap_or(usual) } else { usual };
        Self { color: terminal && !plain && !json, columns: columns.clamp(least, most), json }
    }

    /// Bounds what another process says of its terminal.
    #[must_use]
    pub(crate) fn bounded(self) -> Self {
        let (_, least, most) = COLUMNS;
        Self { columns: self.columns.clamp(least, most), ..self }
    }
}

/// What a command found, for people and for programs.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// For people. Empty: nothing to say.
    pub text: String,
    /// For programs: always an object.
    pub json: Value,
}

impl Answer {
    /// An answer; the text ends with a line break.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        let mut text = text.into();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Self { text, json }
    }
}

/// Something for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// For standard output.
    Out(String),
    /// For standard error.
    Err(String),
    /// How far a long command is; shown on a terminal only, and replaced by the next.
    Progress(String),
    /// The command ended with this status.
    End(u8),
}

/// Where a command says what it has to say.
#[derive(Debug, Clone)]
pub struct Teller {
    to: mpsc::Sender<Line>,
    look: Look,
}

impl Teller {
    /// A teller and what it tells.
    pub(crate) fn new(look: Look) -> (Self, mpsc::Receiver<Line>) {
        let (to, lines) = mpsc::channel(LINES_WAITING_MAX);
        (Self { to, look }, lines)
    }

    /// A teller to whom nobody listens.
    #[must_use]
    pub fn silent(look: Look) -> Self {
        Self::new(look).0
    }

    /// How the reader's terminal looks.
    pub(crate) const fn look(&self) -> Look {
        self.look
    }

    /// Says an answer, waiting while the reader is slow. A reader that is gone is no error: the work goes on.
    pub(crate) async fn say(&self, answer: &Answer) {
        let text = if self.look.json { format!("{}\n", answer.json) } else { answer.text.clone() };
        if !text.is_empty() {
            let _ = self.to.send(Line::Out(text)).await;
        }
    }

    /// Says something beside the answer: on standard error, for people only.
    pub(crate) async fn remark(&self, text: &str) {
        if !self.look.json {
            let _ = self.to.send(Line::Err(format!("{text}\n"))).await;
        }
    }

    /// Waits until what was said is printed, before a question follows on the terminal. The printer runs in the same
    /// task: it has printed each line that it took.
    pub(crate) async fn shown(&self) {
        while self.to.capacity() < self.to.max_capacity() && !self.to.is_closed() {
            tokio::task::yield_now().await;
        }
    }

    /// Says how the command ended: the sentence of a failure, and the status.
    pub(crate) async fn end(&self, result: &Result<(), crate::Failure>) {
        let status = match result {
            Ok(()) => crate::exit::Status::OK,
            Err(failure) => {
                let _ = self.to.send(Line::Err(failure.print(self.look.json))).await;
                crate::exit::status_of(&failure.code)
            }
        };
        let _ = self.to.send(Line::End(status.0)).await;
    }

    /// Passes a line on that somebody else's teller said.
    pub(crate) async fn pass_on(&self, line: Line) {
        let _ = self.to.send(line).await;
    }

    /// Says that the command ended with this status, where everything else was said.
    pub(crate) async fn ended(&self, status: u8) {
        let _ = self.to.send(Line::End(status)).await;
    }

    /// Says how far the work is; left out where the reader is behind.
    pub(crate) fn progress(&self, text: impl Into<String>) {
        let _ = self.to.try_send(Line::Progress(text.into()));
    }

    /// Says a line at once or not at all: for events of a long command, from where nothing may wait.
    pub(crate) fn event(&self, answer: &Answer) {
        let text = if self.look.json { format!("{}\n", answer.json) } else { answer.text.clone() };
        let _ = self.to.try_send(Line::Out(text));
    }
}

/// Prints lines until the command ends; its status. A closed pipe ends the printing, not the command.
pub(crate) async fn print(mut lines: mpsc::Receiver<Line>) -> u8 {
    let mut printer = Printer { progress: std::io::stderr().is_terminal(), shown: false };
    let mut status = crate::exit::Status::BUG.0;
    while let Some(line) = lines.recv().await {
        match line {
            Line::Out(text) => printer.print(&text, false),
            Line::Err(text) => printer.print(&text, true),
            Line::Progress(text) => printer.progress(&text),
            Line::End(with) => {
                status = with;
                break;
            }
        }
    }
    printer.wipe();
    status
}

/// Prints a text on standard error, outside any command: help and usage.
pub(crate) fn print_err(text: &str) {
    Printer { progress: false, shown: false }.print(text, true);
}

/// Prints a text on standard output, outside any command.
pub(crate) fn print_out(text: &str) {
    Printer { progress: false, shown: false }.print(text, false);
}

struct Printer {
    progress: bool,
    shown: bool,
}

impl Printer {
    fn print(&mut self, text: &str, to_stderr: bool) {
        self.wipe();
        // Whoever closed the pipe does not want to read on.
        if to_stderr {
            let _ = std::io::stderr().write_all(text.as_bytes());
        } else {
            let mut stdout = std::io::stdout();
            let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        }
    }

    fn progress(&mut self, text: &str) {
        if self.progress {
            self.wipe();
            let _ = write!(std::io::stderr(), "{}", text::shorten(text, COLUMNS.0 - 1));
            self.shown = true;
        }
    }

    fn wipe(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
            self.shown = false;
        }
    }
}
