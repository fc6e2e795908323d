//! Policy packs, signed and not.

use alliance_model::policy::SignedPack;
use alliance_model::{Cosignature, Pack};

use super::Samples;

/// A record, a template, a text and a scheme, with words and keys of a newer version.
const PACK: &str = r#"{
  "pack": 1, "name": "district", "version": 3, "language": "sw", "retention": {"months": [24, -1, null, true]},
  "kinds": [{
    "kind": "clinical", "agenda_owner": "supervisee", "proposers": {"supervisor": ["from_sessions", "from_dreams"]},
    "content_audience": "alliance", "attendance_projection_max": "none", "content_record_rules": ["attendance_only"],
    "evidence_sources": ["clinical_session", "hearsay"], "challenge_topics": ["blind_spot"],
    "information_purposes": [], "outside_help": {"allowed": false, "except": ["report_unsafe_practice"]},
    "catalytic_topics": ["reflection"], "personnel_copy": false, "discretion_recipients": [],
    "disclosure_grounds": ["serious_harm"], "required_close_fields": ["attendance", "next_date"], "rota": 2
  }],
  "templates": [{
    "name": "pair", "language": "sw", "title": "Wawili",
    "clauses": [{"section": "hopes", "modality": "may", "text": "Matumaini: \u00e4"}],
    "terms": [{"name": "cadence", "value": "2 week"}],
    "protective": [{"term": "recording", "value": "no"}]
  }],
  "texts": [{"name": "values", "language": "sw", "lines": ["Karibu"]}],
  "schemes": [{"name": "two", "functions": ["one", "other"]}]
}"#;

impl Samples {
    pub(super) fn packs(&mut self, signed: &Cosignature) {
        let pack = Pack::parse(PACK.as_bytes()).expect("a pack");
        let text = String::from_utf8(pack.encode()).expect("JSON");
        self.add("pack", true, "written by hand", PACK);
        self.add("pack", true, "canonical", text.as_str());
        self.add("pack", true, "nothing in it", r#"{"pack":1,"name":"a","version":1}"#);
        self.add("pack", false, "a newer form", text.replace("\"pack\":1", "\"pack\":2"));
        self.add("pack", false, "half a record", text.replace("\"personnel_copy\":false,", ""));
        self.add("pack", false, "a key twice", text.replace("\"pack\":1", "\"pack\":1,\"pack\":1"));
        self.add("pack", false, "a fraction", text.replace("\"version\":3", "\"version\":3.0"));
        self.add("pack", false, "nested", "[".repeat(300));
        self.add("pack", false, "cut", &text.as_bytes()[..text.len() - 1]);
        let signed = Cosignature { frozen: pack.frozen(), ..signed.clone() };
        let file = String::from_utf8(SignedPack::new(pack, &signed).encode()).expect("JSON");
        self.add("signed_pack", true, "signed", file.as_str());
        self.add("signed_pack", false, "another text", file.replace("Karibu", "Kwaheri"));
        self.add("signed_pack", false, "a newer form", file.replace("\"signed_pack\":1", "\"signed_pack\":2"));
        self.add("signed_pack", false, "another spelling", file.replace("\"text\":\"{", "\"text\":\" {"));
        self.add("signed_pack", false, "cut", &file.as_bytes()[..file.len() - 1]);
        self.add("signed_pack", false, "a pack", text);
    }
}
