//! XChaCha20-Poly1305 with hedged nonces: the one cipher behind sealing, key links and small sealed messages.
//!
//! No (key, nonce) pair may ever serve two different inputs, across crash, restore and clone. A nonce therefore is keyed
//! BLAKE3 over (32 random bytes, associated data, plaintext): a repeated random source repeats a nonce only together
//! with everything that it protects.

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::rules::Rules;

/// Length of a nonce in bytes.
pub(crate) const NONCE_BYTES: usize = 24;
/// Length of the authentication tag in bytes.
pub(crate) const TAG_BYTES: usize = 16;

/// A cipher key and the key that its nonces are made with.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct AeadKey {
    pub(crate) cipher: [u8; 32],
    pub(crate) nonces: [u8; 32],
}

impl AeadKey {
    /// Both keys from a secret of 32 bytes, under two contexts.
    pub(crate) fn derive(cipher: &str, nonces: &str, secret: &[u8; 32]) -> Self {
        Self { cipher: blake3::derive_key(cipher, secret), nonces: blake3::derive_key(nonces, secret) }
    }

    /// Nonce, ciphertext and tag. `plaintext` is wiped by being encrypted in place.
    pub(crate) fn seal(&self, rules: Rules, random: &[u8; 32], ad: &[u8], mut plaintext: Vec<u8>) -> Vec<u8> {
        let nonce = self.nonce(rules, random, ad, &plaintext);
        if plaintext.capacity() - plaintext.len() < TAG_BYTES {
            // Growing would leave the old place as it was.
            let mut roomy = Vec::with_capacity(plaintext.len() + TAG_BYTES);
            roomy.extend_from_slice(&plaintext);
            plaintext.zeroize();
            plaintext = roomy;
        }
        self.cipher()
            .encrypt_in_place(&XNonce::from(nonce), ad, &mut plaintext)
            .expect("plaintexts are far below the cipher's limit of 256 GiB");
        let mut sealed = Vec::with_capacity(NONCE_BYTES + plaintext.len());
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut plaintext);
        sealed
    }

    /// The plaintext; `None` if anything differs from what was sealed.
    pub(crate) fn open(&self, ad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: ad }).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.cipher.into())
    }

    fn nonce(&self, rules: Rules, random: &[u8; 32], ad: &[u8], plaintext: &[u8]) -> [u8; NONCE_BYTES] {
        let mut hasher = blake3::Hasher::new_keyed(&self.nonces);
        hasher.update(random);
        if rules.hedge_nonces {
            hasher.update(&(ad.len() as u64).to_be_bytes());
            hasher.update(ad);
            hasher.update(plaintext);
        }
        let mut nonce = [0; NONCE_BYTES];
        hasher.finalize_xof().fill(&mut nonce);
        nonce
    }
}
