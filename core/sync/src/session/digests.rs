//! Digests: asking where the other is in single spaces.

use alliance_wire::frame::{DigestRow, Reason};
use alliance_wire::{Frame, SpaceId, limits};

use super::receiving::nothing;
use super::space::Position;
use super::{Role, Session};
use crate::contract::{Effect, SharedSpace};

/// Whoever comes with recovery words takes up so many spaces on one connection.
const SPACES_TAKEN_MAX: usize = 1_024;

impl Session {
    /// Asks the peer where it is in these spaces, compared with our digests: it answers each with its own digest if
    /// that is equal, with a vector, or by refusing.
    pub(super) fn probe(&mut self, spaces: &[SpaceId], out: &mut Vec<Effect>) {
        for id in spaces {
            if let Some(space) = self.spaces.get_mut(id) {
                space.sending.probing = true;
            }
        }
        self.tell_digests(spaces, out);
    }

    fn tell_digests(&mut self, spaces: &[SpaceId], out: &mut Vec<Effect>) {
        let mut rows: Vec<DigestRow> = Vec::with_capacity(spaces.len());
        for id in spaces {
            if let Some(space) = self.spaces.get(id) {
                rows.push(DigestRow { space: *id, digest: space.tail.digest });
            }
        }
        let frames = rows.len().div_ceil(limits::DIGEST_ROWS_MAX);
        for (index, rows) in rows.chunks(limits::DIGEST_ROWS_MAX).enumerate() {
            out.push(Effect::Send(Frame::Digests { rows: rows.to_vec(), last: index + 1 == frames }));
        }
    }

    pub(super) fn on_digests(&mut self, rows: &[DigestRow], _last: bool, out: &mut Vec<Effect>) {
        let mut tell = Vec::new();
        let device = matches!(self.config.role, Role::Device { .. });
        for row in rows {
            if device && let Some(space) = self.spaces.get(&row.space).filter(|space| space.is_excluded()) {
                // It said that it does not have the space for us, and now it has: somebody added us meanwhile.
                self.share(SharedSpace { tail: space.tail, cursor: space.cursor, acked: space.acked, others: false });
            }
            if self.config.takes_all && !self.spaces.contains_key(&row.space) && self.spaces.len() < SPACES_TAKEN_MAX {
                self.share(SharedSpace { tail: nothing(row.space), cursor: None, acked: 0, others: false });
            }
            self.take_up(row.space);
            match self.spaces.get_mut(&row.space) {
                Some(space) if space.is_shared() => {
                    let asked = std::mem::take(&mut space.sending.probing);
                    if row.digest == space.tail.digest && space.receiving.under_way == 0 {
                        if space.sending.position == Position::Unknown {
                            space.begin(Position::Equal(space.tail.arrival), 0);
                        }
                        if !space.receiving.vector_sent {
                            // Nothing of what was missed is missing.
                            space.receiving.gap = false;
                        }
                        if !asked {
                            tell.push(row.space);
                        }
                    } else if !space.receiving.vector_sent {
                        self.tell_vector(row.space, out);
                    }
                }
                Some(space) if space.is_revoked() => self.answer_revoked(row.space, out),
                _ => self.refuse(row.space, None, Reason::Absent, out),
            }
        }
        self.tell_digests(&tell, out);
        if !rows.is_empty() {
            self.settling.disturbed();
        }
    }
}
