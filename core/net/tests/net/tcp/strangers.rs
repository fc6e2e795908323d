//! What answers and is not the relay: it is told nothing, and the device's key is shown to the pinned relay alone.

use std::net::SocketAddr;
use std::sync::Arc;

use alliance_net::{Activity, ConnectionLost, RelayAcceptError, Settings, TcpConnectError};
use alliance_wire::DeviceKey;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::sign::any_eddsa_type;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{dialer_with, relay_with};
use crate::support::{HELLO, device, loopback, secrets, watched};

/// PKCS #8 of an Ed25519 seed (RFC 8410 section 7), and SubjectPublicKeyInfo of a key, up to the bytes themselves.
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

#[derive(Debug)]
struct WithCertificate(Arc<CertifiedKey>);

impl ResolvesServerCert for WithCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Asks for a raw key and takes any.
#[derive(Debug)]
struct Anybody;

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// A TLS server that shows this key and signs with another.
fn server(shown: DeviceKey, raw: bool, protocols: &[&[u8]]) -> TlsAcceptor {
    let secret = PrivatePkcs8KeyDer::from([PKCS8.as_slice(), &[77; 32]].concat());
    let shown = CertificateDer::from([SPKI.as_slice(), shown.as_bytes()].concat());
    let certified = Arc::new(CertifiedKey::new(vec![shown], any_eddsa_type(&secret).unwrap()));
    let resolver: Arc<dyn ResolvesServerCert> = if raw {
        Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified))
    } else {
        Arc::new(WithCertificate(certified))
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(Anybody))
        .with_cert_resolver(resolver);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// What a device finds that dials `address` for the relay with this key.
async fn dial(address: SocketAddr, relay: DeviceKey) -> TcpConnectError {
    let dialer = dialer_with(2, Settings::default());
    dialer.connect(address, relay, Activity::Foreground).await.unwrap_err()
}

#[tokio::test]
async fn a_captive_portal_is_no_relay() {
    let page = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n<html>Sign in</html>";
    let tls_alert = [0x15, 3, 3, 0, 2, 2, 40];
    // (what the portal answers, what that is)
    let cases: [(&[u8], TcpConnectError); 3] = [
        (page, TcpConnectError::Intercepted),
        (&tls_alert, TcpConnectError::Intercepted),
        (b"", TcpConnectError::Lost(ConnectionLost::Reset)),
    ];
    for (answer, wanted) in cases {
        watched(async {
            let portal = TcpListener::bind(loopback()).await.unwrap();
            let address = portal.local_addr().unwrap();
            let answering = async {
                let (mut stream, _) = portal.accept().await.unwrap();
                let mut asked = [0; 2_000];
                let count = stream.read(&mut asked).await.unwrap();
                stream.write_all(answer).await.unwrap();
                asked[..count].to_vec()
            };
            let (found, asked) = tokio::join!(dial(address, secrets(1).relay_key()), answering);
            assert_eq!(found, wanted);
            let key = device(2).key();
            assert!(!asked.windows(32).any(|window| window == key.as_bytes()), "the key was shown");
        })
        .await;
    }
}

#[tokio::test]
async fn a_proxy_that_looks_into_tls_is_no_relay() {
    let pin = secrets(1).relay_key();
    // (a raw key or a certificate, the key in it, application protocols, what that is)
    let cases: [(bool, DeviceKey, &[&[u8]], TcpConnectError); 4] = [
        (false, pin, &[], TcpConnectError::Intercepted),
        (false, pin, &[b"http/1.1"], TcpConnectError::Intercepted),
        // The relay's key, which is no secret, without being able to sign with it.
        (true, pin, &[b"t/1"], TcpConnectError::Intercepted),
        (true, device(9).key(), &[b"t/1"], TcpConnectError::WrongRelayKey),
    ];
    for (raw, shown, protocols, wanted) in cases {
        watched(async {
            let proxy = TcpListener::bind(loopback()).await.unwrap();
            let address = proxy.local_addr().unwrap();
            let accepting = async {
                let (stream, _) = proxy.accept().await.unwrap();
                server(shown, raw, protocols).accept(stream).await.map(|_| ())
            };
            let (found, accepted) = tokio::join!(dial(address, pin), accepting);
            assert_eq!(found, wanted);
            assert!(accepted.is_err(), "the device goes on with nobody else");
        })
        .await;
    }
}

#[tokio::test]
async fn the_same_server_with_the_right_key_is_a_relay() {
    watched(async {
        // The control of the test above: what it accepts with is this key's own secret.
        let right = device(77).key();
        let relay = TcpListener::bind(loopback()).await.unwrap();
        let address = relay.local_addr().unwrap();
        let accepting = async {
            let (stream, _) = relay.accept().await.unwrap();
            server(right, true, &[b"t/1"]).accept(stream).await.unwrap()
        };
        let dialer = dialer_with(2, Settings::default());
        let (line, accepted) = tokio::join!(dialer.connect(address, right, Activity::Foreground), accepting);
        assert_eq!(line.unwrap().peer(), right);
        let shown = accepted.get_ref().1.peer_certificates().expect("the device's key was shown");
        assert_eq!(shown[0].as_ref(), [SPKI.as_slice(), device(2).key().as_bytes()].concat());
    })
    .await;
}

#[tokio::test]
async fn the_devices_key_is_shown_to_the_pinned_relay_alone() {
    watched(async {
        let relay = relay_with(1, Settings::default());
        let address = relay.local_addr().unwrap();
        let other = secrets(9).relay_key();
        let (found, seen) = tokio::join!(dial(address, other), async { relay.accept().await.establish().await });
        assert_eq!(found, TcpConnectError::WrongRelayKey);
        assert_eq!(seen.unwrap_err(), RelayAcceptError::Lost(ConnectionLost::FoundAtFault));
        // The control: the same relay, the right pin.
        let dialer = dialer_with(2, Settings::default());
        let near = async {
            let mut line = dialer.connect(address, relay.key(), Activity::Foreground).await.unwrap();
            line.send(HELLO).await.unwrap();
            line
        };
        let (_near, seen) = tokio::join!(near, async { relay.accept().await.establish().await });
        assert_eq!(seen.unwrap().peer(), device(2).key());
    })
    .await;
}

#[tokio::test]
async fn nobody_there_is_no_interception() {
    watched(async {
        let nobody = TcpListener::bind(loopback()).await.unwrap().local_addr().unwrap();
        assert_eq!(dial(nobody, secrets(1).relay_key()).await, TcpConnectError::Lost(ConnectionLost::Reset));
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        assert_eq!(dial(nowhere, secrets(1).relay_key()).await, TcpConnectError::Address(nowhere));
    })
    .await;
}
