//! The relay: a replica without keys.
