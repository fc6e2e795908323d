//! The facade that every app uses.
