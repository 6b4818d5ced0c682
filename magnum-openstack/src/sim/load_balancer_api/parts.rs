//! Listeners, pools, members and health monitors: one handler for each verb.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::views::show_part;
use super::{Answer, Refused, is_asked_for, may};
use crate::sim::ApiFault;
use crate::sim::cloud::SimCloud;
use crate::sim::http_api::{Authenticated, JsonBody, Params, answer, at, empty, text};
use crate::sim::world::World;
use crate::sim::world::identity::Caller;
use crate::sim::world::load_balancing::{Part, PartKind, PartSpec};

/// What in a body is not a setting: names, and what a part hangs on.
const NO_SETTINGS: &[&str] = &[
    "name",
    "loadbalancer_id",
    "listener_id",
    "pool_id",
    "project_id",
    "tenant_id",
];

pub(super) fn routes() -> Router<SimCloud> {
    let mut routes = Router::new();
    for (kind, path) in [
        (PartKind::Listener, "/listeners"),
        (PartKind::Pool, "/pools"),
        (PartKind::HealthMonitor, "/healthmonitors"),
    ] {
        let all = get(
            move |State(cloud): State<SimCloud>, caller: Authenticated, params: Params| async move {
                list(&cloud, &caller.0, kind, None, &params)
            },
        )
        .post(
            move |State(cloud): State<SimCloud>, caller: Authenticated, body: JsonBody| async move {
                create(&cloud, &caller.0, kind, None, &body.0)
            },
        );
        routes = routes
            .route(path, all)
            .route(&format!("{path}/{{id}}"), get(show).put(change).delete(remove));
    }
    routes
        .route(
            "/pools/{pool}/members",
            get(members).post(add_member).put(set_members),
        )
        .route(
            "/pools/{pool}/members/{id}",
            get(show_member).put(change_member).delete(remove_member),
        )
}

fn list(cloud: &SimCloud, caller: &Caller, kind: PartKind, pool: Option<&str>, params: &Params) -> Answer {
    may(caller)?;
    let world = cloud.world();
    let found: Vec<Value> = world
        .load_balancing
        .parts()
        .filter(|part| part.kind == kind && is_visible(part, caller))
        .filter(|part| pool.is_none_or(|pool| part.parent_id == pool))
        .filter(|part| {
            let on = params.0.get("loadbalancer_id");
            on.is_none_or(|balancer| part.load_balancer_id == *balancer)
        })
        .map(|part| show_part(&world, part))
        .filter(|shown| is_asked_for(shown, &params.0))
        .collect();
    let (plural, links) = (format!("{}s", kind.key()), format!("{}s_links", kind.key()));
    Ok(answer(200, json!({plural: found, links: []})))
}

fn create(cloud: &SimCloud, caller: &Caller, kind: PartKind, pool: Option<&str>, body: &Value) -> Answer {
    may(caller)?;
    let body = at(body, &[kind.key()]).cloned().unwrap_or_default();
    let parent_id = match pool {
        Some(pool) => pool.to_owned(),
        None => parent(kind, &body)?,
    };
    let mut world = cloud.world();
    let name = text(&body, &["name"]).unwrap_or_default();
    let spec = PartSpec {
        kind,
        fails_with: world.resource_failure(kind.resource_type(), &name),
        name,
        parent_id,
        settings: settings(&body),
    };
    let part = world.create_load_balancer_part(caller.project(), spec)?;
    Ok(shown(201, &world, &part))
}

/// What a new part is to hang on.
fn parent(kind: PartKind, body: &Value) -> Result<String, ApiFault> {
    let keys: &[&str] = match kind {
        PartKind::Listener => &["loadbalancer_id"],
        PartKind::Pool => &["listener_id", "loadbalancer_id"],
        PartKind::Member | PartKind::HealthMonitor => &["pool_id"],
    };
    keys.iter().find_map(|key| text(body, &[key])).ok_or_else(|| {
        let key = keys.last().copied().unwrap_or_default();
        ApiFault::bad_request(
            "Client",
            format!("Invalid input for field/attribute {key}. Value: 'None'. Mandatory field missing."),
        )
    })
}

/// The settings in a body.
fn settings(body: &Value) -> Map<String, Value> {
    let entries = body.as_object().into_iter().flatten();
    entries
        .filter(|(key, value)| !NO_SETTINGS.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    may(&caller)?;
    let world = cloud.world();
    let part = own_part(&world, &caller, &id)?;
    Ok(shown(200, &world, part))
}

async fn change(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    may(&caller)?;
    let mut world = cloud.world();
    let kind = own_part(&world, &caller, &id)?.kind;
    let body = at(&body, &[kind.key()]).cloned().unwrap_or_default();
    let part = world.update_load_balancer_part(&id, text(&body, &["name"]), settings(&body), None)?;
    Ok(shown(200, &world, &part))
}

async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    may(&caller)?;
    let mut world = cloud.world();
    own_part(&world, &caller, &id)?;
    world.delete_load_balancer_part(&id)?;
    Ok(empty(204))
}

async fn members(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<String>,
    params: Params,
) -> Answer {
    own_part(&cloud.world(), &caller, &pool)?;
    list(&cloud, &caller, PartKind::Member, Some(&pool), &params)
}

async fn add_member(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    create(&cloud, &caller, PartKind::Member, Some(&pool), &body)
}

/// The members of a pool, all at once: who is not named goes.
async fn set_members(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(pool): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    may(&caller)?;
    let mut world = cloud.world();
    own_part(&world, &caller, &pool)?;
    let members = at(&body, &["members"]).and_then(Value::as_array).cloned();
    let specs = members
        .iter()
        .flatten()
        .map(|member| PartSpec {
            kind: PartKind::Member,
            name: text(member, &["name"]).unwrap_or_default(),
            parent_id: pool.clone(),
            settings: settings(member),
            fails_with: None,
        })
        .collect();
    world.set_pool_members(caller.project(), &pool, specs)?;
    Ok(empty(202))
}

async fn show_member(
    state: State<SimCloud>,
    caller: Authenticated,
    Path((_, id)): Path<(String, String)>,
) -> Answer {
    show(state, caller, Path(id)).await
}

async fn change_member(
    state: State<SimCloud>,
    caller: Authenticated,
    Path((_, id)): Path<(String, String)>,
    body: JsonBody,
) -> Answer {
    change(state, caller, Path(id), body).await
}

async fn remove_member(
    state: State<SimCloud>,
    caller: Authenticated,
    Path((_, id)): Path<(String, String)>,
) -> Answer {
    remove(state, caller, Path(id)).await
}

fn is_visible(part: &Part, caller: &Caller) -> bool {
    caller.is_admin() || part.project_id == caller.project()
}

fn own_part<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a Part, Refused> {
    let part = world.find_load_balancer_part(id)?;
    if is_visible(part, caller) {
        return Ok(part);
    }
    Err(ApiFault::not_found("Client", format!("{id} not found.")).into())
}

fn shown(status: u16, world: &World, part: &Part) -> Response {
    answer(status, json!({part.kind.key(): show_part(world, part)}))
}
