//! Stacks: find, show, change, delete.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::super::stack::{Action, Loaded, Source, Stack, Status};
use super::arguments::{Body, Query, check_project, live_stack_at, patched, stack_at};
use super::refusal::{Answer, Refusal, bad_request};
use super::{templates, views};
use crate::sim::World;
use crate::sim::cloud::SimCloud;
use crate::sim::heat::engine::{begin, finish, load, validate};
use crate::sim::hot::{ErrorKind, HeatError};
use crate::sim::http_api::{Authenticated, answer, empty};
use crate::sim::world::identity::Caller;

type StackPath = Path<(String, String, String)>;

/// Says where a stack is.
pub(super) fn set_location(response: &mut Response, url: &str) {
    if let Ok(value) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, value);
    }
}

/// The full address of a stack by name or identifier.
fn found<'a>(world: &'a World, project: &str, name: &str) -> Result<&'a Stack, Refusal> {
    let mine = |s: &&Stack| s.owner.project_id == project;
    let by_id = world.heat.stacks.get(name).filter(mine);
    let by_name = || {
        world
            .heat
            .stacks
            .values()
            .filter(mine)
            .find(|s| s.name == name && !s.is_deleted())
    };
    by_id.or_else(by_name).ok_or_else(|| load::no_stack(name).into())
}

fn redirect(url: &str) -> Response {
    let body = json!({
        "code": "302 Found", "title": "Found",
        "message": format!("The resource was found at <a href=\"{url}\">{url}</a>;\nyou should be redirected automatically.\n\n\n"),
    });
    let mut response = answer(302, body);
    set_location(&mut response, url);
    response
}

/// Leads from a name to the full address.
pub(super) async fn look_up(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name)): Path<(String, String)>,
    query: Query,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let mut url = views::stack_url(&world, found(&world, &project, &name)?);
    let query = query.text();
    if !query.is_empty() {
        url = format!("{url}?{query}");
    }
    Ok(redirect(&url))
}

/// Leads from a name to a part of the full address.
pub(super) async fn look_up_part(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name)): Path<(String, String)>,
    uri: http::Uri,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let url = views::stack_url(&world, found(&world, &project, &name)?);
    let part = uri.path().rsplit('/').next().unwrap_or_default();
    Ok(redirect(&format!("{url}/{part}")))
}

/// Shows a stack.
pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
    query: Query,
) -> Answer {
    check_project(&caller, &project)?;
    let with_outputs = query.flag("resolve_outputs", true)?;
    let mut world = cloud.world();
    if world.stack_vanishes(&name) {
        world.heat.stacks.remove(&id);
    }
    let stack = stack_at(&world, &project, &name, &id)?;
    Ok(answer(
        200,
        json!({"stack": views::stack_detail(&world, stack, with_outputs)}),
    ))
}

fn accepted() -> Response {
    let body = json!({
        "message": "The request is accepted for processing.<br /><br />\n\n\n",
        "code": "202 Accepted",
        "title": "Accepted",
    });
    answer(202, body)
}

/// A stack as a change would leave it.
fn changed(world: &World, stack: &Stack, source: Source, body: &Body) -> Result<Stack, Refusal> {
    if stack.action == Action::Delete {
        let text = "Updating a stack when it is deleting is not supported.";
        return Err(HeatError::new(ErrorKind::NotSupported, text).into());
    }
    let loaded: Loaded = load::load(source, stack.loaded.parameters.pseudo.clone())?;
    let fixed = stack.loaded.parameters.immutable_changed(&loaded.parameters);
    if !fixed.is_empty() {
        let text = format!(
            "The following parameters are immutable and may not be updated: {}",
            fixed.join(", ")
        );
        return Err(HeatError::new(ErrorKind::ImmutableParameterModified, text).into());
    }
    let next = Stack {
        loaded,
        timeout_mins: body.timeout()?.or(stack.timeout_mins),
        disable_rollback: body.flag("disable_rollback")?.unwrap_or(stack.disable_rollback),
        tags: body.tags()?.unwrap_or_else(|| stack.tags.clone()),
        ..stack.clone()
    };
    validate::validate(world, &next, true)?;
    Ok(next)
}

fn change(world: &mut World, caller: &Caller, path: (&str, &str, &str), body: &Bytes, patch: bool) -> Answer {
    let (project, name, id) = path;
    check_project(caller, project)?;
    let body = Body::read(body)?;
    let stack = live_stack_at(world, project, name, id)?;
    let source = if patch {
        patched(stack, &body)?
    } else {
        body.source()?
    };
    let next = changed(world, stack, source, &body)?;
    if let Some(stack) = world.heat.stacks.get_mut(id) {
        stack.timeout_mins = next.timeout_mins;
        stack.disable_rollback = next.disable_rollback;
        stack.tags = next.tags;
    }
    begin::converge(world, id, next.loaded, Action::Update);
    Ok(accepted())
}

/// Replaces template and parameters of a stack.
pub(super) async fn update(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
    body: Bytes,
) -> Answer {
    change(&mut cloud.world(), &caller, (&project, &name, &id), &body, false)
}

/// Changes some of a stack's parameters.
pub(super) async fn patch(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
    body: Bytes,
) -> Answer {
    change(&mut cloud.world(), &caller, (&project, &name, &id), &body, true)
}

/// Shows which resources a change would touch.
pub(super) async fn preview_update(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
    body: Bytes,
) -> Answer {
    check_project(&caller, &project)?;
    let body = Body::read(&body)?;
    let world = cloud.world();
    let stack = live_stack_at(&world, &project, &name, &id)?;
    let source = body.source()?;
    let next = changed(&world, stack, source, &body)?;
    Ok(answer(
        200,
        json!({"resource_changes": templates::changes(&world, stack, &next)}),
    ))
}

/// Deletes a stack, whatever it is doing.
pub(super) async fn delete(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
) -> Answer {
    check_project(&caller, &project)?;
    let mut world = cloud.world();
    live_stack_at(&world, &project, &name, &id)?;
    begin::delete(&mut world, &id);
    Ok(empty(204))
}

/// Checks, suspends or resumes a stack, or takes its update away.
pub(super) async fn act(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
    body: Bytes,
) -> Answer {
    check_project(&caller, &project)?;
    let body = Body::read(&body)?;
    let mut world = cloud.world();
    let world = &mut *world;
    let stack = live_stack_at(world, &project, &name, &id)?;
    let actions: Vec<&str> = body
        .0
        .as_map()
        .unwrap_or_default()
        .iter()
        .map(|(k, _)| k.as_str())
        .collect();
    match actions.as_slice() {
        ["check"] => {
            finish::set_stack(
                world,
                &id,
                Action::Check,
                Status::InProgress,
                "Stack CHECK started",
            );
            finish::set_stack(
                world,
                &id,
                Action::Check,
                Status::Complete,
                "Stack CHECK completed successfully",
            );
            Ok(empty(201))
        }
        ["cancel_update"] | ["cancel_without_rollback"] => {
            if stack.action != Action::Update || stack.status != Status::InProgress {
                let text = format!(
                    "Cancelling update when stack is ('{}', '{}') is not supported.",
                    stack.action, stack.status
                );
                return Err(HeatError::new(ErrorKind::NotSupported, text).into());
            }
            finish::cancel_work(world, &id, &|action, _, _| {
                format!("{action} aborted (user triggered cancel)")
            });
            if actions == ["cancel_update"] {
                begin::roll_back(world, &id);
            } else {
                if let Some(stack) = world.heat.stacks.get_mut(&id) {
                    stack.traversal = None;
                }
                finish::set_stack(
                    world,
                    &id,
                    Action::Update,
                    Status::Failed,
                    "Stack UPDATE cancelled",
                );
            }
            Ok(StatusCode::ACCEPTED.into_response())
        }
        [] => Err(bad_request("No action specified")),
        [other] => Err(bad_request(format!("Invalid action {other} specified"))),
        _ => Err(bad_request("Multiple actions specified")),
    }
}
