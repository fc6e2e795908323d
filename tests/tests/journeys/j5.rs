//! DOMAIN 2.16, J5: the session, and both write the note on their own phone.
//!
//! The decision and its ethics check are documents of their own, which are not built yet: *later* in docs/DOMAIN.md.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::time::Instant;

use alliance_client::{DocumentId, View};
use alliance_model::note::{NoteState, Stage};
use alliance_model::session::{
    Attendance, SessionCommand as S, SessionField, SessionRole, SessionState, SessionTransition as T, SessionValue as V,
};
use alliance_model::{
    CivilDate, Command, DocumentKind, ItemId, MeetingKind, NoteCommand as N, NoteView, SessionView, Splice,
};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::Person;
use alliance_tests::relay;
use alliance_wire::PersonTag;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

async fn note_of(person: &Person, note: DocumentId) -> NoteView {
    let View::Note(view) = person.client.view(note).await.unwrap().view else { panic!("a note") };
    view
}

async fn session_of(person: &Person, session: DocumentId) -> SessionView {
    let View::Session(view) = person.client.view(session).await.unwrap().view else { panic!("a session") };
    view
}

async fn tag(person: &Person, both: &Alliance, name: &str) -> PersonTag {
    let members = person.client.space(both.space).await.unwrap().members;
    members.into_iter().find(|member| member.name == name).unwrap().person
}

async fn write(person: &Person, document: DocumentId, commands: Vec<Command>) {
    person.client.view(document).await.unwrap();
    for command in commands {
        person.client.command(document, None, command).await.unwrap();
    }
}

async fn confirm(person: &Person, note: DocumentId) -> Result<(), String> {
    let seen = note_of(person, note).await.text.parse().unwrap();
    let confirmed = person.client.confirm_note(note, seen, "en", date("2026-12-08")).await;
    confirmed.map(|_| ()).map_err(|error| error.code().to_owned())
}

fn set(value: V) -> Command {
    Command::Session(S::Set { value })
}

fn edit(stage: Stage, text: &str) -> Command {
    Command::Note(N::EditSection { stage, splice: Splice::insert(0, text) })
}

fn end(text: &str) -> V {
    V::from_text(SessionField::End, text).unwrap()
}

/// A session is planned, with who takes part.
async fn planned(both: &Alliance) -> DocumentId {
    let session = both.ben.client.create_document(both.space, DocumentKind::Session).await.unwrap();
    let (amina, ben) = (tag(&both.ben, both, "Amina").await, tag(&both.ben, both, "Ben").await);
    let commands = vec![
        set(V::Kind(MeetingKind::Clinical)),
        set(V::Date(date("2026-12-01"))),
        Command::Session(S::SetRole { person: ben, role: SessionRole::Supervisor }),
        Command::Session(S::SetRole { person: amina, role: SessionRole::Supervisee }),
    ];
    write(&both.ben, session, commands).await;
    both.exchange().await;
    session
}

async fn journey(way: Way) {
    let mut both = Alliance::met(way).await;
    let session = planned(&both).await;
    let (amina, ben) = (tag(&both.ben, &both, "Amina").await, tag(&both.ben, &both, "Ben").await);

    // They met an hour under a tree. Each begins the note alone: it is one note.
    let (hers, _) = both.amina.client.note_of_session(session).await.unwrap();
    let (his, _) = both.ben.client.note_of_session(session).await.unwrap();
    assert_eq!(hers, his, "a planned session has one note");
    let note = hers;
    write(
        &both.amina,
        session,
        vec![
            set(V::FocusChosenBy(amina)),
            set(end("2026-12-01 11:00")),
            Command::Session(S::SetAttendance { person: amina, attendance: Attendance::Attended }),
            Command::Session(S::AddStakeholder { name: "client".into() }),
            Command::Session(S::Mark { op: ItemId([1; 8]), transition: T::Held, cites: Vec::new() }),
        ],
    )
    .await;
    let about = [edit(Stage::Focus, "The visit that went wrong. "), edit(Stage::Exploration, "I was afraid of him. ")];
    write(&both.amina, note, about.to_vec()).await;
    both.amina.client.seal_all().await.unwrap();
    both.amina.reopen().await;
    write(
        &both.ben,
        session,
        vec![
            set(end("2026-12-01 11:15")),
            Command::Session(S::SetAttendance { person: ben, attendance: Attendance::Attended }),
        ],
    )
    .await;
    let weight = N::SetFunction { scheme: "proctor3".into(), function: "restorative".into(), weight: 60 };
    write(&both.ben, note, vec![edit(Stage::Exploration, "She names her fear. "), Command::Note(weight)]).await;

    // Days later they meet.
    let begun = Instant::now();
    both.exchange().await;
    println!("{way:?}: met in {:?}", begun.elapsed());
    for person in [&both.amina, &both.ben] {
        let view = note_of(person, note).await;
        let text = view.section(Stage::Exploration).unwrap();
        for (words, author) in [("I was afraid of him. ", "Amina"), ("She names her fear. ", "Ben")] {
            let start = text.text.find(words).unwrap();
            let span = text.spans.iter().find(|span| span.start == start).unwrap();
            assert_eq!((view.authors[span.author].as_str(), span.len), (author, words.len()));
        }
        assert!(view.conflicts.is_empty(), "of a text nobody has to choose");
        assert_eq!(view.state, NoteState::Shared);
        let session = session_of(person, session).await;
        let asked: Vec<&str> = session.conflicts.iter().map(|it| it.field.as_str()).collect();
        let ends: Vec<&str> = session.conflicts[0].values.iter().map(|it| it.value.as_str()).collect();
        assert_eq!((asked, ends), (vec!["end"], vec!["2026-12-01 11:00", "2026-12-01 11:15"]));
    }
    closes(&both, session).await;
    locks(&mut both, note).await;
}

/// Closing asks for nothing but what is disputed.
async fn closes(both: &Alliance, session: DocumentId) {
    let view = session_of(&both.ben, session).await;
    assert_eq!(view.state, Some(SessionState::Held));
    let closed = Command::Session(S::Mark { op: ItemId([2; 8]), transition: T::Closed, cites: view.newest() });
    write(&both.ben, session, vec![set(end("2026-12-01 11:15")), closed]).await;
    both.exchange().await;
    let view = session_of(&both.amina, session).await;
    assert_eq!((view.state, view.conflicts.len()), (Some(SessionState::Closed), 0));
}

/// Both confirm: the note is locked, and a later correction is an addendum.
async fn locks(both: &mut Alliance, note: DocumentId) {
    // Ben goes on writing while Amina confirms: what she read is what she signed.
    confirm(&both.amina, note).await.unwrap();
    assert_eq!(confirm(&both.amina, note).await, Err("ALREADY_SIGNED".to_owned()));
    write(&both.ben, note, vec![edit(Stage::Close, "Again in January. ")]).await;
    both.exchange().await;
    let view = note_of(&both.ben, note).await;
    assert_eq!((view.state, view.confirmed.len()), (NoteState::Shared, 1), "she is asked again");
    assert_ne!(view.confirmed[0].text, view.text);
    let stranger = alliance_wire::FrozenHash([7; 32]);
    let refused = both.ben.client.confirm_note(note, stranger, "en", date("2026-12-08")).await.unwrap_err();
    assert_eq!(refused.code(), "STALE_TEXT");
    confirm(&both.ben, note).await.unwrap();
    both.exchange().await;
    // Ben has an afterthought, and does not know that Amina confirms meanwhile what he had confirmed.
    write(&both.ben, note, vec![edit(Stage::Close, "P.S. ")]).await;
    confirm(&both.amina, note).await.unwrap();
    both.exchange().await;
    for person in [&both.ben, &both.amina] {
        let view = note_of(person, note).await;
        let lock = view.lock().unwrap();
        let by: Vec<&str> = lock.by_party().map(|(party, by)| by.map_or("nobody", |_| party.name.as_str())).collect();
        assert_eq!((view.state, by.len()), (NoteState::Locked, 2), "{by:?}");
        assert!(by.contains(&"Amina") && by.contains(&"Ben"));
        let late = person.client.command(note, None, edit(Stage::Close, "No. ")).await.unwrap_err();
        assert_eq!(late.code(), "LOCKED_NOTE");
    }
    assert_eq!(confirm(&both.ben, note).await, Err("LOCKED_NOTE".to_owned()));
    // What was written apart is no part of it, and its author's to add.
    let view = note_of(&both.amina, note).await;
    let apart: Vec<String> = view.apart.iter().map(|it| it.difference.added_text()).collect();
    assert_eq!((apart, view.authors[view.apart[0].by[0]].as_str()), (vec!["P.S. ".to_owned()], "Ben"));
    let refused = both.amina.client.adopt(note, "sections.close").await.unwrap_err();
    assert_eq!(refused.code(), "NOT_AUTHOR");
    both.ben.client.adopt(note, "sections.close").await.unwrap();
    both.amina.client.add_addendum(note, "He called on Monday and said sorry.").await.unwrap();
    let addenda = killed(both, note).await;
    both.exchange().await;
    let (hers, his) = (note_of(&both.amina, note).await, note_of(&both.ben, note).await);
    assert_eq!(hers, his);
    assert_eq!(his.section(Stage::Close).unwrap().text, "Again in January. ");
    let said: Vec<&str> = his.addenda.iter().map(|it| it.text.as_str()).collect();
    assert!(said.contains(&"He called on Monday and said sorry.") && said.contains(&"P.S. "));
    for number in addenda {
        assert!(said.contains(&format!("correction {number}").as_str()), "{number} was acknowledged: {said:?}");
    }
}

/// A program that adds is killed again and again: what it acknowledged is there. Returns what that was.
async fn killed(both: &mut Alliance, note: DocumentId) -> Vec<usize> {
    let id = note.to_string();
    let kills = both
        .ben
        .kill(5, 3, |number| {
            let text = format!("correction {number}");
            ["note", "addendum", &id, "--text", &text].map(str::to_owned).to_vec()
        })
        .await;
    println!("seed 5: {kills:?}");
    kills.done
}

#[tokio::test]
async fn both_write_the_note_of_a_session_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}

#[tokio::test]
async fn both_write_the_note_of_a_session_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}
