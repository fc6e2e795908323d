//! DOMAIN 2.16, J6: the same unplanned session was recorded twice.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{DocumentId, DocumentView, View};
use alliance_model::note::{NoteState, Stage};
use alliance_model::session::{
    AliasView, SessionCommand as S, SessionField, SessionTransition as T, SessionValue as V,
};
use alliance_model::{
    CivilDate, Command, DocumentKind, ItemId, MeetingKind, NoteCommand as N, NoteView, SessionView, Splice,
};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::Person;
use alliance_tests::relay;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn set(field: SessionField, text: &str) -> Command {
    Command::Session(S::Set { value: V::from_text(field, text).unwrap() })
}

fn edit(stage: Stage, text: &str) -> Command {
    Command::Note(N::EditSection { stage, splice: Splice::insert(0, text) })
}

async fn write(person: &Person, document: DocumentId, commands: Vec<Command>) {
    person.client.view(document).await.unwrap();
    for command in commands {
        person.client.command(document, None, command).await.unwrap();
    }
}

/// A session as somebody wrote it down afterwards, and its note.
async fn recorded(person: &Person, both: &Alliance, start: &str, words: &str) -> (DocumentId, DocumentId) {
    let session = person.client.create_document(both.space, DocumentKind::Session).await.unwrap();
    let held = Command::Session(S::Mark { op: ItemId([1; 8]), transition: T::HeldUnplanned, cites: Vec::new() });
    let about = Command::Session(S::AddStakeholder { name: words.to_owned() });
    let kind = Command::Session(S::Set { value: V::Kind(MeetingKind::Clinical) });
    write(person, session, vec![kind, set(SessionField::Start, start), held, about]).await;
    let (note, _) = person.client.note_of_session(session).await.unwrap();
    write(person, note, vec![edit(Stage::Exploration, words)]).await;
    person.client.seal_all().await.unwrap();
    (session, note)
}

async fn seen(person: &Person, document: DocumentId) -> DocumentView {
    person.client.view(document).await.unwrap()
}

async fn session_of(person: &Person, session: DocumentId) -> SessionView {
    let view = seen(person, session).await;
    let View::Session(view) = view.merged.unwrap_or(view.view) else { panic!("a session") };
    view
}

async fn note_of(person: &Person, note: DocumentId) -> NoteView {
    let view = seen(person, note).await;
    let View::Note(view) = view.merged.unwrap_or(view.view) else { panic!("a note") };
    view
}

async fn listed(person: &Person, both: &Alliance, kind: DocumentKind) -> Vec<DocumentId> {
    let rows = person.client.documents(Some(both.space), Some(kind), None, 0, 100).await.unwrap();
    let mut ids: Vec<DocumentId> = rows.into_iter().map(|row| row.document).collect();
    ids.sort();
    ids
}

async fn confirm(person: &Person, note: DocumentId) -> Result<(), String> {
    let text = note_of(person, note).await.text.parse().unwrap();
    let confirmed = person.client.confirm_note(note, text, "en", date("2026-12-08")).await;
    confirmed.map(|_| ()).map_err(|error| error.code().to_owned())
}

async fn code(of: impl Future<Output = Result<(), alliance_client::Error>>) -> String {
    of.await.unwrap_err().code().to_owned()
}

async fn journey(way: Way) {
    let mut both = Alliance::met(way).await;
    let alone = listed(&both.ben, &both, DocumentKind::Note).await;
    // Neither knew that the other wrote it down.
    let (hers, her_note) = recorded(&both.amina, &both, "2026-12-01 10:00", "I was afraid of him.").await;
    let (his, his_note) = recorded(&both.ben, &both, "2026-12-01 10:20", "She names her fear.").await;
    // Amina confirmed what she wrote.
    confirm(&both.amina, her_note).await.unwrap();
    both.exchange().await;
    let pair = vec![(hers.min(his), hers.max(his))];
    for person in [&both.amina, &both.ben] {
        let warned = person.client.possible_duplicates(both.space).await.unwrap();
        assert_eq!(warned, pair, "POSSIBLE_DUPLICATE on both phones");
        assert_eq!(listed(person, &both, DocumentKind::Session).await.len(), 2);
    }
    let before = (session_of(&both.ben, hers).await, session_of(&both.ben, his).await);
    let texts = (note_of(&both.ben, her_note).await, note_of(&both.ben, his_note).await);

    // While apart each merges, in opposite directions; Ben's program is killed in the midst of it.
    both.amina.client.merge_sessions(hers, his).await.unwrap();
    assert_eq!(code(both.amina.client.merge_sessions(his, hers)).await, "ALREADY_MERGED");
    merged_by_a_program_that_is_killed(&mut both, (his, hers)).await;
    both.exchange().await;
    is_one(&both, (hers, his), (her_note, his_note), &alone).await;

    // What was confirmed stays with its text and is asked for again.
    let view = note_of(&both.ben, her_note).await;
    assert_eq!((view.state, view.confirmed.len()), (NoteState::Shared, 1));
    assert_eq!(view.confirmed[0].text, texts.0.text);

    // Undone, everything is as it was; merged again, it is one again.
    both.ben.client.keep_sessions_apart(hers, None).await.unwrap();
    both.exchange().await;
    for person in [&both.amina, &both.ben] {
        assert_eq!(listed(person, &both, DocumentKind::Session).await, vec![hers.min(his), hers.max(his)]);
        let mut now = (session_of(person, hers).await, session_of(person, his).await);
        assert!(now.0.aliases.iter().chain(&now.1.aliases).all(|alias| !alias.is_same()));
        // What was said of them stays in their logs, with who said it.
        for session in [&mut now.0, &mut now.1] {
            session.aliases.clear();
            session.authors.truncate(1);
        }
        assert_eq!(now, before, "two sessions, as they were");
        assert_eq!((note_of(person, her_note).await, note_of(person, his_note).await), texts);
        assert_eq!(person.client.possible_duplicates(both.space).await.unwrap(), Vec::new(), "that was answered");
    }
    both.amina.client.merge_sessions(his, hers).await.unwrap();
    both.exchange().await;
    is_one(&both, (hers, his), (her_note, his_note), &alone).await;
    locks(&both, (hers, his), (her_note, his_note)).await;
}

/// One session with one id on both phones, with everything of both.
async fn is_one(
    both: &Alliance,
    (hers, his): (DocumentId, DocumentId),
    (her_note, his_note): (DocumentId, DocumentId),
    alone: &[DocumentId],
) {
    let mut shown = Vec::new();
    for person in [&both.amina, &both.ben] {
        assert_eq!(listed(person, both, DocumentKind::Session).await, vec![hers.min(his)]);
        let notes = listed(person, both, DocumentKind::Note).await;
        assert_eq!(notes.iter().filter(|note| !alone.contains(note)).collect::<Vec<_>>(), [&her_note.min(his_note)]);
        let (one, other) = (session_of(person, hers).await, session_of(person, his).await);
        assert_eq!(one, other, "whichever is asked for");
        assert_eq!(one.document, hers.min(his).to_string());
        assert_eq!(one.stakeholders, ["I was afraid of him.", "She names her fear."]);
        let starts: Vec<(&str, &str)> = one.conflicts[0]
            .values
            .iter()
            .map(|claim| (claim.value.as_str(), one.authors[claim.by].as_str()))
            .collect();
        assert_eq!(starts, [("2026-12-01 10:00", "Amina"), ("2026-12-01 10:20", "Ben")]);
        assert_eq!(person.client.possible_duplicates(both.space).await.unwrap(), Vec::new());
        let note = note_of(person, his_note).await;
        let text = note.section(Stage::Exploration).unwrap();
        for (words, author) in [("I was afraid of him.", "Amina"), ("She names her fear.", "Ben")] {
            let at = text.text.find(words).unwrap();
            let span = text.spans.iter().find(|span| span.start <= at && at < span.start + span.len).unwrap();
            assert_eq!(note.authors[span.author], author);
        }
        let mut covered = 0;
        for span in &text.spans {
            assert_eq!(span.start, covered, "spans have no gaps");
            covered += span.len;
        }
        assert_eq!(covered, text.scalars());
        // A program that was killed may have left a draft that says the same once more, and goes on its way later.
        let mut one = one;
        assert!(one.aliases.iter().any(AliasView::is_same));
        one.aliases.iter_mut().for_each(|alias| alias.log.clear());
        shown.push((one, note));
    }
    // Names of devices' people are the same to both; order of authors follows from the documents.
    assert_eq!(shown[0], shown[1]);
}

/// Both confirm the two notes as one: they are locked, and what is locked is not taken apart.
async fn locks(both: &Alliance, (hers, his): (DocumentId, DocumentId), (her_note, his_note): (DocumentId, DocumentId)) {
    confirm(&both.ben, his_note).await.unwrap();
    both.exchange().await;
    assert_eq!(note_of(&both.amina, her_note).await.state, NoteState::ConfirmedBySome);
    confirm(&both.amina, her_note).await.unwrap();
    both.exchange().await;
    for (person, note) in [(&both.amina, his_note), (&both.ben, her_note)] {
        assert_eq!(note_of(person, note).await.state, NoteState::Locked);
        let late = person.client.command(note, None, edit(Stage::Close, "No. ")).await.unwrap_err();
        assert_eq!(late.code(), "LOCKED_NOTE");
        assert_eq!(code(person.client.keep_sessions_apart(hers, None)).await, "LOCKED_NOTE");
    }
    // One that is locked and one that is not are not merged, and neither are two of different spaces.
    let (third, _) = recorded(&both.amina, both, "2026-12-01 10:10", "Again.").await;
    assert_eq!(code(both.amina.client.merge_sessions(third, his)).await, "LOCKED_NOTE");
    // A note that was begun and says nothing is no obstacle, and unlocks nothing.
    let fourth = both.amina.client.create_document(both.space, DocumentKind::Session).await.unwrap();
    both.amina.client.note_of_session(fourth).await.unwrap();
    both.amina.client.merge_sessions(fourth, his).await.unwrap();
    assert_eq!(note_of(&both.amina, her_note).await.state, NoteState::Locked);
    let elsewhere = both.amina.client.create_space("Mine", alliance_client::NewSpace::Personal).await.unwrap().space;
    let other = both.amina.client.create_document(elsewhere, DocumentKind::Session).await.unwrap();
    assert_eq!(code(both.amina.client.merge_sessions(third, other)).await, "DIFFERENT_ALLIANCE");
}

/// The program says that two sessions are one, and is killed before it is done, again and again.
async fn merged_by_a_program_that_is_killed(both: &mut Alliance, (one, other): (DocumentId, DocumentId)) {
    let ids = [one, other].map(|id| id.to_string());
    // The first command says how long one takes. Where one is through, those behind it have nothing left to do and end
    // with a refusal, if they are not killed before: neither is an acknowledgement.
    let kills = both
        .ben
        .kill(6, 3, |number| match number {
            0 => ["session", "list"].map(str::to_owned).to_vec(),
            _ => ["session", "merge", &ids[0], &ids[1]].map(str::to_owned).to_vec(),
        })
        .await;
    println!("seed 6: {kills:?}");
    match both.ben.client.merge_sessions(one, other).await {
        // Only what was acknowledged had to be there.
        Ok(()) => assert!(kills.done.iter().all(|number| *number == 0), "{kills:?}"),
        Err(error) => assert_eq!(error.code(), "ALREADY_MERGED"),
    }
}

#[tokio::test]
async fn a_session_that_was_recorded_twice_is_one_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}

#[tokio::test]
async fn a_session_that_was_recorded_twice_is_one_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}
