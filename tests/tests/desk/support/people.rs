//! People with a store and the program, and a relay as a process: what the tests of the command line share.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use alliance_tests::binaries;
use serde_json::Value;
use tempfile::TempDir;

/// Ends a test that hangs. One that passes never waits for it.
const HANG: Duration = Duration::from_secs(120);

/// Somebody with a store and a passphrase file, both in a folder of the test.
pub struct Person {
    pub store: PathBuf,
    pub passphrase: PathBuf,
    folder: TempDir,
    environment: Vec<(String, String)>,
    /// What its programs are started with, such as what puts them into a namespace.
    prefix: Vec<String>,
}

/// What a command left.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Person {
    /// A folder and a passphrase, no store yet.
    pub fn without_store(passphrase: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        std::fs::write(&file, format!("{passphrase}\n")).unwrap();
        Self {
            store: folder.path().join("store"),
            passphrase: file,
            folder,
            environment: Vec::new(),
            prefix: Vec::new(),
        }
    }

    /// Somebody with a new store.
    pub fn new(name: &str) -> Self {
        let person = Self::without_store(&format!("{name} knows this"));
        person.json(&["init", "--name", name]);
        person
    }

    /// Somebody with a new store, whose programs run in this environment.
    #[allow(dead_code, reason = "for clocks that are wrong, in `faults`")]
    pub fn with_environment(name: &str, environment: Vec<(String, String)>) -> Self {
        let person = Self { environment, ..Self::without_store(&format!("{name} knows this")) };
        person.json(&["init", "--name", name]);
        person
    }

    /// From here on this person's programs are started by others, such as one that puts them into a namespace.
    #[allow(dead_code, reason = "for phones in a room, in `near` and `journeys`")]
    pub fn by(mut self, prefix: Vec<String>) -> Self {
        self.prefix = prefix;
        self
    }

    /// From here on this person's programs run in this environment.
    #[allow(dead_code, reason = "for a clock that is wrong, in `journeys`")]
    pub fn in_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// A file of this person's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with this person's store.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = &binaries().alliance;
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.arg("--store").arg(&self.store).arg("--passphrase-file").arg(&self.passphrase).args(arguments);
        command.stdin(Stdio::null()).env_remove("RUST_LOG").current_dir(self.folder.path());
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&self.command(arguments).output().unwrap())
    }

    /// Runs a command with a text on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Run::of(&child.wait_with_output().unwrap())
    }

    /// Runs a command that succeeds; what it prints for people.
    #[track_caller]
    pub fn text(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "alliance {arguments:?}\n{}", run.stdout);
        run.stdout
    }

    /// Runs a command with `--json` that succeeds; its one object.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "alliance {arguments:?}\n{}", run.stdout);
        object(&run.stdout)
    }

    /// Runs a command that succeeds: words without spaces as a line, then what may have some.
    #[track_caller]
    pub fn does(&self, line: &str, more: &[&str]) -> Value {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.json(&[words.as_slice(), more].concat())
    }

    /// Runs a command that fails with this code and status, for people and for programs; its parameters.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str], code: &str, status: i32) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(run.status, status, "alliance {arguments:?}\n{}\n{}", run.stdout, run.stderr);
        let error = object(&run.stderr)["error"].clone();
        assert_eq!(error["code"], code, "alliance {arguments:?}: {error}");
        assert!(error["sentence"].as_str().is_some_and(|sentence| sentence.ends_with('.')), "{error}");
        error["params"].clone()
    }

    /// Starts a command that stays.
    pub fn start(&self, arguments: &[&str]) -> Long {
        Long::start(self.command(&[arguments, &["--json"]].concat()))
    }
}

impl Run {
    pub fn of(output: &Output) -> Self {
        Self {
            status: output.status.code().unwrap_or_else(|| panic!("the program does not end by itself: {output:?}")),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }
}

/// The one JSON object of an output.
#[track_caller]
pub fn object(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    assert!(value.is_object(), "{text}");
    value
}

/// A process that stays, and what it says line by line. It is killed with this value.
pub struct Long {
    child: Child,
    lines: Receiver<String>,
}

impl Long {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                if line.is_err() || line.is_ok_and(|line| to.send(line).is_err()) {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The next object that it says.
    #[track_caller]
    pub fn next(&self) -> Value {
        let line = self.lines.recv_timeout(HANG).expect("the process says something more");
        object(&line)
    }

    /// Waits for an event of this name.
    #[track_caller]
    pub fn event(&self, name: &str) -> Value {
        loop {
            let said = self.next();
            if said["event"]["name"] == name {
                return said["event"].clone();
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to end, as an operator would; its status.
    pub fn stop(mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code().expect("it ends by itself")
    }

    /// Waits for its end; its status.
    pub fn ended(mut self) -> i32 {
        self.child.wait().unwrap().code().expect("it ends by itself")
    }

    /// Kills the process, as a power failure would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Long {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay as a process of its own.
pub struct Relay {
    pub connect: String,
    pub address: String,
    /// Where it listens over TCP, if it was told to.
    #[allow(dead_code, reason = "for networks without UDP, in `desk`")]
    pub tcp: Option<SocketAddr>,
    process: Long,
}

impl Relay {
    /// Starts the relay of this data folder; port 0 takes any that is free.
    pub fn start(data: &Path, listen: &str, options: &[&str]) -> Self {
        Self::start_in(data, listen, options, &[])
    }

    /// The same in an environment.
    pub fn start_in(data: &Path, listen: &str, options: &[&str], environment: &[(String, String)]) -> Self {
        let mut command = Command::new(&binaries().relay);
        command.arg("serve").arg("--data").arg(data).args(["--listen", listen, "--json"]).args(options);
        command.envs(environment.iter().cloned());
        let process = Long::start(command);
        let said = process.next();
        let text = |name: &str| said[name].as_str().expect("the relay says where it listens").to_owned();
        let tcp = said["tcp"].as_str().map(|address| address.parse().expect("an address"));
        Self { connect: text("connect"), address: text("address"), tcp, process }
    }

    /// A relay that takes anybody's spaces.
    pub fn open(data: &Path) -> Self {
        Self::start(data, "127.0.0.1:0", &["--open"])
    }

    /// An admission token of the relay of this folder.
    pub fn token(data: &Path) -> String {
        let output = Command::new(&binaries().relay).args(["token", "--json", "--data"]).arg(data).output().unwrap();
        let run = Run::of(&output);
        assert_eq!(run.status, 0, "{}", run.stderr);
        object(&run.stdout)["token"].as_str().unwrap().to_owned()
    }

    /// Ends it; the port is free again.
    pub fn stop(self) {
        assert_eq!(self.process.stop(), 0);
    }
}

/// A text of a JSON value.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text was expected: {value}"))
}

/// The words of a list's only row, as a person reads them aloud.
#[track_caller]
pub fn words(list: &Value) -> Vec<String> {
    let rows = list.as_array().expect("a list");
    let words = rows.iter().find_map(|row| row["state"]["words"].as_array());
    let words = words.unwrap_or_else(|| panic!("nobody has words to compare: {list}"));
    words.iter().map(|word| text(word).to_owned()).collect()
}

/// Brings a guest into a host's space through the relay that both know.
pub fn introduce(host: &Person, guest: &Person, space: &str) {
    let invite = host.json(&["invite", "new", space])["invite"].clone();
    host.json(&["sync"]);
    guest.json(&["join", text(&invite["text"]), "--title", space]);
    // The answer goes up, is met by the inviter's reveal, and comes down.
    guest.json(&["sync"]);
    host.json(&["sync"]);
    guest.json(&["sync"]);
    let seen = words(&host.json(&["invite", "list"])["invites"]);
    let read = words(&guest.json(&["join", "list"])["joins"]);
    assert_eq!(seen, read);
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    host.json(&[&["invite", "confirm", text(&invite["id"])], read.as_slice()].concat());
    host.json(&["sync"]);
    guest.json(&["sync"]);
}

/// Two people with a space that both know, over a relay of this folder.
pub fn pair(data: &Path) -> (Relay, Person, Person) {
    let relay = Relay::open(data);
    let (amina, ben) = (Person::new("Amina"), Person::new("Ben"));
    for person in [&amina, &ben] {
        person.json(&["relay", "add", &relay.connect]);
    }
    amina.json(&["space", "create", "Amina and Ben"]);
    introduce(&amina, &ben, "Amina and Ben");
    (relay, amina, ben)
}

/// Both have what either wrote.
pub fn exchange(one: &Person, other: &Person) {
    for person in [one, other, one] {
        person.json(&["sync"]);
    }
}

/// The text of a note's section, with the name of each stretch's author in front of it.
#[track_caller]
pub fn section(person: &Person, note: &str, stage: &str) -> Vec<(String, String)> {
    let shown = person.json(&["note", "show", note]);
    let view = &shown["document"]["view"];
    let sections = view["sections"].as_array().unwrap();
    let text_view = &sections.iter().find(|section| section["stage"] == stage).expect("the stage")["text"];
    let characters: Vec<char> = text(&text_view["text"]).chars().collect();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let spans = text_view["spans"].as_array().unwrap().iter().map(|span| {
        let (start, len) = (number(&span["start"]), number(&span["len"]));
        let author = text(&view["authors"][number(&span["author"])]).to_owned();
        (author, characters[start..start + len].iter().collect())
    });
    spans.collect()
}

/// The whole text of a note's section.
pub fn whole_section(person: &Person, note: &str, stage: &str) -> String {
    section(person, note, stage).into_iter().map(|(_, text)| text).collect()
}
