//! The history of a stack.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::stack::{Event, Stack};
use super::arguments::{Query, check_project, stack_at};
use super::refusal::{Answer, Refusal};
use super::{resources, views};
use crate::sim::World;
use crate::sim::cloud::SimCloud;
use crate::sim::heat::engine::nested;
use crate::sim::hot::{ErrorKind, HeatError};
use crate::sim::http_api::{Authenticated, answer};

/// The events of a stack and, to a depth, of those nested in it, oldest first.
fn events<'a>(world: &'a World, stack: &'a Stack, depth: usize) -> Vec<(&'a Stack, &'a Event)> {
    let mut all: Vec<(&Stack, &Event)> = resources::tree(world, stack, depth)
        .into_iter()
        .flat_map(|stack| stack.events.iter().map(move |event| (stack, event)))
        .collect();
    all.sort_by_key(|(_, event)| event.sequence);
    all
}

fn listed(
    world: &World,
    stack: &Stack,
    query: &Query,
    resource: Option<&str>,
) -> Result<Vec<Value>, Refusal> {
    let depth = query.number("nested_depth")?.unwrap_or(0);
    let limit = query.number("limit")?.unwrap_or(usize::MAX);
    let asked = |key: &str, value: &str| {
        let wanted = query.all(key);
        wanted.is_empty() || wanted.contains(&value)
    };
    let mut all = events(world, stack, depth);
    if query.one("sort_dir") == Some("desc") {
        all.reverse();
    }
    if let Some(marker) = query.one("marker")
        && let Some(at) = all.iter().position(|(_, e)| e.id == marker)
    {
        all.drain(..=at);
    }
    let root = nested::root_of(world, &stack.id);
    let views = all
        .into_iter()
        .filter(|(_, e)| resource.is_none_or(|name| e.resource_name == name))
        .filter(|(_, e)| {
            asked("resource_status", &e.status)
                && asked("resource_action", &e.action)
                && asked("resource_name", &e.resource_name)
                && asked("resource_type", &e.resource_type)
        })
        .take(limit)
        .map(|(stack, event)| {
            let mut view = views::event(world, stack, event, false);
            if depth > 0
                && let Some(root) = world.heat.stacks.get(&root)
                && let Some(links) = view.get_mut("links").and_then(Value::as_array_mut)
            {
                links.push(json!({"href": views::stack_url(world, root), "rel": "root_stack"}));
            }
            view
        })
        .collect();
    Ok(views)
}

/// Lists the events of a stack.
pub(super) async fn of_stack(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): Path<(String, String, String)>,
    query: Query,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = stack_at(&world, &project, &name, &id)?;
    Ok(answer(
        200,
        json!({"events": listed(&world, stack, &query, None)?}),
    ))
}

/// Lists the events of a resource.
pub(super) async fn of_resource(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id, resource)): Path<(String, String, String, String)>,
    query: Query,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = stack_at(&world, &project, &name, &id)?;
    let events = listed(&world, stack, &query, Some(&resource))?;
    if events.is_empty() {
        let text = format!("No events found for resource {resource}");
        return Err(HeatError::new(ErrorKind::NotFound, text).into());
    }
    Ok(answer(200, json!({"events": events})))
}

/// Shows an event.
pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id, resource, event)): Path<(String, String, String, String, String)>,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = stack_at(&world, &project, &name, &id)?;
    let found = stack
        .events
        .iter()
        .find(|e| e.id == event && e.resource_name == resource);
    let Some(found) = found else {
        return Err(HeatError::new(ErrorKind::NotFound, format!("No event {event} found")).into());
    };
    Ok(answer(
        200,
        json!({"event": views::event(&world, stack, found, true)}),
    ))
}
