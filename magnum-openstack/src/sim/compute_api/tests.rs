//! Nova's rules, over HTTP.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::fault::{At, Effect, Fault};
use super::super::pace::Pace;
use super::super::probe::{Probe, builder, id};

async fn network(probe: &Probe) -> String {
    let (_, body) = probe
        .post("/networking/v2.0/networks", json!({"network": {"name": "net"}}))
        .await;
    let network = id(&body, "network");
    let subnet = json!({"subnet": {"network_id": network, "cidr": "10.0.0.0/24"}});
    assert_eq!(probe.post("/networking/v2.0/subnets", subnet).await.0, 201);
    network
}

async fn server_body(probe: &Probe, name: &str, extra: Value) -> Value {
    let (_, flavors) = probe.get("/compute/v2.1/flavors/detail").await;
    let flavor = flavors["flavors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["name"] == "m1.small")
        .unwrap();
    let (_, images) = probe.get("/image/v2/images?name=ubuntu").await;
    let mut server = json!({"name": name, "flavorRef": flavor["id"], "imageRef": images["images"][0]["id"]});
    for (key, value) in extra.as_object().into_iter().flatten() {
        server[key] = value.clone();
    }
    json!({ "server": server })
}

#[tokio::test(start_paused = true)]
async fn a_server_builds_runs_and_goes_with_the_port_that_nova_made() {
    let cloud = builder().pace(Pace::Real).build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let network = network(&demo).await;
    let extra = json!({"networks": [{"uuid": network}], "key_name": "testkey", "metadata": {"a": "b"}});
    let (status, body) = demo
        .post("/compute/v2.1/servers", server_body(&demo, "s", extra).await)
        .await;
    assert_eq!(status, 202, "{body}");
    let path = format!("/compute/v2.1/servers/{}", id(&body, "server"));
    let (_, body) = demo.get(&path).await;
    assert_eq!(body["server"]["status"], "BUILD");
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (_, body) = demo.get(&path).await;
    assert_eq!(body["server"]["status"], "ACTIVE");
    assert_eq!(body["server"]["addresses"]["net"][0]["addr"], "10.0.0.2");
    let (_, limits) = demo.get("/compute/v2.1/limits").await;
    assert_eq!(limits["limits"]["absolute"]["totalRAMUsed"], 2048);
    assert_eq!(Probe::log_in(&cloud, "demo2").await.get(&path).await.0, 404);

    let leftovers = cloud.leftovers(&demo.project);
    assert_eq!((leftovers.servers.len(), leftovers.ports.len()), (1, 1));
    assert_eq!(demo.delete(&path).await.0, 204);
    let (_, body) = demo.get(&path).await;
    assert_eq!(body["server"]["OS-EXT-STS:task_state"], "deleting");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(demo.get(&path).await.0, 404);
    assert_eq!(cloud.leftovers(&demo.project).ports.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_port_given_to_a_server_outlives_it() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let network = network(&demo).await;
    let (_, body) = demo
        .post("/networking/v2.0/ports", json!({"port": {"network_id": network}}))
        .await;
    let port = id(&body, "port");
    let extra = json!({"networks": [{"port": port}]});
    let body = server_body(&demo, "s", extra.clone()).await;
    let (_, body) = demo.post("/compute/v2.1/servers", body).await;
    let server = format!("/compute/v2.1/servers/{}", id(&body, "server"));
    let path = format!("/networking/v2.0/ports/{port}");
    let (_, body) = demo.get(&path).await;
    assert_eq!(
        (&body["port"]["status"], &body["port"]["device_owner"]),
        (&json!("ACTIVE"), &json!("compute:nova"))
    );
    let (status, _) = demo
        .post("/compute/v2.1/servers", server_body(&demo, "t", extra).await)
        .await;
    assert_eq!(status, 409);
    assert_eq!(demo.delete(&server).await.0, 204);
    let (_, body) = demo.get(&path).await;
    assert_eq!(
        (&body["port"]["status"], &body["port"]["device_id"]),
        (&json!("DOWN"), &json!(""))
    );
}

#[tokio::test(start_paused = true)]
async fn quotas_are_refused_in_novas_words() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    network(&demo).await;
    cloud.set_quota(&demo.project, "instances", 1).unwrap();
    let body = server_body(&demo, "s", Value::Null).await;
    assert_eq!(demo.post("/compute/v2.1/servers", body.clone()).await.0, 202);
    let (status, body) = demo.post("/compute/v2.1/servers", body).await;
    assert_eq!(status, 403);
    assert_eq!(
        body["forbidden"]["message"],
        "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_server_needs_must_be_there() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    network(&demo).await;
    for (extra, message) in [
        (json!({"imageRef": "x"}), "Can not find requested image"),
        (json!({"flavorRef": "x"}), "Flavor x could not be found."),
        (json!({"key_name": "x"}), "Invalid key_name provided."),
        (
            json!({"networks": [{"port": "x"}]}),
            "Port id x could not be found.",
        ),
        (
            json!({"networks": [{"uuid": "x"}]}),
            "Network x could not be found.",
        ),
    ] {
        let (status, body) = demo
            .post("/compute/v2.1/servers", server_body(&demo, "s", extra).await)
            .await;
        assert_eq!((status, &body["badRequest"]["message"]), (400, &json!(message)));
    }
    assert!(cloud.leftovers(&demo.project).servers.is_empty());
    assert_eq!(demo.get("/compute/v2.1/os-keypairs/testkey").await.0, 200);
    assert_eq!(demo.get("/compute/v2.1/os-keypairs/nokey").await.0, 404);
    assert_eq!(demo.get("/compute/v2.1/flavors/nothing").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_server_fails_when_a_fault_says_so() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    network(&demo).await;
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "bad*".into(),
    };
    cloud.inject(Fault::once(
        at,
        Effect::ResourceFailure("No valid host was found. ".into()),
    ));
    let (_, good) = demo
        .post(
            "/compute/v2.1/servers",
            server_body(&demo, "good", Value::Null).await,
        )
        .await;
    let (_, bad) = demo
        .post(
            "/compute/v2.1/servers",
            server_body(&demo, "bad-1", Value::Null).await,
        )
        .await;
    let (_, body) = demo
        .get(&format!("/compute/v2.1/servers/{}", id(&good, "server")))
        .await;
    assert_eq!(body["server"]["status"], "ACTIVE");
    let (_, body) = demo
        .get(&format!("/compute/v2.1/servers/{}", id(&bad, "server")))
        .await;
    assert_eq!(body["server"]["status"], "ERROR");
    assert_eq!(body["server"]["fault"]["message"], "No valid host was found. ");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_room_for_its_port_ends_in_error() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    network(&demo).await;
    cloud.set_quota(&demo.project, "port", 0).unwrap();
    let encoded = BASE64_STANDARD.encode("#!/bin/sh");
    let body = server_body(&demo, "s", json!({"user_data": encoded})).await;
    let (status, body) = demo.post("/compute/v2.1/servers", body).await;
    assert_eq!(status, 202);
    let (_, body) = demo
        .get(&format!("/compute/v2.1/servers/{}", id(&body, "server")))
        .await;
    assert_eq!(
        body["server"]["fault"]["message"],
        "Maximum number of ports exceeded"
    );
    let seen = cloud.with(|world| world.compute.servers().next().and_then(|s| s.user_data.clone()));
    assert_eq!(seen.as_deref(), Some("#!/bin/sh"));
}
