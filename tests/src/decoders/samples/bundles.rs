//! A bundle as a file, with fixed randomness: its records one by one, and together.

use alliance_client::bundle_texts;
use alliance_crypto::{BundleKey, DeviceSecret, HeadSeal, Secret as _};
use alliance_wire::bundle_file::{Finish, PageBody, PageEnd, RecordKind, SealedPage, SignedPage, Start, record};
use alliance_wire::{Frame, SpaceId};

use super::{Samples, hex, vectors};

const PARCEL: [u8; 16] = [2; 16];

impl Samples {
    pub(super) fn bundle_files(&mut self) {
        let writer = DeviceSecret::from_seed([5; 32]);
        let key = BundleKey::new([6; 32]);
        let devices = [(writer.key(), writer.box_key())];
        let relays = [alliance_wire::DeviceKey([7; 32])];
        let to = HeadSeal { bundle: [1; 16], parcel: PARCEL, devices: &devices, relays: &relays };
        let head = key.seal(&writer, &to, [8; 32]).encode();
        let start = Start { bundle: [1; 16], part: 1, parts: 1 }.encode();
        let body = body();
        let page = key.seal_page(&writer, (PARCEL, 0), &body, [9; 32]);
        self.start_and_head(&start, &head);
        self.pages(&writer, &body, &page);
        let file = [
            record(RecordKind::Start, &start),
            record(RecordKind::Head, &head),
            record(RecordKind::Page, &page.encode()),
        ];
        let whole = file.concat();
        self.add("bundle_file", true, "a bundle", whole.as_slice());
        let mut damaged = whole.clone();
        damaged[file[0].len() + 60] ^= 1;
        self.add("bundle_file", true, "a damaged head", damaged);
        self.add("bundle_file", true, "cut", &whole[..whole.len() - 1]);
        self.add("bundle_file", true, "something before it", [b"\x89ALB and so on".as_slice(), &whole].concat());
        self.add("bundle_file", false, "half a record", &file[0][..40]);
        self.add("bundle_file", false, "nothing", []);
        let texts = bundle_texts(&whole).expect("a small bundle");
        self.add("bundle_texts", true, "all texts", texts.join("\n"));
        self.add("bundle_texts", false, "one of several", texts[0].as_str());
        let one = bundle_texts(&file[0]).expect("a small bundle");
        self.add("bundle_texts", true, "one text", one[0].as_str());
        self.add("bundle_texts", false, "nothing", []);
    }

    fn start_and_head(&mut self, start: &[u8], head: &[u8]) {
        self.add("bundle_start", true, "the only part", start);
        self.add("bundle_start", false, "cut", &start[..20]);
        self.add("bundle_start", false, "a newer version", [&[2], &start[1..]].concat());
        let finish = Finish { bundle: [1; 16], part: 3 }.encode();
        self.add("bundle_finish", true, "the third part", finish.as_slice());
        self.add("bundle_finish", false, "cut", &finish[..19]);
        self.add("bundle_head", true, "a device and a relay", head);
        let mut newer = head.to_vec();
        newer[1] = 2;
        self.add("bundle_head", false, "a newer version", newer);
        self.add("bundle_head", false, "cut", &head[..head.len() - 5]);
    }

    fn pages(&mut self, writer: &DeviceSecret, body: &PageBody, page: &SealedPage) {
        let sealed = page.encode();
        self.add("bundle_page", true, "a page", sealed.as_slice());
        self.add("bundle_page", false, "cut", &sealed[..sealed.len() / 2]);
        let inside = body.encode();
        let signature = writer.sign(&SignedPage::message(PARCEL, 0, &inside));
        let signed = SignedPage { writer: writer.key(), signature, body: inside.clone().into() }.encode();
        self.add("signed_page", true, "a page", signed.as_slice());
        self.add("signed_page", false, "cut", &signed[..90]);
        self.add("page_body", true, "a run and the end", inside.as_slice());
        let hello = PageBody { frames: vec![Frame::Carried {}.encode().into()], ..body.clone() };
        self.add("page_body", false, "a frame that has no place here", hello.encode());
        let other = PageBody { space: SpaceId([3; 16]), ..body.clone() };
        self.add("page_body", false, "a run of another space", other.encode());
    }
}

/// A page with the golden run, which ends its parcel.
fn body() -> PageBody {
    let frames = vectors("core/wire/vectors", "frames.json");
    let carry = frames["cases"].as_array().into_iter().flatten().find(|case| case["what"] == "carry");
    let bytes = hex(carry.and_then(|case| case["bytes"].as_str()).unwrap_or_default());
    let Ok(Frame::Carry(carry)) = Frame::decode(&bytes) else { unreachable!("the golden run is one") };
    let end = PageEnd { pages: 1, entries: carry.entries.len() as u64, receipts: 0, hash: [4; 32], since: None };
    PageBody { space: carry.space, before: 0, frames: vec![bytes.into()], end: Some(end) }
}
