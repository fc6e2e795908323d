//! Exit statuses: one table from every stable code to a status. `docs/GUIDE.md` repeats it for people, and a test
//! compares the two and looks for codes without a row.

/// A class of failures, by what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    /// It worked.
    pub const OK: Self = Self(0);
    /// A bug of ours.
    pub const BUG: Self = Self(1);
    /// The command line cannot be understood.
    pub const USAGE: Self = Self(2);
    /// The domain refuses the command, the same online and offline.
    pub const REFUSED: Self = Self(3);
    /// Nothing, or more than one thing, has this name.
    pub const UNKNOWN: Self = Self(4);
    /// A text or file that was handed in is damaged, used, expired, or not what it should be.
    pub const BAD_INPUT: Self = Self(5);
    /// Something or somebody is not who it should be. Nothing was shared.
    pub const NOT_GENUINE: Self = Self(6);
    /// The store cannot be opened as it is now.
    pub const STORE: Self = Self(7);
    /// The disk or the machine failed us.
    pub const MACHINE: Self = Self(8);
    /// The other side of a connection.
    pub const NETWORK: Self = Self(9);
    /// Not yet: something has to arrive first. Trying again later helps.
    pub const LATER: Self = Self(10);
    /// The demo did not hold.
    pub const DEMO: Self = Self(11);
    /// Interrupted, as shells number it.
    pub const INTERRUPTED: Self = Self(130);
}

/// The status of every code of the desk, the client and the model.
pub const TABLE: &[(&str, Status)] = &[
    ("INTERNAL", Status::BUG),
    ("USAGE", Status::USAGE),
    ("NO_STORE_FOLDER", Status::USAGE),
    ("NO_TERMINAL", Status::USAGE),
    // The model's refusals (docs/DOMAIN.md section 2.8).
    ("NOT_MEMBER", Status::REFUSED),
    ("ROLE_FORBIDS", Status::REFUSED),
    ("LAST_STEWARD", Status::REFUSED),
    ("KIND_FIXED", Status::REFUSED),
    ("KIND_FORBIDS", Status::REFUSED),
    ("EVIDENCE_SOURCE", Status::REFUSED),
    ("INDEPENDENCE", Status::REFUSED),
    ("CONTRACT_REQUIRED", Status::REFUSED),
    ("RETENTION_LONGER_THAN_CONTRACT", Status::REFUSED),
    ("NO_ACTIVE_AGREEMENT", Status::REFUSED),
    ("FEEDBACK_PAUSED", Status::REFUSED),
    ("PACK_LOOSENS", Status::REFUSED),
    ("RECORD_RULE", Status::REFUSED),
    ("NOT_AUTHOR", Status::REFUSED),
    ("NOT_PARTY", Status::REFUSED),
    ("STALE_TEXT", Status::REFUSED),
    ("ALREADY_SIGNED", Status::REFUSED),
    ("LOCKED_NOTE", Status::REFUSED),
    ("TWO_LOCKS", Status::REFUSED),
    ("SEALED", Status::REFUSED),
    ("TRAIL_BROKEN", Status::NOT_GENUINE),
    ("EXPORT_BROKEN", Status::NOT_GENUINE),
    ("PACK_BROKEN", Status::NOT_GENUINE),
    ("SIGNED_BROKEN", Status::NOT_GENUINE),
    ("ALREADY_MERGED", Status::REFUSED),
    ("DIFFERENT_ALLIANCE", Status::REFUSED),
    ("SAME_PERSON_COSIGN", Status::REFUSED),
    ("INCOMPLETE", Status::REFUSED),
    ("NOTHING_PROPOSED", Status::REFUSED),
    ("NEEDS_CHOICE", Status::REFUSED),
    ("LANGUAGE_INVALID", Status::REFUSED),
    ("SCHEMA_NEWER", Status::REFUSED),
    ("STALE_VIEW", Status::REFUSED),
    ("WRONG_KIND", Status::REFUSED),
    ("UNKNOWN_ITEM", Status::REFUSED),
    ("ITEM_EXISTS", Status::REFUSED),
    ("POSITION_OUT_OF_RANGE", Status::REFUSED),
    ("TEXT_EMPTY", Status::REFUSED),
    ("TEXT_TOO_LONG", Status::REFUSED),
    ("TEXT_INVALID", Status::REFUSED),
    ("TOO_MANY_ITEMS", Status::REFUSED),
    ("WEIGHT_INVALID", Status::REFUSED),
    ("UNKNOWN_FUNCTION", Status::REFUSED),
    ("SCOPE_LEAK", Status::REFUSED),
    ("UNKNOWN_FIELD", Status::REFUSED),
    ("UNKNOWN_WORD", Status::REFUSED),
    ("DATE_INVALID", Status::REFUSED),
    ("TIME_INVALID", Status::REFUSED),
    ("NOT_HELD", Status::REFUSED),
    ("PRIVATE", Status::REFUSED),
    ("NUMBER_INVALID", Status::REFUSED),
    ("NAME_INVALID", Status::REFUSED),
    ("QUERY_EMPTY", Status::REFUSED),
    ("QUERY_TOO_LONG", Status::REFUSED),
    ("VERSION_NOT_SHOWN", Status::REFUSED),
    ("NOTHING_MISSING", Status::REFUSED),
    ("COPY_CHANGED", Status::REFUSED),
    ("NOT_LEFT", Status::REFUSED),
    ("RELAY_IN_USE", Status::REFUSED),
    ("PROFILE_EXISTS", Status::REFUSED),
    ("PROFILE_UNSENT", Status::REFUSED),
    ("DEVICE_SUSPENDED", Status::REFUSED),
    ("DEVICE_PUT_OUT", Status::REFUSED),
    ("STORE_IN_USE", Status::REFUSED),
    ("NOBODY_TO_READ", Status::REFUSED),
    ("BUNDLE_QUOTA", Status::REFUSED),
    ("UNKNOWN_SPACE", Status::UNKNOWN),
    ("UNKNOWN_MEMBER", Status::UNKNOWN),
    ("UNKNOWN_DEVICE", Status::UNKNOWN),
    ("UNKNOWN_WORDS", Status::UNKNOWN),
    ("UNKNOWN_DOCUMENT", Status::UNKNOWN),
    ("UNKNOWN_INVITATION", Status::UNKNOWN),
    ("UNKNOWN_VERSION", Status::UNKNOWN),
    ("NO_PASSAGE", Status::UNKNOWN),
    ("AMBIGUOUS", Status::UNKNOWN),
    ("NO_RELAY", Status::UNKNOWN),
    ("NOTHING_TO_RECOVER", Status::UNKNOWN),
    ("UNKNOWN_RELAY", Status::UNKNOWN),
    ("STORE_ABSENT", Status::UNKNOWN),
    ("UNKNOWN_PROFILE", Status::UNKNOWN),
    ("UNKNOWN_HELPER", Status::UNKNOWN),
    ("UNKNOWN_BUNDLE", Status::UNKNOWN),
    ("BAD_CONNECT_STRING", Status::BAD_INPUT),
    ("BAD_TOKEN", Status::BAD_INPUT),
    ("BAD_RECOVERY_WORDS", Status::BAD_INPUT),
    ("BAD_ADDRESS", Status::BAD_INPUT),
    ("BAD_TERM", Status::BAD_INPUT),
    ("BAD_PASSPHRASE", Status::BAD_INPUT),
    ("PASSPHRASES_DIFFER", Status::BAD_INPUT),
    ("PIN_WEAK", Status::BAD_INPUT),
    ("HELP_TEXT_DAMAGED", Status::BAD_INPUT),
    ("NOT_TEXT", Status::BAD_INPUT),
    ("FILE_EXISTS", Status::BAD_INPUT),
    ("FILE_TOO_LARGE", Status::BAD_INPUT),
    ("INVITATION_DAMAGED", Status::BAD_INPUT),
    ("INVITATION_NEWER", Status::BAD_INPUT),
    ("INVITATION_FOREIGN", Status::BAD_INPUT),
    ("INVITATION_USED", Status::BAD_INPUT),
    ("INVITATION_EXPIRED", Status::BAD_INPUT),
    ("BACKUP_DAMAGED", Status::BAD_INPUT),
    ("BUNDLE_NOT_FOR_YOU", Status::BAD_INPUT),
    ("BUNDLE_DAMAGED", Status::BAD_INPUT),
    ("BUNDLE_NEWER", Status::BAD_INPUT),
    ("BUNDLE_EXISTS", Status::BAD_INPUT),
    ("SPLIT_TOO_SMALL", Status::BAD_INPUT),
    ("BUNDLE_TOO_LARGE", Status::BAD_INPUT),
    ("BUNDLE_TEXT_DAMAGED", Status::BAD_INPUT),
    ("BUNDLE_TEXTS_MISSING", Status::BAD_INPUT),
    ("WRONG_PASSPHRASE", Status::NOT_GENUINE),
    ("PIN_WRONG", Status::NOT_GENUINE),
    ("WORDS_WRONG", Status::NOT_GENUINE),
    ("HELP_FOREIGN", Status::NOT_GENUINE),
    ("WORDS_OF_NOBODY", Status::NOT_GENUINE),
    ("WRONG_RELAY_KEY", Status::NOT_GENUINE),
    ("NETWORK_INTERCEPTED", Status::NOT_GENUINE),
    ("WRONG_DEVICE_KEY", Status::NOT_GENUINE),
    ("CODE_MISMATCH", Status::NOT_GENUINE),
    ("STORE_BUSY", Status::STORE),
    ("STORE_EXISTS", Status::STORE),
    ("STORE_NEWER", Status::STORE),
    ("STORE_DAMAGED", Status::STORE),
    ("STORE_CLOSED", Status::STORE),
    ("PIN_ABSENT", Status::STORE),
    ("HELP_ABSENT", Status::STORE),
    ("PIN_SECRET_MISSING", Status::STORE),
    ("DOCUMENT_BROKEN", Status::STORE),
    ("HOLDER_LOST", Status::STORE),
    ("HOLDER_OTHER", Status::STORE),
    ("STORE_IO", Status::MACHINE),
    ("BUNDLE_IO", Status::MACHINE),
    ("LOW_STORAGE", Status::MACHINE),
    ("KEYRING_ABSENT", Status::MACHINE),
    ("KEYRING_LOCKED", Status::MACHINE),
    ("KEYRING_REFUSED", Status::MACHINE),
    ("STORE_READ_ONLY", Status::MACHINE),
    ("NO_THREADS", Status::MACHINE),
    ("FILE_UNREADABLE", Status::MACHINE),
    ("FILE_UNWRITABLE", Status::MACHINE),
    ("RELAY_PROGRAM_ABSENT", Status::MACHINE),
    ("RELAY_PROGRAM_FAILED", Status::MACHINE),
    ("NO_MULTICAST", Status::NETWORK),
    ("UNREACHABLE", Status::NETWORK),
    ("PEER_REFUSED", Status::NETWORK),
    ("INCOMPATIBLE", Status::NETWORK),
    ("DISCONNECTED", Status::NETWORK),
    ("PEER_MISBEHAVED", Status::NETWORK),
    ("NOT_ANSWERED", Status::LATER),
    ("PIN_LOCKED", Status::LATER),
    ("WAITING_FOR_KEYS", Status::LATER),
    ("NOBODY_NEAR", Status::LATER),
    ("SYNC_INCOMPLETE", Status::LATER),
    ("DEMO_FAILED", Status::DEMO),
    ("INTERRUPTED", Status::INTERRUPTED),
];

/// The status of a code. A code without a row is a bug of ours, and has the status of one.
#[must_use]
pub fn status_of(code: &str) -> Status {
    TABLE.iter().find(|(known, _)| *known == code).map_or(Status::BUG, |(_, status)| *status)
}
