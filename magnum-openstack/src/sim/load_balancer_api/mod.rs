//! Octavia's API, version 2: what tests and an engine's clean-up need of it.

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, required, text, texts};
use super::world::World;
use super::world::identity::Caller;
use super::world::load_balancing::{LoadBalancer, LoadBalancerSpec, PartKind};

/// A refusal in Octavia's shape.
struct Refused(ApiFault);

impl From<ApiFault> for Refused {
    fn from(fault: ApiFault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let ApiFault { status, message, .. } = self.0;
        answer(
            status,
            json!({"faultcode": "Client", "faultstring": message, "debuginfo": null}),
        )
    }
}

type Answer = Result<Response, Refused>;

pub(super) fn routes() -> Router<SimCloud> {
    Router::new()
        .route("/v2/lbaas/loadbalancers", get(list).post(create))
        .route("/v2/lbaas/loadbalancers/{balancer}", get(show).delete(remove))
        // Clients disagree on the version's spelling; Octavia takes both.
        .route("/v2.0/lbaas/loadbalancers", get(list).post(create))
        .route("/v2.0/lbaas/loadbalancers/{balancer}", get(show).delete(remove))
}

async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    may(&caller)?;
    let world = cloud.world();
    let found: Vec<Value> = world
        .load_balancing
        .balancers()
        .filter(|balancer| caller.is_admin() || balancer.project_id == caller.project())
        .map(|balancer| show_balancer(&world, balancer))
        .filter(|shown| {
            params.iter().all(|(key, wanted)| match shown.get(key) {
                Some(Value::String(value)) => value == wanted,
                Some(Value::Array(tags)) => wanted.split(',').all(|tag| tags.iter().any(|t| t == tag)),
                _ => true,
            })
        })
        .collect();
    Ok(answer(
        200,
        json!({"loadbalancers": found, "loadbalancers_links": []}),
    ))
}

async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    may(&caller)?;
    let body = at(&body, &["loadbalancer"]).cloned().unwrap_or_default();
    let mut world = cloud.world();
    let name = text(&body, &["name"]).unwrap_or_default();
    let spec = LoadBalancerSpec {
        description: text(&body, &["description"]).unwrap_or_default(),
        vip_subnet_id: required(&body, &["vip_subnet_id"])?,
        vip_address: text(&body, &["vip_address"]),
        tags: texts(&body, &["tags"]).unwrap_or_default(),
        fails_with: world.resource_failure("OS::Octavia::LoadBalancer", &name),
        name,
    };
    let balancer = world.create_load_balancer(caller.project(), spec)?;
    Ok(answer(
        201,
        json!({"loadbalancer": show_balancer(&world, &balancer)}),
    ))
}

async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    may(&caller)?;
    let world = cloud.world();
    let balancer = own_balancer(&world, &caller, &id)?;
    Ok(answer(
        200,
        json!({"loadbalancer": show_balancer(&world, balancer)}),
    ))
}

async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    Params { 0: params }: Params,
) -> Answer {
    may(&caller)?;
    let mut world = cloud.world();
    own_balancer(&world, &caller, &id)?;
    let cascade = params
        .get("cascade")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    world.delete_load_balancer(&id, cascade)?;
    Ok(empty(204))
}

/// Octavia's default policy wants a role of its own.
fn may(caller: &Caller) -> Result<(), ApiFault> {
    if caller.has_role("load-balancer_member") || caller.has_role("admin") {
        return Ok(());
    }
    Err(ApiFault::forbidden(
        "Policy does not allow this request to be performed.",
    ))
}

fn own_balancer<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a LoadBalancer, ApiFault> {
    let balancer = world.find_load_balancer(id)?;
    if caller.is_admin() || balancer.project_id == caller.project() {
        return Ok(balancer);
    }
    Err(ApiFault::not_found(
        "Client",
        format!("Load Balancer {id} not found."),
    ))
}

fn show_balancer(world: &World, balancer: &LoadBalancer) -> Value {
    let parts = |kind: PartKind| -> Vec<Value> {
        world
            .load_balancing
            .parts()
            .filter(|part| part.load_balancer_id == balancer.id && part.kind == kind)
            .map(|part| json!({"id": part.id}))
            .collect()
    };
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
        "admin_state_up": true,
        "vip_address": balancer.vip_address,
        "vip_port_id": balancer.vip_port_id,
        "vip_subnet_id": balancer.vip_subnet_id,
        "vip_network_id": network,
        "listeners": parts(PartKind::Listener),
        "pools": parts(PartKind::Pool),
        "provider": "amphora",
        "tags": balancer.tags,
        "created_at": format!("{:.0}", balancer.created_at).trim_end_matches('Z'),
    })
}
