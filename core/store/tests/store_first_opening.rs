//! The first opening of a process, by many threads at once. A program of its own: a process has one first opening.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Barrier;
use std::thread;

use alliance_store::{Device, Fresh, Kdf, Options, StoreHeader, StoreKey};
use alliance_wire::{Incarnation, Instance};

const THREADS: u8 = 16;

#[test]
fn first_opening_by_many_threads() {
    let barrier = Barrier::new(usize::from(THREADS));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let barrier = &barrier;
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let key = StoreKey::new([number; 32]);
                let header = StoreHeader::new([number; 16], Kdf { memory_kib: 8, passes: 1, lanes: 1 }, &key);
                let fresh = Fresh { incarnation: Incarnation([number; 16]), instance: Instance([number; 16]) };
                barrier.wait();
                let (device, opened) = Device::create(folder.path(), &header, &key, fresh, Options::default()).unwrap();
                device.close();
                assert!(opened.fresh);
            });
        }
    });
}
