//! A device's process that writes and is killed.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use alliance_client::Client;
use alliance_tests::people::{PASSPHRASE, hear, options};
use alliance_tests::random::Random;
use alliance_tests::relay::{Site, open, watched};
use tempfile::TempDir;

use super::{AT_START_PERCENT, Tally, Usual, pass};

/// Pieces of text in a note before the next one is begun.
const PIECES_MAX: usize = 30;
/// Notes that are read after every kill; all of them at the end.
const READ_LAST: usize = 3;

/// A writer's process.
pub(crate) struct Writer {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Writer {
    /// Starts it on a folder. It has not said anything yet.
    pub(crate) fn spawn(folder: &Path, early: bool) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alliance-crash-writer"))
            .arg(folder)
            .args(early.then_some("early"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, commands, answers }
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// The next answer; absent when the process is gone and has said nothing more.
    pub(crate) fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.ends_with('\n').then(|| line.trim_end_matches('\n').to_owned())
    }

    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.hear().unwrap_or_else(|| panic!("the writer ended at {command}"))
    }

    /// Kills it, and gives what it had said before.
    fn kill(mut self) -> VecDeque<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.hear()).collect()
    }

    /// Lets it close its store.
    pub(crate) fn end(self) {
        let Self { mut child, commands, .. } = self;
        drop(commands);
        assert!(child.wait().unwrap().success());
    }
}

/// A note as the log has it.
struct Note {
    id: String,
    /// Pieces in the order in which they were sent, and whether they were acknowledged.
    pieces: Vec<(String, bool)>,
}

/// One device's store, and what its processes acknowledged.
pub(crate) struct DeviceStory {
    folder: TempDir,
    early: bool,
    incarnation: String,
    notes: Vec<Note>,
    next: u64,
    starting: Usual,
    writing: Usual,
    tally: Tally,
}

/// What was sent last.
enum Sent {
    Note,
    Piece,
    Seal,
}

impl DeviceStory {
    /// A new store; with `early`, its processes acknowledge before they write.
    pub(crate) fn begin(early: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::spawn(folder.path(), early);
        let incarnation = writer.hear().unwrap().strip_prefix("open ").unwrap().to_owned();
        writer.end();
        Self {
            folder,
            early,
            incarnation,
            notes: Vec::new(),
            next: 0,
            starting: Usual::default(),
            writing: Usual::default(),
            tally: Tally::default(),
        }
    }

    pub(crate) fn kills(&self) -> usize {
        self.tally.kills()
    }

    /// Starts a process, looks for all that was acknowledged, writes, and kills it. Answers what was lost.
    pub(crate) fn kill(&mut self, seed: u64) -> Vec<String> {
        let mut random = Random::new(seed);
        let at_start = random.chance(AT_START_PERCENT) || self.kills() == 5;
        if at_start {
            let writer = Writer::spawn(self.folder.path(), self.early);
            pass(self.starting.moment(&mut random, 100));
            writer.kill();
            self.tally.start += 1;
        }
        let started = Instant::now();
        let mut writer = Writer::spawn(self.folder.path(), self.early);
        let open = writer.hear().expect("the store opens after a kill");
        self.starting.saw(started.elapsed());
        // A kill is no restore: the log goes on where it was.
        assert_eq!(open, format!("open {}", self.incarnation), "seed {seed}");
        let from = self.notes.len().saturating_sub(READ_LAST);
        let lost = self.read(&mut writer, from);
        if at_start {
            writer.end();
            return lost;
        }
        for _ in 0..3 + random.below(8) {
            self.write(&mut writer, &mut random);
        }
        let sent = self.send(&mut writer, &mut random);
        pass(self.writing.moment(&mut random, 120));
        let last = writer.kill().pop_front();
        self.acknowledged(&sent, last.as_deref());
        if last.is_some() {
            self.tally.after += 1;
        } else {
            self.tally.inside += 1;
        }
        lost
    }

    /// Sends a command and waits for its answer.
    fn write(&mut self, writer: &mut Writer, random: &mut Random) {
        let started = Instant::now();
        let sent = self.send(writer, random);
        let answer = writer.hear().expect("the writer lives");
        self.writing.saw(started.elapsed());
        self.acknowledged(&sent, Some(&answer));
    }

    fn send(&mut self, writer: &mut Writer, random: &mut Random) -> Sent {
        let full = self.notes.last().is_none_or(|note| note.pieces.len() >= PIECES_MAX);
        if full || random.chance(8) {
            writer.send("note");
            return Sent::Note;
        }
        let note = self.notes.last_mut().unwrap();
        if random.chance(25) && !note.pieces.is_empty() {
            writer.send(&format!("seal {}", note.id));
            return Sent::Seal;
        }
        let piece = format!("{}.{} ", self.next, "x".repeat(random.below(60)));
        self.next += 1;
        writer.send(&format!("write {} {piece}", note.id));
        note.pieces.push((piece, false));
        Sent::Piece
    }

    fn acknowledged(&mut self, sent: &Sent, answer: Option<&str>) {
        let Some(answer) = answer else { return };
        match sent {
            Sent::Note => {
                let id = answer.strip_prefix("note ").unwrap_or_else(|| panic!("{answer}")).to_owned();
                self.notes.push(Note { id, pieces: Vec::new() });
            }
            Sent::Piece => {
                assert_eq!(answer, "saved");
                self.notes.last_mut().unwrap().pieces.last_mut().unwrap().1 = true;
            }
            Sent::Seal => assert_eq!(answer, "sealed"),
        }
    }

    /// Compares notes with the log: every acknowledged piece is there once and in its place; one that was not
    /// acknowledged may be there, and stays if it is.
    fn read(&mut self, writer: &mut Writer, from: usize) -> Vec<String> {
        let mut lost = Vec::new();
        for note in &mut self.notes[from..] {
            let answer = writer.ask(&format!("read {}", note.id));
            let mut text = answer.strip_prefix("text ").unwrap_or_else(|| panic!("{answer}"));
            // The last piece was written to the beginning.
            let mut kept = Vec::new();
            for (piece, acknowledged) in note.pieces.drain(..).rev() {
                match text.strip_prefix(piece.as_str()) {
                    Some(rest) => {
                        text = rest;
                        self.tally.kept += usize::from(!acknowledged);
                        kept.push((piece, true));
                    }
                    None if acknowledged => lost.push(piece),
                    None => {}
                }
            }
            self.tally.acknowledged += kept.len();
            assert_eq!(text, "", "nobody wrote this into {}", note.id);
            kept.reverse();
            note.pieces = kept;
        }
        lost
    }

    /// Looks at everything once more, and lets a relay judge the log: no number twice, no gap.
    pub(crate) fn end(mut self) -> Tally {
        let mut writer = Writer::spawn(self.folder.path(), self.early);
        assert_eq!(writer.hear(), Some(format!("open {}", self.incarnation)));
        assert_eq!(self.read(&mut writer, 0), Vec::<String>::new());
        writer.end();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(watched(async {
            let mut site = Site::start(open).await;
            let client = Client::open(self.folder.path(), PASSPHRASE, options()).await.unwrap();
            client.add_relay(&site.address().to_string(), None).await.unwrap();
            let report = client.sync_once(hear).await.unwrap().pop().unwrap();
            assert!(report.settled && report.forks == 0 && report.diverged == 0, "{report:?}");
            let status = client.status().await.unwrap();
            assert!(status.spaces[0].delivery.on_relay && status.spaces[0].parked == 0, "{status:?}");
            client.close().await.unwrap();
            site.stop().await;
        }));
        self.tally
    }
}
