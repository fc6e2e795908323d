//! A disk that can only be read: a stable code, and not a byte changes.

use alliance_client::Client;
use alliance_client::NewSpace;
use alliance_model::DocumentKind;
use alliance_tests::people::{PASSPHRASE, Person, options};
use alliance_tests::running::{RunningRelay, relay_command};
use rustix::process::Signal;

use super::disk::{Disk, files};

#[tokio::test]
#[ignore = "needs namespaces; .ci/run"]
async fn a_store_on_a_disk_that_can_only_be_read_says_so() {
    let disk = Disk::mount(40);
    let amina = Person::in_folder(disk.folder(), "Amina", options()).await;
    let space = amina.client.create_space("A space", NewSpace::Personal).await.unwrap().space;
    let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
    amina.write(note, 0, "Before. ").await;
    let store = amina.store();
    let folder = amina.leave();
    let before = files(folder.path());
    disk.read_only(true);
    for _ in 0..2 {
        let error = Client::open(&store, PASSPHRASE, options()).await.map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "STORE_READ_ONLY", "{error}");
        let error = Client::create(&folder.path().join("other"), PASSPHRASE, "Ben", None, options()).await.map(|_| ());
        assert_eq!(error.unwrap_err().code(), "STORE_READ_ONLY");
    }
    assert!(files(folder.path()) == before, "not a byte differs");
    disk.read_only(false);
    let client = Client::open(&store, PASSPHRASE, options()).await.unwrap();
    assert!(client.view(note).await.unwrap().draft, "the draft is as it was");
    client.close().await.unwrap();
}

#[test]
#[ignore = "needs namespaces; .ci/run"]
fn a_relay_on_a_disk_that_can_only_be_read_says_so() {
    let disk = Disk::mount(40);
    let folder = disk.folder();
    let data = folder.path().join("data");
    let relay = RunningRelay::start(&data, &["--open"]);
    let instance = relay.instance();
    relay.end(Signal::TERM);
    let before = files(folder.path());
    disk.read_only(true);
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["token", "--label", "x"]] {
        let output = relay_command(arguments, &data).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(12), "{arguments:?}: {said}");
        assert!(said.contains("READ_ONLY"), "{said}");
    }
    assert!(files(folder.path()) == before, "not a byte differs");
    disk.read_only(false);
    let relay = RunningRelay::start(&data, &["--open"]);
    assert_eq!(relay.instance(), instance);
    relay.end(Signal::TERM);
}
