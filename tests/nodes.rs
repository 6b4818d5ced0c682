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

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, StatusCode};
use magnum::*;
use support::scene::{SEALING_KEY, Scene};

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

/// The credentials as a cluster's nodes find them in their user data, by their members.
fn credentials(scene: &Scene, cluster: ClusterId) -> BTreeMap<String, String> {
    let id = cluster.to_string();
    let data: Vec<String> = scene.cloud.with(|world| {
        let servers = world.compute.servers();
        let own = servers.filter(|server| server.metadata.get("cluster_uuid") == Some(&id));
        own.filter_map(|server| server.user_data.clone()).collect()
    });
    let lines = data.iter().filter_map(|data| {
        data.lines()
            .find_map(|line| line.strip_prefix("node_credential='"))
    });
    let shown = lines.map(|line| line.trim_end_matches('\'').to_owned());
    shown
        .map(|shown| (shown.split('.').next().unwrap().to_owned(), shown))
        .collect()
}

/// What the credentials of a cluster's workers are made of.
async fn secret_of(scene: &Scene, id: ClusterId) -> String {
    let sealer = certs::AesSealer::new(certs::SealingKey::from_bytes(SEALING_KEY).unwrap());
    let cluster = scene.store.cluster(id).await.unwrap().unwrap();
    let mut all = cluster.node_credentials.iter();
    let worker = all.find(|one| one.role == PoolRole::Worker).unwrap();
    let secret = sealer.open(&worker.sealed, &id.to_string()).unwrap();
    secret.expose().to_owned()
}

/// The tokens of a cluster's nodes, by their members.
fn tokens(scene: &Scene) -> Vec<String> {
    let held = scene.guest.nodes().into_values();
    held.map(|held| held.token.unwrap().expose().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn only_a_node_of_the_cluster_is_answered() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let good = tokens(&scene).remove(0);
    let ca = format!("/v1/clusters/{id}/ca");
    assert_eq!(ask(&scene, "GET", &ca, &good, "").await.0, StatusCode::OK);
    for bad in ["", "x", &good[1..], &format!("{good}x")] {
        assert_eq!(
            ask(&scene, "GET", &ca, bad, "").await.0,
            StatusCode::UNAUTHORIZED,
            "{bad}"
        );
    }
    let (status, why) = ask(&scene, "GET", &ca, &credentials(&scene, id)["0"], "").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "no server is being made: {why}");
    assert!(why.contains("its token"), "{why}");
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

/// A credential works while servers are made, for one of them; a token ends.
#[tokio::test(start_paused = true)]
async fn credentials_and_tokens_are_one_nodes() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(2).await.id;
    scene.settle().await;
    let tokens = tokens(&scene);
    let other = scene.accept(1).await.id;
    scene.settle().await;
    assert_ne!(tokens[0], tokens[1]);
    let path = |rest: &str| format!("/v1/clusters/{id}/{rest}");
    let token = path("token");
    let credentials = credentials(&scene, id);
    assert_eq!(credentials.len(), 2);
    let (status, why) = ask(&scene, "POST", &token, &credentials["0"], "").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{why}");

    // While servers are being made, each may introduce itself, and say again which it is.
    scene
        .magnum
        .scale_cluster(&scene.cx, id, 3, UpdateOptions::default())
        .await
        .unwrap();
    for member in ["0", "1"] {
        let (status, why) = ask(&scene, "POST", &token, &credentials[member], "").await;
        assert_eq!(status, StatusCode::OK, "{why}");
    }
    let digest = credentials["0"].strip_prefix("0.").unwrap();
    for shown in [
        digest.to_owned(),
        format!(".{digest}"),
        format!("1.{digest}"),
        format!("00.{digest}"),
        format!("0:{digest}"),
        format!("0/.{digest}"),
        format!("0.{}", digest.to_uppercase()),
        format!("{}.{digest}", "0".repeat(65)),
        node_credential("0/", &Secret::new(secret_of(&scene, id).await))
            .expose()
            .to_owned(),
        node_credential("", &Secret::new(secret_of(&scene, id).await))
            .expose()
            .to_owned(),
        secret_of(&scene, id).await,
        format!("0.{}", secret_of(&scene, id).await),
    ] {
        let (status, why) = ask(&scene, "POST", &token, &shown, "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{shown}: {why}");
    }
    let (_, fresh) = ask(&scene, "POST", &token, &credentials["0"], "").await;
    scene.settle().await;

    let day = std::time::Duration::from_secs(86_400);
    scene.clock.sleep(29 * day).await;
    let (status, newer) = ask(&scene, "POST", &token, &fresh, "").await;
    assert_eq!(status, StatusCode::OK, "{newer}");
    scene.clock.sleep(2 * day).await;
    assert_eq!(
        ask(&scene, "GET", &path("ca"), &fresh, "").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask(&scene, "GET", &path("ca"), &newer, "").await.0,
        StatusCode::OK
    );
    // What says the same, but was not sealed as a token, is none; nor is another cluster's.
    let elsewhere = format!("/v1/clusters/{other}/ca");
    assert_eq!(
        ask(&scene, "GET", &elsewhere, &newer, "").await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_asks_too_often_is_told_to_wait() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let token = tokens(&scene).remove(0);
    scene.clock.sleep(std::time::Duration::from_secs(3600)).await;
    let version = format!("/v1/clusters/{id}/certificates");
    let mut taken = 0;
    let (status, why) = loop {
        let answer = ask(&scene, "GET", &version, &token, "").await;
        if answer.0 != StatusCode::OK {
            break answer;
        }
        taken += 1;
    };
    assert_eq!((status, taken), (StatusCode::TOO_MANY_REQUESTS, 30), "{why}");
    // Users are not held up by nodes, and have a limit of their own.
    let request = certs::ClientRequest::generate("alice", &[], &certs::EcKeys)
        .await
        .unwrap();
    for _ in 0..30 {
        scene.magnum.ca_sign(&scene.cx, id, &request.csr).await.unwrap();
    }
    let error = scene
        .magnum
        .ca_sign(&scene.cx, id, &request.csr)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    scene.clock.sleep(std::time::Duration::from_secs(60)).await;
    scene.magnum.ca_sign(&scene.cx, id, &request.csr).await.unwrap();
    assert_eq!(ask(&scene, "GET", &version, &token, "").await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn what_expires_when_is_told() {
    let mut settings = Settings::default();
    settings.certificate_validity = std::time::Duration::from_secs(90 * 86_400);
    let scene = Scene::with(1, settings).await;
    scene.template().await;
    let id = scene.accept(2).await.id;
    scene.settle().await;
    let request = certs::ClientRequest::generate("alice", &[], &certs::EcKeys)
        .await
        .unwrap();
    scene.clock.sleep(std::time::Duration::from_secs(86_400)).await;
    scene.magnum.ca_sign(&scene.cx, id, &request.csr).await.unwrap();
    let found = scene.magnum.certificates(&scene.cx, id).await.unwrap();
    let holders: Vec<_> = found.iter().map(|entry| entry.holder.clone()).collect();
    let node = |member: &str| {
        CertificateHolder::Issued(Holder::Node {
            role: PoolRole::Worker,
            member: member.into(),
            purpose: "server".into(),
        })
    };
    let user = Holder::User {
        user_id: scene.cx.user_id.clone(),
    };
    assert_eq!(holders[0], CertificateHolder::Library);
    assert!(
        holders[1..3].contains(&node("0")) && holders[1..3].contains(&node("1")),
        "{holders:?}"
    );
    assert_eq!(holders[3], CertificateHolder::Issued(user));
    assert_eq!(holders[4], CertificateHolder::Authority { issues: true });
    assert_eq!(holders.len(), 5);
    assert!(found.is_sorted_by_key(|entry| entry.facts.not_after));
    assert_eq!(found[3].facts.subject, "O=system:masters,CN=alice");
    assert!(found.iter().all(|entry| entry.authority == "ca"));
    let ca = &found[4].facts;
    assert_eq!(
        (&ca.subject, &ca.issuer),
        (&"CN=mycluster".to_owned(), &ca.subject)
    );
    let years = ca.not_after.duration_since(ca.not_before).as_hours() / 24 / 365;
    assert_eq!(years, 10);

    let stranger = RequestContext::new("somebody", &scene.cx.project_id);
    let refused = scene.magnum.certificates(&stranger, id).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    // Those that have expired are not told, and go when the next one is signed.
    scene
        .clock
        .sleep(std::time::Duration::from_secs(100 * 86_400))
        .await;
    let found = scene.magnum.certificates(&scene.cx, id).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    scene.magnum.ca_sign(&scene.cx, id, &request.csr).await.unwrap();
    let notes = scene.store.certificate_notes(id, "").await.unwrap();
    let issued = notes
        .iter()
        .filter(|note| matches!(note.noted, Noted::Issued { .. }));
    assert_eq!(issued.count(), 1);
    assert_eq!(scene.magnum.certificates(&scene.cx, id).await.unwrap().len(), 2);
}

/// A node is told in time that its certificates grow old, and not where new ones would end no later.
#[tokio::test(start_paused = true)]
async fn a_node_is_told_when_its_certificates_grow_old() {
    let day = std::time::Duration::from_secs(86_400);
    let mut settings = Settings::default();
    settings.certificate_validity = 90 * day;
    settings.authority_validity = 200 * day;
    settings.node_token_validity = 1000 * day;
    let scene = Scene::with(1, settings).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    let token = tokens(&scene).remove(0);
    let version = format!("/v1/clusters/{id}/certificates");
    let told = async || ask(&scene, "GET", &version, &token, "").await.1;
    assert_eq!(told().await, "0\n");
    scene.clock.sleep(59 * day).await;
    assert_eq!(told().await, "0\n");
    scene.clock.sleep(2 * day).await;
    assert_eq!(told().await, "0 renew\n");
    let request = support::certificate::Wanted::default().request().pem;
    let sign = format!("{version}/server?name=");
    for _ in 0..2 {
        assert_eq!(told().await, "0 renew\n");
        let (status, why) = ask(&scene, "POST", &sign, &token, &request).await;
        assert_eq!(status, StatusCode::OK, "{why}");
        assert_eq!(told().await, "0\n");
        scene.clock.sleep(61 * day).await;
    }
    assert_eq!(
        told().await,
        "0\n",
        "the authority ends in 18 days, and so does what it signs"
    );
}
