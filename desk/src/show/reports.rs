//! What a sync did, as text.

use alliance_client::{NearReport, SyncReport};

use crate::output::Look;
use crate::output::text::{count, grouped, line, paragraph};

/// A sentence or two for each peer.
pub(crate) fn reports(reports: &[SyncReport], look: Look) -> String {
    reports.iter().map(|report| paragraph(&report_text(report), "", look.columns)).collect()
}

/// Who is near.
pub(crate) fn near(report: &NearReport, look: Look) -> String {
    let mut text = String::new();
    for person in &report.people {
        text.push_str(&format!("{} is near.\n", line(&person.name)));
    }
    if report.people.is_empty() {
        text.push_str("Nobody near shares a space with you.\n");
    }
    if report.strangers > 0 {
        text.push_str(&format!(
            "{} that {} nothing with you.\n",
            count(report.strangers as u64, "device", "devices"),
            if report.strangers == 1 { "shares" } else { "share" }
        ));
    }
    if report.silent > 0 {
        text.push_str(&format!("{} did not answer in order.\n", count(report.silent as u64, "device", "devices")));
    }
    text.lines().map(|text| paragraph(text, "", look.columns)).collect()
}

/// What was exchanged with one peer.
pub(crate) fn report_text(report: &SyncReport) -> String {
    let mut text = format!(
        "{}: {} received, {} of yours acknowledged; {} bytes up, {} down, {}, {} ms.",
        line(&report.peer),
        count(report.received, "item", "items"),
        grouped(report.acknowledged),
        grouped(report.bytes_up),
        grouped(report.bytes_down),
        count(report.round_trips.into(), "round trip", "round trips"),
        grouped(report.millis)
    );
    if report.transport.is_some_and(|transport| transport.over == "tcp") {
        text.push_str(" Over TCP, because UDP does not get through.");
    }
    text.push_str(if report.settled { " Both have the same." } else { " Not everything was exchanged." });
    let refused = refused(report);
    if !refused.is_empty() {
        text.push_str(&format!(" Refused: {}.", refused.join(", ")));
    }
    if report.forks > 0 {
        text.push_str(&format!(
            " {} with two histories: somebody's database was copied.",
            count(report.forks, "log", "logs")
        ));
    }
    if report.diverged > 0 {
        text.push_str(&format!(
            " {} still differ after a repair: one of the two replicas is wrong.",
            count(report.diverged, "space", "spaces")
        ));
    }
    if report.clock_suspect {
        text.push_str(
            " This device's clock is days behind what somebody wrote: look at both. Nothing depends on it. \
             [CLOCK_SUSPECT]",
        );
    }
    if report.lost > 0 {
        text.push_str(&format!(
            " It had lost what it had confirmed before, in {}: it was put back to an older state, or it lies. It was sent \
             again.",
            count(report.lost, "space", "spaces")
        ));
    }
    text
}

/// The codes of what was refused, once each. A space that the other side does not have, or does not show yet to
/// somebody who asks to join, is no refusal to a person.
pub(crate) fn refused(report: &SyncReport) -> Vec<&str> {
    let codes = report.refused.iter().map(String::as_str).filter(|code| *code != "ABSENT");
    codes.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
