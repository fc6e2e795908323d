//! Switches that turn one rule off, so that a test can show what the rule prevents.

/// Which rules hold. Programs use [`Rules::ALL`]; only tests and the simulator build anything else, to prove that a
/// check of theirs would notice the rule's absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Payloads are encrypted (PROTOCOL section 2, sealing). Off: they are stored readable and uncompressed.
    pub seal: bool,
    /// Signatures are verified (PROTOCOL section 2).
    pub verify_signatures: bool,
    /// Nonces depend on what they are used for, not on the random source alone (PROTOCOL section 2, sealing).
    pub hedge_nonces: bool,
    /// Who may write is judged (PROTOCOL section 4); read by the session machine and the store.
    pub check_membership: bool,
    /// Each entry continues its log (PROTOCOL section 2); read by the session machine and the store.
    pub check_chain: bool,
    /// A cursor counts only where number and hash agree with the receiver's own records (PROTOCOL section 3, R1).
    pub check_cursors: bool,
    /// Only what is durable is acknowledged, and the receiver's durable cursor counts, not what was once said (R3).
    pub durable_acks: bool,
    /// Unequal digests after an exchange are repaired (R6).
    pub repair: bool,
}

impl Rules {
    /// Every rule holds.
    pub const ALL: Self = Self {
        seal: true,
        verify_signatures: true,
        hedge_nonces: true,
        check_membership: true,
        check_chain: true,
        check_cursors: true,
        durable_acks: true,
        repair: true,
    };
}
