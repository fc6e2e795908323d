//! Coming back with the recovery words.

use alliance_client::{OwnDevice, Recovered, SpaceId};
use serde_json::json;

use super::sync::{progress, until};
use super::{Call, reference};
use crate::cli::RecoverArgs;
use crate::failure::Failure;
use crate::output::Answer;
use crate::output::text::{count, line, short};

pub(super) async fn recover(args: &RecoverArgs, call: &Call) -> Result<(), Failure> {
    let (words, hear) = (call.text()?, progress(&call.teller));
    let recovered = match &args.from {
        Some(from) => {
            let work = call.client.recover_from(words, from.device, &from.address, &args.keep, hear);
            until(call.stop.clone(), work).await?
        }
        None => until(call.stop.clone(), call.client.recover(words, &args.keep, hear)).await?,
    };
    let mut titles = Vec::new();
    for space in &recovered.spaces {
        titles.push(reference::space(&call.client, &space.to_string()).await?.title);
    }
    let json = json!({"recovered": {
        "spaces": texts(&recovered.spaces),
        "devices": recovered.devices,
        "missing": recovered.missing,
        "groups": recovered.groups.iter().map(|group| texts(group)).collect::<Vec<_>>(),
    }});
    call.teller.say(&Answer::new(said(&recovered, &titles), json)).await;
    Ok(())
}

fn texts(spaces: &[SpaceId]) -> Vec<String> {
    spaces.iter().map(ToString::to_string).collect()
}

fn said(recovered: &Recovered, titles: &[String]) -> String {
    let mut text =
        format!("You are yourself again: {} on this device.\n", count(titles.len() as u64, "space", "spaces"));
    for title in titles {
        text.push_str(&format!("  {}\n", line(title)));
    }
    for title in &recovered.missing {
        text.push_str(&format!("  {}: nobody who was met has it; run this again where somebody does\n", line(title)));
    }
    for group in recovered.groups.iter().skip(1) {
        let spaces: Vec<String> = group.iter().map(short).collect();
        text.push_str(&format!(
            "Not one of the devices that were yours in most of them is known in {}: if that is none of yours, somebody \
             founded it in your name.\n",
            spaces.join(", ")
        ));
    }
    let out: Vec<&OwnDevice> = recovered.devices.iter().filter(|device| !device.suspended.is_empty()).collect();
    for device in &out {
        text.push_str(&format!("Device {} is put out.\n", short(&device.device)));
    }
    if !out.is_empty() {
        text.push_str(
            "`alliance device lost DEVICE` makes that final; `alliance device restore DEVICE` takes it back.\n",
        );
    }
    text.push_str("Sync now and then as before; the others learn of this device by themselves.");
    text
}
