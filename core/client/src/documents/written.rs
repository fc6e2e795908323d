//! Who wrote what in a saved document, as it stands in the store beside the document's bytes.

use std::collections::BTreeMap;

use alliance_wire::{DeviceKey, codec};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

type Authors = Vec<(ByteArray<16>, DeviceKey)>;

/// Which device writes as which actor, and which letters each actor wrote.
#[derive(Debug, Encode, Decode)]
pub(super) struct Written {
    #[n(0)]
    authors: Authors,
    /// What [`alliance_document::Document::with_runs`] takes.
    #[n(1)]
    pub(super) runs: ByteVec,
}

impl Written {
    pub(super) fn new(authors: &BTreeMap<[u8; 16], DeviceKey>, runs: Vec<u8>) -> Self {
        let authors = authors.iter().map(|(actor, device)| ((*actor).into(), *device)).collect();
        Self { authors, runs: runs.into() }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a row. Rows of earlier versions hold the authors alone.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        codec::decode(bytes).unwrap_or_else(|_| {
            let authors = codec::decode(bytes).unwrap_or_default();
            Self { authors, runs: Vec::new().into() }
        })
    }

    pub(super) fn authors(self) -> BTreeMap<[u8; 16], DeviceKey> {
        self.authors.into_iter().map(|(actor, device)| (*actor, device)).collect()
    }
}
