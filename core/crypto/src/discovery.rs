//! Finding each other without saying who one is (PROTOCOL section 3, LAN).
//!
//! Two devices that met on a network know nothing of each other. Each says a *tag* for every space that it could meet
//! the other in: a keyed hash of the connection that only somebody with a key epoch of that space can make or know
//! again. Tags come in *pages* of [`PAGE_TAGS`], filled up with random bytes, so that their number tells an order of
//! magnitude only. Who has no epoch in common with the other learns nothing, not even from a second meeting: the tags
//! of another connection are others.
//!
//! ```text
//! secret = HKDF-SHA256(epoch key; salt "alliance v1 discovery secret"; info: space ‖ epoch), 32 bytes
//! tag    = first 16 bytes of HMAC-SHA256(secret; "alliance v1 discovery" ‖ side (1) ‖ age (1) ‖ TLS exporter (32))
//! pages  = 2 (1 byte) ‖ number of pages (1 byte: 1, 4 or 16) ‖ 32 tags for each, ascending
//! ```
//!
//! A tag says whether the epoch is the newest that its sender knows. So both sides know which of them is to prove its
//! key first: the one whose newest epoch the other knows. Somebody who was put out has old epochs only, and shows itself
//! before it learns anything ([`first_to_prove`]).

use std::collections::HashMap;

use alliance_wire::hash::Domain;
use alliance_wire::{EpochId, SpaceId};
use hkdf::Hkdf;
use hkdf::hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::epoch::EpochKey;
use crate::wiped::KeyBytes;

/// Bytes of a tag.
pub const DISCOVERY_TAG_BYTES: usize = 16;
/// Tags of a page.
pub const PAGE_TAGS: usize = 32;
/// How many pages a side may say. More spaces than the last allows are left out.
pub const PAGES: [usize; 3] = [1, 4, 16];
/// Tags that a side says at most.
pub const DISCOVERY_TAGS_MAX: usize = PAGE_TAGS * PAGES[2];
/// First byte of a side's pages: a device proof begins with 1.
pub const PAGES_KIND: u8 = 2;
/// Bytes before the tags.
pub const PAGES_HEAD_BYTES: usize = 2;

const SALT: &[u8] = b"alliance v1 discovery secret";

type Tag = [u8; DISCOVERY_TAG_BYTES];

/// What holders of one key epoch know each other by.
#[derive(Clone, PartialEq, Eq)]
pub struct DiscoverySecret(KeyBytes);

impl DiscoverySecret {
    /// The secret of a space's epoch.
    #[must_use]
    pub fn of(key: &EpochKey, space: SpaceId, epoch: EpochId) -> Self {
        let mut secret = KeyBytes::zero();
        Hkdf::<Sha256>::new(Some(SALT), key.as_bytes())
            .expand_multi_info(&[&space.0, &epoch.0], &mut secret[..])
            .expect("32 bytes are within what HKDF-SHA256 gives");
        Self(secret)
    }

    /// The secret's bytes, for vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What a side says of this epoch on the connection with this exporter.
    #[must_use]
    pub fn tag(&self, side: Side, age: Age, exporter: &[u8; 32]) -> Tag {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[..]).expect("HMAC takes keys of every length");
        mac.update(Domain::Discovery.context().as_bytes());
        mac.update(&[side as u8, age as u8]);
        mac.update(exporter);
        let full = mac.finalize().into_bytes();
        let mut tag = [0; DISCOVERY_TAG_BYTES];
        tag.copy_from_slice(&full[..DISCOVERY_TAG_BYTES]);
        tag
    }
}

impl core::fmt::Debug for DiscoverySecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DiscoverySecret(redacted)")
    }
}

/// Which end of a connection speaks. Tags sent back to their sender are none of the other end's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who dialled.
    Dialler = 1,
    /// Who listened.
    Listener = 2,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Listener,
            Self::Listener => Self::Dialler,
        }
    }
}

/// What an epoch is to who says its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// The newest of the space.
    Newest = 1,
    /// An older one, which some member may still have as its newest.
    Older = 2,
}

/// A space that both sides know, and what the epoch is to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The space.
    pub space: SpaceId,
    /// What the common epoch is here.
    pub own: Age,
    /// What it is to the other side.
    pub theirs: Age,
}

/// Why what the other side said is no list of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PagesError {
    /// It begins otherwise: a newer version, or something else.
    #[error("not a list of tags of a version that this program knows")]
    Kind,
    /// Not 1, 4 or 16 pages, or not as many bytes as that.
    #[error("another number of pages than 1, 4 or 16")]
    Size,
    /// The tags do not ascend.
    #[error("tags that are not in order")]
    Order,
}

/// The tags that the other side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages(Vec<Tag>);

impl Pages {
    /// How many bytes follow this head.
    ///
    /// # Errors
    /// [`PagesError::Kind`], [`PagesError::Size`].
    pub fn bytes_after(head: [u8; PAGES_HEAD_BYTES]) -> Result<usize, PagesError> {
        let [kind, pages] = head;
        if kind != PAGES_KIND {
            return Err(PagesError::Kind);
        }
        let known = PAGES.into_iter().find(|known| *known == usize::from(pages)).ok_or(PagesError::Size)?;
        Ok(known * PAGE_TAGS * DISCOVERY_TAG_BYTES)
    }

    /// Reads a side's pages, head included.
    ///
    /// # Errors
    /// [`PagesError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PagesError> {
        let (head, rest) = bytes.split_first_chunk::<PAGES_HEAD_BYTES>().ok_or(PagesError::Size)?;
        if rest.len() != Self::bytes_after(*head)? {
            return Err(PagesError::Size);
        }
        let (tags, _) = rest.as_chunks::<DISCOVERY_TAG_BYTES>();
        if !tags.is_sorted() {
            return Err(PagesError::Order);
        }
        Ok(Self(tags.to_vec()))
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let pages = u8::try_from(self.0.len() / PAGE_TAGS).unwrap_or(u8::MAX);
        let mut out = vec![PAGES_KIND, pages];
        out.extend(self.0.iter().flatten());
        out
    }
}

/// The epochs by which this device can be known.
#[derive(Debug, Clone, Default)]
pub struct Discovery(Vec<(SpaceId, DiscoverySecret, Age)>);

impl Discovery {
    /// One that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an epoch. More than [`DISCOVERY_TAGS_MAX`] are not taken: add the newest of each space first.
    pub fn add(&mut self, space: SpaceId, secret: DiscoverySecret, age: Age) {
        if self.0.len() < DISCOVERY_TAGS_MAX {
            self.0.push((space, secret, age));
        }
    }

    /// How many epochs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What this side says. `random` is 32 bytes of the operating system's randomness, for what fills the last page.
    /// The order is that of the tags themselves, which is as good as any other to who cannot make them.
    #[must_use]
    pub fn pages(&self, side: Side, exporter: &[u8; 32], random: [u8; 32]) -> Pages {
        let mut tags: Vec<Tag> = self.0.iter().map(|(_, secret, age)| secret.tag(side, *age, exporter)).collect();
        let needed = tags.len().div_ceil(PAGE_TAGS);
        let pages = PAGES.into_iter().find(|pages| *pages >= needed).unwrap_or(PAGES[2]);
        let mut filling = blake3::Hasher::new_derive_key("alliance v1 discovery filling");
        let mut filling = filling.update(&random).update(exporter).finalize_xof();
        while tags.len() < pages * PAGE_TAGS {
            let mut tag = [0; DISCOVERY_TAG_BYTES];
            filling.fill(&mut tag);
            tags.push(tag);
        }
        tags.sort_unstable();
        Pages(tags)
    }

    /// The spaces that the other side, which is `theirs`, knows as well.
    #[must_use]
    pub fn compare(&self, theirs: Side, exporter: &[u8; 32], said: &Pages) -> Vec<Match> {
        let mut known = HashMap::with_capacity(2 * self.0.len());
        for (space, secret, own) in &self.0 {
            for age in [Age::Newest, Age::Older] {
                known.insert(secret.tag(theirs, age, exporter), Match { space: *space, own: *own, theirs: age });
            }
        }
        said.0.iter().filter_map(|tag| known.get(tag).copied()).collect()
    }
}

/// Who proves its key first, as `own` sees it from its side; `None` if both know no space in common. Both sides come to
/// the same answer.
///
/// It is the side whose newest epoch the other knows, and the dialler if both are: whoever has older epochs only was
/// put out, or has not heard what is new, and shows itself first. Where both know an epoch that is the newest to neither,
/// both have newer ones that the other does not know (made apart), and the dialler is first.
#[must_use]
pub fn first_to_prove(own: Side, matches: &[Match]) -> Option<Side> {
    if matches.is_empty() {
        return None;
    }
    let newest_of = |side: Side| {
        let age = |it: &Match| if side == own { it.own } else { it.theirs };
        matches.iter().any(|it| age(it) == Age::Newest)
    };
    let listener = newest_of(Side::Listener) && !newest_of(Side::Dialler);
    Some(if listener { Side::Listener } else { Side::Dialler })
}
