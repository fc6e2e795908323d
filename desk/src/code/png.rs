//! A code as PNG (ISO/IEC 15948): greyscale of one bit, no filter, 8 pixels a module.
//!
//! Written by hand on the deflate that automerge brings: the usual crate links two further ones for thirty lines.

use std::io::{self, Write as _};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::Matrix;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Pixels of a module on each side. Eight are one byte of a row, so that a byte is a module.
const MODULE_PIXELS: usize = 8;
/// Bit depth 1, greyscale, the one compression, the one set of filters, not interlaced.
const FORMAT: [u8; 5] = [1, 0, 0, 0, 0];

/// The picture.
///
/// # Errors
/// None that happens: writing to memory does not fail.
pub(crate) fn png(matrix: &Matrix) -> io::Result<Vec<u8>> {
    let side = matrix.side();
    let pixels = u32::try_from(side * MODULE_PIXELS).map_err(io::Error::other)?.to_be_bytes();
    let mut out = SIGNATURE.to_vec();
    chunk(&mut out, *b"IHDR", &[&pixels[..], &pixels[..], &FORMAT[..]].concat())?;
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::default());
    for y in 0..side {
        let mut row = vec![0; 1 + side];
        for (x, byte) in row[1..].iter_mut().enumerate() {
            *byte = if matrix.dark(x, y) { 0x00 } else { 0xff };
        }
        for _ in 0..MODULE_PIXELS {
            rows.write_all(&row)?;
        }
    }
    chunk(&mut out, *b"IDAT", &rows.finish()?)?;
    chunk(&mut out, *b"IEND", &[])?;
    Ok(out)
}

/// Length, kind, content, and the checksum over the last two.
fn chunk(out: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(content);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&kind);
    out.extend_from_slice(content);
    out.extend_from_slice(&crc.sum().to_be_bytes());
    Ok(())
}
