//! Hello, roots, cursors and vectors: finding out how far the other is.

use alliance_wire::frame::{Cursors, Hello, PROTOCOL_VERSION, Reason};
use alliance_wire::limits;
use alliance_wire::vector::{Row, cursor_check, root};
use alliance_wire::{Frame, HashPrefix, Instance, SpaceId, Stream};

use super::space::{Position, Standing, Told};
use super::{Asked, Phase, Role, Session, Space};
use crate::contract::{CloseReason, Effect, Event, Head, Query};

/// Root over nothing more than the shared spaces' digests, and how many they are.
pub(super) fn shared_root(session: &Session) -> (u32, [u8; 16]) {
    let shared = || session.spaces.iter().filter(|(_, space)| space.is_shared());
    let root = root(shared().map(|(id, space)| (id, &space.tail.digest)));
    (u32::try_from(shared().count()).unwrap_or(u32::MAX), root)
}

impl Session {
    /// Says Hello, and behind it whatever the peer has not acknowledged, if we have met this database of its before and
    /// the last connection did not break.
    pub(super) fn say_hello(&mut self, out: &mut Vec<Effect>) {
        let (spaces, root) = shared_root(self);
        for space in self.spaces.values_mut() {
            space.sending.at_hello = space.tail.arrival;
        }
        let (relays, resume) = (matches!(self.config.role, Role::Relay { .. }), self.config.rules.resume);
        let cursors: Vec<(SpaceId, u64, HashPrefix)> = self
            .spaces
            .iter()
            .filter(|(_, space)| space.is_shared())
            .map(|(id, space)| {
                // Where something came from others, the peer may have had it from them: it is asked by vector.
                let cursor = space.cursor.filter(|_| relays || !space.others || !resume);
                cursor.map_or((*id, 0, HashPrefix([0; 16])), |(n, hash)| (*id, n, hash))
            })
            .collect();
        let (cursors, check) = if cursors.len() <= limits::HELLO_CURSORS_MAX {
            let check = cursor_check(cursors.iter().copied().filter(|(_, n, _)| *n > 0));
            (Cursors::All(cursors.into_iter().map(|(_, n, _)| n).collect()), check)
        } else {
            (Cursors::Moved(Vec::new()), cursor_check([]))
        };
        out.push(Effect::Send(Frame::Hello(Hello {
            version: PROTOCOL_VERSION,
            instance: self.instance.unwrap_or(Instance([0; 16])),
            known: self.peer_instance.map_or([0; 8], |instance| instance.prefix8()),
            spaces,
            root,
            cursors,
            check,
        })));
        if self.config.dials && self.peer_instance.is_some() && !self.config.asks_first {
            let goes_ahead = |space: &Space| space.is_shared() && space.knows_whose() && !(resume && space.others);
            for space in self.spaces.values_mut().filter(|space| goes_ahead(space)) {
                let from = if self.config.rules.resume { space.acked.min(space.tail.arrival) } else { 0 };
                space.begin(Position::Reached, from);
            }
        }
    }

    pub(super) fn on_hello(&mut self, hello: Hello, out: &mut Vec<Effect>) {
        if self.phase != Phase::Opening {
            return self.close(CloseReason::Misbehaved("a second Hello"), out);
        }
        if hello.version != PROTOCOL_VERSION {
            return self.close(CloseReason::Version, out);
        }
        self.meet(hello.instance, out);
        let known = hello.known;
        if !self.config.dials && known != [0; 8] && known != self.instance.map_or([0; 8], |instance| instance.prefix8())
        {
            self.wait_for_anew(&hello);
        }
        let mut unknown = Vec::new();
        for (space, number) in self.cursors_of(&hello) {
            if number > 0 && self.spaces.get(&space).is_some_and(|known| known.tail.arrival > number) {
                unknown.push((space, number));
            }
        }
        if unknown.is_empty() {
            self.place(&hello, &[], &[], out);
        } else {
            self.blocked = true;
            let spaces = unknown.iter().map(|(space, _)| *space).collect();
            self.ask(Query::HashesAt(unknown), Asked::Hashes(Box::new(hello), spaces), out);
        }
    }

    pub(super) fn on_hashes(
        &mut self,
        hello: &Hello,
        spaces: &[SpaceId],
        hashes: &[Option<HashPrefix>],
        out: &mut Vec<Effect>,
    ) {
        self.blocked = false;
        self.place(hello, spaces, hashes, out);
    }

    /// The cursors of a Hello with the spaces that they speak of: nothing if they cannot be about this database or
    /// about the same spaces.
    fn cursors_of(&self, hello: &Hello) -> Vec<(SpaceId, u64)> {
        let mine = self.instance.map_or([0; 8], |instance| instance.prefix8());
        if hello.known != mine && self.config.rules.check_cursors {
            return Vec::new();
        }
        let shared = self.spaces.iter().filter(|(_, space)| space.is_shared()).map(|(id, _)| *id);
        match &hello.cursors {
            Cursors::All(all) if all.len() == shared.clone().count() => shared.zip(all.iter().copied()).collect(),
            Cursors::All(_) => Vec::new(),
            Cursors::Moved(moved) => moved.clone(),
        }
    }

    /// Works out where the peer is in every shared space, answers its Hello, and begins.
    fn place(&mut self, hello: &Hello, asked: &[SpaceId], hashes: &[Option<HashPrefix>], out: &mut Vec<Effect>) {
        let mut cursors = self.cursors_of(hello);
        cursors.retain(|(_, number)| *number > 0);
        let mut checked = Vec::with_capacity(cursors.len());
        for (space, number) in &cursors {
            let found = asked.iter().position(|other| other == space).map_or_else(
                || self.spaces.get(space).filter(|s| s.tail.arrival == *number).map(|s| s.tail.hash),
                |index| hashes.get(index).copied().flatten(),
            );
            checked.extend(found.map(|hash| (*space, *number, hash)));
        }
        let valid = checked.len() == cursors.len() && cursor_check(checked) == hello.check;
        if !valid && self.config.rules.check_cursors {
            cursors.clear();
        }
        let (count, root) = shared_root(self);
        let equal = count == hello.spaces && root == hello.root;
        self.phase = Phase::Open;
        let relays = matches!(self.config.role, Role::Relay { .. });
        let mut unplaced = Vec::new();
        let mut follow = 0;
        for (id, space) in self.spaces.iter_mut().filter(|(_, space)| space.is_shared()) {
            let number = cursors.iter().find(|(known, _)| known == id).map(|(_, number)| *number);
            // We asked by vector, and are answered by one: what went before it would go again.
            let elsewhere = !relays && self.config.rules.resume && space.others;
            match number.filter(|_| space.knows_whose() && !elsewhere) {
                // Sending began behind our Hello from what was acknowledged; the receiver's durable cursor counts (R3).
                Some(number)
                    if space.sending.position == Position::Reached
                        && (number >= space.sending.from || !self.config.rules.durable_acks) => {}
                Some(number) => {
                    let from = if self.config.rules.resume { number.min(space.tail.arrival) } else { 0 };
                    // What it once acknowledged and knows no more, or a copy of it did under the same key, is no word
                    // of this database: an `Upto` that was promised would be left out.
                    if number < space.acked {
                        out.push(Effect::Notify(Event::Lost(*id)));
                    }
                    space.acked = space.acked.min(number);
                    space.begin(Position::Reached, from);
                }
                None if equal => space.begin(Position::Equal(space.tail.arrival), 0),
                None => {
                    space.begin(Position::Unknown, 0);
                    unplaced.push(*id);
                }
            }
            space.sending.promised = equal && space.has_more();
            follow += u32::from(space.sending.promised);
        }
        if !self.config.dials {
            if equal {
                let instance = self.instance.unwrap_or(Instance([0; 16]));
                out.push(Effect::Send(Frame::Same { instance, root, follow }));
                self.settling.agree_on(root);
            } else {
                self.say_hello(out);
            }
        }
        self.probe(&unplaced, out);
        self.ask_out(out);
    }

    pub(super) fn on_same(&mut self, instance: Instance, root: [u8; 16], follow: u32, out: &mut Vec<Effect>) {
        if self.phase != Phase::Opening || !self.config.dials {
            return self.close(CloseReason::Misbehaved("an answer to no Hello"), out);
        }
        self.meet(instance, out);
        self.phase = Phase::Open;
        self.settling.follow = follow;
        if shared_root(self).1 == root {
            // The peer has every entry, whoever brought it; only receipts may be missing there.
            for space in self.spaces.values_mut().filter(|space| space.is_shared()) {
                space.begin(Position::Equal(space.tail.arrival), space.acked.min(space.tail.arrival));
            }
            self.settling.agree_on(root);
        } else {
            // Something was written here while the answer was on its way: the peer has what was here when we said Hello.
            for space in self.spaces.values_mut().filter(|space| space.is_shared()) {
                if space.sending.position == Position::Unknown {
                    space.begin(Position::Equal(space.sending.at_hello), 0);
                }
            }
            self.settling.heard(root);
        }
        self.ask_out(out);
    }

    /// The dialler has begun behind its Hello where an earlier database of ours was: what it sends says nothing about
    /// what this one lacks, until it has heard of it and begins anew. Where both have the same it makes no difference.
    fn wait_for_anew(&mut self, hello: &Hello) {
        if shared_root(self) == (hello.spaces, hello.root) {
            return;
        }
        for space in self.spaces.values_mut().filter(|space| space.is_shared()) {
            space.receiving.gap = true;
        }
    }

    /// Learns the peer's database. What was known of another one of its is void (R7).
    fn meet(&mut self, instance: Instance, out: &mut Vec<Effect>) {
        if self.peer_instance != Some(instance) {
            let begun = self.config.dials && self.peer_instance.is_some();
            for (id, space) in &mut self.spaces {
                space.cursor = None;
                space.acked = 0;
                space.begin(Position::Unknown, 0);
                if begun && space.is_shared() {
                    // What went ahead was for a database that is no more.
                    space.sending.peer_has.clear();
                    self.out_names.forget_sent(*id);
                    let space = self.out_names.space(*id, out);
                    out.push(Effect::Send(Frame::Anew { space }));
                }
            }
        }
        self.peer_instance = Some(instance);
        out.push(Effect::Notify(Event::Met(instance)));
    }

    /// Tells the peer what we have of a space: it begins anew from there (R4: nothing, for a space that is new to us).
    pub(super) fn tell_vector(&mut self, id: SpaceId, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&id) else { return };
        if space.tail.arrival == 0 && !self.config.rules.empty_vectors {
            return;
        }
        space.receiving.vector_sent = true;
        space.receiving.vector_told = true;
        if space.receiving.under_way > 0 {
            // The view counts it, and the store may not take it: what a vector says is durable.
            space.receiving.vector_due = true;
            return;
        }
        space.receiving.refresh();
        space.receiving.vector_due = space.receiving.view.is_none() && space.tail.arrival > 0;
        if space.receiving.vector_due {
            // The view says what we have; the vector follows when it is here.
            self.ask(Query::View(id), Asked::View(id), out);
            return;
        }
        let suspect = &space.receiving.suspect;
        let heads = space.receiving.view.iter().flat_map(|view| view.heads.iter());
        // Who was put out is told of membership, and of what it wrote itself.
        let (revoked, peer) = (space.is_revoked(), self.config.peer);
        let tells = |head: &Head| !revoked || head.name.stream == Stream::Membership || head.name.device == peer;
        let rows: Vec<Row> = heads.filter(|(log, head)| !suspect.contains(log) && tells(head)).map(row).collect();
        let number = self.out_names.space(id, out);
        let frames = rows.len().div_ceil(limits::VECTOR_ROWS_MAX).max(1);
        for index in 0..frames {
            let from = index * limits::VECTOR_ROWS_MAX;
            let part = &rows[from..rows.len().min(from + limits::VECTOR_ROWS_MAX)];
            out.push(Effect::Send(Frame::Vector {
                space: number,
                rows: part.to_vec(),
                begins: index == 0,
                ends: index + 1 == frames,
            }));
        }
        self.settling.disturbed();
    }

    pub(super) fn on_vector(&mut self, number: u32, rows: Vec<Row>, begins: bool, ends: bool, out: &mut Vec<Effect>) {
        let Some(id) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        if self.spaces.get(&id).is_some_and(Space::is_revoked) {
            return self.answer_revoked(id, out);
        }
        if self.spaces.get(&id).is_some_and(|space| space.is_out_unheard()) {
            self.take_up(id);
        }
        let Some(space) = self.spaces.get_mut(&id).filter(|space| space.sends()) else {
            return self.refuse(id, None, Reason::Absent, out);
        };
        if begins && space.receiving.view.is_none() && space.tail.arrival > 0 {
            // Equal numbers with unequal hashes are a fork: only the view can tell.
            return self.wait_for_view(id, Frame::Vector { space: number, rows, begins, ends }, out);
        }
        let collected = match (begins, space.receiving.vector.take()) {
            (true, _) => rows,
            (false, Some(mut all)) if all.len() < limits::VECTOR_ROWS_MAX * 16 => {
                all.extend(rows);
                all
            }
            (false, _) => return self.close(CloseReason::Misbehaved("a vector without a beginning or an end"), out),
        };
        if !ends {
            space.receiving.vector = Some(collected);
            return;
        }
        let heads = space.receiving.view.as_ref().map(|view| &view.heads);
        let forked = |row: &Row| {
            let ours = heads.and_then(|heads| heads.get(&row.log));
            ours.is_some_and(|head| head.seq == row.seq && head.hash.prefix() != row.hash)
        };
        let rows = collected.iter().filter(|row| !forked(row)).map(|row| (row.log, row.seq)).collect();
        space.sending.probing = false;
        space.sending.peer_has.clear();
        space.begin(Position::Rows(rows), 0);
        self.out_names.forget_sent(id);
        let space = self.out_names.space(id, out);
        out.push(Effect::Send(Frame::Anew { space }));
        self.settling.disturbed();
        if self.spaces.get(&id).is_some_and(|space| space.is_shared() && !space.receiving.vector_told) {
            self.tell_vector(id, out);
        }
    }

    pub(super) fn on_anew(&mut self, number: u32, out: &mut Vec<Effect>) {
        let Some(space) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        if let Some(space) = self.spaces.get_mut(&space) {
            if matches!(space.standing, Standing::Revoked(Told::Nothing | Told::Upto(_))) {
                // Said before it knew: what follows is no handing over.
                return;
            }
            space.receiving.gap = false;
            space.receiving.refused = false;
            space.receiving.vector_sent = false;
        }
    }
}

/// A log of a view as a row of a vector.
fn row((log, head): (&alliance_wire::LogId, &Head)) -> Row {
    Row { log: *log, seq: head.seq, hash: head.hash.prefix() }
}

impl Space {
    /// There is a cursor into the peer's arrival numbers. Without one, something may have come from the peer that it has
    /// said no `Upto` for: only its vector keeps that from going back to where it came from.
    const fn knows_whose(&self) -> bool {
        self.cursor.is_some()
    }

    /// The peer does not share it, as it said.
    pub(super) const fn is_excluded(&self) -> bool {
        matches!(self.standing, Standing::Excluded)
    }
}
