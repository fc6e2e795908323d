//! Golden vectors of the wire, as JSON that another implementation can run. `cargo run --example wire_vectors` writes
//! them; the test `wire_vectors` reads them back and fails if writing them again would give other ones.
//!
//! Byte strings are lower-case hexadecimal; `says` is this implementation's own print of what the bytes mean.

#[path = "generate/frames.rs"]
mod frames;
#[path = "generate/operations.rs"]
mod operations;

use alliance_wire::content::{Asks, Body, CONTENT_VERSION, Card, Changes, Content, DraftCover, Place};
use alliance_wire::entry::associated_data;
use alliance_wire::frame::{mailbox_address, mailbox_message};
use alliance_wire::hash::content_hash;
use alliance_wire::membership::{
    Add, Admission, BOX_BYTES, Boxes, CardFor, DeviceCard, Epoch, EpochLink, EraseRule, First, Invite, KEM_X25519,
    KeyBox, MEMBERSHIP_VERSION, OnceKey, Operation, Payload, RecoveryCard, RelayPin, Role, SpaceKind, commitment,
};
use alliance_wire::receipt::{RECEIPT_VERSION, SignedReceipt};
use alliance_wire::vector::{cursor_check, digest, root};
use alliance_wire::{
    BoxKey, DeviceKey, DocumentId, DraftId, EpochId, HashPrefix, Header, HeaderHash, Incarnation, Kind, LogId, LogName,
    PersonTag, Receipt, Row, SignerKey, SpaceId, Stream, Suffix, encode,
};
use serde_json::{Value, json};

const SPACE: SpaceId = SpaceId([0x11; 16]);
const DEVICE: DeviceKey = DeviceKey([0x22; 32]);
const INCARNATION: Incarnation = Incarnation([0x33; 16]);
const EPOCH: EpochId = EpochId([0x44; 16]);
const HASH: HeaderHash = HeaderHash([0x55; 32]);
const PERSON: PersonTag = PersonTag([0x66; 16]);

/// Name and content of each file.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    let files = [
        ("ids.json", ids()),
        ("entries.json", entries()),
        ("membership.json", membership()),
        ("content.json", content()),
        ("receipts.json", receipts()),
        ("vectors.json", vectors()),
        ("frames.json", frames::frames()),
    ];
    files.into_iter().map(|(name, value)| (name, format!("{value:#}\n"))).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn case<T: minicbor::Encode<()> + core::fmt::Debug>(what: &str, value: &T) -> Value {
    json!({ "what": what, "bytes": hex(&encode(value)), "says": format!("{value:?}") })
}

fn fail(what: &str, error: &str, bytes: &[u8]) -> Value {
    json!({ "what": what, "error": error, "bytes": hex(bytes) })
}

fn name() -> LogName {
    LogName::new(DEVICE, INCARNATION, Stream::Data)
}

fn ids() -> Value {
    let logs: Vec<Value> = [Stream::Membership, Stream::Data]
        .into_iter()
        .map(|stream| json!({ "stream": stream as u8, "log": hex(&LogId::of(SPACE, stream, DEVICE, INCARNATION).0) }))
        .collect();
    let log = LogId::of(SPACE, Stream::Data, DEVICE, INCARNATION);
    let inner = log.continuation(HASH);
    let (recovery, once) = (SignerKey([0x77; 32]), SignerKey([0x88; 32]));
    json!({
        "about": "Ids that are hashes: BLAKE3 derive_key of the parts under the context of each purpose.",
        "space": hex(&SPACE.0), "device": hex(&DEVICE.0), "incarnation": hex(&INCARNATION.0),
        "logs": logs,
        "continuation": { "log": hex(&log.0), "first_entry": hex(&HASH.0), "id": hex(&inner.0) },
        "continuation_of_it": hex(&inner.continuation(HeaderHash([0x56; 32])).0),
        "space_of": { "payload_hash": hex(&[0x99; 32]), "id": hex(&SpaceId::of(DEVICE, INCARNATION, [0x99; 32]).0) },
        "person": {
            "recovery": hex(&recovery.0), "once": hex(&once.0),
            "founder": hex(&PersonTag::of(SPACE, DEVICE, recovery, None).0),
            "added": hex(&PersonTag::of(SPACE, DEVICE, recovery, Some(once)).0),
        },
        "epoch_of_entry": hex(&HASH.epoch().0),
        "mailbox": {
            "once": hex(&once.0), "address": hex(&mailbox_address(once)),
            "to_read": hex(&mailbox_message(once, b"")), "to_write_text": hex(&mailbox_message(once, b"text")),
        },
        "commitment": { "once": hex(&once.0), "nonce": hex(&[0xaa; 32]), "value": hex(&commitment(once, &[0xaa; 32])) },
        "admission": { "secret": hex(&[0xbb; 32]), "mac": hex(&Admission::mac(&[0xbb; 32], SPACE)) },
    })
}

fn entries() -> Value {
    let log = name().signed_log(SPACE);
    let header = |seq, prev, suffix: Suffix, payload: &[u8]| {
        let ad = associated_data(SPACE, log, seq, prev, &suffix);
        let bytes = suffix.as_bytes().to_vec();
        let header = Header::new(SPACE, log, seq, prev, suffix, payload).expect("a possible header");
        json!({
            "space": hex(&SPACE.0), "log": hex(&log.0), "seq": seq, "prev": hex(&prev.0), "suffix": hex(&bytes),
            "payload": hex(payload), "payload_hash": hex(&content_hash(payload)),
            "associated_data": hex(&ad), "signed_bytes": hex(&header.signed_bytes()), "header_hash": hex(&header.hash().0),
        })
    };
    let data = Suffix::new(Kind::Data, Some(EPOCH));
    // A suffix with a key that this version does not know is kept as it was signed.
    let extended = [&[0xa3, 0, 1, 1, 0x50], EPOCH.0.as_slice(), &[0x18, 99, 0x63, b'n', b'e', b'w']].concat();
    let extended = Suffix::parse(extended).expect("unknown keys are no error");
    let with_epoch = |bytes: &[u8]| [bytes, EPOCH.0.as_slice()].concat();
    let mut deep = vec![0xa2, 0, 0, 0x18, 50];
    deep.extend([0x81; 40]);
    deep.push(0);
    json!({
        "about": "Headers: signed bytes, associated data and header hash. 'must_fail' are suffixes; 'impossible' are headers over a data suffix.",
        "cases": [
            header(1, HeaderHash::NONE, data.clone(), b""),
            header(2, HASH, data, b"payload"),
            header(u64::MAX >> 1, HASH, Suffix::new(Kind::Membership, None), b"last"),
            header(3, HASH, extended, b"with an extension"),
        ],
        "must_fail": [
            fail("data without an epoch", "Epoch", &[0xa1, 0, 1]),
            fail("membership with an epoch", "Epoch", &with_epoch(&[0xa2, 0, 0, 1, 0x50])),
            fail("no kind", "Suffix", &with_epoch(&[0xa1, 1, 0x50])),
            fail("an unknown kind", "Suffix", &[0xa1, 0, 9]),
            fail("an epoch of another length", "Suffix", &[0xa2, 0, 1, 1, 0x41, 0x44]),
            fail("a byte follows", "Suffix", &[0xa1, 0, 0, 0]),
            fail("ends early", "Suffix", &[0xa2, 0, 0]),
            fail("an indefinite map", "Suffix", &[0xbf, 0, 0, 0xff]),
            fail("nested too deep", "Suffix", &deep),
            fail("nothing", "Suffix", &[]),
            json!({ "what": "over the limit", "error": "Suffix", "zeros": 1025 }),
        ],
        "impossible": [
            json!({ "what": "number 0", "error": "Number", "seq": 0, "prev": hex(&[0; 32]), "payload_len": 0 }),
            json!({ "what": "number 1 with a predecessor", "error": "Number", "seq": 1, "prev": hex(&HASH.0), "payload_len": 0 }),
            json!({ "what": "number 2 without one", "error": "Number", "seq": 2, "prev": hex(&[0; 32]), "payload_len": 0 }),
            json!({ "what": "a number beyond 2^63", "error": "Number", "seq": 1_u64 << 63, "prev": hex(&HASH.0), "payload_len": 0 }),
            json!({ "what": "payload too large", "error": "PayloadSize", "seq": 2, "prev": hex(&HASH.0), "payload_len": 65_537 }),
        ],
    })
}

fn recovery() -> RecoveryCard {
    RecoveryCard { signer: SignerKey([0x71; 32]), boxes: BoxKey([0x72; 32]) }
}

fn card() -> DeviceCard {
    DeviceCard { device: DEVICE, boxes: BoxKey([0x73; 32]), kem: KEM_X25519, signature: [0x74; 64] }
}

fn boxes() -> Boxes {
    Boxes { epoch: EPOCH, boxes: vec![KeyBox { recipient: SignerKey([0x75; 32]), sealed: [0x76; BOX_BYTES] }] }
}

fn payload(operation: Operation) -> Payload {
    Payload { version: MEMBERSHIP_VERSION, parents: vec![HASH], person: Some(PERSON), operation }
}

fn first(kind: SpaceKind, erase: EraseRule) -> Payload {
    let first = First { random: [0x77; 16], kind, erase, recovery: recovery(), card: card() };
    Payload { version: MEMBERSHIP_VERSION, parents: Vec::new(), person: None, operation: Operation::First(first) }
}

fn membership() -> Value {
    let relay =
        |address: &str, admission| RelayPin { relay: DeviceKey([0x78; 32]), address: address.into(), admission };
    let invite = Invite {
        keys: vec![OnceKey { key: SignerKey([0x79; 32]), commitment: [0x7a; 32] }],
        role: Role::Writer,
        expires: 1_800_000_000,
    };
    let once = SignerKey([0x79; 32]);
    let add = Add { invitation: HASH, once, role: Role::Signer, card: card(), recovery: recovery(), boxes: boxes() };
    let link = EpochLink { epoch: EpochId([0x7b; 16]), sealed: vec![0x7c; 72].into() };
    let epoch = Epoch { generation: 7, canary: [0x7d; 32], boxes: boxes().boxes, links: vec![link] };
    let newer = Payload { version: MEMBERSHIP_VERSION + 1, ..payload(Operation::Box(boxes())) };
    let orphan = Payload { parents: Vec::new(), ..payload(Operation::Box(boxes())) };
    let nobody = Payload { person: None, ..payload(Operation::Box(boxes())) };
    let crowd = Payload { parents: vec![HASH; 65], ..payload(Operation::Box(boxes())) };
    let twice = Payload { parents: vec![HASH], ..first(SpaceKind::Group, EraseRule::Steward) };
    let mut trailing = encode(&payload(Operation::Box(boxes())));
    trailing.push(0);
    let admission = Some(Admission { token: [0x7e; 8], mac: [0x7f; 32] });
    let place = CardFor::Add { space: SPACE, tag: PERSON, once, role: Role::Writer };
    let mut cases = vec![
        case("first, personal", &first(SpaceKind::Personal, EraseRule::Owner)),
        case("first, joint", &first(SpaceKind::Joint { persons_max: 2 }, EraseRule::Everybody)),
        case("first, group", &first(SpaceKind::Group, EraseRule::Steward)),
        case("relay, open", &payload(Operation::Relay(relay("relay.example:4433", None)))),
        case("relay, admitted", &payload(Operation::Relay(relay("[2001:db8::1]:4433", admission)))),
        case("invite", &payload(Operation::Invite(invite))),
        case("add", &payload(Operation::Add(add))),
        case("box", &payload(Operation::Box(boxes()))),
        case("epoch", &payload(Operation::Epoch(epoch))),
    ];
    cases.extend(operations::cases());
    let mut must_fail = vec![
        fail("a newer version", "Shape", &encode(&newer)),
        fail("no parents", "Shape", &encode(&orphan)),
        fail("no person", "Shape", &encode(&nobody)),
        fail("a first entry with parents", "Shape", &encode(&twice)),
        fail("too many parents", "OverLimit", &encode(&crowd)),
        fail(
            "an address over its limit",
            "OverLimit",
            &encode(&payload(Operation::Relay(relay(&"x".repeat(257), None)))),
        ),
        fail("a byte follows", "Trailing", &trailing),
        fail("ends early", "Shape", &trailing[..trailing.len() - 2]),
        fail("an unknown operation", "Shape", &[0x84, 1, 0x80, 0xf6, 0x82, 0x18, 99, 0x80]),
    ];
    must_fail.extend(operations::must_fail());
    json!({
        "about": "Payloads of membership entries, and what a device card signs. Where there is 'repeat', the bytes are 'prefix' and that so many 'times'.",
        "cases": cases,
        "card_messages": {
            "device": hex(&DEVICE.0), "boxes": hex(&[0x73; 32]), "kem": KEM_X25519,
            "recovery_signer": hex(&recovery().signer.0), "recovery_boxes": hex(&recovery().boxes.0),
            "first": { "random": hex(&[0x77; 16]), "message": hex(&CardFor::First { random: [0x77; 16] }.message(DEVICE, BoxKey([0x73; 32]), KEM_X25519, &recovery())) },
            "add": { "space": hex(&SPACE.0), "tag": hex(&PERSON.0), "once": hex(&once.0), "role": Role::Writer as u8, "message": hex(&place.message(DEVICE, BoxKey([0x73; 32]), KEM_X25519, &recovery())) },
            "device_of_own": operations::own_card(),
        },
        "must_fail": must_fail,
    })
}

fn content() -> Value {
    let draft = DraftCover { draft: DraftId([0x81; 16]), commands: 3, hash: HashPrefix([0x82; 16]) };
    let changes = Changes {
        document: DocumentId([0x83; 16]),
        kind: 1,
        schema: 2,
        actor: 0,
        draft,
        changes: vec![vec![0x84; 20].into()],
    };
    let content =
        |body| Content { version: CONTENT_VERSION, heads: vec![HASH.prefix()], written_at: 1_700_000_000_000, body };
    let name = Card { name: "Ines".into(), platform: "linux".into(), software: "0.1.0".into() };
    let newer = Content { version: CONTENT_VERSION + 1, ..content(Body::Card(name.clone())) };
    let heads = Content { heads: vec![HASH.prefix(); 9], ..content(Body::Card(name.clone())) };
    let long = Card { name: "x".repeat(1025), ..name.clone() };
    let relay = Some((DEVICE, "relay.example:4433".to_owned()));
    let place = Place { space: SPACE, person: PersonTag([0x85; 16]), title: "Amina and Ben".into(), relay };
    let far = Place { title: "x".repeat(1025), ..place.clone() };
    let large = Changes { changes: vec![vec![0; 32 * 1024 + 1].into()], ..changes.clone() };
    // As changes, but for a kind of 17 bits.
    let wide = (DocumentId([0x83; 16]), 65_536_u32, 2_u8, 0_u8, draft, [0_u8; 0]);
    json!({
        "about": "What stands inside a sealed data payload.",
        "cases": [
            case("changes", &content(Body::Changes(changes))),
            case("card", &content(Body::Card(name))),
            case("a place", &content(Body::Place(place.clone()))),
            case("a place without a relay", &content(Body::Place(Place { relay: None, ..place.clone() }))),
            case("a device asks", &content(Body::Asks(Asks { space: SPACE, by: DEVICE, card: card() }))),
        ],
        "must_fail": [
            fail("a newer version", "Shape", &encode(&newer)),
            fail("too many heads", "OverLimit", &encode(&heads)),
            fail("a kind over its width", "Shape", &encode(&(1_u8, [0_u8; 0], 0_u8, (0_u8, [wide])))),
            fail("a card over its limit", "OverLimit", &encode(&content(Body::Card(long)))),
            fail("a place over its limit", "OverLimit", &encode(&content(Body::Place(far)))),
            json!({ "what": "a change over its limit", "error": "OverLimit", "prefix": hex(&encode(&content(Body::Changes(large)))[..120]), "zeros_to": encode(&content(Body::Changes(Changes { changes: vec![vec![0; 32 * 1024 + 1].into()], document: DocumentId([0x83; 16]), kind: 1, schema: 2, actor: 0, draft }))).len() }),
        ],
    })
}

fn receipt() -> Receipt {
    Receipt {
        version: RECEIPT_VERSION,
        space: SPACE,
        device: DEVICE,
        incarnation: INCARNATION,
        counter: 5,
        closes: vec![Incarnation([0x91; 16])],
        vector: vec![(&Row { log: name().signed_log(SPACE), seq: 9, hash: HASH.prefix() }).into()],
        heads: vec![HASH.prefix()],
        parked: vec![(LogId([0x92; 20]), 4)],
        parked_count: 1,
    }
}

fn receipts() -> Value {
    let body = encode(&receipt());
    // As version 1 wrote it: the rows are those of a vector.
    let (now, row) = (receipt(), Row { log: name().signed_log(SPACE), seq: 9, hash: HASH.prefix() });
    let older =
        encode(&(1_u8, SPACE, DEVICE, INCARNATION, now.counter, &now.closes, [row], &now.heads, &now.parked, 1));
    let newer = Receipt { version: RECEIPT_VERSION + 1, ..receipt() };
    let parked = Receipt { parked: vec![(LogId([0x92; 20]), 4); 257], ..receipt() };
    let heads = Receipt { heads: vec![HASH.prefix(); 9], ..receipt() };
    let closes = Receipt { closes: vec![INCARNATION; 17], ..receipt() };
    json!({
        "about": "Receipts: bodies, and the message that the device signs for one.",
        "cases": [case("receipt", &now)],
        "older": [{ "what": "version 1", "bytes": hex(&older), "reads_as": hex(&encode(&Receipt { version: 1, ..receipt() })) }],
        "message": { "body": hex(&body), "message": hex(&SignedReceipt::message(&body)) },
        "must_fail": [
            fail("a newer version", "Shape", &encode(&newer)),
            fail("too many parked ids", "OverLimit", &encode(&parked)),
            fail("too many heads", "OverLimit", &encode(&heads)),
            fail("too many closed incarnations", "OverLimit", &encode(&closes)),
        ],
    })
}

fn vectors() -> Value {
    let rows = [(LogId([1; 20]), 1, HASH), (LogId([2; 20]), 300, HeaderHash([0xa1; 32]))];
    let listed: Vec<Value> =
        rows.iter().map(|(log, seq, hash)| json!({ "log": hex(&log.0), "seq": seq, "hash": hex(&hash.0) })).collect();
    let (one, other) = (digest(SPACE, rows), digest(SpaceId([0x12; 16]), []));
    let cursors = [(SPACE, 7, HASH.prefix()), (SpaceId([0x12; 16]), u64::MAX, HashPrefix([0xa2; 16]))];
    json!({
        "about": "Digest of a space's rows, root over digests, check over cursors.",
        "space": hex(&SPACE.0), "rows": listed, "digest": hex(&one),
        "empty_space": hex(&[0x12; 16]), "empty_digest": hex(&other),
        "root": hex(&root([(&SPACE, &one), (&SpaceId([0x12; 16]), &other)])), "empty_root": hex(&root([])),
        "cursors": cursors.map(|(space, number, hash)| json!({ "space": hex(&space.0), "number": number, "hash": hex(&hash.0) })),
        "cursor_check": hex(&cursor_check(cursors)), "empty_check": hex(&cursor_check([])),
    })
}
