//! Invariants of the whole repository: floors, owners of heavy crates, sizes, documents, forbidden words.
//!
//! Each test runs one check on the repository, where it must find nothing, and on controls that break the rule, where it
//! must find something: a check that can no longer complain fails. `cargo test --test tidy -- --nocapture` also lists what
//! is on its way to being too large.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, unreachable_pub, missing_docs)]

#[path = "tidy/decoders.rs"]
mod decoders;
#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/rows.rs"]
mod rows;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use std::collections::BTreeSet;

use manifests::Manifest;
use source::{File, Repository};

/// Fails with every complaint about the repository, or with every control that was not complained about.
#[track_caller]
fn check(found: &[String], controls: &[(&str, Vec<String>)]) {
    for (control, complaints) in controls {
        assert!(!complaints.is_empty(), "the check does not notice: {control}");
    }
    assert!(found.is_empty(), "\n  {}\n", found.join("\n  "));
}

/// A manifest of a package with these lines below `[dependencies]`.
fn manifest(path: &str, package: &str, dependencies: &str) -> Vec<Manifest> {
    let text =
        format!("[package]\nname = \"{package}\"\n\n[dependencies]\n{dependencies}\n\n[lints]\nworkspace = true\n");
    vec![Manifest::parse(&File::control(path, &text))]
}

fn rust(text: &str) -> Vec<File> {
    vec![File::control("core/client/src/control.rs", text)]
}

#[test]
fn arrows_point_down() {
    let members = manifests::members(&Repository::read());
    assert!(members.len() >= 11, "only {} manifests were found", members.len());
    let relay = manifest("sync-server/Cargo.toml", "alliance-relay", "alliance-model.workspace = true");
    let wire = manifest("core/wire/Cargo.toml", "alliance-wire", "alliance-crypto.workspace = true");
    let stranger = manifest("core/other/Cargo.toml", "alliance-other", "");
    let moved = manifest("core/relay/Cargo.toml", "alliance-relay", "");
    let good = manifest("core/crypto/Cargo.toml", "alliance-crypto", "alliance-wire.workspace = true");
    assert_eq!(manifests::floors(&good), Vec::<String>::new());
    check(
        &manifests::floors(&members),
        &[
            ("the relay imports the model", manifests::floors(&relay)),
            ("wire imports crypto", manifests::floors(&wire)),
            ("a package on no floor", manifests::floors(&stranger)),
            ("a package in another folder", manifests::floors(&moved)),
        ],
    );
}

#[test]
fn heavy_crates_have_one_owner() {
    let members = manifests::members(&Repository::read());
    let client = manifest("core/client/Cargo.toml", "alliance-client", "automerge.workspace = true");
    let document = manifest("core/document/Cargo.toml", "alliance-document", "");
    let mut found = manifests::heavy(&members);
    found.extend(manifests::heavy_unowned(&members));
    check(
        &found,
        &[
            ("the client names automerge", manifests::heavy(&client)),
            ("nobody names automerge", manifests::heavy_unowned(&document)),
        ],
    );
}

#[test]
fn versions_and_features_stand_in_one_list() {
    let members = manifests::members(&Repository::read());
    let version = manifest("desk/Cargo.toml", "alliance-desk", "clap = \"4\"");
    let feature = manifest("desk/Cargo.toml", "alliance-desk", "clap = { workspace = true, features = [\"env\"] }");
    let table = manifest("desk/Cargo.toml", "alliance-desk", "[dependencies.clap]\nworkspace = true");
    let own = manifest("desk/Cargo.toml", "alliance-desk", "\n[features]\nfast = []");
    check(
        &manifests::one_list(&members),
        &[
            ("a version of its own", manifests::one_list(&version)),
            ("a feature beyond the list", manifests::one_list(&feature)),
            ("a dependency as a table", manifests::one_list(&table)),
            ("a feature of ours", manifests::one_list(&own)),
        ],
    );
}

#[test]
fn files_and_functions_stay_small() {
    let repository = Repository::read();
    let sizes = sizes::sizes(repository.rust());
    for line in &sizes.soft {
        println!("large: {line}");
    }
    let long_file = rust(&"// a line\n".repeat(801));
    let long_function = rust(&format!("fn long() {{\n{}}}\n", "    step();\n".repeat(100)));
    check(
        &sizes.hard,
        &[
            ("a file of 801 lines", sizes::sizes(&long_file).hard),
            ("a function of 102 lines", sizes::sizes(&long_function).hard),
        ],
    );
    // Braces in literals and comments do not count, and a function without a body has no end.
    let tricky = "trait T { fn none(&self) -> [u8; 4]; }\nfn a<'a>(c: char) -> bool {\n    // }\n    c == '}' || \"}\" == r#\"\"}\"#\n}\nfn b() {}\n";
    let found: Vec<(String, usize)> = sizes::functions(tricky).into_iter().map(|f| (f.name, f.lines)).collect();
    assert_eq!(found, [("a".to_owned(), 4), ("b".to_owned(), 1)]);
}

#[test]
fn modules_say_what_they_are() {
    let repository = Repository::read();
    let bare = rust("use std::fmt;\n//! Too late.\n");
    let short = [File::control("core/wire/src/lib.rs", "//! One line.\n\npub mod ids;\n")];
    let old_form = [File::control("core/wire/src/ids/mod.rs", "//! Ids.\n")];
    let good = rust("#![allow(\n    missing_docs,\n)]\n//! A module.\nuse std::fmt;\n");
    assert_eq!(sizes::undocumented(&good), Vec::<String>::new());
    check(
        &sizes::undocumented(repository.rust()),
        &[
            ("a module without documentation", sizes::undocumented(&bare)),
            ("a crate with one line", sizes::undocumented(&short)),
            ("a mod.rs", sizes::undocumented(&old_form)),
        ],
    );
}

#[test]
fn texts_name_what_exists() {
    let repository = Repository::read();
    let span = [File::control("docs/A.md", "See `core/wire/src/absent.rs`.\n")];
    let link = [File::control("docs/A.md", "See [there](absent.md).\n")];
    let good = [File::control(
        "docs/decisions/A.md",
        "`core/wire/src/ids.rs`, [up](../PROTOCOL.md#x), `PROTOCOL.md`, `mobile-ffi/kotlin`, `application/json`, `a::b`\n",
    )];
    assert_eq!(docs::dead_paths(&good, &repository.paths), Vec::<String>::new());
    let mut found = docs::dead_paths(repository.markdown(), &repository.paths);
    found.extend(docs::come(docs::LATER, &repository.paths));
    let come = BTreeSet::from([docs::LATER[0].to_owned()]);
    check(
        &found,
        &[
            ("a path in backticks that does not exist", docs::dead_paths(&span, &repository.paths)),
            ("a link that leads nowhere", docs::dead_paths(&link, &repository.paths)),
            ("something that has come", docs::come(docs::LATER, &come)),
        ],
    );
}

#[test]
fn sections_that_are_named_exist() {
    let repository = Repository::read();
    let (protocol, domain) = (repository.text("docs/PROTOCOL.md"), repository.text("docs/DOMAIN.md"));
    let own = |file: &&File| !file.path.starts_with("tests/tests/tidy");
    let files: Vec<&File> = repository.rust().chain(repository.markdown()).filter(own).collect();
    let bad = |text: &str| {
        let file = File::control("core/wire/src/a.rs", text);
        docs::dead_sections(&[&file], protocol, domain)
    };
    assert_eq!(
        bad("docs/PROTOCOL.md section 2, DOMAIN 2.8, DOMAIN A07, the DOMAIN and the PROTOCOL"),
        Vec::<String>::new()
    );
    check(
        &docs::dead_sections(&files, protocol, domain),
        &[
            ("a section of the protocol that is not there", bad("//! PROTOCOL section 97")),
            ("a section of the domain that is not there", bad("//! docs/DOMAIN.md section 2.97")),
            ("a row of the domain that is not there", bad("//! DOMAIN A97")),
        ],
    );
}

#[test]
fn rows_of_the_sources_are_proven_or_say_what_they_wait_for() {
    let repository = Repository::read();
    let rows = rows::rows(repository.text("docs/DOMAIN.md"), &repository.files);
    println!("rows: {} proven, {} partly, {} later", rows.proven, rows.partly, rows.later);
    let tests = [
        "#[test]\nfn holds() {\n    helps();\n}\n",
        "/// Meets.\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn meets() {}\n",
        "#[test]\n#[ignore = \"prints figures\"]\nfn costs() {}\n",
        "fn helps() {}\n",
    ];
    let files = [File::control("tests/tests/a.rs", &tests.concat())];
    let head = "## 1. What\n\n| row | what | carried by | proven by |\n|---|---|---|---|\n";
    // A whole part 1 in which row B04 is this line.
    let told = |head: &str, line: &str| {
        let row = |id: String| match id.as_str() {
            "B04" => line.to_owned(),
            _ => format!("| {id} | this \\| that | Clause | `tests/tests/a.rs::holds`; later: packs |\n"),
        };
        let lines: String = rows::expected().into_iter().map(row).collect();
        rows::rows(&format!("{head}{lines}\n## 2. The model\n\n| B04 | no row |\n"), &files)
    };
    let cell = |proof: &str| told(head, &format!("| B04 | it | Clause | {proof} |\n")).complaints;
    let good = told(head, "| B04 | it | Clause | `tests/tests/a.rs::holds`, `tests/tests/a.rs::meets` |\n");
    assert_eq!((good.complaints, good.proven, good.partly, good.later), (Vec::new(), 1, 118, 0));
    assert_eq!(cell("later: derived balance"), Vec::<String>::new());
    let once = "| B04 | it | Clause | later: packs |\n";
    let other = head.replace("proven by", "proof");
    check(
        &rows.complaints,
        &[
            ("a test that does not exist", cell("`tests/tests/a.rs::absent`")),
            ("a file that does not exist", cell("`tests/tests/b.rs::holds`")),
            ("a test that does not run", cell("`tests/tests/a.rs::holds`, `tests/tests/a.rs::costs`")),
            ("a function that is no test", cell("`tests/tests/a.rs::helps`; later: packs")),
            ("a row that nothing proves", cell("")),
            ("a row that waits for nothing", cell("later: ")),
            ("a row that waits for nothing more", cell("`tests/tests/a.rs::holds`; later: ")),
            ("a word that is no proof", cell("everybody")),
            ("a row that is missing", told(head, "").complaints),
            ("a row that is there twice", told(head, &once.repeat(2)).complaints),
            ("a row that the sources do not have", told(head, &once.replace("B04", "B14")).complaints),
            ("a row with a cell too few", told(head, "| B04 | it | later: packs |\n").complaints),
            ("a table without the column", told(&other, once).complaints),
        ],
    );
}

#[test]
fn the_top_level_holds_what_it_should() {
    let repository = Repository::read();
    let mut found = docs::top_level(&repository);
    found.extend(docs::documents_elsewhere(repository.paths.iter().map(String::as_str)));
    check(
        &found,
        &[
            ("a document at the top", docs::strangers(["NOTES.md", "core"].into_iter())),
            ("a document beside the sources", docs::documents_elsewhere(["core/wire/README.md"].into_iter())),
        ],
    );
}

#[test]
fn programs_obey_every_rule() {
    let repository = Repository::read();
    let programs: Vec<File> = repository.rust().filter(|file| words::is_shipped_shell(&file.path)).cloned().collect();
    assert!(programs.len() >= 3, "the programs' sources were not found");
    let good = rust("fn rules() -> Rules {\n    Rules::ALL\n}\n// Rules::NONE\n");
    assert_eq!(words::rules_off(&good), Vec::<String>::new());
    check(
        &words::rules_off(&programs),
        &[
            ("another constant", words::rules_off(&rust("let rules = Rules::UNSEALED;"))),
            ("a rule left out", words::rules_off(&rust("let rules = Rules { seal: false, ..Rules::ALL };"))),
        ],
    );
}

#[test]
fn the_environment_decides_nothing() {
    let repository = Repository::read();
    let sources = repository.rust().filter(|file| file.path.contains("src/") && !file.path.starts_with("tests/"));
    let switch = [File::control("desk/src/main.rs", "let off = std::env::var(\"ALLIANCE_NO_SEAL\").is_ok();")];
    let good = [File::control("desk/src/main.rs", "let cargo = std::env::var_os(\"CARGO\");")];
    assert_eq!(words::environment(&good), Vec::<String>::new());
    check(
        &words::environment(sources),
        &[
            ("a switch in the command line", words::environment(&switch)),
            ("a variable in the core", words::environment(&rust("std::env::var(\"HOME\")"))),
        ],
    );
}

#[test]
fn decoders_are_run() {
    let repository = Repository::read();
    let product: Vec<&File> = repository.files.iter().filter(|file| decoders::is_product(file)).collect();
    let mut found = decoders::unlisted(product.iter().copied());
    found.extend(decoders::stale(product.iter().copied()));
    let good = rust("fn parse_options(words: Words) -> Options {\n    words.into()\n}\n// minicbor::decode(bytes)\n");
    assert_eq!(decoders::unlisted(&good), Vec::<String>::new());
    check(
        &found,
        &[
            ("a function that parses", decoders::unlisted(&rust("pub fn parse(bytes: &[u8]) -> Option<Self> {\n}\n"))),
            ("a call of a decoder", decoders::unlisted(&rust("fn f() {\n    minicbor::decode::<A>(&bytes)\n}\n"))),
            ("a list about what is gone", decoders::stale(&good)),
        ],
    );
}

#[test]
fn nothing_is_left_unfinished_or_tied_to_a_machine() {
    let repository = Repository::read();
    let mut found = words::unfinished(repository.rust());
    found.extend(words::ignored_without_reason(repository.rust()));
    found.extend(words::in_no_program(&repository.files));
    found.extend(words::features(repository.rust()));
    found.extend(words::machine_paths(&repository.files));
    found.extend(words::single_package_builds(&repository.files));
    let place = [File::control("docs/A.md", concat!("cd /wo", "rk/here\n"))];
    let single = [File::control(".ci/run", concat!("cargo build -", "p alliance-wire\n"))];
    let package = File::control("core/a/Cargo.toml", "[lib]\ntest = false\n");
    let inside = [package, File::control("core/a/src/b.rs", "#[test]\nfn f() {}\n")];
    let main = File::control("core/a/tests/a/main.rs", "mod named;\n");
    let unnamed = [main, File::control("core/a/tests/a/b.rs", "#[test]\nfn f() {}\n")];
    check(
        &found,
        &[
            ("unfinished work", words::unfinished(&rust("fn later() { todo!() }"))),
            ("a test left out without a reason", words::ignored_without_reason(&rust("#[test]\n#[ignore]\nfn f() {}"))),
            ("a test in a library that is not tested", words::in_no_program(&inside)),
            ("a file that no program names", words::in_no_program(&unnamed)),
            ("a feature", words::features(&rust("#[cfg(feature = \"fast\")]\nfn f() {}"))),
            ("a place on one machine", words::machine_paths(&place)),
            ("a build of one package", words::single_package_builds(&single)),
        ],
    );
}
