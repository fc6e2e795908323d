//! The words of the shipped vocabularies, written down a second time from the sources (DOMAIN part 1): what is in
//! documents and on screens of people is not renamed, dropped or put into another order by accident.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::agreement::ClauseSection;
use alliance_model::preparation::{Feeling, PreparationKind};
use alliance_model::scheme::{SCHEMES, mapped};
use alliance_model::session::FocusType;

#[test]
fn an_agreement_has_the_parts_that_the_sources_name() {
    // A07 in its order, with the hopes of B05 before them and what other rows ask behind them.
    let named: Vec<&str> = ClauseSection::ALL.iter().map(|section| section.name()).collect();
    let of_the_sources = [
        "hopes",
        "responsibilities_roles",
        "contextual_factors",
        "administrative_arrangements",
        "supervisor_methods",
        "developmental_needs",
        "learning_styles",
        "supervisor_resources",
        "practitioner_resources",
    ];
    assert_eq!(named[..9], of_the_sources);
    let further = [
        "confidentiality",
        "record_keeping",
        "feedback_rules",
        "ground_rules",
        "special_needs_shared",
        "opt_outs",
        "preparation",
        "reviews",
        "criteria",
        "recordings",
        "disclosure",
        "ending",
        "language",
    ];
    assert_eq!(named[9..], further);
}

#[test]
fn what_somebody_brings_is_of_the_sorts_that_the_sources_name() {
    // C12: a client issue, an ethical concern, stress, a colleague, workload; B07 adds learning.
    let focus: Vec<&str> = FocusType::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(focus, ["client", "ethical", "stress", "colleague", "workload", "learning", "other"]);
    // A26: puzzling, interesting, upsetting; C06: what went well.
    let kinds: Vec<&str> = PreparationKind::ALL.iter().map(|it| it.name()).collect();
    assert_eq!(kinds, ["puzzling", "interesting", "upsetting", "success", "ethical", "workload", "other"]);
    // A25, in its order.
    let feelings: Vec<&str> = Feeling::ALL.iter().map(|it| it.name()).collect();
    let of_the_source =
        ["distress", "vulnerability", "confusion", "anger", "shame", "guilt", "remorse", "pride", "pleasure"];
    assert_eq!(feelings, of_the_source);
}

#[test]
fn functions_are_those_of_the_sources_and_the_restorative_one_stands_first() {
    let schemes: Vec<(&str, &[&str])> = SCHEMES.iter().map(|scheme| (scheme.name, scheme.functions)).collect();
    let expected: [(&str, &[&str]); 3] = [
        // A11, in the order of A12.
        ("proctor3", &["restorative", "formative", "normative"]),
        // E01: its four, support first for the same reason.
        ("morrison4", &["support", "development", "management", "mediation"]),
        // C03, in its order.
        ("three_s2", &["supportive", "educative", "normative"]),
    ];
    assert_eq!(schemes, expected);
}

#[test]
fn functions_of_one_scheme_are_those_of_another_but_mediation() {
    // DOMAIN 2.7: normative = management, formative = educative = development, restorative = supportive = support.
    let rows = [
        ["restorative", "support", "supportive"],
        ["formative", "development", "educative"],
        ["normative", "management", "normative"],
    ];
    let schemes = ["proctor3", "morrison4", "three_s2"];
    for row in rows {
        for (scheme, function) in schemes.iter().zip(row) {
            for (into, word) in schemes.iter().zip(row) {
                assert_eq!(mapped(scheme, function, into), Some(word), "{scheme} {function} {into}");
            }
        }
    }
    assert_eq!(mapped("morrison4", "mediation", "morrison4"), Some("mediation"));
    for into in ["proctor3", "three_s2"] {
        assert_eq!(mapped("morrison4", "mediation", into), None, "{into}");
    }
    // There and back is where one began, and there is no function in two rows.
    for from in SCHEMES {
        for into in SCHEMES {
            let there: Vec<&str> = from.functions.iter().filter_map(|it| mapped(from.name, it, into.name)).collect();
            let back: Vec<&str> = there.iter().filter_map(|it| mapped(into.name, it, from.name)).collect();
            let mediated = from.functions.iter().copied().filter(|it| from.name == into.name || *it != "mediation");
            assert_eq!(back, mediated.collect::<Vec<_>>(), "{} {}", from.name, into.name);
        }
    }
    for (scheme, function, into) in [
        ("proctor3", "support", "morrison4"),
        ("nobodys", "support", "morrison4"),
        ("proctor3", "normative", "nobodys"),
        ("nobodys", "support", "nobodys"),
    ] {
        assert_eq!(mapped(scheme, function, into), None, "{scheme} {function} {into}");
    }
}
