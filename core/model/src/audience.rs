//! Whom a space is for (DOMAIN 2.1): said once, by whoever founded it.

use crate::kind::DocumentKind;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The audiences. A document lives in one for ever; sharing is a copy.
    Audience {
        /// One person's devices.
        Personal = 0 "personal",
        /// Those who supervise and are supervised.
        Alliance = 1 "alliance",
        /// Some of them.
        Scope = 2 "scope",
        /// A supervisor and whom something that must be told concerns.
        Disclosure = 3 "disclosure",
        /// A manager and a practitioner.
        Management = 4 "management",
        /// An organisation's offices, and those whom its contract binds.
        Organisation = 5 "organisation",
    }
}

impl Audience {
    /// Whether documents of this kind may live in such a space (DOMAIN 2.1, "never holds").
    #[must_use]
    pub const fn holds(self, kind: DocumentKind) -> bool {
        match kind {
            DocumentKind::Charter | DocumentKind::Exports => true,
            DocumentKind::Contract => matches!(self, Self::Organisation),
            DocumentKind::Preparation => matches!(self, Self::Personal),
            DocumentKind::Goals | DocumentKind::Session | DocumentKind::Note => {
                !matches!(self, Self::Organisation | Self::Disclosure)
            }
            DocumentKind::Feedback | DocumentKind::Remarks => {
                matches!(self, Self::Alliance | Self::Scope | Self::Management)
            }
            DocumentKind::Agreement | DocumentKind::Review | DocumentKind::Decision | DocumentKind::Closing => {
                matches!(self, Self::Alliance | Self::Scope | Self::Management | Self::Personal)
            }
        }
    }
}
