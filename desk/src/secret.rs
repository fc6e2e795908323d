//! Passphrases, PINs and recovery words: from a file, or asked on the terminal without echo.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::{DeskCode, Failure};
use crate::input;

/// Bytes of a passphrase, as the store takes them.
const PASSPHRASE_BYTES_MAX: usize = 1024;
const TERMINAL: &str = "/dev/tty";

/// The passphrase of a store that is there.
///
/// # Errors
/// `NO_TERMINAL`, `BAD_PASSPHRASE`, `INTERRUPTED`, or the file's.
pub(crate) async fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => from_file(file),
        None => ask(["Passphrase: "]).await,
    }
}

/// The passphrase of a store that is being made: asked twice.
///
/// # Errors
/// As [`passphrase`], and `PASSPHRASES_DIFFER`.
pub(crate) async fn new_passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => from_file(file),
        None => ask(["Choose a passphrase for this store: ", "The same again: "]).await,
    }
}

/// The PIN of a profile.
///
/// # Errors
/// As [`passphrase`].
pub(crate) async fn pin(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => from_file(file),
        None => ask(["PIN: "]).await,
    }
}

/// A PIN that is being chosen: asked twice, or a line of the file, counted from 0.
///
/// # Errors
/// As [`passphrase`], and `PASSPHRASES_DIFFER`.
pub(crate) async fn new_pin(file: Option<&Path>, line: usize) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => checked(input::line(file, line)?),
        None => ask(["Choose a PIN: ", "The same again: "]).await,
    }
}

/// The recovery words of a person who has some.
///
/// # Errors
/// As [`passphrase`].
pub(crate) async fn words(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => input::secret_file(file),
        None => ask(["Recovery words: "]).await,
    }
}

/// One of the recovery words that were just shown, counted from 1.
///
/// # Errors
/// As [`passphrase`].
pub(crate) async fn word(number: usize) -> Result<Zeroizing<String>, Failure> {
    ask([format!("Word {number} of your paper: ").as_str()]).await
}

/// The helper's answer to a request that was just shown: asked, or the next line of standard input. Nothing secret.
///
/// # Errors
/// As [`passphrase`].
pub(crate) async fn answer(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let Some(file) = file.map(Path::to_owned) else { return ask(["The helper's answer: "]).await };
    // Away from the task that prints: the request must be seen before its answer can come.
    let read = tokio::task::spawn_blocking(move || input::line(&file, 0)).await;
    read.unwrap_or_else(|_| Err(DeskCode::NoTerminal.into()))
}

fn from_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    checked(input::line(file, 0)?)
}

/// The passphrase in Unicode normal form C: keyboards write the same letter in more than one way.
fn checked(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    // With room for all of it from the beginning: a text that grows leaves its beginning behind.
    let mut normal = Zeroizing::new(String::with_capacity(passphrase.len().saturating_mul(3)));
    normal.extend(passphrase.nfc());
    let passphrase = normal;
    if passphrase.is_empty() || passphrase.len() > PASSPHRASE_BYTES_MAX {
        return Err(DeskCode::BadPassphrase.into());
    }
    Ok(passphrase)
}

/// Asks each question; the answers must be the same. Ctrl-C gives the terminal its echo back first.
async fn ask<const N: usize>(questions: [&str; N]) -> Result<Zeroizing<String>, Failure> {
    let questions = questions.map(str::to_owned);
    let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL).map_err(|_| DeskCode::NoTerminal)?;
    // Listened for before the question stands there: a Ctrl-C that came earlier would be lost, or would end the process
    // with the echo off.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|_| DeskCode::NoTerminal)?;
    let quiet = Quiet::new(terminal.try_clone().map_err(|_| DeskCode::NoTerminal)?)?;
    let asked = tokio::task::spawn_blocking(move || {
        let mut answers = questions.iter().map(|question| read_answer(&terminal, question));
        let first = answers.next().unwrap_or_else(|| Err(DeskCode::NoTerminal.into()))?;
        for answer in answers {
            if *answer? != *first {
                return Err(DeskCode::PassphrasesDiffer.into());
            }
        }
        checked(first)
    });
    let answer = tokio::select! {
        answer = asked => answer.unwrap_or_else(|_| Err(DeskCode::NoTerminal.into())),
        _ = interrupts.recv() => {
            // What is said next begins a line; a terminal that is gone does not matter.
            let _ = (&quiet.terminal).write_all(b"\n");
            Err(DeskCode::Interrupted.into())
        }
    };
    drop(quiet);
    answer
}

fn read_answer(mut terminal: &File, question: &str) -> Result<Zeroizing<String>, Failure> {
    let gone = |_| Failure::from(DeskCode::NoTerminal);
    terminal.write_all(question.as_bytes()).map_err(gone)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX + 1));
    let mut byte = [0];
    // The terminal hands out whole lines. Bytes beyond the limit are read and refused, not kept.
    while terminal.read(&mut byte).map_err(gone)? == 1 && byte[0] != b'\n' {
        if bytes.len() <= PASSPHRASE_BYTES_MAX {
            bytes.push(byte[0]);
        }
    }
    byte.zeroize();
    terminal.write_all(b"\n").map_err(gone)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::from(DeskCode::NotText))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// A terminal without echo, as long as this lives.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new(terminal: File) -> Result<Self, Failure> {
        let before = tcgetattr(&terminal).map_err(|_| DeskCode::NoTerminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet).map_err(|_| DeskCode::NoTerminal)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
