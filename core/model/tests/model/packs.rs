//! Packs as files: what is kept, what is refused and how, and what a hostile one cannot do.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::limits::{
    PACK_BYTES_MAX, PACK_DEPTH_MAX, PACK_KINDS_MAX, PACK_NUMBER_MAX, PACK_VALUES_MAX, SIGNED_PACK_BYTES_MAX,
};
use alliance_model::policy::{PackError, SignedPack, SignedPackError};
use alliance_model::{CivilDate, Cosignature, MeetingKind, Pack, Policy, Refusal, RefusalCode};
use alliance_wire::{DeviceKey, PersonTag};
use serde_json::{Value, json};

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn small() -> Value {
    let record = serde_json::to_value(Pack::shipped().kind(MeetingKind::Clinical).unwrap()).unwrap();
    json!({"pack": 1, "name": "district", "version": 3, "language": "sw", "kinds": [record]})
}

fn parsed(change: impl FnOnce(&mut Value)) -> Result<Pack, PackError> {
    let mut pack = small();
    change(&mut pack);
    Pack::parse(&text(&pack))
}

fn text_of(lines: usize) -> Value {
    json!({"name": "values", "language": "sw", "lines": vec!["Karibu"; lines]})
}

/// A pack with something that this version does not know.
fn with(inside: &str) -> Result<(), PackError> {
    Pack::parse(format!("{{\"pack\":1,\"name\":\"a\",\"version\":1,\"x\":{inside}}}").as_bytes()).map(drop)
}

#[test]
fn the_shipped_pack_is_one() {
    let shipped = Pack::shipped();
    assert_eq!((shipped.name.as_str(), shipped.version, shipped.language.as_deref()), ("shipped", 1, Some("en")));
    let kinds: Vec<MeetingKind> = shipped.kinds.iter().filter_map(|record| record.kind.known()).collect();
    assert!(MeetingKind::ALL.iter().all(|kind| kinds.contains(kind)) && kinds.len() == MeetingKind::ALL.len());
    assert_eq!(Pack::parse(&shipped.encode()).as_ref(), Ok(shipped));
    // Every word in it is one that this version knows, and no key is a slip of the pen.
    assert!(shipped.unknown.is_empty());
    for record in &shipped.kinds {
        let keys: Vec<&str> = record.unknown.keys().map(String::as_str).collect();
        assert!(keys.is_empty() || keys == ["says"], "{keys:?}");
        assert!(record.outside_help.unknown.is_empty());
        assert!(record.agenda_owner.known().is_some() && record.content_audience.known().is_some());
        assert!(record.attendance_projection_max.known().is_some());
        assert!(record.evidence_sources.iter().all(|word| word.known().is_some()));
        assert!(record.required_close_fields.iter().all(|word| word.known().is_some()));
        assert!(record.proposers.iter().all(|(role, origins)| {
            role.known().is_some() && origins.iter().all(|origin| origin.known().is_some())
        }));
    }
}

#[test]
fn a_pack_has_one_spelling() {
    let canonical = "{\"kinds\":[],\"name\":\"a\",\"pack\":1,\"version\":2,\"z\":[{\"\u{20ac}\":-9,\"\u{1f600}\":null,\"\u{fb33}\":true}]}";
    let spelt = "{ \"version\":2, \"z\": [{\"\\ufb33\":true,\"\\ud83d\\ude00\":null,\"\u{20ac}\":-9}],\n\"pack\":1,\"name\":\"\\u0061\"}";
    let pack = Pack::parse(spelt.as_bytes()).unwrap();
    // RFC 8785, 3.2.3: keys in the order of UTF-16, in which the smiling face stands before the letter of Hebrew.
    assert_eq!(String::from_utf8(pack.encode()).unwrap(), canonical.replace("\"kinds\":[],", ""));
    assert_eq!(Pack::parse(canonical.as_bytes()).unwrap().encode(), pack.encode());
    assert_eq!(Pack::parse(canonical.as_bytes()).unwrap().frozen(), pack.frozen());
}

#[test]
fn what_a_newer_version_wrote_is_kept() {
    let mut newer = small();
    newer["retention"] = json!({"months": 24, "why": ["law", null, true, {"deep": [-1]}]});
    newer["kinds"][0]["rota"] = json!({"every": 2});
    newer["kinds"][0]["outside_help"]["hours"] = json!([8, 17]);
    newer["kinds"][0]["agenda_owner"] = json!("facilitator");
    newer["kinds"][0]["evidence_sources"] = json!(["hearsay", "clinical_session"]);
    newer["texts"] = json!([{"name": "values", "language": "sw", "lines": ["Karibu"], "order": 1}]);
    newer["schemes"] = json!([{"name": "two", "functions": ["one", "other"], "since": 2}]);
    newer["templates"] = json!([{
        "name": "pair", "language": "sw", "title": "Mbili", "color": "red",
        "clauses": [{"section": "rituals", "modality": "must", "text": "Kahawa", "icon": 1}],
        "terms": [{"name": "snacks", "value": "two", "unit": "each"}],
        "protective": [{"term": "silence", "value": "full", "x": 0}],
    }]);
    let pack = Pack::parse(&text(&newer)).unwrap();
    let again: Value = serde_json::from_slice(&pack.encode()).unwrap();
    assert_eq!(again, newer);
    assert_eq!(Pack::parse(&pack.encode()).unwrap(), pack);
}

#[test]
fn what_is_no_pack_is_refused_with_a_reason() {
    let shape = Err(PackError::Shape);
    assert_eq!(parsed(|_| ()).map(|pack| pack.name), Ok("district".into()));
    assert_eq!(parsed(|it| it["pack"] = json!(2)), Err(PackError::Newer));
    assert_eq!(parsed(|it| it["pack"] = json!(0)), shape);
    assert_eq!(parsed(|it| it["pack"] = json!("1")), shape);
    assert_eq!(parsed(|it| it["version"] = json!(-1)), shape);
    assert_eq!(parsed(|it| it["kinds"][0]["personnel_copy"] = json!("no")), shape);
    // A record is whole: what it does not say is not guessed.
    let fields: Vec<String> = small()["kinds"][0].as_object().unwrap().keys().cloned().collect();
    for field in fields.iter().filter(|field| *field != "says") {
        let without = parsed(|it| drop(it["kinds"][0].as_object_mut().unwrap().remove(field)));
        assert_eq!(without, shape, "{field}");
    }
    for word in ["", "Standards", "two words", "1st", "stan\u{202e}dards", &"a".repeat(65)] {
        assert_eq!(parsed(|it| it["kinds"][0]["challenge_topics"][0] = json!(word)), Err(PackError::Text("a word")));
        assert_eq!(parsed(|it| it["kinds"][0]["evidence_sources"] = json!([word])), Err(PackError::Text("a word")));
        assert_eq!(parsed(|it| it["name"] = json!(word)), Err(PackError::Text("a name")));
    }
    assert_eq!(parsed(|it| it["language"] = json!("sw_KE")), Err(PackError::Text("the tag of a language")));
    assert_eq!(
        parsed(|it| it["texts"] = json!([{"name": "a", "language": "sw", "lines": ["\u{7}"]}])),
        Err(PackError::Text("a line"))
    );
    let clause = |text: &str| json!([{"name": "a", "language": "sw", "title": "A", "clauses": [{"section": "hopes", "modality": "may", "text": text}]}]);
    assert_eq!(parsed(|it| it["templates"] = clause("\u{0}")), Err(PackError::Text("a clause")));
    assert_eq!(parsed(|it| it["templates"] = clause(&"a".repeat(50_001))), Err(PackError::Text("a clause")));
}

#[test]
fn nothing_is_there_twice_or_too_often() {
    let twice = parsed(|it| it["kinds"] = json!([small()["kinds"][0], small()["kinds"][0]]));
    assert_eq!(twice, Err(PackError::Twice("kinds")));
    assert_eq!(parsed(|it| it["texts"] = json!([text_of(1), text_of(2)])), Err(PackError::Twice("texts")));
    assert_eq!(parsed(|it| it["texts"] = json!([text_of(65)])), Err(PackError::TooMany { what: "lines", max: 64 }));
    let many = |kinds: usize| {
        parsed(|it| {
            let each = (0..kinds).map(|number| {
                let mut record = small()["kinds"][0].clone();
                record["kind"] = json!(format!("k{number}"));
                record
            });
            it["kinds"] = each.collect();
        })
    };
    assert_eq!(many(PACK_KINDS_MAX).map(|pack| pack.kinds.len()), Ok(PACK_KINDS_MAX));
    assert_eq!(many(PACK_KINDS_MAX + 1), Err(PackError::TooMany { what: "kinds", max: PACK_KINDS_MAX }));
    let words: Vec<String> = (0..65).map(|number| format!("w{number}")).collect();
    let listed = parsed(|it| it["kinds"][0]["catalytic_topics"] = json!(words));
    assert_eq!(listed, Err(PackError::TooMany { what: "words of a list", max: 64 }));
}

#[test]
fn a_hostile_file_is_refused_and_nothing_else() {
    assert_eq!(with("0"), Ok(()));
    // Deep: one object is the pack itself.
    let nested = |depth: usize| with(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    assert_eq!(nested(PACK_DEPTH_MAX - 1), Ok(()));
    assert_eq!(nested(PACK_DEPTH_MAX), Err(PackError::Json));
    assert_eq!(nested(100_000), Err(PackError::Json));
    assert_eq!(with(&"{\"a\":".repeat(50_000)), Err(PackError::Json));
    // Many: the pack, its three fields and the list are values, too.
    let listed = |count: usize| with(&format!("[{}]", vec!["{}"; count].join(",")));
    assert_eq!(listed(PACK_VALUES_MAX - 5), Ok(()));
    assert_eq!(listed(PACK_VALUES_MAX - 4), Err(PackError::Json));
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    assert_eq!(with(&PACK_NUMBER_MAX.to_string()), Ok(()));
    assert_eq!(with(&format!("-{PACK_NUMBER_MAX}")), Ok(()));
    for number in ["9007199254740992", "-9007199254740992", "1e400", "1.5", "1e2", "-0", "0x1", "01", "NaN"] {
        assert_eq!(with(number), Err(PackError::Json), "{number}");
    }
    assert_eq!(with(&"9".repeat(100_000)), Err(PackError::Json));
    // A key twice, wherever it stands: of two readers each could take another.
    for twice in ["{\"a\":1,\"a\":1}", "0,\"x\":0", "0,\"name\":\"b\"", "[[{\"a\":{},\"\\u0061\":{}}]]"] {
        assert_eq!(with(twice), Err(PackError::Json), "{twice}");
    }
}

#[test]
fn a_file_that_is_long_cut_or_spoilt_never_panics() {
    assert_eq!(Pack::parse(&vec![b' '; PACK_BYTES_MAX + 1]), Err(PackError::TooLarge));
    for byte in [b' ', b'[', b'{', b'"', b'9', b'\\', 0, 0xff] {
        assert_eq!(Pack::parse(&vec![byte; PACK_BYTES_MAX]), Err(PackError::Json), "{byte}");
    }
    for strange in ["", "null", "[]", "{}", "\"\\ud800\"", "{\"pack\":1}", "{\"pack\":1} {}"] {
        assert!(Pack::parse(strange.as_bytes()).is_err(), "{strange}");
    }
    let whole = Pack::shipped().encode();
    for end in (0..whole.len()).step_by(97) {
        assert_eq!(Pack::parse(&whole[..end]), Err(PackError::Json), "{end}");
    }
    let mut spoilt = whole.clone();
    for at in (0..whole.len()).step_by(61) {
        for byte in [b'"', b'{', b'0', 0xff] {
            spoilt[at] = byte;
            if let Ok(pack) = Pack::parse(&spoilt) {
                assert_eq!(Pack::parse(&pack.encode()).as_ref(), Ok(&pack));
                let _ = (Policy::loosens(&pack), Policy::in_force([&pack]));
            }
        }
        spoilt[at] = whole[at];
    }
}

#[test]
fn refusals_of_packs_are_stable() {
    let told = |error: PackError| {
        let refusal = Refusal::from(error);
        let params: Vec<String> = refusal.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (refusal.code.code(), params.join(" "))
    };
    assert_eq!(told(PackError::TooLarge), ("PACK_BROKEN", "reason=too_large bytes=262144".into()));
    assert_eq!(told(PackError::Json), ("PACK_BROKEN", "reason=json".into()));
    assert_eq!(told(PackError::Newer), ("SCHEMA_NEWER", String::new()));
    assert_eq!(told(PackError::Shape), ("PACK_BROKEN", "reason=shape".into()));
    assert_eq!(
        told(PackError::TooMany { what: "kinds", max: 64 }),
        ("PACK_BROKEN", "reason=too_many what=kinds max=64".into())
    );
    assert_eq!(told(PackError::Twice("texts")), ("PACK_BROKEN", "reason=twice what=texts".into()));
    assert_eq!(told(PackError::Text("a word")), ("PACK_BROKEN", "reason=text what=a word".into()));
    for (error, reason) in [
        (SignedPackError::File, "file"),
        (SignedPackError::Spelling, "spelling"),
        (SignedPackError::Signature, "signature"),
        (SignedPackError::Pack(PackError::Json), "json"),
    ] {
        let refusal = Refusal::from(error);
        assert_eq!((refusal.code, refusal.params[0].1.as_str()), (RefusalCode::PackBroken, reason));
    }
}

fn signature(pack: &Pack) -> Cosignature {
    Cosignature {
        frozen: pack.frozen(),
        person: PersonTag([1; 16]),
        device: DeviceKey([5; 32]),
        language: "sw".into(),
        on: CivilDate::new(2026, 11, 30).unwrap(),
        signature: [6; 64],
    }
}

#[test]
fn a_signed_pack_shows_nothing_before_its_signature_holds() {
    let pack = Pack::parse(&text(&small())).unwrap();
    let signed = signature(&pack);
    let file = SignedPack::new(pack.clone(), &signed).encode();
    let read = SignedPack::parse(&file).unwrap();
    assert_eq!(read.encode(), file);
    assert_eq!(read.verify(|it| it.signature == [6; 64]), Ok((&pack, signed.clone())));
    assert_eq!(read.verify(|_| false).unwrap_err(), SignedPackError::Signature);
    // Signed by the same person: another pack.
    let other = parsed(|it| it["version"] = json!(4)).unwrap();
    let moved = SignedPack::new(other, &signed);
    assert_eq!(moved.verify(|_| true).unwrap_err(), SignedPackError::Signature);
    // The file holds the text as it was signed, and is read in one spelling only.
    let value: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(value["text"].as_str().unwrap().as_bytes(), pack.encode());
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["signature", "signed_pack", "text"]);
    let told = |field: &str, set: Value| {
        let mut changed = value.clone();
        changed[field] = set;
        SignedPack::parse(&text(&changed)).map(drop)
    };
    assert_eq!(told("signed_pack", json!(2)), Err(SignedPackError::File));
    assert_eq!(told("further", json!(2)), Err(SignedPackError::File));
    assert_eq!(told("signature", json!({})), Err(SignedPackError::File));
    assert_eq!(told("text", json!("{}")), Err(SignedPackError::Pack(PackError::Shape)));
    let spaced = format!("{} ", value["text"].as_str().unwrap());
    assert_eq!(told("text", json!(spaced)), Err(SignedPackError::Spelling));
    assert_eq!(SignedPack::parse(&vec![b' '; SIGNED_PACK_BYTES_MAX + 1]).unwrap_err(), SignedPackError::File);
    for end in (0..file.len()).step_by(31) {
        assert_eq!(SignedPack::parse(&file[..end]).unwrap_err(), SignedPackError::File);
    }
}

#[test]
fn the_largest_pack_can_be_signed() {
    // Quotation marks cost most: two bytes in the text, four in the file.
    let pack = |marks: usize| {
        let full = format!("{{\"name\":\"a\",\"pack\":1,\"version\":1,\"x\":\"{}\"}}", "\\\"".repeat(marks));
        Pack::parse(full.as_bytes()).map(|pack| (pack, full.len()))
    };
    let (pack, length) = pack((PACK_BYTES_MAX - 40) / 2).unwrap();
    assert!(length == PACK_BYTES_MAX, "{length}");
    let file = SignedPack::new(pack.clone(), &signature(&pack)).encode();
    assert!(file.len() <= SIGNED_PACK_BYTES_MAX, "{}", file.len());
    assert_eq!(SignedPack::parse(&file).unwrap().verify(|_| true).unwrap().0, &pack);
}
