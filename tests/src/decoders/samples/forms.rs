//! What stands in the logs of forms, and a signed form as a file.

use alliance_model::decision::trail::hexadecimal;
use alliance_model::form::{FORM_TEXT, FilePiece, FormSeal, FormSealing, FormText, FormView, Said};
use alliance_model::{Cosignature, DocumentKind, ItemId, Party, cosign};

use super::Samples;

impl Samples {
    pub(super) fn forms(&mut self, signed: &Cosignature) {
        let said = Said {
            word: "progress".into(),
            cites: vec![ItemId([1; 8])],
            on: Some(signed.on),
            number: Some(3),
            text: Some("She asked before she advised.".into()),
        };
        let bytes = said.encode();
        self.add("said", true, "progress", bytes.clone());
        self.add("said", true, "a word", Said::word("agreed").encode());
        self.add("said", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let piece = FilePiece { file: signed.frozen, number: 0, of: 2, bytes: b"{\"signatures\":[".to_vec() };
        let bytes = piece.encode();
        self.add("file_piece", true, "the first", bytes.clone());
        self.add("file_piece", false, "cut", bytes[..bytes.len() - 1].to_vec());
        let parties = vec![Party { person: signed.person, name: "Amina".into() }];
        let sealing = FormSealing { form: FORM_TEXT, parties, heads: vec![3; 64], frozen: signed.frozen };
        let bytes = FormSeal { sealing: sealing.clone(), signature: signed.clone() }.encode();
        self.add("form_seal", true, "a signature", bytes.clone());
        self.add("form_seal", false, "cut", bytes[..bytes.len() - 1].to_vec());
        self.signed_form(sealing, signed);
    }

    fn signed_form(&mut self, sealing: FormSealing, signed: &Cosignature) {
        let mut view = FormView::new(DocumentKind::Closing, "07".repeat(16));
        let mut text = FormText::default();
        text.texts.insert("summary".into(), "We met a year.".into());
        let named = FormSealing { frozen: cosign::frozen(&sealing.canonical(&view, &text)), ..sealing };
        let mut seal = named.view(ItemId([1; 8]), text);
        seal.signatures.push(signed.into());
        seal.proofs.push(hexadecimal(&signed.signature));
        view.settle(vec![seal]);
        let file = view.signed_file().expect("all have signed it").encode();
        self.add("signed_form", true, "a closing summary", file.clone());
        self.add("signed_form", false, "cut", file[..file.len() - 1].to_vec());
        let text = String::from_utf8(file).expect("JSON");
        self.add("signed_form", false, "a newer version", text.replace("\\\"form\\\":1", "\\\"form\\\":2"));
        // Of the signature, which stands first, and not of the text.
        let nobody = text.replacen(&signed.person.to_string(), &"0".repeat(32), 1);
        self.add("signed_form", false, "nobody signed", nobody);
    }
}
