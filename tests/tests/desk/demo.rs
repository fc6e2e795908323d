//! The demo: it holds, and its search for words in the relay's files would find them if they were there.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::process::Command;

use alliance_client::{Options, Rules};
use alliance_desk::demo::{DemoOptions, Outcome, run};
use alliance_desk::{Look, Teller};
use alliance_tests::binaries;
use serde_json::Value;

async fn play(rules: Rules) -> Outcome {
    let options = DemoOptions {
        relay: Some(binaries().relay.clone()),
        keep: false,
        options: Options { rules, ..Options::default() },
    };
    run(options, &Teller::silent(Look { color: false, columns: 80, json: false })).await.unwrap()
}

fn failed(outcome: &Outcome) -> Vec<&str> {
    outcome.checks.iter().filter(|check| !check.held).map(|check| check.claim).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_holds_no_word_and_the_search_would_find_them() {
    let sealed = play(Rules::ALL).await;
    assert_eq!(failed(&sealed), Vec::<&str>::new(), "{}", sealed.story);
    assert!(sealed.found.is_empty());
    assert!(sealed.verdict().is_ok());
    // The control: the same story and search, with payloads stored as they are.
    let readable = play(Rules { seal: false, ..Rules::ALL }).await;
    let words: std::collections::BTreeSet<&str> = readable.found.iter().map(|found| found.word.as_str()).collect();
    for word in ["grandmother", "jacaranda", "mangoes", "motorbike"] {
        assert!(words.contains(word), "{word} was not found where nothing is sealed: {words:?}");
    }
    assert_eq!(failed(&readable), ["the relay's files hold none of the words"], "{}", readable.story);
    assert_eq!(readable.verdict().unwrap_err().code, "DEMO_FAILED");
}

#[test]
fn the_program_tells_it() {
    let demo = |arguments: &[&str]| {
        let output = Command::new(&binaries().alliance).arg("demo").args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, story, stderr) = demo(&[]);
    assert_eq!((status, stderr.as_str()), (Some(0), ""), "{story}");
    for expected in ["grandmother", "Amina │", "Ben   │", "round trip", "none found", "All of it held. Total: "] {
        assert!(story.contains(expected), "{expected} is not in\n{story}");
    }
    assert!(story.lines().all(|line| line.chars().count() <= 80), "{story}");
    let (status, json, _) = demo(&["--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status, Some(0));
    assert!(json["demo"]["checks"].as_array().unwrap().iter().all(|check| check["held"] == true));
    let (status, _, stderr) = demo(&["--relay", "no-such-program"]);
    assert_eq!(status, Some(8));
    assert!(stderr.contains("[RELAY_PROGRAM_ABSENT]"), "{stderr}");
}

/// The program in a target folder of its own, and a cargo that notes what it was asked and puts the relay there.
fn program_alone(profile: &str) -> (tempfile::TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("target").join(profile);
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(folder.path().join("target/CACHEDIR.TAG"), "").unwrap();
    std::fs::copy(&binaries().alliance, place.join("alliance")).unwrap();
    let cargo = folder.path().join("cargo");
    let script = format!(
        "#!/bin/sh\nset -e\necho \"$@\" > '{}'\ncp '{}' '{}'\n",
        folder.path().join("asked").display(),
        binaries().relay.display(),
        place.display()
    );
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(place.join("alliance"));
    command.arg("demo").env_remove("CARGO").current_dir(folder.path());
    (folder, command)
}

#[test]
fn cargo_builds_a_relay_that_is_missing() {
    for (profile, expected) in [("debug", ""), ("release", "--release ")] {
        let (folder, mut command) = program_alone(profile);
        let target = folder.path().join("target");
        // Nobody to build it: the demo says so.
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(8));
        assert!(String::from_utf8_lossy(&output.stderr).contains("[RELAY_PROGRAM_ABSENT]"));
        let output = command.env("CARGO", folder.path().join("cargo")).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(stderr.contains("building it"), "{stderr}");
        let asked = std::fs::read_to_string(folder.path().join("asked")).unwrap();
        assert_eq!(asked, format!("build --bin alliance-relay {expected}--target-dir {}\n", target.display()));
        assert!(target.join(profile).join("alliance-relay").is_file());
    }
}
