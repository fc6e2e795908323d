//! Packs only tighten: the laws of what is in force, and what a pack that says more is told.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::MeetingKind as K;
use alliance_model::policy::{
    AgendaOrigin as From, AttendanceMax, ContentAudience, EvidenceSource as Evidence, Vocabulary as _, Word,
};
use alliance_model::session::SessionRole as R;
use alliance_model::{MeetingPolicy, Pack, Policy, RefusalCode};
use serde_json::{Value, json};

fn shipped(kind: K) -> MeetingPolicy {
    Policy::in_force([]).kind(kind).clone()
}

/// A pack with these records, each the shipped one with some fields set.
fn pack(records: &[(K, Value)]) -> Pack {
    let kinds: Vec<Value> = records
        .iter()
        .map(|(kind, set)| {
            let mut record = serde_json::to_value(Pack::shipped().kind(*kind).unwrap()).unwrap();
            for (field, value) in set.as_object().unwrap() {
                record[field] = value.clone();
            }
            record
        })
        .collect();
    let pack = json!({"pack": 1, "name": "district", "version": 3, "kinds": kinds});
    Pack::parse(pack.to_string().as_bytes()).unwrap()
}

/// Packs that tighten, loosen, know words of the future, and ask for more.
fn packs() -> Vec<Pack> {
    vec![
        pack(&[
            (K::Clinical, json!({"attendance_projection_max": "none", "challenge_topics": ["teamwork", "standards"]})),
            (K::PeerGroup, json!({"agenda_owner": "both", "proposers": {"guest": ["from_work", "procedure"]}})),
        ]),
        pack(&[
            (
                K::Clinical,
                json!({"challenge_topics": ["standards", "blind_spot"], "disclosure_grounds": ["serious_harm"]}),
            ),
            (
                K::PeerGroup,
                json!({"agenda_owner": "supervisor", "proposers": {"guest": ["from_work"], "supervisee": ["from_sessions", "from_work"]}}),
            ),
            (
                K::Management,
                json!({"personnel_copy": false, "outside_help": {"allowed": false, "except": ["lifts", "forms"]}}),
            ),
        ]),
        pack(&[
            (
                K::Clinical,
                json!({"evidence_sources": ["clinical_session", "work_situation", "hearsay"], "agenda_owner": "supervisor"}),
            ),
            (
                K::Management,
                json!({"outside_help": {"allowed": false, "except": ["forms", "childcare"]}, "required_close_fields": ["outcome", "actions"]}),
            ),
        ]),
        pack(&[
            (K::Management, json!({"content_audience": "somewhere", "required_close_fields": ["focus", "mood"]})),
            (
                K::Ipr,
                json!({"evidence_sources": ["ipr_document"], "agenda_owner": "nobody", "content_record_rules": []}),
            ),
        ]),
    ]
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for at in 0..count {
            let mut longer = shorter.clone();
            longer.insert(at, count - 1);
            all.push(longer);
        }
    }
    all
}

#[test]
fn the_order_of_packs_does_not_matter_nor_how_often_they_come() {
    let packs = packs();
    for subset in 0..1_usize << packs.len() {
        let chosen: Vec<&Pack> = (0..packs.len()).filter(|at| subset & (1 << at) != 0).map(|at| &packs[at]).collect();
        let expected = Policy::in_force(chosen.iter().copied());
        for order in orders(chosen.len()) {
            let once: Vec<&Pack> = order.iter().map(|at| chosen[*at]).collect();
            assert_eq!(Policy::in_force(once.iter().copied()), expected, "{order:?}");
            let twice = once.iter().rev().chain(&once).copied();
            assert_eq!(Policy::in_force(twice), expected, "{order:?}, twice");
            // Met in two groups, it is the same as one by one.
            for at in 0..=once.len() {
                let (first, rest) = once.split_at(at);
                let grouped = rest.iter().fold(Policy::in_force(first.iter().copied()), |it, pack| it.meet(pack));
                assert_eq!(grouped, expected, "{order:?}");
            }
        }
    }
    // The shipped pack itself takes nothing away.
    assert_eq!(Policy::in_force([Pack::shipped()]), Policy::in_force([]));
}

#[test]
fn what_is_in_force_is_what_everybody_allows() {
    let packs = packs();
    for subset in 0..1_usize << packs.len() {
        let chosen: Vec<&Pack> = (0..packs.len()).filter(|at| subset & (1 << at) != 0).map(|at| &packs[at]).collect();
        let policy = Policy::in_force(chosen.iter().copied());
        for kind in K::ALL {
            let held = policy.kind(*kind);
            let said: Vec<&MeetingPolicy> =
                chosen.iter().copied().chain([Pack::shipped()]).filter_map(|pack| pack.kind(*kind)).collect();
            let every = |allows: &dyn Fn(&MeetingPolicy) -> bool| said.iter().all(|record| allows(record));
            for (role, origin) in R::ALL.iter().flat_map(|role| From::ALL.iter().map(move |origin| (*role, *origin))) {
                assert_eq!(held.may_propose(role, origin), every(&|it| it.may_propose(role, origin)), "{kind} {role}");
            }
            for evidence in Evidence::ALL {
                assert_eq!(held.may_cite(*evidence), every(&|it| it.may_cite(*evidence)), "{kind} {evidence}");
            }
            for what in ["forms", "lifts", "childcare", "report_unsafe_practice", "anything"] {
                assert_eq!(held.may_help_outside(what), every(&|it| it.may_help_outside(what)), "{kind} {what}");
            }
            for word in ["teamwork", "standards", "blind_spot", "agreed_objectives", "serious_harm", "full", "policy"] {
                assert_eq!(held.may_challenge(word), every(&|it| it.may_challenge(word)), "{kind} {word}");
                assert_eq!(held.may_disclose(word), every(&|it| it.may_disclose(word)), "{kind} {word}");
                assert_eq!(held.may_inform(word), every(&|it| it.may_inform(word)), "{kind} {word}");
                assert_eq!(held.may_elicit(word), every(&|it| it.may_elicit(word)), "{kind} {word}");
                assert_eq!(held.allows_record_rule(word), every(&|it| it.allows_record_rule(word)), "{kind} {word}");
            }
            assert_eq!(held.personnel_copy, every(&|it| it.personnel_copy), "{kind}");
            assert_eq!(held.attendance_max(), said.iter().map(|it| it.attendance_max()).min().unwrap(), "{kind}");
            let one = every(&|it| it.audience() == said[0].audience());
            assert_eq!(held.audience(), if one { said[0].audience() } else { ContentAudience::Nowhere }, "{kind}");
            // Of what is asked for at the close, everything that the shipped record asks for, and never more than three.
            let asked = held.close_fields();
            assert!(asked.len() <= 3 && shipped(*kind).close_fields().iter().all(|it| asked.contains(it)), "{kind}");
        }
    }
}

#[test]
fn a_pack_that_loosens_nothing_is_in_force_as_it_is() {
    let tighter = pack(&[(
        K::Clinical,
        json!({
            "agenda_owner": "supervisee", "proposers": {"supervisor": ["from_sessions"]},
            "attendance_projection_max": "none", "content_record_rules": ["none", "attendance_only"],
            "evidence_sources": ["clinical_session"], "challenge_topics": ["blind_spot"], "information_purposes": [],
            "outside_help": {"allowed": false, "except": []}, "catalytic_topics": ["reflection"],
            "disclosure_grounds": ["serious_harm"],
        }),
    )]);
    assert_eq!(Policy::loosens(&tighter), Vec::<String>::new());
    assert_eq!(Policy::check(&tighter), Ok(()));
    assert_eq!(Policy::in_force([&tighter]).kind(K::Clinical), &tighter.kinds[0]);
    assert_eq!(Policy::loosens(Pack::shipped()), Vec::<String>::new());
    // An owner that is less than the shipped one, and what is left to the others.
    let fewer =
        pack(&[(K::Management, json!({"agenda_owner": "supervisor", "proposers": {"supervisee": ["from_work"]}}))]);
    assert_eq!(Policy::loosens(&fewer), Vec::<String>::new());
    let held = Policy::in_force([&fewer]);
    assert!(held.kind(K::Management).may_propose(R::Supervisee, From::FromWork));
    assert!(!held.kind(K::Management).may_propose(R::Supervisee, From::Procedure));
}

#[test]
fn a_pack_that_loosens_is_named_field_by_field_and_changes_nothing() {
    let cases = [
        ("agenda_owner", json!({"agenda_owner": "supervisor"})),
        ("agenda_owner", json!({"agenda_owner": "both"})),
        ("proposers", json!({"proposers": {"supervisor": ["from_sessions", "from_work"]}})),
        ("proposers", json!({"proposers": {"guest": ["from_sessions"]}})),
        ("content_audience", json!({"content_audience": "management"})),
        ("attendance_projection_max", json!({"attendance_projection_max": "dates_parties"})),
        ("content_record_rules", json!({"content_record_rules": ["none", "verbatim"]})),
        ("evidence_sources", json!({"evidence_sources": ["clinical_session", "work_situation"]})),
        ("challenge_topics", json!({"challenge_topics": ["agreed_objectives"]})),
        ("information_purposes", json!({"information_purposes": ["policy"]})),
        ("outside_help.allowed", json!({"outside_help": {"allowed": true, "except": []}})),
        ("outside_help.except", json!({"outside_help": {"allowed": false, "except": ["lifts"]}})),
        ("catalytic_topics", json!({"catalytic_topics": ["work_done"]})),
        ("personnel_copy", json!({"personnel_copy": true})),
        ("discretion_recipients", json!({"discretion_recipients": ["personnel_file"]})),
        ("disclosure_grounds", json!({"disclosure_grounds": ["serious_harm", "unsafe_practice"]})),
        ("required_close_fields", json!({"required_close_fields": ["outcome"]})),
        ("required_close_fields", json!({"required_close_fields": ["mood", "weather", "energy", "focus"]})),
    ];
    for (field, set) in cases {
        let looser = pack(&[(K::Clinical, set)]);
        assert_eq!(Policy::loosens(&looser), [format!("clinical.{field}")]);
        let refusal = Policy::check(&looser).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::PackLoosens);
        assert_eq!(refusal.params, [("path".to_owned(), format!("clinical.{field}"))]);
    }
    // Several, in the order of the records.
    let two = pack(&[
        (K::Disciplinary, json!({"evidence_sources": ["clinical_session"], "personnel_copy": true})),
        (K::Clinical, json!({"personnel_copy": true, "attendance_projection_max": "dates_parties"})),
    ]);
    let paths = ["disciplinary.evidence_sources", "clinical.attendance_projection_max", "clinical.personnel_copy"];
    assert_eq!(Policy::loosens(&two), paths);
    // Adopted all the same, by a program that is not ours, it lets nobody do more.
    let held = Policy::in_force([&two]);
    assert!(!held.kind(K::Disciplinary).may_cite(Evidence::ClinicalSession));
    assert!(!held.kind(K::Clinical).personnel_copy);
    assert_eq!(held.kind(K::Clinical).attendance_max(), AttendanceMax::Dates);
}

#[test]
fn words_of_a_newer_pack_permit_nothing() {
    let newer = pack(&[(
        K::Clinical,
        json!({
            "agenda_owner": "facilitator", "proposers": {"supervisor": ["from_dreams"], "facilitator": ["from_work"]},
            "content_audience": "cloud", "attendance_projection_max": "everything",
            "evidence_sources": ["hearsay", "clinical_session"], "required_close_fields": ["mood"],
        }),
    )]);
    let record = newer.kind(K::Clinical).unwrap();
    let said = |it: &MeetingPolicy| {
        let may = R::ALL.iter().any(|role| From::ALL.iter().any(|origin| it.may_propose(*role, *origin)));
        (may, it.audience(), it.attendance_max(), it.may_cite(Evidence::ClinicalSession))
    };
    assert_eq!(said(record), (false, ContentAudience::Nowhere, AttendanceMax::None, true));
    assert_eq!(record.close_fields(), []);
    assert_eq!(said(Policy::in_force([&newer]).kind(K::Clinical)), said(record));
    // What permits nothing loosens nothing.
    assert_eq!(Policy::loosens(&newer), Vec::<String>::new());
    // A kind of the future is kept, and changes none of ours.
    let mut stranger = newer.clone();
    stranger.kinds[0].kind = Word::new("coaching");
    assert_eq!(Policy::in_force([&stranger]), Policy::in_force([]));
    assert_eq!(stranger.kinds[0].kind.known(), None);
    assert_eq!(K::WORDS.len(), 7);
}
