//! Every decoder of outside bytes, as one list of plain functions.
//!
//! *Outside* is whatever this process did not write itself: what peers, relays and members send, what people paste, and
//! files that a disk or a copy may have damaged. A [`Decoder`] never panics, and its time and memory are bounded by the
//! length of its input. `tests/tests/decoders.rs` runs each in a process with a limit of memory, on the files of
//! `tests/corpus` and on mutations of them; `tests/fuzz` runs the same functions guided by coverage.
//!
//! A new decoder is one line in [`ALL`] and a folder with its name in `tests/corpus`.

pub mod cbor;
mod controls;
mod crypto;
mod document;
mod files;
pub mod mutation;
pub mod samples;
mod texts;
mod wire;

use std::path::{Path, PathBuf};

pub use controls::CONTROLS;

/// A decoder of outside bytes.
#[derive(Clone, Copy)]
pub struct Decoder {
    /// Its name, and that of its folder in `tests/corpus`.
    pub name: &'static str,
    /// Reads bytes. What was read is encoded again, as [`Form`] says; `None` if the bytes are refused.
    pub decode: fn(&[u8]) -> Option<Vec<u8>>,
    /// What the encoding has to do with the bytes that were read.
    pub form: Form,
    /// A check or an alphabet around what is worth mutating, so that most mutations come past it.
    pub shell: Option<Shell>,
}

/// What encoding again gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Exactly the bytes that were read: there is one form for each value.
    Exact,
    /// Other bytes, perhaps, that read as the same value: what is unknown or spelt otherwise is gone, once for all.
    Stable,
    /// Nothing to compare: there is no way back.
    OneWay,
}

/// What stands around the bytes of a decoder.
#[derive(Clone, Copy)]
pub struct Shell {
    /// The inside, if the shell is in order.
    pub open: fn(&[u8]) -> Option<Vec<u8>>,
    /// Puts the shell around an inside.
    pub close: fn(&[u8]) -> Vec<u8>,
}

/// Every decoder, in the order of the crates.
pub const ALL: &[Decoder] = &[
    Decoder::new("frame", wire::frame, Form::Stable),
    Decoder::new("frame_beginning", wire::frame_beginning, Form::Stable),
    Decoder::new("bundle", wire::bundle, Form::Stable),
    Decoder::new("parcel", wire::parcel, Form::Stable),
    Decoder::new("bundle_file", wire::bundle_file, Form::Stable),
    Decoder::new("bundle_start", wire::bundle_start, Form::Exact),
    Decoder::new("bundle_finish", wire::bundle_finish, Form::Exact),
    Decoder::new("bundle_head", wire::bundle_head, Form::Stable),
    Decoder::new("bundle_page", wire::bundle_page, Form::Stable),
    Decoder::new("signed_page", wire::signed_page, Form::Stable),
    Decoder::new("page_body", wire::page_body, Form::Stable),
    Decoder::new("bundle_texts", texts::bundle_texts, Form::Stable).within(texts::BUNDLE),
    Decoder::new("suffix", wire::suffix, Form::Exact),
    Decoder::new("membership", wire::membership, Form::Stable),
    Decoder::new("content", wire::content, Form::Stable),
    Decoder::new("receipt", wire::receipt, Form::Stable),
    Decoder::new("id_text", wire::id_text, Form::Stable),
    Decoder::new("sealed", crypto::sealed, Form::OneWay).within(crypto::SEALED),
    Decoder::new("unpack", crypto::unpack, Form::OneWay),
    Decoder::new("watching", crypto::watching, Form::OneWay).within(crypto::WATCHING),
    Decoder::new("key_box", crypto::key_box, Form::OneWay),
    Decoder::new("words_box", crypto::words_box, Form::OneWay),
    Decoder::new("help_request", crypto::help_request, Form::Stable),
    Decoder::new("help_answer", crypto::help_answer, Form::Stable),
    Decoder::new("epoch_link", crypto::epoch_link, Form::OneWay),
    Decoder::new("signature", crypto::signature, Form::OneWay),
    Decoder::new("accept", crypto::accept, Form::OneWay).within(crypto::ACCEPT),
    Decoder::new("reveal", crypto::reveal, Form::OneWay).within(crypto::REVEAL),
    Decoder::new("invitation", texts::invitation, Form::Stable).within(texts::INVITATION),
    Decoder::new("recovery_words", texts::recovery_words, Form::Stable),
    Decoder::new("relay_address", texts::relay_address, Form::Stable).within(texts::RELAY),
    Decoder::new("admission_token", texts::admission_token, Form::Stable).within(texts::TOKEN),
    Decoder::new("armor", texts::armor, Form::Stable).within(texts::ACCEPT),
    Decoder::new("civil_date", texts::civil_date, Form::Exact),
    Decoder::new("term_text", texts::term_text, Form::Stable),
    Decoder::new("session_text", texts::session_text, Form::Stable),
    Decoder::new("preparation_text", texts::preparation_text, Form::Stable),
    Decoder::new("command", document::command, Form::Stable),
    Decoder::new("change", document::change, Form::Exact).within(document::CHUNK),
    Decoder::new("action_entry", document::action_entry, Form::Stable),
    Decoder::new("share_entry", document::share_entry, Form::Stable),
    Decoder::new("protective_entry", document::protective_entry, Form::Stable),
    Decoder::new("proposal", document::proposal, Form::Stable),
    Decoder::new("alias_entry", document::alias_entry, Form::Stable),
    Decoder::new("confirmation", document::confirmation, Form::Stable),
    Decoder::new("ethics_check", document::ethics_check, Form::Stable),
    Decoder::new("seal_entry", document::seal_entry, Form::Stable),
    Decoder::new("trail", document::trail, Form::Stable),
    Decoder::new("export_record", document::export_record, Form::Stable),
    Decoder::new("detached_signature", document::detached_signature, Form::Stable),
    Decoder::new("said", document::said, Form::Stable),
    Decoder::new("file_piece", document::file_piece, Form::Stable),
    Decoder::new("form_seal", document::form_seal, Form::Stable),
    Decoder::new("signed_form", document::signed_form, Form::Stable),
    Decoder::new("pack", document::pack, Form::Stable),
    Decoder::new("signed_pack", document::signed_pack, Form::Stable),
    Decoder::new("cosignature", document::cosignature, Form::Stable),
    Decoder::new("heads", document::heads, Form::Stable),
    Decoder::new("store_header", files::store_header, Form::Stable).within(files::HEADER),
    Decoder::new("marker", files::marker, Form::Stable).within(files::MARKER),
    Decoder::new("kept_half", files::kept_half, Form::Exact).within(files::KEPT),
    Decoder::new("pin_file", files::pin_file, Form::Stable).within(files::PIN),
    Decoder::new("help_file", files::help_file, Form::Stable).within(files::HELP),
    Decoder::new("pin_tries", files::pin_tries, Form::Stable).within(files::TRIES),
    Decoder::new("backup", files::backup, Form::Stable).within(files::BACKUP),
    Decoder::new("relay_secrets", files::relay_secrets, Form::Exact),
    Decoder::new("frame_stream", files::frame_stream, Form::Exact),
    Decoder::new("mark_stream", files::mark_stream, Form::Exact),
    Decoder::new("discovery_pages", files::discovery_pages, Form::Exact),
    Decoder::new("device_proof", files::device_proof, Form::Exact),
    Decoder::new("holder_request", files::holder_request, Form::Stable),
    Decoder::new("holder_line", files::holder_line, Form::Stable),
];

impl Decoder {
    const fn new(name: &'static str, decode: fn(&[u8]) -> Option<Vec<u8>>, form: Form) -> Self {
        Self { name, decode, form, shell: None }
    }

    const fn within(mut self, shell: Shell) -> Self {
        self.shell = Some(shell);
        self
    }

    /// The decoder or control of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().chain(CONTROLS).find(|decoder| decoder.name == name).copied()
    }

    /// The files of its corpus, sorted: those whose name begins with `ok-` are read, those with `bad-` refused. Controls
    /// have the corpus of frames.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn corpus(&self) -> Vec<(String, Vec<u8>)> {
        let name = if CONTROLS.iter().any(|control| control.name == self.name) { "frame" } else { self.name };
        let folder = corpus_folder().join(name);
        let files = std::fs::read_dir(&folder).expect("a folder of the decoder's name");
        let mut corpus: Vec<_> = files
            .map(|file| {
                let path = file.expect("a readable folder").path();
                let name = path.file_name().and_then(|name| name.to_str()).expect("names in ASCII").to_owned();
                (name, std::fs::read(&path).expect("a readable file"))
            })
            .collect();
        corpus.sort();
        corpus
    }

    /// What is wrong with what the decoder made of these bytes; `None` if nothing is.
    #[must_use]
    pub fn complaint(&self, bytes: &[u8], read: Option<&[u8]>) -> Option<String> {
        let encoded = read?;
        match self.form {
            Form::OneWay => None,
            Form::Exact if encoded == bytes => None,
            Form::Exact => Some("what was read is encoded as other bytes".into()),
            Form::Stable => match (self.decode)(encoded) {
                None => Some("what was read is encoded as bytes that are refused".into()),
                Some(again) if again == encoded => None,
                Some(_) => Some("what was read is encoded as bytes that say something else".into()),
            },
        }
    }
}

/// Where the corpora lie.
#[must_use]
pub fn corpus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Bytes as the text that a decoder of texts takes; a form or a file gives text only.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
