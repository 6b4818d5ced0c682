//! The resources of a stack.

use axum::extract::{Path, State};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::super::stack::{Resource, Stack};
use super::arguments::{Query, check_project, live_stack_at, stack_at};
use super::refusal::{Answer, Refusal, bad_request};
use super::views;
use crate::sim::World;
use crate::sim::cloud::SimCloud;
use crate::sim::heat::engine::{nested, signal as delivery};
use crate::sim::hot::{ErrorKind, HeatError};
use crate::sim::http_api::{Authenticated, answer};

type ResourcePath = Path<(String, String, String, String)>;

fn find<'a>(stack: &'a Stack, name: &str) -> Result<&'a Resource, Refusal> {
    stack.current(name).ok_or_else(|| {
        let text = format!(
            "The Resource ({name}) could not be found in Stack {}.",
            stack.name
        );
        HeatError::new(ErrorKind::ResourceNotFound, text).into()
    })
}

/// The stacks nested in a stack down to a depth, the stack itself first.
pub(super) fn tree<'a>(world: &'a World, stack: &'a Stack, depth: usize) -> Vec<&'a Stack> {
    let mut all = vec![stack];
    if depth == 0 {
        return all;
    }
    for key in stack.resources.keys() {
        if let Some(child) =
            nested::child_of(world, &stack.id, *key).and_then(|id| world.heat.stacks.get(&id))
        {
            all.extend(tree(world, child, depth - 1));
        }
    }
    all
}

/// Lists the resources of a stack and, to a depth, of the stacks nested in it.
pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): Path<(String, String, String)>,
    query: Query,
) -> Answer {
    check_project(&caller, &project)?;
    let depth = query.number("nested_depth")?.unwrap_or(0);
    let detail = query.flag("with_detail", false)?;
    let world = cloud.world();
    let stack = stack_at(&world, &project, &name, &id)?;
    let wanted = |key: &str, values: &[String]| {
        let asked = query.all(key);
        asked.is_empty() || values.iter().any(|v| asked.contains(&v.as_str()))
    };
    let mut views: Vec<Value> = Vec::new();
    for stack in tree(&world, stack, depth) {
        for resource in stack.shown_resources() {
            let full = format!("{}_{}", resource.action, resource.status);
            let keep = wanted("status", &[resource.status.to_string(), full])
                && wanted("action", &[resource.action.to_string()])
                && wanted("name", std::slice::from_ref(&resource.name))
                && wanted("type", std::slice::from_ref(&resource.definition.resource_type))
                && wanted(
                    "physical_resource_id",
                    &[resource.physical_id.clone().unwrap_or_default()],
                );
            if !keep {
                continue;
            }
            let mut view = if detail {
                views::resource_detail(&world, stack, resource, &[])
            } else {
                views::resource(&world, stack, resource)
            };
            view.insert("stack_name".to_owned(), json!(stack.name));
            views.push(Value::Object(view));
        }
    }
    Ok(answer(200, json!({"resources": views})))
}

/// Shows a resource with its attributes.
pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id, resource)): ResourcePath,
    query: Query,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = live_stack_at(&world, &project, &name, &id)?;
    let resource = find(stack, &resource)?;
    let view = views::resource_detail(&world, stack, resource, &query.all("with_attr"));
    Ok(answer(200, json!({"resource": view})))
}

/// Shows the metadata of a resource.
pub(super) async fn metadata(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id, resource)): ResourcePath,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = live_stack_at(&world, &project, &name, &id)?;
    Ok(answer(200, json!({"metadata": find(stack, &resource)?.metadata})))
}

/// Hears a signal.
pub(super) async fn signal(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id, resource)): ResourcePath,
    body: Bytes,
) -> Answer {
    check_project(&caller, &project)?;
    // A body that is no JSON object counts as none: some senders quote theirs.
    let details = match serde_json::from_slice::<Value>(&body) {
        Ok(details @ Value::Object(_)) => details,
        Ok(_) => Value::Null,
        Err(_) if !body.trim_ascii_start().starts_with(b"{") => Value::Null,
        Err(error) => return Err(bad_request(format!("JSON cannot be parsed: {error}"))),
    };
    let mut world = cloud.world();
    live_stack_at(&world, &project, &name, &id)?;
    delivery::signal(&mut world, &id, &resource, &details)?;
    Ok(answer(StatusCode::OK.as_u16(), Value::Null))
}
