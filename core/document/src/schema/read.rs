//! Reading a document's objects: as it is, in the midst of a transaction, or as it was.

use automerge::iter::MapRange;
use automerge::transaction::Transaction;
use automerge::{Automerge, ChangeHash, ObjId, ObjType, ReadDoc, ScalarValueRef, Value, ValueRef};

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
    /// The keys of a map, each with its values as [`Read::values_of`] gives them: one pass over the map, where asking for
    /// each key by itself would seek it anew.
    fn entries_of(&self, object: &ObjId) -> Entries<'_>;
    /// How many values, keys or letters there are.
    fn length_of(&self, object: &ObjId) -> usize;
}

/// The keys of a map in their order, each with every value that no other replaces, Automerge's own winner last.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'a>(Vec<Entry<'a>>);

type Entry<'a> = (String, Vec<(Value<'a>, ObjId)>);

impl<'a> Entries<'a> {
    /// A pass gives each key's winner, and says where it has rivals: all of them are asked for there.
    fn new(pass: MapRange<'a>, all: impl Fn(&str) -> Vec<(Value<'a>, ObjId)>) -> Self {
        let entry = |item: automerge::iter::MapRangeItem<'a>| {
            let values = if item.conflict { all(&item.key) } else { vec![(item.value.clone().into(), item.id())] };
            (item.key.into_owned(), values)
        };
        Self(pass.map(entry).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[(Value<'a>, ObjId)])> {
        self.0.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// The values at a key.
    pub(crate) fn at(&self, key: &str) -> &[(Value<'a>, ObjId)] {
        self.iter().find(|(known, _)| *known == key).map_or(&[], |(_, values)| values)
    }

    /// The object of this type at a key.
    pub(crate) fn child(&self, key: &str, kind: ObjType) -> Option<ObjId> {
        object_among(self.at(key), kind)
    }
}

/// The object of this type among the values of a key.
pub(crate) fn object_among(values: &[(Value<'_>, ObjId)], kind: ObjType) -> Option<ObjId> {
    let mut newest_first = values.iter().rev();
    newest_first.find(|(value, _)| matches!(value, Value::Object(found) if *found == kind)).map(|(_, id)| id.clone())
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
    /// The state that is read.
    fn heads(&self) -> Vec<ChangeHash>;
}

impl Whole for Automerge {
    fn automerge(&self) -> &Automerge {
        self
    }

    fn heads(&self) -> Vec<ChangeHash> {
        self.get_heads()
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

            fn entries_of(&self, object: &ObjId) -> Entries<'_> {
                Entries::new(self.map_range(object, ..), |key| self.values_of(object, key))
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

    fn heads(&self) -> Vec<ChangeHash> {
        self.heads.to_vec()
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

    fn entries_of(&self, object: &ObjId) -> Entries<'_> {
        Entries::new(self.document.map_range_at(object, .., self.heads), |key| self.values_of(object, key))
    }

    fn length_of(&self, object: &ObjId) -> usize {
        self.document.length_at(object, self.heads)
    }
}

/// The same without asking who wrote which letters, which costs most of it.
pub(crate) struct WordsAt<'a>(pub(crate) At<'a>);

impl Whole for WordsAt<'_> {
    fn automerge(&self) -> &Automerge {
        self.0.document
    }

    fn heads(&self) -> Vec<ChangeHash> {
        self.0.heads.to_vec()
    }
}

impl Read for WordsAt<'_> {
    fn letters(&self, text: &ObjId, give: &mut dyn FnMut(&str, ObjId)) {
        self.0.letters(text, give);
    }

    fn runs(&self, text: &ObjId, give: &mut dyn FnMut(&str, &[u8])) {
        give(&self.0.document.text_at(text, self.0.heads).unwrap_or_default(), &[]);
    }

    fn values_of(&self, object: &ObjId, key: &str) -> Vec<(Value<'_>, ObjId)> {
        self.0.values_of(object, key)
    }

    fn entries_of(&self, object: &ObjId) -> Entries<'_> {
        self.0.entries_of(object)
    }

    fn length_of(&self, object: &ObjId) -> usize {
        self.0.length_of(object)
    }
}
