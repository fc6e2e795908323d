//! The command line in a network that lets no UDP through.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};

use serde_json::json;

use crate::support::people::{Person, Relay};

#[test]
fn udp_is_blocked_and_the_program_says_what_it_did() {
    let data = tempfile::tempdir().unwrap();
    // What is sent there stays there, as behind a firewall that says nothing.
    let wall = UdpSocket::bind("127.0.0.1:0").unwrap();
    let public = wall.local_addr().unwrap().to_string();
    let options = ["--open", "--listen-tcp", "127.0.0.1:0", "--public", &public];
    let relay = Relay::start(data.path(), "127.0.0.1:0", &options);
    let port = relay.tcp.expect("it listens over TCP").port().to_string();
    let amina = Person::new("Amina");
    amina.json(&["relay", "add", &relay.connect]);
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);

    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let door = portal.local_addr().unwrap().port().to_string();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = portal.accept().unwrap();
        let _ = stream.read(&mut [0; 2_000]).unwrap();
        stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n").unwrap();
    });
    let params = amina.fails(&["sync", "--tcp-port", &door], "NETWORK_INTERCEPTED", 6);
    assert_eq!(params["relay"], public.as_str());
    answering.join().unwrap();
    assert_eq!(amina.json(&["relay", "list"])["relays"][0]["transport"], json!(null), "nobody was met");

    let report = amina.json(&["sync", "--tcp-port", &port])["reports"][0].clone();
    let transport = json!({"over": "tcp", "why": "UDP_UNANSWERED"});
    assert_eq!((&report["settled"], &report["transport"]), (&json!(true), &transport), "{report}");
    assert_eq!(amina.json(&["status"])["status"]["relays"][0]["transport"], transport);
    let told = amina.text(&["status"]);
    assert!(told.contains("TCP") && told.contains("over UDP"), "{told}");
    assert!(amina.text(&["sync", "--tcp-port", &port]).contains("Over TCP"), "a person is told");
    amina.fails(&["sync", "--tcp-port", "0"], "USAGE", 2);
    relay.stop();
}
