//! Packs: what they say, signing them and taking them up.

use std::path::Path;

use alliance_client::{SpaceId, prove_pack};
use alliance_model::limits::SIGNED_PACK_BYTES_MAX;
use alliance_model::policy::{PackText, Policy, SignedPack, SignedPackError};
use alliance_model::{CivilDate, Cosignature, CosignatureView, Pack, Refusal, RefusalCode};
use serde_json::json;

use super::decision::internal;
use super::note::refused;
use super::{Call, reference};
use crate::cli::PackCommand;
use crate::failure::Failure;
use crate::output::{Answer, Teller};
use crate::show;

/// What stands for the pack that comes with the program.
const SHIPPED: &str = "shipped";

pub(super) async fn pack(command: &PackCommand, call: &Call) -> Result<(), Failure> {
    match command {
        PackCommand::Show { pack } => show(pack, &call.folder, &call.teller).await,
        PackCommand::Text { name, space: None } => text(name, &[], &call.teller).await,
        PackCommand::Text { name, space: Some(space) } => {
            let space = reference::space(&call.client, space).await?.space;
            text(name, &call.client.packs(space).await?, &call.teller).await
        }
        PackCommand::Sign { space, file, on } => sign(space, &call.folder.join(file), *on, call).await,
        PackCommand::Adopt { space, file, on } => adopt(space, &call.folder.join(file), *on, call).await,
        PackCommand::List { space } => {
            let space = reference::space(&call.client, space).await?.space;
            let packs = call.client.packs(space).await?;
            call.teller.say(&Answer::new(show::pack::list_of(&packs, call.look()), json!({"packs": packs}))).await;
            Ok(())
        }
    }
}

/// What a pack says, signed or not, and whether a space may adopt it.
pub(crate) async fn show(named: &str, folder: &Path, teller: &Teller) -> Result<(), Failure> {
    let (pack, by) = if named == SHIPPED {
        (Pack::shipped().clone(), None)
    } else {
        known(&read(&folder.join(named))?).map_err(alliance_client::Error::Refused)?
    };
    let loosens = Policy::loosens(&pack);
    let signed = by.as_ref().map(CosignatureView::from);
    let text = show::pack::pack(&pack, signed.as_ref(), &loosens, teller.look());
    teller.say(&Answer::new(text, json!({"pack": pack, "signed": signed, "loosens": loosens}))).await;
    Ok(())
}

/// A text of these packs, the shipped one last.
pub(crate) async fn text(name: &str, packs: &[Pack], teller: &Teller) -> Result<(), Failure> {
    let all = || packs.iter().chain([Pack::shipped()]);
    let found = all().find_map(|pack| Some((pack, pack.text(name)?)));
    let (pack, text): (&Pack, &PackText) = found.ok_or_else(|| {
        let names = all().flat_map(|pack| &pack.texts).map(|text| text.name.as_str());
        refused(RefusalCode::UnknownItem).with("item", name).with("texts", once(names))
    })?;
    let json = json!({"pack": pack.name, "text": text});
    teller.say(&Answer::new(show::pack::text(text, teller.look()), json)).await;
    Ok(())
}

/// Prints the signed file.
async fn sign(space: &str, file: &Path, on: CivilDate, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, space).await?.space;
    let signed = call.client.sign_pack(space, &read(file)?, on).await?;
    let json = serde_json::from_slice(&signed).map_err(|_| internal())?;
    let text = String::from_utf8(signed).map_err(|_| internal())?;
    call.teller.say(&Answer::new(text, json)).await;
    Ok(())
}

async fn adopt(space: &str, file: &Path, on: CivilDate, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, space).await?.space;
    let pack = call.client.adopt_pack(space, &read(file)?, on).await?;
    let text = format!(
        "{}It counts here for what is dated from {on} on; everybody in the space has it after the next sync.",
        show::pack::list_of(std::slice::from_ref(&pack), call.look())
    );
    call.teller.say(&Answer::new(text, json!({"pack": pack}))).await;
    Ok(())
}

/// Refuses a name that is no template of a space, and says which there are.
pub(super) async fn has_template(space: SpaceId, name: &str, call: &Call) -> Result<(), Failure> {
    let templates = call.client.templates(space).await?;
    if templates.iter().any(|template| template.name == name) {
        return Ok(());
    }
    let names = once(templates.iter().map(|template| template.name.as_str()));
    Err(refused(RefusalCode::UnknownItem).with("item", name).with("templates", names))
}

/// A signed pack and who signed it, or one that nobody has signed yet.
fn known(file: &[u8]) -> Result<(Pack, Option<Cosignature>), Refusal> {
    match SignedPack::parse(file) {
        Ok(_) => prove_pack(file).map(|(pack, by)| (pack, Some(by))),
        // No signed file: then it may be a pack alone.
        Err(SignedPackError::File) => Ok((Pack::parse(file)?, None)),
        Err(error) => Err(error.into()),
    }
}

/// A file of a pack. The line break at its end is the terminal's: without it, a signed one has the name under which it was
/// made.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = crate::input::file(file, SIGNED_PACK_BYTES_MAX + 1)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// Names in order, each once.
fn once<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.join(", ")
}
