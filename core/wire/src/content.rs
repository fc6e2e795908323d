//! What stands inside a data entry's sealed payload, before compression and padding (PROTOCOL section 2).

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::ids::{DeviceKey, DocumentId, DraftId, HashPrefix, PersonTag, SpaceId};
use crate::limits;
use crate::membership::DeviceCard;

/// Version of the sealed content's layout.
pub const CONTENT_VERSION: u8 = 1;

/// Sealed content of one data entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Content {
    /// [`CONTENT_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The membership heads that the author had seen, at most [`limits::HEADS_MAX`].
    #[n(1)]
    pub heads: Vec<HashPrefix>,
    /// Wall clock of the writing device, milliseconds since 1970: shown, never used to decide anything.
    #[n(2)]
    pub written_at: u64,
    /// What is said.
    #[n(3)]
    pub body: Body,
}

/// What a data entry says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Body {
    /// One editing session of one document.
    #[n(0)]
    Changes(#[n(0)] Changes),
    /// How the author presents itself to this space.
    #[n(1)]
    Card(#[n(0)] Card),
    /// A space that the author's person is in, for its other devices: in a personal space only.
    #[n(2)]
    Place(#[n(0)] Place),
    /// The author asks another device of its person to list it in a space: in a personal space only.
    #[n(3)]
    Asks(#[n(0)] Asks),
}

/// An editing session: the draft that it seals, and the Automerge changes that it became.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Changes {
    /// The document.
    #[n(0)]
    pub document: DocumentId,
    /// Kind of document, a number of `alliance-model`.
    #[n(1)]
    pub kind: u16,
    /// Schema of that kind; a newer one waits as SCHEMA_NEWER.
    #[n(2)]
    pub schema: u16,
    /// Which of the incarnation's actors for this document, below [`limits::ACTORS_MAX`].
    #[n(3)]
    pub actor: u8,
    /// The draft that is sealed.
    #[n(4)]
    pub draft: DraftCover,
    /// Change chunks, uncompressed, in order; nearly always one.
    #[n(5)]
    pub changes: Vec<ByteVec>,
}

/// Which commands of which draft an entry covers, so that a restored database can tell what is already published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DraftCover {
    /// The draft.
    #[n(0)]
    pub draft: DraftId,
    /// How many of its commands, from the first.
    #[n(1)]
    pub commands: u32,
    /// First 16 bytes of the hash over those commands.
    #[n(2)]
    pub hash: HashPrefix,
}

/// A name and a device, as their owner wants them shown in this space.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Card {
    /// Display name of the person, at most [`limits::NAME_GRAPHEMES_MAX`] graphemes.
    #[n(0)]
    pub name: String,
    /// Operating system, such as `linux`.
    #[n(1)]
    pub platform: String,
    /// Version of the software.
    #[n(2)]
    pub software: String,
}

/// A space, as one device of a person tells the others of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Place {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The person's tag there.
    #[n(1)]
    pub person: PersonTag,
    /// What the person calls it.
    #[n(2)]
    pub title: String,
    /// The relay that carries it, as (key, address).
    #[n(3)]
    pub relay: Option<(DeviceKey, String)>,
}

/// A device asks to be listed in a space.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Asks {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The device that is asked: the card is signed for it.
    #[n(1)]
    pub by: DeviceKey,
    /// The card of the device that asks.
    #[n(2)]
    pub card: DeviceCard,
}

/// Bytes of a place's title and address together.
const PLACE_BYTES_MAX: usize = 1024;
/// Bytes of a card's text fields together.
const CARD_BYTES_MAX: usize = 1024;

impl Content {
    /// Reads opened content.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not content of this version or over a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("content", bytes.len(), limits::PLAINTEXT_BYTES_MAX)?;
        let content: Self = codec::decode(bytes)?;
        if content.version != CONTENT_VERSION {
            return Err(DecodeError::Shape("content of another version".into()));
        }
        codec::within("heads", content.heads.len(), limits::HEADS_MAX)?;
        match &content.body {
            Body::Changes(changes) => {
                for change in &changes.changes {
                    codec::within("change", change.len(), limits::CHANGE_BYTES_MAX)?;
                }
            }
            Body::Card(card) => {
                let len = card.name.len() + card.platform.len() + card.software.len();
                codec::within("card", len, CARD_BYTES_MAX)?;
            }
            Body::Place(place) => {
                let len = place.title.len() + place.relay.as_ref().map_or(0, |(_, address)| address.len());
                codec::within("place", len, PLACE_BYTES_MAX)?;
            }
            Body::Asks(_) => {}
        }
        Ok(content)
    }
}
