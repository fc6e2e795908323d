//! What of a store is nowhere else.

use alliance_wire::SpaceId;
use serde::Serialize;

use crate::error::Error;
use crate::inner::Client;
use crate::views::text;

/// Work in a space that only this store has, as far as it knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsentView {
    /// The space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// What the person calls it.
    pub title: String,
    /// Drafts, which nobody else can have.
    pub drafts: u64,
    /// Own entries that neither a relay nor another device acknowledged.
    pub unsent: u64,
}

impl Client {
    /// The spaces in which there is work that is nowhere else: what removing this store would lose.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn unsent(&self) -> Result<Vec<UnsentView>, Error> {
        let mut found = Vec::new();
        // Also of spaces that one is no member of any more: what was not sent was not sent.
        for local in self.inner.device.local_spaces().await? {
            let delivery = self.inner.delivery(local.space).await?;
            if delivery.drafts + delivery.unsent > 0 {
                let (drafts, unsent) = (delivery.drafts, delivery.unsent);
                found.push(UnsentView { space: local.space, title: local.title, drafts, unsent });
            }
        }
        Ok(found)
    }
}
