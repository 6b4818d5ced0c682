//! Templates: validate, preview, and what a stack was made from.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::stack::{Action, Owner, Stack, Status};
use super::arguments::{Body, check_project, live_stack_at, stack_at};
use super::refusal::Answer;
use super::views;
use crate::sim::World;
use crate::sim::cloud::SimCloud;
use crate::sim::heat::engine::{load, nested, validate as engine};
use crate::sim::hot::{ErrorKind, HeatError, Pseudo};
use crate::sim::http_api::{Authenticated, answer};

type StackPath = Path<(String, String, String)>;

/// Checks a template and tells its parameters.
pub(super) async fn validate(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(project): Path<String>,
    body: Bytes,
) -> Answer {
    check_project(&caller, &project)?;
    let source = Body::read(&body)?.source()?;
    let world = cloud.world();
    let given = source.environment.clone();
    let template = source.template.clone();
    let pseudo = Pseudo {
        stack_name: "dummy".to_owned(),
        project_id: project.clone(),
        ..Pseudo::default()
    };
    let loaded = load::load(source, pseudo)?;
    let parameters: Map<String, Value> = loaded
        .parameters
        .schemas
        .iter()
        .map(|(name, schema)| (name.clone(), schema.describe(name, given.parameters.get(name))))
        .collect();
    let stack = Stack {
        id: String::new(),
        name: "dummy".to_owned(),
        owner: Owner {
            project_id: project,
            user_id: caller.user_id.clone(),
            user_name: String::new(),
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
        timeout_mins: None,
        disable_rollback: true,
        tags: Vec::new(),
        events: Vec::new(),
        traversal: None,
        user_project: None,
        trust_id: None,
    };
    engine::validate(&world, &stack, false).map_err(|e| match e.kind {
        ErrorKind::StackValidationFailed => HeatError::new(ErrorKind::HttpBadRequest, e.to_string()),
        _ => e,
    })?;
    let mut view = json!({
        "Description": template.description(),
        "Parameters": parameters,
        "Environment": given.to_value(),
    });
    if let Some(groups) = template.raw.get("parameter_groups").filter(|g| !g.is_falsy()) {
        view["ParameterGroups"] = groups.to_value();
    }
    Ok(answer(200, view))
}

/// What the resources of a stack would be, those of nested stacks in lists of their own.
pub(super) fn previewed(world: &World, stack: &Stack) -> Value {
    previewed_in(world, stack, None)
}

fn previewed_in(world: &World, stack: &Stack, parent: Option<&str>) -> Value {
    let identity = |path: String| json!({"stack_name": stack.name, "stack_id": "None", "tenant": stack.owner.project_id, "path": path});
    let mut out = Vec::new();
    for definition in &stack.loaded.definitions {
        let Ok(plugin) = load::plugin_of(&stack.loaded, definition) else {
            continue;
        };
        let properties = engine::previewed_properties(world, stack, definition, plugin.as_ref());
        let source = plugin
            .previewed_source(stack, &definition.name, &properties)
            .and_then(Result::ok);
        let name = format!("{}-{}", stack.name, definition.name);
        let pseudo = Pseudo {
            stack_name: name.clone(),
            ..stack.loaded.parameters.pseudo.clone()
        };
        let child = source
            .filter(|_| stack.depth < nested::DEPTH_LIMIT)
            .and_then(|source| load::load(source, pseudo).ok());
        if let Some(loaded) = child {
            let child = Stack {
                loaded,
                name,
                depth: stack.depth + 1,
                ..stack.clone()
            };
            out.push(previewed_in(world, &child, Some(&definition.name)));
            continue;
        }
        let required_by: Vec<String> = stack
            .loaded
            .requirements
            .iter()
            .filter(|(_, needs)| needs.contains(&definition.name))
            .map(|(name, _)| name.clone())
            .collect();
        let mut view = json!({
            "resource_name": definition.name,
            "resource_type": definition.resource_type,
            "resource_action": "INIT",
            "resource_status": "COMPLETE",
            "resource_status_reason": "",
            "resource_identity": identity(format!("/resources/{}", definition.name)),
            "physical_resource_id": "",
            "creation_time": null,
            "updated_time": null,
            "required_by": required_by,
            "properties": properties,
            "attributes": {},
            "metadata": {},
            "description": definition.description,
            "stack_name": stack.name,
            "stack_identity": identity(String::new()),
        });
        if let Some(parent) = parent {
            view["parent_resource"] = json!(parent);
        }
        out.push(view);
    }
    Value::Array(out)
}

/// Which resources a change adds, deletes, replaces, updates or leaves.
pub(super) fn changes(world: &World, before: &Stack, after: &Stack) -> Value {
    let mut groups: BTreeMap<&str, Vec<Value>> = ["added", "deleted", "replaced", "unchanged", "updated"]
        .into_iter()
        .map(|k| (k, Vec::new()))
        .collect();
    let mut add = |group: &'static str, name: &str, kind: &str| {
        let view = json!({"resource_name": name, "resource_type": kind, "stack_name": before.name});
        groups.entry(group).or_default().push(view);
    };
    for definition in &after.loaded.definitions {
        let (name, kind) = (definition.name.as_str(), definition.resource_type.as_str());
        let Some(resource) = before.current(name) else {
            add("added", name, kind);
            continue;
        };
        let Ok(plugin) = load::plugin_of(&after.loaded, definition) else {
            continue;
        };
        let properties =
            engine::resolve_properties(world, after, definition, plugin.as_ref(), false).unwrap_or_default();
        let changed: Vec<&String> = properties
            .iter()
            .filter(|(k, v)| resource.properties.get(*k) != Some(v))
            .map(|(k, _)| k)
            .collect();
        let fixed = plugin
            .properties()
            .iter()
            .any(|p| changed.contains(&&p.name) && !p.update_allowed);
        let group = if fixed || kind != resource.definition.resource_type {
            "replaced"
        } else if changed.is_empty() && definition.metadata == resource.definition.metadata {
            "unchanged"
        } else {
            "updated"
        };
        add(group, name, kind);
    }
    for resource in before.shown_resources() {
        if after.loaded.definition(&resource.name).is_none() {
            add("deleted", &resource.name, &resource.definition.resource_type);
        }
    }
    json!(groups)
}

/// The template of a stack.
pub(super) async fn of_stack(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = stack_at(&world, &project, &name, &id)?;
    Ok(answer(200, stack.loaded.source.template.raw.to_value()))
}

/// The environment of a stack, hidden parameters masked.
pub(super) async fn environment(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = stack_at(&world, &project, &name, &id)?;
    let mut environment = stack.loaded.source.environment.clone();
    for (name, _) in stack.loaded.parameters.schemas.iter().filter(|(_, s)| s.hidden) {
        if environment.parameters.contains_key(name) {
            environment.parameters.insert(name.clone(), json!("******"));
        }
    }
    Ok(answer(200, environment.to_value()))
}

/// The files of a stack.
pub(super) async fn files(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = stack_at(&world, &project, &name, &id)?;
    Ok(answer(200, json!(*stack.loaded.source.files)))
}

/// The names of a stack's outputs.
pub(super) async fn outputs(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id)): StackPath,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = live_stack_at(&world, &project, &name, &id)?;
    let outputs: Vec<Value> = stack
        .loaded
        .outputs
        .iter()
        .map(|o| json!({"output_key": o.name, "description": o.description.as_deref().unwrap_or("No description given")}))
        .collect();
    Ok(answer(200, json!({"outputs": outputs})))
}

/// One output of a stack.
pub(super) async fn output(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path((project, name, id, key)): Path<(String, String, String, String)>,
) -> Answer {
    check_project(&caller, &project)?;
    let world = cloud.world();
    let stack = live_stack_at(&world, &project, &name, &id)?;
    let Some(output) = stack.loaded.outputs.iter().find(|o| o.name == key) else {
        let text = format!("Specified output key {key} not found.");
        return Err(HeatError::new(ErrorKind::NotFound, text).into());
    };
    Ok(answer(
        200,
        json!({"output": views::output(&world, stack, &key, output.description.as_deref())}),
    ))
}

/// The template versions.
pub(super) async fn versions(Authenticated(_): Authenticated) -> Response {
    let dates = [
        "2013-05-23",
        "2014-10-16",
        "2015-04-30",
        "2015-10-15",
        "2016-04-08",
        "2016-10-14",
        "2017-02-24",
        "2017-09-01",
        "2018-03-02",
        "2018-08-31",
        "2021-04-16",
    ];
    let versions: Vec<Value> = dates
        .iter()
        .map(|d| json!({"version": format!("heat_template_version.{d}"), "type": "hot", "aliases": []}))
        .collect();
    answer(200, json!({"template_versions": versions}))
}

/// The resource types.
pub(super) async fn resource_types(Authenticated(_): Authenticated) -> Response {
    answer(200, json!({"resource_types": crate::sim::heat::resources::NAMES}))
}

/// What serves.
pub(super) async fn build_info(Authenticated(_): Authenticated) -> Response {
    answer(
        200,
        json!({"api": {"revision": "simulated"}, "engine": {"revision": "simulated"}}),
    )
}
