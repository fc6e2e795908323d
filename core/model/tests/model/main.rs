//! Tests of the crate: the rules of every kind of document, as tables.

mod decision;
mod merge;
mod preparation;
mod rules;
mod search;
mod session;
mod versions;
mod vocabularies;
