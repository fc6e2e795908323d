//! `alliance-bench`: prints the figures of docs/BENCHMARKS.md, one line of JSON for each mode.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use alliance_tests::bench::modes::{Bench, MODES};
use alliance_tests::bench::workload::{SHA256, Workload};
use alliance_tests::bench::world::{Scale, World};
use alliance_tests::bench::{device, ledger, workload};
use alliance_tests::proxy::Link;

const USAGE: &str = "usage: alliance-bench MODE... [options]
       alliance-bench all [options]
       alliance-bench callgrind WORK N    (for .ci/soak callgrind)
  modes: push push-final cold warm0 warm10 live idle-N save open list search profiles members
         pair-month pair-edge pair-village (two devices, each over a link of its own)
  --round-trip MS   of the link between devices and relay (0)
  --loss PERMILLE   datagrams in a thousand that it loses, each way (0)
  --rate BITS       a second, each way (any)
  --seed N          what is lost follows from it (1)
  --count N         edits, pages or notes where a mode repeats something (200)
  --notes N         notes of each alliance (50), and
  --alliances N     alliances (20): less than all is for trying things out
  --folder DIR      where the world is prepared and kept (target/bench)";

struct Options {
    modes: Vec<String>,
    link: Link,
    count: usize,
    scale: Scale,
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("threads can be started");
    if let [role, store] = arguments.as_slice()
        && role == "device"
    {
        runtime.block_on(device::run(Path::new(store)));
        return ExitCode::SUCCESS;
    }
    if let [role, work, times] = arguments.as_slice()
        && role == "callgrind"
        && let Ok(times) = times.parse()
        && runtime.block_on(ledger::run(work, times))
    {
        return ExitCode::SUCCESS;
    }
    let Some(options) = parse(&arguments) else {
        say_usage();
        return ExitCode::from(64);
    };
    runtime.block_on(measure(options))
}

/// How it is called, for a person.
#[expect(clippy::print_stderr, reason = "the program's own words to whoever called it")]
fn say_usage() {
    eprintln!("{USAGE}");
}

fn parse(arguments: &[String]) -> Option<Options> {
    let mut options = Options { modes: Vec::new(), link: Link::DIRECT, count: 200, scale: Scale::FULL, folder: None };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next()?.parse::<u64>().ok();
        match argument.as_str() {
            "--round-trip" => options.link.delay = Duration::from_millis(number()?) / 2,
            "--loss" => options.link.loss_per_mille = u16::try_from(number()?).ok()?,
            "--rate" => options.link.bits_per_second = Some(number()?),
            "--seed" => options.link.seed = number()?,
            "--count" => options.count = usize::try_from(number()?).ok().filter(|count| *count > 0)?,
            "--notes" => options.scale.notes = at_most(number()?, workload::NOTES)?,
            "--alliances" => options.scale.alliances = at_most(number()?, workload::ALLIANCES)?,
            "--folder" => options.folder = Some(arguments.next()?.into()),
            "all" => options.modes.extend(MODES.map(str::to_owned)),
            mode if !mode.starts_with('-') => options.modes.push(mode.to_owned()),
            _ => return None,
        }
    }
    if options.modes.is_empty() { None } else { Some(options) }
}

fn at_most(number: u64, most: usize) -> Option<usize> {
    usize::try_from(number).ok().filter(|number| (1..=most).contains(number))
}

#[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
async fn measure(options: Options) -> ExitCode {
    let program = std::env::current_exe().expect("a process knows its executable");
    let scale = options.scale;
    let folder = options.folder.unwrap_or_else(|| beside(&program).join("bench"));
    // A world that other sources prepared is another world.
    let folder = folder.join(format!("{}x{}-{}", scale.alliances, scale.notes, sources()));
    let workload = Workload::new(7);
    assert_eq!(alliance_tests::bench::sha256(&workload.json()), SHA256, "the workload is not the one that is known");
    let world = World::in_folder(&folder, &workload, scale).await;
    let bench = Bench { program, world, link: options.link, count: options.count };
    for mode in options.modes {
        let Some(said) = bench.run(&mode).await else {
            say_usage();
            return ExitCode::from(64);
        };
        println!("{said}");
    }
    ExitCode::SUCCESS
}

/// The beginning of the hash that git has of the sources that make stores; changes that are not committed do not show.
fn sources() -> String {
    let git = std::process::Command::new("git").args(["rev-parse", "--short=12", "HEAD:core"]).output();
    let hash = git.ok().filter(|output| output.status.success()).map(|output| output.stdout).unwrap_or_default();
    let hash = String::from_utf8_lossy(&hash).trim().to_owned();
    if hash.is_empty() { "unknown".to_owned() } else { hash }
}

/// The target directory: two above `target/release/alliance-bench`.
fn beside(program: &Path) -> PathBuf {
    program.ancestors().nth(2).unwrap_or(program).to_path_buf()
}
