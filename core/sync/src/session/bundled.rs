//! Frames that come in a file (PROTOCOL section 3, bundles), judged as if the device that wrote it were met: what it
//! carries is taken for what its authors signed, by the same checks and limits as on a line.

use std::collections::BTreeSet;

use alliance_crypto::Rules;
use alliance_wire::bundle::Carry;
use alliance_wire::frame::{ForkProof, Frame, Reason, Run};
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{DeviceKey, LogName, SpaceId, Stream, limits};

use super::names::NamedLog;
use super::receiving::{empty_view, insert_membership, nothing};
use super::verify::{self, Read, read_run, verify_run};
use crate::contract::{Head, Incoming, View};

/// What a frame of a bundle turned out to be.
#[derive(Debug, Default)]
pub struct Judged {
    /// What may be stored, in order.
    pub items: Vec<Incoming>,
    /// Entries among them.
    pub entries: u64,
    /// Something before it is not here: it can be taken once that is.
    pub waits: bool,
    /// Why something is not taken.
    pub refused: Option<Reason>,
}

impl Judged {
    fn refuse(reason: Reason) -> Self {
        Self { refused: Some(reason), ..Self::default() }
    }

    /// The membership that lists whoever this is of may be what is missing.
    fn wait() -> Self {
        Self { waits: true, ..Self::default() }
    }
}

/// What entries of a space are judged by of which nothing is here: one that this device asked to join.
#[must_use]
pub fn view_of_nothing(space: SpaceId, rules: Rules) -> View {
    empty_view(nothing(space), rules.membership)
}

/// Judges a frame of a page that `writer` signed, and puts what is taken on top of the view. Membership is taken from
/// anybody, as it proves itself; everything else from a device that may read the space now. One that was put out hands
/// over when it is met.
pub fn judge_bundled(view: &mut View, space: SpaceId, writer: DeviceKey, frame: Frame, rules: Rules) -> Judged {
    let proves_itself = matches!(&frame, Frame::Carry(carry) if carry.name.stream == Stream::Membership);
    if !proves_itself && rules.check_membership && !view.membership.state().may_read(writer) {
        return if view.membership.was_listed(writer) { Judged::refuse(Reason::Revoked) } else { Judged::wait() };
    }
    if let Frame::Carry(carry) = frame {
        run(view, carry, rules)
    } else if let Frame::Receipt { receipt, .. } = frame {
        taken_receipt(view, space, receipt)
    } else if let Frame::Fork { name, proof, .. } = frame {
        taken_fork(space, name, proof)
    } else {
        Judged::refuse(Reason::Malformed)
    }
}

fn run(view: &mut View, carry: Carry, rules: Rules) -> Judged {
    let id = carry.name.id(carry.space);
    let data = carry.name.stream == Stream::Data;
    if data && rules.check_membership && !view.membership.state().is_admitted(carry.name.device) {
        let listed = view.membership.was_listed(carry.name.device);
        return if listed { Judged::refuse(Reason::NotMember) } else { Judged::wait() };
    }
    if data && other_incarnations(view, &carry.name) >= limits::INCARNATIONS_MAX {
        return Judged::refuse(Reason::TooMany);
    }
    let mut named = NamedLog { space: carry.space, id, name: carry.name, last: None };
    let head = view.heads.get(&id);
    // It does not build on what is here under that number: the store finds where it belongs, or the fork.
    let beside = head.is_some_and(|head| head.seq + 1 == carry.first && head.hash != carry.prev);
    let (head, reading) = if beside { (None, Rules { check_chain: false, ..rules }) } else { (head, rules) };
    let run = Run { log: 0, first: carry.first, prev: Some(carry.prev), entries: carry.entries };
    let entries = match read_run(&mut named, run, head, reading) {
        Read::Entries(entries) => entries,
        Read::Known => return Judged::default(),
        Read::Gap | Read::Forked => return Judged::wait(),
        Read::Malformed => return Judged::refuse(Reason::Malformed),
    };
    let (good, bad) = verify_run(&named, entries, rules);
    let mut judged = Judged { refused: bad.map(|(_, reason)| reason), ..Judged::default() };
    for entry in good {
        if !data {
            match insert_membership(&mut view.membership, &entry) {
                Ok(()) => {}
                Err(None) => {
                    judged.waits = true;
                    break;
                }
                Err(reason) => {
                    judged.refused = reason;
                    break;
                }
            }
        }
        let head = Head { name: named.name.clone(), seq: entry.seq(), hash: entry.hash() };
        if !beside && view.heads.get(&id).is_none_or(|known| known.seq < head.seq) {
            view.heads.insert(id, head);
        }
        judged.entries += 1;
        judged.items.push(Incoming::Entry(entry));
    }
    judged
}

fn other_incarnations(view: &View, name: &LogName) -> usize {
    let others = |head: &&Head| head.name.device == name.device && head.name.incarnation != name.incarnation;
    view.heads.values().filter(others).map(|head| head.name.incarnation).collect::<BTreeSet<_>>().len()
}

fn taken_receipt(view: &View, space: SpaceId, receipt: SignedReceipt) -> Judged {
    let known = |device| view.membership.state().is_active(device) || view.membership.was_listed(device);
    match verify::verify_receipt(space, receipt).filter(|verified| known(verified.receipt().device)) {
        Some(verified) => Judged { items: vec![Incoming::Receipt(verified)], ..Judged::default() },
        None => Judged::refuse(Reason::Signature),
    }
}

fn taken_fork(space: SpaceId, name: LogName, proof: ForkProof) -> Judged {
    if !verify::verify_fork(space, &name, &proof) {
        // As on a line: the entries themselves will show the fork.
        return Judged::refuse(Reason::Signature);
    }
    Judged { items: vec![Incoming::Fork(space, name, proof)], ..Judged::default() }
}
