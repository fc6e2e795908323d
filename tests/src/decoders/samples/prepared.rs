//! What people prepare.

use alliance_model::cosign::frozen;
use alliance_model::preparation::Share;
use alliance_model::{CivilDate, ItemId};
use alliance_wire::{DocumentId, SpaceId, encode};

use super::Samples;

impl Samples {
    /// Fields and shares. Answers a share, for a command.
    pub(super) fn prepared(&mut self) -> Share {
        for field in ["2026-11-20", "puzzling", "9"] {
            self.add("preparation_text", true, field, field);
        }
        for (what, field) in [("no such kind", "boring"), ("no such day", "2026-02-30"), ("a sign", "-1")] {
            self.add("preparation_text", false, what, field);
        }
        let share = Share {
            space: SpaceId([7; 16]),
            session: DocumentId([8; 16]),
            item: ItemId([9; 8]),
            hash: frozen(b"The kitchen"),
            date: Some(CivilDate::new(2026, 12, 4).expect("a date")),
        };
        let undated = Share { date: None, ..share.clone() };
        self.add("share_entry", true, "for a day", encode(&(&share, vec![ItemId([6; 8])])));
        self.add("share_entry", true, "for no day", encode(&(&undated, Vec::<ItemId>::new())));
        self.add("share_entry", false, "no share", encode(&(0_u8, vec![ItemId([6; 8])])));
        share
    }
}
