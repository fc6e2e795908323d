//! Signing, sealing, key epochs, membership and recovery.

mod entry;
mod keys;
pub mod membership;
mod receipt;
mod rules;

pub use entry::{BATCH_MAX, Place, Verified, Verifier, VerifyError, sign_entry};
pub use keys::{BadSignature, DeviceSecret, OneTimeSecret, RecoverySecret, Secret, verify, verify_card};
pub use membership::{
    DataVerdict, EpochChoice, Inserted, Member, MemberRole, Membership, MembershipError, MissingBox, State,
};
pub use receipt::{ReceiptError, VerifiedReceipt, sign_receipt};
pub use rules::Rules;
