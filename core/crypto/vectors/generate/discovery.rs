//! `discovery.json`: by what devices that meet on a network know each other.

use alliance_crypto::{Age, Discovery, DiscoverySecret, EpochKey, Side};
use alliance_wire::{EpochId, SpaceId};
use serde_json::{Value, json};

use super::{SPACE, hex};

const KEY: [u8; 32] = [6; 32];
const EPOCH: EpochId = EpochId([7; 16]);
const EXPORTER: [u8; 32] = [0x71; 32];
const RANDOM: [u8; 32] = [0x72; 32];

pub(crate) fn discovery() -> Value {
    let secret = DiscoverySecret::of(&EpochKey::from_bytes(KEY), SPACE, EPOCH);
    let case = |side: Side, age: Age| json!({ "side": side as u8, "age": age as u8, "tag": hex(&secret.tag(side, age, &EXPORTER)) });
    let other = DiscoverySecret::of(&EpochKey::from_bytes(KEY), SpaceId([0x53; 16]), EPOCH);
    let mut both = Discovery::new();
    both.add(SPACE, secret.clone(), Age::Newest);
    both.add(SpaceId([0x53; 16]), other, Age::Older);
    json!({
        "about": "What a side says of the spaces that it is in, on a connection with this exporter (PROTOCOL section 3, LAN).",
        "key": hex(&KEY), "space": hex(&SPACE.0), "epoch": hex(&EPOCH.0), "secret": hex(secret.as_bytes()),
        "exporter": hex(&EXPORTER),
        "tags": [
            case(Side::Dialler, Age::Newest), case(Side::Dialler, Age::Older),
            case(Side::Listener, Age::Newest), case(Side::Listener, Age::Older),
        ],
        "pages": {
            "about": "The dialler's: this space's newest epoch, and of a second space (53...) one under the same key as an older one, filled up.",
            "random": hex(&RANDOM), "said": hex(&both.pages(Side::Dialler, &EXPORTER, RANDOM).to_bytes()),
        },
    })
}
