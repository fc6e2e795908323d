//! What the shipped policy says of each kind of meeting, written down a second time from the table of DOMAIN 1.D, a test
//! for a row.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use alliance_model::MeetingKind as K;
use alliance_model::agreement::{ProtectiveTerm, ProtectiveValue};
use alliance_model::policy::{
    AgendaOrigin as From, AttendanceMax, CloseField, ContentAudience, EvidenceSource as Evidence, Word,
};
use alliance_model::session::SessionRole as R;
use alliance_model::{MeetingPolicy, Policy, RefusalCode};

/// The four columns of the table.
const COLUMNS: [K; 4] = [K::Clinical, K::Management, K::Ipr, K::Disciplinary];

fn shipped(kind: K) -> MeetingPolicy {
    Policy::in_force([]).kind(kind).clone()
}

/// Which of the words of all four columns are allowed in one.
fn allowed(
    kind: K,
    words: fn(&MeetingPolicy) -> &Vec<String>,
    allows: fn(&MeetingPolicy, &str) -> bool,
) -> Vec<String> {
    let policy = shipped(kind);
    let all: BTreeSet<String> = COLUMNS.iter().flat_map(|kind| words(&shipped(*kind)).clone()).collect();
    assert!(!allows(&policy, "anything_else"));
    all.into_iter().filter(|word| allows(&policy, word)).collect()
}

fn sorted(words: &[&str]) -> Vec<String> {
    let words: BTreeSet<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.into_iter().collect()
}

/// What somebody may bring to such a meeting.
fn brings(kind: K, role: R) -> Vec<From> {
    let policy = shipped(kind);
    From::ALL.iter().copied().filter(|origin| policy.may_propose(role, *origin)).collect()
}

#[test]
fn d1_whose_the_agenda_is() {
    // Clinical: mostly the supervisee's; the supervisor from sessions or the working relationship.
    assert_eq!(brings(K::Clinical, R::Supervisee), From::ALL);
    assert_eq!(brings(K::Clinical, R::Supervisor), [From::FromSessions, From::WorkingRelationship]);
    // Management: manager and practitioner.
    assert_eq!(brings(K::Management, R::Supervisor), From::ALL);
    assert_eq!(brings(K::Management, R::Supervisee), From::ALL);
    // IPR: the document, by the manager; some input of the practitioner.
    assert_eq!(brings(K::Ipr, R::Supervisor), From::ALL);
    assert_eq!(brings(K::Ipr, R::Supervisee), [From::FromWork, From::IprDocument]);
    // Disciplinary: the manager.
    assert_eq!(brings(K::Disciplinary, R::Supervisor), From::ALL);
    assert_eq!(brings(K::Disciplinary, R::Supervisee), []);
    // Whoever watches or visits brings nothing to any of them.
    for kind in COLUMNS {
        assert_eq!((brings(kind, R::Observer), brings(kind, R::Guest)), (vec![], vec![]), "{kind}");
    }
}

#[test]
fn d2_what_is_confidential() {
    let rules = |kind| allowed(kind, |it| &it.content_record_rules, MeetingPolicy::allows_record_rule);
    let recipients = |kind| shipped(kind).discretion_recipients;
    let grounds = |kind| shipped(kind).disclosure_grounds;
    // Clinical: almost total; exceptions of law and ethics (C17, C18); possibly dates and times; a record is negotiated,
    // and attendance only is one (D8); their eyes only.
    let clinical = shipped(K::Clinical);
    assert_eq!(clinical.audience(), ContentAudience::Alliance);
    assert_eq!(grounds(K::Clinical), ["serious_harm", "harmful_conduct_refusal"]);
    assert!(clinical.may_disclose("serious_harm") && !clinical.may_disclose("unsafe_practice"));
    assert_eq!(clinical.attendance_max(), AttendanceMax::Dates);
    assert_eq!(rules(K::Clinical), sorted(&["none", "attendance_only", "agreed_summary", "full"]));
    assert!(recipients(K::Clinical).is_empty() && !clinical.personnel_copy);
    // Management: not necessarily, with discretion: selected team members; manager's notes and/or personnel file.
    let management = shipped(K::Management);
    assert_eq!(management.audience(), ContentAudience::Management);
    assert_eq!(recipients(K::Management), ["selected_team_members", "manager_notes", "personnel_file"]);
    assert_eq!(rules(K::Management), sorted(&["agreed_summary", "full"]));
    assert!(management.personnel_copy && grounds(K::Management).is_empty());
    // IPR: no, with discretion; a copy in the manager's and/or the personnel file.
    let ipr = shipped(K::Ipr);
    assert_eq!(ipr.audience(), ContentAudience::Management);
    assert_eq!(recipients(K::Ipr), ["manager_file", "personnel_file"]);
    assert_eq!(rules(K::Ipr), sorted(&["agreed_summary", "full"]));
    assert!(ipr.personnel_copy && grounds(K::Ipr).is_empty());
    // Disciplinary: no, with discretion; the manager's file and the personnel file.
    let disciplinary = shipped(K::Disciplinary);
    assert_eq!(disciplinary.audience(), ContentAudience::Management);
    assert_eq!(recipients(K::Disciplinary), ["manager_file", "personnel_file"]);
    assert_eq!(rules(K::Disciplinary), sorted(&["full"]));
    assert!(disciplinary.personnel_copy && grounds(K::Disciplinary).is_empty());
}

#[test]
fn d3_what_information_is_for() {
    let purposes = |kind| allowed(kind, |it| &it.information_purposes, MeetingPolicy::may_inform);
    // Clinical: some, to widen the supervisee's own options.
    assert_eq!(purposes(K::Clinical), ["widen_own_options"]);
    // Management: objectives of team and organisation, policy.
    assert_eq!(purposes(K::Management), sorted(&["team_objectives", "organisation_objectives", "policy"]));
    // IPR: the same, and training opportunities.
    let ipr = ["team_objectives", "organisation_objectives", "policy", "training_opportunities"];
    assert_eq!(purposes(K::Ipr), sorted(&ipr));
    // Disciplinary: procedure, improving performance that is challenged, consequences.
    let disciplinary = ["procedure", "improving_challenged_performance", "consequences"];
    assert_eq!(purposes(K::Disciplinary), sorted(&disciplinary));
}

#[test]
fn d4_what_is_challenged_and_on_what_evidence() {
    let topics = |kind| allowed(kind, |it| &it.challenge_topics, MeetingPolicy::may_challenge);
    let evidence = |kind: K| -> Vec<Evidence> {
        Evidence::ALL.iter().copied().filter(|source| shipped(kind).may_cite(*source)).collect()
    };
    // Clinical: clinical sessions only; mistakes, standards, teamwork, self-defeating, blind spots, broken contracts.
    assert_eq!(evidence(K::Clinical), [Evidence::ClinicalSession]);
    let clinical = ["technical_mistake", "standards", "teamwork", "self_defeating", "blind_spot", "broken_clause"];
    assert_eq!(topics(K::Clinical), sorted(&clinical));
    // Management: any work situation; mistakes, standards, teamwork, agreed objectives.
    assert_eq!(evidence(K::Management), [Evidence::WorkSituation]);
    assert_eq!(topics(K::Management), sorted(&["mistake", "standards", "teamwork", "agreed_objectives"]));
    // IPR: as management, and its document.
    assert_eq!(evidence(K::Ipr), [Evidence::WorkSituation, Evidence::IprDocument]);
    assert_eq!(topics(K::Ipr), topics(K::Management));
    // Disciplinary: any; severe or repeated mistakes, standards, teamwork, objectives.
    assert_eq!(evidence(K::Disciplinary), [Evidence::WorkSituation, Evidence::IprDocument]);
    let disciplinary = ["severe_or_repeated_mistake", "standards", "teamwork", "agreed_objectives"];
    assert_eq!(topics(K::Disciplinary), sorted(&disciplinary));
}

#[test]
fn d5_what_help_there_is_outside_meetings() {
    // Clinical: none, but unsafe practice is reported (D10).
    let clinical = shipped(K::Clinical);
    assert!(clinical.may_help_outside("report_unsafe_practice"));
    assert!(!clinical.may_help_outside("practical_help"));
    // Management: practical help.
    assert!(shipped(K::Management).may_help_outside("practical_help"));
    // IPR: practical help.
    assert!(shipped(K::Ipr).may_help_outside("practical_help"));
    // Disciplinary: practical help, which is often hard to accept from that person: apps can say so.
    let disciplinary = shipped(K::Disciplinary);
    assert!(disciplinary.may_help_outside("practical_help"));
    assert!(disciplinary.says("D5").unwrap().contains("hard to accept"));
}

#[test]
fn d6_what_is_brought_out() {
    let topics = |kind| allowed(kind, |it| &it.catalytic_topics, MeetingPolicy::may_elicit);
    // Clinical: reflection, learning, problem-solving, difficult emotions, decisions, planning, reviewing application.
    let clinical = [
        "reflection",
        "learning_from_experience",
        "problem_solving",
        "difficult_emotions",
        "decisions",
        "planning",
        "review_application",
    ];
    assert_eq!(topics(K::Clinical), sorted(&clinical));
    // Management: work done and standards, the team's problem-solving.
    assert_eq!(topics(K::Management), sorted(&["work_done", "standards", "team_problem_solving"]));
    // IPR: standards per document, performance review, goals.
    assert_eq!(topics(K::Ipr), sorted(&["standards_per_ipr_document", "performance_review", "goals"]));
    // Disciplinary: the issues under discussion, goals.
    assert_eq!(topics(K::Disciplinary), sorted(&["issues_under_discussion", "goals"]));
}

#[test]
fn d7_nothing_of_a_session_comes_into_a_meeting_with_a_manager() {
    for kind in K::ALL {
        let policy = shipped(*kind);
        let managed = COLUMNS[1..].contains(kind);
        assert_eq!(kind.is_management(), managed, "{kind}");
        assert_eq!(policy.may_cite(Evidence::ClinicalSession), !managed, "{kind}");
        assert_eq!(policy.may_cite(Evidence::WorkSituation), managed, "{kind}");
        assert_eq!(policy.audience() == ContentAudience::Management, managed, "{kind}");
        // 2.15, 4: the organisation learns dates of supervision, and nothing else of it.
        let most = if managed { AttendanceMax::DatesParties } else { AttendanceMax::Dates };
        assert_eq!(policy.attendance_max(), most, "{kind}");
        assert_eq!(policy.personnel_copy, managed, "{kind}");
    }
}

#[test]
fn further_kinds_are_records_too() {
    // 2.15, 7: in a peer group everybody may bring anything.
    for role in R::ALL {
        assert_eq!(brings(K::PeerGroup, *role), From::ALL, "{role}");
    }
    assert_eq!(brings(K::Consultative, R::Supervisor), [From::FromSessions, From::WorkingRelationship]);
    assert_eq!(brings(K::Training, R::Supervisor), From::ALL);
    assert_eq!(brings(K::Training, R::Observer), [From::FromSessions]);
    assert!(shipped(K::Training).may_cite(Evidence::TrainingExercise));
    // E06: what a group is for.
    assert!(shipped(K::PeerGroup).may_elicit("team_dynamics") && shipped(K::PeerGroup).may_elicit("theme"));
    for kind in [K::Consultative, K::Training, K::PeerGroup] {
        assert_eq!(shipped(kind).disclosure_grounds, shipped(K::Clinical).disclosure_grounds, "{kind}");
    }
}

#[test]
fn every_record_has_the_words_of_the_agreement_and_says_its_column() {
    for kind in K::ALL {
        let policy = shipped(*kind);
        for rule in &policy.content_record_rules {
            assert!(ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, rule).is_some(), "{kind} {rule}");
        }
        let most = policy.attendance_max().name();
        assert!(ProtectiveValue::from_name(ProtectiveTerm::AttendanceToOrg, most).is_some(), "{kind} {most}");
        for row in ["D1", "D2", "D3", "D4", "D5", "D6"] {
            assert_eq!(policy.says(row).is_some(), COLUMNS.contains(kind), "{kind} {row}");
        }
    }
}

#[test]
fn closing_asks_for_at_most_three_fields() {
    for kind in K::ALL {
        let fields = shipped(*kind).close_fields();
        assert!(fields.len() <= 3, "{kind}");
    }
    assert_eq!(shipped(K::Clinical).close_fields(), [CloseField::Attendance, CloseField::Focus, CloseField::NextDate]);
    let mut asks = shipped(K::PeerGroup);
    asks.required_close_fields =
        ["outcome", "mood", "next_date", "attendance", "actions", "focus"].map(Word::new).into();
    assert_eq!(asks.close_fields(), [CloseField::Attendance, CloseField::Focus, CloseField::NextDate]);
}

#[test]
fn what_is_forbidden_is_refused_by_name() {
    let refusal = shipped(K::Clinical).forbids("evidence_sources");
    assert_eq!(refusal.code, RefusalCode::KindForbids);
    let params: Vec<_> = refusal.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(params, [("kind", "clinical"), ("rule", "evidence_sources")]);
}
