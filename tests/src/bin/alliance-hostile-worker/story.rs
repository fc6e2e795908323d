//! The story: an honest steward, an honest member, a hostile one, and a document for every fifty mutations.

use std::collections::BTreeMap;
use std::time::Instant;

use alliance_client::{Client, DocumentId};
use alliance_document::gate::Verdict;
use alliance_model::note::{NoteCommand, Stage};
use alliance_model::{CivilDate, Command};
use alliance_store::Fresh;
use alliance_store::device::DeviceOp;
use alliance_tests::hostile::{Member, PASSPHRASE, admit, group, meet, open_store, options, person};
use alliance_tests::random::Random;
use alliance_wire::{Incarnation, Instance, SpaceId};
use serde_json::Value;
use tempfile::TempDir;

use crate::document::{Attack, Target, edit};
use crate::say;

/// Mutations in one document, delivered in one contact.
const BATCH: usize = 50;

struct Story {
    random: Random,
    victim: Client,
    space: SpaceId,
    mallory: Member,
    /// Documents that were attacked.
    done: Vec<Target>,
    admitted: BTreeMap<&'static str, u64>,
    sent: usize,
    /// Documents in which the hostile member's change was admitted unharmed at the end.
    controls: usize,
}

/// Delivers `count` mutations, and everything that honest people write between them.
pub(crate) async fn play(seed: u64, count: usize) {
    let started = Instant::now();
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    let victim = person(&place("amina"), "Amina", &mut random).await;
    let ben = person(&place("ben"), "Ben", &mut random).await;
    let mallory = person(&place("mallory"), "Mallory", &mut random).await;
    let space = group(&victim).await;
    admit(&victim, space, &ben).await;
    admit(&victim, space, &mallory).await;
    mallory.close().await.expect("the store closes");
    let mallory = Member::take_over(&place("mallory"), space, Random::new(random.next())).await;
    let (done, admitted) = (Vec::new(), BTreeMap::new());
    let mut story = Story { random, victim, space, mallory, done, admitted, sent: 0, controls: 0 };
    let mut next = story.begin().await;
    story.write_into(&mut next).await;
    while story.sent < count {
        let following = story.attack(seed, next, count).await;
        next = following;
    }
    let meeting = Instant::now();
    story.meets(&ben).await;
    say(&format!("an honest member takes everything in: {} ms", meeting.elapsed().as_millis()));
    story.survives(&folder).await;
    ben.close().await.expect("the store closes");
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for (code, entries) in story.done.iter().flat_map(|target| &target.codes) {
        *codes.entry(code).or_default() += entries;
    }
    let (parked, taken): (u64, u64) = (codes.values().sum(), story.admitted.values().sum());
    assert_eq!(parked + taken, u64::try_from(story.sent).expect("a count"));
    assert!(codes.len() > 12 && parked > taken * 3, "many rules park, and most mutations are parked");
    assert!(story.controls * 2 > story.done.len(), "{} of {} controls", story.controls, story.done.len());
    say(&format!("codes: {codes:?}"));
    say(&format!("what a member may well write: {:?}", story.admitted));
    say(&format!(
        "seed {seed}: {} mutations in {} documents, {parked} parked, {taken} admitted, {} ms",
        story.sent,
        story.done.len(),
        started.elapsed().as_millis()
    ));
}

impl Story {
    /// The hostile member begins another document, and the victim gets it at their next meeting.
    async fn begin(&mut self) -> Target {
        let mut target = Target::new(
            alliance_model::DocumentKind::Note.document_id(self.random.bytes16()),
            (self.mallory.key, self.mallory.incarnation),
        );
        let begun = target.begin();
        let body = self.mallory.changes(target.id, 0, vec![begun]);
        self.mallory.write(vec![body]).await;
        target
    }

    /// They meet; the victim writes into the new document, and they meet again.
    async fn write_into(&mut self, target: &mut Target) {
        self.deliver().await;
        self.honest_text(target.id, 9, 3, "spoke in").await;
        self.deliver().await;
        self.catch_up(target).await;
    }

    async fn deliver(&self) {
        let met = self.mallory.visit(&self.victim, |_| Vec::new()).await;
        assert!(met.settled && met.refused.is_empty(), "{met:?}");
        let report = met.theirs.expect("a client").expect("a member is served");
        assert_eq!((report.diverged, report.forks, report.refused.len()), (0, 0, 0), "{report:?}");
    }

    async fn honest_text(&self, document: DocumentId, pos: u32, delete: u32, text: &str) {
        let date = CivilDate::new(2026, 12, 1 + u8::try_from(pos).expect("near the beginning")).expect("a date");
        for command in [edit(Stage::Exploration, pos, delete, text), Command::Note(NoteCommand::SetDate { date })] {
            self.victim.command(document, None, command).await.expect("an honest author writes");
        }
        self.victim.seal(document).await.expect("what was written is sealed");
    }

    /// The hostile member reads what the victim wrote since.
    async fn catch_up(&self, target: &mut Target) {
        for (name, changes) in self.mallory.read(target.id).await {
            assert_eq!(name.device, self.victim.whoami().device);
            let changes: Vec<Vec<u8>> = changes.changes.into_iter().map(Vec::from).collect();
            target.receive((name.device, name.incarnation), "Amina", 0, &changes);
        }
    }

    async fn shown(&self, document: DocumentId) -> (Value, BTreeMap<String, u64>) {
        let view = self.victim.view(document).await.expect("the document can be shown");
        let parked = view.parked.into_iter().map(|parked| {
            assert_eq!(parked.by, "Mallory");
            (parked.code, parked.entries)
        });
        (serde_json::to_value(&view.view).expect("a view is plain data"), parked.collect())
    }

    async fn send(&mut self, target: &Target, attacks: &[Attack]) {
        let mut bodies = Vec::new();
        for attack in attacks {
            bodies.push(self.mallory.changes(target.id, attack.actor, vec![attack.bytes.clone()]));
        }
        self.mallory.write(bodies).await;
    }

    /// Attacks one document, and returns the next.
    async fn attack(&mut self, seed: u64, mut target: Target, count: usize) -> Target {
        let (before, parked) = self.shown(target.id).await;
        assert_eq!((&before, parked.len()), (&target.view(), 0), "before the attack");
        let attacks = target.attacks(seed, BATCH.min(count - self.sent));
        assert!(!attacks.is_empty(), "the honest change fits a fresh document");
        let (from, to) = (self.sent, self.sent + attacks.len());
        self.sent = to;
        say(&format!("seed {seed}: mutations {from}..{to} of document {}", target.id));
        self.send(&target, &attacks).await;
        let mut next = self.begin().await;
        self.deliver().await;

        let context = || {
            let list = |(n, attack): (usize, &Attack)| format!("{}: {} {:?}", from + n, attack.what, attack.verdict);
            format!("seed {seed}:\n{}", attacks.iter().enumerate().map(list).collect::<Vec<_>>().join("\n"))
        };
        let (after, parked) = self.shown(target.id).await;
        assert_eq!(parked, target.codes, "{}", context());
        assert_eq!(after, target.view(), "{}", context());
        let taken = attacks.iter().filter(|attack| attack.verdict == Verdict::Admitted);
        let mut none = true;
        for attack in taken {
            *self.admitted.entry(attack.what).or_default() += 1;
            none = false;
        }
        assert!(!none || after == before, "nothing was admitted, so nothing changed: {}", context());

        // The honest author goes on, in the document that was attacked and in the next one.
        self.honest_text(target.id, 0, 0, "And on. ").await;
        self.honest_text(next.id, 9, 3, "spoke in").await;
        let (with_text, _) = self.shown(target.id).await;
        let shown = with_text.to_string();
        assert!(shown.contains("And on. ") && shown.contains("2026-12-01"), "{}", context());
        // The control: the same change unharmed, behind all that was parked, is shown.
        let (known, control) = (target.document.content_id(), target.control());
        if let Some(control) = control {
            assert_ne!(target.document.content_id(), known, "the honest change changes the document");
            self.send(&target, &[control]).await;
            self.controls += 1;
        }
        self.deliver().await;
        self.catch_up(&mut next).await;
        self.catch_up_late(&mut target).await;
        let (last, parked) = self.shown(target.id).await;
        assert_eq!((last, &parked), (target.view(), &target.codes), "{}", context());
        self.done.push(target);
        next
    }

    /// Of a document that the hostile member began to attack before, only the victim's last entry is new.
    async fn catch_up_late(&self, target: &mut Target) {
        let (name, changes) = self.mallory.read(target.id).await.pop().expect("the victim wrote");
        let changes: Vec<Vec<u8>> = changes.changes.into_iter().map(Vec::from).collect();
        target.receive((name.device, name.incarnation), "Amina", 0, &changes);
    }

    /// An honest member who was away gets everything in one meeting, writes, and both see the same.
    async fn meets(&self, ben: &Client) {
        meet(&self.victim, ben).await;
        self.same(ben).await;
        for target in self.done.iter().step_by(8) {
            let command = edit(Stage::Exploration, 0, 0, "Ben too. ");
            ben.command(target.id, None, command).await.expect("an honest member writes");
        }
        meet(&self.victim, ben).await;
        self.same(ben).await;
    }

    async fn same(&self, ben: &Client) {
        let (a, b) = (documents(&self.victim, self.space).await, documents(ben, self.space).await);
        assert_eq!(a, b, "two honest replicas show the same");
        assert_eq!(a.len(), self.done.len() + 1);
    }

    /// The victim's store, closed and opened, shows the same; so do documents that are made anew from the log.
    async fn survives(&self, folder: &TempDir) {
        let place = folder.path().join("amina");
        let before = documents(&self.victim, self.space).await;
        self.victim.close().await.expect("the store closes");
        let again = Client::open(&place, PASSPHRASE, options()).await.expect("the store opens");
        assert_eq!(documents(&again, self.space).await, before, "after closing and opening");
        again.close().await.expect("the store closes");
        let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([1; 16]) };
        let (device, _) = open_store(&place, fresh);
        for target in &self.done {
            let mut saved = device.document(self.space, target.id).await.expect("the store answers").expect("saved");
            saved.saved = vec![0; 20];
            device.apply(vec![DeviceOp::PutDocument(saved)]).await.expect("the store takes it");
        }
        device.close();
        let anew = Client::open(&place, PASSPHRASE, options()).await.expect("the store opens");
        assert_eq!(documents(&anew, self.space).await, before, "made anew from the log");
        anew.close().await.expect("the store closes");
    }
}

async fn documents(client: &Client, space: SpaceId) -> Vec<Value> {
    let exported = client.export(Some(space)).await.expect("everything can be exported");
    exported["spaces"][0]["documents"].as_array().expect("a list").clone()
}
