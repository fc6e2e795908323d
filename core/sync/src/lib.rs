//! Replication as a sans-IO machine.
