//! Invitations (PROTOCOL section 4): from a text that one person hands to another to the steward's `add`.
//!
//! ```text
//! inviter                                            newcomer
//! PendingInvite::new: one-time key, nonce
//!   `invite` entry with key and H(nonce)
//!   text: seed, H(nonce), space, relay, ... ───────▶ PendingJoin::new: card, own nonce
//! PendingInvite::receive ◀─────────────── accept ──  (signed by the one-time key)
//!   ── reveal: the nonce ────────────────────────▶   PendingJoin::receive
//! both show four words over everything said; the inviter confirms that they are the same
//! PendingInvite::confirm: what the `add` entry says
//! ```
//!
//! Who holds the text can accept, so the words decide whom the steward admits. The inviter's nonce is fixed by its hash
//! before the newcomer's is known and revealed to one accept only: nobody can try keys until the words agree. The
//! machines here are plain values that the caller stores and brings back; each message may be lost and repeated.

mod join;
mod text;

use alliance_wire::entry::Signature;
use alliance_wire::hash::{Domain, hash};
use alliance_wire::membership::{Add, Boxes, CardFor, CardForOwn, DeviceCard, OnceKey, RecoveryCard, Role, commitment};
use alliance_wire::{DecodeError, DeviceKey, HeaderHash, PersonTag, SignerKey, SpaceId, codec, limits};
use bip39::Language;
use minicbor::{Decode, Encode};

pub use join::{JoinError, PendingJoin};
pub use text::{Invitation, InvitationError, RelayAt};

use crate::keys::{self, DeviceSecret, OneTimeSecret, Secret};
use crate::seal::OpenError;
use crate::small::{SmallDomain, open_small, seal_small};

/// Version of accept and reveal.
const MESSAGE_VERSION: u8 = 1;
/// Bytes of the name that a newcomer sends along.
pub const INVITATION_NAME_BYTES_MAX: usize = 512;

/// What the newcomer answers: sealed under the one-time secret, so that a relay reads nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Accept {
    #[n(0)]
    version: u8,
    /// The newcomer's device, its card signed for this space, tag, one-time key and role.
    #[n(1)]
    pub card: DeviceCard,
    /// The newcomer's recovery key.
    #[n(2)]
    pub recovery: RecoveryCard,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    nonce: [u8; 32],
    /// How the newcomer wants to be called; at most [`INVITATION_NAME_BYTES_MAX`]. Shown, never believed.
    #[n(4)]
    pub name: String,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    signature: Signature,
}

impl Accept {
    /// What the one-time key signs, and what a reveal names.
    fn message(&self, space: SpaceId, once: SignerKey) -> [u8; 32] {
        let (card, recovery) = (&self.card, &self.recovery);
        let parts: [&[u8]; 10] = [
            &space.0,
            &once.0,
            &card.device.0,
            &card.boxes.0,
            &card.kem.to_be_bytes(),
            &card.signature,
            &recovery.signer.0,
            &recovery.boxes.0,
            &self.nonce,
            self.name.as_bytes(),
        ];
        hash(Domain::Accept, &parts)
    }
}

/// What the inviter answers to exactly one accept.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Reveal {
    #[n(0)]
    version: u8,
    /// [`Accept::message`] of the accept that it answers.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    accept: [u8; 32],
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    nonce: [u8; 32],
}

/// Why an accept is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// It does not open: damaged, or made with another invitation.
    #[error("the answer is damaged or belongs to another invitation")]
    Foreign,
    /// It comes from a newer version of the software.
    #[error("the answer was made by a newer version")]
    NewerVersion,
    /// It opens, but is over a limit or its signatures do not verify.
    #[error("the answer is not in order")]
    Malformed,
    /// The invitation's time is over.
    #[error("the invitation has expired")]
    Expired,
    /// Another accept was answered: a one-time key serves once, whether or not the words agreed.
    #[error("the invitation was used already")]
    Spent,
    /// The words were not confirmed, or no accept has come.
    #[error("nobody has answered the invitation yet")]
    NoAccept,
}

/// The inviter's side of one one-time key. Secret: it is stored encrypted, and its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct PendingInvite {
    #[n(0)]
    space: SpaceId,
    #[n(1)]
    inviter: DeviceKey,
    #[n(2)]
    role: Role,
    #[n(3)]
    expires: u64,
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    seed: [u8; 32],
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    nonce: [u8; 32],
    #[n(6)]
    accept: Option<Accept>,
    /// Somebody said that the words do not agree.
    #[n(7)]
    rejected: bool,
    /// It is for a further device of this person.
    #[n(8)]
    person: Option<PersonTag>,
}

impl PendingInvite {
    /// A new invitation with one use. `expires` is in seconds since 1970; `random` is 32 bytes of the operating
    /// system's randomness.
    #[must_use]
    pub fn new(device: &DeviceSecret, space: SpaceId, role: Role, expires: u64, random: [u8; 32]) -> Self {
        let seed = device.hedge(random, "invitation seed", &[&space.0]);
        let nonce = device.hedge(random, "invitation nonce", &[&space.0, &seed]);
        let inviter = device.key();
        Self { space, inviter, role, expires, seed, nonce, accept: None, rejected: false, person: None }
    }

    /// The same for a further device of the inviter's own person, which it lists itself.
    #[must_use]
    pub fn for_device(
        device: &DeviceSecret,
        space: SpaceId,
        person: PersonTag,
        expires: u64,
        random: [u8; 32],
    ) -> Self {
        Self { person: Some(person), ..Self::new(device, space, Role::Writer, expires, random) }
    }

    /// The public half, for the `invite` entry.
    #[must_use]
    pub fn once_key(&self) -> OnceKey {
        let key = self.secret().signer_key();
        OnceKey { key, commitment: commitment(key, &self.nonce) }
    }

    /// What travels to the invited person.
    #[must_use]
    pub fn invitation(&self, relay: Option<RelayAt>) -> Invitation {
        Invitation {
            space: self.space,
            relay,
            role: self.role,
            expires: self.expires,
            seed: self.seed,
            commitment: self.once_key().commitment,
            inviter: self.inviter,
            person: self.person,
        }
    }

    /// The person whose further device it is for, if it is for one.
    #[must_use]
    pub const fn person(&self) -> Option<PersonTag> {
        self.person
    }

    /// The space.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.space
    }

    /// The one-time secret: it reads and writes the relay's mailbox.
    #[must_use]
    pub fn secret(&self) -> OneTimeSecret {
        OneTimeSecret::from_seed(self.seed)
    }

    /// The accept that was answered.
    #[must_use]
    pub const fn accept(&self) -> Option<&Accept> {
        self.accept.as_ref()
    }

    /// Takes an accept and gives the reveal to send. From then on the one-time key is spent: the same accept gets an
    /// answer again, any other none. Store the value before sending. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`AcceptError`]; the value is then as it was.
    pub fn receive(&mut self, message: &[u8], now: u64, random: [u8; 32]) -> Result<Vec<u8>, AcceptError> {
        let once = self.secret().signer_key();
        let accept = self.open(message)?;
        match &self.accept {
            Some(answered) if *answered == accept => {}
            Some(_) => return Err(AcceptError::Spent),
            None if now > self.expires => return Err(AcceptError::Expired),
            None => self.accept = Some(accept.clone()),
        }
        let reveal = Reveal { version: MESSAGE_VERSION, accept: accept.message(self.space, once), nonce: self.nonce };
        let ad = message_data(Direction::ToNewcomer, self.space, once);
        Ok(seal_small(SmallDomain::Invitation, &self.seed, &ad, &codec::encode(&reveal), random))
    }

    /// The words to compare, once an accept was answered.
    #[must_use]
    pub fn words(&self) -> Option<[&'static str; 4]> {
        let once = self.once_key();
        let accept = self.accept.as_ref()?;
        Some(words(&Said {
            space: self.space,
            inviter: self.inviter,
            role: self.role,
            once,
            accept,
            nonce: &self.nonce,
        }))
    }

    /// A person said that the words do not agree: nobody is admitted by this one-time key.
    pub const fn reject(&mut self) {
        self.rejected = true;
    }

    /// A person said that the words agree: the newcomer's tag and what the `add` entry says. `invite` is the entry that
    /// opened the invitation, `boxes` holds the keys sealed to [`Accept::card`] and [`Accept::recovery`].
    ///
    /// # Errors
    /// [`AcceptError::NoAccept`] when nobody was answered, [`AcceptError::Spent`] after [`Self::reject`].
    pub fn confirm(&self, invite: HeaderHash, boxes: Boxes) -> Result<(PersonTag, Add), AcceptError> {
        let accept = self.accept.as_ref().ok_or(AcceptError::NoAccept)?;
        if self.rejected {
            return Err(AcceptError::Spent);
        }
        let once = self.secret().signer_key();
        let tag = PersonTag::of(self.space, accept.card.device, accept.recovery.signer, Some(once));
        let (card, recovery) = (accept.card.clone(), accept.recovery);
        Ok((tag, Add { invitation: invite, once, role: self.role, card, recovery, boxes }))
    }

    /// A person said that the words agree: the card of the further device, for the entry that lists it.
    ///
    /// # Errors
    /// As [`Self::confirm`], and [`AcceptError::Malformed`] if the invitation is for another person.
    pub fn confirm_device(&self) -> Result<DeviceCard, AcceptError> {
        let accept = self.accept.as_ref().ok_or(AcceptError::NoAccept)?;
        if self.rejected {
            return Err(AcceptError::Spent);
        }
        self.person.map(|_| accept.card.clone()).ok_or(AcceptError::Malformed)
    }

    fn open(&self, message: &[u8]) -> Result<Accept, AcceptError> {
        let once = self.secret().signer_key();
        let ad = message_data(Direction::ToInviter, self.space, once);
        let bytes = open_message(&self.seed, &ad, message).map_err(|error| match error {
            OpenError::Version => AcceptError::NewerVersion,
            OpenError::Size | OpenError::Cipher | OpenError::Malformed | OpenError::OverLimit => AcceptError::Foreign,
        })?;
        let accept: Accept = decode_message(&bytes).map_err(|error| match error {
            MessageError::NewerVersion => AcceptError::NewerVersion,
            MessageError::Malformed => AcceptError::Malformed,
        })?;
        self.check(&accept, once).map_err(|_| AcceptError::Malformed)?;
        Ok(accept)
    }

    fn check(&self, accept: &Accept, once: SignerKey) -> Result<(), keys::BadSignature> {
        let (space, role, card, recovery) = (self.space, self.role, &accept.card, &accept.recovery);
        if accept.name.len() > INVITATION_NAME_BYTES_MAX || SignerKey::from(card.device) == recovery.signer {
            return Err(keys::BadSignature);
        }
        keys::verify(once, &accept.message(space, once), &accept.signature)?;
        if let Some(tag) = self.person {
            return keys::verify_own_card(&CardForOwn { space, tag, by: self.inviter.into() }, card);
        }
        let tag = PersonTag::of(space, card.device, recovery.signer, Some(once));
        keys::verify_card(&CardFor::Add { space, tag, once, role }, card, recovery)
    }
}

impl core::fmt::Debug for PendingInvite {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PendingInvite")
            .field("space", &self.space)
            .field("accept", &self.accept)
            .finish_non_exhaustive()
    }
}

/// Which way a message goes: one must never be taken for the other.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Direction {
    ToInviter = 0,
    ToNewcomer = 1,
}

fn message_data(direction: Direction, space: SpaceId, once: SignerKey) -> Vec<u8> {
    [&[direction as u8], space.0.as_slice(), &once.0].concat()
}

fn open_message(seed: &[u8; 32], ad: &[u8], message: &[u8]) -> Result<Vec<u8>, OpenError> {
    if message.len() > limits::MAILBOX_MESSAGE_BYTES_MAX {
        return Err(OpenError::Size);
    }
    open_small(SmallDomain::Invitation, seed, ad, message)
}

enum MessageError {
    NewerVersion,
    Malformed,
}

impl From<DecodeError> for MessageError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

/// Reads a message whose first field is its version.
fn decode_message<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, MessageError> {
    #[derive(Decode)]
    struct Versioned {
        #[n(0)]
        version: u8,
    }
    let Versioned { version } = codec::decode(bytes)?;
    if version > MESSAGE_VERSION {
        return Err(MessageError::NewerVersion);
    }
    Ok(codec::decode(bytes)?)
}

/// Everything that was said between inviter and newcomer.
struct Said<'a> {
    space: SpaceId,
    inviter: DeviceKey,
    role: Role,
    once: OnceKey,
    accept: &'a Accept,
    nonce: &'a [u8; 32],
}

/// Four words of the BIP-39 English list, 44 bits, over everything that was said.
fn words(said: &Said<'_>) -> [&'static str; 4] {
    let digest = hash(
        Domain::Words,
        &[
            &said.once.commitment,
            &said.inviter.0,
            &[said.role as u8],
            &said.accept.message(said.space, said.once.key),
            said.nonce,
        ],
    );
    let mut bits = digest.iter().take(6).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    [(); 4].map(|()| {
        let word = Language::English.word_list()[(bits & 0x7ff) as usize];
        bits >>= 11;
        word
    })
}
