//! Frames, those that must fail among them.

use alliance_wire::bundle::Carry;
use alliance_wire::frame::{
    Answer, Cursors, DigestRow, ForkHeader, ForkProof, Hello, PROTOCOL_VERSION, Post, Reason, Run, RunEntry, RunPayload,
};
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{Frame, Instance, Kind, LogId, LogName, Row, SignerKey, Suffix, encode};
use serde_json::{Value, json};

use super::{EPOCH, HASH, SPACE, case, fail, hex, name, receipt};

fn hello(cursors: Cursors) -> Frame {
    let (instance, known) = (Instance([0xb1; 16]), [0xb2; 8]);
    Frame::Hello(Hello {
        version: PROTOCOL_VERSION,
        instance,
        known,
        spaces: 2,
        root: [0xb3; 16],
        cursors,
        check: [0xb4; 8],
    })
}

fn entry(payload: RunPayload) -> RunEntry {
    let suffix = Suffix::new(Kind::Data, Some(EPOCH)).as_bytes().to_vec().into();
    RunEntry { suffix, signature: [0xb5; 64], payload }
}

fn run(payload: RunPayload, entries: usize) -> Frame {
    Frame::Run(Run { log: 3, first: 10, prev: Some(HASH), entries: vec![entry(payload); entries] })
}

pub(super) fn frames() -> Value {
    let row = Row { log: LogId([0xb6; 20]), seq: 12, hash: HASH.prefix() };
    let fork =
        ForkHeader { suffix: vec![0xa1, 0, 0].into(), payload_len: 4, payload_hash: [0xb7; 32], signature: [0xb8; 64] };
    let proof = ForkProof { seq: 4, prev: HASH, one: fork.clone(), other: ForkHeader { payload_len: 5, ..fork } };
    let once = SignerKey([0xb9; 32]);
    let answers = [Answer::Payload(b"payload".to_vec().into()), Answer::Erased, Answer::Absent];
    let carried = entry(RunPayload::Here(b"payload".to_vec().into()));
    let mut cases = vec![
        case("hello, all cursors", &hello(Cursors::All(vec![0, 1_000_000]))),
        case("hello, moved cursors", &hello(Cursors::Moved(vec![(SPACE, 7)]))),
        case("same", &Frame::Same { instance: Instance([0xb1; 16]), root: [0xb3; 16], follow: 2 }),
        case("digests", &Frame::Digests { rows: vec![DigestRow { space: SPACE, digest: [0xba; 8] }], last: true }),
        case("space", &Frame::Space { space: SPACE }),
        case("log", &Frame::Log { space: 0, name: name() }),
        case("log, a continuation", &Frame::Log { space: 0, name: name().branch(HASH) }),
        case("vector", &Frame::Vector { space: 0, rows: vec![row], begins: true, ends: false }),
        case("run", &run(RunPayload::Here(b"payload".to_vec().into()), 1)),
        case("run, payload dropped", &run(RunPayload::Absent { len: 7, hash: [0xbb; 32] }, 2)),
        case("upto", &Frame::Upto { space: 0, arrival: 99, hash: HASH.prefix() }),
        case("ack", &Frame::Ack { space: 0, arrival: 99 }),
        case("want", &Frame::Want { space: 0, rows: vec![(row.log, 3)] }),
        case(
            "receipt",
            &Frame::Receipt { space: 0, receipt: SignedReceipt { body: encode(&receipt()), signature: [0xbc; 64] } },
        ),
        case("watching", &Frame::Watching { space: 0, sealed: vec![0xbd; 121].into() }),
        case("settled", &Frame::Settled { spaces: 2, root: [0xb3; 16] }),
        case("fork", &Frame::Fork { space: 0, name: name(), proof }),
        case(
            "post, by the one-time key",
            &Frame::Post(Post { once, message: b"sealed".to_vec().into(), proof: Some(vec![0xbe; 64].into()) }),
        ),
        case("collect, by a steward", &Frame::Collect { once, proof: None }),
        case("mail", &Frame::Mail { once, messages: Some(vec![b"sealed".to_vec().into()]) }),
        case("no such mail", &Frame::Mail { once, messages: None }),
        case("anew", &Frame::Anew { space: 1 }),
    ];
    cases.extend(
        answers.into_iter().map(|answer| case("give", &Frame::Give { space: 0, log: row.log, seq: 3, answer })),
    );
    cases.extend(
        reasons()
            .map(|reason| case(reason.code(), &Frame::Refused { space: SPACE, entry: Some((row.log, 3)), reason })),
    );
    cases.extend([
        case(
            "carry",
            &Frame::Carry(Carry { space: SPACE, name: name(), first: 3, prev: HASH, entries: vec![carried] }),
        ),
        case("carried", &Frame::Carried {}),
    ]);
    json!({
        "about": "Frames without their length prefix. 'newer' are frames with a field more than this version knows: they read as 'reads_as'.",
        "cases": cases,
        "newer": [{ "what": "space with a further field", "bytes": hex(&[&[0x82, 3, 0x82, 0x50], SPACE.0.as_slice(), &[0x63, b'n', b'e', b'w']].concat()), "reads_as": hex(&encode(&Frame::Space { space: SPACE })) }],
        "must_fail": failing_frames(),
    })
}

fn reasons() -> impl Iterator<Item = Reason> {
    [
        Reason::Absent,
        Reason::TokenNeeded,
        Reason::Quota,
        Reason::Size,
        Reason::Signature,
        Reason::NotMember,
        Reason::Malformed,
        Reason::TooMany,
        Reason::Storage,
        Reason::Revoked,
    ]
    .into_iter()
}

fn failing_frames() -> Vec<Value> {
    let row = Row { log: LogId([0xb6; 20]), seq: 12, hash: HASH.prefix() };
    let space = encode(&Frame::Space { space: SPACE });
    let mut nested = vec![0x81; 33];
    nested.push(0);
    let tags = [[0xc1; 33].as_slice(), &[0]].concat();
    vec![
        fail("nothing", "Shape", &[]),
        fail("a number over its width", "Shape", &[0x82, 8, 0x82, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0, 0]),
        fail("a negative number", "Shape", &[0x82, 8, 0x82, 0x20, 0]),
        fail("a row of three", "Shape", &encode(&(9_u8, (0_u8, [(row.log, 3_u8, 0_u8)])))),
        fail("no such frame", "Shape", &[0x82, 0x18, 99, 0x80]),
        fail("an id of another length", "Shape", &[0x82, 3, 0x81, 0x41, 0x11]),
        fail("a byte follows", "Trailing", &[space.as_slice(), &[0]].concat()),
        fail("ends early", "Shape", &space[..space.len() - 1]),
        fail(
            "a string longer than the frame",
            "Shape",
            &[0x82, 3, 0x81, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        fail("an array longer than the frame", "Shape", &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        fail("an indefinite array", "Shape", &[0x9f, 3, 0xff]),
        fail("nested too deep", "Nested", &nested),
        fail("tags nested too deep", "Nested", &tags),
        fail("too many cursors", "OverLimit", &encode(&hello(Cursors::All(vec![0; 33])))),
        fail("too many wanted rows", "OverLimit", &encode(&Frame::Want { space: 0, rows: vec![(row.log, 3); 257] })),
        fail(
            "a watching notice over its limit",
            "OverLimit",
            &encode(&Frame::Watching { space: 0, sealed: vec![0; 257].into() }),
        ),
        fail(
            "a mailbox over its limit",
            "OverLimit",
            &encode(&Frame::Mail { once: SignerKey([0xb9; 32]), messages: Some(vec![Vec::new().into(); 9]) }),
        ),
        fail(
            "too many continuations",
            "OverLimit",
            &encode(&Frame::Log { space: 0, name: LogName { path: vec![HASH; 17], ..name() } }),
        ),
    ]
}
