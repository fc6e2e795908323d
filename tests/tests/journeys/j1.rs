//! DOMAIN 2.16, J1: first install with no network. A profile with a PIN, recovery words, one upsetting and one good
//! experience. Arabic and language packs come later.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::process::{Command, Stdio};

use alliance_client::{Client, NewProfile, Profiles, RecoveryWords};
use alliance_model::preparation::{
    Feeling, PreparationCommand as P, PreparationField, PreparationKind, PreparationValue,
};
use alliance_model::{Command as Does, ItemId, PreparationView, Splice};
use alliance_tests::binaries;
use alliance_tests::people::{PASSPHRASE, Person, options};
use alliance_tests::relay;

const UPSETTING: &str = "The grandmother locked the kitchen.";
const GOOD: &str = "She asked me to stay for tea.";

async fn prepared(client: &Client) -> PreparationView {
    let log = client.preparation().await.unwrap();
    let alliance_client::View::Preparation(view) = client.view(log).await.unwrap().view else { panic!("a log") };
    view
}

/// Writes down what happened.
async fn log(client: &Client, id: u8, kind: PreparationKind, text: &str) {
    let (log, id) = (client.preparation().await.unwrap(), ItemId([id; 8]));
    let commands = [
        P::AddEntry { id, after: None },
        P::EditEntry { id, splice: Splice::insert(0, text) },
        P::SetEntry { id, value: PreparationValue::Kind(kind) },
    ];
    for command in commands {
        client.command(log, None, Does::Preparation(command)).await.unwrap();
    }
}

/// How often a text lies in the files of a folder.
fn in_clear(folder: &Path, text: &str) -> usize {
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found += in_clear(&path, text);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found += bytes.windows(text.len()).filter(|part| *part == text.as_bytes()).count();
        }
    }
    found
}

#[tokio::test]
async fn first_install_with_no_network() {
    relay::watched(async {
        let folder = tempfile::tempdir().unwrap();
        let profiles = Profiles::new(folder.path(), options());
        let new = NewProfile { nickname: Some("Amina"), name: "Amina", pin: "5309", words: None };
        let (id, client, words) = profiles.add(new).await.unwrap();
        assert!(RecoveryWords::parse(&words.to_string()).is_ok(), "words that bring it back, to write down");

        // Nothing was asked of a network, and the first entry is saved when the call returns.
        let status = client.status().await.unwrap();
        assert!(status.relays.is_empty(), "no relay is known, and none is needed: {:?}", status.relays);
        log(&client, 1, PreparationKind::Upsetting, UPSETTING).await;
        log(&client, 2, PreparationKind::Success, GOOD).await;
        let feeling = P::AddFeeling { id: ItemId([1; 8]), feeling: Feeling::Anger };
        let own = client.preparation().await.unwrap();
        client.command(own, None, Does::Preparation(feeling)).await.unwrap();
        let shown = prepared(&client).await;
        assert_eq!(shown.entries.len(), 2);
        client.close().await.unwrap();

        // Off and on again: it asks for the PIN, and shows both. What lies on the disk is none of these words.
        assert_eq!(profiles.unlock(&id, "0007").await.unwrap_err().code(), "PIN_WRONG");
        let (again, _) = profiles.open(&id, "5309").await.unwrap();
        assert_eq!(prepared(&again).await, shown);
        again.seal_all().await.unwrap();
        again.close().await.unwrap();
        for text in [UPSETTING, GOOD, "grandmother", "5309"] {
            assert_eq!(in_clear(folder.path(), text), 0, "{text}");
        }
        // The control: the same words in a file beside it are found.
        std::fs::write(folder.path().join("control"), format!("{UPSETTING} 5309")).unwrap();
        assert_eq!((in_clear(folder.path(), "grandmother"), in_clear(folder.path(), "5309")), (1, 1));
        let kinds: Vec<Option<PreparationValue>> =
            shown.entries.iter().map(|entry| entry.value(PreparationField::Kind)).collect();
        assert!(kinds.contains(&Some(PreparationValue::Kind(PreparationKind::Upsetting))), "{kinds:?}");
    })
    .await;
}

#[tokio::test]
async fn what_was_saved_survives_a_program_that_is_killed() {
    relay::watched(async {
        let mut amina = Person::new("Amina").await;
        let kills = amina
            .kill(1, 5, |n| ["prep", "add", "--text", &format!("Experience {n}.")].map(str::to_owned).to_vec())
            .await;
        println!("seed 1: {kills:?}");
        let texts: Vec<String> = prepared(&amina.client).await.entries.into_iter().map(|it| it.text.text).collect();
        let times = |n: usize| texts.iter().filter(|text| **text == format!("Experience {n}.")).count();
        for number in &kills.done {
            assert_eq!(times(*number), 1, "what was said to be saved is there, once: {texts:?}");
        }
        assert!(kills.killed.iter().all(|number| times(*number) <= 1), "{texts:?}");
    })
    .await;
}

/// The program, in a network namespace where there is no network at all, not even of its own.
fn without_network(store: &Path, arguments: &[&str]) -> std::process::Output {
    let passphrase = store.with_extension("passphrase");
    std::fs::write(&passphrase, format!("{PASSPHRASE}\n")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--"]).arg(&binaries().alliance);
    command.arg("--store").arg(store).arg("--passphrase-file").arg(&passphrase).args(arguments);
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
#[ignore = "needs namespaces; .ci/run"]
fn no_network_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    for arguments in [["init", "--name", "Amina"].as_slice(), &["prep", "add", "--text", UPSETTING], &["prep", "list"]]
    {
        let output = without_network(&store, arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    }
    let listed = without_network(&store, &["prep", "list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("grandmother"));
    // The control: what does need one says so there.
    let synced = without_network(&store, &["relay", "add", "alliance-relay:127.0.0.1:4433"]);
    let tried = without_network(&store, &["sync"]);
    assert!(!synced.status.success() || !tried.status.success(), "a relay was reached without a network");
}
