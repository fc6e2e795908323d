//! A phone that does its worst to others on its network (tests/tests/near/rooms.rs): it announces what is not there,
//! answers with garbage, lets diallers wait for ever, and dials and floods whoever it sees.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use alliance_crypto::Discovery;
use alliance_net::{Activity, DeviceIdentity, Dialer, DirectListener, Settings};
use alliance_tests::multicast::{Data, Eavesdropper, GROUP, announcement, parse};
use alliance_tests::random::Random;

const SERVICE: &str = "_d1._udp.local";
/// Connections that hang at one victim.
const HANGING: u8 = 64;
/// Datagrams for each victim and round.
const NOISE: usize = 200;

#[tokio::main]
async fn main() {
    let own: Ipv4Addr = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("an address");
    let mut random = Random::new(7);
    // One that answers everything with garbage, and one that lets diallers wait.
    let garbage = UdpSocket::bind((own, 0)).unwrap();
    let garbage_port = garbage.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut bytes = [0; 2_000];
        while let Ok((len, from)) = garbage.recv_from(&mut bytes) {
            bytes[..len].reverse();
            let _ = garbage.send_to(&bytes[..len], from);
        }
    });
    let any = DeviceIdentity::from_seed(&random.bytes32());
    let silent = DirectListener::bind(SocketAddr::from((own, 0)), any.clone(), Settings::default()).unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut waiting = Vec::new();
        while let Some(incoming) = silent.accept().await {
            waiting.push(incoming);
        }
    });
    let voice = UdpSocket::bind((own, 0)).unwrap();
    voice.join_multicast_v4(GROUP.ip(), &own).unwrap();
    let dialer = Dialer::bind(any, Settings::default()).unwrap();
    let (seen, mut victims) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || listen(own, &seen));
    println!("begun");
    for round in 0_u64.. {
        for (number, port) in [(0, garbage_port), (1, silent_port)].into_iter().chain((2..80).map(|n| (n, 1_000 + n))) {
            let name = format!("{:032x}", u128::from(number) + (u128::from(round % 5) << 64) + (1 << 100));
            let packet = announcement(SERVICE, &name, &format!("{name}.local"), own, port, &[]);
            // A network that is full takes none; the next round comes.
            let _ = voice.send_to(&packet, GROUP);
        }
        while let Ok(victim) = victims.try_recv() {
            attack(&dialer, &voice, victim, &mut random);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Hears where others listen.
fn listen(own: Ipv4Addr, seen: &tokio::sync::mpsc::UnboundedSender<SocketAddr>) {
    let ear = Eavesdropper::new(own);
    loop {
        let Some((_, records)) = ear.next().and_then(|packet| parse(&packet)) else { continue };
        let port = records.iter().find_map(|it| if let Data::Place(port, _) = &it.data { Some(*port) } else { None });
        let address = records.iter().filter(|it| it.kind == 1).find_map(|it| {
            let Data::Bytes(bytes) = &it.data else { return None };
            bytes.first_chunk::<4>().map(|ip| Ipv4Addr::from(*ip))
        });
        if let (Some(port), Some(address)) = (port, address.filter(|address| *address != own)) {
            let _ = seen.send(SocketAddr::from((address, port)));
        }
    }
}

fn attack(dialer: &Dialer, voice: &UdpSocket, victim: SocketAddr, random: &mut Random) {
    for number in 0..HANGING {
        let dialer = dialer.clone();
        tokio::spawn(async move {
            // It knows no space: tags that match nothing.
            let _ = dialer.seek(victim, &Discovery::new(), [number; 32], Activity::Background).await;
        });
    }
    for _ in 0..NOISE {
        let bytes: Vec<u8> = (0..40).flat_map(|_| random.bytes32()).collect();
        let _ = voice.send_to(&bytes, victim);
    }
}
