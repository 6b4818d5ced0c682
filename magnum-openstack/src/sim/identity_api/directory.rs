//! Domains, projects and roles, to look up.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{Authenticated, Params, answer};
use super::super::world::identity::token::forbidden_action;
use super::super::world::identity::{Domain, Project, Target};
use super::Answer;

pub(super) async fn domains(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    if !caller.has_role("admin") {
        return Err(forbidden_action("identity:list_domains").into());
    }
    let world = cloud.world();
    let found: Vec<Value> = world
        .identity
        .domains()
        .filter(|domain| params.get("name").is_none_or(|name| *name == domain.name))
        .map(show_domain)
        .collect();
    Ok(answer(200, json!({"domains": found, "links": {}})))
}

pub(super) async fn domain(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    if !caller.has_role("admin") && caller.user_domain_id != id {
        return Err(forbidden_action("identity:get_domain").into());
    }
    let world = cloud.world();
    let domain = world
        .identity
        .domains
        .get(&id)
        .ok_or_else(|| ApiFault::not_found("DomainNotFound", format!("Could not find domain: {id}.")))?;
    Ok(answer(200, json!({"domain": show_domain(domain)})))
}

pub(super) async fn projects(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    if !caller.has_role("admin") {
        return Err(forbidden_action("identity:list_projects").into());
    }
    let world = cloud.world();
    let found: Vec<Value> = world
        .identity
        .projects()
        .filter(|project| {
            params.get("name").is_none_or(|name| *name == project.name)
                && params
                    .get("domain_id")
                    .is_none_or(|domain| *domain == project.domain_id)
        })
        .map(show_project)
        .collect();
    Ok(answer(200, json!({"projects": found, "links": {}})))
}

/// The projects in which the caller has a role.
pub(super) async fn own_projects(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
) -> Answer {
    let world = cloud.world();
    let found: Vec<Value> = world
        .identity
        .projects()
        .filter(|project| {
            !world
                .effective_roles(&caller.user_id, &Target::Project(project.id.clone()))
                .is_empty()
        })
        .map(show_project)
        .collect();
    Ok(answer(200, json!({"projects": found, "links": {}})))
}

pub(super) async fn project(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    if !caller.has_role("admin") && caller.project_id.as_deref() != Some(&id) {
        return Err(forbidden_action("identity:get_project").into());
    }
    let world = cloud.world();
    let project =
        world.identity.projects.get(&id).ok_or_else(|| {
            ApiFault::not_found("ProjectNotFound", format!("Could not find project: {id}."))
        })?;
    Ok(answer(200, json!({"project": show_project(project)})))
}

pub(super) async fn roles(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    if !caller.has_role("admin") {
        return Err(forbidden_action("identity:list_roles").into());
    }
    let world = cloud.world();
    let found: Vec<Value> = world
        .identity
        .roles
        .values()
        .filter(|role| params.get("name").is_none_or(|name| *name == role.name))
        .map(|role| json!({"id": role.id, "name": role.name, "domain_id": null}))
        .collect();
    Ok(answer(200, json!({"roles": found, "links": {}})))
}

fn show_domain(domain: &Domain) -> Value {
    json!({"id": domain.id, "name": domain.name, "enabled": domain.enabled, "description": ""})
}

fn show_project(project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "parent_id": project.domain_id,
        "enabled": project.enabled,
        "is_domain": false,
        "description": "",
    })
}
