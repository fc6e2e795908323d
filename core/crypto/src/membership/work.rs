//! What the evaluation costs, counted in tests: a look at a member of a set is one step, a whole set one for each word.
//!
//! Seconds depend on the machine, and a bound on them would be wide enough to hide another power of the number of
//! entries; steps are the same everywhere.

/// Says that so many words were touched. Programs count nothing.
#[cfg(not(test))]
pub(super) const fn step(_words: usize) {}

#[cfg(test)]
pub(super) use counter::step;

#[cfg(test)]
mod counter {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<u64> = const { Cell::new(0) };
    }

    pub(in crate::membership) fn step(words: usize) {
        STEPS.with(|steps| steps.set(steps.get() + words as u64));
    }

    /// The steps that the work takes.
    pub(super) fn count<T>(work: impl FnOnce() -> T) -> (u64, T) {
        let before = STEPS.get();
        let done = work();
        (STEPS.get() - before, done)
    }
}

#[cfg(test)]
mod growth;
