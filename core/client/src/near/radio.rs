//! Being found and finding by multicast DNS (RFC 6762, RFC 6763): the one user of `mdns-sd`.
//!
//! What is announced is an address, a port, and two random names that are others each time. The service type is as short
//! as the protocol's name on the wire, and no text goes with it.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use mdns_sd::{IfKind, ScopedIp, ServiceDaemon, ServiceEvent, ServiceInfo};
use tokio::sync::mpsc;

use crate::error::{Code, Error};

/// The service type. `d/1` is the application protocol of direct connections, which is as open on the network.
pub(super) const SERVICE: &str = "_d1._udp.local.";
/// Sightings that wait to be looked at; more are lost and come again with the next query.
const WAITING_MAX: usize = 256;
/// Addresses of one device that are tried.
const ADDRESSES_MAX: usize = 8;
/// Length of a name that is a random instance's.
const NAME_BYTES_MAX: usize = 63;

/// What was seen on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sighting {
    /// Somebody announces itself.
    Seen {
        /// The name under which it does, for now.
        instance: String,
        /// Where it listens.
        addresses: Vec<SocketAddr>,
    },
    /// It does no longer.
    Gone {
        /// The name.
        instance: String,
    },
}

/// Announces this device and looks for others, in a thread of its own.
pub(super) struct Radio {
    daemon: ServiceDaemon,
    shown: Option<String>,
}

impl Radio {
    /// Looks for others on these interfaces, or on all. Announces nothing yet.
    pub(super) fn new(interfaces: &[String]) -> Result<(Self, mpsc::Receiver<Sighting>), Error> {
        let daemon = ServiceDaemon::new().map_err(failed)?;
        if !interfaces.is_empty() {
            daemon.disable_interface(IfKind::All).map_err(failed)?;
            let chosen: Vec<IfKind> = interfaces.iter().map(|name| IfKind::Name(name.clone())).collect();
            daemon.enable_interface(chosen).map_err(failed)?;
        }
        let events = daemon.browse(SERVICE).map_err(failed)?;
        let (tell, told) = mpsc::channel(WAITING_MAX);
        std::thread::Builder::new()
            .name("near".into())
            .spawn(move || {
                // Ends with the daemon, which owns the other end.
                while let Ok(event) = events.recv() {
                    if let Some(sighting) = sighting(event)
                        && let Err(mpsc::error::TrySendError::Closed(_)) = tell.try_send(sighting)
                    {
                        return;
                    }
                }
            })
            .map_err(failed)?;
        Ok((Self { daemon, shown: None }, told))
    }

    /// Announces this device under other names than before. `random` is used for nothing else.
    pub(super) fn show(&mut self, port: u16, random: [u8; 32]) -> Result<String, Error> {
        self.hide();
        let (instance, host) = random.split_at(16);
        let (instance, host) = (hex(instance), format!("{}.local.", hex(host)));
        let service = ServiceInfo::new(SERVICE, &instance, &host, "", port, &[] as &[(&str, &str)]).map_err(failed)?;
        let service = service.enable_addr_auto();
        self.shown = Some(service.get_fullname().to_owned());
        self.daemon.register(service).map_err(failed)?;
        Ok(instance)
    }

    /// Says goodbye, if this device is announced.
    pub(super) fn hide(&mut self) {
        if let Some(shown) = self.shown.take() {
            // If it does not get through, the record ends by its time to live.
            let _ = self.daemon.unregister(&shown);
        }
    }
}

impl Drop for Radio {
    fn drop(&mut self) {
        self.hide();
        // Its thread may be gone already.
        let _ = self.daemon.shutdown();
    }
}

fn sighting(event: ServiceEvent) -> Option<Sighting> {
    if let ServiceEvent::ServiceResolved(found) = event {
        let instance = instance_of(&found.fullname)?;
        let mut addresses: Vec<SocketAddr> = found.addresses.iter().map(|ip| address(ip, found.port)).collect();
        addresses.sort_unstable();
        addresses.truncate(ADDRESSES_MAX);
        (!addresses.is_empty() && found.port != 0).then_some(Sighting::Seen { instance, addresses })
    } else if let ServiceEvent::ServiceRemoved(_, fullname) = event {
        Some(Sighting::Gone { instance: instance_of(&fullname)? })
    } else {
        None
    }
}

fn instance_of(fullname: &str) -> Option<String> {
    let instance = fullname.strip_suffix(SERVICE)?.strip_suffix('.')?;
    (instance.len() <= NAME_BYTES_MAX).then(|| instance.to_owned())
}

fn address(ip: &ScopedIp, port: u16) -> SocketAddr {
    // A link-local address means nothing without the interface that it was seen on.
    if let ScopedIp::V6(v6) = ip
        && v6.addr().is_unicast_link_local()
    {
        return SocketAddrV6::new(*v6.addr(), port, 0, v6.scope_id().index).into();
    }
    SocketAddr::new(ip.to_ip_addr(), port)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(error: impl core::fmt::Display) -> Error {
    Error::new(Code::NoMulticast).with("why", error)
}

/// Whether an address is worth dialling at all.
pub(super) fn may_dial(address: &SocketAddr) -> bool {
    let ip: IpAddr = address.ip();
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast()
}
