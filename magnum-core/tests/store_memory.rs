//! The store in memory keeps the rules of stores, under a real clock and under a paused one.
#![cfg(feature = "testing")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use magnum_core::testing::store::{conformance, pages_are_stable, stores_agree};
use magnum_core::{AnchoredClock, MemoryStore, Store, SystemClock};
use proptest::prelude::*;

#[tokio::test(start_paused = true)]
async fn memory_store_keeps_the_rules_on_a_paused_clock() {
    let clock = AnchoredClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
    let make = async || Arc::new(MemoryStore::new(Arc::new(clock))) as Arc<dyn Store>;
    conformance(make, tokio::time::sleep).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_store_keeps_the_rules_among_threads() {
    let shared = MemoryStore::new(Arc::new(SystemClock));
    let make = async || Arc::new(shared.clone()) as Arc<dyn Store>;
    conformance(make, tokio::time::sleep).await;
}

#[tokio::test]
async fn a_clone_is_another_handle_on_the_same_store() {
    let store = MemoryStore::new(Arc::new(SystemClock));
    let blob = magnum_core::Write::PutBlob {
        hash: "hash".to_owned(),
        text: "text".to_owned(),
    };
    store
        .commit(magnum_core::Commit::new().write(blob))
        .await
        .unwrap();
    assert_eq!(store.clone().blob("hash").await.unwrap().as_deref(), Some("text"));
    assert!(format!("{store:?}").starts_with("MemoryStore"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The comparison itself must be repeatable: two stores in memory never disagree.
    #[test]
    fn memory_stores_agree(choices in prop::collection::vec(any::<u64>(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let store = || Arc::new(MemoryStore::new(Arc::new(SystemClock)));
            tokio::time::timeout(Duration::from_secs(60), stores_agree(store(), store(), &choices))
                .await
                .unwrap();
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_the_store_in_memory_are_stable(choice in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        runtime.block_on(pages_are_stable(store, &[choice]));
    }
}
