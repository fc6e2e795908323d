//! Why a change is parked for good: stable codes, equal on every replica.

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal,)+) => {
        /// Why an entry's changes are parked for good (PROTOCOL section 2, admission gate, stage 1). The verdict is a
        /// pure function of the change and its ancestors' operations, so every replica comes to the same one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ParkCode {
            $($(#[$doc])* $variant,)+
        }

        impl ParkCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The code with this name.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// An entry without changes, with too many, or with too many bytes or operations in all.
    EntryLimit "ENTRY_LIMIT",
    /// A change above 32 KiB.
    ChangeLimit "CHANGE_LIMIT",
    /// No change chunk: a document, a bundle, a deflated change, or other bytes.
    ChunkType "CHUNK_TYPE",
    /// The chunk's framing, checksum or fields are damaged, or a number is not in its shortest form.
    ChunkDamaged "CHUNK_DAMAGED",
    /// Bytes behind the operations: a footer.
    Footer "FOOTER",
    /// A message or a time in the change: both stand in the entry instead.
    Message "MESSAGE",
    /// Columns that this version does not know, out of order, deflated or empty.
    Columns "COLUMNS",
    /// More than 65,536 operations or predecessors, or none.
    OpsLimit "OPS_LIMIT",
    /// A column that cannot be decoded, or whose length differs from the others'.
    ColumnDamaged "COLUMN_DAMAGED",
    /// Encoding the decoded change gives other bytes.
    NotCanonical "NOT_CANONICAL",
    /// The actor is not the one expected for (incarnation, document, n).
    Actor "ACTOR",
    /// The sequence number is not the next one of the actor, or the change does not build on the previous one.
    Seq "SEQ",
    /// The first operation's number is not one more than the largest among the ancestors.
    StartOp "START_OP",
    /// Dependencies that are missing, unsorted, or named twice.
    Deps "DEPS",
    /// Builds on a change that is parked for good.
    DependsOnParked "DEPENDS_ON_PARKED",
    /// An action that documents of this schema never hold.
    Action "ACTION",
    /// A value of a kind that the operation cannot have.
    Value "VALUE",
    /// The object does not exist among the ancestors, or is of another kind than the operation needs.
    Object "OBJECT",
    /// A key where an element is needed or the other way round, or a key above its limit.
    Key "KEY",
    /// The element does not exist in that object.
    Element "ELEMENT",
    /// A predecessor that does not exist at that object and key, is named twice, or is no value.
    Pred "PRED",
    /// An insert with a predecessor, or a delete, an increment or a list update without one.
    PredCount "PRED_COUNT",
    /// An increment of something that is no counter.
    Counter "COUNTER",
    /// Objects nested deeper than 32.
    Nesting "NESTING",
    /// Replaces or removes an object, or writes where the schema lets nobody write.
    SchemaFixed "SCHEMA_FIXED",
    /// Changes an entry of a grow-only log.
    LogOnlyGrows "LOG_ONLY_GROWS",
    /// Changes or takes away what is another person's alone (DOMAIN 2.5).
    NotAuthor "NOT_AUTHOR",
}

impl ParkCode {
    /// Whether the code speaks of the entry and its place in its log, not of what a change holds: the same change may
    /// be admitted from another entry.
    #[must_use]
    pub const fn is_of_entry(self) -> bool {
        matches!(self, Self::EntryLimit | Self::Actor | Self::Seq)
    }
}

impl core::fmt::Display for ParkCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.code())
    }
}
