//! Every limit of the protocol, with its unit in its name (docs/PROTOCOL.md, limits).

/// A data entry's payload after padding.
pub const DATA_PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// A membership entry's payload.
pub const MEMBERSHIP_PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// The variable part of an entry's header.
pub const SUFFIX_BYTES_MAX: usize = 1024;
/// A frame, its length prefix not counted. A membership entry of the largest size fits with its run's header.
pub const FRAME_BYTES_MAX: usize = MEMBERSHIP_PAYLOAD_BYTES_MAX + 8 * 1024;
/// Where a sender closes a run of entries, so that frames stay small enough to interleave.
pub const RUN_BYTES_TARGET: usize = 48 * 1024;
/// Entries in one run.
pub const RUN_ENTRIES_MAX: usize = 1_000;
/// One Automerge change, uncompressed.
pub const CHANGE_BYTES_MAX: usize = 32 * 1024;
/// Operations of one Automerge change, summed from its run lengths before Automerge sees it.
pub const CHANGE_OPS_MAX: u64 = 65_536;
/// A payload after decompression.
pub const PLAINTEXT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Decompressed bytes per compressed byte.
pub const COMPRESSION_RATIO_MAX: usize = 20;
/// Depth of objects in a document and of CBOR in a frame.
pub const NESTING_MAX: usize = 32;
/// Graphemes of a display name.
pub const NAME_GRAPHEMES_MAX: usize = 64;
/// Members of a space.
pub const MEMBERS_MAX: usize = 200;
/// Active devices of a person.
pub const DEVICES_ACTIVE_MAX: usize = 8;
/// Incarnations of a device in a space.
pub const INCARNATIONS_MAX: usize = 16;
/// Actors that one incarnation may use for one document.
pub const ACTORS_MAX: u8 = 8;
/// Continuations of a forked log that are kept: the one applied and fifteen others.
pub const CONTINUATIONS_MAX: usize = 16;
/// Membership heads that a data entry names.
pub const HEADS_MAX: usize = 8;
/// Parents of a membership entry.
pub const PARENTS_MAX: usize = 64;
/// Logs that one removal, suspension, loss, demotion or leave names a cut-off for.
pub const CUT_OFFS_MAX: usize = 4_096;
/// Data entries that one `admit` names.
pub const ADMITTED_MAX: usize = 4_096;
/// Membership entries of one device that a replica takes: forks and incarnations together.
pub const MEMBERSHIP_ENTRIES_PER_DEVICE_MAX: usize = 1_024;
/// Membership bytes of one device that a replica takes.
pub const MEMBERSHIP_BYTES_PER_DEVICE_MAX: usize = 8 * 1024 * 1024;
/// Membership bytes that a relay verifies for a peer that it does not know.
pub const STRANGER_BYTES_MAX: usize = 1024 * 1024;
/// Signatures a minute that a relay verifies for a peer that it does not know.
pub const STRANGER_SIGNATURES_PER_MINUTE_MAX: u32 = 1_000;
/// Bytes of entries that a replica takes from a device that was put out of a space, in all and for ever.
pub const HANDED_BYTES_MAX: u64 = 1024 * 1024;
/// Entries that wait on one connection for what they build on; never acknowledged.
pub const STASH_BYTES_MAX: usize = 1024 * 1024;
/// Cursors that a Hello carries for every shared space; beyond, only those that moved.
pub const HELLO_CURSORS_MAX: usize = 32;
/// Rows of a vector in one frame.
pub const VECTOR_ROWS_MAX: usize = 16 * 1024;
/// Spaces in one digest frame.
pub const DIGEST_ROWS_MAX: usize = 16 * 1024;
/// (log, number) pairs in one `want`.
pub const WANT_ROWS_MAX: usize = 256;
/// A receipt as signed.
pub const RECEIPT_BYTES_MAX: usize = 32 * 1024;
/// Parked or erased entries that a receipt names.
pub const RECEIPT_IDS_MAX: usize = 256;
/// Receipts of one device and space that a replica takes a day.
pub const RECEIPTS_PER_DAY_MAX: u32 = 24;
/// Entries that one frame carries for somebody else.
pub const CARRY_ENTRIES_MAX: usize = 256;
/// What a frame of them aims at, in bytes; one entry may be longer.
pub const CARRY_BYTES_MAX: usize = 256 * 1024;
/// A bundle outside a store.
pub const BUNDLE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Spaces in a bundle.
pub const BUNDLE_PARCELS_MAX: usize = 1_024;
/// Replicas that a parcel is for.
pub const PARCEL_SLOTS_MAX: usize = 1_024;
/// The body of a record of a bundle in a file: a page with a membership entry of the largest size fits.
pub const RECORD_BYTES_MAX: usize = FRAME_BYTES_MAX + 16 * 1024;
/// Where a page of such a bundle is closed: damage costs what it hits, and a flash memory loses four KiB at a time.
pub const BUNDLE_PAGE_BYTES_TARGET: usize = 4 * 1024;
/// Frames of such a page.
pub const PAGE_FRAMES_MAX: usize = 256;
/// Messages in a relay mailbox.
pub const MAILBOX_MESSAGES_MAX: usize = 8;
/// A message in a relay mailbox.
pub const MAILBOX_MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// How long a relay keeps a mailbox.
pub const MAILBOX_DAYS_MAX: u32 = 30;
/// A `watching` notice as sealed.
pub const WATCHING_BYTES_MAX: usize = 256;
/// How long a `watching` notice holds.
pub const WATCHING_MILLIS: u64 = 60_000;
/// The least time between two `watching` notices on a connection.
pub const WATCHING_EVERY_MILLIS: u64 = 30_000;
/// How long a connection may take to say Hello.
pub const HANDSHAKE_MILLIS: u64 = 10_000;
/// How long a stream may stand still while something is expected on it.
pub const PROGRESS_MILLIS: u64 = 30_000;
/// Silence after which a connection is closed.
pub const IDLE_MILLIS: u64 = 120_000;
/// Keep-alive in the foreground.
pub const KEEP_ALIVE_MILLIS: u64 = 25_000;
/// What a draft may hold before it is sealed.
pub const DRAFT_BYTES_MAX: usize = 32 * 1024;
/// Idle time after which a draft is sealed.
pub const DRAFT_IDLE_MILLIS: u64 = 30_000;
/// Bytes of a space at a relay (default quota).
pub const SPACE_BYTES_QUOTA: u64 = 256 * 1024 * 1024;
/// Spaces that one admission token may create.
pub const SPACES_PER_TOKEN_MAX: u32 = 5_000;
/// Entries a day and log that a relay takes (default quota).
pub const ENTRIES_PER_DAY_QUOTA: u32 = 10_000;
