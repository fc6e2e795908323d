//! How many wrong PINs were tried: a file of two slots that are written in turn, in place.
//!
//! In place, because a full disk has no room for a new file, and who cannot count may not try: somebody who wants to
//! free space could not open her store for it. In turn, because a write that is torn must leave the other slot. The
//! lock on the file is held from before a try is counted until it is known how it ended: two processes do not count the
//! same try twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use alliance_crypto::Tries;
use minicbor::{Decode, Encode};

use super::{Files, small, sync_folder};

const MAGIC: &[u8] = b"alliance pin tries\0";
const VERSION: u8 = 1;
/// Bytes from one slot to the next: another block on every usual disk.
const SLOT_BYTES: usize = 4096;
const SLOTS: usize = 2;

/// What stands in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Slot {
    /// Which of the two is newer.
    #[n(0)]
    number: u64,
    /// The count.
    #[n(1)]
    pub tries: Tries,
}

impl Slot {
    /// Reads the newer slot of a file's bytes; nothing if neither can be read.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let slots = (0..SLOTS).filter_map(|slot| Self::parse_body(bytes.get(slot * SLOT_BYTES..)?));
        slots.max_by_key(|slot| slot.number)
    }

    /// A file with this slot alone.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; SLOTS * SLOT_BYTES];
        let (place, slot) = (self.place(), self.encoded());
        bytes[place..place + slot.len()].copy_from_slice(&slot);
        bytes
    }

    /// Length (u16, big-endian), then a small file.
    fn parse_body(bytes: &[u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first_chunk()?;
        let body = small::parse(rest.get(..usize::from(u16::from_be_bytes(*len)))?, MAGIC, VERSION).ok()?;
        alliance_wire::decode(&body).ok()
    }

    fn encoded(&self) -> Vec<u8> {
        let slot = small::encode(MAGIC, VERSION, &alliance_wire::encode(self));
        let len = u16::try_from(slot.len()).expect("a slot has some 70 bytes");
        [len.to_be_bytes().as_slice(), &slot].concat()
    }

    const fn place(&self) -> usize {
        if self.number.is_multiple_of(2) { 0 } else { SLOT_BYTES }
    }
}

/// The file of a profile's folder, locked.
#[derive(Debug)]
pub struct Counter {
    file: File,
    slot: Slot,
}

impl Counter {
    /// Opens the file and waits until no other process tries a PIN. Where there is none, or neither slot can be read, the
    /// count is lost ([`Tries::LOST`]).
    ///
    /// # Errors
    /// An I/O error.
    pub fn open(files: &Files) -> io::Result<Self> {
        let path = files.tries();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        file.lock()?;
        let mut bytes = Vec::new();
        (&file).take((SLOTS * SLOT_BYTES) as u64).read_to_end(&mut bytes)?;
        let slot = Slot::parse(&bytes);
        let mut counter = Self { file, slot: slot.unwrap_or(Slot { number: 0, tries: Tries::LOST }) };
        if bytes.len() < SLOTS * SLOT_BYTES {
            // All of its room is taken when it is made.
            counter.file.seek(SeekFrom::Start(0))?;
            counter.file.write_all(&counter.slot.to_bytes())?;
            counter.file.sync_all()?;
            sync_folder(&path)?;
        }
        Ok(counter)
    }

    /// Makes the file of a new profile, with nothing counted.
    ///
    /// # Errors
    /// An I/O error.
    pub fn make(files: &Files) -> io::Result<()> {
        Self::open(files)?.put(Tries::NONE)
    }

    /// The count.
    #[must_use]
    pub const fn tries(&self) -> Tries {
        self.slot.tries
    }

    /// Puts another count in its place; durable when this returns.
    ///
    /// # Errors
    /// An I/O error: the count is then as it was, or as it should be.
    pub fn put(&mut self, tries: Tries) -> io::Result<()> {
        let slot = Slot { number: self.slot.number.wrapping_add(1), tries };
        self.file.seek(SeekFrom::Start(slot.place() as u64))?;
        self.file.write_all(&slot.encoded())?;
        self.file.sync_data()?;
        self.slot = slot;
        Ok(())
    }
}
