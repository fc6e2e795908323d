//! Genesis bytes are golden: an engine release that encodes others must not pass.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use alliance_document::{Document, genesis, upgrade};
use alliance_model::DocumentKind;
use alliance_wire::ids::DocumentId;
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../vectors/genesis.json");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn vectors() -> Value {
    let ids = [DocumentId([0; 16]), DocumentId([0xa5; 16])];
    let rows: Vec<Value> = DocumentKind::ALL
        .iter()
        .flat_map(|kind| ids.iter().map(move |id| (kind, id)))
        .map(|(kind, id)| {
            let bytes = genesis(*id, *kind);
            let changes = Document::new(*id, *kind).changes().unwrap();
            let head = changes[0].0;
            let mut row = json!({"kind": kind.name(), "schema": kind.schema(), "document": id.to_string(), "change": hex(&bytes), "hash": head.to_string()});
            if let Some(bytes) = upgrade(*id, *kind) {
                row["upgrade"] = json!({"change": hex(&bytes), "hash": changes[1].0.to_string()});
            }
            row
        })
        .collect();
    json!({ "genesis": rows })
}

#[test]
fn genesis_is_golden() {
    let golden: Value = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(
        vectors(),
        golden,
        "run `cargo test --test document genesis:: -- --ignored` only for a new document type"
    );
}

/// Rewrites the golden vectors: for a new document type or schema, never to make a failing test pass.
#[test]
#[ignore = "writes the golden file"]
fn write_golden() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/genesis.json");
    std::fs::write(path, serde_json::to_string_pretty(&vectors()).unwrap() + "\n").unwrap();
}

#[test]
fn two_devices_begin_one_document() {
    let id = DocumentId([3; 16]);
    assert_eq!(Document::new(id, DocumentKind::Note).heads(), Document::new(id, DocumentKind::Note).heads());
    assert_ne!(Document::new(id, DocumentKind::Note).heads(), Document::new(id, DocumentKind::Agreement).heads());
    assert_ne!(
        Document::new(id, DocumentKind::Note).heads(),
        Document::new(DocumentId([4; 16]), DocumentKind::Note).heads()
    );
}
