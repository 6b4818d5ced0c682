//! Faults, the request log, and time.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::super::cloud::SimCloud;
use super::super::fault::{At, Effect, Fault};
use super::super::probe::{Probe, builder};

const NETWORKS: &str = "/networking/v2.0/networks";

fn on_networks(what: Effect) -> Fault {
    let at = At::Route {
        method: Some(Method::POST),
        path_prefix: "/networking".into(),
        nth: 0,
    };
    Fault::once(at, what)
}

async fn create(probe: &Probe) -> Result<http::Response<bytes::Bytes>, magnum_core::TransportError> {
    probe
        .send(Method::POST, NETWORKS, Some(json!({"network": {"name": "n"}})))
        .await
}

fn networks(probe: &Probe) -> usize {
    probe.cloud.leftovers(&probe.project).networks.len()
}

#[tokio::test(start_paused = true)]
async fn a_reset_before_has_no_effect_and_one_after_has() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    for sent in [false, true] {
        cloud.inject(on_networks(Effect::ResetBefore { sent }));
        assert_eq!(create(&demo).await.unwrap_err().sent, sent);
        assert_eq!(networks(&demo), 0);
    }
    cloud.inject(on_networks(Effect::ResetAfter));
    assert!(create(&demo).await.unwrap_err().sent);
    assert_eq!(networks(&demo), 1);
    assert_eq!(create(&demo).await.unwrap().status(), 201);
}

#[tokio::test(start_paused = true)]
async fn a_status_comes_instead_of_the_effect() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    cloud.inject(on_networks(Effect::Status {
        status: 429,
        retry_after: Some(Duration::from_secs(7)),
    }));
    let answer = create(&demo).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert!(answer.headers().contains_key("x-openstack-request-id"));
    assert_eq!(networks(&demo), 0);
}

#[tokio::test(start_paused = true)]
async fn latency_passes_by_the_clouds_clock() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let before = cloud.clock().now();
    cloud.inject(on_networks(Effect::Latency(Duration::from_secs(90))));
    assert_eq!(create(&demo).await.unwrap().status(), 201);
    assert_eq!(cloud.clock().now().duration_since(before).as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn the_log_names_each_call_so_that_a_sweep_can_break_it() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    cloud.clear_requests();
    let image = cloud.add_image("x", None);
    demo.get(&format!("/image/v2/images/{image}")).await;
    create(&demo).await.unwrap();
    let log = cloud.requests();
    assert_eq!(log.len(), 2);
    assert_eq!(log[0].template, "/image/v2/images/{image}");
    assert_eq!((log[0].identity.as_str(), log[0].status), ("demo", Some(200)));
    assert_eq!((log[1].index, &log[1].method), (1, &Method::POST));

    cloud.inject(Fault::once(
        At::Call(cloud.request_count() + 1),
        Effect::ResetBefore { sent: true },
    ));
    create(&demo).await.unwrap();
    assert!(create(&demo).await.is_err());
    assert_eq!(cloud.requests()[3].status, None);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_cloud() {
    async fn life(seed: u64) -> Vec<String> {
        let cloud = builder().seed(seed).build();
        let demo = Probe::log_in(&cloud, "demo").await;
        cloud.inject(Fault::always(At::Probability(0.5), Effect::ResetAfter));
        let mut seen = vec![demo.token.clone()];
        for _ in 0..20 {
            seen.push(
                create(&demo)
                    .await
                    .map_or_else(|e| e.message, |a| format!("{:?}", a.body())),
            );
        }
        seen
    }
    let (a, b, c) = (life(5).await, life(5).await, life(6).await);
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[tokio::test(start_paused = true)]
async fn other_hosts_are_reached_only_when_mounted() {
    let cloud = builder().build();
    let other = SimCloud::builder()
        .base_url("http://other.cloud")
        .devstack()
        .build();
    let elsewhere = Probe::log_in(&other, "demo").await;
    let request = || {
        http::Request::get("http://other.cloud/image/v2/images")
            .header("x-auth-token", &elsewhere.token)
            .body(bytes::Bytes::new())
            .unwrap()
    };
    let transport = cloud.transport();
    let profile = magnum_core::TlsProfile::default();
    let send = |request| magnum_core::HttpTransport::send(&transport, request, &profile);
    assert!(!send(request()).await.unwrap_err().sent);
    cloud.mount("other.cloud", std::sync::Arc::new(other.transport()));
    assert_eq!(send(request()).await.unwrap().status(), 200);
}
