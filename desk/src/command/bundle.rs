//! Bundles: written, taken, looked into, carried.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use alliance_client::{
    BUNDLE_TEXTS_MAX, BundleFile, BundleFor, BundleFrom, BundleProgress, bundle_from_texts, bundle_texts,
};
use serde_json::json;

use super::{Call, reference};
use crate::cli::{BundleCommand, BundleExport};
use crate::code::{self, Matrix};
use crate::failure::{DeskCode, Failure};
use crate::output::text::{count, grouped};
use crate::output::{Answer, Teller};
use crate::pictures::{Place, numbered};
use crate::show::bundles;

/// Bytes of a bundle that codes can hold, and of their texts.
const SMALL_BYTES_MAX: usize = 64 * 1024;
const TEXTS_BYTES_MAX: usize = BUNDLE_TEXTS_MAX * 2_048;

pub(super) async fn bundle(command: &BundleCommand, call: &Call) -> Result<(), Failure> {
    match command {
        BundleCommand::Export(args) => export(args, call).await,
        BundleCommand::Import { files, texts } => {
            let mut reports = Vec::new();
            for file in files {
                let path = call.folder.join(file);
                let progress = progress(&call.teller, "taken");
                let taken = if *texts {
                    let lines = crate::input::file(&path, TEXTS_BYTES_MAX)?;
                    let lines = String::from_utf8(lines).map_err(|_| Failure::from(DeskCode::NotText))?;
                    call.client.import_bundle(Cursor::new(bundle_from_texts(&lines)?), progress).await
                } else {
                    call.client.import_bundle(opened(&path)?, progress).await
                };
                let report = taken.map_err(|error| Failure::from(error).with("file", path.display()))?;
                // What was taken of one file is said, also where the next one is none.
                if !call.look().json {
                    let said = bundles::report(&report, file, call.look());
                    call.teller.say(&Answer::new(said, json!({}))).await;
                }
                reports.push(report);
            }
            if call.look().json {
                call.teller.say(&Answer::new("", json!({"bundles": reports}))).await;
            }
            Ok(())
        }
        BundleCommand::Inspect { file } => {
            let path = call.folder.join(file);
            let looked = call.client.inspect_bundle(opened(&path)?, progress(&call.teller, "read")).await?;
            call.teller.say(&Answer::new(bundles::inspection(&looked, call.look()), json!({"bundle": looked}))).await;
            Ok(())
        }
        BundleCommand::Codes { file, qr, png } => codes(file, *qr, png.as_deref(), call).await,
        BundleCommand::Carry { file } => {
            let path = call.folder.join(file);
            let carried = call.client.carry_bundle(opened(&path)?).await?;
            let text = format!(
                "You carry {} of a bundle for others. `alliance bundle hand-on {} FILE` writes it out again.{}",
                count(carried.bytes, "byte", "bytes"),
                &carried.id[..8],
                if carried.for_relays {
                    " A relay that may take it gets it when you sync with that relay."
                } else {
                    ""
                }
            );
            call.teller.say(&Answer::new(text, json!({"carried": carried}))).await;
            Ok(())
        }
        BundleCommand::List => {
            let carried = call.client.carried_bundles().await?;
            call.teller.say(&Answer::new(bundles::carried(&carried, call.look()), json!({"carried": carried}))).await;
            Ok(())
        }
        BundleCommand::HandOn { bundle, file, force } => {
            let path = call.folder.join(file);
            let bytes = call.client.hand_on_bundle(bundle, BundleFile::new(&path, None, *force)?).await?;
            let text = format!("{} written to {}.", count(bytes, "byte", "bytes"), path.display());
            call.teller.say(&Answer::new(text, json!({"file": path.display().to_string(), "bytes": bytes}))).await;
            Ok(())
        }
        BundleCommand::Drop { bundle } => {
            call.client.drop_carried_bundle(bundle).await?;
            call.teller.say(&Answer::new("You do not carry it any more.", json!({"dropped": bundle}))).await;
            Ok(())
        }
    }
}

async fn export(args: &BundleExport, call: &Call) -> Result<(), Failure> {
    let to = match (&args.to.person, &args.to.space) {
        (Some(person), _) => BundleFor::Person(person.clone()),
        (None, Some(space)) => BundleFor::Space(reference::space(&call.client, space).await?.space),
        (None, None) => BundleFor::Everybody,
    };
    let from = match &args.since {
        Some(bundle) => BundleFrom::Since(bundle.clone()),
        None if args.all => BundleFrom::Beginning,
        None if args.ask => BundleFrom::Question,
        None => BundleFrom::Receipts,
    };
    let plan = call.client.plan_bundle(to, from, args.relay).await?;
    let (readers, for_relays) = (plan.readers.clone(), plan.for_relays);
    if !call.look().json {
        // Before anything is written: whoever reads this may still stop.
        call.teller.say(&Answer::new(bundles::readers(&readers, for_relays, call.look()), json!({}))).await;
        call.teller.shown().await;
    }
    let path = call.folder.join(&args.file);
    let file = BundleFile::new(&path, args.split, args.force)?;
    let written = call.client.write_bundle(plan, file, progress(&call.teller, "written")).await?;
    let text = bundles::written(&written, &path, args.split.is_some(), call.look());
    let json = json!({
        "bundle": written, "file": path.display().to_string(), "readers": readers, "for_relays": for_relays,
    });
    call.teller.say(&Answer::new(text, json)).await;
    Ok(())
}

async fn codes(file: &Path, qr: bool, png: Option<&Path>, call: &Call) -> Result<(), Failure> {
    let bytes = crate::input::file(&call.folder.join(file), SMALL_BYTES_MAX)?;
    let texts = bundle_texts(&bytes)?;
    let internal = || Failure::from(alliance_client::Error::new(alliance_client::Code::Internal));
    let matrices: Vec<Matrix> = if qr || png.is_some() {
        // A text is shorter than the longest code by far.
        texts.iter().map(|text| Matrix::of(text).ok_or_else(internal)).collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    let mut files = Vec::new();
    if let Some(png) = png {
        let many = u16::try_from(matrices.len()).map_err(|_| internal())?;
        let places = numbered(&call.folder.join(png), many).into_iter().map(Place::take);
        let places: Vec<Place> = places.collect::<Result<_, _>>()?;
        for (place, matrix) in places.into_iter().zip(&matrices) {
            let picture = code::png(matrix).map_err(|_| internal())?;
            files.push(place.fill(&picture)?.display().to_string());
        }
    }
    let lines: Vec<Vec<String>> = if qr { matrices.iter().map(code::lines).collect() } else { Vec::new() };
    let text = bundles::codes(&texts, &lines, &files, call.look());
    call.teller.say(&Answer::new(text, json!({"texts": texts, "codes": lines, "files": files}))).await;
    Ok(())
}

/// A file that can be read to its end: no folder, no device, no pipe that nobody writes into.
fn opened(path: &Path) -> Result<File, Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::from(DeskCode::FileUnreadable).with("file", path.display()).with("reason", why)
    };
    // Opening a pipe must not wait for whoever writes into it.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(|error| unreadable(&error.kind()))?;
    let meta = file.metadata().map_err(|error| unreadable(&error.kind()))?;
    if meta.is_file() { Ok(file) } else { Err(unreadable(&"not a file")) }
}

/// How far a bundle is: on a terminal, replaced line by line.
fn progress(teller: &Teller, what: &'static str) -> impl FnMut(BundleProgress) + Send + use<> {
    let teller = teller.clone();
    move |progress| {
        let (bytes, entries) = (grouped(progress.bytes), count(progress.entries, "entry", "entries"));
        teller.progress(format!("{bytes} bytes {what}, {entries}"));
    }
}
