//! The conformance kit of [`Store`]: one function per rule, and [`conformance`], which runs them all.
//!
//! Every rule works in projects and clouds of its own, so it needs no empty store and rules can share one.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use magnum_core::testing::store::conformance;
//! use magnum_core::{MemoryStore, Store, SystemClock};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let make = async || Arc::new(MemoryStore::new(Arc::new(SystemClock))) as Arc<dyn Store>;
//! conformance(make, tokio::time::sleep).await;
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

mod agreement;
mod choice;
mod commits;
mod fixtures;
mod leases;
mod listed;
mod markers;
mod outbox;
mod pages;
mod quotas;
mod races;
mod rows;
mod stability;
mod text;

use std::sync::Arc;
use std::time::Duration;

pub use agreement::stores_agree;
pub use commits::{
    a_failed_condition_changes_nothing, a_put_needs_the_revision_it_read, a_template_in_use_stays,
    conditions_fail_with_their_own_kind,
};
pub use fixtures::some_clusters;
pub use leases::{
    a_claim_takes_what_it_can_do, a_due_time_set_under_a_lease_survives, a_former_owner_cannot_commit,
    a_held_lease_is_not_claimed, a_lease_is_renewed_by_its_holder, next_due_tells_when_to_come_back,
    the_longest_due_comes_first,
};
pub use markers::markers_outlive_their_rows;
pub use outbox::events_stay_until_acknowledged;
pub use pages::{every_order_is_total, pages_follow_the_order_of_creation, pages_hold_what_was_asked_for};
pub use quotas::{a_quota_is_a_projects_own, statistics_count_all_servers};
pub use races::{
    lowered_quotas_hold_in_races, quotas_hold_in_races, racing_puts_have_one_winner,
    template_deletion_races_with_creation, two_claimers_never_share_a_cluster,
};
pub use rows::{
    a_commit_is_seen_by_the_next_read, a_key_is_sealed_anew_in_its_place, a_registry_goes_with_its_cluster,
    keys_that_are_taken_are_refused, notes_go_with_their_cluster, one_operation_is_active,
    what_a_deleted_cluster_leaves,
};
pub use stability::pages_are_stable;
pub use text::{hostile_text_comes_back, text_comes_back};

use crate::ports::Store;

/// Runs every rule, each on a store from `make`.
///
/// `wait` lets time pass for the store's clock: it really sleeps, or advances a paused clock. The
/// kit waits for a second or two in all.
///
/// # Panics
/// When a rule is broken.
pub async fn conformance<M, W>(make: M, wait: W)
where
    M: AsyncFn() -> Arc<dyn Store>,
    W: AsyncFn(Duration),
{
    a_failed_condition_changes_nothing(make().await).await;
    conditions_fail_with_their_own_kind(make().await).await;
    keys_that_are_taken_are_refused(make().await).await;
    a_put_needs_the_revision_it_read(make().await).await;
    a_commit_is_seen_by_the_next_read(make().await).await;
    one_operation_is_active(make().await).await;
    what_a_deleted_cluster_leaves(make().await).await;
    a_registry_goes_with_its_cluster(make().await).await;
    notes_go_with_their_cluster(make().await).await;
    a_key_is_sealed_anew_in_its_place(make().await).await;
    a_template_in_use_stays(make().await).await;

    a_held_lease_is_not_claimed(make().await, &wait).await;
    a_former_owner_cannot_commit(make().await, &wait).await;
    a_lease_is_renewed_by_its_holder(make().await, &wait).await;
    a_due_time_set_under_a_lease_survives(make().await).await;
    next_due_tells_when_to_come_back(make().await, &wait).await;
    a_claim_takes_what_it_can_do(make().await).await;
    the_longest_due_comes_first(make().await).await;

    events_stay_until_acknowledged(make().await).await;
    pages_follow_the_order_of_creation(make().await).await;
    every_order_is_total(make().await).await;
    pages_hold_what_was_asked_for(make().await).await;
    markers_outlive_their_rows(make().await).await;
    pages_are_stable(make().await, &[1, 7919, u64::MAX]).await;
    a_quota_is_a_projects_own(make().await).await;
    statistics_count_all_servers(make().await).await;
    hostile_text_comes_back(make().await).await;

    two_claimers_never_share_a_cluster(make().await).await;
    racing_puts_have_one_winner(make().await).await;
    quotas_hold_in_races(make().await).await;
    lowered_quotas_hold_in_races(make().await).await;
    template_deletion_races_with_creation(make().await).await;
}
