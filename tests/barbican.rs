//! Clusters whose certificates are kept by Barbican.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use magnum::certs::{ClientRequest, EcKeys};
use magnum::*;
use support::scene::Scene;

/// Names of the containers that Barbican holds, in order.
fn containers(scene: &Scene) -> Vec<String> {
    let mut names = scene.leftovers().containers;
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn a_cluster_lives_with_its_certificates_in_barbican() {
    let scene = Scene::of_barbican(1, Settings::default()).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let made = scene.cluster(id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        made.status_reason
    );
    let expected = [format!("magnum-{id}-ca"), format!("magnum-{id}-client")];
    assert_eq!(containers(&scene), expected);
    assert_eq!(scene.leftovers().secrets.len(), 4, "{}", scene.leftovers());
    for (kept, name) in [(&made.ca_cert, &expected[0]), (&made.magnum_cert, &expected[1])] {
        assert_eq!(kept.as_ref().unwrap().backend, "barbican");
        assert_eq!(
            scene.store.key_pairs(name).await.unwrap(),
            [],
            "a key is in the store as well"
        );
    }

    let ca = scene.magnum.ca_show(&scene.cx, id).await.unwrap();
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"));
    let request = ClientRequest::generate("alice", &[], &EcKeys).await.unwrap();
    let signed = scene.magnum.ca_sign(&scene.cx, id, &request.csr).await.unwrap();
    assert!(signed.starts_with("-----BEGIN CERTIFICATE-----"));

    // Nodes that come later get their certificates from the same authority.
    for nodes in [2, 1] {
        let options = UpdateOptions::default();
        scene
            .magnum
            .scale_cluster(&scene.cx, id, nodes, options)
            .await
            .unwrap();
        scene.settle().await;
        let scaled = scene.cluster(id).await.unwrap();
        assert_eq!(
            scaled.status,
            ClusterStatus::UPDATE_COMPLETE,
            "{:?}",
            scaled.status_reason
        );
    }
    assert_eq!(containers(&scene), expected);
    scene.delete(id).await;
    assert_eq!(scene.cluster(id).await, None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn a_barbican_that_refuses_fails_the_create_and_nothing_is_left() {
    let scene = Scene::of_barbican(1, Settings::default()).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.refuse(Some(http::Method::POST), "/key-manager/v1/containers", 403);
    scene.settle().await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::CREATE_FAILED);
    let reason = failed.status_reason.unwrap();
    assert!(reason.contains("Barbican"), "{reason}");
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
    assert_eq!(scene.store.ledger(id).await.unwrap(), []);
    scene.delete(id).await;
    assert_eq!(scene.cluster(id).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_delete_ends_once_barbican_lets_it() {
    let scene = Scene::of_barbican(1, Settings::default()).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    scene.refuse(Some(http::Method::DELETE), "/key-manager/v1/secrets", 403);
    scene.delete(id).await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::DELETE_FAILED);
    let reason = failed.status_reason.unwrap();
    assert!(reason.contains("Barbican"), "{reason}");
    assert_eq!(containers(&scene).len(), 2);
    scene.cloud.clear_faults();
    scene.delete(id).await;
    assert_eq!(scene.cluster(id).await, None);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}
