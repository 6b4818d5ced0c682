//! What Octavia shows; Heat's attributes are taken from it.

use serde_json::{Map, Value, json};

use crate::sim::world::World;
use crate::sim::world::load_balancing::{LoadBalancer, Part, PartKind};

fn ids(world: &World, wanted: impl Fn(&Part) -> bool) -> Vec<Value> {
    world
        .load_balancing
        .parts()
        .filter(|part| wanted(part))
        .map(|part| json!({"id": part.id}))
        .collect()
}

/// A load balancer.
pub(in crate::sim) fn show_balancer(world: &World, balancer: &LoadBalancer) -> Value {
    let network = world
        .find_subnet(&balancer.vip_subnet_id)
        .map(|subnet| subnet.network_id.clone())
        .ok();
    json!({
        "id": balancer.id,
        "name": balancer.name,
        "description": balancer.description,
        "project_id": balancer.project_id,
        "provisioning_status": balancer.provisioning_status(world.now()),
        "operating_status": if balancer.fails_with.is_some() { "ERROR" } else { "ONLINE" },
        "admin_state_up": balancer.admin_state_up,
        "vip_address": balancer.vip_address,
        "vip_port_id": balancer.vip_port_id,
        "vip_subnet_id": balancer.vip_subnet_id,
        "vip_network_id": network,
        "listeners": ids(world, |part| part.kind == PartKind::Listener && part.load_balancer_id == balancer.id),
        "pools": ids(world, |part| part.kind == PartKind::Pool && part.load_balancer_id == balancer.id),
        "provider": balancer.provider,
        "flavor_id": balancer.flavor_id,
        "availability_zone": balancer.availability_zone,
        "tags": balancer.tags,
        "created_at": format!("{:.0}", balancer.created_at).trim_end_matches('Z'),
    })
}

/// A listener, pool, member or health monitor.
pub(in crate::sim) fn show_part(world: &World, part: &Part) -> Value {
    let balancers = json!([{"id": part.load_balancer_id}]);
    let own = match part.kind {
        PartKind::Listener => json!({
            "description": "", "connection_limit": -1, "default_pool_id": null, "loadbalancers": balancers,
            "default_tls_container_ref": null, "sni_container_refs": [], "allowed_cidrs": null,
            "l7policies": [],
        }),
        PartKind::Pool => {
            let monitors = ids(world, |p| {
                p.kind == PartKind::HealthMonitor && p.parent_id == part.id
            });
            json!({
                "description": "", "session_persistence": null, "tls_enabled": false, "loadbalancers": balancers,
                "listeners": ids(world, |p| p.setting("default_pool_id") == Some(&part.id)),
                "members": ids(world, |p| p.kind == PartKind::Member && p.parent_id == part.id),
                "healthmonitor_id": monitors.first().map(|monitor| monitor["id"].clone()),
            })
        }
        PartKind::Member => json!({
            "weight": 1, "subnet_id": null, "monitor_address": null, "monitor_port": null, "backup": false,
        }),
        PartKind::HealthMonitor => json!({
            "pools": [{"id": part.parent_id}], "max_retries_down": 3, "http_method": null, "url_path": null,
            "expected_codes": null,
        }),
    };
    let mut shown = Map::new();
    for object in [own, Value::Object(part.settings.clone())] {
        if let Value::Object(entries) = object {
            shown.extend(entries);
        }
    }
    shown.entry("admin_state_up").or_insert(Value::Bool(true));
    shown.entry("tags").or_insert_with(|| json!([]));
    let status = part.provisioning_status(world.now());
    let operating = if status == "ERROR" { "ERROR" } else { "ONLINE" };
    let common = [
        ("id", json!(part.id)),
        ("name", json!(part.name)),
        ("project_id", json!(part.project_id)),
        ("provisioning_status", json!(status)),
        ("operating_status", json!(operating)),
        (
            "created_at",
            json!(format!("{:.0}", part.created_at).trim_end_matches('Z')),
        ),
    ];
    shown.extend(common.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(shown)
}
