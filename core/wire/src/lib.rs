//! Ids, entries, frames, limits and their codec.
