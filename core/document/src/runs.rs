//! Who wrote which letters, kept beside a document's saved bytes.
//!
//! The engine tells it letter by letter, from the ids of its operations: a quarter of what loading the document costs.
//! What it told when the document was saved is still so while nothing was added since.

use std::cell::RefCell;

use alliance_wire::codec;
use automerge::{Automerge, ChangeHash, ObjId, ReadDoc as _, Value};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::schema::read::{Entries, Read, Whole};

/// The texts of one document, each as runs of letters by one actor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Runs {
    #[n(0)]
    actors: Vec<ByteVec>,
    #[n(1)]
    texts: Vec<TextRuns>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct TextRuns {
    /// The text's object: number of the operation that made it, and its actor's index.
    #[n(0)]
    counter: u64,
    #[n(1)]
    actor: u32,
    /// (letters, the actor's index), from the text's beginning.
    #[n(2)]
    runs: Vec<(u32, u32)>,
}

impl Runs {
    /// Reads what [`Runs::encode`] wrote; `None` if these are other bytes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        codec::decode(bytes).ok()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    fn index_of(&mut self, actor: &[u8]) -> u32 {
        let known = self.actors.iter().position(|known| known.as_slice() == actor);
        let index = known.unwrap_or_else(|| {
            self.actors.push(actor.to_vec().into());
            self.actors.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    fn actor(&self, index: u32) -> Option<&[u8]> {
        self.actors.get(usize::try_from(index).ok()?).map(|actor| actor.as_slice())
    }

    fn of_text(&self, text: &ObjId) -> Option<&TextRuns> {
        let ObjId::Id(counter, actor, _) = text else { return None };
        self.texts.iter().find(|runs| runs.counter == *counter && self.actor(runs.actor) == Some(actor.to_bytes()))
    }

    /// A text and where its runs end, if they fit it.
    fn split(&self, document: &Automerge, object: &ObjId) -> Option<(String, Ends<'_>)> {
        let known = self.of_text(object)?;
        let text = document.text(object).ok()?;
        let mut ends = Vec::with_capacity(known.runs.len());
        let mut letters = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let mut end = letters.next()?;
        for (len, actor) in &known.runs {
            // The end of a run is where the letter behind it begins.
            end = letters.nth(usize::try_from(*len).ok()?.checked_sub(1)?)?;
            ends.push((end, self.actor(*actor)?));
        }
        (end == text.len()).then_some((text, ends))
    }

    fn add(&mut self, text: &ObjId, letters: Vec<(u32, Vec<u8>)>) {
        let ObjId::Id(counter, actor, _) = text else { return };
        let actor = self.index_of(actor.to_bytes());
        let runs = letters.into_iter().map(|(len, actor)| (len, self.index_of(&actor))).collect();
        self.texts.push(TextRuns { counter: *counter, actor, runs });
    }
}

/// Where each run of a text ends, in bytes, and who wrote it.
type Ends<'a> = Vec<(usize, &'a [u8])>;

/// A document with the runs of its texts.
pub(crate) struct WithRuns<'a> {
    document: &'a Automerge,
    runs: Source<'a>,
}

enum Source<'a> {
    /// Known from when the document was saved. A text that they do not fit is told by the engine.
    Known(&'a Runs),
    /// Noted of every text that is read.
    Noted(RefCell<Runs>),
}

impl<'a> WithRuns<'a> {
    /// With runs that are known of exactly this state.
    pub(crate) const fn known(document: &'a Automerge, runs: &'a Runs) -> Self {
        Self { document, runs: Source::Known(runs) }
    }

    /// With runs that are noted on the way.
    pub(crate) fn noting(document: &'a Automerge) -> Self {
        Self { document, runs: Source::Noted(RefCell::default()) }
    }

    /// What was noted.
    pub(crate) fn noted(self) -> Runs {
        match self.runs {
            Source::Known(runs) => runs.clone(),
            Source::Noted(runs) => runs.into_inner(),
        }
    }

    fn note(&self, noted: &RefCell<Runs>, text: &ObjId, give: &mut dyn FnMut(&str, &[u8])) {
        let mut letters = Vec::new();
        self.document.runs(text, &mut |run, actor| {
            letters.push((u32::try_from(run.chars().count()).unwrap_or(u32::MAX), actor.to_vec()));
            give(run, actor);
        });
        noted.borrow_mut().add(text, letters);
    }
}

impl Whole for WithRuns<'_> {
    fn automerge(&self) -> &Automerge {
        self.document
    }

    fn heads(&self) -> Vec<ChangeHash> {
        self.document.get_heads()
    }
}

impl Read for WithRuns<'_> {
    fn letters(&self, text: &ObjId, give: &mut dyn FnMut(&str, ObjId)) {
        self.document.letters(text, give);
    }

    fn runs(&self, text: &ObjId, give: &mut dyn FnMut(&str, &[u8])) {
        let known = match &self.runs {
            Source::Known(runs) => runs.split(self.document, text),
            Source::Noted(noted) => return self.note(noted, text, give),
        };
        let Some((letters, ends)) = known else { return self.document.runs(text, give) };
        let mut begin = 0;
        for (end, actor) in ends {
            give(letters.get(begin..end).unwrap_or_default(), actor);
            begin = end;
        }
    }

    fn values_of(&self, object: &ObjId, key: &str) -> Vec<(Value<'_>, ObjId)> {
        self.document.values_of(object, key)
    }

    fn entries_of(&self, object: &ObjId) -> Entries<'_> {
        self.document.entries_of(object)
    }

    fn length_of(&self, object: &ObjId) -> usize {
        self.document.length_of(object)
    }
}
