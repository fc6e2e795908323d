//! Signing, sealing, key epochs, membership and recovery.

mod aead;
mod entry;
mod epoch;
mod invitation;
mod keyring;
mod keys;
pub mod membership;
mod passphrase;
mod receipt;
mod recovery;
mod rules;
mod seal;
mod small;

pub use entry::{BATCH_MAX, Place, Verified, Verifier, VerifyError, sign_entry};
pub use epoch::{BoxError, BoxPlace, Canary, EpochKey, make_boxes, new_epoch, open_box, open_link};
pub use invitation::{
    Accept, AcceptError, INVITATION_NAME_BYTES_MAX, Invitation, InvitationError, JoinError, PendingInvite, PendingJoin,
    RelayAt,
};
pub use keyring::{KeyFault, Keyring};
pub use keys::{BadSignature, DeviceSecret, OneTimeSecret, RecoverySecret, Secret, verify, verify_card};
pub use membership::{
    DataVerdict, EpochChoice, Inserted, Member, MemberRole, Membership, MembershipError, MissingBox, State,
};
pub use passphrase::{Cost, CostError, PASSPHRASE_BYTES_MAX, PassphraseError, passphrase_key};
pub use receipt::{ReceiptError, VerifiedReceipt, sign_receipt};
pub use recovery::{RECOVERY_WORDS, RecoveryWords, WordsError};
pub use rules::Rules;
pub use seal::{OpenError, SEAL_OVERHEAD_BYTES, SealError, open, padme, seal};
pub use small::{SMALL_OVERHEAD_BYTES, SmallDomain, Watching, open_small, seal_small};
