//! DOMAIN 2.16, J10's review and J13's end: both answer and sign what they do with it; a closing summary that both signed
//! is all that a new supervisor gets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{DocumentId, Error, NewSpace, Role, SpaceId, View, prove_signed};
use alliance_model::{DocumentKind, NoteView};
use alliance_tests::forms::{day, edit, form, set, sign, write};
use alliance_tests::hostile::admit_as;
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::Person;
use alliance_tests::relay;

async fn code<T>(of: impl Future<Output = Result<T, Error>>) -> String {
    of.await.map(|_| ()).unwrap_err().code().to_owned()
}

async fn note(of: &Person, note: DocumentId) -> NoteView {
    let View::Note(view) = of.client.view(note).await.unwrap().view else { panic!("a note") };
    view
}

/// Both say how it goes, and sign what they do with it.
async fn review(both: &mut Alliance) {
    let review = both.amina.client.create_document(both.space, DocumentKind::Review).await.unwrap();
    write(&both.amina, review, [set("due", "2026-12-01")]).await.unwrap();
    both.exchange().await;
    let answer = [("question", "relationship")];
    both.amina.client.add_to_form(review, "answer", &answer, "I dare to say when I do not know.").await.unwrap();
    both.ben.client.add_to_form(review, "answer", &answer, "I talk less than I did.").await.unwrap();
    both.exchange().await;
    assert_eq!(code(sign(&both.amina, review)).await, "INCOMPLETE", "nothing is said of the outcome");
    // While apart they say different things of it: that is to be chosen first.
    write(&both.amina, review, [set("outcome", "continue")]).await.unwrap();
    write(&both.ben, review, [set("outcome", "renegotiate")]).await.unwrap();
    both.exchange().await;
    assert_eq!(code(sign(&both.amina, review)).await, "NEEDS_CHOICE");
    write(&both.amina, review, [set("outcome", "renegotiate")]).await.unwrap();
    both.exchange().await;
    sign(&both.amina, review).await.unwrap();
    both.exchange().await;
    assert!(!form(&both.ben, review).await.signed, "one of two");

    // He answers once more, in a program that is killed, before he signs what she signed.
    let id = review.to_string();
    let read = form(&both.ben, review).await;
    // A question each time: who answers one again words the answer anew.
    let questions = ["improve", "benefits", "what_happens", "purpose", "goals", "agreement"];
    let answers = |n: usize| {
        let (question, text) = (questions[n % questions.len()], format!("Number {n}."));
        ["review", "answer", &id, question, "--text", &text].map(str::to_owned).to_vec()
    };
    let kills = both.ben.kill(10, 2, answers).await;
    println!("seed 10: {kills:?}");
    let answers: Vec<String> = form(&both.ben, review).await.items.into_iter().map(|item| item.text.text).collect();
    for number in &kills.done {
        assert_eq!(answers.iter().filter(|text| **text == format!("Number {number}.")).count(), 1);
    }
    let seen = read.text.parse().unwrap();
    both.ben.client.sign_form(review, seen, ("en", day()), None).await.unwrap();
    both.exchange().await;
    let (hers, his) = (form(&both.amina, review).await, form(&both.ben, review).await);
    assert_eq!(hers, his);
    assert!(hers.signed && hers.items.len() == 2, "what was written apart is no part of it: {:?}", hers.items);
    assert!(hers.apart.len() >= kills.done.len(), "{:?}", hers.apart);
    assert_eq!(code(both.amina.client.add_to_form(review, "answer", &answer, "More.")).await, "SEALED");
}

/// What both say at the end, signed by both.
async fn closing(both: &Alliance) -> DocumentId {
    let closing = both.ben.client.create_document(both.space, DocumentKind::Closing).await.unwrap();
    write(&both.ben, closing, [edit("summary", "We met for a year. "), set("ends_on", "2026-12-31")]).await.unwrap();
    both.exchange().await;
    write(&both.amina, closing, [edit("summary", "I lead the group now. ")]).await.unwrap();
    both.exchange().await;
    sign(&both.amina, closing).await.unwrap();
    let early = both.amina.client.signed_file(closing, day(), "for Carol");
    assert_eq!(code(early).await, "INCOMPLETE", "he has not signed");
    both.exchange().await;
    sign(&both.ben, closing).await.unwrap();
    both.exchange().await;
    closing
}

/// Amina and a new supervisor.
async fn next(amina: &Person, carol: &Person) -> SpaceId {
    let space = amina.client.create_space("Amina and Carol", NewSpace::Pair).await.unwrap().space;
    admit_as(&amina.client, space, &carol.client, Role::Writer).await;
    space
}

async fn journey(way: Way) {
    let mut both = Alliance::met(way).await;
    review(&mut both).await;
    let closing = closing(&both).await;
    let carol = Person::new("Carol").await;
    let space = next(&both.amina, &carol).await;

    // What only one of the two would give away stays: the note that was not confirmed, by whichever way.
    assert_eq!(code(both.amina.client.copy_document(both.note, space)).await, "SCOPE_LEAK");
    let renewed = both.amina.client.copy_documents(both.space, space).await.unwrap();
    assert_eq!((renewed.copied.len(), renewed.left.is_empty()), (0, false), "{:?}", renewed.left);
    let text = note(&both.ben, both.note).await.text.parse().unwrap();
    both.ben.client.confirm_note(both.note, text, "en", day()).await.unwrap();
    both.exchange().await;
    both.amina.client.confirm_note(both.note, text, "en", day()).await.unwrap();
    assert!(note(&both.amina, both.note).await.is_locked());
    both.amina.client.copy_document(both.note, space).await.unwrap();
    // Nobody else has it in the space of her devices alone: there she may copy what she likes.
    let home = both.amina.client.create_space("Mine", NewSpace::Personal).await.unwrap().space;
    both.amina.client.copy_document(both.note, home).await.unwrap();

    // The summary goes as a file that proves itself, and everybody sees that it was given out.
    let file = both.amina.client.signed_file(closing, day(), "for Carol").await.unwrap();
    let proved = prove_signed(&file).unwrap();
    assert_eq!(proved.words.texts["summary"], "I lead the group now. We met for a year. ");
    let names: Vec<&str> = proved.parties.iter().map(|party| party.name.as_str()).collect();
    assert!(names.contains(&"Amina") && names.contains(&"Ben"), "{names:?}");
    both.exchange().await;
    assert_eq!(both.ben.client.exports(both.space).await.unwrap().exports[0].reason, "for Carol");
    both.amina.client.adopt_file(space, &file, day()).await.unwrap();
    alliance_tests::hostile::meet(&both.amina.client, &carol.client).await;
    let got = carol.client.adopted_files(space).await.unwrap();
    assert_eq!((got.len(), got[0].kind), (1, DocumentKind::Closing));
    assert_eq!(got[0].proved, proved);
    let everything = carol.client.export(None).await.unwrap().to_string();
    assert!(everything.contains("I lead the group now") && everything.contains("Our first talk"));
    assert!(!everything.contains("I dare to say"), "the review is theirs");
    both.amina.reopen().await;
    assert_eq!(both.amina.client.adopted_files(space).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_alliance_ends_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}

#[tokio::test]
async fn an_alliance_ends_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}
