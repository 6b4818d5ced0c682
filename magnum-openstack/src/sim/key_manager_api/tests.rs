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

#[tokio::test(start_paused = true)]
async fn names_are_searched_as_patterns_and_stripped() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    for name in ["a_c", " ABC ", "a c", "x"] {
        let text = json!({"name": name, "payload": " pem\n", "payload_content_type": "text/plain"});
        let (_, body) = demo.post("/key-manager/v1/secrets", text).await;
        let secret = path(&cloud, &body["secret_ref"]);
        let payload = demo
            .send(http::Method::GET, &format!("{secret}/payload"), None)
            .await;
        assert_eq!(payload.unwrap().body().as_ref(), b"pem");
        let parts = json!([{"name": "certificate", "secret_ref": body["secret_ref"]}]);
        let container = json!({"name": name, "type": "certificate", "secret_refs": parts});
        assert_eq!(demo.post("/key-manager/v1/containers", container).await.0, 201);
    }
    for (query, secrets, containers) in [
        ("a_c", 3, 3),
        ("abc", 1, 1),
        ("%25", 4, 4),
        ("a%252Bc", 0, 0),
        ("a%2Bc", 1, 0),
        ("", 4, 4),
    ] {
        for (kind, expected) in [("secrets", secrets), ("containers", containers)] {
            let (_, found) = demo.get(&format!("/key-manager/v1/{kind}?name={query}")).await;
            assert_eq!(found["total"], expected, "{kind} {query}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_barbican_would_not_take_is_refused() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let long = "x".repeat(256);
    for (body, status) in [
        (json!({"payload": " ", "payload_content_type": "text/plain"}), 400),
        (
            json!({"payload": "x".repeat(20_001), "payload_content_type": "text/plain"}),
            413,
        ),
        (
            json!({"name": long, "payload": "x", "payload_content_type": "text/plain"}),
            400,
        ),
    ] {
        assert_eq!(demo.post("/key-manager/v1/secrets", body).await.0, status);
    }
    let mut made = Vec::new();
    for payload in ["1", "2"] {
        let body = json!({"payload": payload, "payload_content_type": "text/plain"});
        made.push(demo.post("/key-manager/v1/secrets", body).await.1["secret_ref"].clone());
    }
    let elsewhere = made[0]
        .as_str()
        .unwrap()
        .replace(&cloud.base_url(), "http://elsewhere");
    let part = |name: &str, secret: &serde_json::Value| json!({"name": name, "secret_ref": secret});
    for parts in [
        json!([part("private_key", &made[0])]),
        json!([part("certificate", &json!(elsewhere))]),
        json!([part("certificate", &made[0]), part("certificate", &made[1])]),
        json!([part("certificate", &made[0]), part("private_key", &made[0])]),
    ] {
        let body = json!({"type": "certificate", "secret_refs": parts});
        let (status, said) = demo.post("/key-manager/v1/containers", body).await;
        assert_eq!(status, 400, "{said}");
    }
    let body = json!({"type": "certificate", "name": long, "secret_refs": [part("certificate", &made[0])]});
    assert_eq!(demo.post("/key-manager/v1/containers", body).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn consumers_are_registered_once_and_go_with_their_container() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let body = json!({"type": "generic", "secret_refs": []});
    let (_, made) = demo.post("/key-manager/v1/containers", body).await;
    let container = path(&cloud, &made["container_ref"]);
    let consumer = json!({"name": "Magnum", "URL": "c1"});
    for _ in 0..2 {
        let (status, shown) = demo
            .post(&format!("{container}/consumers"), consumer.clone())
            .await;
        assert_eq!((status, &shown["consumers"]), (200, &json!([consumer])));
    }
    let (_, listed) = demo.get(&format!("{container}/consumers")).await;
    assert_eq!(listed, json!({"consumers": [consumer], "total": 1}));
    assert_eq!(demo.delete(&container).await.0, 204);
    assert_eq!(demo.get(&format!("{container}/consumers")).await.0, 404);
}
