//! Octavia's rules, over HTTP.

use std::time::Duration;

use serde_json::json;

use super::super::pace::Pace;
use super::super::probe::{Probe, builder, id};
use super::super::world::load_balancing::{PartKind, PartSpec};

const BALANCERS: &str = "/load-balancer/v2/lbaas/loadbalancers";

#[tokio::test(start_paused = true)]
async fn a_load_balancer_holds_its_network_and_takes_its_time() {
    let cloud = builder().pace(Pace::Real).build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let (_, body) = demo
        .post("/networking/v2.0/networks", json!({"network": {"name": "n"}}))
        .await;
    let network = format!("/networking/v2.0/networks/{}", id(&body, "network"));
    let subnet = json!({"subnet": {"network_id": id(&body, "network"), "cidr": "10.0.0.0/24"}});
    let (_, body) = demo.post("/networking/v2.0/subnets", subnet).await;
    let subnet = id(&body, "subnet");
    let wanted = json!({"loadbalancer": {"name": "lb", "vip_subnet_id": subnet}});
    let (status, body) = demo.post(BALANCERS, wanted).await;
    assert_eq!(
        (status, &body["loadbalancer"]["provisioning_status"]),
        (201, &json!("PENDING_CREATE"))
    );
    let balancer = id(&body, "loadbalancer");
    let path = format!("{BALANCERS}/{balancer}");
    assert_eq!(demo.delete(&path).await.0, 409);
    assert_eq!(demo.delete(&network).await.0, 409);
    tokio::time::sleep(Duration::from_secs(100)).await;
    let listener = PartSpec {
        kind: PartKind::Listener,
        name: "l".to_owned(),
        parent_id: balancer.clone(),
        settings: serde_json::Map::from_iter([("protocol_port".to_owned(), json!(80))]),
        fails_with: None,
    };
    cloud.with(|world| {
        world
            .create_load_balancer_part(&demo.project, listener.clone())
            .unwrap();
        assert_eq!(
            world
                .create_load_balancer_part(&demo.project, listener)
                .unwrap_err()
                .status,
            409
        );
    });
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (_, body) = demo.get(&format!("{BALANCERS}?vip_subnet_id={subnet}")).await;
    assert_eq!(body["loadbalancers"][0]["provisioning_status"], "ACTIVE");
    assert_eq!(demo.delete(&path).await.0, 400);
    assert_eq!(demo.delete(&format!("{path}?cascade=true")).await.0, 204);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(demo.get(&path).await.0, 404);
    assert_eq!(demo.delete(&network).await.0, 204);
    assert!(cloud.leftovers(&demo.project).is_empty());
}

#[tokio::test(start_paused = true)]
async fn parts_are_made_listed_changed_and_taken_away_as_a_cloud_provider_does() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let base = "/load-balancer/v2.0/lbaas";
    let (_, body) = demo
        .post("/networking/v2.0/networks", json!({"network": {"name": "n"}}))
        .await;
    let network = id(&body, "network");
    let subnet = json!({"subnet": {"network_id": network, "cidr": "10.0.0.0/24"}});
    assert_eq!(demo.post("/networking/v2.0/subnets", subnet).await.0, 201);
    let wanted = json!({"loadbalancer": {"name": "lb", "vip_network_id": network}});
    let balancer = id(&demo.post(BALANCERS, wanted).await.1, "loadbalancer");
    let make = |path: String, body: serde_json::Value| {
        let demo = demo.clone();
        async move { demo.post(&format!("{base}/{path}"), body).await }
    };
    let listener = json!({"listener": {"loadbalancer_id": balancer, "protocol": "TCP", "protocol_port": 80}});
    let (status, body) = make("listeners".to_owned(), listener.clone()).await;
    assert_eq!((status, &body["listener"]["connection_limit"]), (201, &json!(-1)));
    let first = id(&body, "listener");
    let (status, body) = make("listeners".to_owned(), listener).await;
    assert_eq!(
        (status, &body["faultstring"]),
        (
            409,
            &json!("Another Listener on this Load Balancer is already using protocol_port 80")
        )
    );
    let pool = json!({"pool": {"listener_id": first, "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN"}});
    let (status, body) = make("pools".to_owned(), pool.clone()).await;
    assert_eq!(
        (status, &body["pool"]["listeners"][0]["id"]),
        (201, &json!(first))
    );
    let first_pool = id(&body, "pool");
    assert_eq!(make("pools".to_owned(), pool).await.0, 409);
    let monitor = json!({"healthmonitor": {"pool_id": first_pool, "type": "TCP", "delay": 5, "timeout": 5, "max_retries": 3}});
    assert_eq!(make("healthmonitors".to_owned(), monitor.clone()).await.0, 201);
    assert_eq!(make("healthmonitors".to_owned(), monitor).await.0, 409);
    let members = format!("pools/{first_pool}/members");
    let member = |last: u8| json!({"address": format!("10.0.0.{last}"), "protocol_port": 30000});
    let (status, body) = make(members.clone(), json!({"member": member(5)})).await;
    assert_eq!((status, &body["member"]["weight"]), (201, &json!(1)));
    let kept = id(&body, "member");
    assert_eq!(make(members.clone(), json!({"member": member(5)})).await.0, 409);
    assert_eq!(make(members.clone(), json!({"member": member(6)})).await.0, 201);
    let batch = json!({"members": [member(5), member(7)]});
    assert_eq!(demo.put(&format!("{base}/{members}"), batch).await.0, 202);
    let (_, body) = demo.get(&format!("{base}/{members}")).await;
    let listed = body["members"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|member| member["id"] == json!(kept)));
    let weight = json!({"member": {"weight": 9}});
    let (status, body) = demo.put(&format!("{base}/{members}/{kept}"), weight).await;
    assert_eq!((status, &body["member"]["weight"]), (200, &json!(9)));
    let (_, body) = demo
        .get(&format!(
            "{base}/listeners?loadbalancer_id={balancer}&protocol_port=80"
        ))
        .await;
    assert_eq!(body["listeners"][0]["default_pool_id"], json!(first_pool));
    let (_, body) = demo.get(&format!("{base}/listeners?loadbalancer_id=other")).await;
    assert_eq!(body["listeners"], json!([]));

    // Another project sees nothing of it.
    let other = Probe::log_in(&cloud, "demo2").await;
    assert_eq!(other.get(&format!("{base}/pools/{first_pool}")).await.0, 404);
    assert_eq!(other.get(&format!("{base}/pools")).await.1["pools"], json!([]));

    assert_eq!(demo.delete(&format!("{base}/{members}/{kept}")).await.0, 204);
    assert_eq!(demo.delete(&format!("{base}/listeners/{first}")).await.0, 204);
    let (status, body) = demo.get(&format!("{base}/pools/{first_pool}")).await;
    assert_eq!((status, &body["pool"]["listeners"]), (200, &json!([])));
    assert_eq!(demo.delete(&format!("{base}/pools/{first_pool}")).await.0, 204);
    cloud.with(|world| assert_eq!(world.load_balancing.parts().count(), 0));
    assert_eq!(demo.delete(&format!("{BALANCERS}/{balancer}")).await.0, 204);
    assert!(cloud.leftovers(&demo.project).load_balancers.is_empty());
}
