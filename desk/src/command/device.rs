//! The devices of one's own person.

use alliance_client::OwnDevice;
use serde_json::json;

use super::{Call, invite};
use crate::cli::DeviceCommand;
use crate::failure::Failure;
use crate::output::Answer;
use crate::output::text::{count, short};
use crate::show::lists;

pub(super) async fn device(command: &DeviceCommand, call: &Call) -> Result<(), Failure> {
    let (device, sentence) = match command {
        DeviceCommand::List => {
            let devices = call.client.devices().await?;
            let text = lists::devices(&devices, call.look());
            call.teller.say(&Answer::new(text, json!({"devices": devices}))).await;
            return Ok(());
        }
        DeviceCommand::Invite(drawing) => return invite::device(drawing, call).await,
        DeviceCommand::Suspend { device } => (
            call.client.suspend_device(device).await?,
            "is put out. Sync, or meet somebody: then the others know. Your recovery words take it back, or make it final.",
        ),
        DeviceCommand::Lost { device, .. } => {
            (call.client.report_lost(device, call.text()?).await?, "is lost for good. Sync: then the others know.")
        }
        DeviceCommand::Restore { device, .. } => {
            (call.client.restore_device(device, call.text()?).await?, "may read and write again, once it has synced.")
        }
    };
    let text = format!("Device {} {sentence}\n{}", short(&device.device), places(&device));
    call.teller.say(&Answer::new(text, json!({"device": device}))).await;
    Ok(())
}

fn places(device: &OwnDevice) -> String {
    let spaces = |spaces: &[alliance_client::SpaceId]| count(spaces.len() as u64, "space", "spaces");
    format!(
        "Active in {}, suspended in {}, lost in {}; the one that holds your devices together counts as one.",
        spaces(&device.active),
        spaces(&device.suspended),
        spaces(&device.lost)
    )
}
