//! Reading a document's objects: as it is, in the midst of a transaction, or as it was.

use automerge::transaction::Transaction;
use automerge::{Automerge, ChangeHash, ObjId, ReadDoc, ScalarValueRef, Value, ValueRef};

/// What views and checks read.
pub(crate) trait Read {
    /// Gives each letter of a text with the operation that inserted it.
    fn letters(&self, text: &ObjId, give: &mut dyn FnMut(&str, ObjId));
    /// Gives a text in runs of letters that one actor inserted.
    fn runs(&self, text: &ObjId, give: &mut dyn FnMut(&str, &[u8])) {
        let (mut run, mut by) = (String::new(), ObjId::Root);
        self.letters(text, &mut |letters, operation| {
            if actor_index(&operation) != actor_index(&by) {
                if !run.is_empty() {
                    give(&run, actor(&by));
                }
                run.clear();
                by = operation;
            }
            run.push_str(letters);
        });
        if !run.is_empty() {
            give(&run, actor(&by));
        }
    }
    /// Every value at a key that no other replaces, Automerge's own winner last.
    fn values_of(&self, object: &ObjId, key: &str) -> Vec<(Value<'_>, ObjId)>;
    /// The keys of a map.
    fn keys_of(&self, object: &ObjId) -> Vec<String>;
    /// How many values, keys or letters there are.
    fn length_of(&self, object: &ObjId) -> usize;
}

/// Who made an operation, as the document counts actors.
const fn actor_index(operation: &ObjId) -> Option<usize> {
    match operation {
        ObjId::Id(_, _, index) => Some(*index),
        ObjId::Root => None,
    }
}

fn actor(operation: &ObjId) -> &[u8] {
    match operation {
        ObjId::Id(_, actor, _) => actor.to_bytes(),
        ObjId::Root => &[],
    }
}

/// A whole document, of which more can be asked than what it holds now.
pub(crate) trait Whole: Read {
    /// The document with all of its history.
    fn automerge(&self) -> &Automerge;
}

impl Whole for Automerge {
    fn automerge(&self) -> &Automerge {
        self
    }
}

macro_rules! read_as_it_is {
    ($($type:ty),+) => { $(
        impl Read for $type {
            fn letters(&self, text: &ObjId, give: &mut dyn FnMut(&str, ObjId)) {
                for item in self.list_range(text, ..) {
                    if let ValueRef::Scalar(ScalarValueRef::Str(letters)) = &item.value {
                        give(letters, item.id());
                    }
                }
            }

            fn values_of(&self, object: &ObjId, key: &str) -> Vec<(Value<'_>, ObjId)> {
                self.get_all(object, key).unwrap_or_default()
            }

            fn keys_of(&self, object: &ObjId) -> Vec<String> {
                self.keys(object).collect()
            }

            fn length_of(&self, object: &ObjId) -> usize {
                self.length(object)
            }
        }
    )+ };
}

read_as_it_is!(Automerge, Transaction<'_>);

/// A document in the state of these heads, which it has.
pub(crate) struct At<'a> {
    pub(crate) document: &'a Automerge,
    pub(crate) heads: &'a [ChangeHash],
}

impl Whole for At<'_> {
    fn automerge(&self) -> &Automerge {
        self.document
    }
}

impl Read for At<'_> {
    fn letters(&self, text: &ObjId, give: &mut dyn FnMut(&str, ObjId)) {
        for item in self.document.list_range_at(text, .., self.heads) {
            if let ValueRef::Scalar(ScalarValueRef::Str(letters)) = &item.value {
                give(letters, item.id());
            }
        }
    }

    fn values_of(&self, object: &ObjId, key: &str) -> Vec<(Value<'_>, ObjId)> {
        self.document.get_all_at(object, key, self.heads).unwrap_or_default()
    }

    fn keys_of(&self, object: &ObjId) -> Vec<String> {
        self.document.keys_at(object, self.heads).collect()
    }

    fn length_of(&self, object: &ObjId) -> usize {
        self.document.length_at(object, self.heads)
    }
}
