//! What is given out of a space: both write the same bytes, the signature beside them proves whose they are, other
//! Automerge programs open the documents, and everybody in the space sees that it was given out.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{DocumentId, prove_export};
use alliance_model::note::{NoteCommand as N, Stage};
use alliance_model::session::{
    Attendance, SessionCommand as S, SessionField, SessionTransition as T, SessionValue as V,
};
use alliance_model::{CivilDate, Command, DocumentKind, ItemId, Splice};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::Person;
use alliance_tests::relay;
use automerge::ReadDoc as _;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

async fn write(person: &Person, document: DocumentId, commands: Vec<Command>) {
    person.client.view(document).await.unwrap();
    for command in commands {
        person.client.command(document, None, command).await.unwrap();
    }
}

/// A session and its note, as somebody wrote them down afterwards.
async fn recorded(person: &Person, both: &Alliance, start: &str, words: &str) -> (DocumentId, DocumentId) {
    let session = person.client.create_document(both.space, DocumentKind::Session).await.unwrap();
    let me = person.client.space(both.space).await.unwrap().members.into_iter().find(|it| it.me).unwrap().person;
    let set = |field, text: &str| Command::Session(S::Set { value: V::from_text(field, text).unwrap() });
    let commands = vec![
        set(SessionField::Start, start),
        set(SessionField::Minutes, "60"),
        Command::Session(S::SetAttendance { person: me, attendance: Attendance::Attended }),
        Command::Session(S::Mark { op: ItemId([1; 8]), transition: T::HeldUnplanned, cites: Vec::new() }),
    ];
    write(person, session, commands).await;
    let (note, _) = person.client.note_of_session(session).await.unwrap();
    let id = ItemId([3; 8]);
    let commands = [
        N::EditSection { stage: Stage::Exploration, splice: Splice::insert(0, words) },
        N::AddAction { id, after: None },
        N::EditAction { id, splice: Splice::insert(0, "=call(\"the clinic\"), soon") },
        N::SetDue { id, due: Some(date("2027-02-01")) },
    ];
    write(person, note, commands.map(Command::Note).to_vec()).await;
    (session, note)
}

#[tokio::test]
async fn both_give_out_the_same_and_everybody_sees_it() {
    relay::watched(async {
        let both = Alliance::met(Way::Direct).await;
        let (hers, her_note) = recorded(&both.amina, &both, "2026-12-01 10:00", "I was afraid of him.").await;
        let (his, his_note) = recorded(&both.ben, &both, "2026-12-01 10:20", "She names her fear.").await;
        both.exchange().await;
        // Shown as one, they are two documents; both are given out.
        both.ben.client.merge_sessions(hers, his).await.unwrap();
        both.exchange().await;
        assert!(both.amina.client.exports(both.space).await.unwrap().exports.is_empty());

        let on = date("2026-12-20");
        // What was typed and not sealed is sealed, so that it is the other's, too, before it is given out.
        write(&both.amina, her_note, vec![Command::Note(N::SetTitle { title: "Under the tree".into() })]).await;
        both.exchange().await;
        let one = both.amina.client.export_space(both.space, on, "for the ethics board").await.unwrap();
        let other = both.ben.client.export_space(both.space, on, "").await.unwrap();
        let text = String::from_utf8(one.space.clone()).unwrap();
        assert_eq!(text, String::from_utf8(other.space.clone()).unwrap(), "of what both have, the same bytes");
        for words in ["I was afraid of him.", "She names her fear.", "Under the tree"] {
            assert!(text.contains(words), "{words}");
        }
        // Keys in order and no spaces: whoever reads and writes it again writes the same.
        let read: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        // Of this device, and of what is not looked at, nothing.
        for local in ["revision", "draft", "unread", "delivery"] {
            assert!(!text.contains(&format!("\"{local}\"")), "{local}");
        }
        assert_eq!(one.sessions, other.sessions);
        let rows: Vec<&str> = one.sessions.split("\r\n").collect();
        let (first, second) = (
            format!("2026-12-01,2026-12-01 10:00,,60,,held,Amina: attended,{hers}"),
            "2026-12-01,2026-12-01 10:20,,60,,held,Ben: attended,",
        );
        assert_eq!(rows[1], first);
        assert!(rows[2].starts_with(second), "{}", rows[2]);
        let action = "2027-02-01,,\"'=call(\"\"the clinic\"\"), soon\",open,";
        assert_eq!(one.actions.split("\r\n").filter(|row| row.starts_with(action)).count(), 2, "{}", one.actions);

        // The signature beside the file is of these bytes and of nothing else.
        let signed = prove_export(&one.space, &one.signature).unwrap();
        assert_eq!((signed.device, signed.on), (both.amina.client.whoami().device, on));
        let spoilt = text.replace("afraid of him", "fond of him");
        for (file, signature) in [(spoilt.as_bytes(), &one.signature), (&one.space, &b"{}".to_vec())] {
            assert_eq!(prove_export(file, signature).unwrap_err().code.code(), "EXPORT_BROKEN");
        }
        let stranger = String::from_utf8(one.signature.clone()).unwrap();
        let stranger = stranger.replace(&signed.device.to_string(), &both.ben.client.whoami().device.to_string());
        assert_eq!(prove_export(&one.space, stranger.as_bytes()).unwrap_err().code.code(), "EXPORT_BROKEN");

        // Each document is one that another Automerge program opens, with its words in it.
        for (note, words) in [(her_note, "I was afraid of him."), (his_note, "She names her fear.")] {
            let (_, bytes) = one.documents.iter().find(|(id, _)| *id == note).unwrap();
            let document = automerge::AutoCommit::load(bytes).unwrap();
            let (_, sections) = document.get(automerge::ROOT, "sections").unwrap().unwrap();
            let (_, exploration) = document.get(&sections, "exploration").unwrap().unwrap();
            assert_eq!(document.text(&exploration).unwrap(), words);
        }

        // Each sees what the other gave out, and when and why.
        both.exchange().await;
        for person in [&both.amina, &both.ben] {
            let exports = person.client.exports(both.space).await.unwrap();
            let said: Vec<(&str, &str)> =
                exports.exports.iter().map(|it| (exports.authors[it.by].as_str(), it.reason.as_str())).collect();
            let mut said = said;
            said.sort_unstable();
            assert_eq!(said, [("Amina", "for the ethics board"), ("Ben", "")]);
            assert!(exports.exports.iter().all(|it| it.on == on && it.file == signed.frozen.to_string()));
        }
        // What was given out before is in what is given out next.
        let next = both.amina.client.export_space(both.space, on, "once more").await.unwrap();
        assert!(String::from_utf8(next.space).unwrap().contains("for the ethics board"));
    })
    .await;
}
