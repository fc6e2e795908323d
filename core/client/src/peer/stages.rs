//! How a conversation goes on when nothing is under way, and how it ends.

use std::time::Duration;

use alliance_sync::{Effect, Incoming, Input, Query};
use alliance_wire::bundle::Carry;
use alliance_wire::{Frame, SpaceId, limits};
use tokio::time::Instant;

use super::{ENDING_WAIT, Hear, MAIL_EVERY, RECEIPT_WAIT, RECEIPTS_EVERY, Stage, Talk};
use crate::courier::RUNS_MAX;
use crate::error::Error;
use crate::inner::lock;
use crate::views::Progress;

impl Talk<'_> {
    /// Goes on with what can go on when nothing is under way.
    pub(super) async fn advance(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        while let Some(frame) = self.mail.pop_front() {
            self.on_mail(frame, hear).await?;
        }
        if let Stage::Ending(until) = self.stage
            && (self.session.is_idle() || Instant::now() >= until)
        {
            self.stage = Stage::Done;
            return Ok(());
        }
        if !self.session.is_idle() {
            return Ok(());
        }
        self.take_in().await?;
        self.hear_of_own(hear).await?;
        if self.end.is_some() || !self.session.is_idle() {
            return Ok(());
        }
        match self.stage {
            Stage::Exchanging if self.session.has_settled() => {
                self.report.settled = true;
                if self.live {
                    self.live_settled(hear).await?;
                } else {
                    self.begin_mail().await?;
                }
            }
            // One of both does not take something: what else there was has been exchanged.
            Stage::Exchanging if !self.live && self.session.is_apart() => self.begin_mail().await?,
            Stage::Mail { due, until } if !self.live && (due == 0 || Instant::now() >= until) => {
                self.stage = Stage::Receipts;
                self.tell_receipts(hear).await?;
            }
            Stage::Receipts if self.meeting.relay => self.stage = Stage::Done,
            Stage::Receipts => self.stage = Stage::TheirReceipt(Instant::now() + RECEIPT_WAIT),
            Stage::TheirReceipt(until) => {
                if Instant::now() >= until || self.inner.peer_confirmed(self.peer).await? {
                    self.stage = Stage::Done;
                }
            }
            Stage::Exchanging | Stage::Mail { .. } | Stage::Ending(_) | Stage::Done => {}
        }
        // Stages follow each other without anything coming in between.
        let nothing_due = matches!(self.stage, Stage::Mail { due: 0, .. }) && !self.live;
        if nothing_due || (self.stage == Stage::Receipts && self.session.is_idle()) {
            return Box::pin(self.advance(hear)).await;
        }
        Ok(())
    }

    /// On a live connection receipts follow a settled exchange, and mailboxes are asked once.
    pub(super) async fn live_settled(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        self.tell_receipts(hear).await?;
        self.begin_mail().await
    }

    /// What a live connection does now and then: drafts that nobody touches are sealed, mailboxes are asked again, and
    /// a receipt says what came meanwhile.
    pub(super) async fn look_around(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        self.inner.seal_all(Some(Duration::from_millis(limits::DRAFT_IDLE_MILLIS))).await?;
        if self.asked_mail.elapsed() >= MAIL_EVERY && matches!(self.stage, Stage::Mail { .. }) {
            self.begin_mail().await?;
        }
        if self.told_receipts.elapsed() >= RECEIPTS_EVERY {
            self.tell_receipts(hear).await?;
        }
        Ok(())
    }

    /// Somebody said stop: drafts are sealed, and the last receipts leave.
    pub(super) async fn begin_ending(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        self.inner.seal_all(None).await?;
        self.take_in().await?;
        if self.session.has_settled() {
            self.tell_receipts(hear).await?;
        }
        self.live = false;
        self.stage = Stage::Ending(Instant::now() + ENDING_WAIT);
        Ok(())
    }

    pub(super) async fn take_in(&mut self) -> Result<(), Error> {
        self.inner.renew_if_ended().await?;
        let dirty = std::mem::take(&mut self.dirty);
        lock(&self.inner.untaken).extend(dirty.iter().copied());
        if self.meeting.words.is_some() {
            // It opens for the words, which see to that when all is here.
            return Ok(());
        }
        for space in dirty {
            let mut work = self.inner.work.lock().await;
            self.inner.take_in(&mut work, space).await?;
            self.inner.admit_what_is_needed(&mut work, space).await?;
            lock(&self.inner.untaken).remove(&space);
        }
        self.inner.follow_home().await
    }

    /// What was written here while something was taken in, such as what a device that was put out still hands over, goes
    /// before the conversation ends.
    async fn hear_of_own(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        while let Ok(tail) = self.changes.try_recv() {
            self.on_change(Ok(tail), hear).await?;
        }
        Ok(())
    }

    pub(super) async fn begin_mail(&mut self) -> Result<(), Error> {
        self.inner.adopt_drafts().await?;
        self.asked_mail = Instant::now();
        let frames = self.inner.mail_to_collect(self.peer, self.meeting.relay).await?;
        let mut hands = if self.meeting.words.is_none() { self.inner.to_hand(self.peer).await? } else { Vec::new() };
        if self.meeting.relay && self.meeting.words.is_none() && !self.inner.is_metered() {
            let room = RUNS_MAX.saturating_sub(hands.len());
            hands.extend(self.inner.bundles_to_hand(self.peer, room).await?);
        }
        let until = Instant::now() + Duration::from_millis(limits::HANDSHAKE_MILLIS);
        self.stage = Stage::Mail { due: frames.len() + hands.len(), until };
        for frame in frames {
            self.send(&frame);
        }
        self.handing = hands.into();
        self.hand_next();
        Ok(())
    }

    /// One at a time: the relay takes so many at once and then one each second, and what comes next may build on it.
    fn hand_next(&mut self) {
        if let Some((frame, _)) = self.handing.front() {
            let frame = frame.clone();
            self.send(&frame);
        }
    }

    /// What was carried is durable there, as far as it was taken.
    async fn on_carried(&mut self) -> Result<(), Error> {
        let Some((_, row)) = self.handing.pop_front() else { return Ok(()) };
        self.inner.device.apply(row.into_iter().collect()).await?;
        if let Stage::Mail { due, until } = &mut self.stage {
            *due = due.saturating_sub(1);
            *until = Instant::now() + Duration::from_millis(limits::HANDSHAKE_MILLIS);
        }
        self.hand_next();
        Ok(())
    }

    /// Somebody has entries of another member in its hands.
    async fn on_carry(&mut self, carry: Carry) -> Result<(), Error> {
        let space = carry.space;
        if self.inner.take_carried(carry).await? {
            self.dirty.insert(space);
        }
        self.send(&Frame::Carried {});
        Ok(())
    }

    pub(super) async fn on_mail(&mut self, frame: Frame, hear: Hear<'_>) -> Result<(), Error> {
        if let Frame::Carry(carry) = frame {
            return self.on_carry(carry).await;
        }
        if frame == (Frame::Carried {}) {
            return self.on_carried().await;
        }
        let Frame::Mail { once, messages } = frame else {
            // Of relays nobody is expected to ask.
            if !self.meeting.relay
                && let Some(answer) = self.inner.answer_as_mailbox(&frame).await?
            {
                self.send(&answer);
                hear(Progress::Invitation);
            }
            return Ok(());
        };
        if let Stage::Mail { due, .. } = &mut self.stage {
            *due = due.saturating_sub(1);
        }
        let messages: Vec<Vec<u8>> = messages.unwrap_or_default().into_iter().map(Vec::from).collect();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let posts = match self.inner.on_invite_mail(once, &messages).await? {
            Some(posts) => posts,
            None => self.inner.on_join_mail(once, &messages).await?.unwrap_or_default(),
        };
        if !messages.is_empty() {
            hear(Progress::Invitation);
        }
        for post in posts {
            if let Stage::Mail { due, .. } = &mut self.stage {
                *due += 1;
            }
            self.send(&post);
        }
        Ok(())
    }

    pub(super) async fn tell_receipts(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        self.told_receipts = Instant::now();
        for tail in self.inner.write_receipts().await? {
            if self.shares(tail.space).await? {
                self.feed(Input::Changed(tail), hear).await?;
            }
        }
        Ok(())
    }

    /// The connection is over: what came in whole is kept and shown.
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        let mut effects = Vec::new();
        self.session.handle(self.now(), Input::Ended, &mut effects);
        for effect in effects {
            if let Effect::Ask(_, Query::Persist(batch)) = effect {
                let spaces: Vec<SpaceId> = batch.items.iter().map(Incoming::space).collect();
                self.inner.spaces.persist(batch).await?;
                self.dirty.extend(spaces);
            }
        }
        self.take_in().await?;
        self.inner.drop_what_was_handed_over().await
    }
}
