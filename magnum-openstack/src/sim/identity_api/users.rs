//! Users and their application credentials.

use axum::extract::{Path, State};
use magnum_core::Secret;
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, flag, required, text};
use super::super::world::World;
use super::super::world::identity::token::forbidden_action;
use super::super::world::identity::{ApplicationCredential, User};
use super::Answer;

pub(super) async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let domain = text(&body, &["user", "domain_id"])
        .or_else(|| caller.domain_id.clone())
        .unwrap_or_else(|| "default".to_owned());
    if !caller.administers(&domain) {
        return Err(forbidden_action("identity:create_user").into());
    }
    let name = required(&body, &["user", "name"])?;
    let password = text(&body, &["user", "password"])
        .map(Secret::new)
        .unwrap_or_default();
    let mut world = cloud.world();
    let id = world.create_user(&name, &domain, password)?.id;
    if let Some(user) = world.identity.users.get_mut(&id) {
        apply(user, &body);
    }
    let user = world.find_user(&id)?;
    Ok(answer(201, json!({"user": show_user(&world, user)})))
}

pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let reads_domain = caller.domain_id.is_some() && caller.has_role("reader");
    if !caller.is_admin() && !reads_domain {
        return Err(forbidden_action("identity:list_users").into());
    }
    let world = cloud.world();
    let users: Vec<Value> = world
        .identity
        .users()
        .filter(|user| {
            params.get("name").is_none_or(|name| *name == user.name)
                && params.get("domain_id").is_none_or(|domain| *domain == user.domain_id)
                // A domain's token shows that domain, whatever it asks for.
                && caller.domain_id.as_ref().is_none_or(|domain| *domain == user.domain_id)
        })
        .map(|user| show_user(&world, user))
        .collect();
    Ok(answer(
        200,
        json!({"users": users, "links": {"next": null, "previous": null}}),
    ))
}

pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    // Who may not see a user must not learn whether there is one.
    let user = world.find_user(&id);
    let domain = user
        .as_ref()
        .map(|user| user.domain_id.clone())
        .unwrap_or_default();
    let allowed =
        caller.user_id == id || caller.administers(&domain) || user.is_err() && is_some_admin(&caller);
    if !allowed {
        return Err(forbidden_action("identity:get_user").into());
    }
    let user = user?;
    Ok(answer(200, json!({"user": show_user(&world, user)})))
}

pub(super) async fn update(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut world = cloud.world();
    let domain = world
        .find_user(&id)
        .map(|user| user.domain_id.clone())
        .unwrap_or_default();
    if !caller.administers(&domain) {
        return Err(forbidden_action("identity:update_user").into());
    }
    if let Some(user) = world.identity.users.get_mut(&id) {
        apply(user, &body);
    }
    let user = world.find_user(&id)?;
    Ok(answer(200, json!({"user": show_user(&world, user)})))
}

pub(super) async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    match world.find_user(&id) {
        Ok(user) if caller.administers(&user.domain_id) => {}
        Err(fault) if is_some_admin(&caller) => return Err(fault.into()),
        _ => return Err(forbidden_action("identity:delete_user").into()),
    }
    world.delete_user(&id)?;
    Ok(empty(204))
}

pub(super) async fn list_credentials(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    if caller.user_id != id && !caller.is_admin() {
        return Err(forbidden_action("identity:list_application_credentials").into());
    }
    let world = cloud.world();
    let all = world
        .identity
        .application_credentials
        .values()
        .filter(|c| c.user_id == id);
    let credentials: Vec<Value> = all.map(|c| show_credential(&world, c)).collect();
    Ok(answer(200, json!({"application_credentials": credentials})))
}

pub(super) async fn create_credential(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    const KEY: &str = "application_credential";
    let name = required(&body, &[KEY, "name"])?;
    let secret = text(&body, &[KEY, "secret"]).map(Secret::new);
    let unrestricted = flag(&body, &[KEY, "unrestricted"]).unwrap_or(false);
    let mut world = cloud.world();
    let credential = world.create_application_credential(&caller, &id, &name, secret, unrestricted)?;
    let mut shown = show_credential(&world, &credential);
    // The only time that it is shown.
    shown["secret"] = json!(credential.secret.expose());
    Ok(answer(201, json!({ KEY: shown })))
}

pub(super) async fn remove_credential(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((user, id)): Path<(String, String)>,
) -> Answer {
    if caller.user_id != user && !caller.is_admin() {
        return Err(forbidden_action("identity:delete_application_credential").into());
    }
    match cloud.world().identity.application_credentials.remove(&id) {
        Some(_) => Ok(empty(204)),
        None => Err(ApiFault::not_found(
            "ApplicationCredentialNotFound",
            format!("Could not find Application Credential: {id}."),
        )
        .into()),
    }
}

/// Whether it administers anything, and so is told what does not exist.
fn is_some_admin(caller: &super::super::world::identity::Caller) -> bool {
    caller.has_role("admin")
}

fn apply(user: &mut User, body: &Value) {
    if let Some(name) = text(body, &["user", "name"]) {
        user.name = name;
    }
    if let Some(password) = text(body, &["user", "password"]) {
        user.password = Secret::new(password);
    }
    if let Some(enabled) = flag(body, &["user", "enabled"]) {
        user.enabled = enabled;
    }
    if let Some(project) = at(body, &["user", "default_project_id"]).and_then(Value::as_str) {
        user.default_project_id = Some(project.to_owned());
    }
    if let Some(description) = text(body, &["user", "description"]) {
        user.description = Some(description);
    }
}

fn show_user(world: &World, user: &User) -> Value {
    let mut shown = json!({
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain_id,
        "enabled": user.enabled,
        "password_expires_at": null,
        "options": {},
        "links": {"self": format!("{}/identity/v3/users/{}", world.base_url(), user.id)},
    });
    if let Some(project) = &user.default_project_id {
        shown["default_project_id"] = json!(project);
    }
    if let Some(description) = &user.description {
        shown["description"] = json!(description);
    }
    shown
}

fn show_credential(world: &World, credential: &ApplicationCredential) -> Value {
    let roles: Vec<Value> = world
        .roles_by_id(&credential.role_ids)
        .iter()
        .map(|role| json!({"id": role.id, "name": role.name, "domain_id": null}))
        .collect();
    json!({
        "id": credential.id,
        "name": credential.name,
        "project_id": credential.project_id,
        "roles": roles,
        "unrestricted": credential.unrestricted,
        "expires_at": null,
        "description": null,
    })
}
