//! Ports and floating IPs.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{
    Authenticated, JsonBody, Params, answer, at, empty, flag, required, text, texts,
};
use super::super::world::World;
use super::super::world::identity::Caller;
use super::super::world::network::port::PortChange;
use super::super::world::network::{AddressPair, FixedIpRequest, FloatingIp, FloatingIpSpec, Port, PortSpec};
use super::networks::visible_network;
use super::{Answer, filtered, owns};

pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let all = world
        .network
        .ports()
        .filter(|port| port_is_visible(&world, &caller, port));
    let shown = all.map(|port| show_port(&world, port)).collect();
    Ok(answer(200, json!({"ports": filtered(shown, &params)})))
}

pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"port": show_port(&world, visible_port(&world, &caller, &id)?)}),
    ))
}

pub(super) async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    let network_id = required(&body, &["port", "network_id"])?;
    visible_network(&world, &caller, &network_id)?;
    let fixed_ips = at(&body, &["port", "fixed_ips"]).and_then(Value::as_array);
    let spec = PortSpec {
        name: text(&body, &["port", "name"]).unwrap_or_default(),
        network_id,
        fixed_ips: fixed_ips
            .into_iter()
            .flatten()
            .map(|ip| FixedIpRequest {
                subnet_id: text(ip, &["subnet_id"]),
                ip_address: text(ip, &["ip_address"]),
            })
            .collect(),
        security_groups: texts(&body, &["port", "security_groups"]),
        allowed_address_pairs: pairs(&body).unwrap_or_default(),
        device_id: text(&body, &["port", "device_id"]).unwrap_or_default(),
        device_owner: text(&body, &["port", "device_owner"]).unwrap_or_default(),
        admin_state_up: flag(&body, &["port", "admin_state_up"]),
    };
    let port = world.create_port(caller.project(), spec)?;
    Ok(answer(201, json!({"port": show_port(&world, &port)})))
}

pub(super) async fn update(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    visible_port(&world, &caller, &id)?;
    let change = PortChange {
        name: text(&body, &["port", "name"]),
        security_groups: texts(&body, &["port", "security_groups"]),
        allowed_address_pairs: pairs(&body),
        device_id: text(&body, &["port", "device_id"]),
        device_owner: text(&body, &["port", "device_owner"]),
    };
    let port = world.update_port(&id, change)?;
    Ok(answer(200, json!({"port": show_port(&world, &port)})))
}

pub(super) async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    visible_port(&world, &caller, &id)?;
    world.delete_port(&id)?;
    Ok(empty(204))
}

pub(super) async fn list_floating_ips(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let all = world
        .network
        .floating_ips()
        .filter(|f| owns(&caller, &f.project_id));
    let shown = all
        .map(|floating_ip| show_one_floating_ip(&world, floating_ip))
        .collect();
    Ok(answer(200, json!({"floatingips": filtered(shown, &params)})))
}

pub(super) async fn show_floating_ip(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    let floating_ip = visible_floating_ip(&world, &caller, &id)?;
    Ok(answer(
        200,
        json!({"floatingip": show_one_floating_ip(&world, floating_ip)}),
    ))
}

pub(super) async fn create_floating_ip(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    let spec = FloatingIpSpec {
        floating_network_id: required(&body, &["floatingip", "floating_network_id"])?,
        port_id: text(&body, &["floatingip", "port_id"]),
        fixed_ip_address: text(&body, &["floatingip", "fixed_ip_address"]),
        description: text(&body, &["floatingip", "description"]).unwrap_or_default(),
    };
    visible_network(&world, &caller, &spec.floating_network_id)?;
    if let Some(port) = &spec.port_id {
        visible_port(&world, &caller, port)?;
    }
    let floating_ip = world.create_floating_ip(caller.project(), spec)?;
    Ok(answer(
        201,
        json!({"floatingip": show_one_floating_ip(&world, &floating_ip)}),
    ))
}

pub(super) async fn update_floating_ip(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    visible_floating_ip(&world, &caller, &id)?;
    let port = text(&body, &["floatingip", "port_id"]);
    if let Some(port) = &port {
        visible_port(&world, &caller, port)?;
    }
    let fixed_ip = text(&body, &["floatingip", "fixed_ip_address"]);
    let floating_ip = world.associate_floating_ip(&id, port.as_deref(), fixed_ip.as_deref())?;
    Ok(answer(
        200,
        json!({"floatingip": show_one_floating_ip(&world, &floating_ip)}),
    ))
}

pub(super) async fn remove_floating_ip(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    visible_floating_ip(&world, &caller, &id)?;
    world.delete_floating_ip(&id)?;
    Ok(empty(204))
}

fn pairs(body: &Value) -> Option<Vec<AddressPair>> {
    let items = at(body, &["port", "allowed_address_pairs"])?.as_array()?;
    Some(
        items
            .iter()
            .filter_map(|pair| {
                let ip_address = text(pair, &["ip_address"])?;
                Some(AddressPair {
                    ip_address,
                    mac_address: text(pair, &["mac_address"]),
                })
            })
            .collect(),
    )
}

/// A port shows itself to its project and to the owner of its network.
fn port_is_visible(world: &World, caller: &Caller, port: &Port) -> bool {
    let network_owner = world
        .find_network(&port.network_id)
        .map(|n| n.project_id.as_str())
        .unwrap_or_default();
    owns(caller, &port.project_id) || owns(caller, network_owner)
}

fn visible_port<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a Port, ApiFault> {
    let port = world.find_port(id)?;
    if port_is_visible(world, caller, port) {
        return Ok(port);
    }
    Err(ApiFault::not_found(
        "PortNotFound",
        format!("Port {id} could not be found."),
    ))
}

fn visible_floating_ip<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a FloatingIp, ApiFault> {
    let floating_ip = world.find_floating_ip(id)?;
    if owns(caller, &floating_ip.project_id) {
        return Ok(floating_ip);
    }
    Err(ApiFault::not_found(
        "FloatingIPNotFound",
        format!("Floating IP {id} could not be found"),
    ))
}

fn show_port(world: &World, port: &Port) -> Value {
    let fixed_ips: Vec<Value> = port
        .fixed_ips
        .iter()
        .map(|ip| json!({"subnet_id": ip.subnet_id, "ip_address": ip.ip_address}))
        .collect();
    let pairs: Vec<Value> = port
        .allowed_address_pairs
        .iter()
        .map(|pair| {
            let mac = pair.mac_address.as_ref().unwrap_or(&port.mac_address);
            json!({"ip_address": pair.ip_address, "mac_address": mac})
        })
        .collect();
    json!({
        "id": port.id,
        "name": port.name,
        "project_id": port.project_id,
        "tenant_id": port.project_id,
        "network_id": port.network_id,
        "mac_address": port.mac_address,
        "fixed_ips": fixed_ips,
        "security_groups": port.security_groups,
        "allowed_address_pairs": pairs,
        "device_id": port.device_id,
        "device_owner": port.device_owner,
        "admin_state_up": port.admin_state_up,
        "status": world.port_status(port),
        "binding:vnic_type": "normal",
        "port_security_enabled": true,
        "description": "",
        "tags": [],
    })
}

fn show_one_floating_ip(world: &World, floating_ip: &FloatingIp) -> Value {
    let details = floating_ip
        .port_id
        .as_ref()
        .and_then(|id| world.find_port(id).ok())
        .map(|port| {
            json!({
                "name": port.name,
                "network_id": port.network_id,
                "mac_address": port.mac_address,
                "admin_state_up": port.admin_state_up,
                "status": world.port_status(port),
                "device_id": port.device_id,
                "device_owner": port.device_owner,
            })
        });
    json!({
        "id": floating_ip.id,
        "project_id": floating_ip.project_id,
        "tenant_id": floating_ip.project_id,
        "floating_network_id": floating_ip.floating_network_id,
        "floating_ip_address": floating_ip.floating_ip_address,
        "fixed_ip_address": floating_ip.fixed_ip_address,
        "port_id": floating_ip.port_id,
        "router_id": floating_ip.router_id,
        "status": floating_ip.status(),
        "description": floating_ip.description,
        "port_details": details,
        "tags": [],
    })
}
