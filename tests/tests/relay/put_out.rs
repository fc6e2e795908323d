//! A device that is put out of a space: what it hears, hands over, locks and lets go of, and what others see of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod limit;
mod mutual;
mod scene;
mod stories;
