//! Networks and subnets.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{
    Authenticated, JsonBody, Params, answer, at, empty, flag, required, text, texts,
};
use super::super::world::World;
use super::super::world::identity::Caller;
use super::super::world::network::{Network, NetworkSpec, Subnet, SubnetSpec};
use super::{Answer, filtered, not_authorized, owns};

pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let all = world
        .network
        .networks()
        .filter(|n| caller.is_admin() || n.is_visible_to(caller.project()));
    let shown = all.map(|network| show_network(&world, network)).collect();
    Ok(answer(200, json!({"networks": filtered(shown, &params)})))
}

pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"network": show_network(&world, visible_network(&world, &caller, &id)?)}),
    ))
}

pub(super) async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let spec = NetworkSpec {
        name: text(&body, &["network", "name"]).unwrap_or_default(),
        external: flag(&body, &["network", "router:external"]).unwrap_or(false),
        shared: flag(&body, &["network", "shared"]).unwrap_or(false),
        admin_state_up: flag(&body, &["network", "admin_state_up"]),
    };
    if (spec.external || spec.shared) && !caller.is_admin() {
        return Err(not_authorized("create_network").into());
    }
    let mut world = cloud.world();
    let network = world.create_network(caller.project(), spec)?;
    Ok(answer(201, json!({"network": show_network(&world, &network)})))
}

pub(super) async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    if !owns(&caller, &visible_network(&world, &caller, &id)?.project_id) {
        return Err(not_authorized("delete_network").into());
    }
    world.delete_network(&id)?;
    Ok(empty(204))
}

pub(super) async fn list_subnets(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let all = world
        .network
        .subnets()
        .filter(|subnet| caller.is_admin() || world.subnet_is_visible_to(subnet, caller.project()));
    let shown = all.map(show_one_subnet).collect();
    Ok(answer(200, json!({"subnets": filtered(shown, &params)})))
}

pub(super) async fn show_subnet(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"subnet": show_one_subnet(visible_subnet(&world, &caller, &id)?)}),
    ))
}

pub(super) async fn create_subnet(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    let network_id = required(&body, &["subnet", "network_id"])?;
    if !owns(
        &caller,
        &visible_network(&world, &caller, &network_id)?.project_id,
    ) {
        return Err(not_authorized("create_subnet").into());
    }
    // Null means none, which is not the same as nothing said.
    let gateway_ip = match body.get("subnet").and_then(|subnet| subnet.get("gateway_ip")) {
        Some(Value::Null) => Some(String::new()),
        Some(Value::String(ip)) => Some(ip.clone()),
        _ => None,
    };
    let pools = at(&body, &["subnet", "allocation_pools"]).and_then(Value::as_array);
    let spec = SubnetSpec {
        name: text(&body, &["subnet", "name"]).unwrap_or_default(),
        network_id,
        cidr: required(&body, &["subnet", "cidr"])?,
        gateway_ip,
        allocation_pools: pools
            .into_iter()
            .flatten()
            .filter_map(|pool| Some((text(pool, &["start"])?, text(pool, &["end"])?)))
            .collect(),
        dns_nameservers: texts(&body, &["subnet", "dns_nameservers"]).unwrap_or_default(),
        enable_dhcp: flag(&body, &["subnet", "enable_dhcp"]),
    };
    let subnet = world.create_subnet(caller.project(), spec)?;
    Ok(answer(201, json!({"subnet": show_one_subnet(&subnet)})))
}

pub(super) async fn remove_subnet(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    if !owns(&caller, &visible_subnet(&world, &caller, &id)?.project_id) {
        return Err(not_authorized("delete_subnet").into());
    }
    world.delete_subnet(&id)?;
    Ok(empty(204))
}

pub(super) fn visible_network<'a>(
    world: &'a World,
    caller: &Caller,
    id: &str,
) -> Result<&'a Network, ApiFault> {
    let network = world.find_network(id)?;
    if network.is_visible_to(caller.project()) || caller.is_admin() {
        return Ok(network);
    }
    Err(ApiFault::not_found(
        "NetworkNotFound",
        format!("Network {id} could not be found."),
    ))
}

pub(super) fn visible_subnet<'a>(
    world: &'a World,
    caller: &Caller,
    id: &str,
) -> Result<&'a Subnet, ApiFault> {
    let subnet = world.find_subnet(id)?;
    if world.subnet_is_visible_to(subnet, caller.project()) || caller.is_admin() {
        return Ok(subnet);
    }
    Err(ApiFault::not_found(
        "SubnetNotFound",
        format!("Subnet {id} could not be found."),
    ))
}

fn show_network(world: &World, network: &Network) -> Value {
    let subnets: Vec<&str> = world
        .network
        .subnets()
        .filter(|s| s.network_id == network.id)
        .map(|s| s.id.as_str())
        .collect();
    json!({
        "id": network.id,
        "name": network.name,
        "project_id": network.project_id,
        "tenant_id": network.project_id,
        "admin_state_up": network.admin_state_up,
        "status": network.status(world.now()),
        "shared": network.shared,
        "router:external": network.external,
        "subnets": subnets,
        "mtu": 1450,
        "port_security_enabled": true,
        "availability_zones": [],
        "availability_zone_hints": [],
        "description": "",
        "tags": [],
    })
}

fn show_one_subnet(subnet: &Subnet) -> Value {
    let pools: Vec<Value> = subnet
        .allocation_pools
        .iter()
        .map(|(start, end)| json!({"start": start, "end": end}))
        .collect();
    json!({
        "id": subnet.id,
        "name": subnet.name,
        "project_id": subnet.project_id,
        "tenant_id": subnet.project_id,
        "network_id": subnet.network_id,
        "cidr": subnet.cidr.to_string(),
        "ip_version": 4,
        "gateway_ip": subnet.gateway_ip,
        "allocation_pools": pools,
        "dns_nameservers": subnet.dns_nameservers,
        "host_routes": [],
        "enable_dhcp": subnet.enable_dhcp,
        "description": "",
        "tags": [],
    })
}
