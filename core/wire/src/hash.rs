//! Hashing with domains: BLAKE3 in its key-derivation mode, one context string per purpose.
//!
//! A hash made for one purpose can never be presented for another. The parts of an input have fixed lengths or stand
//! last, so their concatenation is unambiguous.

/// What a hash or signature is made for. The context strings are part of the wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A log's id.
    Log,
    /// A continuation's id after a fork.
    Continuation,
    /// A space's id.
    Space,
    /// A person's tag.
    Person,
    /// The digest of a space.
    Digest,
    /// The root over several spaces' digests.
    Root,
    /// The check over cursors in a Hello.
    Check,
    /// A receipt's signature.
    Receipt,
    /// A device card's signature.
    Card,
    /// An `accept` of an invitation.
    Accept,
    /// The commitment to an inviter's nonce.
    Commitment,
    /// The words that two people compare.
    Words,
    /// A mailbox address at a relay.
    Mailbox,
    /// A signature that opens or writes a mailbox.
    MailboxUse,
    /// A device's proof inside a direct connection.
    DeviceProof,
    /// The match value of a space on a direct connection.
    Discovery,
    /// An admission token's use for one space.
    Admission,
    /// An Automerge actor.
    Actor,
    /// The head of a draft's commands.
    Commands,
    /// The ids of a database that begins anew.
    Database,
    /// A text as it was: canonical bytes that people sign, a wording that they understood or shared.
    Frozen,
    /// A person's signature of a frozen text.
    Cosignature,
    /// The check of a record of a bundle in a file.
    BundleRecord,
    /// The signature of a page of such a bundle.
    BundlePage,
}

impl Domain {
    /// The context string.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::Log => "alliance v1 log",
            Self::Continuation => "alliance v1 continuation",
            Self::Space => "alliance v1 space",
            Self::Person => "alliance v1 person",
            Self::Digest => "alliance v1 digest",
            Self::Root => "alliance v1 root",
            Self::Check => "alliance v1 cursor check",
            Self::Receipt => "alliance v1 receipt",
            Self::Card => "alliance v1 device card",
            Self::Accept => "alliance v1 invitation accept",
            Self::Commitment => "alliance v1 invitation commitment",
            Self::Words => "alliance v1 invitation words",
            Self::Mailbox => "alliance v1 mailbox",
            Self::MailboxUse => "alliance v1 mailbox use",
            Self::DeviceProof => "alliance v1 device proof",
            Self::Discovery => "alliance v1 discovery",
            Self::Admission => "alliance v1 admission",
            Self::Actor => "alliance v1 actor",
            Self::Commands => "alliance v1 commands",
            Self::Database => "alliance v1 database",
            Self::Frozen => "alliance v1 frozen text",
            Self::Cosignature => "alliance v1 cosignature",
            Self::BundleRecord => "alliance v1 bundle record",
            Self::BundlePage => "alliance v1 bundle page",
        }
    }
}

/// BLAKE3 `derive_key` of the concatenated parts under the domain's context.
#[must_use]
pub fn hash(domain: Domain, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = hasher(domain);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// A hasher of the domain, for inputs that are made piece by piece.
#[must_use]
pub fn hasher(domain: Domain) -> blake3::Hasher {
    blake3::Hasher::new_derive_key(domain.context())
}

/// Plain BLAKE3: of a payload, and of an entry's signed bytes (which carry their own domain).
#[must_use]
pub fn content_hash(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}
