//! A line whose entries are counted as they come.
#![allow(unreachable_pub)]

use std::sync::{Arc, Mutex};

use alliance_net::{Line, LineReceiver, ReceiveError};
use alliance_wire::{DeviceKey, Frame};

/// Entries that came to somebody, by their signatures, which no other has.
pub type Arrived = Arc<Mutex<Vec<[u8; 64]>>>;

/// A line to a client, whatever key the transport knows it by.
pub struct Counted<L> {
    pub line: L,
    pub peer: DeviceKey,
    pub arrived: Arrived,
}

pub struct CountedReceiver<R> {
    receiver: R,
    arrived: Arrived,
}

impl<R> CountedReceiver<R> {
    fn count(&self, frame: Option<&Frame>) {
        if let Some(Frame::Run(run)) = frame {
            self.arrived.lock().unwrap().extend(run.entries.iter().map(|entry| entry.signature));
        }
    }
}

impl<L: Line> Line for Counted<L> {
    type Sender = L::Sender;
    type Receiver = CountedReceiver<L::Receiver>;
    type Handle = L::Handle;

    fn peer(&self) -> DeviceKey {
        self.peer
    }

    fn split(self) -> (Self::Handle, Self::Sender, Self::Receiver) {
        let (handle, sender, receiver) = self.line.split();
        (handle, sender, CountedReceiver { receiver, arrived: self.arrived })
    }
}

impl<R: LineReceiver> LineReceiver for CountedReceiver<R> {
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        let came = self.receiver.recv().await;
        if let Ok(Some(bytes)) = &came {
            self.count(Frame::decode(bytes).ok().as_ref());
        }
        came
    }

    fn take_beginning(&mut self) -> Vec<u8> {
        let beginning = self.receiver.take_beginning();
        self.count(Frame::beginning(&beginning).as_ref());
        beginning
    }
}
