//! A line as QUIC gives it over a bad network: frames arrive whole and in order, late, or not any more.
//!
//! Each frame travels in packets of 1,200 bytes. A packet is lost, late or doubled by chance; a lost one goes again after
//! a timeout; a frame has arrived when all packets up to its last one have. A session sees delay, or a line that breaks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alliance_net::{
    ByteCounts, CloseReason, ConnectionLost, Line, LineHandle, LineReceiver, LineSender, ReceiveError, SendError,
};
use alliance_wire::{DeviceKey, Frame};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::alter::Alterer;
use super::fault::Faults;
use super::network::Quality;
use crate::random::Random;

const PACKET: usize = 1_200;
/// Bytes under way before a sender waits.
const WINDOW: usize = 64 * 1_024;
/// What is under way when a line breaks still arrives.
const BREAKS: Duration = Duration::from_secs(1);

/// What both ends of a line have in common.
#[derive(Debug)]
pub(super) struct Core {
    inner: Mutex<Inner>,
    faults: Faults,
    /// For the receiver and the sender of each side.
    heard: [Notify; 2],
    room: [Notify; 2],
}

#[derive(Debug)]
struct Inner {
    quality: Quality,
    random: Random,
    /// Frames of a hundred that the listener alters.
    altering: usize,
    alterer: Alterer,
    /// How many bytes the dialler may still send before the line breaks.
    left: Option<usize>,
    /// What each side has sent.
    ways: [Way; 2],
    /// Nothing that is sent from here on arrives, though no side knows yet.
    severed: bool,
    /// When the line ends for each side, and how.
    ends: [Option<(Instant, ConnectionLost)>; 2],
}

#[derive(Debug, Default)]
struct Way {
    queue: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    free: Option<Instant>,
    last: Option<Instant>,
    finished: Option<Instant>,
    sent: u64,
    received: u64,
    /// What came of the frame that the end of the line went through.
    beginning: Vec<u8>,
}

impl Core {
    /// `altering`: frames of a hundred that the listener alters; `left`: bytes of the dialler's after which the line breaks.
    pub(super) fn new(
        quality: Quality,
        random: Random,
        (altering, left): (usize, Option<usize>),
        faults: Faults,
    ) -> Self {
        let (ways, ends, alterer) = ([Way::default(), Way::default()], [None; 2], Alterer::default());
        let inner = Inner { quality, random, altering, alterer, left, ways, severed: false, ends };
        let heard = [Notify::new(), Notify::new()];
        Self { inner: Mutex::new(inner), faults, heard, room: [Notify::new(), Notify::new()] }
    }

    /// The line breaks, which both hear of at a moment; nothing arrives from now on. Says whether a frame was under way,
    /// or nothing if the line was over before.
    pub(super) fn cut(&self, at: Instant, why: [ConnectionLost; 2]) -> Option<bool> {
        self.sever(at, Instant::now(), why)
    }

    /// The line takes nothing any more, and both hear of it at a moment; what is under way still arrives until another.
    fn sever(&self, at: Instant, until: Instant, why: [ConnectionLost; 2]) -> Option<bool> {
        let mut inner = self.lock();
        let over = inner.ends.iter().any(Option::is_some);
        let inside = inner.ways.iter().any(|way| !way.queue.is_empty());
        inner.end(0, at, why[0]);
        inner.end(1, at, why[1]);
        inner.severed = true;
        inner.drop_after(until);
        drop(inner);
        self.wake();
        (!over).then_some(inside)
    }

    /// Nothing moves for so long.
    pub(super) fn hold_up(&self, now: Instant, long: Duration) {
        let mut inner = self.lock();
        for way in &mut inner.ways {
            way.queue.iter_mut().for_each(|(at, _)| *at += long);
            way.free = Some(way.free.unwrap_or(now).max(now) + long);
            way.last = way.last.map(|last| last + long);
            way.finished = way.finished.map(|at| at + long);
        }
        drop(inner);
        self.wake();
    }

    /// One side's process is gone.
    pub(super) fn abandon(&self, side: usize, late: Duration) {
        let mut inner = self.lock();
        let now = Instant::now();
        inner.end(side, now, ConnectionLost::ClosedHere);
        // Nobody says goodbye: the other side finds out when nothing comes for a while, or at its next packet.
        let wait = Duration::from_millis(inner.random.below(30_000) as u64);
        inner.end(1 - side, now + late + wait, ConnectionLost::Reset);
        inner.drop_after(now + late);
        drop(inner);
        self.wake();
    }

    /// One side closes: the other is told, and what has not arrived by then is gone.
    fn close(&self, side: usize, reason: CloseReason) {
        let mut inner = self.lock();
        if inner.ends[side].is_some() {
            return;
        }
        let now = Instant::now();
        let told = now + Duration::from_millis(inner.quality.delay_millis);
        inner.end(side, now, ConnectionLost::ClosedHere);
        inner.end(1 - side, told, ConnectionLost::Closed(reason));
        inner.drop_after(told);
        drop(inner);
        self.wake();
    }

    fn wake(&self) {
        for side in 0..2 {
            self.heard[side].notify_one();
            self.room[side].notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn end(&mut self, side: usize, at: Instant, why: ConnectionLost) {
        if self.ends[side].is_none_or(|(known, _)| at < known) {
            self.ends[side] = Some((at, why));
        }
    }

    fn drop_after(&mut self, at: Instant) {
        for way in &mut self.ways {
            let whole = way.queue.iter().take_while(|(arrives, _)| *arrives <= at).count();
            if let Some((_, mut frame)) = way.queue.drain(whole..).next() {
                frame.truncate(self.random.below(frame.len()));
                way.beginning = frame;
            }
            way.bytes = way.queue.iter().map(|(_, frame)| frame.len()).sum();
        }
    }

    fn lost(&self, side: usize) -> Option<ConnectionLost> {
        self.ends[side].filter(|(at, _)| *at <= Instant::now()).map(|(_, why)| why)
    }

    /// Takes a frame's bytes from what the line still carries.
    fn breaks(&mut self, length: usize) -> bool {
        match &mut self.left {
            Some(left) if *left < length => true,
            Some(left) => {
                *left -= length;
                false
            }
            None => false,
        }
    }

    fn alter(&mut self, frame: &mut Vec<u8>) -> bool {
        self.alterer.frame(frame, self.altering, &mut self.random)
    }

    /// When a frame that leaves now has arrived.
    fn travel(&mut self, side: usize, length: usize, faults: &Faults) -> Instant {
        let now = Instant::now();
        let quality = self.quality;
        let way = &mut self.ways[side];
        let mut arrived = way.last.unwrap_or(now);
        let (mut lost, mut late, mut doubled) = (0, 0, 0);
        for packet in 0..length.div_ceil(PACKET) {
            let bytes = PACKET.min(length - packet * PACKET) as u64;
            let leaves = way.free.unwrap_or(now).max(now);
            let takes = Duration::from_micros(bytes * 1_000_000 / quality.rate);
            way.free = Some(leaves + takes);
            let jitter = self.random.below(quality.jitter_millis + 1) as u64;
            let mut at = leaves + takes + Duration::from_millis(quality.delay_millis + jitter);
            while self.random.chance(quality.loss_percent) {
                lost += 1;
                at += Duration::from_millis(quality.delay_millis * 3 + 100);
            }
            if self.random.chance(quality.reorder_percent) {
                late += 1;
                at += Duration::from_millis(quality.delay_millis);
            }
            doubled += u64::from(self.random.chance(quality.duplicate_percent));
            arrived = arrived.max(at);
        }
        faults.count("packet lost", lost);
        faults.count("packet reordered", late);
        faults.count("packet duplicated", doubled);
        way.last = Some(arrived);
        arrived
    }
}

/// Closes the line when the last part of an end goes.
#[derive(Debug)]
struct End {
    core: Arc<Core>,
    side: usize,
}

impl Drop for End {
    fn drop(&mut self) {
        self.core.close(self.side, CloseReason::Done);
    }
}

/// One end of a line.
#[derive(Debug)]
pub struct SimLine {
    end: Arc<End>,
    peer: DeviceKey,
}

impl SimLine {
    pub(super) fn new(core: &Arc<Core>, side: usize, peer: DeviceKey) -> Self {
        Self { end: Arc::new(End { core: Arc::clone(core), side }), peer }
    }
}

/// The sending half, the receiving half, and what counts and closes.
#[derive(Debug)]
pub struct Half(Arc<End>);

impl Line for SimLine {
    type Sender = Half;
    type Receiver = Half;
    type Handle = Half;

    fn peer(&self) -> DeviceKey {
        self.peer
    }

    fn split(self) -> (Half, Half, Half) {
        (Half(Arc::clone(&self.end)), Half(Arc::clone(&self.end)), Half(self.end))
    }
}

impl LineSender for Half {
    async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        let End { core, side } = &*self.0;
        loop {
            {
                let mut inner = core.lock();
                if let Some(lost) = inner.lost(*side) {
                    return Err(lost.into());
                }
                if inner.ways[*side].bytes < WINDOW {
                    if *side == 0 && inner.breaks(frame.len()) {
                        drop(inner);
                        let at = Instant::now() + BREAKS;
                        core.sever(at, at, [ConnectionLost::TimedOut; 2]);
                        return Err(ConnectionLost::TimedOut.into());
                    }
                    let mut frame = frame.to_vec();
                    // The listener's side is the relay's.
                    if *side == 1 && inner.altering > 0 && inner.alter(&mut frame) {
                        core.faults.fire("frame altered by the relay");
                    }
                    let at = inner.travel(*side, frame.len(), &core.faults);
                    let ended = inner.severed || inner.ends[1 - *side].is_some_and(|(end, _)| end < at);
                    let way = &mut inner.ways[*side];
                    way.sent += prefixed(frame.len());
                    if !ended {
                        way.bytes += frame.len();
                        way.queue.push_back((at, frame));
                    }
                    drop(inner);
                    core.heard[1 - *side].notify_one();
                    return Ok(());
                }
            }
            core.room[*side].notified().await;
        }
    }

    async fn finish(&mut self) -> Result<(), SendError> {
        let End { core, side } = &*self.0;
        let until = {
            let mut inner = core.lock();
            if let Some(lost) = inner.lost(*side) {
                return goodbye(lost);
            }
            let now = Instant::now();
            let way = &mut inner.ways[*side];
            let at = way.last.unwrap_or(now).max(now);
            way.finished = Some(at);
            let back = Duration::from_millis(inner.quality.delay_millis);
            at + back
        };
        core.heard[1 - *side].notify_one();
        loop {
            let end = core.lock().ends[*side];
            let now = Instant::now();
            match end {
                Some((at, why)) if at <= now => return goodbye(why),
                _ if until <= now => return Ok(()),
                _ => {}
            }
            let next = end.map_or(until, |(at, _)| at.min(until));
            tokio::select! {
                biased;
                () = sleep_until(next) => {}
                () = core.room[*side].notified() => {}
            }
        }
    }
}

/// A peer that closed as done has everything.
fn goodbye(lost: ConnectionLost) -> Result<(), SendError> {
    if lost == ConnectionLost::Closed(CloseReason::Done) { Ok(()) } else { Err(lost.into()) }
}

impl LineReceiver for Half {
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        let End { core, side } = &*self.0;
        loop {
            let next = {
                let mut inner = core.lock();
                let now = Instant::now();
                let lost = inner.lost(*side);
                let end = inner.ends[*side].map(|(at, _)| at);
                let way = &mut inner.ways[1 - *side];
                match way.queue.front() {
                    Some((at, _)) if *at <= now => {
                        let frame = way.queue.pop_front().map(|(_, frame)| frame).unwrap_or_default();
                        way.bytes -= frame.len();
                        way.received += prefixed(frame.len());
                        drop(inner);
                        core.room[1 - *side].notify_one();
                        return Ok(Some(frame));
                    }
                    _ if lost.is_some() => return lost.map_or(Ok(None), |lost| Err(lost.into())),
                    None if way.finished.is_some_and(|at| at <= now) => return Ok(None),
                    front => [front.map(|(at, _)| *at), way.finished, end].into_iter().flatten().min(),
                }
            };
            let wake = next.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
            tokio::select! {
                biased;
                () = sleep_until(wake) => {}
                () = core.heard[*side].notified() => {}
            }
        }
    }

    fn take_beginning(&mut self) -> Vec<u8> {
        beginning(&self.0.core, self.0.side)
    }
}

/// What came of a frame, once no whole one is left to be heard.
fn beginning(core: &Core, side: usize) -> Vec<u8> {
    let beginning = std::mem::take(&mut core.lock().ways[1 - side].beginning);
    if Frame::beginning(&beginning).is_some() {
        core.faults.fire("a page's beginning kept");
    }
    beginning
}

impl LineHandle for Half {
    fn byte_counts(&self) -> ByteCounts {
        let inner = self.0.core.lock();
        let side = self.0.side;
        ByteCounts {
            frames_sent: inner.ways[side].sent,
            frames_received: inner.ways[1 - side].received,
            ..ByteCounts::default()
        }
    }

    fn close(&self, reason: CloseReason) {
        self.0.core.close(self.0.side, reason);
    }
}

/// Bytes of a frame with its length before it.
const fn prefixed(length: usize) -> u64 {
    let prefix = if length < 128 {
        1
    } else if length < 16_384 {
        2
    } else {
        3
    };
    (length + prefix) as u64
}
