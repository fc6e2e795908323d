//! Reading the records of a bundle from a stream that does not go back.

use std::io::{self, Read};

use alliance_wire::bundle_file::{Scanned, Scanner};

use super::io;
use crate::error::{Code, Error};
use crate::surroundings::Surroundings;

/// Bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;

/// A stream of records.
pub(super) struct Source {
    input: Option<Box<dyn Read + Send>>,
    scanner: Scanner,
    ended: bool,
    /// Bytes that were read.
    pub(super) bytes: u64,
}

impl Source {
    pub(super) fn new(input: impl Read + Send + 'static) -> Self {
        Self { input: Some(Box::new(input)), scanner: Scanner::default(), ended: false, bytes: 0 }
    }

    /// The next record, or bytes that are none; nothing at the end.
    pub(super) async fn next(&mut self, around: &Surroundings) -> Result<Option<Scanned>, Error> {
        loop {
            if let Some(found) = self.scanner.find(self.ended) {
                return Ok(Some(found));
            }
            if self.ended {
                return Ok(None);
            }
            let mut input = self.input.take().ok_or(Code::Internal)?;
            let work = move || {
                let mut piece = vec![0; READ_BYTES];
                let read = read_some(&mut input, &mut piece).map_err(|error| io(&error))?;
                piece.truncate(read);
                Ok((input, piece))
            };
            let (input, piece) = around.blocking(work).await?;
            self.input = Some(input);
            self.ended = piece.is_empty();
            self.bytes += piece.len() as u64;
            self.scanner.push(&piece);
        }
    }
}

fn read_some(input: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
