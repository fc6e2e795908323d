//! `alliance profile`: several people on one device, by the program that they use.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use alliance_tests::binaries;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::people::{self, Long, Person, Relay, Run, object, text};
use crate::support::terminal::Terminal;

/// A device that several people share.
struct Device {
    folder: TempDir,
}

impl Device {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&binaries().alliance);
        command.arg("--profiles").arg(self.file("profiles")).args(arguments);
        // Where nobody names a store: in this folder, and nowhere else.
        command.env("XDG_DATA_HOME", self.folder.path()).env_remove("RUST_LOG").current_dir(self.folder.path());
        command
    }

    /// Runs a command that reads these lines where it would ask.
    fn run(&self, lines: &str, arguments: &[&str]) -> Run {
        let mut command = self.command(&[arguments, &["--passphrase-file", "-"]].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may be over already.
        let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
        Run::of(&child.wait_with_output().unwrap())
    }

    #[track_caller]
    fn json(&self, lines: &str, arguments: &[&str]) -> Value {
        let run = self.run(lines, &[arguments, &["--json"]].concat());
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "alliance {arguments:?}\n{}", run.stdout);
        object(&run.stdout)
    }

    #[track_caller]
    fn fails(&self, lines: &str, arguments: &[&str], code: &str, status: i32) -> Value {
        let run = self.run(lines, &[arguments, &["--json"]].concat());
        assert_eq!(run.status, status, "alliance {arguments:?}\n{}\n{}", run.stdout, run.stderr);
        let error = object(&run.stderr)["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        error["params"].clone()
    }

    /// Adds a profile; its recovery words.
    fn add(&self, name: &str, pin: &str) -> String {
        let made = self.json(pin, &["profile", "add", "--name", name, "--nickname", name]);
        assert_eq!(made["profile"]["nickname"], name);
        text(&made["recovery_words"]).to_owned()
    }

    /// Where a profile's file lies.
    fn of(&self, nickname: &str, file: &str) -> PathBuf {
        let list = self.json("", &["profile", "list"]);
        let view = list["profiles"].as_array().unwrap().iter().find(|view| view["nickname"] == nickname).unwrap();
        self.file("profiles").join(text(&view["id"])).join(file)
    }
}

#[test]
fn two_people_use_one_device() {
    let device = Device::new();
    let said = device.run("", &["profile", "list"]);
    assert!(said.status == 0 && said.stdout.contains("There is no profile on this device"), "{}", said.stdout);
    device.add("Amina", "5309");
    device.add("Ben", "7150");
    // Nobody's until somebody is chosen: a store of this user, which is not there.
    device.fails("5309", &["whoami"], "STORE_ABSENT", 4);
    device.json("5309", &["profile", "use", "Amina"]);
    assert_eq!(device.json("5309", &["whoami"])["whoami"]["name"], "Amina");
    device.json("5309", &["space", "create", "Mine", "--kind", "personal"]);
    device.json("5309", &["note", "new", "Mine", "--title", "The locked kitchen"]);
    device.fails("7150", &["profile", "use", "Amina"], "PIN_WRONG", 6);
    assert_eq!(device.fails("7150", &["note", "list"], "PIN_WRONG", 6)["tries"], "3");
    // One command of Ben's in between; then he takes the device over.
    let notes = |lines: &str, arguments: &[&str]| {
        let run = device.run(lines, &[arguments, &["note", "list", "--json"]].concat());
        assert_eq!(run.status, 0, "{}", run.stderr);
        object(&run.stdout)["documents"].as_array().unwrap().len()
    };
    assert_eq!((notes("7150", &["--profile", "Ben"]), notes("5309", &[])), (0, 1));
    let from = Instant::now();
    device.json("7150", &["profile", "use", "Ben"]);
    assert_eq!(device.json("7150", &["whoami"])["whoami"]["name"], "Ben");
    println!("switched and asked who it is, two processes, in {:?}", from.elapsed());
    assert_eq!(
        device.fails("7150", &["note", "show", "The locked kitchen"], "UNKNOWN_DOCUMENT", 4),
        serde_json::json!({})
    );

    // Whoever opens it next hears of wrong PINs, once.
    device.fails("0417", &["--profile", "Amina", "whoami"], "PIN_WRONG", 6);
    let told = device.run("5309", &["--profile", "Amina", "whoami"]);
    assert!(told.stderr.contains("1 wrong PIN was tried since"), "{}", told.stderr);
    assert_eq!(device.run("5309", &["--profile", "Amina", "whoami"]).stderr, "");

    device.json("", &["profile", "lock"]);
    device.fails("7150", &["whoami"], "STORE_ABSENT", 4);
    device.fails("", &["profile", "lock"], "UNKNOWN_PROFILE", 4);
    for (arguments, code, status) in [
        (&["--profile", "Chidi", "whoami"][..], "UNKNOWN_PROFILE", 4),
        (&["profile", "use", "Chidi"], "UNKNOWN_PROFILE", 4),
        (&["--profile", "Ben", "init", "--name", "Ben"], "USAGE", 2),
        (&["--profile", "Ben", "--store", "there", "whoami"], "USAGE", 2),
        (&["--profile", "Ben", "keyring", "on"], "KEYRING_REFUSED", 8),
        (&["profile", "add", "--name", "Ben", "--nickname", "Ben"], "PROFILE_EXISTS", 3),
    ] {
        device.fails("7150", arguments, code, status);
    }
    device.fails("1234", &["profile", "add", "--name", "Chidi"], "PIN_WEAK", 5);
    assert!(device.run("7150", &["--profile", "Ben", "doctor"]).stdout.starts_with("Nothing is damaged."));
}

#[test]
fn a_store_with_a_passphrase_goes_on_beside_profiles() {
    let device = Device::new();
    device.add("Amina", "5309");
    device.json("5309", &["profile", "use", "Amina"]);
    let ben = Person::new("Ben");
    // A store that is named is that store, whoever is chosen.
    let store = ben.store.to_str().unwrap();
    assert_eq!(device.json("Ben knows this", &["--store", store, "whoami"])["whoami"]["name"], "Ben");
    assert_eq!(device.json("5309", &["whoami"])["whoami"]["name"], "Amina");
    device.fails("5309", &["--store", device.of("Amina", "").to_str().unwrap(), "whoami"], "WRONG_PASSPHRASE", 6);
}

#[test]
fn a_process_that_is_killed_has_used_its_try() {
    let device = Device::new();
    device.add("Amina", "5309");
    let count = device.of("Amina", "store.tries");
    let before = std::fs::read(&count).unwrap();
    std::fs::write(device.file("wrong"), "5308\n").unwrap();
    std::fs::write(device.file("right"), "5309\n").unwrap();
    let mut silent = 0;
    for _ in 0..5 {
        let was = std::fs::read(&count).unwrap();
        let mut command = device.command(&["--profile", "Amina", "--passphrase-file", "wrong", "whoami"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Between the count and the answer lies what a try costs: a quarter of a second of Argon2.
        while std::fs::read(&count).unwrap() == was {
            assert!(child.try_wait().unwrap().is_none(), "it ended without counting");
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let killed = output.status.signal() == Some(9) && output.stderr.is_empty() && output.stdout.is_empty();
        silent += usize::from(killed);
    }
    println!("{silent} of 5 were killed between the count and the answer");
    assert!(silent > 0);
    let locked = |file: &str| {
        let run = Run::of(
            &device.command(&["--profile", "Amina", "--passphrase-file", file, "whoami", "--json"]).output().unwrap(),
        );
        (
            run.status,
            if run.status == 0 { String::new() } else { text(&object(&run.stderr)["error"]["code"]).to_owned() },
        )
    };
    assert_eq!(locked("right"), (10, "PIN_LOCKED".into()));
    assert!(device.json("", &["profile", "list"])["profiles"][0]["wait_seconds"].as_u64().unwrap() > 0);
    // The control: it is the count that locks. With the one of before the right PIN opens.
    std::fs::write(&count, before).unwrap();
    assert_eq!(locked("right"), (0, String::new()));
}

#[test]
fn locking_ends_what_runs() {
    let device = Device::new();
    device.add("Amina", "5309");
    device.add("Ben", "7150");
    std::fs::write(device.file("hers"), "5309\n").unwrap();
    device.json("5309", &["profile", "use", "Amina"]);
    device.json("5309", &["space", "create", "Mine", "--kind", "personal"]);
    let listens = || {
        let long =
            Long::start(device.command(&["--passphrase-file", "hers", "sync", "--listen", "127.0.0.1:0", "--json"]));
        assert!(text(&long.next()["listening"]["with"]).contains('@'));
        long
    };
    let long = listens();
    // Written through the process that has the store open.
    device.json("5309", &["note", "new", "Mine", "--title", "Before the lock"]);
    let locked = device.json("", &["profile", "lock"]);
    assert_eq!(locked["ended"].as_u64(), Some(long.pid().into()), "{locked}");
    assert_eq!(long.ended(), 0);
    let notes = device.json("5309", &["--profile", "Amina", "note", "list"])["documents"].clone();
    assert_eq!(notes[0]["title"], "Before the lock");
    // The control: when nothing runs, nothing is ended.
    assert!(device.json("", &["profile", "lock", "Amina"])["ended"].is_null());
    // Who takes the device over locks the one before.
    device.json("5309", &["profile", "use", "Amina"]);
    let long = listens();
    device.json("7150", &["profile", "use", "Ben"]);
    assert_eq!(long.ended(), 0);
}

#[test]
fn a_forgotten_pin_and_a_leaver() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let device = Device::new();
    let words = device.add("Amina", "5309");
    let other = device.add("Ben", "7150");
    let reset = ["profile", "reset", "Amina", "--words-file", "-"];
    device.fails(&format!("{other}\n4826\n"), &reset, "WORDS_WRONG", 6);
    device.fails("these are none\n4826\n", &reset, "BAD_RECOVERY_WORDS", 5);
    device.json("5309", &["--profile", "Amina", "whoami"]);
    device.json(&format!("{words}\n4826\n"), &reset);
    device.fails("5309", &["--profile", "Amina", "whoami"], "PIN_WRONG", 6);
    device.json("4826\n9274\n", &["profile", "pin", "Amina"]);
    device.fails("4826\n", &["profile", "pin", "Amina"], "BAD_PASSPHRASE", 5);
    let amina = ["--profile", "Amina"];
    let hers = |arguments: &[&str]| device.json("9274", &[&amina, arguments].concat());
    assert_eq!(hers(&["whoami"])["whoami"]["name"], "Amina");

    // A backup, and the profile made of it elsewhere, under another PIN.
    hers(&["relay", "add", &relay.connect]);
    hers(&["space", "create", "Mine", "--kind", "personal"]);
    hers(&["sync"]);
    let said = device.run("9274", &["--profile", "Amina", "backup", "saved"]);
    assert!(said.stdout.contains("opened by your recovery words"), "{}{}", said.stdout, said.stderr);
    let elsewhere = Device::new();
    let saved = device.file("saved");
    let restore = ["profile", "restore", saved.to_str().unwrap(), "--nickname", "Amina", "--words-file", "-"];
    elsewhere.json(&format!("{words}\n8052\n"), &restore);
    assert_eq!(elsewhere.json("8052", &["--profile", "Amina", "space", "list"])["spaces"].as_array().unwrap().len(), 1);

    // She leaves: what is only here is named, and kept until she says otherwise.
    hers(&["note", "new", "Mine", "--title", "Not sent yet"]);
    let refused = device.run("9274", &["profile", "remove", "Amina"]);
    assert!(refused.status == 3 && refused.stderr.contains("Mine: 0 drafts, 1 entry"), "{}", refused.stderr);
    device.fails("7150", &["profile", "remove", "Amina", "--force"], "PIN_WRONG", 6);
    let folder = device.of("Amina", "");
    let gone = device.json("9274", &["profile", "remove", "Amina", "--force"]);
    assert_eq!((&gone["lost"][0]["title"], &gone["lost"][0]["unsent"]), (&"Mine".into(), &1.into()), "{gone}");
    assert!(!folder.exists());
    // The control: the one whose everything has arrived goes without a word.
    elsewhere.json("8052", &["--profile", "Amina", "sync"]);
    assert_eq!(elsewhere.json("8052", &["profile", "remove", "Amina"])["lost"], serde_json::json!([]));
    assert_eq!(device.json("7150", &["--profile", "Ben", "whoami"])["whoami"]["name"], "Ben");
    relay.stop();
}

/// A reset that waits for its answer: the process, and the request that it shows.
fn ask(device: &Device) -> (std::process::Child, String) {
    let mut command = device.command(&["profile", "reset", "Amina", "--helped", "--passphrase-file", "-", "--json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    // One byte after the other: what comes behind the line is read with the rest.
    let out = child.stdout.as_mut().unwrap();
    let mut byte = [0];
    while !line.ends_with('\n') {
        std::io::Read::read_exact(out, &mut byte).expect("a request");
        line.push(char::from(byte[0]));
    }
    (child, text(&object(&line)["request"]).to_owned())
}

fn answers(mut asked: std::process::Child, answer: &str, pin: &str) -> Run {
    asked.stdin.take().unwrap().write_all(format!("{answer}\n{pin}\n").as_bytes()).unwrap();
    Run::of(&asked.wait_with_output().unwrap())
}

#[test]
fn a_helper_opens_nothing_and_the_person_chooses_a_pin() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let (device, ben, chidi) = (Device::new(), Person::new("Ben"), Person::new("Chidi"));
    device.add("Amina", "5309");
    let hers = |arguments: &[&str]| device.json("5309", &[&["--profile", "Amina"], arguments].concat());
    ben.json(&["relay", "add", &relay.connect]);
    ben.json(&["space", "create", "Pair"]);
    let invite = ben.json(&["invite", "new", "Pair"])["invite"].clone();
    ben.json(&["sync"]);
    hers(&["join", text(&invite["text"]), "--title", "Ours"]);
    hers(&["sync"]);
    ben.json(&["sync"]);
    hers(&["sync"]);
    let words = people::words(&ben.json(&["invite", "list"])["invites"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    ben.json(&[&["invite", "confirm", text(&invite["id"])], words.as_slice()].concat());
    ben.json(&["sync"]);
    hers(&["sync"]);

    device.fails("", &["profile", "reset", "Amina", "--helped"], "HELP_ABSENT", 7);
    let name = ["profile", "helper", "Amina", "--space", "Ours", "--person"];
    device.fails("5309", &[&name[..], &["Chidi"]].concat(), "UNKNOWN_HELPER", 4);
    device.fails("5309", &[&name[..], &["Amina"]].concat(), "UNKNOWN_HELPER", 4);
    device.fails("5308", &[&name[..], &["Ben"]].concat(), "PIN_WRONG", 6);
    assert_eq!(device.json("5309", &[&name[..], &["Ben"]].concat())["profile"]["has_helper"], true);

    // She forgot it. Chidi cannot help, and Ben's help with one request does not open another.
    let (first, request) = ask(&device);
    chidi.fails(&["vouch", &request], "HELP_FOREIGN", 6);
    ben.fails(&["vouch", &request[..request.len() - 1]], "HELP_TEXT_DAMAGED", 5);
    let early = text(&ben.json(&["vouch", &request])["answer"]).to_owned();
    let (second, request) = ask(&device);
    let answer = text(&ben.json(&["vouch", &request])["answer"]).to_owned();
    for (asked, given, pin, code) in [
        (second, &early, "4826", "HELP_FOREIGN"),
        (ask(&device).0, &request, "4826", "HELP_TEXT_DAMAGED"),
        (first, &early, "1234", "PIN_WEAK"),
    ] {
        let run = answers(asked, given, pin);
        assert_eq!(object(&run.stderr)["error"]["code"], code, "{}", run.stderr);
    }
    // A request lives in the memory of the process that showed it: its answer is worth nothing to another.
    let run = answers(ask(&device).0, &answer, "4826");
    assert_eq!(object(&run.stderr)["error"]["code"], "HELP_FOREIGN", "{}", run.stderr);
    device.json("5309", &["--profile", "Amina", "whoami"]);

    // The control: the answer to the request that waits for it. Ben's device is named.
    let (asked, request) = ask(&device);
    let run = answers(asked, text(&ben.json(&["vouch", &request])["answer"]), "4826");
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(object(&run.stdout)["helped_by"], ben.json(&["whoami"])["whoami"]["device"]);
    device.fails("5309", &["--profile", "Amina", "whoami"], "PIN_WRONG", 6);
    assert_eq!(device.run("4826", &["--profile", "Amina", "whoami"]).status, 0);
    // Nobody any more.
    assert_eq!(device.json("4826", &["profile", "helper", "Amina", "--none"])["profile"]["has_helper"], false);
    device.fails("", &["profile", "reset", "Amina", "--helped"], "HELP_ABSENT", 7);
    relay.stop();
}

#[test]
fn the_pin_is_asked_at_a_terminal_and_not_shown() {
    let device = Device::new();
    let (program, folder) = (&binaries().alliance, device.file("profiles"));
    let start = |arguments: &[&'static str]| {
        let mut words = vec![program.as_os_str(), "--profiles".as_ref(), folder.as_os_str()];
        words.extend(arguments.iter().map(|word| std::ffi::OsStr::new(*word)));
        Terminal::start(&words, &[])
    };
    let mut terminal = start(&["profile", "add", "--name", "Amina", "--nickname", "Amina"]);
    terminal.until("Choose a PIN: ");
    terminal.types("5309\n");
    terminal.until("The same again: ");
    terminal.types("5309\n");
    terminal.words_asked_back();
    let (status, said) = terminal.ended();
    assert!(status == 0 && said.contains("Your recovery words") && !said.contains("5309"), "{said}");
    let mut terminal = start(&["--profile", "Amina", "whoami"]);
    terminal.until("PIN: ");
    terminal.types("5309\n");
    let (status, said) = terminal.ended();
    assert!(status == 0 && said.contains("Amina\r\n  device ") && !said.contains("5309"), "{said}");
    // Nobody can be asked.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(program).arg("--profiles").arg(&folder).args(["profile", "use", "Amina"]);
    let run = Run::of(&command.stdin(Stdio::null()).output().unwrap());
    assert!(run.status == 2 && run.stderr.contains("[NO_TERMINAL]"), "{}", run.stderr);
}
