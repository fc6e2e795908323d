//! Templates of agreements: commands that fit, and never touch what is there; and the texts of the shipped pack, written
//! down a second time from the sources.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::agreement::{
    AgreementCommand as A, CadenceUnit, ClauseSection as S, ClauseView, Modality, ProtectiveEntryView, ProtectiveTerm,
    ProtectiveView, Term, TermName, TermView, check,
};
use alliance_model::limits::INSERT_BYTES_MAX;
use alliance_model::policy::{Template, TemplateClause, Word};
use alliance_model::{AgreementView, Claim, ItemId, Pack, RefusalCode, TextView};

fn counting() -> impl FnMut() -> ItemId {
    let mut number = 0_u64;
    move || {
        number += 1;
        ItemId(number.to_be_bytes())
    }
}

/// Does to a view what the document would, and checks each command before.
fn write(view: &mut AgreementView, commands: &[A]) {
    for command in commands {
        assert_eq!(check(view, command), Ok(()), "{command:?}");
        match command {
            A::AddClause { id, section, modality, after } => {
                let at = after.map_or(0, |after| view.clauses.iter().position(|it| it.id == after).unwrap() + 1);
                let clause = ClauseView {
                    id: *id,
                    section: Some(*section),
                    modality: Some(*modality),
                    text: TextView::default(),
                    understood: Vec::new(),
                    thread: Vec::new(),
                };
                view.clauses.insert(at, clause);
            }
            A::EditClause { id, splice } => {
                let clause = view.clauses.iter_mut().find(|it| it.id == *id).unwrap();
                assert_eq!((splice.pos as usize, splice.delete), (clause.text.scalars(), 0), "behind what is there");
                clause.text.text.push_str(&splice.insert);
            }
            A::SetTerm { term } => {
                let values = vec![Claim { value: term.to_text(), by: 0 }];
                view.terms.push(TermView { name: term.name(), values });
            }
            A::Protect { op, value, lifts } => {
                let (term, value) = (value.term, value.name().to_owned());
                let entry =
                    ProtectiveEntryView { op: *op, value: value.clone(), by: 0, lifts: lifts.clone(), lifted: false };
                view.protective.push(ProtectiveView { term, value: Some(value), entries: vec![entry] });
            }
            A::MoveClause { .. }
            | A::RemoveClause { .. }
            | A::SetModality { .. }
            | A::ClearTerm { .. }
            | A::Understand { .. }
            | A::Remark { .. }
            | A::Propose { .. }
            | A::Sign { .. } => panic!("a template does not do {command:?}"),
        }
    }
}

fn written(name: &str) -> AgreementView {
    let mut view = AgreementView::default();
    let commands = Pack::shipped().template(name).unwrap().commands(counting()).unwrap();
    write(&mut view, &commands);
    view
}

fn texts(view: &AgreementView, section: S) -> Vec<&str> {
    view.clauses.iter().filter(|it| it.section == Some(section)).map(|it| it.text.text.as_str()).collect()
}

#[test]
fn a_template_of_two_has_every_part_that_the_sources_name() {
    let view = written("clinical_pair");
    // A07, with the hopes of B05; each party has its own hopes, style and resources.
    for (section, clauses) in [
        (S::Hopes, 2),
        (S::Roles, 4),
        (S::Context, 2),
        (S::Arrangements, 1),
        (S::Methods, 1),
        (S::Needs, 2),
        (S::Styles, 2),
        (S::SupervisorResources, 1),
        (S::PractitionerResources, 1),
        (S::Confidentiality, 2),
        (S::Disclosure, 1),
        (S::RecordKeeping, 1),
        (S::GroundRules, 1),
        (S::Reviews, 1),
    ] {
        assert_eq!(texts(&view, section).len(), clauses, "{section}");
    }
    // B06 and C02: about monthly, about an hour; A11: the vocabulary of clinical kinds (2.15, 8).
    assert_eq!(view.term(TermName::Cadence), Some(Term::Cadence { every: 1, unit: CadenceUnit::Month }));
    assert_eq!(view.term(TermName::DurationMin), Some(Term::DurationMin(60)));
    assert_eq!(view.term(TermName::FunctionScheme), Some(Term::FunctionScheme("proctor3".into())));
    assert!(view.term(TermName::Format).is_some() && view.term(TermName::Preparation).is_some());
    // When it is reviewed, people say themselves.
    assert_eq!(view.term(TermName::ReviewDue), None);
    let protective: Vec<_> =
        view.protective.iter().filter_map(|it| Some((it.term.name(), it.value.clone()?))).collect();
    let expected = [("content_record_rule", "agreed_summary"), ("recording", "no"), ("attendance_to_org", "dates")];
    assert_eq!(protective, expected.map(|(term, value)| (term, value.to_owned())));
}

#[test]
fn a_template_says_when_confidentiality_ends_and_what_comes_before() {
    for name in ["clinical_pair", "peer_group"] {
        let view = written(name);
        let confidential = texts(&view, S::Confidentiality).join(" ");
        // C16, C17, C18, C19.
        for words in ["risk of serious harm", "likely to cause serious harm and refuses to change", "two exceptions"] {
            assert!(confidential.contains(words), "{name}: {words}");
        }
        assert!(texts(&view, S::Disclosure)[0].starts_with("Before anything is told to anybody, we talk"), "{name}");
        let must = |section| view.clauses.iter().filter(move |it| it.section == Some(section)).map(|it| it.modality);
        let binding = must(S::Confidentiality).chain(must(S::Disclosure));
        assert!(binding.into_iter().all(|modality| modality == Some(Modality::Must)), "{name}");
    }
    // E07 in the words of a role, A24: statements of both kinds.
    let view = written("clinical_pair");
    let roles = texts(&view, S::Roles).join(" ");
    for words in ["regularly", "planned", "competence", "ethics", "support", "answer for it"] {
        assert!(roles.contains(words), "{words}");
    }
    for modality in [Modality::Must, Modality::May] {
        assert!(view.clauses.iter().any(|it| it.modality == Some(modality)));
    }
}

#[test]
fn a_template_for_peers_has_no_supervisor() {
    let view = written("peer_group");
    let roles = texts(&view, S::Roles).join(" ");
    // 2.15, 7: a rota, and no ethics check; A40, A42; 2.9, groups.
    assert!(roles.contains("Nobody supervises") && roles.contains("turns to facilitate"));
    assert!(texts(&view, S::GroundRules)[0].contains("safe") && texts(&view, S::GroundRules)[0].contains("risks"));
    assert!(texts(&view, S::OptOuts)[0].contains("Nobody has to join"));
    assert!(texts(&view, S::Ending)[0].contains("from a date on which we all agree"));
    assert!(!view.clauses.iter().any(|it| it.text.text.contains("supervisor")));
}

#[test]
fn a_template_is_copied_in_and_overwrites_nothing() {
    let mut ids = counting();
    let template = Pack::shipped().template("clinical_pair").unwrap();
    let mut view = AgreementView::default();
    let own = [
        A::AddClause { id: ids(), section: S::Language, modality: Modality::Must, after: None },
        A::SetTerm { term: Term::DurationMin(90) },
    ];
    write(&mut view, &own);
    let protected = ProtectiveEntryView { op: ids(), value: "full".into(), by: 0, lifts: Vec::new(), lifted: false };
    let term = ProtectiveTerm::ContentRecordRule;
    view.protective.push(ProtectiveView { term, value: Some("full".into()), entries: vec![protected] });
    let before = view.clone();
    let commands = template.commands_into(&view, &mut ids).unwrap();
    write(&mut view, &commands);
    assert_eq!(view.clauses[..1], before.clauses[..]);
    assert_eq!(view.clauses.len(), 1 + template.clauses.len());
    let order: Vec<&str> = view.clauses[1..].iter().map(|it| it.text.text.as_str()).collect();
    assert_eq!(order, template.clauses.iter().map(|it| it.text.as_str()).collect::<Vec<_>>());
    assert_eq!(view.term(TermName::DurationMin), Some(Term::DurationMin(90)));
    assert_eq!(view.protective(term), before.protective(term));
    // Once more it comes a second time behind the first: it is text, and people take out what they do not want.
    let commands = template.commands_into(&view, &mut ids).unwrap();
    assert!(commands.iter().all(|command| matches!(command, A::AddClause { .. } | A::EditClause { .. })));
}

fn plain(text: &str) -> Template {
    let mut template = Pack::shipped().template("peer_group").unwrap().clone();
    template.clauses = vec![TemplateClause {
        section: Word::Known(S::Hopes),
        modality: Word::Known(Modality::May),
        text: text.into(),
        unknown: Default::default(),
    }];
    template
}

#[test]
fn a_long_clause_is_written_in_parts() {
    let text = "ä€😀a".repeat(5_000);
    let mut view = AgreementView::default();
    let commands = plain(&text).commands(counting()).unwrap();
    assert!(commands.iter().filter(|it| matches!(it, A::EditClause { .. })).count() > text.len() / INSERT_BYTES_MAX);
    write(&mut view, &commands);
    assert_eq!(view.clauses[0].text.text, text);
}

#[test]
fn what_cannot_be_written_whole_is_not_written() {
    let refused = |change: fn(&mut Template)| {
        let mut template = plain("Kahawa");
        change(&mut template);
        template.commands(counting()).unwrap_err().code
    };
    assert_eq!(refused(|it| it.clauses[0].section = Word::new("rituals")), RefusalCode::SchemaNewer);
    assert_eq!(refused(|it| it.clauses[0].modality = Word::new("perhaps")), RefusalCode::SchemaNewer);
    assert_eq!(refused(|it| it.terms[0].name = Word::new("snacks")), RefusalCode::SchemaNewer);
    assert_eq!(refused(|it| it.protective[0].term = Word::new("silence")), RefusalCode::SchemaNewer);
    assert_eq!(refused(|it| it.terms[0].value = "every now and then".into()), RefusalCode::PackBroken);
    assert_eq!(refused(|it| it.terms[0].value = "0 month".into()), RefusalCode::NumberInvalid);
    assert_eq!(refused(|it| it.terms[2].value = "a\u{7}".into()), RefusalCode::TextInvalid);
    assert_eq!(refused(|it| it.protective[0].value = "everything".into()), RefusalCode::PackBroken);
}

fn lines(name: &str) -> Vec<&'static str> {
    let text = Pack::shipped().text(name).unwrap();
    assert_eq!(text.language, "en");
    text.lines.iter().map(String::as_str).collect()
}

/// Whether a text says these things, a line each, in this order.
#[track_caller]
fn says(name: &str, words: &[&str]) {
    let lines = lines(name);
    assert_eq!(lines.len(), words.len(), "{lines:?}");
    for (line, word) in lines.iter().zip(words) {
        assert!(line.to_lowercase().contains(word), "{name}: {line} / {word}");
    }
}

#[test]
fn texts_say_what_the_sources_ask() {
    // A03.
    says("values", &["want to do it well", "main resource", "learnt, and it needs trust", "colleagues"]);
    // A22: the title misleads, and the first meeting is crucial.
    let first = ["word supervision", "hopes for", "between you", "employer", "how often", "learns", "do not know yet"];
    says("first_session", &first);
    // A23.
    says("climate", &["welcoming", "invite", "listen", "check", "share", "formal", "laugh"]);
    // E04.
    says("purpose_questions", &["for?", "benefit", "really happens", "better"]);
    // E07.
    says("definitions", &["organisation gives", "regular, planned, accountable and supportive", "competence"]);
    // A46.
    let characters =
        ["client", "supervisor", "professional manager", "organisation", "regulator", "agreement", "contract", "tasks"];
    says("speak_for", &characters);
    // E10: questions, each of which is one.
    assert!(lines("reflection").len() >= 4 && lines("reflection").iter().all(|line| line.ends_with('?')));
}

#[test]
fn the_helping_process_has_its_lists_and_solving_comes_last() {
    // A34, A35, A36, in their order.
    says("exploration", &["listen", "reflect back", "clarify", "paraphrase", "summarise"]);
    let understanding = [
        "focus",
        "open questions",
        "think, feel, sense in your body, imagine",
        "hunch",
        "connect",
        "somebody else",
        "inform",
        "challenge",
        "confront",
    ];
    says("understanding", &understanding);
    says("action", &["envisage", "options", "costs against", "rehearse", "else it might", "goal", "plan"]);
    // A50: reflect, paraphrase, summarise before focusing and action.
    says("before_solving", &["reflect", "paraphrase", "summarise", "focus", "act"]);
}

#[test]
fn texts_are_a_packs_and_can_be_left_out() {
    // A57: what is alien to some is not in a pack of theirs, and no rule goes with it.
    let mut other = Pack::shipped().clone();
    other.texts.retain(|text| text.name != "values");
    let other = Pack::parse(&other.encode()).unwrap();
    assert!(other.text("values").is_none() && other.text("climate").is_some());
    assert_eq!(other.kinds, Pack::shipped().kinds);
    // A33: another framework takes the place of the lists, by name.
    other.texts.iter().for_each(|text| assert!(!text.lines.is_empty(), "{}", text.name));
    let heron = br#"{"pack":1,"name":"heron","version":1,"texts":[{"name":"exploration","language":"en",
        "lines":["Prescriptive","Informative","Confronting","Cathartic","Catalytic","Supportive"]}]}"#;
    assert_eq!(Pack::parse(heron).unwrap().text("exploration").unwrap().lines.len(), 6);
    assert!(Pack::shipped().text("no_such_text").is_none() && Pack::shipped().template("no_such").is_none());
}
