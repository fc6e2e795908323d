//! What happens in a simulation, one step after the other, as the seed says.

mod devices;
mod files;
mod meetings;
mod roles;
mod sayings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use alliance_client::{DocumentId, SpaceId, View};
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};
use tokio::time::Instant;

use super::Saying;
use super::disk::copy_files;
use super::fixture::{Fixture, Guest, RELAY};
use super::ledger::Ledger;
use super::node::is_of_the_disk;
use super::watcher::Watcher;
use super::world::World;
use crate::people::insert;

/// The place of the space that all are in.
pub const FIRST: usize = 0;
/// The place of the space into which the third person may be let.
pub const SECOND: usize = 1;
/// The place of the home.
pub(super) const HOME: usize = 2;

/// A copy of a node's database from some time ago.
pub(super) struct Copy {
    pub(super) folder: PathBuf,
    pub(super) at: Instant,
}

/// A simulation under way.
pub struct Storm {
    /// The nodes.
    pub world: World,
    /// What people were told is saved.
    pub ledger: Ledger,
    /// What is looked at after every step.
    pub watcher: Watcher,
    /// The spaces of the fixture: [`FIRST`], [`SECOND`].
    pub spaces: [SpaceId; 2],
    /// The home of Ben's devices.
    pub home: SpaceId,
    /// The notes, those of the fixture first.
    pub notes: Vec<(SpaceId, DocumentId)>,
    /// Sessions and decisions that somebody began.
    said: Vec<(SpaceId, DocumentId)>,
    saying: Saying,
    guest: Guest,
    /// Ben's recovery words.
    words: String,
    pub(super) backups: BTreeMap<usize, Copy>,
    pub(super) images: BTreeMap<usize, Copy>,
    /// Nodes that are down, until when, with the folder that they start on.
    pub(super) down: BTreeMap<usize, (Instant, PathBuf)>,
    written: u64,
    /// Files that lie about.
    cards: Vec<files::Card>,
    /// A line for every step, for whoever replays a seed.
    pub trace: Vec<String>,
}

impl Storm {
    /// A storm over a world of this fixture.
    #[must_use]
    pub fn new(world: World, fixture: &Fixture) -> Self {
        Self {
            world,
            ledger: Ledger::default(),
            watcher: Watcher::default(),
            spaces: fixture.spaces,
            home: fixture.home,
            notes: fixture.notes.clone(),
            said: Vec::new(),
            saying: Saying::Notes,
            guest: fixture.guest.clone(),
            words: fixture.words.clone(),
            backups: BTreeMap::new(),
            images: BTreeMap::new(),
            down: BTreeMap::new(),
            written: 0,
            cards: Vec::new(),
            trace: Vec::new(),
        }
    }

    /// Does so many steps.
    ///
    /// # Errors
    /// A sentence about the invariant that does not hold.
    pub async fn run(&mut self, steps: usize) -> Result<(), String> {
        for _ in 0..steps {
            self.step().await?;
            self.after().await?;
        }
        Ok(())
    }

    /// Looks at everything that is new anywhere.
    pub(super) async fn look(&mut self) -> Result<(), String> {
        self.watcher.look(&self.world, &self.all_spaces()).await
    }

    /// The spaces of people, and the home.
    pub(super) fn all_spaces(&self) -> [SpaceId; 3] {
        let [first, second] = self.spaces;
        [first, second, self.home]
    }

    fn device(&mut self) -> usize {
        let device = self.world.random.below(self.world.nodes.len() - 1);
        if device < RELAY { device } else { device + 1 }
    }

    /// A device or the relay.
    fn any(&mut self) -> usize {
        self.world.random.below(self.world.nodes.len())
    }

    fn note(&mut self, what: &str) {
        self.trace.push(what.to_owned());
    }

    async fn step(&mut self) -> Result<(), String> {
        let what = self.world.random.below(100);
        let (device, any) = (self.device(), self.any());
        match what {
            0..=27 => return self.write(device).await,
            28..=33 => return self.scribble(device).await,
            34..=37 => return self.refused(device).await,
            38..=41 => self.seal(device).await,
            42..=55 => self.meet(device, RELAY),
            56..=58 => self.stay(device),
            59..=65 if self.world.random.chance(50) => return self.file(device).await,
            59..=65 => {
                let other = self.device();
                if other != device {
                    self.meet(device, other);
                }
            }
            66..=68 => self.dies_inside(any),
            69 => self.world.nodes[any].kill(),
            70..=71 => self.disk(any),
            72..=74 => {
                let other = self.any();
                if other != any {
                    let long = if self.world.random.chance(70) { 20_000 } else { 200_000 };
                    let long = Duration::from_millis(1 + self.world.random.below(long) as u64);
                    self.world.common.network.part(any, other, long);
                }
            }
            75..=79 => self.world.common.network.cut_one(),
            80..=81 => self.clock(any),
            82 => self.backup(any).await,
            83 if self.world.random.chance(80) => self.restore(any).await,
            84 if self.world.random.chance(30) => self.lose_relay(),
            85 if self.world.random.chance(30) => {
                self.note("a random source repeats itself");
                self.world.common.faults.fire("random source repeats itself");
                self.world.nodes[any].source.repeat();
            }
            86 => {
                if let Ok(note) = self.begin(device).await {
                    self.notes.push(note);
                }
            }
            87 => {
                self.world.nodes[device].stop.send_replace(true);
            }
            88 if self.world.random.chance(40) => self.image(if device == 0 { any } else { RELAY }),
            90 if !self.world.guest => return self.admit().await,
            89 if self.world.random.chance(60) => self.put_one_back().await?,
            91 => {
                let percent = if self.world.random.chance(50) { 30 } else { 0 };
                self.world.common.network.set_altering(percent);
            }
            92 if self.world.random.chance(40) => self.copy(device).await,
            93 => return self.give_role().await,
            94 if self.world.random.chance(60) => return self.suspend().await,
            95 if self.world.random.chance(40) => {
                let by = self.some_of_bens();
                return self.restore_by_words(by).await;
            }
            96..=99 if self.saying == Saying::All => return self.say(device).await,
            _ => {}
        }
        Ok(())
    }

    /// Time passes, dead processes are noticed and come back, meetings end, and everything is looked at.
    async fn after(&mut self) -> Result<(), String> {
        let wait = match self.world.random.below(10) {
            0 => 0,
            1 => 20_000,
            _ => 1_500,
        };
        tokio::time::sleep(Duration::from_millis(self.world.random.below(wait + 1) as u64)).await;
        for (node, folder) in self.world.bury() {
            let down = Duration::from_millis(self.world.random.below(8_000) as u64);
            self.note(&format!("node {node} died"));
            self.down.insert(node, (Instant::now() + down, folder));
        }
        let now = Instant::now();
        let back: Vec<usize> = self.down.iter().filter(|(_, (at, _))| *at <= now).map(|(node, _)| *node).collect();
        for node in back {
            self.rise(node).await?;
        }
        self.hear().await;
        self.look().await
    }

    /// A dead node's process starts again on what is left of its files.
    pub(super) async fn rise(&mut self, number: usize) -> Result<(), String> {
        let Some((_, folder)) = self.down.remove(&number) else { return Ok(()) };
        let next = self.world.nodes[number].next_folder();
        copy_files(&folder, &next).map_err(|error| format!("files cannot be copied: {error}"))?;
        if self.world.random.chance(20) {
            self.die_between_database_and_marker(number, &next).await;
        }
        self.note(&format!("node {number} starts"));
        self.world.nodes[number].start(&next, false).await;
        if number == RELAY { Ok(()) } else { self.has_what_was_saved(number).await }
    }

    /// The database counts the opening, and the process dies before the marker does.
    async fn die_between_database_and_marker(&mut self, number: usize, folder: &std::path::Path) {
        let marker = folder.join("marker");
        let Ok(before) = std::fs::read(&marker) else { return };
        let node = &mut self.world.nodes[number];
        node.start(folder, false).await;
        node.close().await;
        std::fs::write(&marker, before).expect("the marker can be written");
        self.world.common.faults.fire("marker one opening behind");
    }

    async fn hear(&mut self) {
        for met in self.world.ended() {
            let Ok(report) = met.report else { continue };
            if !report.settled {
                self.world.common.faults.fire("stopped in the middle of an exchange");
                continue;
            }
            self.trace.push(format!("{} and {} agree", met.from, met.to));
            self.settle(met.from, met.to, met.began).await;
        }
    }

    /// The notes of a device that have drafts; `None` if it cannot tell.
    pub(super) async fn open_notes(&self, device: usize) -> Option<BTreeSet<DocumentId>> {
        let node = self.world.nodes.get(device)?;
        node.disk.set_quiet(true);
        let rows = node.client()?.documents(None, None, None, 0, u64::MAX).await;
        node.disk.set_quiet(false);
        Some(rows.ok()?.into_iter().filter(|row| row.draft).map(|row| row.document).collect())
    }

    pub(super) async fn settle(&mut self, from: usize, to: usize, began: Instant) {
        let [_, second] = self.spaces;
        // What the third person has of the second space is never counted on: whether it was let in yet, who knows.
        // Nor what a device holds that was suspended: since when it shares nothing, and until when.
        let shares = |node: usize, space: SpaceId| {
            !self.world.out.contains(&self.world.nodes[node].key) && (space != second || !self.world.is_guests(node))
        };
        let alive = |node: usize| !self.world.nodes[node].is_dead() && self.world.nodes[node].since() < began;
        // A meeting with a database that was put back since says nothing of the present one.
        if to == RELAY && self.world.nodes[RELAY].since() < began {
            self.watcher.settled(from);
        }
        if alive(from)
            && alive(to)
            && let Some(open) = self.open_notes(from).await
        {
            self.ledger.meet((from, to), began, &open, shares);
        }
    }

    /// Somebody begins a note.
    async fn begin(&mut self, device: usize) -> Result<(SpaceId, DocumentId), ()> {
        let space = self.space_of(device);
        let client = self.world.nodes[device].client().cloned().ok_or(())?;
        let note = client.create_document(space, DocumentKind::Note).await.map_err(|_| ())?;
        self.note(&format!("{device} begins a note"));
        Ok((space, note))
    }

    fn space_of(&mut self, device: usize) -> SpaceId {
        let first = (self.world.is_guests(device) && !self.world.guest) || self.world.random.chance(70);
        if first { self.spaces[0] } else { self.spaces[1] }
    }

    fn note_of(&mut self, device: usize) -> (SpaceId, DocumentId) {
        let space = self.space_of(device);
        let notes: Vec<_> = self.notes.iter().filter(|(of, _)| *of == space).copied().collect();
        notes[self.world.random.below(notes.len())]
    }

    /// Somebody writes something that must never be lost.
    async fn write(&mut self, device: usize) -> Result<(), String> {
        let (space, note) = self.note_of(device);
        let Some(client) = self.world.nodes[device].client().cloned() else { return Ok(()) };
        self.written += 1;
        let text = format!("<{}:{}>", self.written, device);
        self.trace.push(format!("{device} writes {text}"));
        match client.command(note, None, insert(0, &text)).await {
            Ok(_) => self.ledger.save(text, space, note, device),
            Err(error) => self.may_fail(device, &error)?,
        }
        Ok(())
    }

    /// Somebody edits where others edit, too: it need not survive, it must only be the same everywhere in the end.
    async fn scribble(&mut self, device: usize) -> Result<(), String> {
        let (_, note) = self.note_of(device);
        let Some(client) = self.world.nodes[device].client().cloned() else { return Ok(()) };
        let View::Note(view) = (match client.view(note).await {
            Ok(view) => view.view,
            Err(error) => return self.may_fail(device, &error),
        }) else {
            return Ok(());
        };
        let length = view.section(Stage::Understanding).map_or(0, |text| text.text.chars().count());
        let random = &mut self.world.random;
        let pos = random.below(length + 1);
        let delete = random.below((length - pos).min(8) + 1);
        let letters = ["a", "bc", "\u{1230}\u{120b}\u{121d}", "d\ne", ""];
        let word = letters[random.below(letters.len())];
        if delete == 0 && word.is_empty() {
            return Ok(());
        }
        let number = |value: usize| u32::try_from(value).unwrap_or(0);
        let splice = Splice { pos: number(pos), delete: number(delete), insert: word.to_owned() };
        let command = Command::Note(NoteCommand::EditSection { stage: Stage::Understanding, splice });
        self.trace.push(format!("{device} edits"));
        match client.command(note, None, command).await {
            Ok(_) => Ok(()),
            // A meeting went on meanwhile and made the document anew: a fork that it brought took out what was looked at.
            Err(error) if error.code() == "POSITION_OUT_OF_RANGE" && !self.world.nodes[device].tasks.is_empty() => {
                Ok(())
            }
            Err(error) => self.may_fail(device, &error),
        }
    }

    /// I10: what is refused has an error and leaves everything as it was.
    async fn refused(&mut self, device: usize) -> Result<(), String> {
        let (_, note) = self.note_of(device);
        let Some(client) = self.world.nodes[device].client().cloned() else { return Ok(()) };
        let before = client.view(note).await;
        let Ok(before) = before else { return Ok(()) };
        let command = match self.world.random.below(3) {
            0 => {
                Command::Note(NoteCommand::SetFunction { scheme: "none".into(), function: "none".into(), weight: 101 })
            }
            1 => insert(u32::MAX, "far"),
            _ => Command::Note(NoteCommand::SetTitle { title: "two\nlines".into() }),
        };
        match client.command(note, None, command).await {
            Ok(_) => return Err("I10 a command that cannot be was taken".into()),
            Err(error) if is_of_the_disk(&error) => return self.may_fail(device, &error),
            Err(_) => self.world.common.faults.fire("command refused"),
        }
        let Ok(after) = client.view(note).await else { return Ok(()) };
        let text = |view: &View| serde_json::to_string(view).unwrap_or_default();
        // Others' changes may have come in meanwhile where nothing of ours is open.
        let same = text(&before.view) == text(&after.view) || !self.world.nodes[device].tasks.is_empty();
        if same { Ok(()) } else { Err(format!("I10 node {device}: a refused command changed what is shown")) }
    }

    /// Errors that a disk, a death or a missing note explain.
    fn may_fail(&mut self, device: usize, error: &alliance_client::Error) -> Result<(), String> {
        self.trace.push(format!("{device}: {error}"));
        // The last one until a suspension that came in is taken in, too.
        let stops = ["ROLE_FORBIDS", "DEVICE_SUSPENDED", "NOT_MEMBER"].contains(&error.code());
        let reads = stops && self.ledger.was_judged(device);
        let explained = reads || is_of_the_disk(error) || error.code() == "UNKNOWN_DOCUMENT";
        if explained { Ok(()) } else { Err(format!("node {device}: {error}")) }
    }

    /// Asha lets the third person into the second space.
    async fn admit(&mut self) -> Result<(), String> {
        let Some(client) = self.world.nodes[0].client().cloned() else { return Ok(()) };
        self.note("0 lets 2 into the second space");
        match client.confirm(&self.guest.invitation, &self.guest.words).await {
            Ok(_) => self.world.common.faults.fire("somebody let in"),
            Err(error) => self.may_fail(0, &error)?,
        }
        // A disk that fails may have kept it all the same.
        self.world.guest = true;
        Ok(())
    }
}
