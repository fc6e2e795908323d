//! An inviter who is met directly is the mailbox of its own invitations (PROTOCOL section 4, invitation).

use alliance_crypto::verify;
use alliance_wire::frame::mailbox_message;
use alliance_wire::{Frame, Signature};

use crate::error::Error;
use crate::inner::Inner;

impl Inner {
    /// Whether somebody may come whom this device does not know: an invitation is open and in its time.
    pub(crate) async fn expects_somebody(&self) -> Result<bool, Error> {
        let now = self.around.now_seconds();
        Ok(self.invite_rows().await?.iter().any(|row| row.is_waiting() && row.expires > now))
    }

    /// Answers somebody who was met and asks for the mailbox of an invitation, as a relay would: only this device has it
    /// here. Whoever has the one-time key may ask; everybody else hears that there is no such mailbox.
    pub(crate) async fn answer_as_mailbox(&self, asked: &Frame) -> Result<Option<Frame>, Error> {
        let (once, message, proof) = if let Frame::Post(post) = asked {
            (post.once, Some(post.message.to_vec()), &post.proof)
        } else if let Frame::Collect { once, proof } = asked {
            (*once, None, proof)
        } else {
            return Ok(None);
        };
        let signed = mailbox_message(once, message.as_deref().unwrap_or_default());
        let proof = proof.as_ref().and_then(|proof| Signature::try_from(proof.as_slice()).ok());
        let proven = proof.is_some_and(|proof| verify(once, &signed, &proof).is_ok());
        let _invites = self.invites.lock().await;
        let row = self.invite_rows().await?.into_iter().find(|row| row.key() == once);
        let Some(mut row) = row.filter(|_| proven) else {
            return Ok(Some(Frame::Mail { once, messages: None }));
        };
        if let Some(message) = &message
            && let Err(error) = self.receive_accept(&mut row, message).await
        {
            tracing::debug!(%error, "what was asked is not an answer that counts");
        }
        let messages = message.into_iter().chain(row.reveal.clone()).map(Into::into).collect();
        Ok(Some(Frame::Mail { once, messages: Some(messages) }))
    }
}
