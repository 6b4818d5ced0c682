//! Neutron's rules, over HTTP.

use serde_json::{Value, json};

use super::super::probe::{Probe, builder, id};

/// A network with a subnet and a router to the outside.
struct Plumbing {
    network: String,
    subnet: String,
    router: String,
    public: String,
}

async fn plumb(probe: &Probe) -> Plumbing {
    let (_, body) = probe.get("/networking/v2.0/networks?router:external=True").await;
    let public = body["networks"][0]["id"].as_str().unwrap().to_owned();
    let (status, body) = probe
        .post("/networking/v2.0/networks", json!({"network": {"name": "net"}}))
        .await;
    assert_eq!(status, 201);
    let network = id(&body, "network");
    let subnet = json!({"subnet": {"network_id": network, "cidr": "10.0.0.0/24", "ip_version": 4}});
    let (status, body) = probe.post("/networking/v2.0/subnets", subnet).await;
    assert_eq!(status, 201, "{body}");
    let subnet = id(&body, "subnet");
    let router = json!({"router": {"name": "r", "external_gateway_info": {"network_id": public}}});
    let (status, body) = probe.post("/networking/v2.0/routers", router).await;
    assert_eq!(status, 201, "{body}");
    let router = id(&body, "router");
    let path = format!("/networking/v2.0/routers/{router}/add_router_interface");
    assert_eq!(probe.put(&path, json!({"subnet_id": subnet})).await.0, 200);
    Plumbing {
        network,
        subnet,
        router,
        public,
    }
}

fn kind(body: &Value) -> &str {
    body["NeutronError"]["type"].as_str().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_is_not_deleted_and_the_right_order_leaves_nothing() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let p = plumb(&demo).await;
    let port = json!({"port": {"network_id": p.network, "fixed_ips": [{"subnet_id": p.subnet}]}});
    let (status, body) = demo.post("/networking/v2.0/ports", port).await;
    assert_eq!(status, 201);
    assert_eq!(body["port"]["fixed_ips"][0]["ip_address"], "10.0.0.2");
    let port = id(&body, "port");
    let floating = json!({"floatingip": {"floating_network_id": p.public, "port_id": port}});
    let (status, body) = demo.post("/networking/v2.0/floatingips", floating).await;
    assert_eq!((status, &body["floatingip"]["status"]), (201, &json!("ACTIVE")));
    let floating = id(&body, "floatingip");

    let network = format!("/networking/v2.0/networks/{}", p.network);
    let subnet = format!("/networking/v2.0/subnets/{}", p.subnet);
    let router = format!("/networking/v2.0/routers/{}", p.router);
    let interface = format!("{router}/remove_router_interface");
    for (path, expected) in [
        (&network, "NetworkInUse"),
        (&subnet, "SubnetInUse"),
        (&router, "RouterInUse"),
    ] {
        let (status, body) = demo.delete(path).await;
        assert_eq!((status, kind(&body)), (409, expected));
    }
    let (status, body) = demo.put(&interface, json!({"subnet_id": p.subnet})).await;
    assert_eq!((status, kind(&body)), (409, "RouterInterfaceInUseByFloatingIP"));
    let (_, ports) = demo
        .get(&format!("/networking/v2.0/ports?device_id={}", p.router))
        .await;
    let own = ports["ports"][0]["id"].as_str().unwrap();
    let (status, body) = demo.delete(&format!("/networking/v2.0/ports/{own}")).await;
    assert_eq!((status, kind(&body)), (409, "ServicePortInUse"));

    // A port takes its floating IP off, not with it.
    assert_eq!(
        demo.delete(&format!("/networking/v2.0/ports/{port}")).await.0,
        204
    );
    let floating = format!("/networking/v2.0/floatingips/{floating}");
    let (_, body) = demo.get(&floating).await;
    assert_eq!(
        (&body["floatingip"]["port_id"], &body["floatingip"]["status"]),
        (&Value::Null, &json!("DOWN"))
    );
    assert_eq!(demo.delete(&floating).await.0, 204);
    assert_eq!(demo.put(&interface, json!({"subnet_id": p.subnet})).await.0, 200);
    assert_eq!(
        cloud.leftovers(&demo.project).to_string(),
        format!("1 networks (net); 1 subnets ({}); 1 routers (r)", p.subnet)
    );
    assert_eq!(demo.delete(&router).await.0, 204);
    assert_eq!(demo.delete(&network).await.0, 204);
    assert_eq!(demo.get(&subnet).await.0, 404);
    assert_eq!(cloud.leftovers(&demo.project).to_string(), "nothing");
}

#[tokio::test(start_paused = true)]
async fn a_floating_ip_needs_a_router_to_its_port() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let p = plumb(&demo).await;
    let (_, body) = demo
        .post(
            "/networking/v2.0/networks",
            json!({"network": {"name": "island"}}),
        )
        .await;
    let island = id(&body, "network");
    let subnet = json!({"subnet": {"network_id": island, "cidr": "10.1.0.0/24"}});
    assert_eq!(demo.post("/networking/v2.0/subnets", subnet).await.0, 201);
    let (_, body) = demo
        .post("/networking/v2.0/ports", json!({"port": {"network_id": island}}))
        .await;
    let floating = json!({"floatingip": {"floating_network_id": p.public, "port_id": id(&body, "port")}});
    let (status, body) = demo.post("/networking/v2.0/floatingips", floating).await;
    assert_eq!(
        (status, kind(&body)),
        (404, "ExternalGatewayForFloatingIPNotFound")
    );
    assert!(cloud.leftovers(&demo.project).floating_ips.is_empty());
    let inside = json!({"floatingip": {"floating_network_id": p.network}});
    assert_eq!(demo.post("/networking/v2.0/floatingips", inside).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn quotas_are_refused_in_neutrons_words() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let p = plumb(&demo).await;
    cloud.set_quota(&demo.project, "port", 1).unwrap();
    let (status, body) = demo
        .post(
            "/networking/v2.0/ports",
            json!({"port": {"network_id": p.network}}),
        )
        .await;
    assert_eq!((status, kind(&body)), (409, "OverQuota"));
    assert_eq!(
        body["NeutronError"]["message"],
        "Quota exceeded for resources: ['port']."
    );
    let (_, body) = demo
        .get(&format!("/networking/v2.0/quotas/{}/details.json", demo.project))
        .await;
    assert_eq!(
        body["quota"]["port"],
        json!({"limit": 1, "used": 1, "reserved": 0})
    );
    let (_, body) = demo
        .get(&format!("/networking/v2.0/quotas/{}", demo.project))
        .await;
    assert_eq!(body["quota"]["router"], 10);
    assert!(cloud.set_quota(&demo.project, "patience", 1).is_err());
}

#[tokio::test(start_paused = true)]
async fn each_resource_is_counted_and_refused_beyond_its_quota() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let p = plumb(&demo).await;
    let group = json!({"security_group": {"name": "g"}});
    let (_, body) = demo.post("/networking/v2.0/security-groups", group.clone()).await;
    let rule = json!({"security_group_rule": {"security_group_id": id(&body, "security_group"),
        "direction": "ingress", "protocol": "icmp"}});
    let port = json!({"port": {"network_id": p.network}});
    demo.post("/networking/v2.0/ports", port.clone()).await;
    let details = format!("/networking/v2.0/quotas/{}/details.json", demo.project);
    // The group `default` is the project's, with four rules; a router's port inside is the project's, its gateway not.
    for (resource, used, path, body) in [
        ("network", 1, "networks", json!({"network": {"name": "n"}})),
        (
            "subnet",
            1,
            "subnets",
            json!({"subnet": {"network_id": p.network, "cidr": "10.1.0.0/24", "ip_version": 4}}),
        ),
        ("router", 1, "routers", json!({"router": {"name": "r"}})),
        ("port", 2, "ports", port),
        (
            "floatingip",
            0,
            "floatingips",
            json!({"floatingip": {"floating_network_id": p.public}}),
        ),
        ("security_group", 2, "security-groups", group),
        ("security_group_rule", 8, "security-group-rules", rule),
    ] {
        let path = format!("/networking/v2.0/{path}");
        cloud.set_quota(&demo.project, resource, used).unwrap();
        let (status, refused) = demo.post(&path, body.clone()).await;
        assert_eq!((status, kind(&refused)), (409, "OverQuota"), "{resource}");
        assert_eq!(
            refused["NeutronError"]["message"],
            format!("Quota exceeded for resources: ['{resource}'].")
        );
        let told = demo.get(&details).await.1["quota"][resource].clone();
        assert_eq!(
            told,
            json!({"limit": used, "used": used, "reserved": 0}),
            "{resource}"
        );
        cloud.set_quota(&demo.project, resource, -1).unwrap();
        let (status, made) = demo.post(&path, body).await;
        assert_eq!(status, 201, "{made}");
        let told = demo.get(&details).await.1["quota"][resource].clone();
        assert_eq!((&told["limit"], &told["used"]), (&json!(-1), &json!(used + 1)));
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_of_others_are_not_told() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let demo2 = Probe::log_in(&cloud, "demo2").await;
    let details = format!("/networking/v2.0/quotas/{}/details.json", demo.project);
    assert_eq!(demo2.get(&details).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_project_sees_its_own_and_what_is_shared() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let other = Probe::log_in(&cloud, "demo2").await;
    let p = plumb(&demo).await;
    let names = |body: &Value| -> Vec<String> {
        body["networks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let (_, body) = other.get("/networking/v2.0/networks").await;
    assert_eq!(names(&body), ["public"]);
    assert_eq!(
        other
            .get(&format!("/networking/v2.0/networks/{}", p.network))
            .await
            .0,
        404
    );
    assert_eq!(
        other
            .delete(&format!("/networking/v2.0/networks/{}", p.public))
            .await
            .0,
        403
    );
    assert_eq!(
        other
            .delete(&format!("/networking/v2.0/routers/{}", p.router))
            .await
            .0,
        404
    );
    let external = json!({"network": {"name": "x", "router:external": true}});
    assert_eq!(other.post("/networking/v2.0/networks", external).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_security_group_stays_while_a_port_has_it() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let p = plumb(&demo).await;
    let (status, body) = demo
        .post(
            "/networking/v2.0/security-groups",
            json!({"security_group": {"name": "sg"}}),
        )
        .await;
    assert_eq!(
        (
            status,
            body["security_group"]["security_group_rules"]
                .as_array()
                .unwrap()
                .len()
        ),
        (201, 2)
    );
    let group = id(&body, "security_group");
    let rule = json!({"security_group_rule": {
        "security_group_id": group, "direction": "ingress", "protocol": "tcp",
        "port_range_min": 22, "port_range_max": 22,
    }});
    assert_eq!(
        demo.post("/networking/v2.0/security-group-rules", rule.clone())
            .await
            .0,
        201
    );
    let (status, body) = demo.post("/networking/v2.0/security-group-rules", rule).await;
    assert_eq!((status, kind(&body)), (409, "SecurityGroupRuleExists"));
    let port = json!({"port": {"network_id": p.network, "security_groups": [group]}});
    let (_, body) = demo.post("/networking/v2.0/ports", port).await;
    let path = format!("/networking/v2.0/security-groups/{group}");
    let (status, refused) = demo.delete(&path).await;
    assert_eq!((status, kind(&refused)), (409, "SecurityGroupInUse"));
    assert_eq!(
        demo.delete(&format!("/networking/v2.0/ports/{}", id(&body, "port")))
            .await
            .0,
        204
    );
    assert_eq!(demo.delete(&path).await.0, 204);
    let (_, body) = demo.get("/networking/v2.0/security-groups?name=default").await;
    let default = body["security_groups"][0]["id"].as_str().unwrap();
    let (status, body) = demo
        .delete(&format!("/networking/v2.0/security-groups/{default}"))
        .await;
    assert_eq!((status, kind(&body)), (409, "SecurityGroupCannotRemoveDefault"));
}

#[tokio::test(start_paused = true)]
async fn addresses_run_out_and_must_fit() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let (_, body) = demo
        .post("/networking/v2.0/networks", json!({"network": {}}))
        .await;
    let network = id(&body, "network");
    let subnet = json!({"subnet": {"network_id": network, "cidr": "10.9.0.0/30"}});
    assert_eq!(demo.post("/networking/v2.0/subnets", subnet.clone()).await.0, 201);
    let (status, body) = demo.post("/networking/v2.0/subnets", subnet).await;
    assert_eq!((status, kind(&body)), (400, "InvalidInput"));
    let outside = json!({"port": {"network_id": network, "fixed_ips": [{"ip_address": "10.8.0.1"}]}});
    let (status, body) = demo.post("/networking/v2.0/ports", outside).await;
    assert_eq!((status, kind(&body)), (400, "InvalidIpForNetwork"));
    let any = json!({"port": {"network_id": network}});
    assert_eq!(demo.post("/networking/v2.0/ports", any.clone()).await.0, 201);
    let (status, body) = demo.post("/networking/v2.0/ports", any).await;
    assert_eq!((status, kind(&body)), (409, "IpAddressGenerationFailure"));
}
