//! What the journeys of docs/DOMAIN.md 2.16 share: two people who meet directly or through a relay, and a program that
//! is killed in the midst of it.

use std::process::{Command, Stdio};
use std::time::Duration;

use alliance_client::{Client, DocumentId, SpaceId};

use crate::binaries;
use crate::hostile::meet;
use crate::people::{Met, PASSPHRASE, Person, options};
use crate::random::Random;
use crate::relay::Site;

/// How two people exchange what they wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through a relay.
    Relay,
    /// From phone to phone.
    Direct,
}

/// A supervisee and a supervisor with a space of theirs.
pub struct Alliance {
    /// The supervisor, who founded the space.
    pub ben: Person,
    /// The supervisee.
    pub amina: Person,
    /// The space.
    pub space: SpaceId,
    /// A note of Amina's that both have.
    pub note: DocumentId,
    /// The relay, if one carries it.
    pub site: Option<Site>,
}

impl Alliance {
    /// They know each other; there is nothing in the space but a note.
    ///
    /// # Panics
    /// If they cannot meet.
    pub async fn met(way: Way) -> Self {
        let Met { site, ben, amina, space, note } = Met::over_a_note("Our first talk. ").await;
        // Where they meet directly there is no relay from here on.
        let site = (way == Way::Relay).then_some(site);
        Self { ben, amina, space, note, site }
    }

    /// Both have everything that either wrote.
    ///
    /// # Panics
    /// If they cannot meet.
    pub async fn exchange(&self) {
        if self.site.is_some() {
            self.ben.sync().await;
            self.amina.sync().await;
            self.ben.sync().await;
        } else {
            // Who is dialled seals when it is done, not because somebody calls.
            self.ben.client.seal_all().await.expect("what was typed is sealed");
            meet(&self.ben.client, &self.amina.client).await;
        }
    }
}

/// What became of commands whose process was killed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kills {
    /// Commands that had said to be done, by number.
    pub done: Vec<usize>,
    /// Commands that were killed before they said anything.
    pub killed: Vec<usize>,
}

impl Person {
    /// Runs the program on this person's store again and again and kills each process at a random time, until so many
    /// were killed and one had ended before. The acknowledgements are kept here. `arguments` gives the command of a
    /// number. The store is open again afterwards. Who calls prints the seed and what became of it.
    ///
    /// # Panics
    /// If a command fails that was not killed, or the store does not open.
    pub async fn kill(&mut self, seed: u64, kills: usize, arguments: impl Fn(usize) -> Vec<String>) -> Kills {
        self.client.close().await.expect("the store closes");
        let passphrase = self.beside("passphrase");
        std::fs::write(&passphrase, format!("{PASSPHRASE}\n")).expect("a file beside the store");
        let mut random = Random::new(seed);
        let (mut result, mut longest) = (Kills::default(), Duration::ZERO);
        for number in 0.. {
            if result.killed.len() >= kills && !result.done.is_empty() {
                break;
            }
            let mut program = Command::new(&binaries().alliance);
            program.arg("--store").arg(self.store()).arg("--passphrase-file").arg(&passphrase);
            program.args(arguments(number)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            let begun = std::time::Instant::now();
            let mut child = program.spawn().expect("the program starts");
            if longest.is_zero() {
                // The first one says how long a command takes; the others are killed within that.
                let output = child.wait_with_output().expect("it ends");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                longest = begun.elapsed();
                result.done.push(number);
                continue;
            }
            let micros = usize::try_from(longest.as_micros()).unwrap_or(usize::MAX);
            std::thread::sleep(Duration::from_micros(random.below(micros) as u64));
            child.kill().expect("it is ours");
            let status = child.wait().expect("it ends");
            if status.success() { result.done.push(number) } else { result.killed.push(number) }
        }
        self.client = Client::open(&self.store(), PASSPHRASE, options()).await.expect("the store opens");
        result
    }
}
