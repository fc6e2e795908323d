//! Tests of the crate: the rules of every kind of document, as tables.

mod decision;
mod form;
mod merge;
mod packs;
mod policy;
mod preparation;
mod rules;
mod search;
mod session;
mod templates;
mod tighten;
mod versions;
mod vocabularies;
