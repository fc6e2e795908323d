//! Lists and search: by rows alone, whatever was looked at meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::DocumentRow;
use alliance_model::DocumentKind;
use alliance_tests::people::{Met, Person};
use alliance_tests::relay::watched;

async fn found(person: &Person, words: &str) -> Vec<DocumentRow> {
    person.client.documents(None, Some(DocumentKind::Note), Some(words), 0, 50).await.unwrap()
}

#[tokio::test]
async fn a_note_that_was_looked_at_is_found_as_before() {
    watched(async {
        let Met { mut site, ben, note, .. } = Met::over_a_note("The grandmother would not let me in.").await;
        let [before] = found(&ben, "grandmother").await.try_into().unwrap();
        assert!(before.unread, "nobody has looked yet");
        assert_eq!(found(&ben, "grandfather").await, [], "control: it finds what is there");
        // Looking takes the mark away and nothing else.
        assert_eq!(ben.text(note).await, "The grandmother would not let me in.");
        let [after] = found(&ben, "grandmother").await.try_into().unwrap();
        assert_eq!(after, DocumentRow { unread: false, ..before });
        site.stop().await;
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_whatever_their_length() {
    watched(async {
        let ben = Person::new("Ben").await;
        let space = ben.client.create_space("alone", alliance_client::NewSpace::Personal).await.unwrap().space;
        for _ in 0..7 {
            ben.client.create_document(space, DocumentKind::Note).await.unwrap();
        }
        let all = ben.client.documents(None, None, None, 0, u64::MAX).await.unwrap();
        assert_eq!(all.len(), 7);
        for limit in 1..=8 {
            let mut pages = Vec::new();
            for offset in (0..7).step_by(limit) {
                let page = ben.client.documents(None, None, None, offset as u64, limit as u64).await.unwrap();
                assert!(page.len() <= limit);
                pages.extend(page);
            }
            assert_eq!(pages, all, "pages of {limit}");
        }
        assert_eq!(ben.client.documents_loaded().await, 0);
    })
    .await;
}
