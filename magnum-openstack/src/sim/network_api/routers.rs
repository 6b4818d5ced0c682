//! Routers.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{Authenticated, JsonBody, Params, answer, empty, flag, text};
use super::super::world::World;
use super::super::world::identity::Caller;
use super::super::world::network::{Port, Router, RouterSpec};
use super::networks::{visible_network, visible_subnet};
use super::{Answer, filtered, owns};

pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let all = world
        .network
        .routers()
        .filter(|router| owns(&caller, &router.project_id));
    let shown = all.map(|router| show_router(&world, router)).collect();
    Ok(answer(200, json!({"routers": filtered(shown, &params)})))
}

pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"router": show_router(&world, visible_router(&world, &caller, &id)?)}),
    ))
}

pub(super) async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    let spec = RouterSpec {
        name: text(&body, &["router", "name"]).unwrap_or_default(),
        external_network_id: text(&body, &["router", "external_gateway_info", "network_id"]),
        admin_state_up: flag(&body, &["router", "admin_state_up"]),
    };
    if let Some(network) = &spec.external_network_id {
        visible_network(&world, &caller, network)?;
    }
    let router = world.create_router(caller.project(), spec)?;
    Ok(answer(201, json!({"router": show_router(&world, &router)})))
}

pub(super) async fn update(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    visible_router(&world, &caller, &id)?;
    if let Some(gateway) = body
        .get("router")
        .and_then(|router| router.get("external_gateway_info"))
    {
        let network = text(gateway, &["network_id"]);
        if let Some(network) = &network {
            visible_network(&world, &caller, network)?;
        }
        world.set_router_gateway(&id, network.as_deref())?;
    }
    if let Some(name) = text(&body, &["router", "name"])
        && let Some(router) = world.network.routers.get_mut(&id)
    {
        router.name = name;
    }
    Ok(answer(
        200,
        json!({"router": show_router(&world, world.find_router(&id)?)}),
    ))
}

pub(super) async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    visible_router(&world, &caller, &id)?;
    world.delete_router(&id)?;
    Ok(empty(204))
}

pub(super) async fn add_interface(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    visible_router(&world, &caller, &id)?;
    let subnet = named_subnet(&world, &caller, &body)?;
    let port = world.add_router_interface(&id, &subnet)?;
    Ok(show_interface(&id, &subnet, &port))
}

pub(super) async fn remove_interface(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    visible_router(&world, &caller, &id)?;
    let subnet = named_subnet(&world, &caller, &body)?;
    let port = world.remove_router_interface(&id, &subnet)?;
    Ok(show_interface(&id, &subnet, &port))
}

/// The subnet that a body names, itself or by a port on it.
fn named_subnet(world: &World, caller: &Caller, body: &Value) -> Result<String, ApiFault> {
    let by_port = || {
        let port = world.find_port(&text(body, &["port_id"])?).ok()?;
        port.fixed_ips.first().map(|ip| ip.subnet_id.clone())
    };
    let id = text(body, &["subnet_id"]).or_else(by_port).ok_or_else(|| {
        ApiFault::bad_request(
            "BadRequest",
            "Bad router request: Either subnet_id or port_id must be specified.",
        )
    })?;
    visible_subnet(world, caller, &id)?;
    Ok(id)
}

fn visible_router<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a Router, ApiFault> {
    let router = world.find_router(id)?;
    if owns(caller, &router.project_id) {
        return Ok(router);
    }
    Err(ApiFault::not_found(
        "RouterNotFound",
        format!("Router {id} could not be found"),
    ))
}

fn show_interface(router: &str, subnet: &str, port: &Port) -> Response {
    answer(
        200,
        json!({
            "id": router,
            "tenant_id": port.project_id,
            "project_id": port.project_id,
            "port_id": port.id,
            "network_id": port.network_id,
            "subnet_id": subnet,
            "subnet_ids": [subnet],
            "tags": [],
        }),
    )
}

fn show_router(world: &World, router: &Router) -> Value {
    let gateway = router.gateway.as_ref().map(|gateway| {
        let fixed: Vec<Value> = gateway
            .ip_address
            .iter()
            .map(|ip| json!({"ip_address": ip, "subnet_id": gateway.subnet_id}))
            .collect();
        json!({"network_id": gateway.network_id, "enable_snat": true, "external_fixed_ips": fixed})
    });
    json!({
        "id": router.id,
        "name": router.name,
        "project_id": router.project_id,
        "tenant_id": router.project_id,
        "admin_state_up": router.admin_state_up,
        "status": router.status(world.now()),
        "external_gateway_info": gateway,
        "routes": [],
        "availability_zones": [],
        "availability_zone_hints": [],
        "description": "",
        "tags": [],
    })
}
