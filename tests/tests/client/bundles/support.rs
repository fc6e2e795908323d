//! People who exchange files.
#![allow(unreachable_pub)]

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use alliance_client::{
    BundleFor, BundleFrom, BundlePlan, BundleReport, BundleStream, BundleWritten, DocumentId, Error, InviteOptions,
    InviteState, JoinState, Role, SpaceId,
};
use alliance_tests::people::{Met, Person};

/// Two people with a note that both have, who do not meet any more.
pub struct Two {
    pub amina: Person,
    pub ben: Person,
    pub space: SpaceId,
    pub note: DocumentId,
}

impl Two {
    pub async fn apart() -> Self {
        let Met { mut site, ben, amina, space, note } = Met::over_a_note("First. ").await;
        site.stop().await;
        Self { amina, ben, space, note }
    }
}

/// A stream whose bytes are looked at later.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes a planned bundle; its bytes.
pub async fn bytes_of(from: &Person, plan: BundlePlan) -> Vec<u8> {
    planned(from, plan).await.0
}

async fn planned(from: &Person, plan: BundlePlan) -> (Vec<u8>, BundleWritten) {
    let out = Shared::default();
    let written = from.client.write_bundle(plan, BundleStream(out.clone()), |_| {}).await.unwrap();
    let bytes = out.0.lock().unwrap().clone();
    assert_eq!(written.bytes, bytes.len() as u64);
    (bytes, written)
}

pub async fn written(from: &Person, to: BundleFor, since: BundleFrom) -> (Vec<u8>, BundleWritten) {
    let plan = from.client.plan_bundle(to, since, false).await.unwrap();
    planned(from, plan).await
}

pub async fn write_for(from: &Person, to: BundleFor, since: BundleFrom) -> Vec<u8> {
    written(from, to, since).await.0
}

pub async fn write(from: &Person, to: &str, since: BundleFrom) -> Vec<u8> {
    write_for(from, BundleFor::Person(to.to_owned()), since).await
}

pub async fn take(to: &Person, bundle: &[u8]) -> Result<BundleReport, Error> {
    to.client.import_bundle(Cursor::new(bundle.to_vec()), |_| {}).await
}

pub fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// `newcomer` is let into a space by texts that go from hand to hand; it has nothing of the space then.
pub async fn let_in_by_texts(founder: &Person, newcomer: &Person, space: SpaceId) {
    let options = InviteOptions { role: Role::Writer, days: 7 };
    let invite = founder.client.invite(space, options).await.unwrap();
    let join = newcomer.client.join(&invite.text, None).await.unwrap();
    let invite = founder.client.answer_accept(&join.accept).await.unwrap();
    let join = newcomer.client.answer_reveal(invite.reveal.as_deref().unwrap()).await.unwrap();
    let words = if let InviteState::Answered { words, .. } = invite.state { words } else { Vec::new() };
    assert_eq!(join.state, JoinState::Words { words: words.clone() });
    founder.client.confirm(&invite.id, &words.join(" ")).await.unwrap();
}

/// Every entry of every space of a store, by log and number.
pub async fn entries(person: &Person) -> std::collections::BTreeSet<(SpaceId, alliance_wire::LogId, u64)> {
    use alliance_store::Replica as _;
    let replica = person.client.replica();
    let mut all = std::collections::BTreeSet::new();
    for space in replica.spaces().await.unwrap() {
        let view = replica.view_parts(space).await.unwrap().unwrap();
        for (log, head) in view.heads {
            all.extend((1..=head.seq).map(|seq| (space, log, seq)));
        }
    }
    all
}
