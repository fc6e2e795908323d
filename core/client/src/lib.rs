//! The facade that every app uses: one [`Client`] is one person's store on one device.
//!
//! Everything works without a network. A command is durable when [`Client::command`] returns; it becomes one signed and
//! sealed entry when its editing session ends. Whenever another replica is met, [`Client::sync_once`],
//! [`Client::sync_with`], [`Client::sync_live`] or a [`Listener`] exchanges what is new, and what came in is judged and
//! shown.
//!
//! The crate is the shell around the pure ones: it owns the clock, the random source, the files and the sockets, and
//! performs what the session machine asks for. Views are plain records; an [`Error`] has a stable code.
//!
//! | module | does |
//! |---|---|
//! | `profile`, `spaces`, `members` | who this is, which spaces there are, who is in them |
//! | `profiles` | several people on one device, each with a store that a PIN opens |
//! | `bundle` | what is new for somebody in a file, and files that are carried for others |
//! | `courier` | what a locked profile left to be sent, in the hands of another |
//! | `devices` | the devices of one's own person, and putting one out |
//! | `further_words` | which recovery words there are, further ones, and taking them back |
//! | `home` | how the devices of one person find each other's spaces |
//! | `renew` | copies of documents in another space, and a new space in place of one |
//! | `recover` | coming back with nothing but the recovery words |
//! | `returning` | taking back that a device left in one's name |
//! | `keeper` | a key that a login keyring or a phone keeps, so that no passphrase is asked |
//! | `preparation` | what a person prepares, and copies of it on agendas |
//! | `relays` | which relays are known, and which one carries a space |
//! | `invite`, `join` | how a person comes in |
//! | `drafts`, `documents`, `intake` | from a command to an entry, and from entries to documents |
//! | `peer`, `sync`, `listen` | one connection, and how connections come to be |
//! | `near` | finding devices on the same network, and meeting several at once |
//! | `search` | finding documents by their words |
//! | `history` | versions of a document, and bringing a passage back |
//! | `receipts`, `status`, `export`, `backup` | what is where, and getting it out |
//! | `doctor` | looking for damage, and salvaging |

mod agreed;
mod append;
mod backup;
mod bundle;
mod charter;
mod confirming;
mod connectivity;
mod convert;
mod cosigning;
mod courier;
mod deciding;
mod devices;
mod doctor;
mod documents;
mod drafts;
mod due;
mod error;
mod export;
mod forks;
mod forms;
mod further_words;
mod giving_out;
mod held;
mod history;
mod home;
mod inner;
mod intake;
mod invite;
mod join;
mod keeper;
mod listen;
mod listing;
mod meeting;
mod members;
mod merging;
mod names;
mod near;
mod peer;
mod policy;
mod preparation;
mod profile;
mod profiles;
mod put_out;
mod random;
mod reach;
mod receipts;
mod recover;
mod reference;
mod relays;
mod renew;
mod returning;
mod search;
mod spaces;
mod status;
mod surroundings;
mod sync;
mod tables;
mod views;

pub use alliance_crypto::{RecoveryWords, Rules, Uptime};
pub use alliance_store::StoreKey;
pub use alliance_store::profiles::{ProfileId, Unlocked};
pub use alliance_wire::membership::Role;
pub use alliance_wire::{DeviceKey, DocumentId, FrozenHash, PersonTag, SpaceId};

pub use alliance_document::{Difference, Piece, PieceKind};
pub use bundle::{
    BUNDLE_TEXTS_MAX, BundleFile, BundleFor, BundleFrom, BundleOut, BundlePlan, BundleStream, bundle_from_texts,
    bundle_texts,
};
pub use charter::Adopted;
pub use connectivity::Conditions;
pub use deciding::prove_trail;
pub use error::{Code, Error};
pub use forms::prove_signed;
pub use giving_out::{Exported, prove_export};
pub use history::{Comparison, HistoryPage, VersionChange, VersionDocument, VersionView};
pub use inner::{Client, Options};
pub use invite::INVITE_USES_MAX;
pub use keeper::{KeeperError, KeyKeeper, NotKept};
pub use listen::Listener;
pub use near::{NearPerson, NearReport, Nearby};
pub use peer::Until;
pub use policy::prove_pack;
pub use preparation::{SharedItem, SharedNow};
pub use profiles::{HelpAsk, NewProfile, ProfileView, Profiles, UnsentView};
pub use random::item_id;
pub use reach::Fallback;
pub use recover::Recovered;
pub use renew::{Copied, NotCopied, Renewed};
pub use search::{SearchHit, SearchPage};
pub use surroundings::{Source, Surroundings};
pub use sync::Towards;
pub use views::{
    BundleInspection, BundleProgress, BundleReader, BundleReport, BundleWritten, CarriedBundle, Change, Delivery,
    DocumentRow, DocumentView, DueGoal, DueReview, Health, InboxSpace, InviteOptions, InviteState, InviteView,
    JoinState, JoinView, LinkState, LinkView, MemberView, NewSpace, OfferedView, OpenAction, OutView, OwnDevice,
    OwnWords, ParcelView, ParkedView, PlannedReview, PlannedSession, PossibleDuplicate, Progress, ReaderView,
    RelayView, Replaced, Salvage, SpaceStatus, SpaceView, Standing, Status, SyncReport, TodaySpace, Transport, View,
    Whoami,
};

/// What every call of the facade answers.
pub type Result<T> = core::result::Result<T, Error>;
