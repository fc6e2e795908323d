//! A pack that somebody answers for: its canonical text and a signature, as one file.

use serde::{Deserialize, Serialize};

use super::{Pack, PackError};
use crate::cosign::{Cosignature, canonical};
use crate::exports::DetachedSignature;
use crate::limits::SIGNED_PACK_BYTES_MAX;
use crate::refusal::{Refusal, RefusalCode};

/// A signed pack, of which nothing can be read before its signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPack {
    pack: Pack,
    signature: DetachedSignature,
}

/// The file: JSON, its fields in the order of their names.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedPackFile {
    signature: DetachedSignature,
    signed_pack: u64,
    text: String,
}

/// Why a file is no signed pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedPackError {
    /// It is no such file, or one of another form.
    #[error("this is no signed pack")]
    File,
    /// What is signed is no pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// What is signed is not the one spelling of the pack.
    #[error("the pack's text is not canonical")]
    Spelling,
    /// The signature is of something else, or not of that device.
    #[error("the signature is not one of this pack")]
    Signature,
}

impl From<SignedPackError> for Refusal {
    fn from(error: SignedPackError) -> Self {
        let broken = |reason: &str| Self::new(RefusalCode::PackBroken).with("reason", reason);
        match error {
            SignedPackError::File => broken("file"),
            SignedPackError::Pack(error) => error.into(),
            SignedPackError::Spelling => broken("spelling"),
            SignedPackError::Signature => broken("signature"),
        }
    }
}

impl SignedPack {
    const FORM: u64 = 1;

    /// A pack with somebody's signature of [`Pack::frozen`].
    #[must_use]
    pub fn new(pack: Pack, signature: &Cosignature) -> Self {
        Self { pack, signature: signature.into() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`SignedPackError`]; the signature is looked at by [`SignedPack::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SignedPackError> {
        if bytes.len() > SIGNED_PACK_BYTES_MAX {
            return Err(SignedPackError::File);
        }
        let file: SignedPackFile = serde_json::from_slice(bytes).map_err(|_| SignedPackError::File)?;
        if file.signed_pack != Self::FORM {
            return Err(SignedPackError::File);
        }
        let pack = Pack::parse(file.text.as_bytes())?;
        if pack.encode() != file.text.as_bytes() {
            return Err(SignedPackError::Spelling);
        }
        Ok(Self { pack, signature: file.signature })
    }

    /// The file.
    ///
    /// # Panics
    /// Never: a canonical text is UTF-8.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let text = String::from_utf8(self.pack.encode()).expect("JSON is UTF-8");
        canonical(&SignedPackFile { signature: self.signature.clone(), signed_pack: Self::FORM, text })
    }

    /// The pack and who signed it, if the signature is one of this text and `verifies` says that it is its device's. Who
    /// may sign packs, and whose a device is, the caller asks: the file names keys.
    ///
    /// # Errors
    /// [`SignedPackError::Signature`].
    pub fn verify(&self, verifies: impl Fn(&Cosignature) -> bool) -> Result<(&Pack, Cosignature), SignedPackError> {
        let signed = self.signature.of(&self.pack.encode()).ok_or(SignedPackError::Signature)?;
        if verifies(&signed) { Ok((&self.pack, signed)) } else { Err(SignedPackError::Signature) }
    }
}
