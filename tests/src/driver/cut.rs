//! A line that breaks at one byte.

use alliance_sync::Input;
use alliance_wire::Frame;

use super::link::on_line;
use super::{Driver, Meeting};

/// Where a connection breaks.
#[derive(Debug)]
pub(super) struct Cut {
    /// The end whose stream it goes through.
    side: usize,
    /// Bytes that still come through.
    left: u64,
    /// Nothing moves any more, in either direction.
    over: bool,
    /// What came of the frame that the cut goes through.
    beginning: Vec<u8>,
}

impl Cut {
    /// Whether a frame arrives whole at an end.
    pub(super) fn lets_through(&mut self, to: usize, frame: &[u8]) -> bool {
        if self.over || to != self.side {
            return !self.over;
        }
        let length = on_line(frame);
        if self.left >= length {
            self.left -= length;
            return true;
        }
        self.over = true;
        let prefix = length - frame.len() as u64;
        let came = usize::try_from(self.left.saturating_sub(prefix)).expect("less than a frame");
        self.beginning = frame[..came].to_vec();
        false
    }
}

impl Driver {
    /// One connection that breaks when `bytes` have arrived at the dialler (`side` 0) or the listener (1). What came
    /// whole is kept. Where fewer bytes go that way it does not break: then it says how many were left.
    pub fn meet_until(&mut self, (a, b): (usize, usize), side: usize, bytes: u64) -> Option<u64> {
        self.open_after(a, b, false, false);
        let at = self.links.len() - 1;
        // Both have said nothing yet but for the dialler's Hello, which is on its way to the listener.
        let mut cut = Cut { side, left: bytes, over: false, beginning: Vec::new() };
        self.links[at].ends[1].arriving.retain(|frame| cut.lets_through(1, frame));
        self.links[at].cut = Some(cut);
        self.drain(at);
        let cut = self.links[at].cut.take();
        let left = cut.as_ref().filter(|cut| !cut.over).map(|cut| cut.left);
        if let Some(frame) = cut.and_then(|cut| Frame::beginning(&cut.beginning)) {
            self.hear_frame(at, side, frame);
            self.drain(at);
        }
        self.close(at);
        self.links.pop();
        left
    }

    /// Everything happens that can, without any time passing.
    fn drain(&mut self, at: usize) {
        let steps = (0..100_000).take_while(|_| self.links[at].open && self.progress(at)).count();
        assert!(steps < 100_000, "two sessions that never come to an end");
    }

    /// One clean connection between two replicas that know that their last one broke.
    pub fn meet_again(&mut self, a: usize, b: usize) -> Meeting {
        self.open_after(a, b, false, true);
        self.finish_meeting()
    }

    /// A frame arrives, whole or what came whole of it.
    pub(super) fn hear_frame(&mut self, at: usize, side: usize, frame: Frame) {
        if let (Some(arrived), Frame::Run(run)) = (&mut self.arrived, &frame) {
            let node = self.links[at].ends[side].node;
            arrived.extend(run.entries.iter().map(|entry| (node, entry.signature)));
        }
        self.feed(at, side, Input::Frame(frame));
    }
}
