//! What every implementation of [`Replica`] must do, as named checks that each run on an empty replica.
//!
//! A test calls [`run`] with a function that makes an empty replica; it panics at the first check that fails. Nothing
//! here is for programs: it is public because a replica in another crate runs the same checks.

mod chains;
mod exchange;
mod forks;
mod samples;

use crate::replica::Replica;

pub use samples::{Author, batch, found_space, space};

macro_rules! checks {
    ($make:ident, $ran:ident, $($module:ident :: $check:ident),* $(,)?) => {
        $(
            let replica = $make().await;
            $module::$check(&replica).await;
            $ran.push(concat!(stringify!($module), "::", stringify!($check)));
        )*
    };
}

/// Runs every check on a replica of its own and answers their names.
///
/// # Panics
/// When a check fails.
pub async fn run<R: Replica>(make: impl AsyncFn() -> R) -> Vec<&'static str> {
    let mut ran = Vec::new();
    checks!(
        make,
        ran,
        chains::empty_replica_knows_nothing,
        chains::entries_come_back_in_order,
        chains::same_entry_is_a_duplicate,
        chains::gap_is_not_stored,
        chains::arrival_numbers_are_per_space,
        chains::dropped_payload_is_filled_later,
        chains::only_the_right_payload_is_taken,
        chains::pages_are_bounded,
        chains::membership_comes_alone,
        chains::fetch_stops_at_its_bound,
        chains::forgotten_space_keeps_its_numbers,
        forks::second_entry_of_a_number_forks,
        forks::path_alone_makes_no_fork,
        forks::proof_ends_the_log,
        forks::false_proof_is_refused,
        forks::earlier_fork_renames_what_lies_behind,
        forks::logs_follow_from_the_set,
        forks::data_logs_keep_few_continuations,
        exchange::receipts_replace_each_other,
        exchange::replaced_receipt_still_matches,
        exchange::cursors_go_with_items,
        exchange::cursors_wait_for_what_has_a_gap,
        exchange::cursors_do_not_go_back,
        exchange::what_others_wrote_is_told_apart,
        exchange::new_instance_ends_old_cursors,
        exchange::roster_says_who_shares,
        exchange::roster_waits_for_its_entries,
        exchange::absent_holds_until_membership_changes,
        exchange::tokens_are_counted,
    );
    ran
}
