//! TLS 1.3 as this project uses it: raw Ed25519 keys, X25519, no certificates, no names.

use std::sync::Arc;

use alliance_wire::DeviceKey;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage, StoresServerSessions};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, ServerConfig,
    SignatureAlgorithm, SignatureScheme,
};

use crate::identity::{DeviceIdentity, key_of_spki, spki};

/// Application protocol towards a relay. Visible on the network, hence without a product name in it.
const ALPN_RELAY: &[u8] = b"r/1";
/// Application protocol between devices: another one, so that neither kind of listener can be taken for the other.
const ALPN_DIRECT: &[u8] = b"d/1";
/// Application protocol towards a relay over TCP, where the stream carries marks beside frames.
pub(crate) const ALPN_RELAY_TCP: &[u8] = b"t/1";
/// Bytes that TLS keeps for a peer that does not take them, beside what the system keeps: so little that a slow line gets
/// through it well before it counts as standing still.
pub(crate) const BUFFER_BYTES_MAX: usize = 16 * 1_024;
/// rustls rounds this up to one server's worth, eight tickets: each configuration knows one relay.
const TICKETS_KEPT: usize = 8;

/// A relay's side of TLS: shows the relay's key, demands the device's, resumes from `sessions`.
pub(crate) fn relay_server(identity: DeviceIdentity, sessions: Arc<dyn StoresServerSessions>) -> QuicServerConfig {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3 cipher suites")
        .with_client_cert_verifier(Arc::new(RawKeyVerifier { pin: None }))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(identity))));
    config.alpn_protocols = vec![ALPN_RELAY.to_vec()];
    config.session_storage = sessions;
    // QUIC allows no other value than this to offer 0-RTT (RFC 9001 section 4.6.1); flow control is the limit.
    config.max_early_data_size = u32::MAX;
    QuicServerConfig::try_from(config).expect("the provider has QUIC's initial cipher suite")
}

/// A device's side of TLS towards one relay. Kept for the life of the process: tickets live in it.
pub(crate) fn relay_client(identity: DeviceIdentity, pin: DeviceKey, early_data: bool) -> QuicClientConfig {
    let mut config = client_builder(Some(pin))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(identity))));
    config.alpn_protocols = vec![ALPN_RELAY.to_vec()];
    config.enable_sni = false;
    config.enable_early_data = early_data;
    config.resumption = Resumption::in_memory_sessions(TICKETS_KEPT);
    QuicClientConfig::try_from(config).expect("the provider has QUIC's initial cipher suite")
}

/// A relay's side of TLS on TCP: the same keys, no tickets and no early data.
pub(crate) fn relay_tcp_server(identity: DeviceIdentity) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3 cipher suites")
        .with_client_cert_verifier(Arc::new(RawKeyVerifier { pin: None }))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(identity))));
    config.alpn_protocols = vec![ALPN_RELAY_TCP.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

/// A device's side of TLS on TCP towards one relay.
pub(crate) fn relay_tcp_client(identity: DeviceIdentity, pin: DeviceKey) -> ClientConfig {
    let mut config = client_builder(Some(pin))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(identity))));
    config.alpn_protocols = vec![ALPN_RELAY_TCP.to_vec()];
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    config
}

/// The listening side of a direct connection: shows a throw-away key and asks for none (the proofs come inside).
pub(crate) fn direct_server(throw_away: DeviceIdentity) -> QuicServerConfig {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3 cipher suites")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(throw_away))));
    config.alpn_protocols = vec![ALPN_DIRECT.to_vec()];
    // A resumed connection would link two meetings, and its exporter would not be fresh evidence of both sides.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    QuicServerConfig::try_from(config).expect("the provider has QUIC's initial cipher suite")
}

/// The dialing side of a direct connection: takes any key, shows none.
pub(crate) fn direct_client() -> QuicClientConfig {
    let mut config = client_builder(None).with_no_client_auth();
    config.alpn_protocols = vec![ALPN_DIRECT.to_vec()];
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    QuicClientConfig::try_from(config).expect("the provider has QUIC's initial cipher suite")
}

/// The device key that the other side showed in TLS, once it has.
pub(crate) fn peer_key(connection: &quinn::Connection) -> Option<DeviceKey> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    key_of_chain(&chain)
}

/// The device key in what TLS carries in place of a chain of certificates.
pub(crate) fn key_of_chain(chain: &[CertificateDer<'_>]) -> Option<DeviceKey> {
    key_of_spki(chain.first()?)
}

fn client_builder(pin: Option<DeviceKey>) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3 cipher suites")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RawKeyVerifier { pin }))
}

/// ring, narrowed to TLS 1.3 and X25519: the smaller the ClientHello, the more of a first frame shares its datagram.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| suite.tls13().is_some());
    provider.kx_groups = vec![rustls::crypto::ring::kx_group::X25519];
    Arc::new(provider)
}

fn certified(identity: DeviceIdentity) -> Arc<CertifiedKey> {
    let shown = CertificateDer::from(spki(identity.key()));
    Arc::new(CertifiedKey::new(vec![shown], Arc::new(RawKey(identity))))
}

/// An identity in rustls' terms.
#[derive(Debug, Clone)]
struct RawKey(DeviceIdentity);

impl SigningKey for RawKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(spki(self.0.key())))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for RawKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Accepts a raw Ed25519 key: the pinned one, or any. TLS then checks that the other side can sign with it.
#[derive(Debug)]
struct RawKeyVerifier {
    pin: Option<DeviceKey>,
}

impl RawKeyVerifier {
    fn accept(&self, shown: &CertificateDer<'_>) -> Result<(), Error> {
        let key = key_of_spki(shown).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if self.pin.is_none_or(|pin| pin == key) {
            Ok(())
        } else {
            // This becomes the alert that `ConnectionLost` reads as `WrongKey`.
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }
}

fn verify_signature(
    message: &[u8],
    shown: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let algorithms = provider().signature_verification_algorithms;
    verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(shown.as_ref()), signature, &algorithms)
}

impl ServerCertVerifier for RawKeyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.accept(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls13RequiredForQuic.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for RawKeyVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.accept(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls13RequiredForQuic.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
