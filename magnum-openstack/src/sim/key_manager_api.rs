//! Barbican's API, version 1.

mod search;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use magnum_core::Secret;
use serde_json::{Value, json};

use self::search::{decoded, like};
use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, required, text};
use super::world::World;
use super::world::identity::Caller;
use super::world::key_manager::{Container, ContainerSpec, SecretSpec, StoredSecret};

/// A refusal in Barbican's shape.
struct Refused(ApiFault);

impl From<ApiFault> for Refused {
    fn from(fault: ApiFault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let ApiFault { status, message, .. } = self.0;
        let title = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|s| s.canonical_reason())
            .unwrap_or("Error");
        answer(
            status,
            json!({"code": status, "title": title, "description": message}),
        )
    }
}

type Answer = Result<Response, Refused>;

/// In what a payload can be asked for.
const PAYLOADS: [&str; 4] = [
    "*/*",
    "text/plain",
    "application/octet-stream",
    "application/pkcs8",
];

pub(super) fn routes() -> Router<SimCloud> {
    Router::new()
        .route("/", get(versions))
        .route("/v1/secrets", get(list_secrets).post(create_secret))
        .route("/v1/secrets/{secret}", get(show_secret).delete(remove_secret))
        .route("/v1/secrets/{secret}/payload", get(payload))
        .route("/v1/secrets/{secret}/acl", get(secret_acl).put(set_secret_acl))
        .route("/v1/containers", get(list_containers).post(create_container))
        .route(
            "/v1/containers/{container}",
            get(show_container).delete(remove_container),
        )
        .route(
            "/v1/containers/{container}/acl",
            get(container_acl).put(set_container_acl),
        )
        .route(
            "/v1/containers/{container}/consumers",
            get(list_consumers).post(add_consumer),
        )
}

async fn versions(State(cloud): State<SimCloud>) -> Response {
    let href = format!("{}/key-manager/v1/", cloud.base_url());
    answer(
        300,
        json!({"versions": {"values": [
            {"id": "v1", "status": "stable", "links": [{"rel": "self", "href": href}], "media-types": []},
        ]}}),
    )
}

async fn create_secret(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    may_create(&caller)?;
    let expiration = match text(&body, &["expiration"]) {
        None => None,
        Some(written) => Some(written.parse().map_err(|_| {
            ApiFault::bad_request(
                "InvalidObject",
                "Provided object does not match schema 'Secret': Invalid date for 'expiration'",
            )
        })?),
    };
    let spec = SecretSpec {
        name: text(&body, &["name"]),
        user_id: caller.user_id.clone(),
        secret_type: text(&body, &["secret_type"]),
        content_type: text(&body, &["payload_content_type"]),
        payload: text(&body, &["payload"]).map(Secret::new),
        expiration,
    };
    let mut world = cloud.world();
    let secret = world.create_secret(caller.project(), spec)?;
    Ok(answer(201, json!({"secret_ref": secret_ref(&world, &secret.id)})))
}

async fn list_secrets(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let wanted = params
        .get("name")
        .filter(|name| !name.is_empty())
        .map(|name| decoded(name));
    let found: Vec<&StoredSecret> = world
        .key_manager
        .secrets()
        .filter(|secret| world.find_secret(caller.project(), &secret.id).is_ok())
        .filter(|secret| {
            let name = secret.name.as_deref().unwrap_or_default();
            wanted.as_deref().is_none_or(|wanted| like(name, wanted))
        })
        .filter(|secret| {
            params
                .get("secret_type")
                .is_none_or(|kind| secret.secret_type == *kind)
        })
        .collect();
    let (page, total) = paged(&found, &params);
    let shown: Vec<Value> = page
        .iter()
        .map(|secret| describe_secret(&world, secret))
        .collect();
    Ok(answer(200, json!({"secrets": shown, "total": total})))
}

async fn show_secret(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        describe_secret(&world, world.find_secret(caller.project(), &id)?),
    ))
}

async fn payload(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let world = cloud.world();
    let secret = world.find_secret(caller.project(), &id)?;
    may_read(&caller, &secret.user_id, secret.readers.as_deref())?;
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|kind| !PAYLOADS.contains(&kind)) {
        let message = "Secret payload retrieval issue seen - accept type not supported.";
        return Err(ApiFault::new(406, "NotAcceptable", message).into());
    }
    let (Some(payload), Some(kind)) = (&secret.payload, &secret.content_type) else {
        return Err(ApiFault::not_found("NotFound", "Secret has no payload.").into());
    };
    // Bytes are stored as the base64 in which they came.
    let bytes = if kind.starts_with("text/") {
        payload.expose().as_bytes().to_vec()
    } else {
        BASE64_STANDARD
            .decode(payload.expose())
            .unwrap_or_else(|_| payload.expose().as_bytes().to_vec())
    };
    Ok(([(CONTENT_TYPE, kind.clone())], bytes).into_response())
}

async fn secret_acl(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    let secret = world.find_secret(caller.project(), &id)?;
    Ok(answer(200, acl(secret.readers.as_deref())))
}

async fn set_secret_acl(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    may_restrict(&caller, &world.find_secret(caller.project(), &id)?.user_id)?;
    let readers = readers(&body)?;
    if let Some(secret) = world.key_manager.secrets.get_mut(&id) {
        secret.readers = readers;
    }
    Ok(answer(
        200,
        json!({"acl_ref": format!("{}/acl", secret_ref(&world, &id))}),
    ))
}

async fn container_acl(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    let container = world.find_container(caller.project(), &id)?;
    Ok(answer(200, acl(container.readers.as_deref())))
}

async fn set_container_acl(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    may_restrict(&caller, &world.find_container(caller.project(), &id)?.user_id)?;
    let readers = readers(&body)?;
    if let Some(container) = world.key_manager.containers.get_mut(&id) {
        container.readers = readers;
    }
    Ok(answer(
        200,
        json!({"acl_ref": format!("{}/acl", container_ref(&world, &id))}),
    ))
}

/// An access list as Barbican shows it: without one everybody in the project reads.
fn acl(readers: Option<&[String]>) -> Value {
    match readers {
        None => json!({"read": {"project-access": true}}),
        Some(users) => json!({"read": {"users": users, "project-access": false}}),
    }
}

fn readers(body: &Value) -> Result<Option<Vec<String>>, ApiFault> {
    let invalid = || {
        ApiFault::bad_request(
            "InvalidObject",
            "Provided object does not match schema 'ACL': Additional or missing properties. Invalid property: 'read'",
        )
    };
    let read = at(body, &["read"])
        .and_then(Value::as_object)
        .ok_or_else(invalid)?;
    let everybody = read.get("project-access").is_none_or(|all| all == &json!(true));
    let users = read.get("users").and_then(Value::as_array);
    let users = users.into_iter().flatten().filter_map(Value::as_str);
    Ok((!everybody).then(|| users.map(ToOwned::to_owned).collect()))
}

/// Barbican lets the creator, and administrators of the project, say who may read.
fn may_restrict(caller: &Caller, creator: &str) -> Result<(), ApiFault> {
    if caller.has_role("admin") || (caller.has_role("creator") && caller.user_id == creator) {
        return Ok(());
    }
    Err(ApiFault::forbidden(
        "ACL(s) update attempt not allowed - please review your user/project privileges",
    ))
}

/// Whether a caller may read what has this access list.
fn may_read(caller: &Caller, creator: &str, readers: Option<&[String]>) -> Result<(), ApiFault> {
    let listed = readers.is_none_or(|users| users.contains(&caller.user_id));
    if listed || caller.has_role("admin") || caller.user_id == creator {
        return Ok(());
    }
    Err(ApiFault::forbidden(
        "Secret payload retrieval attempt not allowed - please review your user/project privileges",
    ))
}

async fn remove_secret(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    cloud.world().delete_secret(caller.project(), &id)?;
    Ok(empty(204))
}

async fn create_container(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    may_create(&caller)?;
    let secrets = at(&body, &["secret_refs"]).and_then(Value::as_array);
    // Barbican wants its own URLs to the letter.
    let own =
        |item: &Value| text(item, &["secret_ref"]).is_some_and(|url| url.starts_with(&cloud.base_url()));
    if !secrets.into_iter().flatten().all(own) {
        let message = "Secret_ref does not match the configured hostname, please try again";
        return Err(ApiFault::bad_request("UnsupportedField", message).into());
    }
    let spec = ContainerSpec {
        name: text(&body, &["name"]),
        user_id: caller.user_id.clone(),
        container_type: text(&body, &["type"]).unwrap_or_default(),
        secrets: secrets
            .into_iter()
            .flatten()
            .map(|item| {
                let reference = text(item, &["secret_ref"]).unwrap_or_default();
                let id = reference.rsplit('/').next().unwrap_or_default().to_owned();
                (text(item, &["name"]).unwrap_or_default(), id)
            })
            .collect(),
    };
    let mut world = cloud.world();
    let container = world.create_container(caller.project(), spec)?;
    Ok(answer(
        201,
        json!({"container_ref": container_ref(&world, &container.id)}),
    ))
}

async fn list_containers(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let found: Vec<&Container> = world
        .key_manager
        .containers()
        .filter(|container| container.project_id == caller.project())
        .filter(|container| {
            let name = container.name.as_deref().unwrap_or_default();
            let wanted = params.get("name").filter(|wanted| !wanted.is_empty());
            wanted.is_none_or(|wanted| like(name, wanted))
        })
        .filter(|container| {
            params
                .get("type")
                .is_none_or(|kind| container.container_type == *kind)
        })
        .collect();
    let (page, total) = paged(&found, &params);
    let shown: Vec<Value> = page
        .iter()
        .map(|container| describe_container(&world, container))
        .collect();
    Ok(answer(200, json!({"containers": shown, "total": total})))
}

async fn show_container(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        describe_container(&world, world.find_container(caller.project(), &id)?),
    ))
}

async fn remove_container(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    cloud.world().delete_container(caller.project(), &id)?;
    Ok(empty(204))
}

async fn list_consumers(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    let consumers = consumers(world.find_container(caller.project(), &id)?);
    let total = consumers.len();
    Ok(answer(200, json!({"consumers": consumers, "total": total})))
}

async fn add_consumer(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let (name, url) = (required(&body, &["name"])?, required(&body, &["URL"])?);
    let mut world = cloud.world();
    let container = world.add_consumer(caller.project(), &id, &name, &url)?;
    Ok(answer(200, describe_container(&world, &container)))
}

/// Barbican wants the role `creator` (or `admin`) of who stores things.
fn may_create(caller: &Caller) -> Result<(), ApiFault> {
    if caller.project_id.is_some() && (caller.has_role("creator") || caller.has_role("admin")) {
        return Ok(());
    }
    Err(ApiFault::forbidden(
        "Secret creation attempt not allowed - please review your user/project privileges",
    ))
}

/// Barbican's pages: 10 at a time unless asked for more, 100 at most.
fn paged<'a, T>(found: &'a [T], params: &std::collections::BTreeMap<String, String>) -> (&'a [T], usize) {
    let number = |key: &str| params.get(key).and_then(|value| value.parse::<usize>().ok());
    let start = number("offset").unwrap_or(0).min(found.len());
    let end = start
        .saturating_add(number("limit").unwrap_or(10).min(100))
        .min(found.len());
    (found.get(start..end).unwrap_or_default(), found.len())
}

fn secret_ref(world: &World, id: &str) -> String {
    format!("{}/key-manager/v1/secrets/{id}", world.base_url())
}

fn container_ref(world: &World, id: &str) -> String {
    format!("{}/key-manager/v1/containers/{id}", world.base_url())
}

fn describe_secret(world: &World, secret: &StoredSecret) -> Value {
    let mut shown = json!({
        "name": secret.name.clone().unwrap_or_else(|| secret.id.clone()),
        "secret_ref": secret_ref(world, &secret.id),
        "secret_type": secret.secret_type,
        "status": "ACTIVE",
        "creator_id": secret.user_id,
        "algorithm": null,
        "bit_length": null,
        "mode": null,
        "expiration": secret.expiration.map(time),
        "created": time(secret.created_at),
        "updated": time(secret.created_at),
    });
    if let Some(kind) = &secret.content_type {
        shown["content_types"] = json!({ "default": kind });
    }
    shown
}

fn describe_container(world: &World, container: &Container) -> Value {
    let refs: Vec<Value> = container
        .secrets
        .iter()
        .map(|(name, id)| json!({"name": name, "secret_ref": secret_ref(world, id)}))
        .collect();
    json!({
        "name": container.name.clone().unwrap_or_else(|| container.id.clone()),
        "type": container.container_type,
        "container_ref": container_ref(world, &container.id),
        "secret_refs": refs,
        "consumers": consumers(container),
        "status": "ACTIVE",
        "creator_id": container.user_id,
        "created": time(container.created_at),
        "updated": time(container.created_at),
    })
}

fn consumers(container: &Container) -> Vec<Value> {
    container
        .consumers
        .iter()
        .map(|(name, url)| json!({"name": name, "URL": url}))
        .collect()
}

/// A time as Barbican writes it: in UTC, without saying so.
fn time(at: jiff::Timestamp) -> String {
    format!("{at:.0}").trim_end_matches('Z').to_owned()
}
