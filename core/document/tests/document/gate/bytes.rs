//! What a change chunk looks like: its frame, its header, its columns.

use alliance_document::gate::{Candidate, ParkCode, Verdict, Waiting};

use super::{check, scene, verdict, with_parts};
use crate::mutate::{self, frame};
use crate::support::replica::actor_of;

#[test]
fn framing_and_header() {
    let honest = scene().1.changes[0].clone();
    let mut flipped = honest.clone();
    flipped[5] ^= 1;
    check("checksum", flipped, ParkCode::ChunkDamaged);
    check("nothing", Vec::new(), ParkCode::ChunkDamaged);
    check("other magic", b"not a change".to_vec(), ParkCode::ChunkType);
    for chunk_type in [0, 2, 3, 4] {
        check("chunk type", with_parts(|p| p.chunk_type = chunk_type), ParkCode::ChunkType);
    }
    check("two chunks", [honest.clone(), honest.clone()].concat(), ParkCode::Footer);
    check("too long", vec![0; 32 * 1024 + 1], ParkCode::ChangeLimit);
    check("empty data", frame(1, &[]), ParkCode::ChunkDamaged);
    check("footer", with_parts(|p| p.extra = vec![1, 2, 3]), ParkCode::Footer);
    check("message", with_parts(|p| p.message = b"hi".to_vec()), ParkCode::Message);
    check("time", with_parts(|p| p.time = 1), ParkCode::Message);
    check("start op", with_parts(|p| p.start_op += 1), ParkCode::StartOp);
    check("start op far ahead", with_parts(|p| p.start_op = u64::from(u32::MAX) - 20), ParkCode::StartOp);
    check("start op 0", with_parts(|p| p.start_op = 0), ParkCode::StartOp);
    check("unsorted actors", with_parts(|p| p.others.reverse()), ParkCode::NotCanonical);
    check("an actor too many", with_parts(|p| p.others.push(vec![0xff; 16])), ParkCode::NotCanonical);
}

#[test]
fn actor_sequence_and_dependencies() {
    check("genesis actor", with_parts(|p| p.actor = vec![0]), ParkCode::NotCanonical);
    check(
        "another's actor",
        with_parts(|p| (p.actor, p.others) = (actor_of("carol").0.to_vec(), p.others.clone())),
        ParkCode::Actor,
    );
    check("sequence repeated", with_parts(|p| p.seq = 1), ParkCode::Seq);
    check("sequence skipped", with_parts(|p| p.seq = 3), ParkCode::Seq);
    check("no deps", with_parts(|p| p.deps.clear()), ParkCode::Deps);
    check("dep twice", with_parts(|p| p.deps.push(p.deps[0])), ParkCode::Deps);
    let (asha, honest) = scene();
    let unknown = Candidate { changes: vec![with_parts(|p| p.deps = vec![[9; 32]])], ..honest.clone() };
    assert_eq!(verdict(&asha, &unknown), Verdict::Waiting(Waiting::Missing));
    // The same bytes under the entry of another author are parked, and admitted under their own afterwards.
    let mut asha = asha;
    let stolen = Candidate { actor: actor_of("ben"), entry: 9, ..honest.clone() };
    let judged = asha.judge(&[stolen, honest]);
    assert_eq!(judged.verdicts[0].1, Verdict::ParkedForGood(ParkCode::Actor));
    assert_eq!(judged.verdicts[1].1, Verdict::Admitted);
}

#[test]
fn columns_and_run_lengths() {
    let long_run = |run: i64| {
        let mut bytes = Vec::new();
        mutate::signed(&mut bytes, run);
        bytes.push(1);
        bytes
    };
    for run in [1 << 60, 20_000_000, 65_537] {
        let all = with_parts(|p| p.columns.iter_mut().for_each(|(_, data)| *data = long_run(run)));
        assert!(all.len() < 400, "a short change that claims {run} operations");
        check("claims very many operations", all, ParkCode::OpsLimit);
    }
    let literal = with_parts(|p| p.columns.iter_mut().for_each(|(_, data)| *data = long_run(-(1 << 60))));
    check("a literal run of 2^60", literal, ParkCode::OpsLimit);
    check(
        "preds of 2^60",
        with_parts(|p| {
            let group = p.columns.iter_mut().find(|(spec, _)| *spec == 112).unwrap();
            let mut data = Vec::new();
            mutate::signed(&mut data, 8);
            mutate::unsigned(&mut data, 1 << 60);
            group.1 = data;
        }),
        ParkCode::OpsLimit,
    );
    check("deflated column", with_parts(|p| p.columns[0].0 |= 8), ParkCode::Columns);
    check("marks", with_parts(|p| p.columns.push((148, vec![0, 1]))), ParkCode::Columns);
    check("unknown column", with_parts(|p| p.columns.push((0x1f5, vec![1]))), ParkCode::Columns);
    check("column twice", with_parts(|p| p.columns.insert(0, p.columns[0].clone())), ParkCode::Columns);
    check("empty column", with_parts(|p| p.columns.insert(0, (1, Vec::new()))), ParkCode::Columns);
    check("no columns", with_parts(|p| p.columns.clear()), ParkCode::OpsLimit);
    // One value as a run of one is readable and not what an honest writer sends.
    check(
        "another encoding",
        with_parts(|p| {
            let action = p.columns.iter_mut().find(|(spec, _)| *spec == 66).unwrap();
            let first = action.1[1];
            assert!(action.1[0] < 0x40 && action.1[0] > 1, "the honest column opens with a run");
            let rest = action.1.split_off(2);
            let mut split = vec![1, first];
            mutate::signed(&mut split, i64::from(action.1[0]) - 1);
            split.push(first);
            action.1 = [split, rest].concat();
        }),
        ParkCode::NotCanonical,
    );
}
