//! The guide's Kubernetes example on the simulated cloud: three masters, eight nodes, scale to two, delete.
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
use support::kubernetes::{guides_template, without_quotas};
use support::scene::Scene;

#[tokio::test(start_paused = true)]
async fn the_guides_example() {
    let scene = Scene::new(1).await;
    without_quotas(&scene);
    let template = scene
        .magnum
        .create_template(&scene.cx, guides_template())
        .await
        .unwrap();
    let spec = ClusterSpec::new(template.id.to_string())
        .with_name("k8s-cluster")
        .with_master_count(3)
        .with_node_count(8);
    let accepted = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let made = scene.cluster(accepted.id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?} {:?}",
        made.status_reason,
        made.fault
    );
    assert_eq!(made.master_addresses().len(), 3);
    assert_eq!(made.node_addresses().len(), 8);
    let address = made.api_address.clone().unwrap();
    assert!(
        address.starts_with("https://172.") && address.ends_with(":6443"),
        "{address}"
    );
    assert_eq!(made.coe_version.as_deref(), Some("v1.15.7"));
    assert_eq!(made.container_version.as_deref(), Some("simulated"));

    scene
        .magnum
        .scale_cluster(&scene.cx, made.id, 2, UpdateOptions::default())
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
    assert_eq!(shrunk.node_addresses(), made.node_addresses()[..2]);
    assert_eq!(shrunk.master_addresses(), made.master_addresses());

    scene.delete(made.id).await;
    assert_eq!(scene.cluster(made.id).await, None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}
