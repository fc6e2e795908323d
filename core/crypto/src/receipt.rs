//! Signed receipts (PROTOCOL section 3): what a device says that it has.

use alliance_wire::receipt::{Receipt, SignedReceipt};
use alliance_wire::{DecodeError, SpaceId};

use crate::keys::{self, DeviceSecret, Secret};

/// Why a receipt is not taken for verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is not a receipt of this version, or over a limit.
    #[error("not a receipt: {0}")]
    Malformed(#[from] DecodeError),
    /// It speaks of another space than the one that it was sent for.
    #[error("the receipt is of another space")]
    OtherSpace,
    /// The device's signature does not verify.
    #[error("the receipt's signature does not verify")]
    Signature,
    /// The receipt to sign names another device.
    #[error("the receipt names another device than its signer")]
    OtherDevice,
}

/// Signs a receipt of this device.
///
/// # Errors
/// [`ReceiptError::OtherDevice`] when it names another device, [`ReceiptError::Malformed`] when it is over a limit: the
/// caller's fault.
pub fn sign_receipt(secret: &DeviceSecret, receipt: &Receipt) -> Result<SignedReceipt, ReceiptError> {
    if receipt.device != secret.key() {
        return Err(ReceiptError::OtherDevice);
    }
    let body = alliance_wire::encode(receipt);
    let signature = secret.sign(&SignedReceipt::message(&body));
    let signed = SignedReceipt { body, signature };
    signed.parse()?;
    Ok(signed)
}

/// A receipt whose device's signature verified. Whether the device is a member is [`crate::Membership`]'s business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    receipt: Receipt,
    signed: SignedReceipt,
}

impl VerifiedReceipt {
    /// Verifies a receipt that was sent for this space.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify(space: SpaceId, signed: SignedReceipt) -> Result<Self, ReceiptError> {
        let receipt = signed.parse()?;
        if receipt.space != space {
            return Err(ReceiptError::OtherSpace);
        }
        keys::verify(receipt.device, &SignedReceipt::message(&signed.body), &signed.signature)
            .map_err(|_| ReceiptError::Signature)?;
        Ok(Self { receipt, signed })
    }

    /// What the device says.
    #[must_use]
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The bytes and the signature, to store and pass on.
    #[must_use]
    pub const fn signed(&self) -> &SignedReceipt {
        &self.signed
    }

    /// Whether this receipt replaces the other one of the same space and device: a higher counter of the same
    /// incarnation does, and one of an incarnation that closes the other's. Where neither closes the other, or each does
    /// (copies of one store that both live), the higher counter stays, then the larger incarnation: any two replicas
    /// keep the same one.
    #[must_use]
    pub fn replaces(&self, other: &Receipt) -> bool {
        let mine = &self.receipt;
        if mine.space != other.space || mine.device != other.device {
            return false;
        }
        match (mine.closes.contains(&other.incarnation), other.closes.contains(&mine.incarnation)) {
            (closes, closed) if closes != closed => closes,
            _ => (mine.counter, mine.incarnation) > (other.counter, other.incarnation),
        }
    }
}
