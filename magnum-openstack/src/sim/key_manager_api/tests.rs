//! Barbican's rules, over HTTP.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::super::cloud::SimCloud;
use super::super::probe::{Probe, builder};

fn path(cloud: &SimCloud, reference: &serde_json::Value) -> String {
    reference
        .as_str()
        .unwrap()
        .strip_prefix(&cloud.base_url())
        .unwrap()
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn secrets_go_round_and_stay_in_their_project() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let other = Probe::log_in(&cloud, "demo2").await;
    let text = json!({"name": "a", "payload": "hello", "payload_content_type": "text/plain"});
    let (status, body) = demo.post("/key-manager/v1/secrets", text).await;
    assert_eq!(status, 201);
    let secret = path(&cloud, &body["secret_ref"]);
    let payload = demo
        .send(http::Method::GET, &format!("{secret}/payload"), None)
        .await
        .unwrap();
    assert_eq!(
        (payload.body().as_ref(), &payload.headers()["content-type"]),
        (&b"hello"[..], &"text/plain".parse().unwrap())
    );
    assert_eq!(other.get(&secret).await.0, 403);
    assert_eq!(other.delete(&secret).await.0, 403);

    let bytes = json!({
        "payload": BASE64_STANDARD.encode([0u8, 255]),
        "payload_content_type": "application/octet-stream",
        "payload_content_encoding": "base64",
    });
    let (_, body) = demo.post("/key-manager/v1/secrets", bytes).await;
    let binary = path(&cloud, &body["secret_ref"]);
    let payload = demo
        .send(http::Method::GET, &format!("{binary}/payload"), None)
        .await
        .unwrap();
    assert_eq!(payload.body().as_ref(), [0u8, 255]);
    assert_eq!(demo.delete(&binary).await.0, 204);
    let (_, found) = demo.get("/key-manager/v1/secrets?name=a").await;
    assert_eq!(
        (&found["total"], &found["secrets"][0]["secret_type"]),
        (&json!(1), &json!("opaque"))
    );
    assert_eq!(demo.delete(&secret).await.0, 204);
    assert_eq!(demo.get(&secret).await.0, 404);
    assert_eq!(demo.delete(&secret).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_container_names_secrets_and_leaves_them_behind() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let text = json!({"payload": "pem", "payload_content_type": "text/plain"});
    let (_, body) = demo.post("/key-manager/v1/secrets", text).await;
    let secret = body["secret_ref"].clone();
    let wrong = json!({"type": "certificate", "secret_refs": [{"name": "x", "secret_ref": secret}]});
    assert_eq!(demo.post("/key-manager/v1/containers", wrong).await.0, 400);
    let right = json!({
        "type": "certificate", "name": "c", "secret_refs": [{"name": "certificate", "secret_ref": secret}],
    });
    let (status, body) = demo.post("/key-manager/v1/containers", right).await;
    assert_eq!(status, 201);
    let container = path(&cloud, &body["container_ref"]);
    let (_, body) = demo.get(&container).await;
    assert_eq!(body["secret_refs"][0]["secret_ref"], secret);
    let (_, found) = demo.get("/key-manager/v1/containers?name=c").await;
    assert_eq!(found["total"], 1);
    assert_eq!(demo.delete(&container).await.0, 204);
    assert_eq!(demo.get(&path(&cloud, &secret)).await.0, 200);
    assert_eq!(cloud.leftovers(&demo.project).total(), 1);
}

#[tokio::test(start_paused = true)]
async fn storing_needs_the_role_creator_and_a_media_type() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    assert_eq!(
        demo.post("/key-manager/v1/secrets", json!({"payload": "x"}))
            .await
            .0,
        400
    );
    cloud.revoke_role(&demo.user, &demo.project, "creator");
    let text = json!({"payload": "x", "payload_content_type": "text/plain"});
    assert_eq!(demo.post("/key-manager/v1/secrets", text).await.0, 403);
}
