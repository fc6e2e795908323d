//! Membership payloads that add and take away keys, roles and persons.

use alliance_wire::limits::{ADMITTED_MAX, CUT_OFFS_MAX};
use alliance_wire::membership::{
    Admit, CardForOwn, CutOff, Ending, Epoch, EpochLink, FurtherWords, GiveRole, KEM_X25519, Leave, Operation,
    OwnDevice, Restore, Role, Stop,
};
use alliance_wire::{BoxKey, EpochId, HeaderHash, LogId, SignerKey, encode};
use serde_json::{Value, json};

use super::{DEVICE, HASH, PERSON, SPACE, boxes, card, case, fail, hex, payload, recovery};

const TARGET: SignerKey = SignerKey([0x91; 32]);

fn cut(log: u8, seq: u64) -> CutOff {
    CutOff { log: LogId([log; 20]), seq, hash: HASH }
}

fn epoch() -> Epoch {
    let link = EpochLink { epoch: EpochId([0x7b; 16]), sealed: vec![0x7c; 72].into() };
    Epoch { generation: 8, canary: [0x7d; 32], boxes: boxes().boxes, links: vec![link] }
}

fn ending(cut_offs: Vec<CutOff>) -> Ending {
    Ending { cut_offs, epoch: epoch() }
}

fn role(role: Role, ending: Option<Ending>) -> Operation {
    Operation::Role(GiveRole { role, ending })
}

pub(super) fn cases() -> Vec<Value> {
    let two = || vec![cut(0x92, 5), cut(0x93, u64::MAX >> 1)];
    let stop = |cut_offs| Stop { target: TARGET, ending: ending(cut_offs) };
    let device = |boxes| Operation::Device(OwnDevice { card: card(), boxes });
    let words = |boxes| Operation::Recovery(FurtherWords { recovery: recovery(), boxes });
    let admit = vec![cut(0x92, 6), cut(0x92, 7), CutOff { hash: HeaderHash([0x56; 32]), ..cut(0x92, 7) }];
    [
        ("device", device(Some(boxes()))),
        ("device, without a key", device(None)),
        ("recovery", words(Some(boxes()))),
        ("recovery, without a key", words(None)),
        ("suspend", Operation::Suspend(stop(two()))),
        ("suspend, no log named", Operation::Suspend(stop(Vec::new()))),
        ("restore", Operation::Restore(Restore { target: TARGET })),
        ("lost", Operation::Lost(stop(two()))),
        ("role, signer", role(Role::Signer, None)),
        ("role, reader", role(Role::Reader, Some(ending(two())))),
        ("remove", Operation::Remove(ending(two()))),
        ("leave", Operation::Leave(Leave { cut_offs: two() })),
        ("end", Operation::End),
        ("admit", Operation::Admit(Admit { entries: admit })),
    ]
    .into_iter()
    .map(|(what, operation)| case(what, &payload(operation)))
    .collect()
}

pub(super) fn must_fail() -> Vec<Value> {
    let leave = |cut_offs| encode(&payload(Operation::Leave(Leave { cut_offs })));
    let admit = |entries| encode(&payload(Operation::Admit(Admit { entries })));
    let remove = |cut_offs| encode(&payload(Operation::Remove(ending(cut_offs))));
    let links = vec![EpochLink { epoch: EpochId([0x7b; 16]), sealed: vec![].into() }; 65];
    let linked = Ending { cut_offs: Vec::new(), epoch: Epoch { links, ..epoch() } };
    let many = |count: usize| vec![cut(0x92, 5); count];
    let mut unknown = encode(&payload(role(Role::Signer, None)));
    assert_eq!(unknown.pop(), Some(Role::Signer as u8), "the role stands last");
    unknown.push(3);
    vec![
        fail("a cut-off at number 0", "Shape", &leave(vec![cut(0x92, 0)])),
        fail("a log with two cut-offs", "Shape", &leave(vec![cut(0x92, 5), cut(0x92, 6)])),
        fail("cut-offs out of order", "Shape", &remove(vec![cut(0x93, 5), cut(0x92, 5)])),
        over("too many cut-offs", &leave(many(CUT_OFFS_MAX + 1))),
        fail("an entry admitted twice", "Shape", &admit(many(2))),
        fail("number 0 admitted", "Shape", &admit(vec![cut(0x92, 0)])),
        over("too many entries admitted", &admit(many(ADMITTED_MAX + 1))),
        fail("a reader whose data goes on", "Shape", &encode(&payload(role(Role::Reader, None)))),
        fail("a writer whose data ends", "Shape", &encode(&payload(role(Role::Writer, Some(ending(Vec::new())))))),
        fail("a removal with too many links", "OverLimit", &encode(&payload(Operation::Remove(linked)))),
        fail("an unknown role", "Shape", &unknown),
    ]
}

/// Too large for a file: the bytes begin with `prefix`, then `repeat` comes `times` times.
fn over(what: &str, bytes: &[u8]) -> Value {
    let one = encode(&cut(0x92, 5));
    let times = bytes.windows(one.len()).filter(|window| *window == one).count();
    let prefix = &bytes[..bytes.len() - times * one.len()];
    assert_eq!([prefix, &one.repeat(times)].concat(), bytes, "the list stands last");
    json!({ "what": what, "error": "OverLimit", "prefix": hex(prefix), "repeat": hex(&one), "times": times })
}

pub(super) fn own_card() -> Value {
    let message = CardForOwn { space: SPACE, tag: PERSON, by: TARGET }.message(DEVICE, BoxKey([0x73; 32]), KEM_X25519);
    json!({ "space": hex(&SPACE.0), "tag": hex(&PERSON.0), "by": hex(&TARGET.0), "message": hex(&message) })
}
