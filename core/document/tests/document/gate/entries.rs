//! What becomes of entries one after the other, and of what is cached.

use std::collections::BTreeSet;

use alliance_document::Document;
use alliance_document::gate::{
    Candidate, Gate, ParkCode, Recovery, Rules, Trying, Verdict, Waiting, change_id, rebuild,
};
use alliance_model::agreement::{AgreementCommand as A, ClauseSection, Modality};
use alliance_model::{Command, DocumentKind, ItemId, Splice};

use super::{asha_op, cut_out, scene, type_in, verdict, with_ops, with_parts};
use crate::mutate::Parts;
use crate::support::replica::{DOCUMENT, Replica, actor_of, person, person_of};

#[test]
fn entries_stand_or_fall_as_a_whole_and_wait_for_their_log() {
    let (asha, honest) = scene();
    let empty = Candidate { changes: Vec::new(), ..honest.clone() };
    assert_eq!(verdict(&asha, &empty), Verdict::ParkedForGood(ParkCode::EntryLimit));
    let many = Candidate { changes: vec![honest.changes[0].clone(); 17], ..honest.clone() };
    assert_eq!(verdict(&asha, &many), Verdict::ParkedForGood(ParkCode::EntryLimit));
    let bad = with_parts(|p| (p.seq, p.deps) = (3, vec![change_id(&honest.changes[0]).unwrap().0]));
    let half = Candidate { changes: vec![honest.changes[0].clone(), bad], ..honest.clone() };
    assert_eq!(
        verdict(&asha, &half),
        Verdict::ParkedForGood(ParkCode::StartOp),
        "the first change goes with the second"
    );
    let mut replica = asha.clone();
    replica.receive(std::slice::from_ref(&honest));
    let before = replica.document.content_id();
    replica.receive(std::slice::from_ref(&honest));
    assert_eq!(replica.document.content_id(), before, "handing in again changes nothing");
    let newer = Candidate { schema: DocumentKind::Note.schema() + 1, ..honest.clone() };
    assert_eq!(verdict(&asha, &newer), Verdict::Waiting(Waiting::SchemaNewer));
    let mut replica = asha.clone();
    let judged = replica.judge(&[newer, Candidate { entry: 1, ..honest.clone() }]);
    assert_eq!(judged.verdicts[1].1, Verdict::Waiting(Waiting::Behind), "later entries of the log wait behind it");

    // What builds on a change that is parked for good is parked too.
    let bad = with_ops(|o| o[0].pred = vec![asha_op(900)].into());
    let bad_id = change_id(&bad).unwrap();
    let mut carol = Parts::parse(&honest.changes[0]).unwrap();
    carol.deps = vec![bad_id.0];
    let builds_on_it = Candidate {
        entry: 1,
        actor: actor_of("carol"),
        person: person_of("carol"),
        schema: 1,
        changes: vec![carol.encode()],
    };
    let mut replica = asha.clone();
    let judged = replica.judge(&[Candidate { changes: vec![bad], ..honest }, builds_on_it]);
    assert_eq!(judged.verdicts[1].1, Verdict::ParkedForGood(ParkCode::DependsOnParked));
}

/// A gate that is opened from the cache and told what was parked judges like the one that parked it.
#[test]
fn what_was_parked_is_remembered() {
    let (asha, honest) = scene();
    let bad = Candidate { changes: vec![with_ops(|o| o[0].pred = vec![asha_op(900)].into())], ..honest.clone() };
    let id = change_id(&bad.changes[0]).unwrap();
    let mut parts = Parts::parse(&honest.changes[0]).unwrap();
    parts.deps = vec![id.0];
    let builds_on_it = Candidate {
        entry: 1,
        actor: actor_of("carol"),
        person: person_of("carol"),
        schema: 1,
        changes: vec![parts.encode()],
    };
    let mut gate = Gate::open(&asha.document, Rules::ALL, person).unwrap();
    let judge = |gate: &mut Gate| gate.judge(std::slice::from_ref(&builds_on_it)).verdicts[0].1;
    assert_eq!(judge(&mut gate), Verdict::Waiting(Waiting::Missing));
    gate.remember(id, ParkCode::Actor);
    assert_eq!(judge(&mut gate), Verdict::Waiting(Waiting::Missing), "a wrong entry says nothing of the change");
    gate.remember(id, ParkCode::Pred);
    assert_eq!(judge(&mut gate), Verdict::ParkedForGood(ParkCode::DependsOnParked));
    for code in ParkCode::ALL {
        assert_eq!(ParkCode::from_code(code.code()), Some(*code));
    }
}

/// Every order of arrival ends in one state, and a gate opened from the cache judges like the one that grew.

#[test]
fn arrival_order_does_not_matter() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    for turn in 0..6_u32 {
        let a = asha.write(&[type_in(turn, "a")]);
        let b = ben.write(&[type_in(0, "b"), cut_out(0, 1)]);
        asha.receive(&[b]);
        ben.receive(&[a]);
    }
    let mut all: Vec<Candidate> = asha.log.iter().chain(&ben.log).cloned().collect();
    for (entry, candidate) in (0..).zip(&mut all) {
        candidate.entry = entry;
    }
    let log: Vec<Candidate> = all.clone();
    for shift in 0..4 {
        // One by one, each author's in order: those that wait are handed in again.
        let mut carol = Replica::new("carol", DocumentKind::Note);
        let mut pending: Vec<Candidate> = Vec::new();
        let (mut first, mut second) = (log[..6].to_vec(), log[6..].to_vec());
        first.rotate_left(0);
        while !(first.is_empty() && second.is_empty()) {
            let source = if second.is_empty() || (!first.is_empty() && (first.len() + shift) % 3 > 0) {
                &mut first
            } else {
                &mut second
            };
            pending.push(source.remove(0));
            let judged = carol.judge(&pending);
            let waiting: Vec<u64> =
                judged.verdicts.iter().filter(|(_, v)| matches!(v, Verdict::Waiting(_))).map(|(e, _)| *e).collect();
            pending.retain(|candidate| waiting.contains(&candidate.entry));
        }
        assert!(pending.is_empty());
        assert_eq!(carol.document.content_id(), asha.document.content_id());
        assert_eq!(carol.note(), asha.note());
        let bytes = carol.document.verified_save().unwrap();
        let loaded = Document::load(DOCUMENT, DocumentKind::Note, &bytes).unwrap();
        let gate = Gate::open(&loaded, Rules::ALL, person).unwrap();
        assert_eq!(gate.index().len(), carol.gate.index().len());
        assert_eq!(gate.index().rows(), carol.gate.index().rows());
    }
}

#[test]
fn a_held_change_parks_what_waits_behind_it_and_nothing_else() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    let a1 = asha.write(&[type_in(0, "one ")]);
    ben.receive(std::slice::from_ref(&a1));
    let b1 = ben.write(&[type_in(4, "two ")]);
    let a2 = asha.write(&[type_in(4, "apart ")]);
    asha.receive(std::slice::from_ref(&b1));
    let a3 = asha.write(&[type_in(0, "on both ")]);
    let log: Vec<Candidate> =
        [a1, a2, a3, b1].into_iter().zip(0..).map(|(c, entry)| Candidate { entry, ..c }).collect();
    let control = rebuild(DOCUMENT, DocumentKind::Note, Rules::ALL, &log, &BTreeSet::new());
    assert!(control.held.is_empty());
    assert_eq!(control.document.content_id(), asha.document.content_id());

    let id = change_id(&log[3].changes[0]).unwrap();
    let rebuilt = rebuild(DOCUMENT, DocumentKind::Note, Rules::ALL, &log, &BTreeSet::from([id]));
    let verdicts: Vec<Verdict> = rebuilt.verdicts.iter().map(|(_, verdict)| *verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Admitted, Verdict::Admitted, Verdict::Waiting(Waiting::Behind), Verdict::ParkedUntilUpdate(id)]
    );
    rebuilt.document.verified_save().unwrap();
    // The trying row: alone it names the culprit, in company each is tried again.
    let trying = |entries: &[u64]| Trying { document: DOCUMENT, entries: entries.to_vec() };
    assert_eq!(trying(&[4]).recover(), Recovery::Hold(4));
    assert_eq!(trying(&[4, 5]).recover(), Recovery::OneByOne(vec![4, 5]));
}

#[test]
fn cached_bytes_are_not_trusted() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    asha.write(&[type_in(0, "hello")]);
    let bytes = asha.document.verified_save().unwrap();
    let load = |bytes: &[u8]| Document::load(DOCUMENT, DocumentKind::Note, bytes);
    assert!(load(&bytes).is_ok());
    assert!(load(&[]).is_err());
    assert!(load(&bytes[..bytes.len() / 2]).is_err());
    assert!(Document::load(DOCUMENT, DocumentKind::Agreement, &bytes).is_err());
    for place in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[place] ^= 0x15;
        assert!(load(&bad).is_err() || load(&bad).unwrap().content_id() == asha.document.content_id());
    }
}

#[test]
fn the_index_stays_small() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut len = 0;
    for session in 0..40_u32 {
        let text = format!("Session {session} brought this sentence of some fifty letters. ");
        asha.write(&[type_in(len * session % (len + 1), &text)]);
        len += u32::try_from(text.chars().count()).unwrap();
    }
    assert!(len > 2_000);
    assert!(asha.gate.index().rows() < 200, "{} rows for {len} letters", asha.gate.index().rows());
}

#[test]
fn an_agreement_passes_too() {
    let mut asha = Replica::new("asha", DocumentKind::Agreement);
    let id = ItemId([1; 8]);
    asha.write(&[
        Command::Agreement(A::AddClause { id, section: ClauseSection::Roles, modality: Modality::May, after: None }),
        Command::Agreement(A::EditClause { id, splice: Splice::insert(0, "We begin on time.") }),
        Command::Agreement(A::RemoveClause { id }),
    ]);
    assert!(asha.agreement(&[]).clauses.is_empty());
}
