//! What somebody reads who listens to multicast DNS (RFC 1035, RFC 6762), and what somebody says who does not care.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

/// Where multicast DNS is spoken.
pub const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), 5353);

/// A record of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its type, a number of RFC 1035 and others.
    pub kind: u16,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// PTR: an instance of a service.
    Instance(String),
    /// SRV: port and host of an instance.
    Place(u16, String),
    /// TXT: texts of an instance.
    Texts(Vec<String>),
    /// Anything else.
    Bytes(Vec<u8>),
}

/// The questions' names and the records of a packet; `None` if it is none.
#[must_use]
pub fn parse(packet: &[u8]) -> Option<(Vec<String>, Vec<Record>)> {
    let count = |at: usize| Some(usize::from(u16::from_be_bytes(*packet.get(at..)?.first_chunk()?)));
    let (questions, records) = (count(4)?, count(6)? + count(8)? + count(10)?);
    let (mut at, mut asked, mut said) = (12, Vec::new(), Vec::new());
    for _ in 0..questions {
        asked.push(name(packet, &mut at)?);
        at += 4;
    }
    for _ in 0..records {
        let owner = name(packet, &mut at)?;
        let kind = u16::try_from(count(at)?).ok()?;
        let len = count(at + 8)?;
        at += 10;
        let (begin, bytes) = (at, packet.get(at..at + len)?);
        at += len;
        let data = match kind {
            12 => Data::Instance(name(packet, &mut begin.clone())?),
            33 => Data::Place(u16::try_from(count(begin + 4)?).ok()?, name(packet, &mut (begin + 6))?),
            16 => Data::Texts(texts(bytes)?),
            _ => Data::Bytes(bytes.to_vec()),
        };
        said.push(Record { name: owner, kind, data });
    }
    Some((asked, said))
}

fn name(packet: &[u8], at: &mut usize) -> Option<String> {
    let (mut labels, mut here, mut jumped) = (Vec::new(), *at, false);
    while labels.len() < 128 {
        let len = usize::from(*packet.get(here)?);
        if len >= 0xc0 {
            let to = (len & 0x3f) << 8 | usize::from(*packet.get(here + 1)?);
            if !jumped {
                *at = here + 2;
            }
            (jumped, here) = (true, to);
            labels.push(String::new());
            continue;
        }
        here += 1;
        if len == 0 {
            if !jumped {
                *at = here;
            }
            return Some(labels.into_iter().filter(|label| !label.is_empty()).collect::<Vec<_>>().join("."));
        }
        labels.push(String::from_utf8_lossy(packet.get(here..here + len)?).into_owned());
        here += len;
    }
    None
}

fn texts(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut found = Vec::new();
    while let Some((len, rest)) = bytes.split_first() {
        let (text, rest) = rest.split_at_checked(usize::from(*len))?;
        if !text.is_empty() {
            found.push(String::from_utf8_lossy(text).into_owned());
        }
        bytes = rest;
    }
    Some(found)
}

/// A packet that announces an instance of a service at a host's port.
#[must_use]
pub fn announcement(
    service: &str,
    instance: &str,
    host: &str,
    address: Ipv4Addr,
    port: u16,
    texts: &[&str],
) -> Vec<u8> {
    let full = [vec![instance.to_owned()], service.split('.').map(str::to_owned).collect()].concat();
    let host: Vec<String> = host.split('.').map(str::to_owned).collect();
    let service: Vec<String> = service.split('.').map(str::to_owned).collect();
    let mut packet = vec![0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let mut record = |owner: &[String], kind: u16, data: Vec<u8>| {
        packet.extend(encoded(owner));
        packet.extend(kind.to_be_bytes());
        packet.extend([0, 1, 0, 0, 0, 120]);
        packet.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
        packet.extend(data);
    };
    record(&service, 12, encoded(&full));
    record(&full, 33, [vec![0, 0, 0, 0], port.to_be_bytes().to_vec(), encoded(&host)].concat());
    let text = |text: &&str| [vec![u8::try_from(text.len()).unwrap_or(u8::MAX)], text.as_bytes().to_vec()].concat();
    record(&full, 16, if texts.is_empty() { vec![0] } else { texts.iter().flat_map(text).collect() });
    record(&host, 1, address.octets().to_vec());
    packet
}

fn encoded(labels: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    for label in labels.iter().filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

/// Somebody who only listens.
#[derive(Debug)]
pub struct Eavesdropper(UdpSocket);

impl Eavesdropper {
    /// Listens on the interface that has this address.
    ///
    /// # Panics
    /// If the system does not let it.
    #[must_use]
    pub fn new(interface: Ipv4Addr) -> Self {
        let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)
            .expect("a socket");
        rustix::net::sockopt::set_socket_reuseaddr(&socket, true).expect("a port that others use");
        rustix::net::sockopt::set_socket_reuseport(&socket, true).expect("a port that others use");
        let any = SocketAddr::from(([0, 0, 0, 0], GROUP.port()));
        rustix::net::bind(&socket, &any).expect("the port of multicast DNS");
        let socket = UdpSocket::from(socket);
        socket.join_multicast_v4(GROUP.ip(), &interface).expect("the group");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        Self(socket)
    }

    /// The next packet, if one comes within a tenth of a second.
    #[must_use]
    pub fn next(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 9_000];
        let (len, _) = self.0.recv_from(&mut bytes).ok()?;
        bytes.truncate(len);
        Some(bytes)
    }
}
