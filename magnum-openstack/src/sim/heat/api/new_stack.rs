//! New stacks: create and preview.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use bytes::Bytes;
use serde_json::json;

use super::super::stack::{Action, Owner, Stack, Status};
use super::arguments::{Body, check_project};
use super::refusal::{Answer, Refusal, bad_request};
use super::stacks::set_location;
use super::{templates, views};
use crate::sim::World;
use crate::sim::cloud::SimCloud;
use crate::sim::heat::engine::{begin, load, validate};
use crate::sim::hot::{ErrorKind, HeatError, Pseudo};
use crate::sim::http_api::{Authenticated, answer};
use crate::sim::world::identity::{Caller, TrustSpec};

/// What a new stack would be, with an identifier that is not in use.
fn tentative(world: &mut World, caller: &Caller, project: &str, body: &Body) -> Result<Stack, Refusal> {
    let name = body
        .text("stack_name")
        .ok_or_else(|| bad_request("No stack name specified"))?;
    check_name(&name)?;
    let source = body.source()?;
    let id = world.new_uuid();
    let pseudo = Pseudo {
        stack_id: id.clone(),
        stack_name: name.clone(),
        project_id: project.to_owned(),
    };
    let loaded = load::load(source, pseudo)?;
    let user_name = world
        .find_user(&caller.user_id)
        .map(|u| u.name.clone())
        .unwrap_or_default();
    let stack = Stack {
        id,
        name,
        owner: Owner {
            project_id: project.to_owned(),
            user_id: caller.user_id.clone(),
            user_name,
        },
        parent: None,
        depth: 0,
        loaded,
        previous: None,
        resources: BTreeMap::new(),
        action: Action::Create,
        status: Status::InProgress,
        reason: String::new(),
        created_at: world.now(),
        updated_at: None,
        deleted_at: None,
        timeout_mins: body.timeout()?,
        disable_rollback: body.flag("disable_rollback")?.unwrap_or(true),
        tags: body.tags()?.unwrap_or_default(),
        events: Vec::new(),
        traversal: None,
        user_project: None,
        trust_id: None,
    };
    Ok(stack)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let mut characters = name.chars();
    let valid = characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && name.len() <= 255;
    if valid {
        return Ok(());
    }
    Err(HeatError::validation(format!(
        "Invalid stack name {name} must contain only alphanumeric or \"_-.\" characters, must start with alpha \
         and must be 255 characters or less."
    ))
    .into())
}

fn check_free(world: &World, project: &str, name: &str) -> Result<(), Refusal> {
    let taken = world
        .heat
        .stacks
        .values()
        .any(|s| s.owner.project_id == project && s.name == name && !s.is_deleted());
    if taken {
        return Err(HeatError::new(
            ErrorKind::StackExists,
            format!("The Stack ({name}) already exists."),
        )
        .into());
    }
    Ok(())
}

/// Heat acts later with a trust of its own, made for every stack with the token of its creation.
fn own_trust(world: &mut World, caller: &Caller) -> Result<String, Refusal> {
    let trustee = match world.user_by_name("heat", "default") {
        Some(user) => user.id.clone(),
        None => {
            let secret = magnum_core::Secret::new(world.new_hex_id());
            world
                .create_user("heat", "default", secret)
                .map(|u| u.id)
                .map_err(|e| HeatError::new(ErrorKind::Internal, e.message))?
        }
    };
    let spec = TrustSpec {
        trustor_user_id: caller.user_id.clone(),
        trustee_user_id: trustee,
        project_id: caller.project_id.clone(),
        roles: caller.roles.iter().map(|r| r.name.clone()).collect(),
        impersonation: true,
        allow_redelegation: false,
        redelegation_count: None,
        expires_at: None,
    };
    world.create_trust(caller, spec).map(|t| t.id).map_err(|fault| {
        HeatError::new(
            ErrorKind::Internal,
            format!(
                "Remote error: Forbidden {} (HTTP {}) (Request-ID: req-{}).",
                fault.message,
                fault.status,
                caller.token.len()
            ),
        )
        .into()
    })
}

/// Creates a stack.
pub(super) async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(project): Path<String>,
    body: Bytes,
) -> Answer {
    check_project(&caller, &project)?;
    let body = Body::read(&body)?;
    let mut world = cloud.world();
    let world = &mut *world;
    let mut stack = tentative(world, &caller, &project, &body)?;
    check_free(world, &project, &stack.name)?;
    validate::validate(world, &stack, true)?;
    stack.trust_id = Some(own_trust(world, &caller)?);
    let url = views::stack_url(world, &stack);
    let view = json!({"stack": {"id": stack.id, "links": [{"href": url, "rel": "self"}]}});
    begin::launch(world, stack);
    let mut response = answer(201, view);
    set_location(&mut response, &url);
    Ok(response)
}

/// Shows what a stack would be.
pub(super) async fn preview(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(project): Path<String>,
    body: Bytes,
) -> Answer {
    check_project(&caller, &project)?;
    let body = Body::read(&body)?;
    let mut world = cloud.world();
    let stack = tentative(&mut world, &caller, &project, &body)?;
    check_free(&world, &project, &stack.name)?;
    validate::validate(&world, &stack, true)?;
    let mut view = views::stack_detail(&world, &stack, true);
    view.remove("stack_status");
    view.remove("stack_status_reason");
    view.insert("resources".to_owned(), templates::previewed(&world, &stack));
    Ok(answer(200, json!({"stack": view})))
}
