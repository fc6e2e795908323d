//! Golden vectors of this crate, as JSON that another implementation can run. `cargo run --example crypto_vectors`
//! writes them; the test `vectors` of `crypto` reads them back and fails if writing them again would give other bytes.
//!
//! Byte strings are lower-case hexadecimal. Secrets are of no use to anybody: they are made of repeated bytes.

#[path = "generate/discovery.rs"]
mod discovery;
#[path = "generate/history.rs"]
pub(crate) mod history;
#[path = "generate/links.rs"]
mod links;
#[path = "generate/pin.rs"]
mod pin;

use alliance_crypto::{
    Canary, Cost, DeviceSecret, EpochKey, OneTimeSecret, PendingInvite, PendingJoin, RecoverySecret, RecoveryWords,
    RelayAt, Rules, Secret, SmallDomain, Watching, make_boxes, new_epoch, padme, passphrase_key, seal, seal_parcel,
    seal_small,
};
use alliance_wire::bundle::{BUNDLE_VERSION, Bundle};
use alliance_wire::membership::{CardFor, Role};
use alliance_wire::{DeviceKey, DocumentId, EpochId, HeaderHash, LogId, PersonTag, SignerKey, SpaceId};
use serde_json::{Value, json};

const SPACE: SpaceId = SpaceId([0x51; 16]);
const LOG: LogId = LogId([0x52; 20]);

/// Name and content of each file.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    let files = [
        ("keys.json", keys()),
        ("signatures.json", signatures()),
        ("sealing.json", sealing()),
        ("epochs.json", epochs()),
        ("invitation.json", invitation()),
        ("recovery.json", recovery()),
        ("pin.json", pin::pin()),
        ("history.json", history::history()),
        ("links.json", links::links()),
        ("discovery.json", discovery::discovery()),
    ];
    files.into_iter().map(|(name, value)| (name, format!("{value:#}\n"))).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn keys() -> Value {
    fn case(what: &str, seed: [u8; 32], secret: &impl Secret) -> Value {
        json!({
            "what": what,
            "seed": hex(&seed),
            "signer_key": hex(&secret.signer_key().0),
            "box_key": hex(&secret.box_key().0),
            "message": hex(b"message"),
            "signature": hex(&secret.sign(b"message")),
            "hedge": hex(&secret.hedge([9; 32], "purpose", &[b"one", b"", b"three"])),
        })
    }
    let cases: Vec<Value> = [[0; 32], [1; 32], [0xff; 32]]
        .into_iter()
        .flat_map(|seed| {
            [
                case("device", seed, &DeviceSecret::from_seed(seed)),
                case("one-time", seed, &OneTimeSecret::from_seed(seed)),
                case("recovery", seed, &RecoverySecret::from_seed(seed)),
            ]
        })
        .collect();
    let (device, recovery) = (DeviceSecret::from_seed([1; 32]), RecoverySecret::from_seed([2; 32]).card());
    let once = OneTimeSecret::from_seed([3; 32]).signer_key();
    let tag = PersonTag::of(SPACE, device.key(), recovery.signer, Some(once));
    let first = device.card(&CardFor::First { random: [4; 16] }, &recovery);
    let add = device.card(&CardFor::Add { space: SPACE, tag, once, role: Role::Writer }, &recovery);
    json!({
        "about": "Seeds to public keys, signatures and hedged values (random 09.., purpose 'purpose', parts 'one', '', 'three'); device cards.",
        "cases": cases,
        "cards": {
            "device_seed": hex(&[1; 32]), "recovery_seed": hex(&[2; 32]), "once_seed": hex(&[3; 32]),
            "first_random": hex(&[4; 16]), "first_signature": hex(&first.signature),
            "space": hex(&SPACE.0), "tag": hex(&tag.0), "role": 1, "add_signature": hex(&add.signature),
        },
    })
}

/// The order of Ed25519's base point, little-endian: adding it to a signature's scalar must make it invalid.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn signatures() -> Value {
    let secret = DeviceSecret::from_seed([1; 32]);
    let (key, message) = (secret.key().0, b"message");
    let good = secret.sign(message);
    let mut flipped = good;
    flipped[0] ^= 1;
    let mut malleable = good;
    let mut carry = 0_u16;
    for (byte, order) in malleable[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut small = [0; 64];
    small[0] = 1;
    let case = |what: &str, key: &[u8], message: &[u8], signature: &[u8], verifies: bool| {
        json!({
            "what": what, "key": hex(key), "message": hex(message), "signature": hex(signature), "verifies": verifies,
        })
    };
    json!({
        "about": "Ed25519, strictly: small-order keys and commitments and scalars beyond the order are refused.",
        "cases": [
            case("good", &key, message, &good, true),
            case("another message", &key, b"massage", &good, false),
            case("a bit of the commitment", &key, message, &flipped, false),
            case("scalar plus the order", &key, message, &malleable, false),
            case("another key", &DeviceSecret::from_seed([2; 32]).key().0, message, &good, false),
            case("the neutral element as key, commitment and zero scalar", &identity, message, &small, false),
            case("a key that is no point", &[2; 32], message, &good, false),
            case("zeros", &[0; 32], message, &[0; 64], false),
        ],
    })
}

/// A payload that was sealed by the first version of this software, compressed: openers must read it for ever, while a
/// newer zstd may compress otherwise.
const COMPRESSED: (&str, &str) =
    (include_str!("compressed.hex"), "a word, a word, and a word again: a word, a word, and a word again");

fn sealing() -> Value {
    let key = EpochKey::from_bytes([6; 32]);
    let seal_case = |ad: &[u8], plaintext: &[u8]| {
        let sealed = seal(Rules::ALL, &key, LOG, ad, plaintext, [7; 32]).expect("within the limits");
        json!({ "ad": hex(ad), "plaintext": hex(plaintext), "sealed": hex(&sealed) })
    };
    let good = seal(Rules::ALL, &key, LOG, b"ad", b"text", [7; 32]).expect("within the limits");
    let fail = |what: &str, error: &str, ad: &[u8], change: fn(&mut Vec<u8>)| {
        let mut sealed = good.clone();
        change(&mut sealed);
        json!({ "what": what, "error": error, "ad": hex(ad), "sealed": hex(&sealed) })
    };
    let unsealed =
        |what: &str, error: &str, body: &[u8]| json!({ "what": what, "error": error, "unsealed": hex(body) });
    let sizes: Vec<_> =
        [0, 1, 2, 9, 17, 100, 129, 1_000, 10_000, 65_537].iter().map(|len| [*len, padme(*len)]).collect();
    let notice = Watching { device: DeviceKey([8; 32]), document: DocumentId([9; 16]), id: [10; 16] };
    let readers = [DeviceKey([4; 32]), DeviceKey([5; 32])];
    let parcel = seal_parcel(&[3; 16], &readers, b"contents", [7; 32]);
    let bundle = Bundle { version: BUNDLE_VERSION, salt: [3; 16], parcels: vec![parcel] };
    json!({
        "about": "Data payloads: key, log and random are the same in all cases. 'unsealed' are inner texts behind a zero byte, as software opens them whose sealing is switched off for a test.",
        "epoch_key": hex(key.as_bytes()), "log": hex(&LOG.0), "random": hex(&[7; 32]),
        "padme": sizes,
        "seal": [seal_case(b"ad", b""), seal_case(b"ad", b"text"), seal_case(b"", b"0123456789abcdefghijklm")],
        "open_only": { "ad": hex(b"ad"), "plaintext": hex(COMPRESSED.1.as_bytes()), "sealed": COMPRESSED.0.trim() },
        "small": {
            "key": hex(&[1; 32]), "ad": hex(b"ad"), "plaintext": hex(b"text"), "random": hex(&[7; 32]),
            "invitation": hex(&seal_small(SmallDomain::Invitation, &[1; 32], b"ad", b"text", [7; 32])),
            "backup": hex(&seal_small(SmallDomain::Backup, &[1; 32], b"ad", b"text", [7; 32])),
        },
        "parcel": {
            "salt": hex(&[3; 16]), "readers": [hex(&[4; 32]), hex(&[5; 32])], "contents": hex(b"contents"),
            "random": hex(&[7; 32]), "bundle": hex(&bundle.encode()),
        },
        "watching": {
            "space": hex(&SPACE.0), "epoch": hex(&[2; 16]), "device": hex(&notice.device.0),
            "document": hex(&notice.document.0), "id": hex(&notice.id), "random": hex(&[7; 32]),
            "sealed": hex(&notice.seal(SPACE, EpochId([2; 16]), &key, [7; 32])),
        },
        "must_fail": [
            fail("other associated data", "Cipher", b"da", |_| {}),
            fail("a byte of the nonce", "Cipher", b"ad", |s| s[1] ^= 1),
            fail("a byte of the text", "Cipher", b"ad", |s| s[25] ^= 1),
            fail("a byte of the tag", "Cipher", b"ad", |s| { let last = s.len() - 1; s[last] ^= 1; }),
            fail("a byte more", "Cipher", b"ad", |s| s.push(0)),
            fail("a newer version", "Version", b"ad", |s| s[0] = 2),
            fail("not sealed", "Version", b"ad", |s| s[0] = 0),
            fail("too short", "Size", b"ad", |s| s.truncate(41)),
            fail("nothing", "Size", b"ad", Vec::clear),
            json!({ "what": "over the limit", "error": "Size", "sealed_zeros": 64 * 1024 + 1 }),
            unsealed("padding only", "Malformed", &[0; 4]),
            unsealed("no known form", "Malformed", &[65, 3]),
            unsealed("not zstd", "Malformed", &[65, 2]),
            unsealed("a bomb: 8 MiB of zeros", "OverLimit", &bomb()),
        ],
    })
}

/// One frame of 64 blocks of run-length 128 KiB (RFC 8878), without its magic number: 8 MiB in 259 bytes.
fn bomb() -> Vec<u8> {
    let mut frame = vec![0x80, 0x68, 0, 0, 0x80, 0];
    for block in 0..64_u32 {
        let last = u32::from(block == 63);
        let header = (128 * 1024) << 3 | 1 << 1 | last;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame.push(2);
    frame
}

fn epochs() -> Value {
    let (author, reader) = (DeviceSecret::from_seed([1; 32]), DeviceSecret::from_seed([2; 32]));
    let parents = [HeaderHash([3; 32]), HeaderHash([4; 32])];
    let recipient = (SignerKey::from(reader.key()), reader.box_key());
    let (old, old_id) = (EpochKey::from_bytes([6; 32]), EpochId([7; 16]));
    let (epoch, key) = new_epoch(&author, [8; 32], SPACE, 2, &parents, &[recipient], &[(old_id, &old)]);
    let appended = make_boxes(&author, [8; 32], SPACE, old_id, &old, &[recipient]);
    let mut damaged = epoch.boxes[0].sealed;
    damaged[79] ^= 1;
    let place = json!({ "generation": 2, "parents": parents.map(|parent| hex(&parent.0)) });
    let fail = |what: &str, error: &str, place: &Value, sealed: &[u8], canary: &[u8]| json!({ "what": what, "error": error, "place": place, "sealed": hex(sealed), "canary": hex(canary) });
    let sealed = &epoch.boxes[0].sealed;
    let other_canary = Canary::of(&old, SPACE, 2).value;
    json!({
        "about": "Key boxes (HPKE base mode: X25519, HKDF-SHA256, ChaCha20-Poly1305), canaries and links. The author's random is 08...",
        "space": hex(&SPACE.0), "author_seed": hex(&[1; 32]), "recipient_seed": hex(&[2; 32]),
        "recipient": hex(&recipient.0.0), "recipient_box_key": hex(&recipient.1.0),
        "epoch": {
            "place": place, "sealed": hex(sealed), "canary": hex(&epoch.canary), "key": hex(key.as_bytes()),
        },
        "appended": {
            "epoch": hex(&old_id.0), "generation": 1, "sealed": hex(&appended.boxes[0].sealed),
            "canary": hex(&Canary::of(&old, SPACE, 1).value), "key": hex(old.as_bytes()),
        },
        "link": {
            "from_key": hex(key.as_bytes()), "epoch": hex(&old_id.0), "generation": 1,
            "sealed": hex(&epoch.links[0].sealed), "canary": hex(&Canary::of(&old, SPACE, 1).value), "key": hex(old.as_bytes()),
        },
        "must_fail": [
            fail("another key than committed to", "Canary", &place, sealed, &other_canary),
            fail("damaged", "Sealed", &place, &damaged, &epoch.canary),
            fail("another generation", "Sealed", &json!({ "generation": 3, "parents": place["parents"] }), sealed, &epoch.canary),
            fail("other parents", "Sealed", &json!({ "generation": 2, "parents": [hex(&parents[1].0), hex(&parents[0].0)] }), sealed, &epoch.canary),
        ],
    })
}

fn invitation() -> Value {
    let (inviter_device, newcomer_device) = (DeviceSecret::from_seed([1; 32]), DeviceSecret::from_seed([2; 32]));
    let recovery = RecoverySecret::from_seed([3; 32]).card();
    let relay = RelayAt { key: DeviceKey([4; 32]), address: "relay.example:4433".to_owned() };
    let mut inviter = PendingInvite::new(&inviter_device, SPACE, Role::Writer, 2_000, [5; 32]);
    let invitation = inviter.invitation(Some(relay.clone()));
    let text = invitation.to_text();
    let mut newcomer =
        PendingJoin::new(&newcomer_device, recovery, invitation, "Ines", 1_000, [6; 32]).expect("in time");
    let accept = newcomer.message().to_vec();
    let reveal = inviter.receive(&accept, 1_000, [7; 32]).expect("an honest accept");
    let words = newcomer.receive(&reveal).expect("an honest reveal");
    let once = inviter.once_key();
    let person = PersonTag([0x15; 16]);
    let mut own = PendingInvite::for_device(&inviter_device, SPACE, person, 2_000, [5; 32]);
    let mut further =
        PendingJoin::new(&newcomer_device, recovery, own.invitation(None), "Ines", 1_000, [6; 32]).expect("in time");
    let own_accept = further.message().to_vec();
    let own_reveal = own.receive(&own_accept, 1_000, [7; 32]).expect("an honest accept");
    let for_device = json!({
        "person": hex(&person.0), "text": own.invitation(None).to_text(), "accept": hex(&own_accept),
        "reveal": hex(&own_reveal), "words": further.receive(&own_reveal).expect("an honest reveal"),
    });
    let fail = |what: &str, error: &str, text: &str| json!({ "what": what, "error": error, "text": text });
    json!({
        "about": "An invitation from text to words. The inviter's random is 05.. and, for the reveal, 07..; the newcomer's 06...",
        "inviter_seed": hex(&[1; 32]), "newcomer_seed": hex(&[2; 32]), "recovery_seed": hex(&[3; 32]),
        "space": hex(&SPACE.0), "role": 1, "expires": 2_000, "now": 1_000, "name": "Ines",
        "relay": { "key": hex(&relay.key.0), "address": relay.address },
        "once_seed": hex(inviter.secret().seed().as_slice()), "once_key": hex(&once.key.0), "commitment": hex(&once.commitment),
        "text": text, "accept": hex(&accept), "reveal": hex(&reveal), "words": words, "tag": hex(&newcomer.tag().0),
        "for_device": for_device,
        "must_fail": [
            fail("something else", "NotInvitation", "https://example.org/"),
            fail("no text", "Damaged", "alliance-invite:"),
            fail("a character too few", "Damaged", &text[..text.len() - 1]),
            fail("a character that is none", "Damaged", &format!("{text}1")),
            fail("another character", "Damaged", &text.replacen("invite:a", "invite:b", 1)),
            fail("a newer version", "NewerVersion", NEWER_TEXT),
        ],
    })
}

/// Version 2 with one byte of content and the right checksum.
const NEWER_TEXT: &str = include_str!("newer_invitation.txt");

fn recovery() -> Value {
    let words = RecoveryWords::generate([1; 32]);
    let phrase = words.words().join(" ");
    let card = words.secret(Cost::DEFAULT).card();
    let cheap = words.secret(Cost::TEST).card();
    let key = passphrase_key("correct horse battery staple", &[9; 16], Cost::TEST).expect("a passphrase");
    let mut swapped: Vec<&str> = words.words().to_vec();
    swapped.swap(0, 1);
    let mut unknown = words.words().to_vec();
    unknown[3] = "alliance";
    let fail = |what: &str, error: &str, words: String| json!({ "what": what, "error": error, "words": words });
    json!({
        "about": "Recovery words (BIP-39 English, 128 bits) to keys by Argon2id with 1 lane; a passphrase's key.",
        "random": hex(&[1; 32]), "words": phrase,
        "default_cost": { "memory_kib": Cost::DEFAULT.memory_kib(), "passes": Cost::DEFAULT.passes() },
        "signer": hex(&card.signer.0), "boxes": hex(&card.boxes.0),
        "test_cost": { "memory_kib": Cost::TEST.memory_kib(), "passes": Cost::TEST.passes() },
        "test_signer": hex(&cheap.signer.0),
        "passphrase": { "text": "correct horse battery staple", "salt": hex(&[9; 16]), "test_key": hex(key.as_slice()) },
        "must_fail": [
            fail("eleven words", "Count", words.words()[..11].join(" ")),
            fail("two words swapped", "Checksum", swapped.join(" ")),
            fail("a word that is not in the list", "Unknown", unknown.join(" ")),
        ],
    })
}
