//! Signing, sealing, key epochs, membership and recovery: what Alliance's replicas know and prove.
//!
//! A *device* has one secret ([`DeviceSecret`]) that signs its logs and opens key boxes. An entry as sent
//! (`alliance_wire::Entry`) has no say until its author's signature was checked; what is left is a [`Verified`] entry.
//! Verified membership entries go into a [`Membership`], which answers who is in a space: a pure function of the *set*
//! of entries, whatever their order of arrival. It is the Rust form of the reference model in `vectors/membership` and is
//! compared with it attack by attack.
//!
//! Members write under a *key epoch*. Its key ([`EpochKey`]) lies in its entry, sealed to each device and recovery key;
//! a [`Keyring`] opens what is sealed to one's own and walks back along the links to older epochs. [`seal`] and [`open`]
//! turn a data entry's content into the payload that a relay carries: compressed, padded, encrypted, and bound to its
//! place in its log.
//!
//! People come in by an [`Invitation`] and four compared words, and come back by their [`RecoveryWords`]. Where several
//! share a device, each has a store under a key of its own that a PIN opens ([`PinWrap`], [`Tries`]).
//!
//! The crate is pure: no clock, no random source, no I/O. Time is an argument, and so is randomness, 32 bytes at a time.
//! It is *hedged*: what is derived from it also depends on a device's secret and on what it is for, so that a random
//! source that repeats itself (a cloned phone, a restored image) repeats no nonce and no key for another purpose.
//!
//! [`Rules`] turns single rules off, so that a test can show what a rule prevents.

mod aead;
mod boxes;
mod bundle_file;
mod discovery;
mod entry;
mod epoch;
mod help;
mod invitation;
mod keyring;
mod keys;
pub mod membership;
mod parcel;
mod passphrase;
mod pin;
mod receipt;
mod recovery;
mod rules;
mod seal;
mod small;
mod wiped;

pub use boxes::{open_by_words, seal_for_words};
pub use bundle_file::{BundleKey, HeadSeal, PageError};
pub use discovery::{
    Age, DISCOVERY_TAG_BYTES, DISCOVERY_TAGS_MAX, Discovery, DiscoverySecret, Match, PAGE_TAGS, PAGES,
    PAGES_HEAD_BYTES, PAGES_KIND, Pages, PagesError, Side, first_to_prove,
};
pub use entry::{BATCH_MAX, Place, Verified, Verifier, VerifyError, sign_entry};
pub use epoch::{BoxError, BoxPlace, Canary, EpochKey, make_boxes, new_epoch, open_box, open_link};
pub use help::{HELP_DEVICES_MAX, HelpAnswer, HelpError, HelpRequest, HelpWrap};
pub use invitation::{
    Accept, AcceptError, INVITATION_NAME_BYTES_MAX, Invitation, InvitationError, JoinError, PendingInvite, PendingJoin,
    RelayAt,
};
pub use keyring::{KeyFault, Keyring};
pub use keys::{
    BadSignature, DeviceSecret, HelpSecret, OneTimeSecret, RecoverySecret, Secret, verify, verify_card, verify_own_card,
};
pub use membership::{
    DataAt, DataRules, DataVerdict, Departure, EpochChoice, Fate, Inserted, Made, Maker, Member, MemberRole,
    Membership, MembershipError, MissingBox, State,
};
pub use parcel::{open_parcel, seal_parcel};
pub use passphrase::{Cost, CostError, PASSPHRASE_BYTES_MAX, PassphraseError, passphrase_key};
pub use pin::{
    Look, PIN_CHARACTERS_MIN, PIN_DIGITS_MIN, PIN_TRIES_FREE, PinChoiceError, PinWrap, Tries, UnwrapError, Uptime,
    check_new_pin,
};
pub use receipt::{ReceiptError, VerifiedReceipt, sign_receipt};
pub use recovery::{ASKED_BACK, RECOVERY_WORDS, RecoveryWords, WordsError};
pub use rules::{MembershipRules, Rules};
pub use seal::{OpenError, SEAL_OVERHEAD_BYTES, SealError, open, padme, seal, unpack};
pub use small::{SMALL_OVERHEAD_BYTES, SmallDomain, Watching, open_small, seal_small};
pub use wiped::{KeyBytes, on_wiped_stack, wipe_stack};
