//! The only place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::Write as _;
use std::net::SocketAddr;

use alliance_net::AdmissionToken;
use alliance_store::operator::{Inspection, TokenRow};
use serde_json::json;

use crate::Relay;
use crate::failure::Failure;
use crate::verify::Part;

/// One line when the relay listens: tests and scripts wait for it.
pub(crate) fn listening(relay: &Relay, (address, tcp): (SocketAddr, Option<SocketAddr>), open: bool, json: bool) {
    let connect = relay.address().to_string();
    if json {
        println!(
            "{}",
            json!({
                "event": "listening",
                "connect": connect,
                "address": address.to_string(),
                "tcp": tcp.map(|tcp| tcp.to_string()),
                "instance": relay.instance().to_string(),
                "open": open,
            })
        );
    } else {
        println!("{connect}");
    }
    flush();
}

/// A new token. It is shown this once.
pub(crate) fn token(token: &AdmissionToken, json: bool) {
    if json {
        println!("{}", json!({ "id": hex(token.id()), "token": token.to_text().as_str() }));
    } else {
        println!("{}", token.to_text().as_str());
    }
    flush();
}

/// All tokens.
pub(crate) fn tokens(rows: &[TokenRow], json: bool) {
    for row in rows {
        let id = hex(row.id);
        if json {
            println!(
                "{}",
                json!({
                    "id": id,
                    "label": row.label,
                    "spaces": row.spaces,
                    "spaces_max": row.spaces_max,
                    "revoked": row.revoked,
                })
            );
        } else {
            let state = if row.revoked { "revoked" } else { "valid" };
            println!("{id}  {state:<7}  {} of {} spaces  {}", row.spaces, row.spaces_max, row.label);
        }
    }
    flush();
}

/// A token was revoked.
pub(crate) fn revoked(id: [u8; 8], json: bool) {
    let id = hex(id);
    if json {
        println!("{}", json!({ "id": id, "revoked": true }));
    } else {
        println!("{id} creates no more spaces");
    }
    flush();
}

/// What a folder holds.
pub(crate) fn info(key: &str, connect: Option<&str>, found: &Inspection, json: bool) {
    let Inspection { instance, spaces, entries, bytes, file_bytes } = found;
    if json {
        println!(
            "{}",
            json!({
                "connect": connect,
                "key": key,
                "instance": instance.to_string(),
                "spaces": spaces,
                "entries": entries,
                "bytes": bytes,
                "file_bytes": file_bytes,
            })
        );
    } else {
        println!("connect string  {}", connect.unwrap_or("not known: no relay has listened yet"));
        println!("key             {key}");
        println!("instance        {instance}");
        println!("spaces          {spaces}");
        println!("entries         {entries}");
        println!("bytes           {bytes} in entries, {file_bytes} in the database");
    }
    flush();
}

/// What was found in a folder, part by part.
pub(crate) fn verified(parts: &[Part], json: bool) {
    for Part { name, whole, lines, advice } in parts {
        if json {
            println!("{}", json!({ "part": name, "whole": whole, "found": lines, "advice": advice }));
            continue;
        }
        println!("{name}  {}", if *whole { "whole" } else { "damaged" });
        lines.iter().for_each(|line| println!("  {line}"));
        if let Some(advice) = advice {
            println!("  {advice}");
        }
    }
    flush();
}

/// One sentence on standard error.
pub(crate) fn failure(failure: &Failure, json: bool) {
    if json {
        eprintln!("{}", json!({ "error": failure.code(), "message": failure.to_string() }));
    } else {
        eprintln!("alliance-relay: {failure} ({})", failure.code());
    }
}

/// Whoever reads the output may wait for this line. A closed pipe is nobody waiting.
fn flush() {
    let _ = std::io::stdout().flush();
}

fn hex(id: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(id))
}
