//! Texts that people hand in: on the command line, in a file, on standard input.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd as _;
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
    let text = secret_file(file)?;
    Ok(Zeroizing::new(text.lines().nth(number).unwrap_or_default().to_owned()))
}

/// A file of at most `bytes_max` bytes.
pub(crate) fn file(file: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    read_bytes(open(file)?, file, bytes_max, &mut bytes)?;
    Ok(bytes)
}

/// A small secret file; of standard input (`-`) the next line.
pub(crate) fn secret_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    if file.as_os_str() == "-" {
        return next_line(file);
    }
    // Room for all of it at once: what grows leaves its beginning behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * SECRET_FILE_BYTES_MAX));
    read_bytes(open(file)?, file, SECRET_FILE_BYTES_MAX, &mut bytes)?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Failure::from(DeskCode::NotText).with("file", file.display()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn next_line(file: &Path) -> Result<Zeroizing<String>, Failure> {
    // Byte by byte and not through `std::io::stdin`, whose buffer would keep it; what stands behind the line stays there
    // for whoever reads next.
    let mut stdin =
        File::from(std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| unreadable(file, &error))?);
    let (mut bytes, mut byte) = (Zeroizing::new(Vec::with_capacity(SECRET_FILE_BYTES_MAX)), Zeroizing::new([0]));
    while bytes.len() < SECRET_FILE_BYTES_MAX
        && stdin.read(byte.as_mut_slice()).map_err(|error| unreadable(file, &error))? == 1
        && byte[0] != b'\n'
    {
        bytes.push(byte[0]);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::from(DeskCode::NotText))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| unreadable(file, &error))
}

fn read_utf8(from: impl Read, file: &Path, bytes_max: usize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    read_bytes(from, file, bytes_max, &mut bytes)?;
    String::from_utf8(bytes).map_err(|_| Failure::from(DeskCode::NotText).with("file", file.display()))
}

fn read_bytes(from: impl Read, file: &Path, bytes_max: usize, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(bytes).map_err(|error| unreadable(file, &error))?;
    if bytes.len() > bytes_max {
        return Err(Failure::from(DeskCode::FileTooLarge).with("file", file.display()).with("bytes", bytes_max));
    }
    Ok(())
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::from(DeskCode::FileUnreadable).with("file", file.display()).with("reason", error.kind())
}
