//! Confirming a note together, and what is locked by it (DOMAIN 2.4, 2.10: confirmed → locked).
//!
//! A confirmation names a state of the note, the hash of the canonical text there, and who was present. It does not
//! repeat the text: every replica makes it anew from the state, and a confirmation whose hash is another's says nothing.
//! When everybody who was present has confirmed one text, it is locked: what is shown is that text for ever, what was
//! written without knowing of it stands below, and whoever has more to say writes an addendum.

mod check;
mod text;

pub(in crate::note) use check::{check_addendum, check_confirm};
pub use text::{ActionText, NoteText};

use alliance_wire::{DocumentId, FrozenHash};
use serde::{Deserialize, Serialize};

use super::NoteView;
use crate::cosign::{
    Cosignature, CosignatureView, Link, Party, PartyView, by_party, canonical, frozen, heads_of, is_complete, replaced,
};
use crate::kind::ItemId;
use crate::view::Difference;
use crate::vocabulary::vocabulary;

/// The form of canonical text that this version of the program writes.
pub const RENDERING_FORM: u8 = 1;

vocabulary! {
    /// Where a confirmed text stands: computed from its confirmations, never stored.
    FrozenState {
        /// Not everybody who was present has confirmed it.
        ConfirmedBySome = 0 "confirmed_by_some",
        /// Everybody has.
        Locked = 1 "locked",
        /// Everybody had, and then settled on another text that was locked apart.
        Superseded = 2 "superseded",
    }
}

vocabulary! {
    /// Where a note stands: computed from what was confirmed.
    NoteState {
        /// Everybody writes, and nobody has confirmed what it says now.
        Shared = 0 "shared",
        /// Somebody has confirmed what it says now.
        ConfirmedBySome = 1 "confirmed_by_some",
        /// Everybody who was present has: only addenda are written.
        Locked = 2 "locked",
        /// Two texts were locked apart. Both are shown until everybody confirms one of them once more.
        TwoLocks = 3 "two_locks",
    }
}

#[allow(clippy::derivable_impls, reason = "a vocabulary's variants take no further attribute")]
impl Default for NoteState {
    fn default() -> Self {
        Self::Shared
    }
}

/// The text of a note at a state, frozen for those who were present.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Rendering {
    /// The form of the canonical text: [`RENDERING_FORM`].
    #[n(0)]
    pub form: u8,
    /// Who confirms it, in the order of their tags.
    #[n(1)]
    pub present: Vec<Party>,
    /// The locked texts that it is to settle, in order; none but where two were locked apart.
    #[n(2)]
    pub over: Vec<FrozenHash>,
    /// The state of the document: ids of changes, 32 bytes each.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub heads: Vec<u8>,
    /// The hash of the canonical text.
    #[n(4)]
    pub frozen: FrozenHash,
    /// The notes that were read as one, this one among them, in order: those of a session that was written down twice.
    /// None where this one stands alone.
    #[n(5)]
    pub merged: Vec<DocumentId>,
}

impl Rendering {
    /// What people sign: the canonical bytes of note, persons and text.
    /// [`cosign::frozen`](crate::cosign::frozen) of them is its name.
    #[must_use]
    pub fn canonical(&self, note: &str, text: &NoteText) -> Vec<u8> {
        canonical(&CanonicalNote {
            form: self.form,
            merged: self.merged.iter().map(ToString::to_string).collect(),
            note,
            over: self.over.iter().map(ToString::to_string).collect(),
            present: self.present.iter().map(PartyView::from).collect(),
            text,
        })
    }

    /// The hash that it has if it is of this text of this note.
    #[must_use]
    pub fn hash_of(&self, note: &str, text: &NoteText) -> FrozenHash {
        frozen(&self.canonical(note, text))
    }
}

/// A confirmation, as it stands in a document: what is confirmed, and whose signature that is.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Confirmation {
    /// What is confirmed.
    #[n(0)]
    pub rendering: Rendering,
    /// The signature of its hash.
    #[n(1)]
    pub signature: Cosignature,
}

impl Confirmation {
    /// Reads what stands in a log; `None` if it is no confirmation.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in a log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }
}

/// Fields stand in the order of their names: this is what people sign.
#[derive(Serialize)]
struct CanonicalNote<'a> {
    form: u8,
    merged: Vec<String>,
    note: &'a str,
    over: Vec<String>,
    present: Vec<PartyView>,
    text: &'a NoteText,
}

/// A text that somebody confirmed, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenView {
    /// The id of its first confirmation in the log.
    pub op: ItemId,
    /// Its name: the hash of what people sign, in hexadecimal.
    pub name: String,
    /// The hash of its text alone, to compare with [`NoteView::text`].
    pub text: String,
    /// The state of the document that it names: ids of changes.
    pub heads: Vec<String>,
    /// Who was present, and so confirms it.
    pub present: Vec<PartyView>,
    /// The locked texts that it is to settle.
    pub over: Vec<String>,
    /// The notes that were read as one.
    pub merged: Vec<String>,
    /// Where it stands.
    pub state: FrozenState,
    /// Who confirmed it.
    pub confirmations: Vec<CosignatureView>,
    /// What it says, where the note as shown says something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<NoteText>,
}

impl FrozenView {
    /// Those who were present with the confirmation of each, in their order.
    pub fn by_party(&self) -> impl Iterator<Item = (&PartyView, Option<&CosignatureView>)> {
        by_party(&self.present, &self.confirmations)
    }

    /// Whether it is the same people who confirm this, and they read the same notes as one.
    #[must_use]
    pub fn is_for(&self, present: &[Party], merged: &[DocumentId]) -> bool {
        self.is_of(merged)
            && self.present.len() == present.len()
            && self.present.iter().all(|party| present.iter().any(|it| it.person.to_string() == party.person))
    }

    fn is_of(&self, merged: &[DocumentId]) -> bool {
        self.merged.len() == merged.len() && self.merged.iter().zip(merged).all(|(id, other)| *id == other.to_string())
    }

    /// What a further confirmation of it names.
    #[must_use]
    pub fn rendering(&self) -> Option<Rendering> {
        Some(Rendering {
            form: RENDERING_FORM,
            present: self.present.iter().map(PartyView::party).collect::<Option<_>>()?,
            over: self.over.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?,
            heads: heads_of(&self.heads)?,
            frozen: self.name.parse().ok()?,
            merged: self.merged.iter().map(|id| id.parse().ok()).collect::<Option<_>>()?,
        })
    }
}

/// Something that was said about a locked note afterwards, or beside an open one. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddendumView {
    /// Its id in the log.
    pub op: ItemId,
    /// Who wrote it: index into the view's `authors`.
    pub by: usize,
    /// What was said.
    pub text: String,
}

/// A place of a locked note where somebody wrote who did not know of the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApartView {
    /// The note in which that is, where several are shown as one.
    pub note: String,
    /// The place, and what differs there from the locked text.
    #[serde(flatten)]
    pub difference: Difference,
    /// Who wrote what was added: indices into the view's `authors`. Nobody where something was only taken away.
    pub by: Vec<usize>,
}

impl NoteView {
    /// Takes up what was confirmed, says where each text stands, and where the note does.
    pub fn settle(&mut self, mut confirmed: Vec<FrozenView>) {
        let complete: Vec<bool> = confirmed.iter().map(|it| is_complete(&it.present, &it.confirmations)).collect();
        let links: Vec<Link<'_>> = confirmed
            .iter()
            .zip(&complete)
            .map(|(it, complete)| Link { name: &it.name, based_on: &it.over, complete: *complete })
            .collect();
        let settled = replaced(&links);
        for (it, complete) in confirmed.iter_mut().zip(complete) {
            it.state = match complete {
                true if settled.contains(&it.name) => FrozenState::Superseded,
                true => FrozenState::Locked,
                false => FrozenState::ConfirmedBySome,
            };
        }
        self.confirmed = confirmed;
        // What was confirmed of several notes together counts where they are shown together ([`crate::merge`]).
        let here =
            |it: &FrozenView| it.text == self.text && it.state == FrozenState::ConfirmedBySome && it.merged.is_empty();
        // One text that two sets of people locked is one text.
        let mut locked: Vec<&str> = self.locks().map(|it| it.text.as_str()).collect();
        locked.sort_unstable();
        locked.dedup();
        self.state = match locked.len() {
            0 if self.confirmed.iter().any(here) => NoteState::ConfirmedBySome,
            0 => NoteState::Shared,
            1 => NoteState::Locked,
            _ => NoteState::TwoLocks,
        };
    }

    /// The texts that are locked: one, or several that were locked apart.
    pub fn locks(&self) -> impl Iterator<Item = &FrozenView> {
        self.confirmed.iter().filter(|it| it.state == FrozenState::Locked)
    }

    /// The locked text that is shown; none where there is none, or two.
    #[must_use]
    pub fn lock(&self) -> Option<&FrozenView> {
        self.locks().next().filter(|_| self.state == NoteState::Locked)
    }

    /// Whether only addenda are written by now.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self.state, NoteState::Locked | NoteState::TwoLocks)
    }

    /// Whether nobody has written anything yet.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.text_now() == NoteText::default()
    }

    /// The text as it is shown now.
    #[must_use]
    pub fn text_now(&self) -> NoteText {
        NoteText::of(self)
    }

    /// What somebody confirms who was shown a text, with these people present: what another has confirmed already, else
    /// the note as it is, whose state `heads` name. `merged`: the notes that were read as one, if there are several.
    /// Nothing if neither says what was shown.
    #[must_use]
    pub fn rendering(
        &self,
        seen: FrozenHash,
        heads: Vec<u8>,
        present: Vec<Party>,
        merged: &[DocumentId],
    ) -> Option<Rendering> {
        let mut present = present;
        present.sort();
        present.dedup_by_key(|party| party.person);
        let shown = seen.to_string();
        if self.state == NoteState::TwoLocks {
            return self.settling(self.locks().find(|lock| lock.text == shown)?);
        }
        let open = self.confirmed.iter().filter(|it| it.state == FrozenState::ConfirmedBySome && it.is_of(merged));
        let mut same = open.filter(|it| it.text == shown);
        if self.text != shown {
            return same.next_back()?.rendering();
        }
        match same.find(|it| it.is_for(&present, merged)) {
            Some(known) => known.rendering(),
            None => Some(self.freeze(heads, present, merged.to_vec())),
        }
    }

    fn freeze(&self, heads: Vec<u8>, present: Vec<Party>, merged: Vec<DocumentId>) -> Rendering {
        let frozen = FrozenHash([0; 32]);
        let mut rendering = Rendering { form: RENDERING_FORM, present, over: Vec::new(), heads, frozen, merged };
        rendering.frozen = rendering.hash_of(&self.document, &self.text_now());
        rendering
    }

    /// What settles two locks in favour of this one: the same text at the same state, by everybody who confirmed either.
    fn settling(&self, lock: &FrozenView) -> Option<Rendering> {
        let mut over: Vec<FrozenHash> = self.locks().map(|it| it.name.parse().ok()).collect::<Option<_>>()?;
        over.sort();
        let present = self.locks().flat_map(|it| &it.present).map(PartyView::party);
        let mut present: Vec<Party> = present.collect::<Option<_>>()?;
        present.sort();
        present.dedup_by_key(|party| party.person);
        let mut rendering = Rendering { present, over, ..lock.rendering()? };
        rendering.frozen = rendering.hash_of(&self.document, lock.words.as_ref()?);
        Some(rendering)
    }
}
