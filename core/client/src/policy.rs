//! What a kind of meeting allows (DOMAIN 1.D, 2.11): the shipped policy, tightened by the packs that a space adopted.

use alliance_wire::SpaceId;

use crate::error::Error;
use crate::inner::{Inner, Work};

impl Inner {
    /// Whether a challenge may be made so: on a topic of its kind of meeting, resting on what that kind may cite.
    pub(crate) async fn may_challenge<'f>(
        &self,
        _work: &mut Work,
        _space: SpaceId,
        _value: &impl Fn(&str) -> Option<&'f str>,
    ) -> Result<(), Error> {
        Ok(())
    }
}
