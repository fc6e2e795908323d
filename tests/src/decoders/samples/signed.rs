//! What people sign together.

use alliance_model::agreement::{Proposal, ProtectiveTerm, ProtectiveValue, TEXT_FORM};
use alliance_model::decision::trail::{Trail, hexadecimal};
use alliance_model::decision::{DECISION_FORM, DecisionText, EthicsCheck, Sealed, Sealing};
use alliance_model::exports::{DetachedSignature, ExportRecord, ExportScope};
use alliance_model::kind::decision_of;
use alliance_model::note::{Confirmation, RENDERING_FORM, Rendering};
use alliance_model::session::{AliasEntry, AliasTransition};
use alliance_model::{CivilDate, Cosignature, DecisionView, ItemId, Party};
use alliance_wire::{DeviceKey, DocumentId, FrozenHash, PersonTag};

use super::Samples;

impl Samples {
    /// An ethics check, a seal, and a file of sealed decisions.
    fn decided(&mut self, signed: &Cosignature) {
        let record = ExportRecord {
            person: signed.person,
            scope: ExportScope::Decisions,
            on: signed.on,
            reason: "for the ethics board".into(),
            file: signed.frozen,
        };
        let bytes = record.encode();
        self.add("export_record", true, "a record", bytes.clone());
        self.add("export_record", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let beside = DetachedSignature::from(signed).encode();
        self.add("detached_signature", true, "a signature", beside.clone());
        self.add("detached_signature", false, "cut", beside[..beside.len() - 1].to_vec());
        self.packs(signed);
        self.forms(signed);
        let check = EthicsCheck { person: PersonTag([2; 16]), text: "You ask first.".into() };
        let bytes = check.encode();
        self.add("ethics_check", true, "a check", bytes.clone());
        self.add("ethics_check", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let sealing = Sealing {
            form: DECISION_FORM,
            parties: vec![Party { person: signed.person, name: "Amina".into() }],
            previous: vec![FrozenHash([2; 32])],
            heads: vec![3; 64],
            frozen: signed.frozen,
        };
        let bytes = Sealed { sealing: sealing.clone(), signature: signed.clone() }.encode();
        self.add("seal_entry", true, "a seal", bytes.clone());
        self.add("seal_entry", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let mut view =
            DecisionView { document: decision_of(&signed.person, [7; 16]).to_string(), ..DecisionView::default() };
        let text = DecisionText { maker: signed.person.to_string(), ..DecisionText::default() };
        let named = Sealing { frozen: sealing.hash_of(&view.document, &text), ..sealing };
        let mut seal = named.view(ItemId([1; 8]), text);
        seal.signatures.push(signed.into());
        seal.proofs.push(hexadecimal(&signed.signature));
        view.settle(vec![seal]);
        let file = Trail::of(&[view]).encode();
        self.add("trail", true, "one decision", file.clone());
        self.add("trail", true, "none", Trail::of(&[]).encode());
        let text = String::from_utf8(file).expect("JSON");
        self.add("trail", false, "another text", text.replace("\"question\":\"\"", "\"question\":\"?\""));
        self.add("trail", false, "a newer version", text.replace("\"trail\":1", "\"trail\":2"));
        self.add("trail", false, "nobody signed", text.replace(&signed.person.to_string(), &"0".repeat(32)));
    }

    /// A proposal, a signature, a confirmation and an alias.
    pub(super) fn signed(&mut self) {
        let on = CivilDate::new(2026, 11, 30).expect("a date");
        let proposal = Proposal {
            form: TEXT_FORM,
            number: 2,
            language: "sw".into(),
            on,
            parties: vec![Party { person: PersonTag([1; 16]), name: "Amina".into() }],
            based_on: vec![FrozenHash([2; 32])],
            protective: vec![ProtectiveValue { term: ProtectiveTerm::Recording, number: 0 }],
            heads: vec![3; 64],
            frozen: FrozenHash([4; 32]),
        };
        let bytes = proposal.encode();
        self.add("proposal", true, "a version", bytes.clone());
        self.add("proposal", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let signed = Cosignature {
            frozen: FrozenHash([4; 32]),
            person: PersonTag([1; 16]),
            device: DeviceKey([5; 32]),
            language: "ar-SD".into(),
            on,
            signature: [6; 64],
        };
        let bytes = signed.encode();
        self.add("cosignature", true, "a signature", bytes.clone());
        self.add("cosignature", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let rendering = Rendering {
            form: RENDERING_FORM,
            present: vec![Party { person: PersonTag([1; 16]), name: "Amina".into() }],
            over: vec![FrozenHash([2; 32]), FrozenHash([3; 32])],
            heads: vec![3; 64],
            frozen: FrozenHash([4; 32]),
            merged: vec![DocumentId([7; 16]), DocumentId([8; 16])],
        };
        self.decided(&signed);
        let bytes = Confirmation { rendering, signature: signed }.encode();
        self.add("confirmation", true, "a confirmation", bytes.clone());
        self.add("confirmation", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let alias =
            AliasEntry { other: DocumentId([7; 16]), transition: AliasTransition::Same, cites: vec![ItemId([9; 8])] };
        let bytes = alias.encode();
        self.add("alias_entry", true, "one session", bytes.clone());
        self.add("alias_entry", false, "cut", bytes[..bytes.len() - 1].to_vec());
    }
}
