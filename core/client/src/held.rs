//! Why an entry is kept and not shown: numbers for the store's rows, stable codes for people.

use alliance_document::gate::{ParkCode, Verdict, Waiting};
use alliance_store::device::{EntryState, Quarantine};

/// Counts releases in which the gate, a schema or what can be opened changed: what this version failed on is tried again
/// by a later one.
pub(crate) const PROGRAM: u32 = 1;

/// Where the program's number begins in the state of what waits for a newer one.
const PROGRAM_SHIFT: u32 = 8;

/// What waits for a newer program than this one: that this one cannot open it is known.
pub(crate) const TRIED_IN_VAIN: u32 = Wait::Newer.number();

/// Park codes of the gate begin here, in the order of [`ParkCode::ALL`], which only grows at its end.
const GATE_CODES: u32 = 100;

/// What an entry waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The epoch's key.
    Key = 1,
    /// Membership entries that its author had seen.
    Heads = 2,
    /// Its payload.
    Payload = 3,
    /// A change that it builds on.
    Change = 4,
    /// An earlier change of its log that waits or is parked.
    Behind = 5,
    /// A newer version of the program.
    Newer = 6,
    /// The process died while it was tried alone: it is tried once more.
    Interrupted = 7,
    /// The same happened again: it is tried a last time.
    InterruptedTwice = 8,
}

impl Wait {
    const ALL: [Self; 8] = [
        Self::Key,
        Self::Heads,
        Self::Payload,
        Self::Change,
        Self::Behind,
        Self::Newer,
        Self::Interrupted,
        Self::InterruptedTwice,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::Key => "WAITING_FOR_KEYS",
            Self::Heads => "WAITING_FOR_MEMBERSHIP",
            Self::Payload => "PAYLOAD_MISSING",
            Self::Change => "WAITING_FOR_CHANGE",
            Self::Behind => "BEHIND_PARKED",
            Self::Newer => "SCHEMA_NEWER",
            Self::Interrupted | Self::InterruptedTwice => "TRIAL_INTERRUPTED",
        }
    }

    /// Of what waits for a newer program the state says which one tried it, so that it is read again by the next one and
    /// not with everything that arrives: somebody whose program is old may get much of it.
    const fn number(self) -> u32 {
        let tried_by = if matches!(self, Self::Newer) { PROGRAM } else { 0 };
        self as u32 | (tried_by << PROGRAM_SHIFT)
    }

    pub(crate) const fn state(self) -> EntryState {
        EntryState::Waiting(self.number())
    }
}

/// Why an entry is never shown, beyond what the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Never {
    /// Its author was no writer at the membership heads that it names.
    NotWriter = 1,
    /// Its payload does not open under the key of its epoch.
    Seal = 2,
    /// What is inside is not what it should be.
    Malformed = 3,
    /// It names a document of another kind.
    Kind = 4,
    /// It brings what somebody prepares into a space with others in it (DOMAIN 2.6 row 6).
    Private = 5,
}

impl Never {
    const ALL: [Self; 5] = [Self::NotWriter, Self::Seal, Self::Malformed, Self::Kind, Self::Private];

    const fn code(self) -> &'static str {
        match self {
            Self::NotWriter => "NOT_MEMBER",
            Self::Seal => "BAD_SEAL",
            Self::Malformed => "MALFORMED",
            Self::Kind => "WRONG_KIND",
            Self::Private => "PRIVATE",
        }
    }

    pub(crate) const fn state(self) -> EntryState {
        EntryState::ParkedForGood(self as u32)
    }
}

/// What becomes of an entry in whose trial the process died, after what was known of it before; a process is also killed
/// at a moment when nothing is wrong with the entry. `None`: it is held until an update.
pub(crate) fn after_death(before: Option<EntryState>) -> Option<Wait> {
    match before {
        Some(state) if state == Wait::InterruptedTwice.state() => None,
        Some(state) if state == Wait::Interrupted.state() => Some(Wait::InterruptedTwice),
        _ => Some(Wait::Interrupted),
    }
}

/// The state that a verdict of the gate gives an entry.
pub(crate) fn state_of(verdict: Verdict) -> EntryState {
    match verdict {
        Verdict::Admitted => EntryState::Applied,
        Verdict::ParkedForGood(code) => {
            let index = ParkCode::ALL.iter().position(|known| *known == code).unwrap_or(0);
            EntryState::ParkedForGood(GATE_CODES + u32::try_from(index).unwrap_or(0))
        }
        Verdict::ParkedUntilUpdate(_) => EntryState::ParkedUntil(PROGRAM + 1),
        Verdict::Waiting(Waiting::Missing) => Wait::Change.state(),
        Verdict::Waiting(Waiting::Behind) => Wait::Behind.state(),
        Verdict::Waiting(Waiting::SchemaNewer) => Wait::Newer.state(),
    }
}

/// The gate's code behind a state, if it was the gate that parked the entry for good.
pub(crate) fn park_code(state: EntryState) -> Option<ParkCode> {
    let EntryState::ParkedForGood(number) = state else { return None };
    ParkCode::ALL.get(usize::try_from(number.checked_sub(GATE_CODES)?).ok()?).copied()
}

/// The stable code of a state; absent for what is shown.
pub(crate) fn code_of(state: EntryState) -> Option<&'static str> {
    match state {
        EntryState::Applied => None,
        EntryState::ParkedForGood(number) => Some(park_code(state).map_or_else(
            || Never::ALL.iter().find(|never| **never as u32 == number).map_or("MALFORMED", |never| never.code()),
            ParkCode::code,
        )),
        EntryState::ParkedUntil(_) => Some("PARKED_UNTIL_UPDATE"),
        EntryState::Waiting(number) => {
            let number = number & ((1 << PROGRAM_SHIFT) - 1);
            Some(Wait::ALL.iter().find(|wait| **wait as u32 == number).map_or("WAITING", |wait| wait.code()))
        }
        EntryState::Quarantined(Quarantine::Branch) => Some("COPIED_DEVICE"),
        EntryState::Quarantined(Quarantine::CutOff) => Some("AFTER_CUT_OFF"),
    }
}
