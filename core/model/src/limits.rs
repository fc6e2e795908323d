//! Limits of the domain, each with its unit in its name. Those of the protocol are in `alliance_wire::limits`.

/// Unicode scalar values of one section, clause or action text.
pub const TEXT_SCALARS_MAX: usize = 50_000;
/// UTF-8 bytes that one command inserts: with its columns it fits in one change of 32 KiB.
pub const INSERT_BYTES_MAX: usize = 8 * 1024;
/// Unicode scalar values of a title.
pub const TITLE_SCALARS_MAX: usize = 200;
/// Unicode scalar values of a term that is free text, and of an action's owner.
pub const TERM_SCALARS_MAX: usize = 500;
/// Clauses that a command may make an agreement grow to.
pub const CLAUSES_MAX: usize = 300;
/// Actions that a command may make a note grow to.
pub const ACTIONS_MAX: usize = 300;
/// Items that a command may make an agenda grow to.
pub const AGENDA_MAX: usize = 100;
/// Entries that a command may make a preparation log grow to.
pub const PREPARED_MAX: usize = 1_000;
/// The lowest priority; 1 is the highest.
pub(crate) const PRIORITY_MAX: u16 = 9;
/// People of whom a session says something.
pub const PARTICIPANTS_MAX: usize = 64;
/// Whom a session is about.
pub const STAKEHOLDERS_MAX: usize = 64;
/// Other sessions of which a session says whether they are the same.
pub const ALIASES_MAX: usize = 64;
/// Log entries that one command cites or lifts.
pub const CITES_MAX: usize = 64;
/// Parties of a text that is signed together.
pub const PARTIES_MAX: usize = 32;
/// Versions that an agreement may have.
pub const VERSIONS_MAX: usize = 200;
/// Texts of a note that people may have confirmed.
pub const CONFIRMED_MAX: usize = 200;
/// Addenda of a note; each is as long as one command inserts.
pub const ADDENDA_MAX: usize = 300;
/// Options and codes that a decision lists.
pub const LISTED_MAX: usize = 64;
/// Ethics checks of a decision; each is as long as one command inserts.
pub const CHECKS_MAX: usize = 32;
/// Texts of a decision that people may have sealed.
pub const SEALS_MAX: usize = 64;
/// Items that a command may make a list of a form grow to.
pub const FORM_ITEMS_MAX: usize = 1_000;
/// Entries that a command may make a log of a form grow to.
pub const FORM_SAID_MAX: usize = 1_000;
/// Values in a set.
pub const SET_MAX: usize = 64;
/// Signed files that a charter keeps.
pub const FORM_FILES_MAX: usize = 100;
/// Bytes of a piece of such a file.
pub const FILE_PIECE_BYTES_MAX: usize = 8 * 1024;
/// Pieces of such a file.
pub const FILE_PIECES_MAX: usize = 64;
/// Bytes of a signed text that stands alone.
pub const SIGNED_BYTES_MAX: usize = FILE_PIECE_BYTES_MAX * FILE_PIECES_MAX;
/// Exports that the log of a space holds.
pub const EXPORTS_MAX: usize = 10_000;
/// Sealed decisions that one goes on from.
pub const PREVIOUS_MAX: usize = 64;
/// Changes that name a state of a document.
pub const HEADS_MAX: usize = 64;
/// Bytes of a language's tag (BCP 47, section 4.4.1).
pub const LANGUAGE_BYTES_MAX: usize = 35;
/// Unicode scalar values of a remark on a clause.
pub const REMARK_SCALARS_MAX: usize = 2_000;
/// Remarks on a clause, and people who said that they understood it.
pub const REMARKS_MAX: usize = 500;
/// The weight of a function in a session, in percent.
pub const WEIGHT_MAX: u8 = 100;
/// Bytes of one encoded command.
pub const COMMAND_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a policy pack, and of its canonical text.
pub const PACK_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a signed pack: the text inside a JSON string is at most twice as long.
pub const SIGNED_PACK_BYTES_MAX: usize = 2 * PACK_BYTES_MAX + 8 * 1024;
/// Values of a pack, those within lists and objects counted, too: what it takes in memory is bounded by it.
pub const PACK_VALUES_MAX: usize = 16_384;
/// Lists and objects of a pack inside each other.
pub const PACK_DEPTH_MAX: usize = 32;
/// The largest whole number of a pack, and the smallest without its sign: every reader of JSON reads it (RFC 7493).
pub const PACK_NUMBER_MAX: u64 = (1 << 53) - 1;
/// Records of meeting kinds in a pack.
pub const PACK_KINDS_MAX: usize = 64;
/// Templates of a pack.
pub const PACK_TEMPLATES_MAX: usize = 64;
/// Texts of a pack.
pub const PACK_TEXTS_MAX: usize = 256;
/// Lines of a text of a pack.
pub const PACK_LINES_MAX: usize = 64;
/// Function schemes of a pack.
pub const PACK_SCHEMES_MAX: usize = 32;
/// Words of one list of a pack.
pub const PACK_WORDS_MAX: usize = 64;
/// Bytes of a word of a pack.
pub const PACK_WORD_BYTES_MAX: usize = 64;
/// Fields that closing a session asks for at most (DOMAIN 2.6 row 20).
pub const CLOSE_FIELDS_MAX: usize = 3;
