//! `alliance-relay` as a program: its one line of output, its codes, its signals.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::Output;

use alliance_net::AdmissionToken;
use alliance_tests::random::Random;
use alliance_tests::relay::{Device, watched};
use alliance_tests::running::{RunningRelay, relay_command};
use alliance_tests::world::{World, Writer};
use alliance_wire::membership::Operation;
use rustix::process::Signal;
use serde_json::Value;

fn run(arguments: &[&str], data: &Path) -> Output {
    relay_command(arguments, data).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn assert_fails(output: &Output, code: &str, status: i32) {
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((said["error"].as_str(), output.status.code()), (Some(code), Some(status)), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_relay_serves_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_fails(&run(&["info"], &data), "NO_RELAY", 9);
    let first = RunningRelay::start(&data, &[]);
    let (key, instance) = (first.address().key(), first.line["instance"].clone());
    assert_eq!(first.line["event"], "listening");
    // A second one may not have the folder; looking at it is no harm.
    assert_fails(&run(&["serve", "--listen", "127.0.0.1:0"], &data), "RELAY_BUSY", 3);
    let info = json(&run(&["info"], &data));
    assert_eq!((&info["connect"], &info["instance"]), (&first.line["connect"], &instance));
    assert_eq!(info["spaces"], 0);
    assert!(first.end(Signal::TERM).success());
    // It is the same relay again, after a stop and after a kill.
    let second = RunningRelay::start(&data, &[]);
    assert_eq!((second.address().key(), &second.line["instance"]), (key, &instance));
    assert!(!second.end(Signal::KILL).success());
    let third = RunningRelay::start(&data, &[]);
    assert_eq!((third.address().key(), &third.line["instance"]), (key, &instance));
    assert!(third.end(Signal::INT).success());
    // The operator says that the folder was restored.
    let restored = RunningRelay::start(&data, &["--restored"]);
    assert_eq!(restored.address().key(), key);
    assert_ne!(restored.line["instance"], instance);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(data.join("secrets")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_relay_says_why_it_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_fails(&run(&["serve", "--listen", "0.0.0.0:0"], &data), "ADDRESS", 8);
    assert_fails(&run(&["serve", "--listen", "127.0.0.1:0", "--public", "nowhere"], &data), "ADDRESS", 8);
    // An address that is no machine's own (RFC 5737).
    assert_fails(&run(&["serve", "--listen", "192.0.2.1:0"], &data), "LISTEN", 7);
    let public = RunningRelay::start(&data, &["--public", "relay.example.org:4433"]);
    assert_eq!(public.address().address(), "relay.example.org:4433");
    public.end(Signal::TERM);
    let (secrets, copy) = (data.join("secrets"), data.join("secrets.copy"));
    let good = std::fs::read(&secrets).unwrap();
    let key = relay_key(&data);
    for bad in [&good[..good.len() - 1], &[good.as_slice(), b"x"].concat(), b""] {
        std::fs::write(&secrets, bad).unwrap();
        std::fs::write(&copy, bad).unwrap();
        assert_fails(&run(&["serve", "--listen", "127.0.0.1:0"], &data), "RELAY_DAMAGED", 5);
        assert_eq!(std::fs::read(&secrets).unwrap(), bad, "what cannot be read is not replaced");
        // One copy is enough, whichever it is.
        for (one, other) in [(&secrets, &copy), (&copy, &secrets)] {
            std::fs::write(one, &good).unwrap();
            std::fs::write(other, bad).unwrap();
            assert_eq!(relay_key(&data), key);
            assert_eq!(std::fs::read(other).unwrap(), good);
        }
    }
    assert_eq!(RunningRelay::start(&data, &[]).address().key(), key);
}

fn relay_key(data: &Path) -> alliance_wire::DeviceKey {
    json(&run(&["info"], data))["key"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_token_is_made_while_the_relay_runs_and_admits_a_space() {
    watched(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let running = RunningRelay::start(&data, &[]);
        let made = json(&run(&["token", "--label", "our team", "--spaces", "1"], &data));
        let token: AdmissionToken = made["token"].as_str().unwrap().parse().unwrap();
        let address = running.address();
        let mut random = Random::new(1);
        // Two spaces: the token has room for one.
        for (number, code) in [(1, None), (2, Some("TOKEN_NEEDED"))] {
            let writers = vec![Writer::new(&mut random)];
            let mut world = World::new(&mut random, &writers, None);
            let pin = address.pin(Some(token.admission(world.space)));
            world.operate(&writers[0], world.founder, Operation::Relay(pin));
            let device = Device::new(&mut random, &writers[0]);
            device.store(world.membership.clone()).await;
            let visit = device.visit(&address).await;
            assert!(visit.settled() || code.is_some(), "space {number}: {visit:?}");
            assert_eq!(visit.refusals().into_iter().find(|found| *found != "ABSENT"), code, "space {number}");
        }
        let listed = json(&run(&["token", "list"], &data));
        assert_eq!((&listed["id"], &listed["label"], &listed["spaces"]), (&made["id"], &"our team".into(), &1.into()));
        assert!(listed.get("token").is_none(), "a secret is shown once");
        let id = made["id"].as_str().unwrap();
        assert_eq!(json(&run(&["token", "revoke", id], &data))["revoked"], true);
        for unknown in ["0000000000000000", "no id", "0"] {
            assert_fails(&run(&["token", "revoke", unknown], &data), "NO_TOKEN", 10);
        }
        assert_eq!(json(&run(&["token", "list"], &data))["revoked"], true);
        assert_eq!(json(&run(&["info"], &data))["spaces"], 1);
        assert!(running.end(Signal::TERM).success());
        assert_eq!(json(&run(&["info"], &data))["spaces"], 1);
    })
    .await;
}
