//! What it costs to meet a relay when nothing is new: a few bytes, and no document.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::SyncReport;
use alliance_model::DocumentKind;
use alliance_tests::people::{Person, pair_up};
use alliance_tests::relay::{Site, open, watched};

const SPACES: usize = 20;
const DOCUMENTS: usize = 50;

fn bytes(report: &SyncReport) -> u64 {
    report.bytes_up + report.bytes_down
}

#[tokio::test]
async fn the_idle_exchange_is_short_and_loads_no_document() {
    watched(async {
        let mut site = Site::start(open).await;
        let (ben, mut amina) = (Person::new("Ben").await, Person::new("Amina").await);
        ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let spaces = pair_up(&ben, &amina, SPACES).await;
        let mut notes = Vec::new();
        for space in &spaces {
            for n in 0..DOCUMENTS {
                let note = ben.client.create_document(*space, DocumentKind::Note).await.unwrap();
                ben.write(note, 0, &format!("What happened in week {n}.")).await;
                ben.client.seal(note).await.unwrap();
                notes.push(note);
            }
        }
        for _ in 0..2 {
            ben.sync().await;
            amina.sync().await;
        }
        assert_eq!(amina.client.documents(None, None, None, 0, u64::MAX).await.unwrap().len(), SPACES * DOCUMENTS);
        for person in [&ben, &amina] {
            let idle = person.sync().await;
            println!("idle: {} up, {} down, {} round trips", idle.bytes_up, idle.bytes_down, idle.round_trips);
            println!("  UDP: {} up, {} down", idle.udp_up, idle.udp_down);
            assert!(bytes(&idle) <= 200, "{idle:?}");
            assert_eq!(idle.documents_loaded, 0, "{idle:?}");
            assert_eq!(idle.received, 0, "{idle:?}");
        }
        // Control: with one edit both figures move. Opened anew, since which documents are still in memory depends on the
        // order of the spaces, whose ids are random.
        amina.reopen().await;
        ben.write(notes[7], 0, "New: ").await;
        let busy = ben.sync().await;
        assert!(bytes(&busy) > 200, "{busy:?}");
        let received = amina.sync().await;
        println!("one edit: {} up; {} down", busy.bytes_up, received.bytes_down);
        assert!(received.documents_loaded > 0, "{received:?}");
        assert_eq!(amina.text(notes[7]).await, "New: What happened in week 7.");
        site.stop().await;
    })
    .await;
}
