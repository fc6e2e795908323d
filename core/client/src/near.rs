//! Meeting the devices that are near, without a relay and without anybody's key: found by multicast, or at an address
//! that a person typed (PROTOCOL section 3, LAN).
//!
//! One task owns what is known of the network ([`table::Table`]). Every meeting is a task of its own, in which nothing
//! but one connection is at stake: a peer that lies, hangs or floods ends its own meeting and no other.

mod meeting;
mod radio;
pub(crate) mod secrets;
mod table;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alliance_net::{DirectIncoming, DirectListener, Settings};
use alliance_store::Replica as _;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::{Code, Error};
use crate::inner::Client;
use crate::sync::resolve;
use crate::views::{Progress, SyncReport};
use meeting::{Busy, Ended, Place, Task};
use radio::{Radio, Sighting};
use table::Table;

/// Devices that are dialled, or talked with behind that, at a time; who does not answer soon is not counted.
const DIALS_MAX: usize = 4;
/// Devices that are served at a time; as many as a room has, and then some.
const SERVED_MAX: usize = 64;
/// Handshakes under way from one address: a neighbour that floods leaves room for the others.
const HANDSHAKES_OF_ADDRESS_MAX: usize = 8;
/// How long who is served may take to end: what is on its way arrives.
const ENDING: Duration = Duration::from_secs(3);
/// How often the loop looks at what is due.
const LOOK: Duration = Duration::from_millis(200);

/// How devices near are looked for.
#[derive(Debug, Clone)]
pub struct Nearby {
    /// Announce this device and look for others by multicast.
    pub discover: bool,
    /// Interfaces on which that is done, by name; none for all.
    pub interfaces: Vec<String>,
    /// An address, `host:port`, at which this device can be dialled by hand; it is not announced. Otherwise it listens at
    /// a port of the system's choice, which changes with its name.
    pub listen: Option<String>,
    /// Addresses, `host:port`, that a person typed or scanned.
    pub addresses: Vec<String>,
    /// It is over when so long nothing new was heard of anybody.
    pub wait: Duration,
    /// How often name, port and TLS key of this device become others.
    pub rotate: Duration,
}

impl Default for Nearby {
    fn default() -> Self {
        Self {
            discover: true,
            interfaces: Vec::new(),
            listen: None,
            addresses: Vec::new(),
            wait: Duration::from_secs(10),
            rotate: Duration::from_secs(15 * 60),
        }
    }
}

/// Whom a device met.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct NearReport {
    /// Each exchange with somebody who shares a space.
    #[serde(skip)]
    pub reports: Vec<SyncReport>,
    /// Who was met, each device once.
    pub people: Vec<NearPerson>,
    /// Devices that share nothing with this one. They have shown no key, and this device has shown them none.
    pub strangers: usize,
    /// Addresses at which nobody answered, or not in a way that is to be understood.
    pub silent: usize,
}

/// Somebody near.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NearPerson {
    /// What the spaces that both are in call the person.
    pub name: String,
    /// The device.
    pub device: String,
}

/// What is done with whom is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Exchange,
    Look,
}

impl Client {
    /// Finds devices near and exchanges with all that share a space, several at once, until nothing new was heard of for
    /// a while or `stop` says true. What one of them brings is passed on to the others. No peer's fault is an error.
    ///
    /// # Errors
    /// `NO_MULTICAST` and `BAD_ADDRESS`, if nothing could begin, and those of the store.
    pub async fn sync_near(
        &self,
        near: Nearby,
        stop: watch::Receiver<bool>,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<NearReport, Error> {
        self.seal_all().await?;
        let report = Near::begin(self, near, Purpose::Exchange).await?.run(stop, progress).await?;
        self.seal_all().await?;
        Ok(report)
    }

    /// Says who is near: people with whom a space is shared, and how many other devices. Nothing is exchanged.
    ///
    /// # Errors
    /// As [`Client::sync_near`].
    pub async fn look_near(
        &self,
        near: Nearby,
        stop: watch::Receiver<bool>,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<NearReport, Error> {
        Near::begin(self, near, Purpose::Look).await?.run(stop, progress).await
    }
}

/// Somebody who dials, with a place.
type Comer = (DirectIncoming, Place);

/// One search for devices.
struct Near {
    client: Client,
    near: Nearby,
    purpose: Purpose,
    table: Table,
    busy: Arc<Busy>,
    radio: Option<(Radio, mpsc::Receiver<Sighting>)>,
    /// The port in use and the task that hears who dials.
    listening: Option<(DirectListening, SocketAddr)>,
    incoming: (mpsc::Sender<Comer>, mpsc::Receiver<Comer>),
    meetings: JoinSet<Ended>,
    rotated: Instant,
    report: NearReport,
    news: Instant,
}

/// A listener whose diallers go into one channel, until it is dropped; what it has begun goes on.
struct DirectListening {
    listener: Arc<DirectListener>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for DirectListening {
    fn drop(&mut self) {
        self.task.abort();
        self.listener.stop_accepting();
    }
}

impl Near {
    async fn begin(client: &Client, near: Nearby, purpose: Purpose) -> Result<Self, Error> {
        let radio = if near.discover { Some(Radio::new(&near.interfaces)?) } else { None };
        let mut table = Table::default();
        for typed in &near.addresses {
            let address = resolve(typed).await?;
            if !radio::may_dial(&address) {
                return Err(Error::new(Code::BadAddress).with("address", typed));
            }
            table.typed(typed, address);
        }
        let now = Instant::now();
        let mut this = Self {
            client: client.clone(),
            purpose,
            table,
            busy: Arc::default(),
            radio,
            listening: None,
            incoming: mpsc::channel(SERVED_MAX),
            meetings: JoinSet::new(),
            rotated: now,
            report: NearReport::default(),
            news: now,
            near,
        };
        if this.near.discover || this.near.listen.is_some() {
            this.turn().await?;
        }
        Ok(this)
    }

    /// Listens under another port and TLS key and shows another name. What the last one has begun goes on.
    async fn turn(&mut self) -> Result<(), Error> {
        self.rotated = Instant::now();
        let fixed = self.near.listen.is_some();
        if fixed && self.listening.is_some() {
            return Ok(());
        }
        let listener = match &self.near.listen {
            Some(address) => listen(&self.client, resolve(address).await?)?,
            // Without IPv6 on this machine, IPv4 alone.
            None => listen(&self.client, SocketAddr::from(([0_u16; 8], 0)))
                .or_else(|_| listen(&self.client, SocketAddr::from(([0_u8; 4], 0))))?,
        };
        let address = listener.local_addr().map_err(|error| Error::new(Code::BadAddress).with("why", error))?;
        let listener = Arc::new(listener);
        let task = tokio::spawn(hear(Arc::clone(&listener), Arc::clone(&self.busy), self.incoming.0.clone()));
        self.listening = Some((DirectListening { listener, task }, address));
        if let Some((radio, _)) = self.radio.as_mut().filter(|_| !fixed) {
            let name = radio.show(address.port(), self.client.inner.around.bytes()?)?;
            self.table.shown(name);
        }
        Ok(())
    }

    async fn run(
        mut self,
        mut stop: watch::Receiver<bool>,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<NearReport, Error> {
        let (tell, mut told) = mpsc::unbounded_channel::<Progress>();
        let (end, ended) = watch::channel(false);
        if let Some((_, address)) = self.listening.as_ref().filter(|_| self.near.listen.is_some()) {
            progress(Progress::Listening { address: address.to_string() });
        }
        let mut changes = self.client.inner.spaces.changes();
        let mut look = tokio::time::interval(LOOK);
        loop {
            if self.is_over() {
                break;
            }
            let over = self.news + self.near.wait;
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(event) = told.recv() => {
                    if is_news(&event) {
                        self.news = Instant::now();
                    }
                    progress(event);
                }
                Some(ended) = self.meetings.join_next() => self.on_ended(ended, &mut progress)?,
                () = tokio::time::sleep_until(over) => break,
                // What is seldom comes first: a flood of the others must not keep it waiting.
                _ = look.tick() => self.look(&tell).await?,
                changed = changes.recv() => self.table.changed(changed.ok()),
                Some(sighting) = sighting(&mut self.radio) => self.on_sighting(sighting),
                Some(comer) = self.incoming.1.recv() => self.serve(comer, &tell, &ended),
            }
        }
        drop(self.radio.take());
        drop(self.listening.take());
        // Who is served hears the end; who was dialled and has nothing more to say is left.
        let _ = end.send(true);
        drop(tell);
        let until = Instant::now() + ENDING;
        while self.busy.serving() > 0
            && let Ok(Some(ended)) = tokio::time::timeout_at(until, self.meetings.join_next()).await
        {
            self.on_ended(ended, &mut progress)?;
        }
        self.meetings.shutdown().await;
        while let Ok(event) = told.try_recv() {
            progress(event);
        }
        (self.report.strangers, self.report.silent) = self.table.others();
        self.name_again().await?;
        Ok(self.report)
    }

    /// Names may have come behind those whose they are.
    async fn name_again(&mut self) -> Result<(), Error> {
        let inner = &self.client.inner;
        for person in &mut self.report.people {
            let Ok(device) = person.device.parse() else { continue };
            let spaces = inner.device.replica().member_spaces(device).await?;
            person.name = inner.person_near(device, &spaces).await?;
        }
        Ok(())
    }

    /// Everybody who was named was met, and nobody else can come.
    fn is_over(&self) -> bool {
        self.radio.is_none() && self.listening.is_none() && self.meetings.is_empty() && self.table.all_met()
    }

    fn on_sighting(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Seen { instance, mut addresses } => {
                addresses.retain(radio::may_dial);
                self.table.seen(instance, addresses, Instant::now());
            }
            Sighting::Gone { instance } => self.table.gone(&instance),
        }
    }

    /// Dials who is due, turns to another name when it is time.
    async fn look(&mut self, tell: &mpsc::UnboundedSender<Progress>) -> Result<(), Error> {
        if self.radio.is_some() && self.rotated.elapsed() >= self.near.rotate {
            self.turn().await?;
        }
        if self.purpose == Purpose::Exchange && self.meetings.is_empty() && self.table.take_changed() {
            for (device, root) in self.table.met() {
                if self.client.inner.root_with(device).await? != root {
                    self.table.again(device);
                }
            }
            self.table.strangers_again();
        }
        while self.busy.dialling() < DIALS_MAX {
            let Some((name, addresses)) = self.table.next(Instant::now()) else { break };
            let task = Task::new(&self.client, &self.busy, self.purpose, tell);
            self.meetings.spawn(task.dial(name, addresses));
        }
        Ok(())
    }

    fn serve(
        &mut self,
        (incoming, place): Comer,
        tell: &mpsc::UnboundedSender<Progress>,
        ended: &watch::Receiver<bool>,
    ) {
        let task = Task::new(&self.client, &self.busy, self.purpose, tell);
        self.meetings.spawn(task.serve(incoming, place, ended.clone()));
    }

    fn on_ended(
        &mut self,
        ended: Result<Ended, tokio::task::JoinError>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), Error> {
        // A task that panicked is one bad meeting: its connection is gone, and so is what it knew.
        let Ok(ended) = ended else { return Ok(()) };
        if let Some(error) = ended.fatal() {
            return Err(error);
        }
        if let Some((person, report)) = self.table.ended(ended, progress, Instant::now()) {
            let known = |person: &NearPerson| self.report.people.iter().any(|known| known.device == person.device);
            if let Some(person) = person.filter(|person| !known(person)) {
                self.news = Instant::now();
                progress(Progress::Near { name: person.name.clone() });
                self.report.people.push(person);
            }
            self.report.reports.extend(report);
        }
        Ok(())
    }
}

fn listen(client: &Client, address: SocketAddr) -> Result<DirectListener, Error> {
    DirectListener::bind(address, client.inner.identity(), Settings::default())
        .map_err(|error| Error::new(Code::BadAddress).with("address", address).with("why", error))
}

/// Gives who dials a place. Whoever finds none is turned away here, before it stands in anybody's way, and comes again.
async fn hear(listener: Arc<DirectListener>, busy: Arc<Busy>, tell: mpsc::Sender<Comer>) {
    while let Some(incoming) = listener.accept().await {
        let from = incoming.remote_address().ip();
        let Some(place) = busy.place(from, SERVED_MAX, HANDSHAKES_OF_ADDRESS_MAX) else {
            incoming.refuse();
            continue;
        };
        if let Err(mpsc::error::TrySendError::Full((incoming, _))) = tell.try_send((incoming, place)) {
            incoming.refuse();
        }
    }
}

async fn sighting(radio: &mut Option<(Radio, mpsc::Receiver<Sighting>)>) -> Option<Sighting> {
    match radio {
        Some((_, sightings)) => sightings.recv().await,
        None => None,
    }
}

/// Somebody says stop, or nobody could any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Whether an event is a reason to go on.
const fn is_news(event: &Progress) -> bool {
    matches!(event, Progress::Received { .. } | Progress::Acknowledged { .. } | Progress::Invitation)
}
