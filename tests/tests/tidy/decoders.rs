//! Every decoder of outside bytes is run by `tests/tests/decoders.rs`, or it is said here why not.

use alliance_tests::decoders::ALL;

use crate::source::{File, code_only};

/// What runs a function that decodes.
pub enum By {
    /// The decoder of this name in the list of `tests/src/decoders.rs`.
    Run(&'static str),
    /// Nothing: why.
    Not(&'static str),
}

use By::{Not, Run};

const OWN: &str = "rows of one's own encrypted database, where only this program writes";
const OPERATOR: &str = "an argument of whoever runs the program";

/// Functions that read bytes or texts: file, name, what runs them.
const LISTED: &[(&str, &str, By)] = &[
    ("core/client/src/bundle/planning.rs", "written_bundle", Not(OWN)),
    ("core/client/src/devices.rs", "carry_out_suspensions", Not(OWN)),
    ("core/client/src/documents/written.rs", "decode", Not(OWN)),
    ("core/client/src/home/following.rs", "ask_for_places", Not(OWN)),
    ("core/client/src/home/following.rs", "list_devices", Not(OWN)),
    ("core/client/src/home/following.rs", "places_elsewhere", Not(OWN)),
    ("core/client/src/intake/opening.rs", "newer", Not("two heads of what `Content::parse` refused, read in place")),
    ("core/client/src/invite.rs", "invite_rows", Not(OWN)),
    ("core/client/src/invite.rs", "parse", Run("invitation")),
    ("core/client/src/join.rs", "join_rows", Not(OWN)),
    ("core/client/src/names.rs", "of", Not(OWN)),
    ("core/client/src/profiles/help.rs", "read", Run("help_request")),
    ("core/client/src/search/rows.rs", "decode", Not(OWN)),
    ("core/crypto/src/invitation.rs", "decode_message", Run("accept")),
    ("core/crypto/src/invitation/text.rs", "parse", Run("invitation")),
    ("core/crypto/src/recovery.rs", "parse", Run("recovery_words")),
    ("core/crypto/src/seal.rs", "unpack", Run("unpack")),
    ("core/document/src/gate/chunk.rs", "decode", Run("change")),
    ("core/document/src/gate/chunk.rs", "parse", Run("change")),
    ("core/document/src/heads.rs", "from_bytes", Run("heads")),
    ("core/document/src/runs.rs", "decode", Not(OWN)),
    ("core/document/src/schema/agreement.rs", "parse", Run("protective_entry")),
    ("core/model/src/agreement/version.rs", "parse", Run("proposal")),
    ("core/model/src/cosign.rs", "parse", Run("cosignature")),
    ("core/model/src/note/confirm.rs", "parse", Run("confirmation")),
    ("core/model/src/exports.rs", "parse", Run("export_record")),
    ("core/model/src/decision.rs", "parse", Run("ethics_check")),
    ("core/model/src/decision/seal.rs", "parse", Run("seal_entry")),
    ("core/model/src/decision/trail.rs", "parse", Run("trail")),
    ("core/model/src/form.rs", "parse", Run("said")),
    ("core/model/src/form/seal.rs", "parse", Run("form_seal")),
    ("core/model/src/signed.rs", "parse", Run("signed_form")),
    ("core/model/src/signed.rs", "prove", Run("signed_form")),
    ("core/model/src/policy/pack.rs", "parse", Run("pack")),
    ("core/model/src/policy/signed.rs", "parse", Run("signed_pack")),
    ("core/model/src/session/alias.rs", "parse", Run("alias_entry")),
    ("core/document/src/schema/log.rs", "parse", Run("action_entry")),
    ("core/document/src/schema/preparation.rs", "parse", Run("share_entry")),
    ("core/model/src/agreement/terms.rs", "from_text", Run("term_text")),
    ("core/model/src/session/values.rs", "from_text", Run("session_text")),
    ("core/model/src/session/values.rs", "from_str", Run("session_text")),
    ("core/model/src/preparation/values.rs", "from_text", Run("preparation_text")),
    ("core/model/src/command.rs", "decode", Run("command")),
    ("core/model/src/date.rs", "from_str", Run("civil_date")),
    (
        "core/model/src/search.rs",
        "parse",
        Not("what a person typed, for which every text is a query: core/model/tests/model/search.rs"),
    ),
    ("core/net/src/address.rs", "from_str", Run("relay_address")),
    ("core/net/src/armor.rs", "decode", Run("armor")),
    ("core/net/src/proof.rs", "parse", Run("device_proof")),
    ("core/net/src/secrets.rs", "from_bytes", Run("relay_secrets")),
    ("core/store/src/device/backup.rs", "read_backup", Run("backup")),
    ("core/store/src/device/profile.rs", "profile", Not(OWN)),
    ("core/store/src/device/profile.rs", "mend_profile", Not(OWN)),
    ("core/store/src/file/header.rs", "parse", Run("store_header")),
    ("core/store/src/file/header.rs", "parse_body", Run("store_header")),
    ("core/store/src/file/kept.rs", "parse", Run("kept_half")),
    ("core/store/src/file/kept.rs", "parse_body", Run("kept_half")),
    ("core/store/src/file/marker.rs", "parse", Run("marker")),
    ("core/store/src/file/marker.rs", "parse_body", Run("marker")),
    ("core/store/src/file/help.rs", "parse", Run("help_file")),
    ("core/store/src/file/help.rs", "parse_body", Run("help_file")),
    ("core/store/src/file/pin.rs", "parse", Run("pin_file")),
    ("core/store/src/file/pin.rs", "parse_body", Run("pin_file")),
    ("core/store/src/file/tries.rs", "parse", Run("pin_tries")),
    ("core/store/src/file/tries.rs", "parse_body", Run("pin_tries")),
    ("core/store/src/file/small.rs", "parse", Run("store_header")),
    (
        "core/store/src/file/page_key.rs",
        "parse",
        Not("checksummed and of one length; core/store/tests/store/flips.rs flips its bits"),
    ),
    ("core/store/src/file/roots.rs", "read", Not("checksummed; core/store/tests/store/flips.rs flips its bits")),
    ("core/store/src/replica/forks.rs", "proofs", Not("rows that were frames before: the decoder of frames read them")),
    ("core/wire/src/bundle_file.rs", "decode", Run("bundle_head")),
    ("core/wire/src/bundle_file/page.rs", "decode", Run("page_body")),
    ("core/crypto/src/discovery.rs", "parse", Run("discovery_pages")),
    ("core/wire/src/bundle.rs", "decode", Run("bundle")),
    ("core/wire/src/codec.rs", "decode", Run("frame")),
    ("core/wire/src/codec.rs", "decode_first", Run("frame_beginning")),
    ("core/wire/src/content.rs", "parse", Run("content")),
    ("core/wire/src/entry.rs", "parse", Run("suffix")),
    ("core/wire/src/frame.rs", "decode", Run("frame")),
    ("core/wire/src/ids.rs", "from_str", Run("id_text")),
    ("core/wire/src/membership.rs", "parse", Run("membership")),
    ("core/wire/src/receipt.rs", "parse", Run("receipt")),
    ("desk/src/command/agreement/version.rs", "versions", Not("canonical text that this process has just made")),
    ("desk/src/command/pack.rs", "sign", Not("canonical text that this process has just made")),
    ("desk/src/cli/values.rs", "from_str", Not(OPERATOR)),
    ("desk/src/demo/relay.rs", "start", Not("the line of a relay that the demo started itself")),
    ("desk/src/holder/wire.rs", "parse", Run("holder_request")),
];

/// Names of functions that decode, if they take bytes or text.
const NAMES: [&str; 8] =
    ["decode", "parse", "parse_body", "from_bytes", "from_text", "from_str", "unpack", "read_backup"];

/// Calls that decode, in whatever function.
const CALLS: [&str; 5] =
    ["codec::decode(", "alliance_wire::decode(", "minicbor::decode", "minicbor::Decoder::new(", "serde_json::from_"];

/// Decoders of sources that nothing runs and that are not listed.
pub fn unlisted<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, name) in files.into_iter().flat_map(decoders) {
        if !LISTED.iter().any(|(file, function, _)| (*file, *function) == (path.as_str(), name.as_str())) {
            complaints.push(format!(
                "{path}: `{name}` decodes: give it a line in tests/src/decoders.rs and one in tests/tests/tidy/decoders.rs"
            ));
        }
    }
    complaints
}

/// Lines of the list that are about nothing, or name a decoder that is not there.
pub fn stale<'a>(files: impl IntoIterator<Item = &'a File>) -> Vec<String> {
    let found: Vec<(String, String)> = files.into_iter().flat_map(decoders).collect();
    let mut complaints = Vec::new();
    for (file, function, by) in LISTED {
        if !found.iter().any(|(path, name)| (path.as_str(), name.as_str()) == (*file, *function)) {
            complaints.push(format!("{file}: `{function}` decodes nothing any more"));
        }
        match by {
            Run(decoder) if !ALL.iter().any(|known| known.name == *decoder) => {
                complaints.push(format!("{file}: no decoder is called {decoder}"));
            }
            Not(why) if !why.contains(' ') => {
                complaints.push(format!("{file}: `{function}` is run by nothing, without a reason"))
            }
            Run(_) | Not(_) => {}
        }
    }
    complaints
}

/// Whether a file is part of the product.
pub fn is_product(file: &File) -> bool {
    file.is_rust()
        && file.path.contains("/src/")
        && ["core/", "sync-server/", "desk/", "mobile-ffi/"].iter().any(|top| file.path.starts_with(top))
}

/// (file, function) of everything in a file that decodes.
fn decoders(file: &File) -> Vec<(String, String)> {
    let code = code_only(&file.text);
    // Where each function begins, its name, and whether its name and parameters say that it decodes.
    let mut functions: Vec<(usize, &str, bool)> = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let rest = &code[at + 3..];
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        let parameters = rest.split(['{', ';']).next().unwrap_or_default().split("->").next().unwrap_or_default();
        let takes = ["[u8]", "&str", "Vec<u8>", "dyn Read", "&self)"].iter().any(|kind| parameters.contains(kind));
        functions.push((at, name, NAMES.contains(&name) && takes));
    }
    let named = functions.iter().filter(|(_, _, decodes)| *decodes).map(|(_, name, _)| *name);
    let calls = CALLS.iter().flat_map(|call| code.match_indices(call)).filter_map(|(at, _)| {
        let before = code[..at].trim_end();
        let is_type = code[at..].strip_prefix("minicbor::decode::").is_some_and(|rest| !rest.starts_with('<'));
        // An import or a type's path decodes nothing.
        if before.ends_with("From<") || before.ends_with("use") || is_type {
            return None;
        }
        functions.iter().rev().find(|(start, _, _)| *start < at).map(|(_, name, _)| *name)
    });
    let mut found: Vec<(String, String)> =
        named.chain(calls).map(|name| (file.path.clone(), name.to_owned())).collect();
    found.sort();
    found.dedup();
    found
}
