//! Device proofs inside a direct connection (docs/PROTOCOL.md section 3, LAN).
//!
//! A proof says "the holder of this device key sits at this end of exactly this TLS connection". It signs the TLS
//! exporter, which both ends share and no third party can bring about, so a proof shown to one party is of no use
//! towards another. Layout: version (1 byte), role (1), device key (32), signature (64).

use alliance_wire::DeviceKey;
use alliance_wire::hash::{Domain, hash};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::identity::DeviceIdentity;

/// Length of a proof in bytes.
pub const PROOF_BYTES: usize = 2 + DeviceKey::LEN + 64;
const VERSION: u8 = 1;

/// Which end of the connection proves. A listener's proof sent back to it is no dialer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Dialer = 1,
    Listener = 2,
}

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A version that this program does not know.
    #[error("a proof of a version that this program does not know")]
    Version,
    /// Not of this key, this role or this connection.
    #[error("a proof of another key, role or connection")]
    Invalid,
}

/// What a proof claims, before its signature was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofClaim {
    role: Role,
    key: DeviceKey,
    signature: [u8; 64],
}

impl ProofClaim {
    /// Reads a proof's bytes.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let (version, rest) = bytes.split_first().ok_or(ProofError::Invalid)?;
        if *version != VERSION {
            return Err(ProofError::Version);
        }
        let (role, rest) = rest.split_first().ok_or(ProofError::Invalid)?;
        let (key, signature) = rest.split_at_checked(DeviceKey::LEN).ok_or(ProofError::Invalid)?;
        let key = DeviceKey::try_from(key).map_err(|_| ProofError::Invalid)?;
        let signature = signature.try_into().map_err(|_| ProofError::Invalid)?;
        let role = match role {
            1 => Role::Dialer,
            2 => Role::Listener,
            _ => return Err(ProofError::Invalid),
        };
        Ok(Self { role, key, signature })
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        let mut out = [0; PROOF_BYTES];
        out[0] = VERSION;
        out[1] = self.role as u8;
        out[2..2 + DeviceKey::LEN].copy_from_slice(self.key.as_bytes());
        out[2 + DeviceKey::LEN..].copy_from_slice(&self.signature);
        out
    }
}

/// The secret that both ends of this connection, and nobody else, derive for a role's proof.
fn exporter(connection: &quinn::Connection, role: Role) -> [u8; 32] {
    let mut out = [0; 32];
    connection
        .export_keying_material(&mut out, Domain::DeviceProof.context().as_bytes(), &[role as u8])
        .expect("32 bytes are within what an exporter gives, and the handshake is over");
    out
}

/// What is signed: a hash of version, role, exporter, prover's key and, if the prover knows it already, the other's. All
/// parts but the last have fixed lengths.
fn message(connection: &quinn::Connection, role: Role, prover: DeviceKey, other: Option<DeviceKey>) -> [u8; 32] {
    let head = [VERSION, role as u8];
    let other: &[u8] = other.as_ref().map_or(&[], |key| key.as_bytes());
    hash(Domain::DeviceProof, &[&head, &exporter(connection, role), prover.as_bytes(), other])
}

/// This device's proof. The listener names the dialer, whose key it knows by then; the dialer does not name the device
/// that it seeks, since whoever answers could otherwise test guesses of that key against the signature.
pub(crate) fn prove(
    connection: &quinn::Connection,
    role: Role,
    identity: &DeviceIdentity,
    other: Option<DeviceKey>,
) -> [u8; PROOF_BYTES] {
    let signature = identity.sign(&message(connection, role, identity.key(), other));
    ProofClaim { role, key: identity.key(), signature }.to_bytes()
}

/// The key that the other end holds.
pub(crate) fn verify(
    connection: &quinn::Connection,
    role: Role,
    proof: &[u8; PROOF_BYTES],
    other: Option<DeviceKey>,
) -> Result<DeviceKey, ProofError> {
    let ProofClaim { role: claimed, key, signature } = ProofClaim::parse(proof)?;
    let signed = message(connection, role, key, other);
    let valid = UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(&signed, &signature).is_ok();
    if claimed == role && valid { Ok(key) } else { Err(ProofError::Invalid) }
}
