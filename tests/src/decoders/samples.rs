//! What the corpora begin with: the golden vectors, those that must fail among them, and honest bytes of the decoders
//! that have no vectors.
//!
//! `cargo test --test decoders -- --ignored write_the_samples` writes them; a test compares. Files that a run found
//! stand beside them under other names and are never written over.

mod bundles;
mod forms;
mod packs;
mod prepared;
mod signed;
mod streams;

use std::path::Path;

use alliance_model::agreement::{AgreementCommand, ClauseSection, Modality, ProtectiveTerm, ProtectiveValue};
use alliance_model::note::{NoteCommand, Stage, Transition};
use alliance_model::preparation::{Feeling, PreparationCommand};
use alliance_model::session::{AgendaTransition, Attendance, SessionCommand, SessionValue};
use alliance_model::{CivilDate, Command, ItemId, Splice};
use alliance_net::{AdmissionToken, RelayAddress, RelaySecrets, write_armor};
use alliance_store::file::Marker;
use alliance_store::file::pin::PinFile;
use alliance_store::{Kdf, KeptHalf, StoreHeader, StoreKey};
use alliance_wire::bundle::Contents;
use alliance_wire::frame::{Run, RunEntry, RunPayload};
use alliance_wire::membership::EpochLink;
use alliance_wire::{DeviceKey, EpochId, Frame, Incarnation, Instance, PersonTag, encode};
use serde_json::Value;

use super::{crypto, document, files};
use crate::mutate::Parts;

/// A file of a corpus.
pub struct Sample {
    /// Whose.
    pub decoder: &'static str,
    /// `ok-sample-` or `bad-sample-`, a number and what it is.
    pub name: String,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// What the names of samples begin with, behind `ok-` or `bad-`.
pub const SAMPLE: &str = "sample-";

struct Samples(Vec<Sample>);

/// Every sample.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let mut samples = Samples(Vec::new());
    samples.wire();
    samples.crypto();
    samples.epochs();
    samples.texts();
    samples.values();
    samples.changes();
    samples.files();
    samples.streams();
    samples.0
}

impl Samples {
    fn add(&mut self, decoder: &'static str, ok: bool, what: &str, bytes: impl Into<Vec<u8>>) {
        let number = self.0.iter().filter(|sample| sample.decoder == decoder).count();
        let verdict = if ok { "ok" } else { "bad" };
        let plain: String = what.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
        let name = format!("{verdict}-{SAMPLE}{number:02}-{}", words.join("-").to_lowercase());
        self.0.push(Sample { decoder, name, bytes: bytes.into() });
    }

    fn wire(&mut self) {
        for (decoder, file) in [
            ("frame", "frames.json"),
            ("membership", "membership.json"),
            ("content", "content.json"),
            ("receipt", "receipts.json"),
        ] {
            let vectors = vectors("core/wire/vectors", file);
            self.cases(decoder, &vectors["cases"], true, "bytes");
            self.cases(decoder, &vectors["newer"], true, "bytes");
            self.cases(decoder, &vectors["must_fail"], false, "bytes");
        }
        self.beginnings();
        self.bundles();
        self.bundle_files();
        let entries = vectors("core/wire/vectors", "entries.json");
        self.cases("suffix", &entries["cases"], true, "suffix");
        self.cases("suffix", &entries["must_fail"], false, "bytes");
        self.add("id_text", true, "an id", "0f".repeat(16));
        self.add("id_text", true, "capitals", "0F".repeat(16));
        self.add("id_text", false, "an id of another length", "0f".repeat(20));
    }

    /// Runs that a cut went through.
    fn beginnings(&mut self) {
        let entry = RunEntry {
            suffix: vec![0x84; 12].into(),
            signature: [7; 64],
            payload: RunPayload::Here(b"sealed".to_vec().into()),
        };
        let run =
            |count| Frame::Run(Run { log: 3, first: 9, prev: None, entries: vec![entry.clone(); count] }).encode();
        let (two, one) = (run(2), run(1));
        let length = one.len() - run(0).len();
        self.add("frame_beginning", true, "whole", two.as_slice());
        self.add("frame_beginning", true, "cut in the second entry", &two[..two.len() - 3]);
        self.add("frame_beginning", true, "cut behind the first entry", &two[..two.len() - length]);
        self.add("frame_beginning", false, "cut in the first entry", &two[..two.len() - length - 1]);
        self.add("frame_beginning", false, "cut before any entry", &two[..4]);
        self.add("frame_beginning", false, "another frame", Frame::Carried {}.encode());
        self.add("frame_beginning", false, "too many entries", {
            let mut run = run(0);
            run.truncate(run.len() - 1);
            [run, vec![0x9a, 0xff, 0xff, 0xff, 0xff]].concat()
        });
    }

    fn bundles(&mut self) {
        let bundle =
            hex(vectors("core/crypto/vectors", "sealing.json")["parcel"]["bundle"].as_str().unwrap_or_default());
        let mut newer = bundle.clone();
        newer[1] = 2;
        self.add("bundle", true, "one parcel", bundle.as_slice());
        self.add("bundle", false, "a newer version", newer);
        self.add("bundle", false, "cut", &bundle[..bundle.len() / 2]);
        let frames = vectors("core/wire/vectors", "frames.json");
        let carry = frames["cases"].as_array().into_iter().flatten().find(|case| case["what"] == "carry");
        let carry = Frame::decode(&hex(carry.and_then(|case| case["bytes"].as_str()).unwrap_or_default()));
        if let Ok(Frame::Carry(carry)) = carry {
            let contents = Contents { carries: vec![carry.clone(), carry] }.encode();
            self.add("parcel", true, "two runs", contents.as_slice());
            self.add("parcel", false, "cut", &contents[..contents.len() - 1]);
        }
        self.add("parcel", true, "nothing", Contents { carries: Vec::new() }.encode());
    }

    /// Every case of a list that has `field`; those without are too large for a file.
    fn cases(&mut self, decoder: &'static str, list: &Value, ok: bool, field: &str) {
        for case in list.as_array().into_iter().flatten() {
            if let Some(text) = case[field].as_str() {
                self.add(decoder, ok, case["what"].as_str().unwrap_or("case"), hex(text));
            }
        }
    }

    fn crypto(&mut self) {
        let sealing = vectors("core/crypto/vectors", "sealing.json");
        let in_place = |list: &Value| -> Value {
            list.as_array().into_iter().flatten().filter(|case| case["ad"] == "6164").cloned().collect()
        };
        self.cases("sealed", &in_place(&sealing["seal"]), true, "sealed");
        self.add("sealed", true, "compressed", hex(sealing["open_only"]["sealed"].as_str().unwrap_or_default()));
        self.cases("sealed", &in_place(&sealing["must_fail"]), false, "sealed");
        self.cases("unpack", &sealing["must_fail"], false, "unsealed");
        self.add("unpack", true, "plain", b"text\x01\0\0".as_slice());
        self.add("unpack", true, "nothing", b"\x01".as_slice());
        let watching = hex(sealing["watching"]["sealed"].as_str().unwrap_or_default());
        self.add("watching", true, "a notice", watching.as_slice());
        self.add("watching", false, "cut", &watching[..60]);
        for case in vectors("core/crypto/vectors", "signatures.json")["cases"].as_array().into_iter().flatten() {
            let text = |field: &str| hex(case[field].as_str().unwrap_or_default());
            if text("message") == b"message" {
                let bytes = [text("key"), text("signature")].concat();
                self.add("signature", case["verifies"] == true, case["what"].as_str().unwrap_or("case"), bytes);
            }
        }
    }

    fn epochs(&mut self) {
        let epochs = vectors("core/crypto/vectors", "epochs.json");
        self.add("key_box", true, "a box", hex(epochs["epoch"]["sealed"].as_str().unwrap_or_default()));
        self.add("key_box", false, "a box of another entry", hex(epochs["appended"]["sealed"].as_str().unwrap_or("")));
        self.add("key_box", false, "nothing", []);
        let link = |sealed: Vec<u8>| encode(&EpochLink { epoch: EpochId([7; 16]), sealed: sealed.into() });
        let sealed = hex(epochs["link"]["sealed"].as_str().unwrap_or_default());
        self.add("epoch_link", true, "a link", link(sealed.clone()));
        self.add("epoch_link", false, "a link cut short", link(sealed[..23].to_vec()));
        let (accept, reveal) = crypto::messages();
        self.add("accept", true, "an accept", accept.as_slice());
        self.add("accept", false, "a reveal", reveal.as_slice());
        self.add("reveal", true, "a reveal", reveal);
        self.add("reveal", false, "an accept", accept);
    }

    fn texts(&mut self) {
        let invitation = vectors("core/crypto/vectors", "invitation.json");
        self.add("invitation", true, "with a relay", invitation["text"].as_str().unwrap_or_default());
        for case in invitation["must_fail"].as_array().into_iter().flatten() {
            let (what, text) = (case["what"].as_str().unwrap_or("case"), case["text"].as_str().unwrap_or_default());
            self.add("invitation", false, what, text);
        }
        let recovery = vectors("core/crypto/vectors", "recovery.json");
        self.add("recovery_words", true, "words", recovery["words"].as_str().unwrap_or_default());
        for case in recovery["must_fail"].as_array().into_iter().flatten() {
            let (what, words) = (case["what"].as_str().unwrap_or("case"), case["words"].as_str().unwrap_or_default());
            self.add("recovery_words", false, what, words);
        }
        for place in ["relay.example:4433", "[2001:db8::1]:4433"] {
            let address = RelayAddress::new(DeviceKey([4; 32]), place).expect("host and port");
            self.add("relay_address", true, place, address.to_string());
        }
        let token = AdmissionToken::generate(&[5; 40]).to_text();
        self.add("admission_token", true, "a token", token.as_str());
        self.add("relay_address", false, "a token", token.as_str());
        self.add("admission_token", false, "cut", &token.as_bytes()[..token.len() - 3]);
        self.add("armor", true, "an answer", write_armor("alliance-accept:", 1, &[6; 90]));
        self.add("armor", true, "nothing inside", write_armor("alliance-accept:", 1, &[]));
        self.add("armor", false, "a newer version", write_armor("alliance-accept:", 2, &[6; 9]));
        self.add("armor", false, "bits left over", "alliance-accept:aaaaaaaaaab");
    }

    fn values(&mut self) {
        self.add("civil_date", true, "a date", "2026-11-05");
        self.add("civil_date", true, "a leap day", "2028-02-29");
        for (what, date) in [("no such month", "2026-13-05"), ("no such day", "2026-02-29"), ("signs", "+026-1--5")] {
            self.add("civil_date", false, what, date);
        }
        for term in ["2 week", "90", "2027-01-31"] {
            self.add("term_text", true, term, term);
        }
        self.add("term_text", false, "no term", "every now and then");
        for field in ["clinical", "2026-12-04", "14:30", "2026-12-04 14:30", "60", "ethical", "proactive"] {
            self.add("session_text", true, field, field);
        }
        self.add("session_text", true, "a person", "0123456789abcdef0123456789abcdef");
        for (what, field) in [("no such time", "24:00"), ("no digits", "1:3O"), ("no such day", "2026-02-30 10:00")] {
            self.add("session_text", false, what, field);
        }
        let share = self.prepared();
        let commands = [
            Command::Preparation(PreparationCommand::AddFeeling { id: ItemId([1; 8]), feeling: Feeling::Remorse }),
            Command::Preparation(PreparationCommand::Share {
                id: ItemId([1; 8]),
                op: ItemId([2; 8]),
                share,
                cites: vec![ItemId([3; 8])],
            }),
            Command::Session(SessionCommand::Set { value: SessionValue::Minutes(60) }),
            Command::Session(SessionCommand::SetAttendance {
                person: PersonTag([7; 16]),
                attendance: Attendance::InPart,
            }),
            Command::Session(SessionCommand::MarkItem {
                id: ItemId([1; 8]),
                op: ItemId([2; 8]),
                transition: AgendaTransition::CarriedOver,
                cites: vec![ItemId([3; 8])],
            }),
            Command::Note(NoteCommand::SetTitle { title: "Visits".into() }),
            Command::Note(NoteCommand::SetDate { date: CivilDate::new(2026, 11, 5).expect("a date") }),
            Command::Note(NoteCommand::CiteRule {
                rule: ProtectiveValue { term: ProtectiveTerm::ContentRecordRule, number: 1 },
            }),
            Command::Note(NoteCommand::EditSection {
                stage: Stage::Focus,
                splice: Splice { pos: 300, delete: 2, insert: "ä".into() },
            }),
            Command::Note(NoteCommand::MarkAction {
                id: ItemId([1; 8]),
                op: ItemId([2; 8]),
                transition: Transition::Done,
                cites: vec![ItemId([3; 8]); 2],
            }),
            Command::Agreement(AgreementCommand::AddClause {
                id: ItemId([4; 8]),
                section: ClauseSection::Roles,
                modality: Modality::May,
                after: Some(ItemId([5; 8])),
            }),
        ];
        for command in commands {
            self.add("command", true, "a command", command.encode());
        }
        self.add("command", false, "another format", encode(&(2_u8, 0_u8)));
        self.add("command", false, "nothing", []);
        let entry = |number: u8| encode(&(number, vec![ItemId([6; 8]); 2]));
        self.add("action_entry", true, "done", entry(0));
        self.add("action_entry", false, "no such transition", entry(9));
        self.add("protective_entry", true, "a value", entry(1));
        self.add("protective_entry", true, "a value of a newer version", entry(200));
        self.add("protective_entry", false, "not enough", encode(&(1_u8,)));
        self.signed();
        self.add("heads", true, "two", [7; 64]);
        self.add("heads", true, "none", []);
        self.add("heads", false, "half", [7; 48]);
    }

    fn changes(&mut self) {
        let honest = document::honest_change();
        let parts = Parts::parse(&honest).expect("an honest change");
        self.add("change", true, "honest", honest.as_slice());
        let mut spoilt = |what: &str, edit: &dyn Fn(&mut Parts)| {
            let mut parts = parts.clone();
            edit(&mut parts);
            self.add("change", false, what, parts.encode());
        };
        spoilt("a message", &|parts| parts.message = b"hi".to_vec());
        spoilt("a footer", &|parts| parts.extra = vec![1; 3]);
        spoilt("no dependencies", &|parts| parts.deps.clear());
        spoilt("a number far ahead", &|parts| parts.start_op = 1 << 31);
        spoilt("a column less", &|parts| {
            parts.columns.remove(0);
        });
        spoilt("a run of 2 to the 60", &|parts| {
            let mut run = Vec::new();
            crate::mutate::signed(&mut run, 1 << 60);
            run.push(1);
            parts.columns.iter_mut().for_each(|(_, column)| column.splice(0..0, run.clone()).for_each(drop));
        });
        self.add("change", false, "cut", &honest[..honest.len() / 2]);
    }

    fn files(&mut self) {
        let key = StoreKey::new([1; 32]);
        let header = StoreHeader::new([2; 16], Kdf { memory_kib: 65_536, passes: 3, lanes: 1 }, &key).to_bytes();
        let marker = Marker { incarnation: Incarnation([3; 16]), instance: Instance([4; 16]), opens: 1_000 }.to_bytes();
        let newer = |bytes: &[u8], at: usize| {
            let mut whole = bytes[..bytes.len() - 8].to_vec();
            whole[at] = 2;
            let check = alliance_wire::hash::content_hash(&whole);
            [whole.as_slice(), &check[..8]].concat()
        };
        self.add("store_header", true, "a header", header.as_slice());
        self.add("store_header", false, "a newer version", newer(&header, 20));
        self.add("store_header", false, "a marker", marker.as_slice());
        let random = StoreHeader::random([2; 16], &key, &[9; 80]).to_bytes();
        self.add("store_header", true, "a random key", random.as_slice());
        self.add("marker", true, "a marker", marker.as_slice());
        self.add("marker", false, "a newer version", newer(&marker, 16));
        self.add("marker", false, "cut", &marker[..20]);
        let kept = KeptHalf::split(&key, [7; 16], &[8; 32]).to_bytes();
        self.add("kept_half", true, "a half", kept.as_slice());
        self.add("kept_half", false, "a newer version", newer(&kept, 20));
        self.add("kept_half", false, "a header", header.as_slice());
        self.add("kept_half", false, "cut", &kept[..40]);
        self.pins(&newer);
        let backup = files::backup_of(&header, &[5; 300]);
        self.add("backup", true, "a backup", backup.as_slice());
        self.add("backup", true, "an empty database", files::backup_of(&header, &[]));
        self.add("backup", false, "a damaged header", files::backup_of(&header[1..], &[5; 300]));
        self.add("backup", false, "cut", &backup[..backup.len() - 1]);
        let secrets = RelaySecrets::generate(&[6; 128]).to_bytes();
        self.add("relay_secrets", true, "secrets", secrets.as_slice());
        self.add("relay_secrets", false, "cut", &secrets[..128]);
    }

    fn pins(&mut self, newer: &dyn Fn(&[u8], usize) -> Vec<u8>) {
        let vectors = vectors("core/crypto/vectors", "pin.json");
        self.add("words_box", true, "a box", hex(vectors["words"]["sealed"].as_str().unwrap_or_default()));
        self.add("words_box", false, "nothing", []);
        self.add("words_box", false, "another box", [9; 80]);
        let help = |name: &str| hex(vectors["help"][name].as_str().unwrap_or_default());
        self.add("help_request", true, "a request", help("request"));
        self.add("help_request", false, "an answer", help("answer"));
        self.add("help_answer", true, "an answer", help("answer"));
        self.add("help_answer", false, "a request", help("request"));
        let wrap = (files::HELP.close)(&help("wrap"));
        self.add("help_file", true, "a wrap", wrap.as_slice());
        self.add("help_file", false, "a newer version", newer(&wrap, 20));
        self.add("help_file", false, "a request", (files::HELP.close)(&help("request")));
        self.add("help_file", false, "cut", &wrap[..40]);
        let wrap = hex(vectors["wraps"][0]["wrap"].as_str().unwrap_or_default());
        let wrap = alliance_wire::decode(&wrap).expect("a wrap");
        let named = PinFile { nickname: Some("Amina".into()), wrap: Some(wrap) }.to_bytes();
        self.add("pin_file", true, "a wrap", named.as_slice());
        self.add("pin_file", true, "nothing chosen", PinFile::default().to_bytes());
        self.add("pin_file", false, "a newer version", newer(&named, 19));
        self.add("pin_file", false, "cut", &named[..40]);
        let long = PinFile { nickname: Some("A".repeat(1_025)), wrap: None };
        self.add("pin_file", false, "a long nickname", long.to_bytes());
        // [number, [failed, boot, since]]: four tries, and behind it the fifth.
        let slot = |number: u8| [&[0x82, number, 0x83, number, 0x50], [1; 16].as_slice(), &[0x19, 0x10, 0]].concat();
        let (even, odd) = ((files::TRIES.close)(&slot(4)), (files::TRIES.close)(&slot(5)));
        let both = [&even[..4096], &odd[..4096]].concat();
        self.add("pin_tries", true, "a count", even.as_slice());
        self.add("pin_tries", true, "two counts", both.as_slice());
        self.add("pin_tries", true, "a torn one before", [&[0xff; 4096], &odd[..4096]].concat());
        self.add("pin_tries", false, "zeros", [0; 8192]);
        self.add("pin_tries", false, "cut", &even[..40]);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace's root")
}

fn vectors(folder: &str, file: &str) -> Value {
    let text = std::fs::read_to_string(root().join(folder).join(file)).expect("a committed file");
    serde_json::from_str(&text).expect("JSON")
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2).unwrap_or("zz"), 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}
