//! What a connection tells beside entries: mailboxes, refusals, open documents, receipts.

use std::time::Duration;

use alliance_store::SqliteReplica;
use alliance_wire::{DeviceKey, Frame, SpaceId, limits};
use tokio::time::Instant;

use crate::error::Error;
use crate::inner::{Inner, lock};

impl Inner {
    /// Requests for every mailbox that something may lie in: a relay's, or that of an inviter who is met.
    pub(super) async fn mail_to_collect(&self, peer: DeviceKey, relay: bool) -> Result<Vec<Frame>, Error> {
        if !relay {
            return self.join_mail(Some(peer)).await;
        }
        let mut frames = self.invite_mail().await?;
        frames.extend(self.join_mail(None).await?);
        Ok(frames)
    }

    /// A relay does not take a space: it is not asked again until the membership changes.
    pub(super) async fn relay_refused(
        &self,
        relay: DeviceKey,
        space: SpaceId,
        reason: alliance_wire::frame::Reason,
    ) -> Result<(), Error> {
        use alliance_store::Replica as _;
        let known = self.spaces.membership(space).await?.is_some();
        if known && reason == alliance_wire::frame::Reason::TokenNeeded {
            SqliteReplica::set_absent(self.device.replica(), relay, space).await?;
        }
        Ok(())
    }

    /// Somebody has a document open: for a minute its drafts are sealed as soon as the line is free.
    pub(super) async fn heard_watching(&self, space: SpaceId, sealed: &[u8]) -> Result<(), Error> {
        let mut work = self.work.lock().await;
        let keyring = self.keyring(&mut work, space).await?;
        let Ok(notice) = alliance_crypto::Watching::open(space, sealed, |epoch| keyring.get(epoch)) else {
            return Ok(());
        };
        drop(work);
        if notice.device != self.me {
            let until = Instant::now() + Duration::from_millis(limits::WATCHING_MILLIS);
            lock(&self.watched).insert(notice.document, until);
            self.seal_watched(space).await?;
        }
        Ok(())
    }

    /// Seals drafts of documents that somebody has open, if no entry of ours is on its way.
    pub(super) async fn seal_watched(&self, space: SpaceId) -> Result<(), Error> {
        if lock(&self.watched).is_empty() {
            return Ok(());
        }
        for draft in self.device.drafts().await? {
            if draft.space == space && self.is_watched_and_free(space, draft.document).await? {
                let mut work = self.work.lock().await;
                self.seal_draft(&mut work, space, draft.document).await?;
            }
        }
        Ok(())
    }

    /// Whether a device's receipts show that it has what we have of everything that we share.
    pub(super) async fn peer_confirmed(&self, peer: DeviceKey) -> Result<bool, Error> {
        use alliance_store::Replica as _;
        for space in self.device.replica().member_spaces(peer).await? {
            let Some(view) = self.spaces.view(space).await? else { continue };
            if !view.membership.state().is_active(self.me) {
                // Nothing of it goes to the peer any more.
                continue;
            }
            let receipts = self.device.replica().receipts(space).await?;
            let theirs = receipts.iter().filter_map(|it| it.parse().ok()).find(|receipt| receipt.device == peer);
            let has = |receipt: &alliance_wire::Receipt| {
                view.heads.iter().all(|(log, head)| receipt.vector.iter().any(|row| row.has(*log, head.seq)))
            };
            if !theirs.as_ref().is_some_and(has) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
