//! Bundles as text.

use std::path::Path;

use alliance_client::{BundleInspection, BundleReader, BundleReport, BundleWritten, CarriedBundle, ParcelView};

use crate::output::Look;
use crate::output::table::Table;
use crate::output::text::{count, grouped, line, moment, paragraph, short};

/// Who will be able to read a bundle.
pub(crate) fn readers(readers: &[BundleReader], for_relays: bool, look: Look) -> String {
    let mut text = String::from("This bundle can be read by\n");
    for reader in readers {
        let devices: Vec<String> = reader.devices.iter().map(short).collect();
        let spaces: Vec<String> = reader.spaces.iter().map(|title| format!("\"{}\"", line(title))).collect();
        let what = if reader.devices.len() == 1 { "device" } else { "devices" };
        let said = format!("{}, {what} {}: {}", line(&reader.name), devices.join(", "), spaces.join(", "));
        text.push_str(&paragraph(&said, "  ", look.columns));
    }
    if for_relays {
        let said = "Whoever knows the relay's key sees what the relay would: which spaces, whose devices, how much.";
        text.push_str(&paragraph(said, "", look.columns));
    }
    text.push_str("and by your own device.\n");
    text
}

/// What was written.
pub(crate) fn written(written: &BundleWritten, path: &Path, split: bool, look: Look) -> String {
    let place = if split {
        format!("{}.001 and so on, {}", path.display(), count(written.parts.into(), "part", "parts"))
    } else {
        path.display().to_string()
    };
    let said = format!(
        "Bundle {}: {} of {} in {}, written to {place}.",
        &written.bundle[..8],
        count(written.entries, "entry", "entries"),
        count(written.spaces, "space", "spaces"),
        count(written.bytes, "byte", "bytes"),
    );
    paragraph(&said, "", look.columns)
}

/// What came of taking a file.
pub(crate) fn report(report: &BundleReport, file: &Path, look: Look) -> String {
    let from = if report.from.is_empty() {
        String::new()
    } else {
        format!(" from {}", report.from.iter().map(|name| line(name)).collect::<Vec<_>>().join(", "))
    };
    let mut said = format!(
        "{}{}{from}: {} new, {} known already.",
        file.display(),
        part(report.part),
        count(report.new, "entry is", "entries are"),
        grouped(report.known),
    );
    if report.damaged > 0 {
        said.push_str(&format!(
            " Damaged in {} ({}): {} lost here, which come with the next meeting or bundle [BUNDLE_DAMAGED].",
            count(report.damaged, "place", "places"),
            count(report.damaged_bytes, "byte", "bytes"),
            count(report.lost, "entry is", "entries are"),
        ));
    } else if !report.whole {
        said.push_str(
            " The file ends too soon: what is missing comes with the next meeting or bundle [BUNDLE_DAMAGED].",
        );
    }
    if report.waiting > 0 {
        said.push_str(&format!(
            " {} for something that is not here yet.",
            count(report.waiting, "page waits", "pages wait")
        ));
    }
    if report.not_kept > 0 {
        said.push_str(" There is no room to keep them: take this file once more after that.");
    }
    if report.not_for_you > 0 {
        said.push_str(" There is something for others in it, too: `alliance bundle carry` takes it along.");
    }
    if report.forks > 0 {
        said.push_str(&format!(
            " {} with two histories: somebody's database was copied.",
            count(report.forks, "log", "logs")
        ));
    }
    if !report.refused.is_empty() {
        said.push_str(&format!(" Refused: {}.", report.refused.join(", ")));
    }
    paragraph(&said, "", look.columns)
}

fn part(part: Option<(u32, u32)>) -> String {
    match part {
        None | Some((1, 1)) => String::new(),
        Some((part, 0)) => format!(", part {part}"),
        Some((part, parts)) => format!(", part {part} of {parts}"),
    }
}

/// What is in a file.
pub(crate) fn inspection(found: &BundleInspection, look: Look) -> String {
    let name = found.bundle.as_ref().map_or("a bundle", |id| &id[..8]);
    let mut text = format!("Bundle {name}{}, {}\n", part(found.part), count(found.bytes, "byte", "bytes"));
    for parcel in &found.parcels {
        text.push_str(&paragraph(&looked(parcel), "  ", look.columns));
    }
    if !found.ended {
        text.push_str("The file ends too soon.\n");
    }
    if found.damaged > 0 {
        text.push_str(&format!(
            "Damaged in {}, {}\n",
            count(found.damaged, "place", "places"),
            count(found.damaged_bytes, "byte", "bytes")
        ));
    }
    text
}

fn looked(parcel: &ParcelView) -> String {
    let pages = count(parcel.pages, "page", "pages");
    if !parcel.for_you {
        let slots = count(parcel.slots, "device", "devices");
        return format!("for others: {pages}, at most {slots} may read it");
    }
    let title = parcel.title.as_ref().map_or_else(|| "a space that is not here".to_owned(), |it| line(it));
    let from = parcel.from.as_ref().map_or(String::new(), |from| format!(" from {}", line(from)));
    let end = if parcel.ended { "" } else { ", its end is not in this file" };
    format!("for you: \"{title}\"{from}, {} in {pages}{end}", count(parcel.entries, "entry", "entries"))
}

/// What is carried for others.
pub(crate) fn carried(carried: &[CarriedBundle], look: Look) -> String {
    let mut table = Table::new(&["id", "bundle", "bytes", "taken", "relay"], 1);
    for it in carried {
        let bundle = it.bundle.as_ref().map_or("?", |id| &id[..8]);
        table.row([
            it.id[..8].to_owned(),
            format!("{bundle}{}", part(it.part)),
            grouped(it.bytes),
            moment(it.taken / 1_000),
            if it.for_relays { "may take it" } else { "" }.to_owned(),
        ]);
    }
    table.print(look.columns, "You carry nothing for others.")
}

/// A small bundle as texts and codes.
pub(crate) fn codes(texts: &[String], lines: &[Vec<String>], files: &[String], look: Look) -> String {
    if !files.is_empty() && lines.is_empty() {
        return files.iter().map(|file| format!("{file}\n")).collect();
    }
    if lines.is_empty() {
        return texts.iter().map(|text| format!("{text}\n")).collect();
    }
    let mut text = String::new();
    for (n, code) in (1..).zip(lines) {
        text.push_str(&format!("{n} of {}\n", lines.len()));
        text.push_str(&crate::code::colored(code, look.color));
    }
    text
}
