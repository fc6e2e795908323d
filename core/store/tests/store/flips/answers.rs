//! Everything that a folder answers, as lines of text: what a flip may not change without a word.

use std::fmt::Debug;
use std::path::Path;

use alliance_store::conformance::Author;
use alliance_store::device::{EntryRef, ListQuery, SearchPhrase, SearchQuery};
use alliance_store::operator::{Operator, Tickets, inspect};
use alliance_store::{Device, OpenError, Opened, Options, Replica, SqliteReplica, StoreError};
use alliance_sync::{Part, Since};
use alliance_wire::{DeviceKey, SpaceId};

use super::fixture::{self, LIMITS, PEER, RELAY, chain, document, draft, key, spaces};

/// What a folder answers, or that it noticed damage or is no longer what it was.
pub(crate) enum Told {
    Lines(Vec<String>),
    Noticed(String),
}

struct Lines(Vec<String>);

impl Lines {
    fn say(&mut self, what: impl Debug) {
        self.0.push(format!("{what:?}"));
    }
}

fn noticed<E: Debug>(error: E) -> Told {
    Told::Noticed(format!("{error:?}").chars().take(60).collect())
}

pub(crate) async fn of_device(folder: &Path, options: Options) -> Told {
    let (device, opened) = match Device::open(folder, &key(), fixture::fresh(50), options) {
        Err(error) => return noticed(error),
        Ok(opened) => opened,
    };
    let told = told(&opened, device_lines(&device).await, device.replica());
    device.close();
    told
}

pub(crate) async fn of_relay(folder: &Path, options: Options) -> Told {
    let (replica, opened) = match SqliteReplica::open(folder, fixture::fresh(50), false, options.clone()) {
        Err(error) => return noticed(error),
        Ok(opened) => opened,
    };
    let mut lines = Lines(Vec::new());
    let log = async {
        log_lines(&replica, &mut lines).await?;
        Ok::<_, StoreError>(())
    };
    let log = log.await;
    let operator = operator_lines(folder, options, &mut lines);
    let all = log.and_then(|()| operator.map_err(|_| StoreError::Damaged)).map(|()| lines);
    let told = told(&opened, all, &replica);
    replica.close();
    told
}

fn told(opened: &Opened, lines: Result<Lines, StoreError>, replica: &SqliteReplica) -> Told {
    match lines {
        Err(error) => noticed(error),
        Ok(_) if opened.fresh => Told::Noticed("a new incarnation or instance".to_owned()),
        Ok(_) if !replica.damaged().is_empty() => Told::Noticed("a damaged entry is known".to_owned()),
        Ok(mut lines) => {
            lines.say((opened.incarnation, opened.instance));
            Told::Lines(lines.0)
        }
    }
}

async fn device_lines(device: &Device) -> Result<Lines, StoreError> {
    let mut lines = Lines(Vec::new());
    log_lines(device.replica(), &mut lines).await?;
    if let Some(profile) = device.profile().await? {
        lines.say((profile.secret.as_slice(), profile.recovery, profile.name, profile.created));
    }
    for name in ["short", "long", "last", "absent"] {
        lines.say(device.setting(name).await?);
    }
    lines.say(device.local_spaces().await?);
    lines.say(device.pending(1).await?);
    lines.say(device.relays().await?);
    lines.say(device.contacts().await?);
    lines.say(device.trying().await?);
    lines.say(device.drafts().await?);
    for number in 1..4 {
        lines.say(device.commands(draft(number)).await?);
        lines.say(device.drafts_of(spaces()[0], document(number)).await?);
    }
    for space in spaces() {
        let keys = device.epoch_keys(space).await?;
        lines.say(keys.iter().map(|row| (row.epoch, *row.key)).collect::<Vec<_>>());
        lines.say((device.applied_upto(space).await?, device.count_open(space).await?));
        lines.say((device.document_ids(space).await?, device.count_marked(space, 2, 1).await?));
        lines.say(device.open_entries(space, 0).await?.entries.len());
        lines.say(device.states_behind(space, 0, 1_000).await?);
        lines.say(device.acked(PEER, space).await?);
        lines.say(device.arrivals_of(space, Author::new(1).name(alliance_wire::Stream::Data).device, 0).await?);
        let query = ListQuery { space: Some(space), limit: 100, ..ListQuery::default() };
        lines.say(device.list(query).await?.rows);
    }
    let phrases = vec![SearchPhrase { terms: vec!["note".to_owned()], prefix: true }];
    lines.say(device.search(SearchQuery { phrases, limit: 50, ..SearchQuery::default() }).await?);
    lines.say((device.unsearched(1, 50).await?, device.has_other_words(1).await?));
    let log = chain(1, spaces()[0])[0].log();
    for number in 1..40_u8 {
        lines.say(device.document(spaces()[0], document(number)).await?);
        lines.say(device.listing(spaces()[0], document(number)).await?);
        let entry = EntryRef { space: spaces()[0], log, seq: number.into() };
        lines.say(device.entry_state(entry).await?);
    }
    Ok(lines)
}

async fn log_lines(replica: &SqliteReplica, lines: &mut Lines) -> Result<(), StoreError> {
    lines.say(replica.spaces().await?);
    lines.say(replica.tails(spaces().to_vec()).await?);
    lines.say(replica.cursors(PEER).await?);
    lines.say(replica.peer_instance(RELAY).await?);
    lines.say(replica.relay_spaces(RELAY).await?);
    lines.say(replica.relay_spaces(DeviceKey([6; 32])).await?);
    lines.say(replica.spaces_of_token([1; 8]).await?);
    for number in 1..7 {
        lines.say(replica.member_spaces(DeviceKey([number; 32])).await?);
    }
    for space in spaces() {
        space_lines(replica, space, lines).await?;
    }
    let stats = replica.stats().await?;
    lines.say((stats.spaces, stats.logs, stats.entries, stats.bytes));
    Ok(())
}

async fn space_lines(replica: &SqliteReplica, space: SpaceId, lines: &mut Lines) -> Result<(), StoreError> {
    for part in [Part::Membership, Part::Receipts, Part::Everything] {
        let page = replica.since(Since { space, after: 0, part, bytes: usize::MAX }).await?;
        lines.say((page.upto, page.hash, page.more));
        page.items.iter().for_each(|item| lines.say(item));
    }
    lines.say(replica.hashes_at((0..120).map(|number| (space, number)).collect()).await?);
    lines.say(replica.receipts(space).await?);
    lines.say(replica.missing(space, 100).await?);
    lines.say(replica.space_bytes(space).await?);
    lines.say(replica.usage(space).await?);
    let Some(parts) = replica.view_parts(space).await? else { return Ok(()) };
    lines.say((&parts.heads, &parts.forks, &parts.tail, &parts.membership));
    for log in parts.heads.keys() {
        let range = replica.range(space, *log, 0, 1_000).await?;
        let rows: Vec<_> = range.iter().map(|(_, entry)| (*log, entry.header().seq)).collect();
        lines.say(range);
        lines.say(replica.fetch(space, rows).await?);
    }
    Ok(())
}

fn operator_lines(folder: &Path, options: Options, lines: &mut Lines) -> Result<(), OpenError> {
    let operator = Operator::open_with(folder, options)?;
    lines.say(operator.today(20_000)?);
    lines.say(operator.setting("connect")?);
    lines.say(operator.tokens()?);
    for number in 1..30_u8 {
        lines.say((operator.mailbox_space(&[number; 32])?, operator.collect(&[number; 32])?));
        let space = alliance_store::conformance::space(number);
        let mac = alliance_wire::membership::Admission::mac(&[number; 32], space);
        lines.say(operator.admit(space, &alliance_wire::membership::Admission { token: [number; 8], mac })?);
    }
    // A ticket that is gone costs its device a round trip; one that is another would be noticed by TLS, and is not to be
    // given all the same.
    let tickets = Tickets::open(folder, LIMITS)?;
    for number in 1..20_u8 {
        if let Some(ticket) = tickets.take(&[number; 16], 2_000)? {
            assert_eq!(ticket, vec![number; 500], "a ticket is the one that was kept");
        }
    }
    let seen = inspect(folder);
    lines.say(seen.map(|seen| (seen.spaces, seen.entries, seen.bytes))?);
    Ok(())
}
