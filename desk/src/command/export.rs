//! What is given out of a store or a space.

use std::path::Path;

use alliance_client::prove_export;
use alliance_model::exports::SIGNATURE_BYTES_MAX;
use serde_json::json;

use super::{Call, reference};
use crate::cli::{ExportArgs, ExportCommand};
use crate::failure::{DeskCode, Failure};
use crate::output::text::{count, short};
use crate::output::{Answer, Teller};
use crate::show::lists;

/// Bytes of an exported file that is read.
const FILE_BYTES_MAX: usize = 1024 * 1024 * 1024;

pub(super) async fn export(args: &ExportArgs, call: &Call) -> Result<(), Failure> {
    match &args.command {
        None => everything(args.space.as_deref(), call).await,
        Some(ExportCommand::Write { space, folder, given }) => {
            let space = reference::space(&call.client, space).await?.space;
            let folder = call.folder.join(folder);
            // Before anybody sees that it was given out: a folder that cannot be made gives out nothing.
            private_folder(&folder)?;
            let exported = call.client.export_space(space, given.on, &given.reason).await;
            if exported.is_err() {
                let _ = std::fs::remove_dir(&folder);
            }
            let exported = exported?;
            let mut files: Vec<(String, &[u8])> = vec![
                ("space.json".to_owned(), &exported.space),
                ("space.json.signature".to_owned(), &exported.signature),
                ("sessions.csv".to_owned(), exported.sessions.as_bytes()),
                ("actions.csv".to_owned(), exported.actions.as_bytes()),
            ];
            files.extend(exported.documents.iter().map(|(id, bytes)| (format!("{id}.automerge"), bytes.as_slice())));
            for (name, bytes) in &files {
                let file = folder.join(name);
                std::fs::write(&file, bytes).map_err(|error| unwritable(&file, &error))?;
            }
            let text = format!(
                "{} in {}. It is readable: keep it as you would keep the paper. Everybody in the space sees that you gave it out.",
                count(files.len() as u64, "file", "files"),
                folder.display()
            );
            let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
            call.teller.say(&Answer::new(text, json!({"folder": folder.display().to_string(), "files": names}))).await;
            Ok(())
        }
        Some(ExportCommand::List { space }) => {
            let space = reference::space(&call.client, space).await?.space;
            let exports = call.client.exports(space).await?;
            call.teller.say(&Answer::new(lists::exports(&exports, call.look()), json!(exports))).await;
            Ok(())
        }
        Some(ExportCommand::Prove { file }) => prove(&call.folder.join(file), &call.teller).await,
    }
}

/// Says whose signature lies beside a file.
pub(crate) async fn prove(file: &Path, teller: &Teller) -> Result<(), Failure> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".signature");
    let bytes = crate::input::file(file, FILE_BYTES_MAX)?;
    let signature = crate::input::file(Path::new(&beside), SIGNATURE_BYTES_MAX)?;
    let signed = prove_export(&bytes, &signature).map_err(alliance_client::Error::Refused)?;
    let text = format!(
        "Signed on {} by person {} with device {}\nWhose that device is, the file cannot prove: compare with `alliance whoami` there.",
        signed.on,
        short(&signed.person),
        signed.device
    );
    let json = json!({"person": signed.person.to_string(), "device": signed.device.to_string(), "on": signed.on});
    teller.say(&Answer::new(text, json)).await;
    Ok(())
}

/// A folder that only this person's programs look into.
fn private_folder(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    made.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::from(DeskCode::FileExists).with("file", folder.display())
        } else {
            unwritable(folder, &error)
        }
    })
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::from(DeskCode::FileUnwritable).with("file", file.display()).with("reason", error.kind())
}

async fn everything(space: Option<&str>, call: &Call) -> Result<(), Failure> {
    let space = match space {
        Some(space) => Some(reference::space(&call.client, space).await?.space),
        None => None,
    };
    let export = call.client.export(space).await?;
    // An export is JSON whether or not JSON was asked for: for people it has lines.
    let text = serde_json::to_string_pretty(&export).unwrap_or_else(|_| export.to_string());
    call.teller.say(&Answer::new(text, export)).await;
    Ok(())
}
