//! Exchanging with relays and devices.

use std::time::Duration;

use alliance_client::{Conditions, Progress, SpaceStatus, SyncReport};
use serde_json::json;
use tokio::sync::watch;

use super::Call;
use crate::cli::{NearArgs, SyncArgs};
use crate::failure::{DeskCode, Failure};
use crate::output::text::{count, line, short};
use crate::output::{Answer, Teller};
use crate::show::{lists, reports};

/// Seconds of silence after which a sync with devices near ends.
const SYNC_WAIT_SECONDS: u64 = 10;
/// The same for a look at who is near.
const PEERS_WAIT_SECONDS: u64 = 4;

pub(super) async fn sync(args: &SyncArgs, call: &Call) -> Result<(), Failure> {
    if let Some(port) = args.tcp_port {
        call.client.dial_tcp_at(port);
    }
    call.client.set_conditions(Conditions { metered: args.metered, ..Conditions::default() });
    if args.lan || !args.near.address.is_empty() {
        return near(args, call).await;
    }
    if let Some(with) = &args.with {
        let report = call.client.sync_with(with.device, &with.address, progress(&call.teller)).await?;
        return told(&[report], call).await;
    }
    if let Some(address) = &args.listen {
        return listen(address, args, call).await;
    }
    if args.live {
        return live(call).await;
    }
    let reports = match args.within {
        Some(seconds) => {
            let limit = Duration::from_secs(u64::from(seconds));
            until(call.stop.clone(), call.client.sync_within(limit, progress(&call.teller))).await?
        }
        None => until(call.stop.clone(), call.client.sync_once(progress(&call.teller))).await?,
    };
    told(&reports, call).await
}

/// The work, or an interruption of it: what became durable stays, the rest follows at the next sync.
pub(super) async fn until<T>(
    mut stop: watch::Receiver<bool>,
    work: impl Future<Output = alliance_client::Result<T>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done?),
        _ = stop.wait_for(|stop| *stop) => Err(DeskCode::SyncIncomplete.into()),
    }
}

async fn listen(address: &str, args: &SyncArgs, call: &Call) -> Result<(), Failure> {
    let listener = call.client.listen(address).await?;
    let local = listener.local_address();
    let key = call.client.whoami().device;
    let text = format!("Listening. The other device runs:\n  alliance sync --with {key}@{local}");
    let json = json!({"listening": {"device": key.to_string(), "address": local.to_string(), "with": format!("{key}@{local}")}});
    call.teller.say(&Answer::new(text, json)).await;
    if args.once {
        let report = until(call.stop.clone(), listener.accept_once(progress(&call.teller))).await?;
        return told(&[report], call).await;
    }
    let listening = async { Ok(listener.run(call.stop.clone(), events(&call.teller)).await?) };
    if args.live { tokio::try_join!(listening, live(call)).map(|_| ()) } else { listening.await }
}

/// Devices near: each event is a line, since several meet at once.
async fn near(args: &SyncArgs, call: &Call) -> Result<(), Failure> {
    let near = args.near.nearby(args.lan, args.listen.as_deref(), SYNC_WAIT_SECONDS);
    let report = call.client.sync_near(near, call.stop.clone(), events(&call.teller)).await?;
    let text = reports::near(&report, call.look());
    call.teller.say(&Answer::new(text, json!({"near": report}))).await;
    if report.people.is_empty() {
        return Err(DeskCode::NobodyNear.into());
    }
    // Of a connection that broke nothing is said if another one with the same person came to its end.
    let settled = |peer: &str| report.reports.iter().any(|it| it.settled && it.peer == peer);
    let mut reports = report.reports.clone();
    reports.retain(|it| it.settled || !settled(&it.peer));
    told(&reports, call).await
}

/// `alliance peers`.
pub(super) async fn peers(args: &NearArgs, call: &Call) -> Result<(), Failure> {
    let near = args.nearby(true, None, PEERS_WAIT_SECONDS);
    let report = call.client.look_near(near, call.stop.clone(), |_| {}).await?;
    let text = reports::near(&report, call.look());
    call.teller.say(&Answer::new(text, json!({"near": report}))).await;
    Ok(())
}

async fn live(call: &Call) -> Result<(), Failure> {
    if !call.look().json {
        call.teller.remark("Connected as long as this runs; end with Ctrl-C.").await;
    }
    Ok(call.client.sync_live(call.stop.clone(), events(&call.teller)).await?)
}

/// Says what was exchanged, and what of one's own is still on this device only; a failure if something is missing.
async fn told(reports: &[SyncReport], call: &Call) -> Result<(), Failure> {
    let status = call.client.status().await?;
    let here = |space: &&SpaceStatus| space.delivery.unsent > 0 || space.delivery.drafts > 0;
    let here: Vec<&SpaceStatus> = status.spaces.iter().filter(here).collect();
    let mut text = reports::reports(reports, call.look());
    for space in &here {
        text.push_str(&format!(
            "Still on this device only: {} of \"{}\".\n",
            lists::here_only(space.delivery),
            line(&space.title)
        ));
    }
    let only_here: Vec<_> = here
        .iter()
        .map(|space| json!({"space": space.space.to_string(), "drafts": space.delivery.drafts, "unsent": space.delivery.unsent}))
        .collect();
    call.teller.say(&Answer::new(text, json!({"reports": reports, "only_here": only_here}))).await;
    match reports.iter().find(|report| !report.settled) {
        None => Ok(()),
        Some(report) => {
            let mut failure = Failure::from(DeskCode::SyncIncomplete).with("with", &report.peer);
            for code in reports::refused(report) {
                failure = failure.with("refused", code);
            }
            Err(failure)
        }
    }
}

/// Progress of a sync that ends: on a terminal, replaced line by line.
pub(crate) fn progress(teller: &Teller) -> impl FnMut(Progress) + Send + use<> {
    let teller = teller.clone();
    move |progress| {
        teller.progress(described(&progress).0);
    }
}

/// Events of a sync that stays: a line each, or an object each.
fn events(teller: &Teller) -> impl FnMut(Progress) + Send + use<> {
    let teller = teller.clone();
    move |progress| {
        let (text, json) = described(&progress);
        teller.event(&Answer::new(text, json!({"event": json})));
    }
}

fn described(progress: &Progress) -> (String, serde_json::Value) {
    match progress {
        Progress::Listening { address } => {
            (format!("listening at {}", line(address)), json!({"name": "listening", "address": address}))
        }
        Progress::Near { name } => (format!("{} is near", line(name)), json!({"name": "near", "person": name})),
        Progress::Connected { peer } => {
            (format!("connected with {}", line(peer)), json!({"name": "connected", "peer": peer}))
        }
        Progress::Received { space, items } => (
            format!("space {}: {} received", short(space), count(*items, "item", "items")),
            json!({"name": "received", "space": space.to_string(), "items": items}),
        ),
        Progress::Acknowledged { space } => (
            format!("space {}: the other side has what you wrote", short(space)),
            json!({"name": "acknowledged", "space": space.to_string()}),
        ),
        Progress::Settled => ("both have the same".to_owned(), json!({"name": "settled"})),
        Progress::Fork { space } => (
            format!("space {}: a device wrote two histories; its database was copied", short(space)),
            json!({"name": "fork", "space": space.to_string()}),
        ),
        Progress::Lost { space } => (
            format!("space {}: the other side had lost what it had confirmed; it is sent again", short(space)),
            json!({"name": "lost", "space": space.to_string()}),
        ),
        Progress::Refused { space, code } => (
            format!("space {}: refused [{code}]", short(space)),
            json!({"name": "refused", "space": space.to_string(), "code": code}),
        ),
        Progress::Invitation => ("an invitation moved on".to_owned(), json!({"name": "invitation"})),
        Progress::Disconnected { why } => {
            (format!("disconnected: {}", line(why)), json!({"name": "disconnected", "why": why}))
        }
    }
}
