//! A device that is put out of a space: what it hears, hands over, locks and lets go of, and what others see of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "put_out/limit.rs"]
mod limit;
#[path = "put_out/mutual.rs"]
mod mutual;
#[path = "put_out/scene.rs"]
mod scene;
#[path = "put_out/stories.rs"]
mod stories;
