//! Masters renew their certificates one after the other.

use std::time::Duration;

use http::StatusCode;
use magnum::*;

use crate::support::certificate::Wanted;
use crate::support::node::Node;
use crate::support::scene::Scene;
use crate::{GUIDES, scene_with, two_and_two};

const DAY: Duration = Duration::from_secs(86_400);

async fn with_certificates_of_90_days() -> (Scene, Vec<Node>) {
    let mut settings = Settings::default();
    settings.certificate_validity = 90 * DAY;
    settings.node_token_validity = 1000 * DAY;
    let scene = scene_with(settings).await;
    let nodes = two_and_two(&scene, GUIDES).await;
    (scene, nodes)
}

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

async fn takes(scene: &Scene, node: &Node, version: &str) {
    let (status, why) = node.ask(scene, "PUT", "certificates", version).await;
    assert_eq!(status, StatusCode::OK, "{why}");
}

#[tokio::test(start_paused = true)]
async fn the_second_master_waits_for_the_first_but_not_for_ever() {
    let (scene, nodes) = with_certificates_of_90_days().await;
    let [first, second, worker, other] = nodes.as_slice() else {
        panic!("{nodes:?}");
    };
    for node in &nodes {
        assert_eq!(told(&scene, node).await, "0");
    }
    scene.clock.sleep(61 * DAY).await;
    assert_eq!(told(&scene, second).await, "0 wait");
    assert_eq!(told(&scene, first).await, "0 renew");
    for node in [worker, other] {
        assert_eq!(told(&scene, node).await, "0 renew", "nodes need not wait");
    }
    renew(&scene, first).await;
    assert_eq!(told(&scene, first).await, "0");
    assert_eq!(
        told(&scene, second).await,
        "0 wait",
        "it has them, and does not run with them yet"
    );
    takes(&scene, first, "0").await;
    assert_eq!(told(&scene, second).await, "0 renew");
    renew(&scene, second).await;
    takes(&scene, second, "0").await;
    assert_eq!(told(&scene, second).await, "0");

    // The first one does not answer any more.
    scene.clock.sleep(61 * DAY).await;
    assert_eq!(told(&scene, second).await, "0 wait");
    scene.clock.sleep(16 * DAY).await;
    assert_eq!(told(&scene, second).await, "0 renew");
}

/// The same for what is to be trusted; and no master waits that has nothing yet, or whose certificates are about to end.
#[tokio::test(start_paused = true)]
async fn a_new_version_is_taken_in_turn() {
    let (scene, nodes) = with_certificates_of_90_days().await;
    let [first, second, worker, _] = nodes.as_slice() else {
        panic!("{nodes:?}");
    };
    // Nobody answers, so that it ends, and stays where it is.
    scene.magnum.ca_rotate(&scene.cx, first.cluster).await.unwrap();
    scene.settle().await;
    for (node, version) in [
        (second, "1 wait"),
        (first, "1"),
        (worker, "1"),
        (second, "1 wait"),
    ] {
        assert_eq!(told(&scene, node).await, version, "{}", node.name);
    }
    let note = format!("taken/master/{}", second.member);
    let forget = Commit::new().write(Write::DeleteCertificateNote(second.cluster, note));
    scene.store.commit(forget).await.unwrap();
    assert_eq!(told(&scene, second).await, "1", "it boots for the first time");
    takes(&scene, second, "0").await;
    assert_eq!(told(&scene, second).await, "1 wait");
    scene.clock.sleep(77 * DAY).await;
    assert_eq!(told(&scene, second).await, "1 renew", "not for ever");
    takes(&scene, first, "1").await;
    takes(&scene, second, "1").await;
}
