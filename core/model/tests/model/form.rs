//! The tables of forms: they are in order, and values and words that they do not have are refused.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use alliance_model::form::{FORMS, FormCommand as F, FormView, Said, Sort, check};
use alliance_model::kind::Shape;
use alliance_model::{CivilDate, DocumentKind, ItemId, RefusalCode as Code};

fn refused(kind: DocumentKind, command: F) -> Option<Code> {
    check(&FormView::new(kind, "07".repeat(16)), &command, "Amina").err().map(|refusal| refusal.code)
}

#[test]
fn every_kind_has_a_shape_and_every_table_is_in_order() {
    let forms = DocumentKind::ALL.iter().filter(|kind| matches!(kind.shape(), Shape::Form(_))).count();
    assert_eq!(forms, FORMS.len());
    for form in FORMS {
        let kind = form.kind;
        // Paths of a view: no two places of a form have one name.
        let names = form.texts.iter().copied().chain(form.fields.iter().chain(form.sets).map(|field| field.name));
        let names: Vec<&str> = names.chain(form.lists.iter().map(|list| list.name)).collect();
        let different: BTreeSet<&str> = names.iter().copied().filter(|name| *name != "audience").collect();
        assert_eq!(different.len(), names.iter().filter(|name| **name != "audience").count(), "{kind}: {names:?}");
        for name in form.signed.map(|signing| signing.needed).unwrap_or_default() {
            let there = form.texts.contains(name) || form.fields.iter().any(|field| field.name == *name);
            assert!(there, "{kind} needs {name}, which it does not have");
        }
        // A word of one list means one thing in all of them.
        for word in form.lists.iter().flat_map(|list| list.words) {
            let mut same = form.lists.iter().flat_map(|list| list.words).filter(|it| it.name == word.name);
            assert!(same.all(|it| it == word), "{kind}: {}", word.name);
        }
    }
}

#[test]
fn values_are_of_the_sort_that_the_table_says() {
    let is = |sort: Sort, value: &str| sort.check(value).err().map(|refusal| refusal.code);
    for (sort, good, bad, code) in [
        (Sort::Date, "2026-12-01", "2026-02-30", Code::DateInvalid),
        (Sort::Number(1, 12), "12", "13", Code::NumberInvalid),
        (Sort::Number(1, 12), "1", "01", Code::NumberInvalid),
        (Sort::Word(&["no", "yes"]), "yes", "perhaps", Code::UnknownWord),
        (Sort::Line, "a line", "two\nlines", Code::TextInvalid),
        (Sort::Person, "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "Ben", Code::UnknownWord),
        (Sort::Document, "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "91ab", Code::UnknownWord),
    ] {
        assert_eq!((is(sort, good), is(sort, bad)), (None, Some(code)), "{sort:?}");
    }
    // Of values written apart the safer stands first, and what cannot be read last.
    let mut words = ["yes", "?", "no"];
    words.sort_by_key(|word| Sort::Word(&["no", "yes"]).order(word));
    assert_eq!(words, ["no", "yes", "?"]);
}

#[test]
fn what_the_table_does_not_have_is_refused() {
    let contract = DocumentKind::Contract;
    let set = |field: &str, value: &str| F::Set { field: field.to_owned(), value: value.to_owned() };
    assert_eq!(refused(contract, set("retention_months", "24")), None, "the control");
    assert_eq!(refused(contract, set("retention_months", "0")), Some(Code::NumberInvalid));
    assert_eq!(refused(contract, set("salary", "24")), Some(Code::UnknownField));
    let op = ItemId([1; 8]);
    let say = |said: Said| F::Say { op, item: None, said };
    let charter = DocumentKind::Charter;
    let adopted = Said { on: CivilDate::new(2026, 12, 1).ok(), ..Said::word("adopted_contract") };
    assert_eq!(refused(charter, say(adopted.clone())), None, "the control");
    assert_eq!(refused(charter, say(Said { on: None, ..adopted.clone() })), Some(Code::DateInvalid));
    assert_eq!(refused(charter, say(Said { number: Some(3), ..adopted })), Some(Code::UnknownField));
    assert_eq!(refused(charter, say(Said::word("signed"))), Some(Code::UnknownWord));
    let cites = vec![ItemId([9; 8])];
    assert_eq!(refused(charter, say(Said { cites, ..Said::word("active") })), Some(Code::UnknownItem));
}
