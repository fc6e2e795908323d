//! Bundles: what is new for somebody, in a file that anybody may carry (PROTOCOL section 3, bundles).
//!
//! A bundle is written for people, sealed to their devices, and read by a stream that need not go back. What is in it is
//! judged as on a line, stored page by page, and known for what it is when it comes again. What builds on something that
//! is not here, because a stretch of the file was damaged or another part comes first, waits in a folder of the store.
//! There also lie bundles for others, which a person chose to carry.

mod area;
mod carrying;
mod files;
mod finishing;
mod handing;
mod inspecting;
mod keeping;
mod planning;
mod source;
mod taking;
mod texts;
mod writing;

pub use files::BundleFile;
pub use planning::{BundleFor, BundleFrom, BundlePlan};
pub use texts::{BUNDLE_TEXTS_MAX, bundle_from_texts, bundle_texts};
pub use writing::{BundleOut, BundleStream};

use crate::error::{Code, Error};
use crate::views::BundleProgress;

/// Hears how far a bundle is.
pub(crate) type Hear<'a> = &'a mut (dyn FnMut(BundleProgress) + Send);

/// A file of a bundle could not be read or written.
pub(crate) fn io(error: &std::io::Error) -> Error {
    let kind = error.kind();
    if matches!(kind, std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) {
        Error::new(Code::LowStorage)
    } else if kind == std::io::ErrorKind::AlreadyExists {
        Error::new(Code::BundleExists)
    } else {
        Error::new(Code::BundleIo).with("why", kind)
    }
}

/// An id of a bundle as people see it.
pub(crate) fn id_text(id: &[u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
