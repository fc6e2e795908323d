//! `alliance demo`: the whole story on one machine, with real parts, told in plain words and checked.
//!
//! A relay process is started ([`relay`]), several people make encrypted stores (`people`) and write apart, over real
//! QUIC on the loopback interface (`story`). At the end the relay's files are searched for what was written
//! ([`search`]). Everything that the story claims is a [`Check`]; the demo succeeds only if all hold.
//!
//! The story takes the client's [`Options`]: a test runs it with sealing replaced and sees the same search find the
//! words.

mod people;
mod relay;
pub mod search;
mod story;

use std::path::PathBuf;
use std::time::Instant;

use alliance_client::Options;
use serde::Serialize;
use serde_json::json;

use crate::failure::{DeskCode, Failure};
use crate::output::text::{bold, grouped, paragraph};
use crate::output::{Answer, Look, Teller};

/// How to run the demo.
pub struct DemoOptions {
    /// The relay program; without it, `alliance-relay` beside this program.
    pub relay: Option<PathBuf>,
    /// Keep the folder with the stores and the relay's files.
    pub keep: bool,
    /// How clients are made.
    pub options: Options,
}

/// Something that the story claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The claim.
    pub claim: &'static str,
    /// Whether it was so.
    pub held: bool,
}

/// How the demo went.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What the story claims, in order.
    pub checks: Vec<Check>,
    /// Written words that were found in the relay's files. Empty, if sealing does what it should.
    pub found: Vec<search::Found>,
    /// How many words and sentences were looked for.
    pub searched: usize,
    /// Protocol bytes of a contact at which nothing was new, both ways.
    pub idle_bytes: u64,
    /// Milliseconds from beginning to end.
    pub millis: u64,
    /// Where stores and relay files lie, if they were kept.
    pub folder: Option<PathBuf>,
    /// What was told.
    #[serde(skip)]
    pub story: String,
}

impl Outcome {
    /// Whether all of it held.
    ///
    /// # Errors
    /// `DEMO_FAILED` with the claims that did not hold.
    pub fn verdict(&self) -> Result<(), Failure> {
        let failed: Vec<&str> = self.checks.iter().filter(|check| !check.held).map(|check| check.claim).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failure::from(DeskCode::DemoFailed).with("claims", failed.join("; ")))
    }
}

/// Plays and checks the story, and tells it as it goes.
///
/// # Errors
/// `RELAY_PROGRAM_ABSENT`, `RELAY_PROGRAM_FAILED`, `FILE_UNWRITABLE`, and whatever a client says that it should not.
/// A claim that does not hold is no error here: see [`Outcome::verdict`].
pub async fn run(options: DemoOptions, teller: &Teller) -> Result<Outcome, Failure> {
    let began = Instant::now();
    let mut narrator = Narrator { teller: teller.clone(), story: String::new(), checks: Vec::new() };
    let program = relay::program(options.relay.as_deref(), teller).await?;
    let unwritable = |error: std::io::Error| Failure::from(DeskCode::FileUnwritable).with("reason", error.kind());
    let folder = tempfile::Builder::new().prefix("alliance-demo-").tempdir().map_err(unwritable)?;
    let played = story::play(&program, folder.path(), options.options, &mut narrator).await;
    let kept = if options.keep { Some(folder.keep()) } else { None };
    let told = played?;
    narrator.ending(began, kept.as_deref()).await;
    let outcome = Outcome {
        checks: narrator.checks,
        found: told.found,
        searched: told.searched,
        idle_bytes: told.idle_bytes,
        millis: millis(began),
        folder: kept,
        story: narrator.story,
    };
    if teller.look().json {
        teller.say(&Answer::new("", json!({"demo": outcome}))).await;
    }
    Ok(outcome)
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Tells the story, and notes what it claims.
struct Narrator {
    teller: Teller,
    story: String,
    checks: Vec<Check>,
}

impl Narrator {
    fn look(&self) -> Look {
        self.teller.look()
    }

    async fn say(&mut self, text: &str) {
        self.story.push_str(text);
        if !self.look().json {
            self.teller.say(&Answer::new(text, serde_json::Value::Null)).await;
        }
    }

    async fn heading(&mut self, number: u8, text: &str) {
        let line = format!("\n{}\n", bold(&format!("{number}  {text}"), self.look().color));
        self.say(&line).await;
    }

    async fn tell(&mut self, text: &str) {
        let text = paragraph(text, "   ", self.look().columns);
        self.say(&text).await;
    }

    fn claim(&mut self, claim: &'static str, held: bool) {
        self.checks.push(Check { claim, held });
    }

    async fn ending(&mut self, began: Instant, kept: Option<&std::path::Path>) {
        let heading = format!("\n{}\n", bold("Checked", self.look().color));
        self.say(&heading).await;
        let rows: Vec<String> = self
            .checks
            .iter()
            .map(|check| format!("   {}  {}\n", if check.held { "yes" } else { "NO " }, check.claim))
            .collect();
        self.say(&rows.concat()).await;
        let millis = millis(began);
        let held = self.checks.iter().all(|check| check.held);
        let verdict = if held { "All of it held" } else { "Not all of it held" };
        self.say(&format!("\n{verdict}. Total: {}.{} s\n", grouped(millis / 1000), millis % 1000 / 100)).await;
        if let Some(kept) = kept {
            self.say(&format!("Kept: {} (every passphrase there is \"{}\")\n", kept.display(), people::PASSPHRASE))
                .await;
        }
    }
}
