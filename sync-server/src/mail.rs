//! What goes beside a session: mailboxes, and entries in somebody else's hands.
//!
//! Mailboxes of invitations: what the two sides leave for each other while they are not here at the same time
//! (docs/PROTOCOL.md section 4, Invitation).
//!
//! A mailbox is open while the space's membership lists its one-time key. Whoever holds the key's secret, or is the
//! steward's device, may write and read it. Everything else has one answer: no such mailbox, somebody else's, a proof
//! that does not verify, a mailbox that is full.

use alliance_crypto::{Rules, verify};
use alliance_store::StoreError;
use alliance_store::operator::Posted;
use alliance_sync::{Batch, Incoming, Outcome, judge_carried};
use alliance_wire::bundle::Carry;
use alliance_wire::frame::{Post, mailbox_address, mailbox_message};
use alliance_wire::{DeviceKey, Frame, Signature, SignerKey, SpaceId};

use crate::answers::Answers;

/// Answers a frame that is aside; `None` for one that is no question.
pub(crate) async fn answer(answers: &Answers, rules: Rules, peer: DeviceKey, frame: &Frame) -> Option<Frame> {
    if let Frame::Carry(carry) = frame {
        take_carried(answers, rules, carry.clone()).await;
        return Some(Frame::Carried {});
    }
    let (once, answered) = if let Frame::Post(post) = frame {
        (post.once, write(answers, peer, post).await)
    } else if let Frame::Collect { once, proof } = frame {
        let proof = proof.as_ref().map(|proof| proof.as_slice());
        (*once, read(answers, peer, *once, proof).await)
    } else {
        return None;
    };
    let messages = answered.unwrap_or_else(|error| {
        tracing::warn!(%error, "a mailbox could not be read or written");
        None
    });
    Some(Frame::Mail { once, messages: messages.map(|all| all.into_iter().map(Into::into).collect()) })
}

/// Stores what of a carried run may be stored. Whoever brings it hears the same, whatever becomes of it: their own
/// device sends it once more if it was not taken.
async fn take_carried(answers: &Answers, rules: Rules, carry: Carry) {
    let space = carry.space;
    let taken = async {
        let Some(view) = answers.spaces.view(space).await? else { return Ok(0) };
        let items = match judge_carried(&view, carry, rules) {
            Ok(entries) => entries.into_iter().map(Incoming::Entry).collect::<Vec<_>>(),
            Err(reason) => {
                tracing::debug!(space = %space.short(), code = reason.code(), "carried entries were not taken");
                return Ok(0);
            }
        };
        if items.is_empty() {
            return Ok(0);
        }
        let stored = answers.persist(Batch { items, ..Batch::default() }).await?;
        Ok::<_, StoreError>(stored.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Stored(_))).count())
    };
    match taken.await {
        Ok(taken) => tracing::debug!(space = %space.short(), taken, "carried entries"),
        Err(error) => tracing::warn!(%error, "carried entries could not be stored"),
    }
}

type Messages = Option<Vec<Vec<u8>>>;

async fn write(answers: &Answers, peer: DeviceKey, post: &Post) -> Result<Messages, StoreError> {
    let proof = post.proof.as_ref().map(|proof| proof.as_slice());
    let Some(space) = open_to(answers, peer, post.once, proof, &post.message).await? else { return Ok(None) };
    let (address, message) = (mailbox_address(post.once), post.message.to_vec());
    let today = answers.today().await?;
    let work =
        move |operator: &alliance_store::operator::Operator| match operator.post(&address, space, today, &message)? {
            Posted::Kept => operator.collect(&address).map(Some),
            Posted::Full => Ok(None),
        };
    answers.operate(work).await
}

async fn read(
    answers: &Answers,
    peer: DeviceKey,
    once: SignerKey,
    proof: Option<&[u8]>,
) -> Result<Messages, StoreError> {
    if open_to(answers, peer, once, proof, &[]).await?.is_none() {
        return Ok(None);
    }
    // What is too old goes before it is read.
    answers.today().await?;
    let address = mailbox_address(once);
    answers.operate(move |operator| operator.collect(&address).map(Some)).await
}

/// The space in which the mailbox is open, if it is open to this peer.
async fn open_to(
    answers: &Answers,
    peer: DeviceKey,
    once: SignerKey,
    proof: Option<&[u8]>,
    message: &[u8],
) -> Result<Option<SpaceId>, StoreError> {
    let proven = match proof {
        None => false,
        Some(proof) => match Signature::try_from(proof) {
            Ok(signature) if verify(once, &mailbox_message(once, message), &signature).is_ok() => true,
            _ => return Ok(None),
        },
    };
    let address = mailbox_address(once);
    let Some(space) = answers.operate(move |operator| operator.mailbox_space(&address)).await? else {
        return Ok(None);
    };
    let Some(membership) = answers.spaces.membership(space).await? else { return Ok(None) };
    let state = membership.state();
    let listed = state.invites.iter().any(|(_, invite)| invite.keys.iter().any(|listed| listed.key == once));
    Ok((listed && (proven || state.is_steward(peer))).then_some(space))
}
