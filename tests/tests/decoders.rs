//! Every decoder of outside bytes on its corpus and on ten thousand mutations of it, from a printed seed, each in a
//! process with a limit of memory.
//!
//! A decoder with a deliberate bug of each kind goes through the same run, which must notice it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use alliance_tests::decoders::samples::{SAMPLE, Sample, samples};
use alliance_tests::decoders::{ALL, CONTROLS, corpus_folder};
use alliance_tests::soak::{end, seeds};

const SEED: u64 = 20_261_126;
const MUTATIONS: u64 = 10_000;
/// A decoder takes seconds; the bound is for one that hangs.
const DEADLINE: Duration = Duration::from_secs(300);

/// Runs one decoder: its last word if it kept it, else what it did and to which bytes.
fn run(name: &str, seed: u64, count: u64, deadline: Duration) -> Result<String, String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_alliance-decoder-worker"))
        .args([name, &seed.to_string(), &count.to_string()])
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (tell, told) = mpsc::channel();
    // The last number and the last line that is none: all that a run leaves behind.
    let said = std::thread::spawn(move || {
        let (mut number, mut word) = (None, String::new());
        for line in BufReader::new(out).lines() {
            let line = line.unwrap();
            match line.parse::<u64>() {
                Ok(next) => number = Some(next),
                Err(_) => word = line,
            }
        }
        let _ = tell.send(());
        (number, word)
    });
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).unwrap();
        text
    });
    let in_time = told.recv_timeout(deadline).is_ok();
    if !in_time {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let ((number, word), complaints) = (said.join().unwrap(), complaints.join().unwrap());
    if in_time && status.success() {
        return Ok(word);
    }
    let how = match (in_time, status.code()) {
        (false, _) => "hung".to_owned(),
        (true, Some(_)) => word,
        (true, None) => format!("ended by {status}: {complaints}"),
    };
    let at = number.map_or_else(String::new, |number| format!(", at mutation {number}: {}", shown(name, seed, number)));
    Err(format!("{name}, seed {seed}{at}: {how}"))
}

/// Digits of a mutation that are printed; the worker shows the rest.
const SHOWN_MAX: usize = 4_096;

/// A mutation as hexadecimal, its beginning if it is long.
fn shown(name: &str, seed: u64, number: u64) -> String {
    let shown = Command::new(env!("CARGO_BIN_EXE_alliance-decoder-worker"))
        .args(["show", name, &seed.to_string(), &number.to_string()])
        .output()
        .unwrap();
    let mut text = String::from_utf8(shown.stdout).unwrap().trim().to_owned();
    if text.len() > SHOWN_MAX {
        text.truncate(SHOWN_MAX);
        text.push_str("...");
    }
    text
}

/// Every decoder with one seed, two at a time; what is wrong with any.
fn run_all(seed: u64, count: u64) -> Vec<String> {
    let half = |which: usize| {
        let decoders = ALL.iter().skip(which).step_by(2);
        let (mut said, mut wrong) = (Vec::new(), Vec::new());
        for decoder in decoders {
            match run(decoder.name, seed, count, DEADLINE) {
                Ok(word) => said.push(word),
                Err(what) => wrong.push(what),
            }
        }
        (said, wrong)
    };
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| half(0));
        let other = half(1);
        (one.join().unwrap(), other)
    });
    for line in one.0.iter().chain(&other.0) {
        println!("{line}");
    }
    [one.1, other.1].concat()
}

#[test]
fn every_decoder_keeps_its_word() {
    let wrong = run_all(SEED, MUTATIONS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_decoder_that_breaks_its_word_is_noticed() {
    let expected = [
        ("control_panics", "panicked"),
        ("control_eats", "signal: 6"),
        ("control_hangs", "hung"),
        ("control_forgets", "what was read is encoded as"),
        ("control_refuses", "was refused"),
    ];
    assert_eq!(expected.map(|(name, _)| name).to_vec(), CONTROLS.iter().map(|c| c.name).collect::<Vec<_>>());
    for (name, what) in expected {
        // The one that hangs never ends: any time will do.
        let deadline = if name == "control_hangs" { Duration::from_secs(5) } else { DEADLINE };
        let noticed = run(name, SEED, MUTATIONS, deadline).expect_err(name);
        assert!(noticed.contains(what), "{noticed}");
    }
}

#[test]
fn every_corpus_belongs_to_a_decoder_and_holds_both_kinds() {
    let folders: BTreeSet<String> =
        std::fs::read_dir(corpus_folder()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    let names: BTreeSet<String> = ALL.iter().map(|decoder| decoder.name.to_owned()).collect();
    assert_eq!(names.len(), ALL.len(), "a name is used twice");
    assert_eq!(folders, names);
    for decoder in ALL {
        let corpus = decoder.corpus();
        for kind in ["ok-", "bad-"] {
            assert!(corpus.iter().any(|(name, _)| name.starts_with(kind)), "{}: no file {kind}", decoder.name);
        }
    }
}

/// The samples, and the files that are there under a sample's name.
fn compared() -> (Vec<Sample>, BTreeSet<String>) {
    let mut there = BTreeSet::new();
    for decoder in ALL {
        let Ok(files) = std::fs::read_dir(corpus_folder().join(decoder.name)) else { continue };
        for file in files {
            let name = file.unwrap().file_name().into_string().unwrap();
            if name.split_once('-').is_some_and(|(_, rest)| rest.starts_with(SAMPLE)) {
                there.insert(format!("{}/{name}", decoder.name));
            }
        }
    }
    (samples(), there)
}

#[test]
fn the_corpora_hold_the_golden_vectors() {
    let (samples, mut there) = compared();
    assert!(samples.len() > 150, "{} samples", samples.len());
    for sample in &samples {
        let name = format!("{}/{}", sample.decoder, sample.name);
        let file = std::fs::read(corpus_folder().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file, sample.bytes, "{name}");
        there.remove(&name);
    }
    assert!(there.is_empty(), "no sample is behind {there:?}");
}

#[test]
#[ignore = "writes the samples into the corpora"]
fn write_the_samples() {
    let (samples, there) = compared();
    for name in there {
        std::fs::remove_file(corpus_folder().join(name)).unwrap();
    }
    for sample in samples {
        let folder = corpus_folder().join(sample.decoder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(sample.name), sample.bytes).unwrap();
    }
}

/// Many seeds: `ALLIANCE_SEED=n` or `ALLIANCE_SEED=from..to`. Counts runs of a decoder.
#[test]
#[ignore = "needs ALLIANCE_SEED; .ci/soak decoders"]
fn many_seeds_of_mutations() {
    let (mut passed, mut wrong) = (0, Vec::new());
    for seed in seeds() {
        let found = run_all(seed, MUTATIONS);
        passed += ALL.len() - found.len();
        wrong.extend(found);
    }
    end(passed as u64, wrong.len() as u64);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
