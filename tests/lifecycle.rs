//! A cluster's life on the simulated cloud, as a host would drive it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use magnum::*;
use support::scene::Scene;

#[tokio::test(start_paused = true)]
async fn a_cluster_is_made_scaled_and_removed_without_a_trace() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let accepted = scene.accept(1).await;
    assert_eq!(accepted.status, ClusterStatus::CREATE_IN_PROGRESS);
    assert_eq!(
        scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap(),
        accepted
    );

    scene.settle().await;
    let made = scene.cluster(accepted.id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        made.status_reason
    );
    assert_eq!(made.node_addresses().len(), 1);
    let address = &made.node_addresses()[0];
    assert_eq!(
        made.api_address.as_deref(),
        Some(format!("tcp://{address}:2376").as_str())
    );
    assert_eq!(made.progress.done, made.progress.total);
    assert!(made.progress.total > 0);

    let ca = scene.magnum.ca_show(&scene.cx, made.id).await.unwrap();
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"));

    scene
        .magnum
        .scale_cluster(&scene.cx, made.id, 3, UpdateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let grown = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        grown.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        grown.status_reason
    );
    assert_eq!(grown.node_addresses().len(), 3);

    scene
        .magnum
        .scale_cluster(&scene.cx, made.id, 1, UpdateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let shrunk = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        shrunk.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        shrunk.status_reason
    );
    assert_eq!(
        shrunk.node_addresses(),
        made.node_addresses(),
        "the first host stays"
    );

    scene.delete(made.id).await;
    assert_eq!(scene.cluster(made.id).await, None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
    assert!(scene.store.ledger(made.id).await.unwrap().is_empty());

    let told: Vec<String> = scene
        .events
        .events()
        .iter()
        .map(|e| format!("{} {:?} {}", e.operation, e.outcome, e.status))
        .collect();
    assert_eq!(
        told,
        [
            "create Pending CREATE_IN_PROGRESS",
            "create Success CREATE_COMPLETE",
            "scale Pending UPDATE_IN_PROGRESS",
            "scale Success UPDATE_COMPLETE",
            "scale Pending UPDATE_IN_PROGRESS",
            "scale Success UPDATE_COMPLETE",
            "delete Pending DELETE_IN_PROGRESS",
            "delete Success DELETE_COMPLETE",
        ]
    );
}
