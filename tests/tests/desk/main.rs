//! The command line: real processes of `alliance` and `alliance-relay`.

mod agreements;
mod blocked;
mod bundles;
mod cli;
mod codes;
mod confirming;
mod decisions;
mod demo;
mod forms;
mod keyring;
mod merging;
mod packs;
mod people;
mod preparation;
mod profiles;
mod reading;
mod sessions;
mod support;
mod two_processes;
