//! What every implementation of [`Replica`] must do, as checks that each run on an empty replica.
//!
//! A test calls [`run`] with a function that makes an empty replica. A check that fails panics with its name: this
//! module is called by tests only.
