//! How a relay is reached: over QUIC, and over TLS on TCP where UDP does not get through (PROTOCOL section 3, TLS on
//! TCP). QUIC has a head start and wins whenever it answers; TCP is tried beside it, never trusted with less.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use alliance_net::{
    Activity, CloseReason, ConnectError, Connection, ConnectionHandle, ConnectionLost, Dialer, EarlyData,
    TcpConnectError, TcpConnection, TcpDialer,
};
use alliance_store::device::{DeviceOp, RelayRow};
use alliance_wire::{DeviceKey, limits};
use tokio::time::{Instant, sleep, timeout};

use crate::error::{Code, Error};
use crate::inner::{Inner, lock};
use crate::sync::{is_of_the_store, resolve};
use crate::views::Transport;

/// When TCP is tried, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// The port on the relay's host. 443 is what networks that block UDP let through.
    pub port: u16,
    /// How long QUIC is waited for before TCP is tried beside it.
    pub head_start: Duration,
    /// The same where the last contact with the relay was over TCP: long enough that QUIC is first where it works again,
    /// so short that nobody behind a firewall notices.
    pub head_start_blocked: Duration,
    /// How long a relay may say nothing to what it must acknowledge before TCP is tried beside a running conversation.
    pub silence: Duration,
    /// How often a conversation that stays on TCP looks whether QUIC works again.
    pub look_again: Duration,
}

impl Fallback {
    /// What programs use.
    pub const DEFAULT: Self = Self {
        port: 443,
        head_start: Duration::from_millis(1_500),
        head_start_blocked: Duration::from_millis(250),
        silence: Duration::from_millis(6_000),
        look_again: Duration::from_secs(600),
    };
}

/// Whoever dials relays, over both.
#[derive(Clone)]
pub(crate) struct Dialers {
    pub(crate) quic: Dialer,
    pub(crate) tcp: TcpDialer,
}

impl Dialers {
    /// Closes everything that they have open.
    pub(crate) async fn close(&self, reason: CloseReason) {
        tokio::join!(self.quic.close(reason), self.tcp.close(reason));
    }
}

/// A relay that answered.
pub(crate) enum Reached {
    /// Over QUIC. With a ticket it has not answered yet: the first frame is on its way.
    Quic(Connection),
    /// Over TCP, and why.
    Tcp(TcpConnection, Transport),
}

/// The ways to one relay.
pub(crate) struct Ways {
    dialers: Dialers,
    relay: DeviceKey,
    name: String,
    quic: SocketAddr,
    tcp: SocketAddr,
    fallback: Fallback,
    head_start: Duration,
    /// What an attempt over TCP found while QUIC was not answered.
    tcp_failed: Mutex<Option<TcpConnectError>>,
}

impl Ways {
    /// The ways to a relay, by the names and ports of now.
    ///
    /// # Errors
    /// `BAD_ADDRESS`, `UNREACHABLE` if the name is not known, and those of the store.
    pub(crate) async fn to(inner: &Inner, relay: &RelayRow, dialers: Dialers) -> Result<Self, Error> {
        let quic = resolve(&relay.address).await?;
        let tcp = SocketAddr::new(quic.ip(), inner.tcp_port());
        let blocked = inner.transport_of(relay.relay).await?.is_some_and(|last| last != Transport::QUIC);
        let fallback = inner.fallback;
        let head_start = if blocked { fallback.head_start_blocked } else { fallback.head_start };
        let (relay, name, tcp_failed) = (relay.relay, relay.address.clone(), Mutex::default());
        Ok(Self { dialers, relay, name, quic, tcp, fallback, head_start, tcp_failed })
    }

    /// The relay over whichever answers first, QUIC with its head start, and says `first` if it is QUIC. With a ticket
    /// QUIC is taken at once: [`Ways::when_silent`] tells whether it was heard.
    ///
    /// # Errors
    /// `UNREACHABLE` if neither answers; what answers and is not the relay: `WRONG_RELAY_KEY`, `NETWORK_INTERCEPTED`;
    /// what the relay itself says, such as `INCOMPATIBLE`.
    pub(crate) async fn race(&self, first: Option<&[u8]>) -> Result<Reached, Error> {
        let mut quic = pin!(async {
            match first {
                Some(first) => {
                    self.dialers.quic.connect_saying(self.quic, self.relay, Activity::Foreground, first).await
                }
                None => self.dialers.quic.connect(self.quic, self.relay, Activity::Foreground).await,
            }
        });
        let mut quic_failed = match timeout(self.head_start, &mut quic).await {
            Ok(Ok(connection)) => return Ok(Reached::Quic(connection)),
            Ok(Err(error)) if is_no_answer(error) => Some(error),
            Ok(Err(error)) => return Err(self.named(error.into())),
            Err(_) => None,
        };
        let mut tcp = pin!(self.dialers.tcp.connect(self.tcp, self.relay, Activity::Foreground));
        let mut tcp_failed = None;
        loop {
            tokio::select! {
                biased;
                met = &mut quic, if quic_failed.is_none() => match met {
                    Ok(connection) => return Ok(Reached::Quic(connection)),
                    Err(error) if is_no_answer(error) => quic_failed = Some(error),
                    Err(error) => return Err(self.named(error.into())),
                },
                met = &mut tcp, if tcp_failed.is_none() => match met {
                    Ok(line) => return Ok(Reached::Tcp(line, why_not_quic(quic_failed))),
                    Err(error) => tcp_failed = Some(error),
                },
            }
            if let (Some(quic), Some(tcp)) = (quic_failed, tcp_failed) {
                return Err(self.unreached(quic, tcp));
            }
        }
    }

    /// Waits until the relay says nothing any more over QUIC and answers over TCP. While it says nothing over either,
    /// nothing is known of the network but that there is none. In a conversation that `ends` by itself somebody always
    /// has something to say.
    pub(crate) async fn when_silent(&self, handle: &ConnectionHandle, ends: bool) -> Reached {
        if handle.early_data() == EarlyData::Pending
            && let Some(line) = self.when_unanswered(handle).await
        {
            return Reached::Tcp(line, Transport::TCP_UNANSWERED);
        }
        loop {
            self.silence(handle, ends).await;
            if let Some(Ok(line)) = self.tcp_unless(self.heard(handle)).await {
                return Reached::Tcp(line, Transport::TCP_SILENT);
            }
        }
    }

    /// The same for the answer to a first packet that said something already; `None` once it is there.
    async fn when_unanswered(&self, handle: &ConnectionHandle) -> Option<TcpConnection> {
        let mut wait = self.head_start;
        loop {
            if timeout(wait, handle.early_data_settled()).await.is_ok() {
                return None;
            }
            let heard = async {
                handle.early_data_settled().await;
            };
            match self.tcp_unless(heard).await? {
                Ok(line) => return Some(line),
                Err(error) => *lock(&self.tcp_failed) = Some(error),
            }
            wait = self.fallback.silence;
        }
    }

    /// What to say of a conversation over QUIC that failed: one of which nothing was ever heard came to nothing as any
    /// other attempt does, and who answered over TCP meanwhile is told.
    pub(crate) fn failed(&self, handle: &ConnectionHandle, error: Error) -> Error {
        match *lock(&self.tcp_failed) {
            Some(tcp) if handle.pulse().heard == 0 && !is_of_the_store(&error) => {
                self.unreached(ConnectError::Lost(ConnectionLost::TimedOut), tcp)
            }
            Some(_) | None => error,
        }
    }

    /// Waits, looking now and then, until the relay answers over QUIC.
    pub(crate) async fn when_quic_answers(&self) {
        loop {
            sleep(self.fallback.look_again).await;
            let dialed = self.dialers.quic.connect(self.quic, self.relay, Activity::Background).await;
            if let Ok(connection) = dialed {
                let handle = connection.handle();
                // With a ticket it has not answered yet.
                let settled =
                    timeout(Duration::from_millis(limits::HANDSHAKE_MILLIS), handle.early_data_settled()).await;
                let answers = settled.is_ok() && handle.close_reason().is_none();
                handle.close(CloseReason::Done);
                if answers {
                    return;
                }
            }
        }
    }

    /// A line over TCP, if it stands before the relay is `heard` over QUIC.
    async fn tcp_unless(&self, heard: impl Future<Output = ()>) -> Option<Result<TcpConnection, TcpConnectError>> {
        tokio::select! {
            biased;
            () = heard => None,
            met = self.dialers.tcp.connect(self.tcp, self.relay, Activity::Foreground) => Some(met),
        }
    }

    /// Waits until the relay has owed an answer for too long, or has said nothing for twice as long where it `ends`.
    async fn silence(&self, handle: &ConnectionHandle, ends: bool) {
        let (mut last, mut heard_at) = (handle.pulse(), Instant::now());
        let mut answered = last.asked;
        let mut since: Option<Instant> = None;
        loop {
            sleep(self.fallback.silence / 4).await;
            let now = handle.pulse();
            if now.heard != last.heard {
                // Which of both was first between two looks is not known: all of it counts as answered.
                (answered, since, heard_at) = (now.asked, None, Instant::now());
            } else if now.asked > answered {
                since.get_or_insert_with(Instant::now);
            }
            let owes = since.is_some_and(|since| since.elapsed() >= self.fallback.silence);
            if owes || ends && heard_at.elapsed() >= self.fallback.silence * 2 {
                return;
            }
            last = now;
        }
    }

    /// Waits until anything is heard over QUIC.
    async fn heard(&self, handle: &ConnectionHandle) {
        let before = handle.pulse().heard;
        while handle.pulse().heard == before {
            sleep(self.fallback.silence / 16).await;
        }
    }

    fn unreached(&self, quic: ConnectError, tcp: TcpConnectError) -> Error {
        self.named(neither(quic, tcp)).with("tcp", format_args!("port {}, {tcp}", self.tcp.port()))
    }

    fn named(&self, error: Error) -> Error {
        error.with("relay", &self.name)
    }
}

/// Whether the relay was not heard at all, so that another way may reach it. What it says itself, it would say there,
/// too.
const fn is_no_answer(error: ConnectError) -> bool {
    matches!(
        error,
        ConnectError::Address(_)
            | ConnectError::Lost(ConnectionLost::TimedOut | ConnectionLost::Reset | ConnectionLost::PeerMisbehaved)
    )
}

/// Why a contact goes over TCP.
const fn why_not_quic(failed: Option<ConnectError>) -> Transport {
    match failed {
        Some(ConnectError::Address(_)) => Transport::TCP_UNSENDABLE,
        Some(_) | None => Transport::TCP_UNANSWERED,
    }
}

/// What to say when neither way came about: who answered in the relay's place is more than that nobody did.
fn neither(quic: ConnectError, tcp: TcpConnectError) -> Error {
    match tcp {
        TcpConnectError::WrongRelayKey => Error::new(Code::WrongRelayKey),
        TcpConnectError::Intercepted => Error::new(Code::NetworkIntercepted),
        TcpConnectError::Address(_) | TcpConnectError::DialerClosed | TcpConnectError::Lost(_) => quic.into(),
    }
}

/// The setting that says what the last contact with each relay was over: rows of key and one byte.
const TRANSPORTS: &str = "transports";
const ROW_BYTES: usize = DeviceKey::LEN + 1;

impl Inner {
    /// What the last contact with a relay was over; `None` before the first.
    pub(crate) async fn transport_of(&self, relay: DeviceKey) -> Result<Option<Transport>, Error> {
        let rows = self.device.setting(TRANSPORTS).await?.unwrap_or_default();
        let row = rows.chunks_exact(ROW_BYTES).find(|row| row.starts_with(relay.as_bytes()));
        Ok(row.and_then(|row| Transport::from_number(row[DeviceKey::LEN])))
    }

    /// What to write so that [`Inner::transport_of`] says this; nothing where it says so already.
    pub(crate) async fn note_transport(
        &self,
        relay: DeviceKey,
        transport: Transport,
    ) -> Result<Option<DeviceOp>, Error> {
        if self.transport_of(relay).await? == Some(transport) {
            return Ok(None);
        }
        let known: Vec<DeviceKey> = self.device.relays().await?.into_iter().map(|row| row.relay).collect();
        let rows = self.device.setting(TRANSPORTS).await?.unwrap_or_default();
        let others = rows.chunks_exact(ROW_BYTES).filter(|row| {
            !row.starts_with(relay.as_bytes()) && known.iter().any(|known| row.starts_with(known.as_bytes()))
        });
        let mut value = others.collect::<Vec<_>>().concat();
        value.extend_from_slice(relay.as_bytes());
        value.push(transport.number());
        Ok(Some(DeviceOp::PutSetting { name: TRANSPORTS, value: Some(value) }))
    }
}
