//! What the node endpoint gives to the servers of a Kubernetes cluster: exactly what the driver's policy promises.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod cloud;
mod granted;
mod life;
mod refused;
#[path = "../support/mod.rs"]
mod support;
mod turns;

use magnum::*;
use support::kubernetes::{guides_template, without_quotas};
use support::node::{Node, nodes};
use support::scene::Scene;

const GUIDES: &str = "k8s-cluster-template";
const PRIVATE: &str = "private";

/// A cloud with the guide's template, and one without load balancer and floating IPs.
async fn scene() -> Scene {
    scene_with(Settings::default()).await
}

async fn scene_with(settings: Settings) -> Scene {
    let scene = Scene::with(1, settings).await;
    without_quotas(&scene);
    let private = TemplateSpec {
        master_lb_enabled: Some(false),
        floating_ip_enabled: Some(false),
        ..guides_template().with_name(PRIVATE)
    };
    for template in [guides_template(), private] {
        scene.magnum.create_template(&scene.cx, template).await.unwrap();
    }
    scene
}

async fn accept(scene: &Scene, template: &str, name: &str, masters: u32, minions: u32) -> ClusterId {
    let spec = ClusterSpec::new(template)
        .with_name(name)
        .with_master_count(masters)
        .with_node_count(minions);
    let made = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await;
    made.unwrap().id
}

async fn complete(scene: &Scene, ids: &[ClusterId]) {
    scene.settle().await;
    for id in ids {
        let cluster = scene.cluster(*id).await.unwrap();
        let why = &cluster.status_reason;
        assert_eq!(cluster.status, ClusterStatus::CREATE_COMPLETE, "{why:?}");
    }
}

/// The servers of a cluster of two masters and two nodes.
async fn two_and_two(scene: &Scene, template: &str) -> Vec<Node> {
    let id = accept(scene, template, "k8s-cluster", 2, 2).await;
    complete(scene, &[id]).await;
    nodes(scene, id)
}
