//! The conformance suite on SQLite.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Mutex;

use alliance_store::{Fresh, Options, SqliteReplica, conformance};
use alliance_wire::{Incarnation, Instance};

#[tokio::test]
async fn sqlite_conforms() {
    let folders = Mutex::new(Vec::new());
    let make = async || {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
        let (replica, opened) = SqliteReplica::open(folder.path(), fresh, false, Options::default()).unwrap();
        assert!(opened.fresh);
        folders.lock().unwrap().push(folder);
        replica
    };
    let ran = conformance::run(make).await;
    assert!(ran.len() >= 27, "every check ran: {ran:?}");
}
