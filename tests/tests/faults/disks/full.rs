//! A full disk: nothing more is written while there is still some room, reading goes on, nothing that was saved or
//! acknowledged is lost, and writing goes on when there is room again.

use alliance_client::{Client, DocumentId, SpaceId};
use alliance_model::DocumentKind;
use alliance_store::file::STORAGE_RESERVE_BYTES;
use alliance_sync::Event;
use alliance_tests::people::{PASSPHRASE, Person, hear, insert, options, pair_up};
use alliance_tests::random::Random;
use alliance_tests::relay::{Device, Site, open, watched};
use alliance_tests::running::{RunningRelay, relay_command};
use alliance_tests::world::{World, Writer};
use alliance_wire::HeaderHash;
use alliance_wire::membership::Operation;
use rustix::process::Signal;

use super::disk::Disk;

const FULL: &str = "LOW_STORAGE";

/// What a person saved, in notes of one space.
struct Saved {
    space: SpaceId,
    notes: Vec<(DocumentId, String)>,
}

impl Saved {
    /// Writes notes of some 8 KB until the store refuses. Answers how many were saved.
    async fn write_until_refused(&mut self, client: &Client) -> usize {
        let mut random = Random::new(1);
        for saved in 0.. {
            // Nothing that could be compressed away.
            let words: Vec<String> = (0..400).map(|_| format!("{:x}", random.next())).collect();
            let text = format!("{saved}. {}", words.join(" "));
            let written = async {
                let note = client.create_document(self.space, DocumentKind::Note).await?;
                self.notes.push((note, String::new()));
                client.command(note, None, insert(0, &text)).await?;
                self.notes.last_mut().unwrap().1 = text;
                client.seal(note).await
            };
            if let Err(error) = written.await {
                assert_eq!(error.code(), FULL, "{error}");
                return saved;
            }
        }
        unreachable!("a disk is finite")
    }

    /// Everything that was saved can be read, by each way of reading.
    async fn can_be_read(&self, person: &Person) {
        for (note, text) in &self.notes {
            assert_eq!(person.text(*note).await, *text);
        }
        let rows = person.client.documents(Some(self.space), None, None, 0, 1_000).await.unwrap();
        assert_eq!(rows.len(), self.notes.len());
        let exported = person.client.export(Some(self.space)).await.unwrap();
        assert_eq!(exported["spaces"][0]["documents"].as_array().unwrap().len(), self.notes.len());
        person.client.status().await.unwrap();
    }
}

async fn refused(client: &Client, note: DocumentId) {
    let error = client.command(note, None, insert(0, "more ")).await.unwrap_err();
    assert_eq!(error.code(), FULL, "{error}");
    // It leads people to the cause.
    assert!(error.to_string().contains("room"), "{error}");
}

#[tokio::test]
#[ignore = "needs namespaces; .ci/run"]
async fn a_device_on_a_full_disk_reads_on_and_loses_nothing() {
    watched(async {
        let disk = Disk::mount(40);
        let mut site = Site::start(open).await;
        let ben = Person::new("Ben").await;
        let mut amina = Person::in_folder(disk.folder(), "Amina", options()).await;
        for person in [&ben, &amina] {
            person.client.add_relay(&site.address().to_string(), None).await.unwrap();
        }
        let space = pair_up(&ben, &amina, 1).await[0];
        let mut saved = Saved { space, notes: Vec::new() };
        disk.leave(STORAGE_RESERVE_BYTES + (4 << 20));
        let count = saved.write_until_refused(&amina.client).await;
        println!("{count} notes of 7 KB saved, {} bytes free when the next was refused", disk.free());
        assert!(count > 5, "{count}");
        // Before harm: there is room for what a store needs to be read, opened and closed.
        assert!(disk.free() > STORAGE_RESERVE_BYTES / 2, "{} bytes are free", disk.free());
        let note = saved.notes[0].0;
        refused(&amina.client, note).await;
        saved.can_be_read(&amina).await;

        // Ben writes meanwhile. It does not arrive; that is said, and nothing breaks.
        let theirs = ben.client.create_document(space, DocumentKind::Note).await.unwrap();
        ben.write(theirs, 0, "From Ben. ").await;
        ben.sync().await;
        let met = amina.client.sync_once(hear).await;
        println!("a sync on a full disk: {met:?}");
        let codes = match met {
            Ok(reports) => reports.into_iter().flat_map(|report| report.refused).collect(),
            Err(error) => vec![error.code().to_owned()],
        };
        assert!(codes.iter().any(|code| code == FULL), "{codes:?}");
        saved.can_be_read(&amina).await;

        // Closed and opened with what is left: everything is there, and nothing can be written.
        amina.client.close().await.unwrap_or_else(|error| assert_eq!(error.code(), FULL));
        disk.leave(STORAGE_RESERVE_BYTES - (1 << 20));
        amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
        refused(&amina.client, note).await;
        saved.can_be_read(&amina).await;

        // Others take the rest, to the last byte.
        disk.leave(0);
        refused(&amina.client, note).await;
        saved.can_be_read(&amina).await;
        amina.client.close().await.unwrap_or_else(|error| assert_eq!(error.code(), FULL));
        // Opened without a free byte it is read, and stays so until it is opened with room again.
        for _ in 0..2 {
            disk.leave(0);
            amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
            saved.can_be_read(&amina).await;
            refused(&amina.client, note).await;
            amina.client.close().await.unwrap_or_else(|error| assert_eq!(error.code(), FULL));
        }
        disk.leave(0);
        amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
        disk.clear();
        refused(&amina.client, note).await;
        saved.can_be_read(&amina).await;
        amina.client.close().await.unwrap_or_else(|error| assert_eq!(error.code(), FULL));

        amina.client = Client::open(&amina.store(), PASSPHRASE, options()).await.unwrap();
        saved.can_be_read(&amina).await;
        amina.write(note, 0, "And on. ").await;
        amina.sync().await;
        assert_eq!(amina.text(theirs).await, "From Ben. ");
        ben.sync().await;
        for (number, (note, text)) in saved.notes.iter().enumerate() {
            let text = if number == 0 { format!("And on. {text}") } else { text.clone() };
            // A note whose text was refused has nothing that could be sent.
            if !text.is_empty() {
                assert_eq!(ben.text(*note).await, text);
            }
        }
        drop(amina);
        site.stop().await;
    })
    .await;
}

/// What a device was told, and what a relay gives to a member who has nothing.
struct Told {
    acknowledged: Vec<HeaderHash>,
    waiting: Vec<HeaderHash>,
}

impl Told {
    /// Everything acknowledged is given out.
    async fn is_there(&self, relay: &RunningRelay, random: &mut Random, writers: &[Writer], space: SpaceId) {
        let mut newcomer = Device::new(random, &writers[1]);
        newcomer.expected.push(space);
        let visit = newcomer.visit(&relay.address()).await;
        let there = newcomer.hashes(space).await;
        let lost = self.acknowledged.iter().filter(|hash| there.binary_search(hash).is_err()).count();
        assert_eq!(lost, 0, "of {}: {visit:?}", self.acknowledged.len());
    }
}

#[tokio::test]
#[ignore = "needs namespaces; .ci/run"]
async fn a_relay_on_a_full_disk_reads_on_and_loses_nothing() {
    watched(async {
        let disk = Disk::mount(40);
        let folder = disk.folder();
        let data = folder.path().join("data");
        let relay = RunningRelay::start(&data, &["--open"]);
        let mut random = Random::new(1);
        let mut writers: Vec<Writer> = (0..2).map(|_| Writer::new(&mut random)).collect();
        let mut world = World::new(&mut random, &writers, None);
        world.operate(&writers[0], world.founder, Operation::Relay(relay.address().pin(None)));
        let author = Device::new(&mut random, &writers[0]);
        let mut told = Told { acknowledged: Vec::new(), waiting: Vec::new() };
        author.store(world.membership.clone()).await;
        let visit = author.visit(&relay.address()).await;
        assert!(visit.settled(), "{visit:?}");
        disk.leave(STORAGE_RESERVE_BYTES + (4 << 20));
        let mut live = author.live(&relay.address()).await;
        let (mut low, mut instance) = (0, None);
        while low == 0 {
            let entry = writers[0].write(world.space, world.epoch, &vec![7; 20_000]);
            told.waiting.push(entry.hash());
            let arrival = *author.store([entry]).await.last().unwrap();
            let answer = live
                .until(|event| {
                    matches!(event, Event::Acknowledged { arrival: upto, .. } if *upto >= arrival)
                        || matches!(event, Event::Refused { ours: true, reason, .. } if reason.code() == FULL)
                })
                .await;
            if matches!(answer.expect("the relay goes on"), Event::Acknowledged { .. }) {
                told.acknowledged.append(&mut told.waiting);
            } else {
                low += 1;
            }
        }
        println!(
            "{} entries of 20 KB acknowledged, {} bytes free at the refusal",
            told.acknowledged.len(),
            disk.free()
        );
        assert!(told.acknowledged.len() > 20);
        assert!(disk.free() > STORAGE_RESERVE_BYTES / 2, "{} bytes are free", disk.free());
        instance.get_or_insert(relay.instance());
        live.leave().await;
        told.is_there(&relay, &mut random, &writers, world.space).await;

        // With the reserve it can be stopped, killed and started.
        relay.end(Signal::KILL);
        let relay = RunningRelay::start(&data, &["--open"]);
        told.is_there(&relay, &mut random, &writers, world.space).await;

        // Others take the rest, to the last byte: it serves on. What is started then says what is wrong.
        disk.leave(0);
        told.is_there(&relay, &mut random, &writers, world.space).await;
        let visit = author.visit(&relay.address()).await;
        assert!(visit.refusals().contains(&FULL), "{visit:?}");
        relay.end(Signal::KILL);
        let output = relay_command(&["token", "--label", "x"], &data).output().unwrap();
        println!("a token without a free byte: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(6));

        disk.clear();
        let relay = RunningRelay::start(&data, &["--open"]);
        assert_eq!(Some(relay.instance()), instance);
        told.is_there(&relay, &mut random, &writers, world.space).await;
        let visit = author.visit(&relay.address()).await;
        assert!(visit.settled(), "{visit:?}");
        told.acknowledged.append(&mut told.waiting);
        told.is_there(&relay, &mut random, &writers, world.space).await;
        relay.end(Signal::TERM);
    })
    .await;
}
