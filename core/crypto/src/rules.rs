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
    /// One commit order for each space: a relay gives arrival numbers in the transaction that stores (R2).
    pub commit_order: bool,
    /// Whoever gains access to a space tells a vector of nothing for it (R4).
    pub empty_vectors: bool,
    /// What is sent includes what came from others (R5).
    pub pass_on: bool,
    /// A database that its marker does not know takes a new instance (R7).
    pub new_instance: bool,
    /// An exchange goes on where the one before it ended, at the entry (R8).
    pub resume: bool,
    /// Who was put out of a space is told so, and hands over what it had not sent (PROTOCOL section 3, put out). Off: it
    /// is answered as somebody who was never in.
    pub revoke: bool,
    /// How membership entries are judged.
    pub membership: MembershipRules,
}

/// The rules of membership (PROTOCOL section 4), for [`crate::Membership::under`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembershipRules {
    /// Only those may sign an operation whom the table gives the right. Off: whoever is listed may sign anything.
    pub table: bool,
    /// Rights are judged in the state of an entry's ancestors. Off: in the state of what happens to be here.
    pub ancestry: bool,
    /// An entry counts only if those of its ancestors that count still give its author the right.
    pub closure: bool,
    /// Suspensions, losses and leaves cut off what they do not know.
    pub cuts: bool,
    /// Of a removed person only ancestors of every removal count.
    pub removals: bool,
    /// A recovery key answers only to an older one of its person.
    pub seniority: bool,
    /// Readers do not write.
    pub readers: bool,
    /// Of concurrent roles the lowest counts.
    pub lowest_role: bool,
    /// In a space that has ended nobody is let in and nobody writes.
    pub endings: bool,
    /// A joint space has at most so many persons.
    pub persons_max: bool,
    /// A device's card is signed by its own key for its place: nobody is put anywhere that it did not ask to be.
    pub cards: bool,
    /// An entry whose author was never listed is refused.
    pub strangers: bool,
    /// Each device has an allowance of entries and bytes.
    pub allowance: bool,
    /// An epoch's generation is one more than the largest that its author knew.
    pub generations: bool,
    /// A key box for nobody who is a member is void.
    pub void_boxes: bool,
    /// Who has an epoch's key has those of the epochs that it links to.
    pub links: bool,
    /// Data above its log's cut-off does not count.
    pub cut_offs: bool,
}

impl MembershipRules {
    /// Every rule holds.
    pub const ALL: Self = Self {
        table: true,
        ancestry: true,
        closure: true,
        cuts: true,
        removals: true,
        seniority: true,
        readers: true,
        lowest_role: true,
        endings: true,
        persons_max: true,
        cards: true,
        strangers: true,
        allowance: true,
        generations: true,
        void_boxes: true,
        links: true,
        cut_offs: true,
    };
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
        commit_order: true,
        empty_vectors: true,
        pass_on: true,
        new_instance: true,
        resume: true,
        revoke: true,
        membership: MembershipRules::ALL,
    };
}
