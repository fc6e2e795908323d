//! A space with everything that membership entries do, as signed: what each is granted, what counts, who is in after it,
//! who opens which epoch, and what data counts.

use std::collections::BTreeSet;

use alliance_crypto::{DataAt, DataVerdict, Departure, MemberRole, Membership, RecoverySecret, Secret, Verified};
use alliance_wire::membership::{Boxes, CardForOwn, CutOff, Operation, OwnDevice, Role, SpaceKind};
use alliance_wire::{EpochId, HashPrefix, HeaderHash, Incarnation, LogName, SpaceId, Stream};
use serde_json::{Value, json};

#[path = "../../tests/crypto/support/fixture.rs"]
#[allow(clippy::unwrap_used, clippy::panic, reason = "the people and logs of the tests")]
pub(crate) mod fixture;

use super::hex;
use fixture::{Person, World, keyring};

/// The people of the story and what happened, one line an entry.
struct Story {
    world: World,
    said: Vec<&'static str>,
    ben: Person,
    laptop: Person,
    cay: Person,
    /// Heads before anybody's data ended.
    before: Vec<HashPrefix>,
}

fn data_log(person: &Person, incarnation: u8) -> LogName {
    LogName::new(person.key(), Incarnation([incarnation; 16]), Stream::Data)
}

fn number(seq: u64) -> HeaderHash {
    HeaderHash([u8::try_from(seq).unwrap_or(u8::MAX); 32])
}

fn end(space: SpaceId, person: &Person, seq: u64) -> CutOff {
    CutOff { log: data_log(person, 1).id(space), seq, hash: number(seq) }
}

impl Story {
    fn begin() -> Self {
        let mut world = World::found(SpaceKind::Group);
        let (epoch, key) = world.epoch_of_founder(1, &[]);
        let [mut ben, mut cay] = [2, 3].map(Person::new);
        for person in [&mut ben, &mut cay] {
            let boxes = world.boxes_for(person, epoch, &key);
            world.add(person, Role::Writer, boxes);
        }
        let said = vec![
            "Ann founds the space",
            "Ann's first epoch",
            "Ann invites",
            "Ann adds Ben",
            "Ann invites",
            "Ann adds Cay",
        ];
        let laptop = ben.other_device(20);
        Self { before: Vec::new(), world, said, ben, laptop, cay }
    }

    fn then(&mut self, what: &'static str, entry: Verified) {
        self.said.push(what);
        self.world.take(entry);
    }

    /// What Ben's devices and words do to each other.
    fn devices(&mut self) {
        let (space, tag, phone) = (self.world.space, self.ben.tag, self.ben.key().into());
        let card = self.laptop.device.own_card(&CardForOwn { space, tag, by: self.world.founder.key().into() });
        let own = Operation::Device(OwnDevice { card, boxes: None });
        let entry = self.ben.write(space, self.world.membership.heads(), own);
        self.then("not granted: Ben's phone lists a laptop whose card is signed for another lister", entry);
        let card = self.laptop.device.own_card(&CardForOwn { space, tag, by: phone });
        let entry = self.ben.makes(&self.world.membership, |maker| maker.device(tag, card));
        self.then("Ben's phone lists his laptop", entry);
        self.before = self.world.membership.head_prefixes();
        let ends = vec![end(space, &self.ben, 5)];
        let entry = self.laptop.makes(&self.world.membership, |maker| maker.suspend(tag, phone, ends));
        self.then("Ben's laptop suspends his phone", entry);
        let entry = self.laptop.makes(&self.world.membership, |maker| maker.restore(tag, phone));
        self.then("not granted: the laptop restores the phone", entry);
        let entry = self.ben.words_make(&self.world.membership, |maker| maker.restore(tag, phone));
        self.then("Ben's words restore it", entry);
        let further = RecoverySecret::from_seed([77; 32]).card();
        let entry = self.ben.words_make(&self.world.membership, |maker| maker.recovery(tag, further));
        self.then("Ben's words list further words", entry);
        let tablet = self.ben.other_device(21);
        let card = tablet.device.own_card(&CardForOwn { space, tag, by: phone });
        let meanwhile = self.ben.makes(&self.world.membership, |maker| maker.device(tag, card));
        let ends = vec![end(space, &self.ben, 5)];
        let entry = self.ben.words_make(&self.world.membership, |maker| maker.lost(tag, phone, ends));
        self.then("Ben's words lose the phone", entry);
        self.then("granted, and cut off: the phone lists a tablet, not knowing of it", meanwhile);
    }

    /// What happens to Cay, and the end.
    fn persons(&mut self) {
        let (space, tag) = (self.world.space, self.cay.tag);
        let ends = vec![end(space, &self.cay, 3)];
        let by_ben = self.laptop.makes(&self.world.membership, |maker| maker.remove(tag, ends.clone()));
        self.then("not granted: Ben removes Cay", by_ben);
        let entry = self.world.founder.makes(&self.world.membership, |maker| maker.role(tag, Role::Reader, ends));
        self.then("Ann makes Cay a reader", entry);
        let entry = self.world.founder.makes(&self.world.membership, |maker| maker.role(tag, Role::Signer, Vec::new()));
        self.then("Ann makes Cay a signer", entry);
        let again = BTreeSet::from([end(space, &self.ben, 7)]);
        let entry = self.cay.makes(&self.world.membership, |maker| maker.admit(tag, again));
        self.then("Cay admits an entry of Ben's phone", entry);
        let ends = vec![end(space, &self.cay, 3)];
        let entry = self.cay.makes(&self.world.membership, |maker| maker.leave(tag, ends.clone()));
        self.then("Cay leaves", entry);
        let entry = self.world.founder.makes(&self.world.membership, |maker| maker.remove(tag, ends));
        self.then("Ann removes Cay", entry);
        let own = self.world.founder.tag;
        let entry = self.world.founder.makes(&self.world.membership, |maker| maker.end(own));
        self.then("Ann ends the space", entry);
    }

    /// Data entries and what becomes of them in the end.
    fn data(&self) -> Vec<Value> {
        let after = self.world.membership.head_prefixes();
        let cases = [
            ("up to the cut-off", data_log(&self.ben, 1), 5, &self.before),
            ("above it", data_log(&self.ben, 1), 6, &self.before),
            ("above it and admitted", data_log(&self.ben, 1), 7, &self.before),
            ("in a log that is not named", data_log(&self.ben, 2), 1, &self.before),
            ("of a device that nobody put out", data_log(&self.laptop, 1), 9, &self.before),
            ("knowing the end", data_log(&self.laptop, 1), 10, &after),
            ("up to the leave", data_log(&self.cay, 1), 3, &self.before),
            ("after the leave", data_log(&self.cay, 1), 4, &self.before),
            ("in a new incarnation, from before", data_log(&self.cay, 4), 1, &self.before),
        ];
        let judged = cases.into_iter().map(|(what, name, seq, heads)| {
            let at = DataAt { name: &name, seq, hash: number(seq), heads };
            let verdict = verdict(self.world.membership.judge_data(&at, |_| false));
            let heads: Vec<_> = heads.iter().map(|head| hex(&head.0)).collect();
            let (device, incarnation) = (hex(&name.device.0), hex(&name.incarnation.0));
            json!({
                "what": what, "device": device, "incarnation": incarnation, "seq": seq, "hash": hex(&number(seq).0),
                "heads": heads, "verdict": verdict,
            })
        });
        judged.collect()
    }

    /// Whom each secret makes read which epochs.
    fn opens(&self) -> Vec<Value> {
        let all = &self.world.membership;
        vec![
            keys_of(all, "Ann's device", "device", 1, &self.world.founder.device),
            keys_of(all, "Ann's words", "recovery", 1, &self.world.founder.recovery),
            keys_of(all, "Ben's phone", "device", 2, &self.ben.device),
            keys_of(all, "Ben's laptop", "device", 20, &self.laptop.device),
            keys_of(all, "Ben's words", "recovery", 2, &self.ben.recovery),
            keys_of(all, "Ben's further words", "recovery", 77, &RecoverySecret::from_seed([77; 32])),
            keys_of(all, "Cay's device", "device", 3, &self.cay.device),
        ]
    }

    /// Entries that nobody takes.
    fn must_fail(&self) -> Vec<Value> {
        let (space, all) = (self.world.space, &self.world.membership);
        let stranger = Person::new(50).write_for(space, self.ben.tag, all.heads(), World::relay("x:1"));
        let twice = self.laptop.double().makes(all, |maker| {
            let mut made = maker.leave(self.ben.tag, vec![end(space, &self.ben, 1)]);
            if let Operation::Leave(leave) = &mut made.payload.operation {
                leave.cut_offs = vec![leave.cut_offs[0]; 2];
            }
            made
        });
        let early = self.laptop.double().write(space, vec![HeaderHash([9; 32])], World::relay("y:1"));
        let nothing = Boxes { epoch: EpochId([1; 16]), boxes: Vec::new() };
        let good = self.laptop.double().write(space, all.heads(), Operation::Box(nothing));
        let mut forged = entry_json("a byte of the signature", &good);
        forged["signature"] = json!(hex(&[1; 64]));
        let with = |mut entry: Value, error: &str| {
            entry["error"] = json!(error);
            entry
        };
        vec![
            with(entry_json("of a key that was never listed", &stranger), "Stranger"),
            with(entry_json("a log with two cut-offs", &twice), "Malformed"),
            with(entry_json("on an entry that is not here", &early), "Missing"),
            with(forged, "Signature"),
        ]
    }
}

pub(crate) fn verdict(verdict: DataVerdict) -> &'static str {
    match verdict {
        DataVerdict::Counts => "counts",
        DataVerdict::Waits => "waits",
        DataVerdict::Parked => "parked",
        DataVerdict::Quarantined => "quarantined",
    }
}

fn role(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Steward => "steward",
        MemberRole::Given(Role::Reader) => "reader",
        MemberRole::Given(Role::Writer) => "writer",
        MemberRole::Given(Role::Signer) => "signer",
    }
}

/// What the entries amount to.
pub(crate) fn state(membership: &Membership) -> Value {
    let state = membership.state();
    let members = state.members.iter().map(|(tag, member)| {
        let devices: Vec<_> = member.devices.keys().map(|device| hex(&device.0)).collect();
        let recovery: Vec<_> = member.recovery.iter().map(|card| hex(&card.signer.0)).collect();
        json!({ "tag": hex(&tag.0), "role": role(member.role), "devices": devices, "recovery": recovery })
    });
    let keys = |out: &BTreeSet<_>| -> Vec<_> {
        let pair =
            |(tag, key): &(alliance_wire::PersonTag, alliance_wire::SignerKey)| json!([hex(&tag.0), hex(&key.0)]);
        out.iter().map(pair).collect()
    };
    let departed = state.departed.iter().map(|(tag, how)| {
        let how = if *how == Departure::Left { "left" } else { "removed" };
        json!([hex(&tag.0), how])
    });
    let missing = membership.missing_boxes();
    json!({
        "members": members.collect::<Vec<_>>(), "suspended": keys(&state.suspended), "lost": keys(&state.lost),
        "departed": departed.collect::<Vec<_>>(), "ended": state.ended,
        "best_epoch": membership.best_epoch().map(|best| hex(&best.id.0)),
        "missing_boxes": missing.iter().map(|it| json!([hex(&it.epoch.0), hex(&it.recipient.0)])).collect::<Vec<_>>(),
    })
}

fn entry_json(what: &str, verified: &Verified) -> Value {
    let (entry, name) = (verified.entry(), verified.name());
    json!({
        "what": what, "device": hex(&name.device.0), "incarnation": hex(&name.incarnation.0),
        "seq": verified.seq(), "prev": hex(&verified.header().prev.0), "payload": hex(verified.payload().unwrap_or_default()),
        "signature": hex(&entry.signed.signature), "hash": hex(&verified.hash().0),
    })
}

/// The epochs that a secret opens.
pub(super) fn keys_of(all: &Membership, who: &str, kind: &str, seed: u8, secret: &impl Secret) -> Value {
    let keys: Vec<_> = keyring(all, secret).iter().map(|(id, key)| json!([hex(&id.0), hex(key.as_bytes())])).collect();
    json!({ "who": who, "kind": kind, "seed": hex(&[seed; 32]), "epochs": keys })
}

/// The entries with what each is granted, and the state after it.
pub(super) fn lines(world: &World, said: &[&str]) -> Vec<Value> {
    let (all, mut grown) = (&world.membership, Membership::new(world.space));
    assert_eq!(said.len(), world.entries.len(), "one line an entry");
    let entries = said.iter().zip(&world.entries).map(|(what, verified)| {
        let mut entry = entry_json(what, verified);
        let taken = grown.insert(verified);
        assert!(taken.is_ok(), "{what}: {taken:?}");
        entry["granted"] = json!(all.is_authorised(verified.hash()));
        entry["counts"] = json!(all.state().counting.contains(&verified.hash()));
        entry["after"] = state(&grown);
        entry
    });
    entries.collect()
}

pub(super) fn history() -> Value {
    let mut story = Story::begin();
    story.devices();
    story.persons();
    let entries = lines(&story.world, &story.said);
    json!({
        "about": "Membership entries of one space in the order of a story; they may arrive in any. 'granted' and 'counts' are of all of them, 'after' is the state of those so far. 'opens' are all epochs that a secret opens by boxes and links of granted entries; 'data' are judged by all entries. 'must_fail' are entries that are not taken.",
        "space": hex(&story.world.space.0),
        "entries": entries, "opens": story.opens(), "data": story.data(), "must_fail": story.must_fail(),
    })
}
