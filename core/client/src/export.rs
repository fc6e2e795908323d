//! Getting everything out in a form that other programs read.

use serde_json::{Value, json};

use alliance_model::DocumentKind;
use alliance_store::device::Listing;
use alliance_wire::SpaceId;

use crate::error::{Code, Error};
use crate::inner::Client;
use crate::views::Standing;

/// Version of the exported form.
const EXPORT_VERSION: u32 = 1;

impl Client {
    /// Everything of one space, or of all, as JSON: members and documents as they are shown, drafts included. The home of
    /// the person's devices is among them once something was prepared there.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `DOCUMENT_BROKEN`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn export(&self, space: Option<SpaceId>) -> Result<Value, Error> {
        let mut spaces = Vec::new();
        let mut views = self.spaces().await?;
        if let Some(home) = self.inner.home().await?
            && self.inner.holds_documents(home).await?
        {
            views.push(self.space(home).await?);
        }
        for view in views {
            if space.is_some_and(|space| space != view.space) || view.standing == Standing::Asked {
                continue;
            }
            if space.is_none() && self.inner.unlocked(view.space).is_err() {
                continue;
            }
            let mut documents = Vec::new();
            self.inner.unlocked(view.space)?;
            // Also documents for which another stands in lists: each is one of its own.
            let mut rows = self.inner.rows_of(view.space, None).await?;
            rows.sort_by_key(|row| row.document);
            for row in rows {
                documents.push(self.exported(&row).await?);
            }
            spaces.push(json!({
                "space": view.space.to_string(),
                "title": view.title,
                "kind": view.kind,
                "members": encoded(&view.members)?,
                "documents": documents,
            }));
        }
        if let (Some(space), true) = (space, spaces.is_empty()) {
            return Err(Error::new(Code::UnknownSpace).with("space", space));
        }
        Ok(json!({ "format": "alliance-export", "version": EXPORT_VERSION, "spaces": spaces }))
    }

    /// A document without what is only of this device: no delivery, no revision. It does not count as looked at.
    async fn exported(&self, row: &Listing) -> Result<Value, Error> {
        let view = self.inner.shown(row.space, row.document).await?;
        let kind = DocumentKind::from_number(row.kind).map(|kind| kind.to_string());
        Ok(json!({ "document": row.document.to_string(), "type": kind, "view": encoded(&view)? }))
    }
}

fn encoded<T: serde::Serialize>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::new(Code::Internal).with("why", error))
}
