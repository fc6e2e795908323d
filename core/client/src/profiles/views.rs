//! What apps show of profiles.

use alliance_store::file::pin::PinFile;
use alliance_store::profiles::ProfileId;
use serde::Serialize;

/// A profile, as anybody who holds the device sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfileView {
    /// Its id, 16 hexadecimal digits.
    pub id: String,
    /// The nickname that its person chose to show.
    pub nickname: Option<String>,
    /// It was chosen last.
    pub chosen: bool,
    /// It has a PIN; without one the recovery words open it.
    pub has_pin: bool,
    /// It opens only with the caller's secret besides.
    pub needs_secret: bool,
    /// Somebody was named who can help when the PIN is forgotten.
    pub has_helper: bool,
    /// Seconds for which no PIN is taken.
    pub wait_seconds: u64,
}

impl ProfileView {
    pub(super) fn of(
        id: &ProfileId,
        (pin, has_helper): (&PinFile, bool),
        wait_millis: u64,
        chosen: &Option<ProfileId>,
    ) -> Self {
        Self {
            id: id.to_string(),
            nickname: pin.nickname.clone(),
            chosen: chosen.as_ref() == Some(id),
            has_pin: pin.wrap.is_some(),
            needs_secret: pin.wrap.as_ref().is_some_and(alliance_crypto::PinWrap::needs_secret),
            has_helper,
            wait_seconds: wait_millis.div_ceil(1_000),
        }
    }
}
