//! How stacks, resources and events look in answers.

use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::plugin::View;
use super::super::stack::{Event, Resource, Stack};
use crate::sim::World;
use crate::sim::heat::engine::scope;
use crate::sim::heat::resources::template_resource::output_value;
use crate::sim::http_api::answer;

/// The versions of the API.
pub(super) async fn versions() -> Response {
    answer(
        300,
        json!({"versions": [{"id": "v1.0", "status": "CURRENT", "links": [{"rel": "self", "href": "/v1/"}]}]}),
    )
}

/// Seconds are enough.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The URL of a stack.
pub(super) fn stack_url(world: &World, stack: &Stack) -> String {
    format!(
        "{}/orchestration/v1/{}/stacks/{}/{}",
        world.base_url(),
        stack.owner.project_id,
        stack.name,
        stack.id
    )
}

fn link(href: String, rel: &str) -> Value {
    json!({"href": href, "rel": rel})
}

/// What lists and details of a stack have in common.
pub(super) fn stack_summary(world: &World, stack: &Stack) -> Map<String, Value> {
    let view = json!({
        "id": stack.id,
        "links": [link(stack_url(world, stack), "self")],
        "stack_name": stack.name,
        "description": stack.loaded.source.template.description(),
        "stack_status": format!("{}_{}", stack.action, stack.status),
        "stack_status_reason": stack.reason,
        "creation_time": time(stack.created_at),
        "updated_time": stack.updated_at.map(time),
        "deletion_time": stack.deleted_at.map(time),
        "stack_owner": stack.owner.user_name,
        "parent": stack.parent.as_ref().map(|(id, ..)| id),
        "stack_user_project_id": stack.user_project,
        "tags": if stack.tags.is_empty() { Value::Null } else { json!(stack.tags) },
    });
    if let Value::Object(map) = view {
        map
    } else {
        Map::new()
    }
}

/// A stack in detail.
pub(super) fn stack_detail(world: &World, stack: &Stack, with_outputs: bool) -> Map<String, Value> {
    let mut view = stack_summary(world, stack);
    let description = stack.loaded.source.template.description();
    for (key, value) in [
        ("parameters", Value::Object(stack.loaded.parameters.printed())),
        ("template_description", json!(description)),
        ("notification_topics", json!([])),
        ("capabilities", json!([])),
        ("disable_rollback", json!(stack.disable_rollback)),
        ("timeout_mins", json!(stack.timeout_mins)),
    ] {
        view.insert(key.to_owned(), value);
    }
    if with_outputs && !stack.is_deleted() {
        view.insert("outputs".to_owned(), outputs(world, stack));
    }
    view
}

/// Every output with its value.
pub(super) fn outputs(world: &World, stack: &Stack) -> Value {
    stack
        .loaded
        .outputs
        .iter()
        .map(|o| output(world, stack, &o.name, o.description.as_deref()))
        .collect()
}

/// One output with its value, or the error that keeps it from having one.
pub(super) fn output(world: &World, stack: &Stack, name: &str, description: Option<&str>) -> Value {
    let mut view = json!({
        "output_key": name,
        "description": description.unwrap_or("No description given"),
        "output_value": null,
    });
    match output_value(world, stack, name) {
        Some(Ok(value)) => view["output_value"] = value,
        Some(Err(error)) => view["output_error"] = json!(error.to_string()),
        None => {}
    }
    view
}

/// A resource as lists have it.
pub(super) fn resource(world: &World, stack: &Stack, resource: &Resource) -> Map<String, Value> {
    let url = format!("{}/resources/{}", stack_url(world, stack), resource.name);
    let mut links = vec![link(url, "self"), link(stack_url(world, stack), "stack")];
    let nested = resource.plugin.nested_stack(&View {
        world,
        stack,
        resource,
    });
    if let Some(child) = nested.and_then(|id| world.heat.stacks.get(&id)) {
        links.push(link(stack_url(world, child), "nested"));
    }
    let required_by: Vec<String> = stack
        .loaded
        .requirements
        .iter()
        .filter(|(_, needs)| needs.contains(&resource.name))
        .map(|(name, _)| name.clone())
        .collect();
    let mut view = Map::new();
    for (key, value) in [
        ("resource_name", json!(resource.name)),
        ("logical_resource_id", json!(resource.name)),
        (
            "physical_resource_id",
            json!(resource.physical_id.as_deref().unwrap_or_default()),
        ),
        ("resource_type", json!(resource.definition.resource_type)),
        (
            "resource_status",
            json!(format!("{}_{}", resource.action, resource.status)),
        ),
        ("resource_status_reason", json!(resource.reason)),
        ("creation_time", json!(time(resource.created_at))),
        (
            "updated_time",
            json!(time(resource.updated_at.unwrap_or(resource.created_at))),
        ),
        ("required_by", json!(required_by)),
        ("links", Value::Array(links)),
    ] {
        view.insert(key.to_owned(), value);
    }
    if let Some((_, _, parent)) = &stack.parent {
        view.insert("parent_resource".to_owned(), json!(parent));
    }
    view
}

/// A resource in detail.
pub(super) fn resource_detail(
    world: &World,
    stack: &Stack,
    res: &Resource,
    with: &[&str],
) -> Map<String, Value> {
    let mut view = resource(world, stack, res);
    view.insert("description".to_owned(), json!(res.definition.description));
    view.insert(
        "attributes".to_owned(),
        attributes(
            &View {
                world,
                stack,
                resource: res,
            },
            with,
        ),
    );
    view
}

fn attributes(view: &View<'_>, with: &[&str]) -> Value {
    let plugin = &view.resource.plugin;
    let mut all = match plugin.attribute(view, "show", &[]).map(|a| a.value) {
        Ok(Value::Object(show)) => show,
        _ => scope::all_attributes(view).unwrap_or_default(),
    };
    for name in plugin.attributes() {
        if !name.contains('*') && !all.contains_key(&name) {
            let value = plugin
                .attribute(view, &name, &[])
                .map(|a| a.value)
                .unwrap_or_default();
            all.insert(name, value);
        }
    }
    for name in with {
        let value = scope::attribute_of(view, name, &[]).unwrap_or_default();
        all.insert((*name).to_owned(), value);
    }
    Value::Object(all)
}

/// An event.
pub(super) fn event(world: &World, stack: &Stack, event: &Event, detail: bool) -> Value {
    let stack_url = stack_url(world, stack);
    let resource_url = format!("{stack_url}/resources/{}", event.resource_name);
    let mut view = json!({
        "id": event.id,
        "event_time": time(event.at),
        "resource_name": event.resource_name,
        "logical_resource_id": event.resource_name,
        "physical_resource_id": event.physical_id,
        "resource_status": format!("{}_{}", event.action, event.status),
        "resource_status_reason": event.reason,
        "links": [
            link(format!("{resource_url}/events/{}", event.id), "self"),
            link(resource_url, "resource"),
            link(stack_url, "stack"),
        ],
    });
    if detail {
        view["resource_type"] = json!(event.resource_type);
        view["resource_properties"] = json!(event.properties);
    }
    view
}
