//! The log and a device's own tables in SQLite.
