//! Times and windows of a connection.

use std::sync::Arc;
use std::time::Duration;

use alliance_wire::limits;
use quinn::{IdleTimeout, TransportConfig, VarInt};

/// Bytes of frames that a dialer sends before the relay has answered, and keeps so as to send them again if the relay
/// could not take them. Two congestion windows at the start of a connection are less than this.
pub const EARLY_BYTES_MAX: usize = 32 * 1_024;
/// Bytes of a first frame that share the first datagram of a resumed connection with the ClientHello, as much kept free
/// for what a later rustls may add there. A Hello of 32 spaces, the most that name their cursors, stays below it.
pub const FIRST_FRAME_BYTES: usize = 400;
/// Bytes that a listener takes in on one connection before they are read: a relay has thousands of connections.
const LISTENER_WINDOW_BYTES: u32 = 64 * 1_024;
/// Bytes that a dialer takes in before they are read: at 300 ms it allows 850 kB a second, and a device has few
/// connections.
const DIALER_WINDOW_BYTES: u32 = 256 * 1_024;
/// Bytes sent and not yet acknowledged, per connection.
const SEND_WINDOW_BYTES: u64 = 256 * 1_024;
/// One stream carries a connection's frames. 0-RTT data that was not taken leaves no stream behind at the listener.
const LISTENER_STREAMS: u32 = 1;

/// How long things may take, and how large a frame may be. The defaults are docs/PROTOCOL.md section 6; tests lower
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// From the first packet until both sides are known.
    pub handshake: Duration,
    /// How long a frame that began may stand still, in either direction.
    pub progress: Duration,
    /// Silence after which a connection is over. The smaller of both sides' values holds.
    pub idle: Duration,
    /// Bytes of a frame, its length prefix not counted; never above `limits::FRAME_BYTES_MAX`.
    pub frame_bytes_max: usize,
    /// Whether a dialer with a ticket speaks before the relay has answered. Without it every contact takes a round trip
    /// more; tests turn it off to see that.
    pub early_data: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            handshake: Duration::from_millis(limits::HANDSHAKE_MILLIS),
            progress: Duration::from_millis(limits::PROGRESS_MILLIS),
            idle: Duration::from_millis(limits::IDLE_MILLIS),
            frame_bytes_max: limits::FRAME_BYTES_MAX,
            early_data: true,
        }
    }
}

/// Whether a person is looking: keep-alive packets cost battery, so they are sent in the foreground only. It is chosen
/// when a connection begins and holds for its life; an app that comes to the foreground connects anew (by 0-RTT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// A packet every `limits::KEEP_ALIVE_MILLIS` keeps the connection and the path through address translation open.
    Foreground,
    /// Silence; the connection may end by idling.
    Background,
}

pub(crate) fn dialer_transport(settings: &Settings, activity: Activity) -> Arc<TransportConfig> {
    let mut transport = base(settings, DIALER_WINDOW_BYTES);
    transport.max_concurrent_bidi_streams(VarInt::from_u32(0));
    transport.keep_alive_interval(match activity {
        Activity::Foreground => Some(Duration::from_millis(limits::KEEP_ALIVE_MILLIS)),
        Activity::Background => None,
    });
    Arc::new(transport)
}

pub(crate) fn listener_transport(settings: &Settings) -> Arc<TransportConfig> {
    let mut transport = base(settings, LISTENER_WINDOW_BYTES);
    transport.max_concurrent_bidi_streams(VarInt::from_u32(LISTENER_STREAMS));
    Arc::new(transport)
}

/// What both sides share. Congestion control stays quinn's default, CUBIC: BBR was three to seven times faster under
/// random loss, but sent twice the payload on a slow link, and those links are metered.
fn base(settings: &Settings, window: u32) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(IdleTimeout::try_from(settings.idle).unwrap_or(IdleTimeout::from(VarInt::MAX))))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(window))
        .receive_window(VarInt::from_u32(window))
        .send_window(SEND_WINDOW_BYTES)
        .datagram_receive_buffer_size(None)
        // Probes of larger packets cost every short connection more than they give, and 10 kB of memory each.
        .mtu_discovery_config(None)
        // The spin bit shows the round-trip time to whoever watches.
        .allow_spin(false);
    transport
}
