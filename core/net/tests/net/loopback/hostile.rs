//! A dialer that keeps to no rule, built on quinn alone. It is also a second implementation of the device proof.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alliance_net::{ConnectionLost, DeviceIdentity, DirectAcceptError, DirectListener, Settings};
use alliance_wire::hash::{Domain, hash};
use quinn::crypto::rustls::QuicClientConfig;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::support::{device, loopback, watched};

#[derive(Debug)]
struct AnyKey;

impl ServerCertVerifier for AnyKey {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        unreachable!("QUIC is TLS 1.3")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// A connection to a direct listener after TLS, before any proof.
pub(super) async fn connect(endpoint: &quinn::Endpoint, address: SocketAddr) -> quinn::Connection {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyKey))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"d/1".to_vec()];
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    endpoint.connect_with(config, address, "any.invalid").unwrap().await.unwrap()
}

fn signed(connection: &quinn::Connection, role: u8, keys: &[&[u8]]) -> [u8; 32] {
    let mut exporter = [0; 32];
    connection.export_keying_material(&mut exporter, b"alliance v1 device proof", &[role]).unwrap();
    hash(Domain::DeviceProof, &[&[1], &[role], &exporter, &keys.concat()])
}

pub(super) fn proof(connection: &quinn::Connection, number: u8) -> Vec<u8> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap();
    let key = device(number).key().0;
    let signature = pair.sign(&signed(connection, 1, &[&key]));
    [&[1, 1], key.as_slice(), signature.as_ref()].concat()
}

fn listener(identity: DeviceIdentity) -> (DirectListener, quinn::Endpoint) {
    let listener = DirectListener::bind(loopback(), identity, Settings::default()).unwrap();
    (listener, quinn::Endpoint::client(loopback()).unwrap())
}

#[tokio::test]
async fn a_refused_dialer_reads_no_byte_and_an_admitted_one_a_proof() {
    watched(async {
        let (listener, endpoint) = listener(device(1));
        for admit in [false, true] {
            let far = async {
                let proven = listener.accept().await.unwrap().prove_dialer().await.unwrap();
                assert_eq!(proven.key(), device(2).key());
                if admit {
                    return Some(proven.admit().await.unwrap());
                }
                proven.refuse();
                None
            };
            let near = async {
                let connection = connect(&endpoint, listener.local_addr().unwrap()).await;
                let (mut send, mut recv) = connection.open_bi().await.unwrap();
                send.write_all(&proof(&connection, 2)).await.unwrap();
                let mut answer = Vec::new();
                while answer.len() < 98 {
                    let Ok(Some(chunk)) = recv.read_chunk(98, true).await else { break };
                    answer.extend_from_slice(&chunk.bytes);
                }
                (connection, answer)
            };
            let (_far, (connection, answer)) = tokio::join!(far, near);
            // What TLS showed is a key, but nobody's.
            let shown = connection.peer_identity().unwrap().downcast::<Vec<CertificateDer<'static>>>().unwrap();
            assert_ne!(&shown[0][12..], device(1).key().as_bytes());
            if !admit {
                assert!(answer.is_empty(), "{answer:?}");
                continue;
            }
            let (key, other) = (device(1).key(), device(2).key());
            assert_eq!((answer.len(), &answer[..2], &answer[2..34]), (98, [1, 2].as_slice(), key.0.as_slice()));
            let message = signed(&connection, 2, &[&key.0, &other.0]);
            UnparsedPublicKey::new(&ED25519, &key.0).verify(&message, &answer[34..]).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_proof_that_is_not_of_this_connection_and_key_is_refused() {
    watched(async {
        let (listener, endpoint) = listener(device(1));
        let address = listener.local_addr().unwrap();
        // An honest proof, heard on another connection.
        let elsewhere = tokio::select! {
            connection = connect(&endpoint, address) => connection,
            _ = async { listener.accept().await.unwrap().prove_dialer().await } => panic!("nothing was sent yet"),
        };
        let replayed = proof(&elsewhere, 2);

        type Forge = dyn Fn(&quinn::Connection) -> Vec<u8>;
        let changed = |at: usize| {
            move |connection: &quinn::Connection| {
                let mut proof = proof(connection, 2);
                proof[at] ^= 1;
                proof
            }
        };
        let cases: [(&str, Box<Forge>, Result<(), DirectAcceptError>); 8] = [
            ("an honest one", Box::new(|connection| proof(connection, 2)), Ok(())),
            ("replayed", Box::new(move |_| replayed.clone()), Err(DirectAcceptError::Unproven)),
            ("another version", Box::new(changed(0)), Err(DirectAcceptError::Incompatible)),
            ("another role", Box::new(changed(1)), Err(DirectAcceptError::Unproven)),
            ("another key", Box::new(changed(2)), Err(DirectAcceptError::Unproven)),
            ("another signature", Box::new(changed(97)), Err(DirectAcceptError::Unproven)),
            (
                "the listener's role",
                Box::new(|connection| {
                    let pair = Ed25519KeyPair::from_seed_unchecked(&[2; 32]).unwrap();
                    let key = device(2).key().0;
                    [&[1, 1], key.as_slice(), pair.sign(&signed(connection, 2, &[&key])).as_ref()].concat()
                }),
                Err(DirectAcceptError::Unproven),
            ),
            (
                "cut",
                Box::new(|connection| proof(connection, 2)[..97].to_vec()),
                Err(DirectAcceptError::Lost(ConnectionLost::PeerMisbehaved)),
            ),
        ];
        for (name, forge, expected) in cases {
            let near = async {
                let connection = connect(&endpoint, address).await;
                let (mut send, mut recv) = connection.open_bi().await.unwrap();
                send.write_all(&forge(&connection)).await.unwrap();
                send.finish().unwrap();
                recv.read_to_end(98).await.unwrap_or_default()
            };
            let far = async {
                let proven = listener.accept().await.unwrap().prove_dialer().await;
                proven.map(alliance_net::ProvenDialer::refuse)
            };
            let (answer, found) = tokio::join!(near, far);
            assert_eq!(found, expected, "{name}");
            assert!(answer.is_empty(), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_dialer_that_proves_nothing_is_given_up() {
    watched(async {
        let settings = Settings { handshake: Duration::from_millis(50), ..Settings::default() };
        let listener = DirectListener::bind(loopback(), device(1), settings).unwrap();
        let endpoint = quinn::Endpoint::client(loopback()).unwrap();
        let near = async {
            let connection = connect(&endpoint, listener.local_addr().unwrap()).await;
            connection.closed().await;
        };
        let far = async { listener.accept().await.unwrap().prove_dialer().await.unwrap_err() };
        let error = tokio::select! {
            biased;
            error = far => error,
            () = async { near.await; std::future::pending().await } => panic!("pending for ever"),
        };
        assert_eq!(error, DirectAcceptError::Lost(ConnectionLost::TimedOut));
    })
    .await;
}
