//! What is compared when nothing is under way: what was saved is there, and all who may have it have the same.

use std::collections::BTreeMap;

use alliance_client::{Client, DocumentId, SpaceId, Standing, View};
use alliance_model::note::Stage;
use alliance_store::Replica as _;
use alliance_sync::Tail;
use alliance_wire::DeviceKey;
use tokio::time::Instant;

use super::fault::{KEPT, MOST_WORK, TWICE};
use super::fixture::RELAY;
use super::storm::{FIRST, HOME, SECOND, Storm};

/// Rounds of everybody meeting everybody within which all must agree.
pub const ROUNDS_MAX: usize = 8;

/// I8: disk accesses that a meeting of two nodes may cost whatever is exchanged: what is asked of each space, drafts that
/// are sealed, documents that are loaded, receipts.
const WORK_BASE: u64 = 200;

/// I8: bytes of the protocol that must go over the line for each access more.
const BYTES_PER_ACCESS: u64 = 16;

/// What a device shows: every document as text, and what it keeps and does not show.
type Shown = BTreeMap<(SpaceId, DocumentId), String>;

/// The whole state of a node.
#[derive(PartialEq, Eq)]
struct Whole {
    tails: Vec<Tail>,
    /// Nothing, of a relay.
    shown: Shown,
    /// Roles and devices of each space's members, as a device sees them.
    members: BTreeMap<SpaceId, Vec<(&'static str, Vec<DeviceKey>)>>,
    /// What lies above a cut-off in each space and is offered.
    offered: BTreeMap<SpaceId, Vec<String>>,
}

impl Storm {
    /// Everything works again, and all meet until nothing moves any more (I5).
    ///
    /// # Errors
    /// A sentence about the invariant that does not hold.
    pub async fn calm(&mut self) -> Result<usize, String> {
        self.world.common.network.heal();
        for node in &self.world.nodes {
            node.disk.set_full(false);
            node.disk.set_failing(0);
            node.disk.live_on();
            node.source.set_skew(0);
        }
        self.run_to_rest().await?;
        let mut before = None;
        for round in 1..=ROUNDS_MAX {
            self.let_all_write().await?;
            self.let_all_return().await?;
            self.round().await?;
            let now = self.state().await?;
            if self.agree(&now) && before.as_ref() == Some(&now) {
                self.compare(&now)?;
                return Ok(round);
            }
            before = Some(now);
        }
        let digests: Vec<Vec<[u8; 8]>> =
            before.unwrap_or_default().iter().map(|node| node.tails.iter().map(|tail| tail.digest).collect()).collect();
        Err(format!("I5 no agreement in {ROUNDS_MAX} rounds: {digests:02x?}"))
    }

    /// Connections end, dead nodes come back.
    async fn run_to_rest(&mut self) -> Result<(), String> {
        for node in &self.world.nodes {
            node.stop.send_replace(true);
        }
        tokio::time::sleep(std::time::Duration::from_secs(120)).await;
        for (node, folder) in self.world.bury() {
            self.down.insert(node, (Instant::now(), folder));
        }
        let down: Vec<usize> = self.down.keys().copied().collect();
        for node in down {
            self.rise(node).await?;
        }
        for number in 0..self.world.nodes.len() {
            self.world.nodes[number].stop = tokio::sync::watch::channel(false).0;
        }
        self.world.ended();
        self.look().await
    }

    /// Everybody meets the relay, then each other.
    async fn round(&mut self) -> Result<(), String> {
        let devices: Vec<usize> = (0..self.world.nodes.len()).filter(|number| *number != RELAY).collect();
        let mut pairs: Vec<(usize, usize)> = devices.iter().map(|device| (*device, RELAY)).collect();
        for a in &devices {
            for b in devices.iter().take_while(|b| *b < a) {
                pairs.push((*a, *b));
            }
        }
        for (from, to) in pairs {
            let (began, before) = (Instant::now(), self.reached(from, to));
            let report = self.world.sync(from, to).await;
            let work = self.reached(from, to) - before;
            if self.world.nodes[from].hostile || self.world.nodes[to].hostile {
                self.trace.push(format!("at rest: {from} and {to} meet: {report:?}"));
                self.look().await?;
                continue;
            }
            let report = report?;
            self.trace
                .push(format!("at rest: {from} and {to} meet, settled {}, {} new", report.settled, report.received));
            let bytes = report.bytes_up + report.bytes_down;
            self.world.common.faults.most(MOST_WORK, work);
            if work > WORK_BASE + bytes / BYTES_PER_ACCESS {
                return Err(format!("I8 {from} and {to}: {work} disk accesses for {bytes} bytes"));
            }
            if report.diverged > 0 {
                return Err(format!("I5 {from} and {to} differ after a repair: {report:?}"));
            }
            if report.settled {
                self.settle(from, to, began).await;
            }
            self.look().await?;
        }
        Ok(())
    }

    /// How often the disks of two nodes were reached, in their present lives.
    fn reached(&self, one: usize, other: usize) -> u64 {
        self.world.nodes[one].disk.calls() + self.world.nodes[other].disk.calls()
    }

    async fn state(&self) -> Result<Vec<Whole>, String> {
        let mut states = Vec::new();
        for node in &self.world.nodes {
            let replica = node.replica().ok_or_else(|| format!("node {} is dead", node.number))?;
            let tails = replica.tails(self.all_spaces().to_vec()).await.map_err(|error| error.to_string())?;
            let mut whole = Whole { tails, shown: Shown::new(), members: BTreeMap::new(), offered: BTreeMap::new() };
            if let Some(client) = node.client() {
                let fails = |error| format!("node {}: {error}", node.number);
                whole.shown = shown(client).await.map_err(fails)?;
                for space in client.spaces().await.map_err(fails)? {
                    let mut members: Vec<_> =
                        space.members.into_iter().map(|member| (member.role, member.devices)).collect();
                    members.sort_unstable();
                    whole.members.insert(space.space, members);
                    if space.standing != Standing::Member {
                        continue;
                    }
                    let offered = client.offered(space.space).await.map_err(fails)?;
                    let mut offered: Vec<String> = offered.into_iter().map(|entry| entry.id).collect();
                    offered.sort_unstable();
                    whole.offered.insert(space.space, offered);
                }
            }
            states.push(whole);
        }
        Ok(states)
    }

    /// Whether a node is in a space: the third person is in the second only if it was let in, as Asha sees it, and nobody
    /// but Ben in his home.
    fn shares(&self, states: &[Whole], node: usize, space: usize) -> bool {
        let let_in = || {
            let members = states[0].members.get(&self.spaces[1]).into_iter().flatten();
            members.into_iter().any(|(_, devices)| devices.contains(&self.world.nodes[2].key))
        };
        let is_in = match space {
            FIRST => true,
            SECOND => !self.world.is_guests(node) || let_in(),
            _ => node == RELAY || self.world.is_bens(node),
        };
        is_in && !self.world.nodes[node].hostile
    }

    /// All who share a space have the same entries.
    fn agree(&self, states: &[Whole]) -> bool {
        (FIRST..=HOME).all(|space| {
            let mut digests = states
                .iter()
                .enumerate()
                .filter(|(node, _)| self.shares(states, *node, space))
                .map(|(_, node)| node.tails[space].digest);
            let first = digests.next();
            digests.all(|digest| Some(digest) == first)
        })
    }

    /// Whole states: I1, I5, I6.
    fn compare(&mut self, states: &[Whole]) -> Result<(), String> {
        let honest = |number: &usize| *number != RELAY && !self.world.nodes[*number].hostile;
        let devices: Vec<usize> = (0..states.len()).filter(honest).collect();
        for (index, space) in self.spaces.iter().enumerate() {
            let of = |number: usize| -> Shown {
                states[number]
                    .shown
                    .iter()
                    .filter(|((of, _), _)| of == space)
                    .map(|(key, text)| (*key, text.clone()))
                    .collect()
            };
            let members: Vec<usize> =
                devices.iter().copied().filter(|device| self.shares(states, *device, index)).collect();
            for device in &members {
                let (one, other) = (&states[members[0]].members.get(space), &states[*device].members.get(space));
                if one != other {
                    return Err(format!(
                        "I5 devices {} and {device} see other members: {one:?}, {other:?}",
                        members[0]
                    ));
                }
                let (one, other) = (&states[members[0]].offered.get(space), &states[*device].offered.get(space));
                if one != other {
                    return Err(format!("I5 devices {} and {device} are offered {one:?}, {other:?}", members[0]));
                }
                if let Some(what) = difference(&of(members[0]), &of(*device)) {
                    return Err(format!("I5 devices {} and {device} show different things: {what}", members[0]));
                }
            }
            if members.len() < devices.len()
                && devices.iter().any(|device| !members.contains(device) && !of(*device).is_empty())
            {
                return Err("I6 somebody has a space that is not theirs".into());
            }
        }
        for saved in self.ledger.saved.iter().filter(|saved| !saved.lost) {
            let index = usize::from(saved.space != self.spaces[0]);
            for device in devices.iter().filter(|device| self.shares(states, **device, index)) {
                let text = states[*device].shown.get(&(saved.space, saved.note));
                match text.map_or(0, |text| text.matches(&saved.text).count()) {
                    1 => {}
                    2 if saved.maybe_twice => self.world.common.faults.notice(TWICE),
                    0 if self.ledger.may_keep(saved) && is_kept(text) => self.world.common.faults.notice(KEPT),
                    _ => return Err(format!("I1 {} is not shown once on device {device}: {text:?}", saved.text)),
                }
            }
        }
        self.nobody_outside_reads()
    }

    /// I6: no cell of the relay's databases holds anything that anybody wrote. (Its files would not show it: their pages
    /// are encrypted.)
    fn nobody_outside_reads(&self) -> Result<(), String> {
        let mut written: Vec<&[u8]> = self.ledger.saved.iter().map(|saved| saved.text.as_bytes()).collect();
        written.push(b"Begun. ");
        let (mut cells, mut found) = (0_u64, None);
        alliance_store::operator::dump(&self.world.nodes[RELAY].folder, |cell| {
            cells += 1;
            let holds = |words: &&[u8]| cell.bytes.windows(words.len()).any(|window| window == *words);
            if written.iter().any(holds) {
                found = Some(format!("I6 {} {} holds what somebody wrote", cell.database, cell.table));
            }
            Ok(())
        })
        .map_err(|error| format!("the relay's databases cannot be read: {error}"))?;
        if cells == 0 { Err("I6 nothing was looked at".into()) } else { found.map_or(Ok(()), Err) }
    }

    /// I1: a device that has just started has everything that it was told is saved.
    pub(super) async fn has_what_was_saved(&mut self, device: usize) -> Result<(), String> {
        let Some(client) = self.world.nodes[device].client().cloned() else { return Ok(()) };
        self.world.nodes[device].disk.set_quiet(true);
        let shown = shown(&client).await;
        self.world.nodes[device].disk.set_quiet(false);
        let shown = shown.map_err(|error| format!("node {device} shows nothing: {error}"))?;
        self.world.nodes[device].disk.set_quiet(true);
        let locked = self.locked(device, &client).await;
        self.world.nodes[device].disk.set_quiet(false);
        let locked = locked?;
        let open = self.open_notes(device).await.unwrap_or_default();
        for saved in self.ledger.of(device) {
            // What came in, be it what one had typed oneself, is not put before somebody who types.
            if locked.contains(&saved.space) || (saved.waited.contains(&device) && open.contains(&saved.note)) {
                continue;
            }
            let text = shown.get(&(saved.space, saved.note));
            let kept = self.ledger.may_keep(saved) && is_kept(text);
            if !kept && !text.is_some_and(|text| text.contains(&saved.text)) {
                return Err(format!("I1 {} was saved on {device} and is gone: {text:?}", saved.text));
            }
        }
        Ok(())
    }
}

/// A document says that it has entries which it does not show because they were written on a copied device, or by somebody
/// who was put out by then. What others
/// built on them waits with them, also as a draft, which the document does not speak of.
fn is_kept(text: Option<&String>) -> bool {
    text.is_some_and(|text| text.contains("COPIED_DEVICE") || text.contains("AFTER_CUT_OFF"))
}

fn difference(one: &Shown, other: &Shown) -> Option<String> {
    let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let key = keys.into_iter().find(|key| one.get(*key) != other.get(*key))?;
    Some(format!("{}: {:?} and {:?}", key.1.short(), one.get(key), other.get(key)))
}

/// Everything that a device shows of documents that hold anything.
async fn shown(client: &Client) -> Result<Shown, alliance_client::Error> {
    let mut shown = Shown::new();
    for row in client.documents(None, None, None, 0, u64::MAX).await? {
        let view = client.view(row.document).await?;
        let empty = match &view.view {
            View::Note(note) => {
                note.section(Stage::Exploration).is_none_or(|text| text.text.is_empty())
                    && note.section(Stage::Understanding).is_none_or(|text| text.text.is_empty())
            }
            View::Session(session) => session.agenda.is_empty() && session.aliases.is_empty(),
            View::Decision(decision) => decision.made_by.is_none(),
            View::Form(form) => form.items.is_empty() && form.texts.iter().all(|it| it.text.text.is_empty()),
            View::Agreement(_) | View::Preparation(_) | View::Exports(_) => true,
        };
        // What nobody has written in yet is on one device only.
        if empty && view.parked.is_empty() {
            continue;
        }
        let mut parked: Vec<String> =
            view.parked.iter().map(|parked| format!("{} {} {}", parked.code, parked.by, parked.entries)).collect();
        parked.sort();
        let text = serde_json::to_string(&view.view).unwrap_or_default();
        shown.insert((row.space, row.document), format!("{text} {parked:?}"));
    }
    Ok(shown)
}
