//! Sessions through the facade: planned together, held, written down apart, and one note on both phones (a part of
//! journey J5).
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{DocumentId, View};
use alliance_model::session::{
    Attendance, SessionCommand as S, SessionField, SessionState, SessionTransition, SessionValue, SessionView,
};
use alliance_model::{Command, DocumentKind, ItemId, Splice};
use alliance_tests::hostile::meet;
use alliance_tests::people::{Met, Person};
use alliance_tests::relay;

async fn command(of: &Person, session: DocumentId, command: S) {
    // What one answers is what one is shown.
    let revision = of.client.view(session).await.unwrap().revision;
    of.client.command(session, (revision > 0).then_some(revision), Command::Session(command)).await.unwrap();
}

async fn set(of: &Person, session: DocumentId, field: SessionField, text: &str) {
    command(of, session, S::Set { value: SessionValue::from_text(field, text).unwrap() }).await;
}

async fn shown(of: &Person, session: DocumentId) -> SessionView {
    let View::Session(view) = of.client.view(session).await.unwrap().view else { panic!("a session") };
    view
}

/// A session that both have, with something of Amina's on its agenda.
async fn planned(met: &Met) -> DocumentId {
    let session = met.ben.client.create_document(met.space, DocumentKind::Session).await.unwrap();
    for (field, text) in [
        (SessionField::Kind, "clinical"),
        (SessionField::Date, "2026-12-04"),
        (SessionField::Time, "14:30"),
        (SessionField::Minutes, "60"),
    ] {
        set(&met.ben, session, field, text).await;
    }
    met.ben.sync().await;
    met.amina.sync().await;
    let id = ItemId([1; 8]);
    command(&met.amina, session, S::AddItem { id, after: None }).await;
    command(&met.amina, session, S::EditItem { id, splice: Splice::insert(0, "The locked kitchen") }).await;
    met.amina.sync().await;
    met.ben.sync().await;
    session
}

#[tokio::test]
async fn a_planned_session_is_one_document_and_so_is_its_note() {
    relay::watched(async {
        let mut met = Met::over_a_note("Another note. ").await;
        let session = planned(&met).await;
        let view = shown(&met.ben, session).await;
        assert_eq!((view.agenda.len(), view.agenda[0].text.text.as_str()), (1, "The locked kitchen"));
        assert_eq!(view.authors[view.agenda[0].by], "Amina");
        // They meet under a tree, and write alone, each on their own phone.
        let members = met.ben.client.space(met.space).await.unwrap().members;
        let amina = members.iter().find(|member| member.name == "Amina").unwrap().person;
        let mut notes = Vec::new();
        for (person, end, attendance, text) in [
            (&met.ben, "2026-12-04 15:30", Attendance::Attended, "Ben's words. "),
            (&met.amina, "2026-12-04 15:45", Attendance::InPart, "Amina's words. "),
        ] {
            set(person, session, SessionField::End, end).await;
            command(person, session, S::SetAttendance { person: amina, attendance }).await;
            let cites = shown(person, session).await.newest();
            command(person, session, S::Mark { op: item(text), transition: SessionTransition::Held, cites }).await;
            let (note, begun) = person.client.note_of_session(session).await.unwrap();
            assert!(begun, "neither has it yet");
            person.write(note, 0, text).await;
            let View::Note(draft) = person.client.view(note).await.unwrap().view else { panic!("a note") };
            assert_eq!(draft.authors, [person.client.whoami().name], "a draft is one's own");
            person.client.seal_all().await.unwrap();
            notes.push(note);
        }
        assert_eq!(notes[0], notes[1], "both phones make the same document");
        met.amina.reopen().await;
        // Days later they meet, without any relay.
        meet(&met.ben.client, &met.amina.client).await;
        for person in [&met.ben, &met.amina] {
            let text = person.text(notes[0]).await;
            assert!(text.contains("Ben's words. ") && text.contains("Amina's words. "), "{text}");
            assert_eq!(person.client.note_of_session(session).await.unwrap(), (notes[0], false));
            let view = shown(person, session).await;
            assert_eq!(view.state, Some(SessionState::Held), "both said so, and nobody has to choose");
            assert_eq!(view.value(SessionField::End).unwrap().to_text(), "2026-12-04 15:30", "the earlier counts");
            let mut asked: Vec<_> = view.conflicts.iter().map(|conflict| conflict.field.clone()).collect();
            asked.sort();
            assert_eq!(asked, ["end".to_owned(), format!("participants.{amina}.attendance")]);
            assert!(view.participants[0].disputed);
            let people = person.client.view(session).await.unwrap().people;
            assert_eq!(people[&amina.to_string()], "Amina");
        }
        assert_eq!(shown(&met.ben, session).await, shown(&met.amina, session).await);
        drop(met.site);
    })
    .await;
}

/// Eight bytes of a text.
fn item(text: &str) -> ItemId {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(text.bytes()).for_each(|(byte, letter)| *byte = letter);
    ItemId(bytes)
}

#[tokio::test]
async fn sessions_are_listed_found_and_refused_like_every_document() {
    relay::watched(async {
        let met = Met::over_a_note("Another note. ").await;
        let session = planned(&met).await;
        let rows = met.ben.client.documents(None, Some(DocumentKind::Session), None, 0, 10).await.unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.document, row.date.as_str(), row.title.as_str()), (session, "2026-12-04", "Session, clinical"));
        assert_eq!(row.snippet, "The locked kitchen");
        let found = met.ben.client.documents(None, Some(DocumentKind::Session), Some("kitchen"), 0, 10).await.unwrap();
        assert_eq!(found.len(), 1);
        let close = S::Mark { op: item("close"), transition: SessionTransition::Closed, cites: Vec::new() };
        let refused = met.ben.client.command(session, None, Command::Session(close)).await.unwrap_err();
        assert_eq!(refused.code(), "NOT_HELD");
        let refused = met.ben.client.note_of_session(met.note).await.unwrap_err();
        assert_eq!(refused.code(), "WRONG_KIND");
        drop(met.site);
    })
    .await;
}
