//! Octavia's API, version 2: what tests, an engine's clean-up and Kubernetes' cloud provider need of it.

mod parts;
#[cfg(test)]
mod tests;
pub(super) mod views;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, flag, text, texts};
use super::world::World;
use super::world::identity::Caller;
use super::world::load_balancing::{LoadBalancer, LoadBalancerChange, LoadBalancerSpec};
use views::show_balancer;

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
    let all = Router::new()
        .route("/loadbalancers", get(list).post(create))
        .route("/loadbalancers/{balancer}", get(show).put(change).delete(remove))
        .merge(parts::routes());
    // Clients disagree on the version's spelling; Octavia takes both.
    Router::new()
        .nest("/v2/lbaas", all.clone())
        .nest("/v2.0/lbaas", all)
}

/// Whether something shown has what a list's query asks for.
fn is_asked_for(shown: &Value, params: &BTreeMap<String, String>) -> bool {
    params.iter().all(|(key, wanted)| match shown.get(key) {
        Some(Value::String(value)) => value == wanted,
        Some(Value::Array(tags)) => wanted.split(',').all(|tag| tags.iter().any(|t| t == tag)),
        Some(Value::Bool(value)) => wanted.eq_ignore_ascii_case(if *value { "true" } else { "false" }),
        Some(Value::Number(value)) => value.as_i64() == wanted.parse().ok(),
        _ => true,
    })
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
        .filter(|shown| is_asked_for(shown, &params))
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
        vip_subnet_id: text(&body, &["vip_subnet_id"]).unwrap_or_default(),
        vip_network_id: text(&body, &["vip_network_id"]),
        provider: text(&body, &["provider"]),
        flavor_id: text(&body, &["flavor_id"]),
        availability_zone: text(&body, &["availability_zone"]),
        admin_state_up: flag(&body, &["admin_state_up"]),
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

async fn change(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    may(&caller)?;
    let body = at(&body, &["loadbalancer"]).cloned().unwrap_or_default();
    let mut world = cloud.world();
    own_balancer(&world, &caller, &id)?;
    let change = LoadBalancerChange {
        name: text(&body, &["name"]),
        description: text(&body, &["description"]),
        admin_state_up: flag(&body, &["admin_state_up"]),
        tags: texts(&body, &["tags"]),
        fails_with: None,
    };
    let balancer = world.update_load_balancer(&id, change)?;
    Ok(answer(
        200,
        json!({"loadbalancer": show_balancer(&world, &balancer)}),
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
