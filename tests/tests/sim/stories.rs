//! What the simulator found, each as a story of its own: the same nodes, nothing left to chance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::sync::Arc;

use alliance_client::{NewSpace, Role, Rules, Source};
use alliance_crypto::{MembershipRules, Verified};
use alliance_model::DocumentKind;
use alliance_store::device::{DeviceOp, EntryRef, EntryState};
use alliance_store::{Replica as _, Spaces};
use alliance_sync::{Outgoing, Part, Since};
use alliance_tests::people::insert;
use alliance_tests::random::Random;
use alliance_tests::sim::disk::copy_files;
use alliance_tests::sim::fixture::{self, Fixture, RELAY};
use alliance_tests::sim::hand::{Hand, Stranger};
use alliance_tests::sim::storm::Storm;
use alliance_tests::sim::story::{ASHA, BEN, CHLOE, Story, story, world};
use alliance_tests::sim::world::{runtime, scratch};

/// A relay lost its disk, and the device has written since. Right behind its Hello it sent what the lost database had
/// not acknowledged; the new one took that for a presentation that fails, and heard nothing more of the space.
#[test]
fn a_lost_relay_heals_from_a_device_that_has_something_newer() {
    story(|mut story| async move {
        story.write(ASHA, "Before. ").await;
        story.sync(ASHA).await;
        assert!(story.relay_has_what(ASHA).await, "the control: the relay has everything");
        story.write(ASHA, "Since. ").await;
        story.world.client(ASHA).seal_all().await.unwrap();
        story
            .relay_goes_on_with(|before, next| {
                std::fs::copy(before.join("secrets"), next.join("secrets")).unwrap();
            })
            .await;
        assert!(!story.relay_has_what(ASHA).await, "it is lost");
        let report = story.sync(ASHA).await;
        assert!(report.settled && story.relay_has_what(ASHA).await, "{report:?}");
    });
}

/// A relay was restored. It took what a device sent ahead to the database before it, and acknowledged with it what only
/// that had; the device took this for an acknowledgement of what was not sent and hung up, at every meeting.
#[test]
fn a_restored_relay_acknowledges_nothing_that_it_lost() {
    story(|mut story| async move {
        let backup = story.world.nodes[RELAY].next_folder();
        copy_files(&story.world.nodes[RELAY].folder, &backup).unwrap();
        std::fs::remove_file(backup.join("marker")).unwrap();
        story.write(ASHA, "Asha's. ").await;
        story.sync(ASHA).await;
        story.sync(BEN).await;
        assert!(story.relay_has_what(BEN).await, "the control: the relay has everything");
        story.relay_goes_on_with(|_, next| copy_files(&backup, &next).unwrap()).await;
        assert!(!story.relay_has_what(BEN).await, "it has lost what Asha wrote");
        story.write(BEN, "Ben's. ").await;
        let report = story.sync(BEN).await;
        assert!(report.settled && story.relay_has_what(BEN).await, "{report:?}");
    });
}

/// A relay takes 24 receipts of a device in a day. The next was refused without naming an entry, and the device took
/// the whole space for refused: the two then waited for each other until one hung up.
#[test]
fn a_receipt_too_many_keeps_nothing_else_back() {
    story(|mut story| async move {
        let mut refused = 0;
        for n in 0..30 {
            story.write(ASHA, &format!("{n}. ")).await;
            let report = story.sync(ASHA).await;
            refused += report.refused.len();
            assert!(report.settled && story.relay_has_what(ASHA).await, "meeting {n}: {report:?}");
        }
        assert!(refused > 0, "the relay never refused a receipt: this proves nothing");
    });
}

/// The relay's disk was full. A vector that it told while it wrote had counted what the disk then refused, and the
/// `Upto` behind it was acknowledged.
#[test]
fn what_a_full_disk_refused_is_sent_again_when_there_is_room() {
    story(|mut story| async move {
        story.write(ASHA, "No room. ").await;
        story.world.nodes[RELAY].disk.set_full(true);
        // The meeting may end in order or not; what counts is what is said of the entry.
        let full = story.world.sync(ASHA, RELAY).await;
        println!("{full:?}");
        assert!(!story.relay_has_what(ASHA).await, "there was no room for it");
        let status = story.world.client(ASHA).status().await.unwrap();
        let said = status.spaces.iter().find(|status| status.space == story.space).unwrap().delivery;
        assert!(!said.on_relay && said.unsent > 0, "nor is it said to be there: {said:?}");
        story.world.nodes[RELAY].disk.set_full(false);
        let report = story.sync(ASHA).await;
        assert!(report.settled && story.relay_has_what(ASHA).await, "{report:?}");
    });
}

/// What a hostile member puts into its own store, to hand it to everybody.
#[derive(Debug, Clone, Copy)]
enum Attack {
    /// What a stranger wrote.
    Outsider,
    /// A stranger's word on the membership.
    StrangersWord,
    /// It lets somebody in, as only the steward may, and hands on what that one writes.
    Adds,
    /// A key box for a stranger: an epoch whose boxes name others than members is used by nobody.
    Box,
}

/// Ben hands everybody what no program of ours would write; says which invariant breaks then, for those who hold to
/// these rules, and how many epochs the space has afterwards.
fn under_attack(fixture: &Fixture, rules: Rules, attack: Attack) -> (Result<usize, String>, usize) {
    let all = MembershipRules::ALL;
    let membership = MembershipRules { table: false, strangers: false, void_boxes: false, ..all };
    let lax = Rules { check_chain: false, check_membership: false, membership, ..Rules::ALL };
    runtime().block_on(async {
        let folder = scratch();
        let mut world = world(fixture, folder.path(), rules).await;
        let space = fixture.spaces[0];
        let ben = &mut world.nodes[BEN];
        ben.close().await;
        let (hand, stranger) = (Hand::take(ben, lax).await, Stranger::new(77));
        let entries = match attack {
            Attack::Outsider => vec![hand.data_of(space, &stranger).await],
            Attack::StrangersWord => vec![hand.membership_of(space, &stranger).await],
            Attack::Adds => vec![hand.add(space, &stranger).await, hand.data_of(space, &stranger).await],
            Attack::Box => vec![hand.box_for(space, &stranger).await],
        };
        hand.put(entries).await;
        hand.close();
        (ben.rules, ben.hostile) = (lax, true);
        let folder = ben.folder.clone();
        ben.start(&folder, false).await;
        let mut storm = Storm::new(world, fixture);
        // Whatever comes of it.
        let met = storm.world.sync(BEN, RELAY).await;
        println!("{attack:?}: Ben and the relay meet: {met:?}");
        let _ = storm.world.sync(ASHA, RELAY).await;
        let note = fixture.notes[0].1;
        storm.world.client(ASHA).command(note, None, insert(0, "Asha's own. ")).await.unwrap();
        storm.ledger.save("Asha's own. ".into(), space, note, ASHA);
        let kept = storm.calm().await;
        let memberships = Spaces::under(rules.membership, storm.world.client(ASHA).replica().clone(), 1_024);
        let membership = memberships.membership(space).await.unwrap().unwrap();
        (kept, membership.payloads().filter(|(_, payload)| payload.operation.epoch().is_some()).count())
    })
}

/// Each rule by which entries are judged is needed: a hostile member breaks an invariant where everybody has it off,
/// and none where they have not.
#[test]
fn without_a_rule_a_hostile_member_breaks_an_invariant() {
    let (all, fixture) = (Rules::ALL, Fixture::new());
    let member = |membership| Rules { membership, ..all };
    let every = MembershipRules::ALL;
    let attacks = [
        (Attack::Outsider, Rules { check_membership: false, ..all }, "I7"),
        (Attack::StrangersWord, member(MembershipRules { strangers: false, ..every }), "I7"),
        (Attack::Adds, member(MembershipRules { table: false, ..every }), "I7"),
    ];
    for (attack, rules, invariant) in attacks {
        let (broken, _) = under_attack(&fixture, rules, attack);
        println!("{attack:?} without the rule: {broken:?}");
        assert!(broken.as_ref().is_err_and(|what| what.contains(invariant)), "{attack:?}: {broken:?}");
        let (kept, _) = under_attack(&fixture, all, attack);
        assert!(kept.is_ok(), "{attack:?} with the rule: {kept:?}");
    }
}

/// A key box for nobody would make an epoch useless: where it counts, everybody has to make another one, and does. Where
/// it is void, nobody need.
#[test]
fn a_key_box_for_nobody_has_nobody_make_another_epoch() {
    let fixture = Fixture::new();
    let lax = Rules { membership: MembershipRules { void_boxes: false, ..MembershipRules::ALL }, ..Rules::ALL };
    let (without, more) = under_attack(&fixture, lax, Attack::Box);
    let (with, epochs) = under_attack(&fixture, Rules::ALL, Attack::Box);
    assert!(without.is_ok() && with.is_ok(), "{without:?} {with:?}");
    assert!(more > epochs, "{more} epochs where the box counts, {epochs} where it is void");
}

/// A reader's own program may let it write; nobody else shows it (I7).
#[test]
fn what_a_reader_writes_is_shown_to_nobody() {
    let fixture = Fixture::new();
    let every = MembershipRules::ALL;
    let lax = Rules { membership: MembershipRules { readers: false, ..every }, ..Rules::ALL };
    let shown = |rules: Rules| {
        runtime().block_on(async {
            let folder = scratch();
            let mut world = world(&fixture, folder.path(), rules).await;
            let space = world.client(ASHA).create_space("To read", NewSpace::Group).await.unwrap().space;
            world.sync(ASHA, RELAY).await.unwrap();
            fixture::admit(&mut world, space, CHLOE, Role::Reader).await;
            let note = world.client(ASHA).create_document(space, DocumentKind::Note).await.unwrap();
            world.client(ASHA).command(note, None, insert(0, "To be read. ")).await.unwrap();
            for device in [ASHA, CHLOE] {
                world.sync(device, RELAY).await.unwrap();
            }
            let honest = world.client(CHLOE).command(note, None, insert(0, "Honest. ")).await;
            let chloe = &mut world.nodes[CHLOE];
            chloe.close().await;
            chloe.rules = lax;
            let folder = chloe.folder.clone();
            chloe.start(&folder, false).await;
            world.client(CHLOE).command(note, None, insert(0, "A reader's. ")).await.unwrap();
            for device in [CHLOE, ASHA] {
                world.sync(device, RELAY).await.unwrap();
            }
            let view = serde_json::to_string(&world.client(ASHA).view(note).await.unwrap().view).unwrap();
            assert!(view.contains("To be read. "), "{view}");
            (honest.map(|_| ()), view.contains("A reader's. "))
        })
    };
    assert!(shown(lax).1, "without the rule a reader's words are shown");
    let (honest, words) = shown(Rules::ALL);
    assert!(honest.is_err_and(|error| error.code() == "ROLE_FORBIDS") && !words, "with it they are not");
}

/// A process died between the row that says "this is tried" and its outcome. Nothing was wrong with the entry, and it
/// was held until an update; now it is tried again, and held when the third start in a row finds it so.
#[test]
fn an_interrupted_trial_is_tried_again() {
    story(|mut story| async move {
        story.write(BEN, "Ben's. ").await;
        story.sync(BEN).await;
        // What Asha's process took into its log before it died, and not into its documents.
        let theirs = entries_of(&story, BEN).await;
        story.world.nodes[ASHA].close().await;
        let hand = Hand::take(&story.world.nodes[ASHA], Rules::ALL).await;
        let before = hand.entries(story.space).await;
        let new: Vec<Verified> = theirs.into_iter().filter(|entry| !before.contains(&entry.hash())).collect();
        let [entry] = new.as_slice() else { panic!("one entry is new: {}", new.len()) };
        let place = EntryRef { space: story.space, log: entry.log(), seq: entry.seq() };
        let begin = DeviceOp::BeginTrying { document: story.note, entries: vec![place] };
        hand.put(vec![entry.clone()]).await;
        let upto = hand.device.applied_upto(story.space).await.unwrap();
        hand.device.apply(vec![begin.clone()]).await.unwrap();
        hand.close();
        let mut found = Vec::new();
        for death in 1..=4 {
            let folder = story.world.nodes[ASHA].folder.clone();
            story.world.nodes[ASHA].start(&folder, false).await;
            let view = serde_json::to_string(&story.world.client(ASHA).view(story.note).await.unwrap().view).unwrap();
            story.world.nodes[ASHA].close().await;
            let hand = Hand::take(&story.world.nodes[ASHA], Rules::ALL).await;
            found.push((view.contains("Ben's. "), hand.device.entry_state(place).await.unwrap()));
            // It is as if the process had died in the trial that just went well; but the last time it did not.
            if death < 3 {
                let state = if death == 1 { EntryState::Waiting(7) } else { EntryState::Waiting(8) };
                let back = DeviceOp::SetApplied { space: story.space, arrival: upto };
                let row = DeviceOp::SetEntry { entry: place, document: None, state };
                hand.device.apply(vec![begin.clone(), back, row]).await.unwrap();
            }
            hand.close();
        }
        println!("{found:?}");
        let shown: Vec<bool> = found.iter().map(|(shown, _)| *shown).collect();
        let states: Vec<_> = found.iter().map(|(_, state)| *state).collect();
        let held = Some(EntryState::ParkedUntil(2));
        assert_eq!(states, [Some(EntryState::Applied), Some(EntryState::Applied), held, held]);
        assert!(shown[0], "it is tried again, and shown");
    });
}

/// Meetings until the relay has what a device wrote, over lines that break after so many bytes; `None`: not in fifty.
fn meetings_on_breaking_lines(fixture: &Fixture, rules: Rules, bytes: Option<usize>) -> Option<usize> {
    runtime().block_on(async {
        let folder = scratch();
        let mut story = Story::begin(fixture, folder.path(), rules).await;
        let mut random = Random::new(3);
        for _ in 0..48 {
            // Nothing that could be compressed.
            let text: String = (0..8_000).map(|_| char::from(b'!' + u8::try_from(random.below(90)).unwrap())).collect();
            let client = story.world.client(ASHA);
            story.note = client.create_document(story.space, DocumentKind::Note).await.unwrap();
            story.write(ASHA, &text).await;
            client.seal_all().await.unwrap();
        }
        story.world.common.network.set_breaking(bytes);
        for meeting in 1..=50 {
            // It breaks in the middle, more often than not.
            let _ = story.world.sync(ASHA, RELAY).await;
            if story.relay_has_what(ASHA).await {
                return Some(meeting);
            }
        }
        None
    })
}

/// R8, I5: on lines that break before all has gone over, each meeting goes on where the one before it ended.
#[test]
fn lines_that_break_bring_everything_over_piece_by_piece() {
    let fixture = Fixture::new();
    let again = Rules { resume: false, ..Rules::ALL };
    let bytes = Some(200_000);
    assert_eq!(meetings_on_breaking_lines(&fixture, again, None), Some(1), "the control: a line that holds");
    assert_eq!(meetings_on_breaking_lines(&fixture, again, bytes), None, "without the rule, never");
    for (bytes, most) in [(200_000, 8), (30_000, 40)] {
        let meetings = meetings_on_breaking_lines(&fixture, Rules::ALL, Some(bytes));
        println!("{meetings:?} meetings of {bytes} bytes");
        assert!(meetings.is_some_and(|meetings| (2..=most).contains(&meetings)), "{meetings:?}");
    }
}

/// A random source said the same again, and the id of a new note was that of an older one, whose place it took.
#[test]
fn a_random_source_that_repeats_itself_makes_no_note_twice() {
    story(|story| async move {
        let (client, source) = (story.world.client(ASHA), Arc::clone(&story.world.nodes[ASHA].source));
        let drawn = || {
            source.repeat();
            let mut bytes = [0; 32];
            assert!(Source::fill(&*source, &mut bytes));
            bytes
        };
        assert_eq!(drawn(), drawn(), "the control: it says the same again");
        source.repeat();
        let one = client.create_document(story.space, DocumentKind::Note).await.unwrap();
        client.command(one, None, insert(0, "The first. ")).await.unwrap();
        source.repeat();
        let other = client.create_document(story.space, DocumentKind::Note).await.unwrap();
        let view = serde_json::to_string(&client.view(one).await.unwrap().view).unwrap();
        assert!(one != other && view.contains("The first. "), "{one} {other}: {view}");
    });
}

/// A draft was begun on what a cut-off then took out. It waited, and went on waiting when that was let in again: nobody
/// saw it, its author included, until the document was read from the disk anew.
#[test]
fn a_draft_on_what_was_kept_back_comes_back_with_it() {
    story(|mut story| async move {
        let shown = async |story: &Story, device: usize| {
            serde_json::to_string(&story.world.client(device).view(story.note).await.unwrap().view).unwrap()
        };
        story.write(CHLOE, "Unheard. ").await;
        story.world.sync(CHLOE, BEN).await.unwrap();
        assert!(shown(&story, BEN).await.contains("Unheard. "), "he has read it");
        story.write(BEN, "A draft. ").await;
        let chloe = story.world.nodes[CHLOE].key.to_string();
        story.world.client(ASHA).set_role(story.space, &chloe, Role::Reader).await.unwrap();
        // Whoever is dialled seals nothing.
        story.world.sync(ASHA, BEN).await.unwrap();
        assert!(!shown(&story, BEN).await.contains("A draft. "), "the control: the draft waits");
        let offered = story.world.client(ASHA).offered(story.space).await.unwrap();
        story.world.client(ASHA).admit(story.space, &[&offered[0].id]).await.unwrap();
        story.world.sync(ASHA, BEN).await.unwrap();
        assert!(shown(&story, BEN).await.contains("A draft. Unheard. "), "it is there again");
        story.world.sync(BEN, ASHA).await.unwrap();
        assert!(shown(&story, ASHA).await.contains("A draft. Unheard. "));
    });
}

/// The entries of a space that a device holds.
async fn entries_of(story: &Story, device: usize) -> Vec<Verified> {
    let since = Since { space: story.space, after: 0, part: Part::Everything, bytes: 1 << 20 };
    let page = story.world.nodes[device].replica().unwrap().since(since).await.unwrap();
    let verified = |item| match item {
        Outgoing::Entry(name, entry) => Verified::verify(story.space, &name, entry).ok(),
        Outgoing::Receipt(_) | Outgoing::Fork(..) => None,
    };
    page.items.into_iter().filter_map(verified).collect()
}

/// I8 is looked at: a device that reaches its disk again and again for nothing is noticed; the control is the same
/// meetings without that.
#[test]
fn work_that_nothing_on_the_line_explains_is_noticed() {
    let fixture = Fixture::new();
    let calm = |busy: bool| {
        runtime().block_on(async {
            let folder = scratch();
            let world = world(&fixture, folder.path(), Rules::ALL).await;
            let mut storm = Storm::new(world, &fixture);
            if busy {
                let replica = storm.world.nodes[ASHA].replica().unwrap().clone();
                tokio::spawn(async move {
                    while replica.spaces().await.is_ok() {
                        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    }
                });
            }
            storm.calm().await
        })
    };
    assert!(calm(false).is_ok());
    let busy = calm(true);
    assert!(busy.as_ref().is_err_and(|what| what.starts_with("I8 ")), "{busy:?}");
}
