//! The newcomer's side of an invitation.

use alliance_wire::membership::{CardFor, CardForOwn, OnceKey, RecoveryCard, commitment};
use alliance_wire::{PersonTag, SpaceId, codec};
use minicbor::{Decode, Encode};

use super::{
    Accept, Direction, INVITATION_NAME_BYTES_MAX, Invitation, MESSAGE_VERSION, MessageError, Reveal, Said,
    decode_message, message_data, open_message, words,
};
use crate::keys::{DeviceSecret, OneTimeSecret, Secret};
use crate::seal::OpenError;
use crate::small::{SmallDomain, seal_small};

/// Why a newcomer does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The name is over [`INVITATION_NAME_BYTES_MAX`].
    #[error("the name is longer than {INVITATION_NAME_BYTES_MAX} bytes")]
    Name,
    /// The invitation's time is over.
    #[error("the invitation has expired")]
    Expired,
    /// The answer does not open: damaged, or to another invitation.
    #[error("the answer is damaged or belongs to another invitation")]
    Foreign,
    /// The answer comes from a newer version of the software.
    #[error("the answer was made by a newer version")]
    NewerVersion,
    /// The inviter answered another accept: somebody else used the same invitation.
    #[error("the invitation was used by somebody else")]
    UsedByAnother,
    /// The inviter's nonce is not the one that the invitation commits to.
    #[error("the answer does not fit the invitation")]
    Commitment,
}

/// The newcomer's side. Secret: it is stored encrypted, and its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct PendingJoin {
    #[n(0)]
    invitation: Invitation,
    #[n(1)]
    accept: Accept,
    /// The accept as sent: a repetition must be the same bytes.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    message: Vec<u8>,
    #[n(3)]
    reveal: Option<Reveal>,
}

impl PendingJoin {
    /// Accepts an invitation. `now` is in seconds since 1970; `random` is 32 bytes of the operating system's randomness.
    ///
    /// # Errors
    /// [`JoinError::Name`] or [`JoinError::Expired`].
    pub fn new(
        device: &DeviceSecret,
        recovery: RecoveryCard,
        invitation: Invitation,
        name: &str,
        now: u64,
        random: [u8; 32],
    ) -> Result<Self, JoinError> {
        if name.len() > INVITATION_NAME_BYTES_MAX {
            return Err(JoinError::Name);
        }
        if now > invitation.expires {
            return Err(JoinError::Expired);
        }
        let secret = invitation.secret();
        let (space, role, once) = (invitation.space, invitation.role, secret.signer_key());
        let card = if let Some(tag) = invitation.person {
            device.own_card(&CardForOwn { space, tag, by: invitation.inviter.into() })
        } else {
            let tag = PersonTag::of(space, device.key(), recovery.signer, Some(once));
            device.card(&CardFor::Add { space, tag, once, role }, &recovery)
        };
        let mut accept = Accept {
            version: MESSAGE_VERSION,
            card,
            recovery,
            nonce: device.hedge(random, "invitation accept nonce", &[&space.0, &once.0]),
            name: name.to_owned(),
            signature: [0; 64],
        };
        accept.signature = secret.sign(&accept.message(space, once));
        let ad = message_data(Direction::ToInviter, space, once);
        let message = seal_small(SmallDomain::Invitation, &invitation.seed, &ad, &codec::encode(&accept), random);
        Ok(Self { invitation, accept, message, reveal: None })
    }

    /// The accept to send, the same bytes each time.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The invitation.
    #[must_use]
    pub const fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// The space.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.invitation.space
    }

    /// The one-time secret: it reads and writes the relay's mailbox.
    #[must_use]
    pub fn secret(&self) -> OneTimeSecret {
        self.invitation.secret()
    }

    /// The tag under which the `add` will admit this person, or whose further device this is.
    #[must_use]
    pub fn tag(&self) -> PersonTag {
        if let Some(person) = self.invitation.person {
            return person;
        }
        let once = self.secret().signer_key();
        PersonTag::of(self.space(), self.accept.card.device, self.accept.recovery.signer, Some(once))
    }

    /// Takes the inviter's reveal and gives the words to compare.
    ///
    /// # Errors
    /// [`JoinError`]; the value is then as it was.
    pub fn receive(&mut self, message: &[u8]) -> Result<[&'static str; 4], JoinError> {
        let (space, once) = (self.space(), self.secret().signer_key());
        let ad = message_data(Direction::ToNewcomer, space, once);
        let bytes = open_message(&self.invitation.seed, &ad, message).map_err(|error| match error {
            OpenError::Version => JoinError::NewerVersion,
            OpenError::Size | OpenError::Cipher | OpenError::Malformed | OpenError::OverLimit => JoinError::Foreign,
        })?;
        let reveal: Reveal = decode_message(&bytes).map_err(|error| match error {
            MessageError::NewerVersion => JoinError::NewerVersion,
            MessageError::Malformed => JoinError::Foreign,
        })?;
        if commitment(once, &reveal.nonce) != self.invitation.commitment {
            return Err(JoinError::Commitment);
        }
        if reveal.accept != self.accept.message(space, once) {
            return Err(JoinError::UsedByAnother);
        }
        self.reveal = Some(reveal);
        self.words().ok_or(JoinError::Foreign)
    }

    /// The words to compare, once the reveal has come.
    #[must_use]
    pub fn words(&self) -> Option<[&'static str; 4]> {
        let Invitation { space, inviter, role, commitment, .. } = self.invitation;
        let nonce = &self.reveal.as_ref()?.nonce;
        let once = OnceKey { key: self.secret().signer_key(), commitment };
        Some(words(&Said { space, inviter, role, once, accept: &self.accept, nonce }))
    }
}

impl core::fmt::Debug for PendingJoin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PendingJoin").field("invitation", &self.invitation).finish_non_exhaustive()
    }
}
