//! Texts that people hand in: on the command line, in a file, on standard input.

use std::fs::File;
use std::io::{BufRead as _, Read};
use std::path::Path;

use alliance_model::limits::TEXT_SCALARS_MAX;
use zeroize::Zeroizing;

use crate::cli::TextSource;
use crate::failure::{DeskCode, Failure};

/// Bytes of a text file: every character of the longest text takes four.
pub(crate) const TEXT_FILE_BYTES_MAX: usize = TEXT_SCALARS_MAX * 4;
/// Bytes of a file with a passphrase or recovery words.
const SECRET_FILE_BYTES_MAX: usize = 64 * 1024;

/// The text of a command, read by the process that the person started: `-` is its standard input.
pub(crate) fn read_text(source: &TextSource) -> Result<Option<String>, Failure> {
    if let Some(text) = &source.text {
        return Ok(Some(text.clone()));
    }
    let Some(file) = &source.file else { return Ok(None) };
    let text = if file.as_os_str() == "-" {
        read_utf8(std::io::stdin().lock(), file, TEXT_FILE_BYTES_MAX)?
    } else {
        read_utf8(open(file)?, file, TEXT_FILE_BYTES_MAX)?
    };
    // A line break at a file's end ends its last line; it is no part of what was written. Windows' breaks are one.
    let text = text.replace("\r\n", "\n");
    Ok(Some(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
}

/// A line of a file, counted from 0; empty where there is none. `-` is standard input, of which each call takes the next.
pub(crate) fn line(file: &Path, number: usize) -> Result<Zeroizing<String>, Failure> {
    if file.as_os_str() == "-" {
        return next_line(file);
    }
    let text = Zeroizing::new(read_utf8(open(file)?, file, SECRET_FILE_BYTES_MAX)?);
    Ok(Zeroizing::new(text.lines().nth(number).unwrap_or_default().to_owned()))
}

/// A small secret file; of standard input (`-`) the next line.
pub(crate) fn secret_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    if file.as_os_str() == "-" {
        return next_line(file);
    }
    read_utf8(open(file)?, file, SECRET_FILE_BYTES_MAX).map(Zeroizing::new)
}

fn next_line(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    let limit = u64::try_from(SECRET_FILE_BYTES_MAX).unwrap_or(u64::MAX);
    std::io::stdin().lock().take(limit).read_until(b'\n', &mut bytes).map_err(|error| unreadable(file, &error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::from(DeskCode::NotText))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| unreadable(file, &error))
}

fn read_utf8(from: impl Read, file: &Path, bytes_max: usize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(file, &error))?;
    if bytes.len() > bytes_max {
        return Err(Failure::from(DeskCode::FileTooLarge).with("file", file.display()).with("bytes", bytes_max));
    }
    String::from_utf8(bytes).map_err(|_| Failure::from(DeskCode::NotText).with("file", file.display()))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::from(DeskCode::FileUnreadable).with("file", file.display()).with("reason", error.kind())
}
