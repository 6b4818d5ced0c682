//! Neutron's API, version 2.0.

mod networks;
mod ports;
mod routers;
mod security_groups;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, put};
use serde_json::{Map, Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::{Authenticated, answer};
use super::world::identity::Caller;

/// A refusal in Neutron's shape.
pub(super) struct Refused(ApiFault);

impl From<ApiFault> for Refused {
    fn from(fault: ApiFault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let ApiFault {
            status,
            kind,
            message,
        } = self.0;
        answer(
            status,
            json!({"NeutronError": {"type": kind, "message": message, "detail": ""}}),
        )
    }
}

pub(super) type Answer = Result<Response, Refused>;

pub(super) fn routes() -> Router<SimCloud> {
    Router::new()
        .route("/", get(versions))
        .route("/v2.0/networks", get(networks::list).post(networks::create))
        .route(
            "/v2.0/networks/{id}",
            get(networks::show).delete(networks::remove),
        )
        .route(
            "/v2.0/subnets",
            get(networks::list_subnets).post(networks::create_subnet),
        )
        .route(
            "/v2.0/subnets/{id}",
            get(networks::show_subnet).delete(networks::remove_subnet),
        )
        .route("/v2.0/ports", get(ports::list).post(ports::create))
        .route(
            "/v2.0/ports/{id}",
            get(ports::show).put(ports::update).delete(ports::remove),
        )
        .route(
            "/v2.0/floatingips",
            get(ports::list_floating_ips).post(ports::create_floating_ip),
        )
        .route(
            "/v2.0/floatingips/{id}",
            get(ports::show_floating_ip)
                .put(ports::update_floating_ip)
                .delete(ports::remove_floating_ip),
        )
        .route("/v2.0/routers", get(routers::list).post(routers::create))
        .route(
            "/v2.0/routers/{id}",
            get(routers::show).put(routers::update).delete(routers::remove),
        )
        .route(
            "/v2.0/routers/{id}/add_router_interface",
            put(routers::add_interface),
        )
        .route(
            "/v2.0/routers/{id}/remove_router_interface",
            put(routers::remove_interface),
        )
        .route(
            "/v2.0/security-groups",
            get(security_groups::list).post(security_groups::create),
        )
        .route(
            "/v2.0/security-groups/{id}",
            get(security_groups::show).delete(security_groups::remove),
        )
        .route(
            "/v2.0/security-group-rules",
            get(security_groups::list_rules).post(security_groups::create_rule),
        )
        .route(
            "/v2.0/security-group-rules/{id}",
            delete(security_groups::remove_rule),
        )
        .route("/v2.0/quotas/{project}", get(quotas))
        .route("/v2.0/quotas/{project}/details.json", get(quota_details))
}

async fn versions(State(cloud): State<SimCloud>) -> Response {
    let href = format!("{}/networking/v2.0/", cloud.base_url());
    answer(
        200,
        json!({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": href}]}]}),
    )
}

async fn quotas(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(project): Path<String>,
) -> Answer {
    let project = quota_project(&caller, &project)?;
    let quotas: Map<String, Value> = cloud
        .world()
        .network_quotas(project)
        .into_iter()
        .map(|(resource, limit)| (resource.to_owned(), json!(limit)))
        .collect();
    Ok(answer(200, json!({ "quota": quotas })))
}

async fn quota_details(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(project): Path<String>,
) -> Answer {
    let project = quota_project(&caller, &project)?;
    let world = cloud.world();
    let quotas: Map<String, Value> = world
        .network_quotas(project)
        .into_iter()
        .map(|(resource, limit)| {
            let used = world.network_usage(project, resource);
            (
                resource.to_owned(),
                json!({"limit": limit, "used": used, "reserved": 0}),
            )
        })
        .collect();
    Ok(answer(200, json!({ "quota": quotas })))
}

fn quota_project<'a>(caller: &Caller, project: &'a str) -> Result<&'a str, ApiFault> {
    let project = project.strip_suffix(".json").unwrap_or(project);
    if caller.project() != project && !caller.is_admin() {
        return Err(not_authorized("get_quota"));
    }
    Ok(project)
}

/// 403 with the wording of Neutron's policy engine.
pub(super) fn not_authorized(rule: &str) -> ApiFault {
    ApiFault::new(
        403,
        "PolicyNotAuthorized",
        format!("rule:{rule} is disallowed by policy"),
    )
}

/// Keeps of `items` what fits the query: every parameter that is a field must equal it.
pub(super) fn filtered(items: Vec<Value>, params: &BTreeMap<String, String>) -> Vec<Value> {
    items
        .into_iter()
        .filter(|item| {
            params.iter().all(|(key, wanted)| match item.get(key) {
                Some(value) => field_is(value, wanted),
                // Parameters that are no fields do not filter, such as `limit` and `fields`.
                None => true,
            })
        })
        .collect()
}

fn field_is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Bool(truth) => {
            matches!(
                (truth, wanted.to_ascii_lowercase().as_str()),
                (true, "true" | "1") | (false, "false" | "0")
            )
        }
        Value::Null => wanted.is_empty(),
        Value::Array(items) if wanted.contains('=') => {
            // As in `fixed_ips=subnet_id=ID`.
            wanted.split_once('=').is_some_and(|(key, wanted)| {
                items
                    .iter()
                    .any(|item| item.get(key).is_some_and(|value| field_is(value, wanted)))
            })
        }
        Value::Array(items) => items.iter().any(|item| field_is(item, wanted)),
        Value::Number(number) => number.to_string() == wanted,
        Value::Object(_) => false,
    }
}

/// Whether a thing of `owner` is the caller's to change.
pub(super) fn owns(caller: &Caller, owner: &str) -> bool {
    caller.is_admin() || caller.project() == owner && !owner.is_empty()
}
