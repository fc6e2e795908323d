//! Profiles on a disk without a free byte, and on one that can only be read.

use alliance_client::{NewProfile, NewSpace, Profiles};
use alliance_model::DocumentKind;
use alliance_tests::people::{insert, options};

use super::disk::Disk;

#[tokio::test]
#[ignore = "needs namespaces; .ci/run"]
async fn a_full_disk_counts_wrong_pins_and_opens_by_the_right_one() {
    let disk = Disk::mount(40);
    let folder = disk.folder();
    let profiles = Profiles::new(folder.path(), options());
    let new = NewProfile { nickname: Some("Amina"), name: "Amina", pin: "5309", words: None };
    let (amina, client, words) = profiles.add(new).await.unwrap();
    let space = client.create_space("Mine", NewSpace::Personal).await.unwrap().space;
    let note = client.create_document(space, DocumentKind::Note).await.unwrap();
    client.command(note, None, insert(0, "Before the disk was full.")).await.unwrap();
    client.close().await.unwrap();
    disk.leave(0);
    let wrong = async || profiles.unlock(&amina, "5308").await.unwrap_err();
    for left in ["4", "3"] {
        let error = wrong().await;
        assert_eq!((error.code(), error.params()[0].1.as_str()), ("PIN_WRONG", left));
    }
    let (client, told) = profiles.open(&amina, "5309").await.unwrap();
    assert_eq!(told, 2);
    assert!(client.view(note).await.is_ok());
    client.close().await.unwrap();
    // The control: what needs room says so, and what was goes on holding.
    for refused in [
        profiles.change_pin(&amina, "5309", "4826").await,
        profiles.reset_pin(&amina, &words.to_string(), "4826").await,
        profiles.add(NewProfile { nickname: None, ..new }).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), "LOW_STORAGE");
    }
    assert_eq!(profiles.list().await.unwrap().len(), 1);
    profiles.unlock(&amina, "5309").await.unwrap();
    disk.clear();
    profiles.change_pin(&amina, "5309", "4826").await.unwrap();
    profiles.unlock(&amina, "4826").await.unwrap();

    // Where nothing can be counted nothing is tried.
    disk.read_only(true);
    for pin in ["4826", "5308"] {
        assert_eq!(profiles.unlock(&amina, pin).await.unwrap_err().code(), "STORE_READ_ONLY");
    }
    disk.read_only(false);
    assert_eq!(profiles.unlock(&amina, "4826").await.unwrap().wrong, 0);
}
