//! Floors, heavy crates and features, as the members' manifests have them.

use crate::source::{File, Repository};

/// Who may import whom: package, its folder, the packages of ours that it may name.
const FLOORS: &[(&str, &str, &[&str])] = &[
    ("alliance-wire", "core/wire", &[]),
    ("alliance-crypto", "core/crypto", &["wire"]),
    ("alliance-model", "core/model", &["wire"]),
    ("alliance-sync", "core/sync", &["wire", "crypto"]),
    ("alliance-document", "core/document", &["wire", "model"]),
    ("alliance-store", "core/store", &["wire", "crypto", "sync"]),
    ("alliance-net", "core/net", &["wire", "crypto"]),
    ("alliance-client", "core/client", &["wire", "crypto", "model", "sync", "document", "store", "net"]),
    ("alliance-relay", "sync-server", &["wire", "crypto", "sync", "store", "net"]),
    ("alliance-desk", "desk", &["client", "model"]),
    ("alliance-ffi", "mobile-ffi", &["client", "model"]),
    (
        "alliance-tests",
        "tests",
        &["wire", "crypto", "model", "sync", "document", "store", "net", "client", "relay", "desk", "ffi"],
    ),
];

/// Crates that cost much to compile or to understand, and the only members that may name them.
const HEAVY: &[(&str, &[&str])] = &[
    ("automerge", &["alliance-document", "alliance-tests"]),
    ("rusqlite", &["alliance-store", "alliance-tests"]),
    ("libsqlite3-sys", &["alliance-store"]),
    ("quinn", &["alliance-net"]),
    ("quinn-proto", &["alliance-net"]),
    ("rustls", &["alliance-net"]),
    ("tokio-rustls", &["alliance-net"]),
    ("ring", &["alliance-net"]),
    ("clap", &["alliance-desk", "alliance-relay"]),
    ("uniffi", &["alliance-ffi"]),
    ("tokio-postgres", &["alliance-relay"]),
];

/// One member's manifest: its package's name and the tables with their keys.
pub struct Manifest {
    path: String,
    name: String,
    tables: Vec<(String, Vec<(String, String)>)>,
}

impl Manifest {
    /// Reads the subset of TOML that a member's manifest uses.
    pub fn parse(file: &File) -> Self {
        let mut tables: Vec<(String, Vec<(String, String)>)> = vec![(String::new(), Vec::new())];
        let mut lines = file.text.lines();
        while let Some(line) = lines.next() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(table) = line.strip_prefix('[') {
                tables.push((table.trim_matches(['[', ']']).to_owned(), Vec::new()));
            } else if let Some((key, value)) = line.split_once('=') {
                let mut value = value.trim().to_owned();
                while value.matches('[').count() > value.matches(']').count() {
                    value.push_str(lines.next().expect("an array that ends"));
                }
                tables.last_mut().unwrap().1.push((key.trim().to_owned(), value));
            }
        }
        let name = tables
            .iter()
            .filter(|(table, _)| table == "package")
            .flat_map(|(_, keys)| keys)
            .find(|(key, _)| key == "name")
            .map(|(_, value)| value.trim_matches('"').to_owned())
            .unwrap_or_default();
        Self { path: file.path.clone(), name, tables }
    }

    /// (crate, rest of the key, value) of every dependency, of whatever kind.
    fn dependencies(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.tables.iter().filter(|(table, _)| table.ends_with("dependencies")).flat_map(|(_, keys)| keys).map(
            |(key, value)| {
                let (name, rest) = key.split_once('.').unwrap_or((key, ""));
                (name, rest, value.as_str())
            },
        )
    }
}

/// The members' manifests, the root's left out.
pub fn members(repository: &Repository) -> Vec<Manifest> {
    let files = repository.files.iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    files.filter(|file| !file.path.starts_with("tests/fuzz/")).map(Manifest::parse).collect()
}

/// An arrow that points up or sideways, or a member that no floor is drawn for.
pub fn floors(members: &[Manifest]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        let Some((_, folder, allowed)) = FLOORS.iter().find(|(name, _, _)| *name == member.name) else {
            complaints.push(format!("{}: package {:?} stands on no floor", member.path, member.name));
            continue;
        };
        if member.path != format!("{folder}/Cargo.toml") {
            complaints.push(format!("{}: {} belongs into {folder}", member.path, member.name));
        }
        for (name, _, _) in member.dependencies() {
            if let Some(ours) = name.strip_prefix("alliance-")
                && !allowed.contains(&ours)
            {
                complaints.push(format!("{}: may not depend on {name}", member.path));
            }
        }
    }
    complaints
}

/// A heavy crate in a manifest that does not own it.
pub fn heavy(members: &[Manifest]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        for (name, _, _) in member.dependencies() {
            if let Some((_, owners)) = HEAVY.iter().find(|(heavy, _)| *heavy == name)
                && !owners.contains(&member.name.as_str())
            {
                complaints.push(format!("{}: {name} belongs to {} alone", member.path, owners[0]));
            }
        }
    }
    complaints
}

/// What the list of heavy crates has ready: crates that come with a later member, or inside another crate.
const NOT_NAMED_YET: &[&str] = &["libsqlite3-sys", "ring", "tokio-postgres", "uniffi"];

/// Owners of heavy crates that do not name them: a misspelt owner or crate would make [`heavy`] pass for nothing.
pub fn heavy_unowned(members: &[Manifest]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (heavy, owners) in HEAVY.iter().filter(|(name, _)| !NOT_NAMED_YET.contains(name)) {
        let owner = members.iter().find(|member| member.name == owners[0]);
        if !owner.is_some_and(|owner| owner.dependencies().any(|(name, _, _)| name == *heavy)) {
            complaints.push(format!("{} does not name {heavy}", owners[0]));
        }
    }
    complaints
}

/// A version, path or feature outside the workspace's one list, or features of our own.
pub fn one_list(members: &[Manifest]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        if member.tables.iter().any(|(table, _)| table == "features") {
            complaints.push(format!("{}: members have no features: prefer a crate", member.path));
        }
        for (table, _) in &member.tables {
            if table.contains("dependencies.") {
                complaints.push(format!("{}: write [{table}] as `name.workspace = true`", member.path));
            }
        }
        for (name, rest, value) in member.dependencies() {
            if (rest, value) != ("workspace", "true") {
                complaints.push(format!("{}: write `{name}.workspace = true`", member.path));
            }
        }
        let lints = member.tables.iter().find(|(table, _)| table == "lints");
        if !lints.is_some_and(|(_, keys)| keys.contains(&("workspace".to_owned(), "true".to_owned()))) {
            complaints.push(format!("{}: takes the workspace's lints", member.path));
        }
    }
    complaints
}
