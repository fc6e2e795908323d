//! The people of the demo: each a store in a folder, with nothing shared but the relay.

use std::path::Path;
use std::time::Instant;

use alliance_client::{
    Client, DocumentId, InviteOptions, InviteState, JoinState, NewSpace, Options, Role, SpaceId, SyncReport,
};
use alliance_model::Command;

use crate::failure::{DeskCode, Failure};
use crate::output::text::{count, grouped};

/// The passphrase of every store of the demo.
pub(super) const PASSPHRASE: &str = "demo";
/// Contacts with the relay that an invitation may take on each side.
const CONTACTS_MAX: usize = 8;
/// Days that an invitation is good for.
const DAYS: u32 = 7;

/// Somebody with a store.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) client: Client,
    /// What making the store took, mostly the passphrase's and the recovery words' keys.
    pub(super) millis: u64,
}

impl Person {
    /// Makes a store and gets to know the relay.
    pub(super) async fn new(
        name: &'static str,
        folder: &Path,
        connect: &str,
        options: Options,
    ) -> Result<Self, Failure> {
        let began = Instant::now();
        let store = folder.join(name.to_lowercase());
        let (client, _words) = Client::create(&store, PASSPHRASE, name, None, options).await?;
        client.add_relay(connect, None).await?;
        Ok(Self { name, client, millis: super::millis(began) })
    }

    /// Meets the relay once.
    pub(super) async fn sync(&self, tally: &mut Tally) -> Result<(), Failure> {
        for report in self.client.sync_once(|_| {}).await? {
            tally.add(self.name, &report);
        }
        Ok(())
    }

    /// Saves commands, each durable before the next, and ends the editing session.
    pub(super) async fn write(
        &self,
        document: DocumentId,
        commands: impl IntoIterator<Item = Command>,
    ) -> Result<(), Failure> {
        let mut revision = crate::command::seen(self.client.view(document).await?.revision);
        for command in commands {
            revision = Some(self.client.command(document, revision, command).await?);
        }
        Ok(self.client.seal(document).await?)
    }
}

/// What contacts with the relay cost, added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    contacts: u64,
    pub(super) up: u64,
    pub(super) down: u64,
    round_trips: u64,
    millis: u64,
    pub(super) loaded: u64,
    /// What did not end with both sides having the same, in words.
    pub(super) odd: Vec<String>,
}

impl Tally {
    fn add(&mut self, name: &str, report: &SyncReport) {
        self.contacts += 1;
        self.up += report.bytes_up;
        self.down += report.bytes_down;
        self.round_trips += u64::from(report.round_trips);
        self.millis += report.millis;
        self.loaded += report.documents_loaded;
        let refused = !crate::show::reports::refused(report).is_empty();
        if !report.settled || refused || report.diverged > 0 || report.forks > 0 {
            self.odd.push(format!("{name}: {}", crate::show::reports::report_text(report)));
        }
    }

    /// Adds what others cost.
    pub(super) fn join(&mut self, other: Self) {
        self.contacts += other.contacts;
        self.up += other.up;
        self.down += other.down;
        self.round_trips += other.round_trips;
        self.millis += other.millis;
        self.loaded += other.loaded;
        self.odd.extend(other.odd);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.contacts > 1 {
            write!(f, "{}, ", count(self.contacts, "contact", "contacts"))?;
        }
        write!(
            f,
            "{} bytes up, {} down, {}, {} ms",
            grouped(self.up),
            grouped(self.down),
            count(self.round_trips, "round trip", "round trips"),
            grouped(self.millis)
        )
    }
}

/// A space that `host` founds and into which the others come; the words that the last two compared.
pub(super) async fn found(
    host: &Person,
    guests: &[&Person],
    title: &str,
    kind: NewSpace,
    tally: &mut Tally,
) -> Result<(SpaceId, Vec<String>), Failure> {
    let space = host.client.create_space(title, kind).await?.space;
    let mut words = Vec::new();
    for guest in guests {
        words = introduce(host, guest, space, title, tally).await?;
    }
    Ok((space, words))
}

/// One invitation, from text to keys: invite, join, compare the words, confirm.
async fn introduce(
    host: &Person,
    guest: &Person,
    space: SpaceId,
    title: &str,
    tally: &mut Tally,
) -> Result<Vec<String>, Failure> {
    let invite = host.client.invite(space, InviteOptions { role: Role::Signer, days: DAYS }).await?;
    host.sync(tally).await?;
    guest.client.join(&invite.text, Some(title)).await?;
    let (mut asked, mut answered) = (None, None);
    for _ in 0..CONTACTS_MAX {
        guest.sync(tally).await?;
        host.sync(tally).await?;
        let invites = host.client.invites().await?;
        asked = invites.into_iter().find(|other| other.id == invite.id).and_then(|invite| match invite.state {
            InviteState::Answered { words, .. } => Some(words),
            InviteState::Open | InviteState::Confirmed | InviteState::Spent => None,
        });
        let joins = guest.client.joins().await?;
        answered = joins.into_iter().find(|join| join.space == space).and_then(|join| match join.state {
            JoinState::Words { words } => Some(words),
            JoinState::Asked | JoinState::Mismatch | JoinState::Joined => None,
        });
        if asked.is_some() && answered.is_some() {
            break;
        }
    }
    let (Some(asked), Some(answered)) = (asked, answered) else {
        return Err(Failure::from(DeskCode::DemoFailed).with("claim", "both see the words"));
    };
    if asked != answered {
        return Err(Failure::from(DeskCode::DemoFailed).with("claim", "the words are the same"));
    }
    host.client.confirm(&invite.id, &answered.join(" ")).await?;
    host.sync(tally).await?;
    guest.sync(tally).await?;
    Ok(answered)
}
