//! Masters renew their certificates one after the other.

use std::time::Duration;

use http::StatusCode;
use magnum::*;

use crate::support::certificate::Wanted;
use crate::support::node::Node;
use crate::support::scene::Scene;
use crate::{GUIDES, scene_with, two_and_two};

async fn told(scene: &Scene, node: &Node) -> String {
    let (status, version) = node.ask(scene, "GET", "certificates", "").await;
    assert_eq!(status, StatusCode::OK, "{version}");
    version.trim_end().to_owned()
}

async fn renew(scene: &Scene, node: &Node) {
    for purpose in ["server", "kubelet", "admin", "etcd"] {
        let (status, why) = node.sign(scene, purpose, &Wanted::default()).await;
        assert_eq!(status, StatusCode::OK, "{purpose}: {why}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_master_waits_for_the_first_but_not_for_ever() {
    let day = Duration::from_secs(86_400);
    let mut settings = Settings::default();
    settings.certificate_validity = 90 * day;
    settings.node_token_validity = 1000 * day;
    let scene = scene_with(settings).await;
    let nodes = two_and_two(&scene, GUIDES).await;
    let [first, second, worker, other] = nodes.as_slice() else {
        panic!("{nodes:?}");
    };
    for node in &nodes {
        assert_eq!(told(&scene, node).await, "0");
    }
    scene.clock.sleep(61 * day).await;
    assert_eq!(told(&scene, second).await, "0 wait");
    assert_eq!(told(&scene, first).await, "0 renew");
    for node in [worker, other] {
        assert_eq!(told(&scene, node).await, "0 renew", "nodes need not wait");
    }
    renew(&scene, first).await;
    assert_eq!(told(&scene, first).await, "0");
    assert_eq!(told(&scene, second).await, "0 renew");
    renew(&scene, second).await;
    assert_eq!(told(&scene, second).await, "0");

    // The first one does not answer any more.
    scene.clock.sleep(61 * day).await;
    assert_eq!(told(&scene, second).await, "0 wait");
    scene.clock.sleep(15 * day).await;
    assert_eq!(told(&scene, second).await, "0 renew");
}
