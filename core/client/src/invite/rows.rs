//! Invitations as the inviter's store keeps them.

use std::collections::BTreeMap;

use alliance_crypto::PendingInvite;
use alliance_store::device::{DeviceOp, Pending};
use alliance_wire::{HeaderHash, SignerKey, codec};

use crate::error::{Code, Error};
use crate::reference::{begins, only};

/// Which pending rows are invitations.
pub(super) const INVITES: u8 = 1;

/// An invitation as it is kept.
#[derive(Clone, minicbor::Encode, minicbor::Decode)]
pub(crate) struct Row {
    #[n(0)]
    pub(crate) pending: PendingInvite,
    /// The `invite` entry.
    #[n(1)]
    pub(super) entry: HeaderHash,
    #[n(2)]
    pub(super) text: String,
    #[n(3)]
    pub(super) expires: u64,
    /// The reveal, once somebody answered.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) reveal: Option<Vec<u8>>,
    #[n(5)]
    pub(super) state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub(super) enum State {
    #[n(0)]
    Open,
    #[n(1)]
    Confirmed,
    #[n(2)]
    Spent,
}

impl Row {
    /// An invitation that nobody has answered.
    pub(crate) const fn open(pending: PendingInvite, entry: HeaderHash, text: String, expires: u64) -> Self {
        Self { pending, entry, text, expires, reveal: None, state: State::Open }
    }

    /// The newcomer was let in.
    pub(crate) const fn confirmed(&mut self) {
        self.state = State::Confirmed;
    }

    pub(super) fn key(&self) -> SignerKey {
        self.pending.once_key().key
    }

    pub(crate) fn row(&self) -> DeviceOp {
        DeviceOp::PutPending(Pending { kind: INVITES, id: self.key().0.to_vec(), value: codec::encode(self) })
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.state == State::Open
    }

    /// A relay has a mailbox for it: not for a further device, which no entry speaks of.
    pub(super) const fn has_mailbox(&self) -> bool {
        self.pending.person().is_none()
    }
}

/// How many texts one `invite` entry has, and how many of them nobody has answered in their time.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    pub(super) all: u16,
    pub(super) open: u16,
}

impl Uses {
    pub(super) fn count(rows: &[Row], now: u64) -> BTreeMap<HeaderHash, Self> {
        let mut uses = BTreeMap::<HeaderHash, Self>::new();
        for row in rows {
            let of = uses.entry(row.entry).or_default();
            let open = row.is_waiting() && row.pending.accept().is_none() && now <= row.expires;
            of.all += 1;
            of.open += u16::from(open);
        }
        uses
    }
}

/// The one row whose number begins so. Two that begin alike are told apart by more digits, never by their order: the
/// words of one would spend the other.
pub(super) fn named(rows: &[Row], invite: &str) -> Result<Row, Error> {
    let invite = invite.trim();
    let fitting = rows.iter().filter(|row| begins(&row.key(), invite));
    Ok(only(fitting, Code::UnknownInvitation, "invitation", invite)?.clone())
}
