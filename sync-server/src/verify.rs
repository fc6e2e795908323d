//! `alliance-relay verify`: what in a data folder is damaged, and what to do about it.

use std::path::Path;

use alliance_store::{Checkup, Fresh, OpenError, check_relay, salvage_relay};

use crate::failure::Failure;
use crate::folder::{self, SecretsFileError};
use crate::{StartError, cli, output};

/// What was found of one part of the folder.
#[derive(Debug)]
pub(crate) struct Part {
    /// Which one.
    pub(crate) name: &'static str,
    /// Whether it is as it should be.
    pub(crate) whole: bool,
    /// What was found, in words.
    pub(crate) lines: Vec<String>,
    /// What to do, where something is to be done.
    pub(crate) advice: Option<&'static str>,
}

const STORE: &str = "Stop the relay and run `alliance-relay verify --salvage`: what can be read goes into a new database, the \
    damaged one is kept, and devices bring what is missing.";
const OPERATOR: &str = "Stop the relay, move `operator.db` aside and start it: spaces stay as they are; make new tokens, and \
    invitations that wait must be given again.";
const SECRETS: &str = "Put both copies back from a backup. Without them the relay has another key, and every device must be \
    told of another relay.";

/// Looks at everything, and salvages the log if that was asked for.
pub(crate) fn verify(verify: &cli::Verify) -> Result<(), Failure> {
    let (data, json) = (verify.place.data.as_path(), verify.place.json);
    let log = database(data, "store.db", STORE)?;
    let mut parts = Vec::new();
    if verify.salvage && !log.whole {
        parts.push(salvage(data)?);
    } else {
        parts.push(log);
    }
    match database(data, "operator.db", OPERATOR) {
        Err(Failure::Start(StartError::Store(OpenError::Absent))) => {}
        other => parts.push(other?),
    }
    parts.push(secrets(data)?);
    output::verified(&parts, json);
    if parts.iter().all(|part| part.whole) { Ok(()) } else { Err(Failure::Damaged) }
}

fn database(data: &Path, name: &'static str, advice: &'static str) -> Result<Part, Failure> {
    let found = match check_relay(data, name) {
        Err(OpenError::Damaged) => Checkup { pages: vec!["it cannot be read".to_owned()], ..Checkup::default() },
        other => other?,
    };
    let whole = found.is_whole();
    let mut lines = found.pages.clone();
    lines.extend(found.spaces.iter().map(|(space, what)| format!("space {space}: {what}")));
    let entry = |entry: &alliance_store::Damaged| {
        let part = if entry.header { "header" } else { "payload" };
        format!("space {}, log {}, entry {}: its {part} is damaged", entry.space, entry.log, entry.seq)
    };
    lines.extend(found.entries.iter().map(entry));
    if found.log_cut {
        lines.push(
            "its write-ahead log was cut: the next start takes a new instance, and devices bring what it held"
                .to_owned(),
        );
    }
    // The next start sees to a log that was cut.
    let only_cut = found.log_cut && lines.len() == 1;
    if whole && name == "store.db" {
        lines.push(format!("{} spaces, {} entries", found.spaces_read, found.entries_read));
    }
    Ok(Part { name, whole, lines, advice: (!whole && !only_cut).then_some(advice) })
}

fn salvage(data: &Path) -> Result<Part, Failure> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| StartError::Randomness)?;
    let fresh = Fresh::draw(&random, crate::Clock::system().seconds().saturating_mul(1_000));
    let salvaged = salvage_relay(data, fresh)?;
    let mut lines = vec![
        format!(
            "{} entries are in a new database; the damaged one lies at {}",
            salvaged.entries,
            salvaged.aside.display()
        ),
        "it begins a new instance: devices bring what is missing".to_owned(),
    ];
    if salvaged.waiting > 0 {
        lines.push(format!("{} entries could be read and wait for others before them", salvaged.waiting));
    }
    if !salvaged.damaged.is_empty() {
        lines.push(format!("rows could not be read in: {}", salvaged.damaged.join(", ")));
    }
    let whole = check_relay(data, "store.db")?.is_whole();
    Ok(Part { name: "store.db", whole, lines, advice: None })
}

fn secrets(data: &Path) -> Result<Part, Failure> {
    let (whole, lines) = match folder::read_secrets(data) {
        Ok(_) => (true, Vec::new()),
        Err(error @ (SecretsFileError::Damaged | SecretsFileError::Other(_))) => (false, vec![error.to_string()]),
        Err(error) => return Err(error.into()),
    };
    Ok(Part { name: "secrets", whole, lines, advice: (!whole).then_some(SECRETS) })
}
