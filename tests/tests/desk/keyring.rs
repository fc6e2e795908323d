//! `alliance keyring`: no passphrase where the login keyring helps, and the passphrase everywhere else.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::Command;

use alliance_tests::binaries;

use crate::support::bus::{Bus, NO_BUS};
use crate::support::people::{self, Person, Run, object, text};
use crate::support::terminal::Terminal;

/// The program as this person's session would start it: no passphrase file, no terminal to ask at.
fn without_passphrase(store: &Path, bus: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(&binaries().alliance).arg("--store").arg(store).args(arguments);
    command.stdin(std::process::Stdio::null()).env_remove("RUST_LOG").env("DBUS_SESSION_BUS_ADDRESS", bus);
    command
}

fn run(mut command: Command) -> Run {
    Run::of(&command.output().unwrap())
}

/// It opens the store without a question.
#[track_caller]
fn opens(store: &Path, bus: &str) {
    let run = run(without_passphrase(store, bus, &["whoami"]));
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.starts_with("Amina\n"), "{}", run.stdout);
}

/// It asks for the passphrase, and says why in a sentence, if there is something to say.
#[track_caller]
fn asks(store: &Path, bus: &str, why: Option<&str>) {
    let run = run(without_passphrase(store, bus, &["whoami"]));
    assert_eq!(run.status, 2, "{}{}", run.stdout, run.stderr);
    let mut lines = run.stderr.lines();
    if let Some(why) = why {
        assert_eq!(lines.next(), Some(format!("The passphrase is needed, since {why}.").as_str()));
    }
    assert!(lines.next().is_some_and(|line| line.ends_with("[NO_TERMINAL]")), "{}", run.stderr);
    assert_eq!(lines.next(), None);
}

#[track_caller]
fn keyring(person: &Person, bus: &str, what: &str) -> serde_json::Value {
    let run = run({
        let mut command = person.command(&["keyring", what, "--json"]);
        command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        command
    });
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    object(&run.stdout)["keyring"].clone()
}

#[test]
fn without_a_keyring_the_passphrase_is_asked() {
    let amina = Person::new("Amina");
    assert_eq!(keyring(&amina, NO_BUS, "status")["on"], false);
    let mut on = amina.command(&["keyring", "on", "--json"]);
    let refused = run({
        on.env("DBUS_SESSION_BUS_ADDRESS", NO_BUS);
        on
    });
    assert_eq!(refused.status, 8);
    assert_eq!(object(&refused.stderr)["error"]["code"], "KEYRING_ABSENT");
    assert!(!amina.store.join("store.kept").exists());
    asks(&amina.store, NO_BUS, None);

    // On a machine that had a keyring and has none any more; the half is as good as any.
    let half = amina.store.join("store.kept");
    std::fs::write(&half, "no half at all").unwrap();
    asks(&amina.store, NO_BUS, Some("this folder's half of the key cannot be read"));
    let status = keyring(&amina, NO_BUS, "status");
    assert_eq!((&status["on"], &status["opens"]), (&true.into(), &false.into()));
    // The passphrase file is taken at its word, and nothing is said of keyrings.
    assert!(amina.text(&["whoami"]).starts_with("Amina\n"));
    assert_eq!(keyring(&amina, NO_BUS, "off")["on"], false);
    assert!(!half.exists());

    let nowhere = Person::without_store("nothing");
    nowhere.fails(&["keyring", "status"], "STORE_ABSENT", 4);
    nowhere.fails(&["keyring", "off"], "STORE_ABSENT", 4);
}

#[test]
fn the_passphrase_is_asked_at_a_terminal_and_not_shown() {
    let amina = Person::new("Amina");
    std::fs::write(amina.store.join("store.kept"), "no half at all").unwrap();
    let program = &binaries().alliance;
    let words = [program.as_os_str(), "--store".as_ref(), amina.store.as_os_str(), "whoami".as_ref()];
    let mut terminal = Terminal::start(&words, &[("DBUS_SESSION_BUS_ADDRESS", NO_BUS)]);
    terminal.until("The passphrase is needed, since this folder's half of the key cannot be read.");
    terminal.until("Passphrase: ");
    terminal.types("Amina knows this\n");
    let (status, said) = terminal.ended();
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("Amina\r\n  device "), "{said}");
    assert!(!said.contains("knows this"), "{said}");

    // A wrong one, and Ctrl-C.
    let mut terminal = Terminal::start(&words, &[("DBUS_SESSION_BUS_ADDRESS", NO_BUS)]);
    terminal.until("Passphrase: ");
    terminal.types("Ben knows this\n");
    let (status, said) = terminal.ended();
    assert!(status == 6 && said.contains("[WRONG_PASSPHRASE]") && !said.contains("knows this"), "{status} {said}");
    let mut terminal = Terminal::start(&words, &[("DBUS_SESSION_BUS_ADDRESS", NO_BUS)]);
    terminal.until("Passphrase: ");
    terminal.types("\u{3}");
    let (status, said) = terminal.ended();
    assert!(status == 130 && said.contains("[INTERRUPTED]"), "{status} {said}");

    // The control: this terminal shows what is typed, unless it is told not to.
    let mut terminal = Terminal::start(&["sh".as_ref(), "-c".as_ref(), "echo ready; read line".as_ref()], &[]);
    terminal.until("ready");
    terminal.types("knows this\n");
    assert!(terminal.ended().1.contains("knows this"));
}

#[test]
#[ignore = "needs D-Bus; .ci/run"]
fn d_bus_keyring_opens_the_store() {
    let bus = Bus::start("the login password");
    let address = bus.address();
    let amina = Person::new("Amina");
    let store = amina.store.clone();
    assert_eq!(keyring(&amina, address, "status")["on"], false);
    asks(&store, address, None);

    assert_eq!(keyring(&amina, address, "on")["on"], true);
    opens(&store, address);
    let status = keyring(&amina, address, "status");
    assert_eq!((&status["on"], &status["opens"]), (&true.into(), &true.into()));
    // Elsewhere there is no such keyring, and a copy without the half opens nowhere. The control: with it, here.
    asks(&store, NO_BUS, Some("no keyring answers in this session"));
    let kept = store.join("store.kept");
    let half = std::fs::read(&kept).unwrap();
    std::fs::remove_file(&kept).unwrap();
    asks(&store, address, None);
    std::fs::write(&kept, &half).unwrap();
    opens(&store, address);

    served_by_a_holder(&amina, address);

    // Off: the keyring's half is gone, too.
    assert!(keyring(&amina, address, "off")["left"].is_null());
    asks(&store, address, None);
    std::fs::write(&kept, &half).unwrap();
    asks(&store, address, Some("the keyring has nothing for this store"));

    // Locked: nobody is asked to unlock it, and nothing fails but the wish to keep more in it.
    assert_eq!(keyring(&amina, address, "on")["on"], true);
    opens(&store, address);
    bus.lock();
    asks(&store, address, Some("the keyring is locked"));
    let status = keyring(&amina, address, "status");
    assert_eq!((&status["on"], &status["why"]), (&true.into(), &"the keyring is locked".into()));
    let mut on = amina.command(&["keyring", "on", "--json"]);
    on.env("DBUS_SESSION_BUS_ADDRESS", address);
    let refused = run(on);
    assert_eq!(object(&refused.stderr)["error"]["code"], "KEYRING_LOCKED");
    assert!(amina.text(&["whoami"]).starts_with("Amina\n"));
    assert_eq!(keyring(&amina, address, "off")["left"], "the keyring is locked");
    asks(&store, address, None);
}

/// A process that opened the store by the keyring serves others, who show the key or the passphrase.
fn served_by_a_holder(amina: &Person, bus: &str) {
    let holder =
        people::Long::start(without_passphrase(&amina.store, bus, &["sync", "--listen", "127.0.0.1:0", "--json"]));
    assert!(text(&holder.next()["listening"]["with"]).contains('@'));
    opens(&amina.store, bus);
    assert!(amina.text(&["whoami"]).starts_with("Amina\n"));
    let other = amina.file("other");
    std::fs::write(&other, "something else\n").unwrap();
    let mut wrong = without_passphrase(&amina.store, bus, &["whoami", "--json", "--passphrase-file"]);
    wrong.arg(&other);
    let wrong = run(wrong);
    assert_eq!(object(&wrong.stderr)["error"]["code"], "WRONG_PASSPHRASE");
    // The first process is `setsid`; its child is the one that serves.
    let pid = std::fs::read_to_string(amina.store.join("store.lock")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(holder.ended(), 0);
}
