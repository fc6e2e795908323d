//! What a sync did, as text.

use alliance_client::SyncReport;

use crate::output::Look;
use crate::output::text::{count, grouped, line, paragraph};

/// A sentence or two for each peer.
pub(crate) fn reports(reports: &[SyncReport], look: Look) -> String {
    reports.iter().map(|report| paragraph(&report_text(report), "", look.columns)).collect()
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
    text.push_str(if report.settled { " Both have the same." } else { " Not everything was exchanged." });
    if !report.refused.is_empty() {
        text.push_str(&format!(" Refused: {}.", report.refused.join(", ")));
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
    text
}
