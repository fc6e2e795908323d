//! The field types of DOMAIN 2.3 on Automerge: texts with author spans, registers with all their values, lists of
//! items by id with positions and `alive` maps, grow-only logs.

use std::collections::HashMap;

use alliance_model::{Claim, ItemId, Span, TextView, position};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{ObjId, ObjType, ReadDoc as _, ScalarValue, Value};

use super::WriteError;
use super::read::{Entries, Read, object_among};

/// Gathers the people who are named in a view.
pub(crate) struct Authors<'a> {
    name: &'a dyn Fn(&[u8]) -> String,
    list: Vec<String>,
    by_actor: HashMap<Vec<u8>, usize>,
}

impl<'a> Authors<'a> {
    pub(crate) fn new(name: &'a dyn Fn(&[u8]) -> String) -> Self {
        Self { name, list: Vec::new(), by_actor: HashMap::new() }
    }

    /// The index of whoever wrote this operation.
    pub(crate) fn of(&mut self, operation: &ObjId) -> usize {
        match operation {
            ObjId::Id(_, actor, _) => self.of_actor(actor.to_bytes()),
            ObjId::Root => self.index(String::new()),
        }
    }

    /// The index of whoever writes as this actor.
    pub(crate) fn of_actor(&mut self, actor: &[u8]) -> usize {
        if let Some(index) = self.by_actor.get(actor) {
            return *index;
        }
        let index = self.index((self.name)(actor));
        self.by_actor.insert(actor.to_vec(), index);
        index
    }

    pub(crate) fn name_of(&self, index: usize) -> String {
        self.list.get(index).cloned().unwrap_or_default()
    }

    pub(crate) fn into_list(self) -> Vec<String> {
        self.list
    }

    fn index(&mut self, name: String) -> usize {
        self.list.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.list.push(name);
            self.list.len() - 1
        })
    }
}

/// A text and who wrote which part of it, from the ids of the operations that inserted its letters.
pub(crate) fn text(document: &impl Read, object: &ObjId, authors: &mut Authors<'_>) -> TextView {
    let mut view = TextView::default();
    document.runs(object, &mut |letters, actor| {
        let author = authors.of_actor(actor);
        let len = letters.chars().count();
        view.text.push_str(letters);
        match view.spans.last_mut() {
            Some(last) if last.author == author => last.len += len,
            Some(last) => {
                let start = last.start + last.len;
                view.spans.push(Span { start, len, author });
            }
            None => view.spans.push(Span { start: 0, len, author }),
        }
    });
    view
}

/// Every value of a register that no other value replaces, Automerge's own winner first. `values` are all that stand at
/// its key.
pub(crate) fn claims(values: &[(Value<'_>, ObjId)], authors: &mut Authors<'_>) -> Vec<Claim> {
    values
        .iter()
        .rev()
        .filter_map(|(value, operation)| {
            let value = match value {
                Value::Scalar(value) => match value.as_ref() {
                    ScalarValue::Str(text) => text.to_string(),
                    ScalarValue::Uint(number) => number.to_string(),
                    ScalarValue::Int(number) => number.to_string(),
                    ScalarValue::Boolean(_)
                    | ScalarValue::Bytes(_)
                    | ScalarValue::F64(_)
                    | ScalarValue::Counter(_)
                    | ScalarValue::Timestamp(_)
                    | ScalarValue::Unknown { .. }
                    | ScalarValue::Null => return None,
                },
                Value::Object(_) => return None,
            };
            Some(Claim { value, by: authors.of(operation) })
        })
        .collect()
}

/// Sets a register, unless it holds exactly this value already.
pub(crate) fn set(tx: &mut Transaction<'_>, object: &ObjId, key: &str, value: ScalarValue) -> Result<(), WriteError> {
    let same = {
        let values = tx.get_all(object, key)?;
        matches!(values.as_slice(), [(Value::Scalar(old), _)] if **old == value)
    };
    if !same {
        tx.put(object, key, value)?;
    }
    Ok(())
}

/// The entries of a grow-only log: (operation id of the entry, its id, its bytes), by id.
pub(crate) fn log_entries(document: &impl Read, log: &ObjId) -> Vec<(ObjId, ItemId, Vec<u8>)> {
    let mut entries = Vec::new();
    for (key, values) in document.entries_of(log).iter() {
        let Some(id) = ItemId::from_key(key) else { continue };
        for (value, operation) in values {
            if let Value::Scalar(value) = value
                && let ScalarValue::Bytes(bytes) = value.as_ref()
            {
                entries.push((operation.clone(), id, bytes.clone()));
            }
        }
    }
    entries
}

/// The entries of a grow-only log in the order in which they were written, where they were written knowing of each other.
pub(crate) fn log_in_order(document: &impl Read, log: &ObjId) -> Vec<(ObjId, ItemId, Vec<u8>)> {
    let mut entries = log_entries(document, log);
    entries.sort_by_key(|(operation, op, _)| match operation {
        ObjId::Id(counter, ..) => (*counter, *op),
        ObjId::Root => (0, *op),
    });
    entries
}

/// Writes an entry into a grow-only log; a repeated command writes nothing.
pub(crate) fn append(tx: &mut Transaction<'_>, log: &ObjId, id: ItemId, bytes: Vec<u8>) -> Result<(), WriteError> {
    let key = id.to_string();
    if tx.get(log, key.as_str())?.is_none() {
        tx.put(log, key, ScalarValue::Bytes(bytes))?;
    }
    Ok(())
}

/// An item of a list: an object in a map by id.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    pub(crate) id: ItemId,
    /// What stands in its object.
    pub(crate) entries: Entries<'a>,
    position: Vec<u8>,
    pub(crate) alive: bool,
}

/// All items of a list in order, removed ones included.
pub(crate) fn items<'a>(document: &'a impl Read, map: &ObjId) -> Vec<Item<'a>> {
    let mut items: Vec<Item<'_>> = document
        .entries_of(map)
        .iter()
        .filter_map(|(key, values)| {
            let id = ItemId::from_key(key)?;
            let entries = document.entries_of(&object_among(values, ObjType::Map)?);
            let position = match entries.at("pos").last() {
                Some((Value::Scalar(value), _)) => {
                    if let ScalarValue::Bytes(bytes) = value.as_ref() {
                        bytes.clone()
                    } else {
                        Vec::new()
                    }
                }
                Some((Value::Object(_), _)) | None => Vec::new(),
            };
            let alive = entries.child("alive", ObjType::Map).is_some_and(|alive| document.length_of(&alive) > 0);
            Some(Item { id, entries, position, alive })
        })
        .collect();
    items.sort_by(|a, b| (&a.position, a.id).cmp(&(&b.position, b.id)));
    items
}

/// The object of this type at a key.
pub(crate) fn child(document: &impl Read, object: &ObjId, key: &str, kind: ObjType) -> Option<ObjId> {
    object_among(&document.values_of(object, key), kind)
}

/// The object of an item.
pub(crate) fn item(document: &impl Read, map: &ObjId, id: ItemId) -> Option<ObjId> {
    child(document, map, &id.to_string(), ObjType::Map)
}

/// The text of an item.
pub(crate) fn item_text(document: &impl Read, map: &ObjId, id: ItemId) -> Option<ObjId> {
    child(document, &item(document, map, id)?, "text", ObjType::Text)
}

/// Whether an item is there: somebody made or edited it who did not see its removal.
pub(crate) fn is_alive(document: &impl Read, map: &ObjId, id: ItemId) -> bool {
    item(document, map, id)
        .and_then(|object| child(document, &object, "alive", ObjType::Map))
        .is_some_and(|alive| document.length_of(&alive) > 0)
}

/// Adds an item with an empty text behind `after`, or first.
pub(crate) fn create_item(
    tx: &mut Transaction<'_>,
    map: &ObjId,
    id: ItemId,
    after: Option<ItemId>,
    session: &str,
) -> Result<ObjId, WriteError> {
    if item(tx, map, id).is_some() {
        return Err(WriteError::Missing);
    }
    let place = place_behind(tx, map, id, after);
    let object = tx.put_object(map, id.to_string(), ObjType::Map)?;
    tx.put(&object, "pos", ScalarValue::Bytes(place))?;
    tx.put_object(&object, "alive", ObjType::Map)?;
    tx.put_object(&object, "text", ObjType::Text)?;
    touch_item(tx, &object, session)?;
    Ok(object)
}

/// Moves an item behind `after`, or first.
pub(crate) fn move_item(
    tx: &mut Transaction<'_>,
    map: &ObjId,
    id: ItemId,
    after: Option<ItemId>,
    session: &str,
) -> Result<(), WriteError> {
    let object = item(tx, map, id).ok_or(WriteError::Missing)?;
    let place = place_behind(tx, map, id, after);
    set(tx, &object, "pos", ScalarValue::Bytes(place))?;
    touch_item(tx, &object, session)
}

fn place_behind(document: &impl Read, map: &ObjId, id: ItemId, after: Option<ItemId>) -> Vec<u8> {
    let others: Vec<Item<'_>> = items(document, map).into_iter().filter(|item| item.id != id).collect();
    let next = after.and_then(|after| others.iter().position(|item| item.id == after)).map_or(0, |index| index + 1);
    let low = next.checked_sub(1).and_then(|index| others.get(index)).map(|item| item.position.as_slice());
    let high = others.get(next).map(|item| item.position.as_slice());
    position::between(low, high)
}

/// Keeps an item alive: whoever edits says so under a key of the editing session, and a removal made apart does not
/// remove that key (DOMAIN 2.3: edit wins).
pub(crate) fn touch_item(tx: &mut Transaction<'_>, object: &ObjId, session: &str) -> Result<(), WriteError> {
    let alive = child(tx, object, "alive", ObjType::Map).ok_or(WriteError::Missing)?;
    if tx.get(&alive, session)?.is_none() {
        tx.put(&alive, session, true)?;
    }
    Ok(())
}

/// Removes an item: the keys that its author has seen.
pub(crate) fn remove_item(tx: &mut Transaction<'_>, map: &ObjId, id: ItemId) -> Result<(), WriteError> {
    let object = item(tx, map, id).ok_or(WriteError::Missing)?;
    let alive = child(tx, &object, "alive", ObjType::Map).ok_or(WriteError::Missing)?;
    let keys: Vec<String> = tx.keys(&alive).collect();
    for key in keys {
        tx.delete(&alive, key)?;
    }
    Ok(())
}

/// Edits an item's text.
pub(crate) fn edit_item(
    tx: &mut Transaction<'_>,
    map: &ObjId,
    id: ItemId,
    splice: &alliance_model::Splice,
    session: &str,
) -> Result<(), WriteError> {
    let object = item(tx, map, id).ok_or(WriteError::Missing)?;
    touch_item(tx, &object, session)?;
    let text = child(tx, &object, "text", ObjType::Text).ok_or(WriteError::Missing)?;
    splice_text(tx, &text, splice)
}

/// Edits a text.
pub(crate) fn splice_text(
    tx: &mut Transaction<'_>,
    text: &ObjId,
    splice: &alliance_model::Splice,
) -> Result<(), WriteError> {
    let end = u64::from(splice.pos) + u64::from(splice.delete);
    if end > tx.length(text) as u64 {
        return Err(WriteError::Missing);
    }
    let delete = isize::try_from(splice.delete).map_err(|_| WriteError::Missing)?;
    tx.splice_text(text, splice.pos as usize, delete, &splice.insert)?;
    Ok(())
}
