//! Octavia's rules, over HTTP.

use std::collections::BTreeMap;
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
        settings: BTreeMap::from([("protocol_port".to_owned(), "80".to_owned())]),
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
