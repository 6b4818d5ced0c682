//! The node endpoint: a cluster's own servers, and nobody else, get certificates, and only for what they are.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use bytes::Bytes;
use http::{Request, StatusCode};
use magnum::*;
use support::scene::Scene;

async fn ask(scene: &Scene, method: &str, path: &str, credential: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/anywhere{path}"))
        .header("authorization", format!("Bearer {credential}"))
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    let answer = scene.magnum.node_request(request).await;
    (
        answer.status(),
        String::from_utf8(answer.body().to_vec()).unwrap(),
    )
}

/// The credential as a node finds it in its user data.
fn credential(scene: &Scene) -> String {
    let data = scene.cloud.with(|world| {
        world
            .compute
            .servers()
            .find_map(|server| server.user_data.clone())
            .unwrap()
    });
    let line = data
        .lines()
        .find(|line| line.starts_with("node_credential='"))
        .unwrap()
        .to_owned();
    line.trim_start_matches("node_credential='")
        .trim_end_matches('\'')
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn only_a_node_of_the_cluster_is_answered() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let good = credential(&scene);
    let ca = format!("/v1/clusters/{id}/ca");
    assert_eq!(ask(&scene, "GET", &ca, &good, "").await.0, StatusCode::OK);
    for bad in ["", "x", &good[1..], &format!("{good}x")] {
        assert_eq!(
            ask(&scene, "GET", &ca, bad, "").await.0,
            StatusCode::UNAUTHORIZED,
            "{bad}"
        );
    }
    let other = format!("/v1/clusters/{}/ca", uuid::Uuid::nil());
    assert_eq!(
        ask(&scene, "GET", &other, &good, "").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask(&scene, "DELETE", &ca, &good, "").await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        ask(&scene, "GET", "/v1/clusters", &good, "").await.0,
        StatusCode::BAD_REQUEST
    );
    let sign = format!("/v1/clusters/{id}/certificates/server");
    assert_eq!(
        ask(&scene, "POST", &sign, &good, "nonsense").await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        ask(&scene, "POST", &sign, &good, &"x".repeat(70_000)).await.0,
        StatusCode::BAD_REQUEST
    );

    scene
        .magnum
        .delete_cluster(&scene.cx, id, DeleteOptions::default())
        .await
        .unwrap();
    assert_eq!(
        ask(&scene, "GET", &ca, &good, "").await.0,
        StatusCode::FORBIDDEN,
        "revoked at delete"
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_cannot_sign_as_a_server() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let stranger = RequestContext::new("somebody", &scene.cx.project_id);
    let refused = scene.magnum.ca_sign(&stranger, id, "x").await.unwrap_err();
    assert_eq!(
        refused.kind(),
        ErrorKind::Forbidden,
        "certificates are the owner's alone"
    );
    let other = RequestContext::new("somebody", "elsewhere");
    assert_eq!(
        scene.magnum.cluster(&other, id).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
