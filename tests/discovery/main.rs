//! Discovery: URLs that users give are checked before anything is made, and those that the host has made are recorded.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod accepted;
mod checked;
mod elsewhere;
mod host;
mod own;
#[path = "../support/mod.rs"]
mod support;

use magnum::*;
use support::kubernetes::{guides_template, without_quotas};
use support::scene::Scene;

/// A cluster of so many masters, accepted or not.
async fn accept(scene: &Scene, masters: u32, url: Option<&str>) -> Result<Cluster> {
    if scene
        .magnum
        .list_templates(&scene.cx, ListOptions::default())
        .await?
        .items
        .is_empty()
    {
        without_quotas(scene);
        scene.magnum.create_template(&scene.cx, guides_template()).await?;
    }
    let spec = ClusterSpec {
        discovery_url: url.map(str::to_owned),
        ..ClusterSpec::new("k8s-cluster-template").with_master_count(masters)
    };
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
}

/// The same, driven to its end.
async fn made(scene: &Scene, masters: u32, url: Option<&str>) -> Cluster {
    let accepted = accept(scene, masters, url).await.unwrap();
    scene.settle().await;
    scene.cluster(accepted.id).await.unwrap()
}

/// The create has failed, once and for all, before anything was made.
async fn failed(scene: &Scene, cluster: &Cluster) -> Fault {
    assert_eq!(cluster.status, ClusterStatus::CREATE_FAILED);
    let fault = cluster.fault.clone().unwrap();
    assert_eq!(cluster.status_reason, Some(fault.to_string()));
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
    assert_eq!(scene.store.ledger(cluster.id).await.unwrap(), []);
    fault
}
