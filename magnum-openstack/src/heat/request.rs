//! The calls to Heat, without I/O.

use std::time::Duration;

use magnum_core::{Parameters, StackCreate, StackRef, StackTemplate, StackUpdate};
use serde_json::{Value, json};

use crate::{Call, Service};

const HEAT: Service = Service::ORCHESTRATION;

/// As deep as Heat lets stacks nest, and a little deeper.
const DEEP: &str = "9";

/// A parameter's value at least this long is cut out of error messages: keys, tokens and passwords are,
/// while what a tenant should read there is short.
const SECRET_LENGTH: usize = 16;

pub(super) fn create(stack: &StackCreate) -> Call {
    let call = Call::post(HEAT, "stack.create", "/stacks").json(&creation(stack));
    hushed(call, &stack.parameters)
}

/// The template is left out, so Heat keeps the one that the stack has; `PATCH` keeps parameters that are
/// not named.
pub(super) fn update(stack: &StackRef, change: &StackUpdate) -> Call {
    let body = json!({
        "parameters": change.parameters,
        "timeout_mins": minutes(change.timeout),
        "disable_rollback": true,
        "tags": change.tags.join(","),
    });
    let call = of(Call::patch(HEAT, "stack.update", "/stacks/{name}/{id}"), stack).json(&body);
    hushed(call, &change.parameters)
}

pub(super) fn delete(stack: &StackRef) -> Call {
    of(Call::delete(HEAT, "stack.delete", "/stacks/{name}/{id}"), stack)
}

pub(super) fn get(stack: &StackRef) -> Call {
    of(Call::get(HEAT, "stack.get", "/stacks/{name}/{id}"), stack)
}

pub(super) fn list_named(name: &str) -> Call {
    Call::get(HEAT, "stack.find", "/stacks").query("name", name)
}

pub(super) fn list(tag: Option<&str>, limit: usize, marker: Option<&str>) -> Call {
    let mut call = Call::get(HEAT, "stack.list", "/stacks").query("limit", limit.to_string());
    if let Some(tag) = tag {
        call = call.query("tags", tag);
    }
    if let Some(marker) = marker {
        call = call.query("marker", marker);
    }
    call
}

pub(super) fn resources(stack: &StackRef, nested_depth: u32) -> Call {
    let call = Call::get(HEAT, "stack.resources", "/stacks/{name}/{id}/resources");
    of(call, stack).query("nested_depth", nested_depth.to_string())
}

pub(super) fn resource(stack: &StackRef, name: &str) -> Call {
    let call = Call::get(HEAT, "stack.resource", "/stacks/{name}/{id}/resources/{resource}");
    of(call, stack).segment(name)
}

pub(super) fn events(stack: &StackRef) -> Call {
    let call = Call::get(HEAT, "stack.events", "/stacks/{name}/{id}/events");
    of(call, stack)
        .query("nested_depth", DEEP)
        .query("sort_dir", "asc")
}

/// Checking changes nothing, so it may be repeated.
pub(super) fn validate(template: &StackTemplate) -> Call {
    let body = json!({"template": template.template, "files": template.files});
    Call::post(HEAT, "template.validate", "/validate")
        .json(&body)
        .repeatable()
}

pub(super) fn preview(stack: &StackCreate) -> Call {
    let call = Call::post(HEAT, "stack.preview", "/stacks/preview").json(&creation(stack));
    hushed(call, &stack.parameters).repeatable()
}

fn creation(stack: &StackCreate) -> Value {
    json!({
        "stack_name": stack.name,
        "template": stack.template.template,
        "files": stack.template.files,
        "parameters": stack.parameters,
        "timeout_mins": minutes(stack.timeout),
        "disable_rollback": true,
        "tags": stack.tags.join(","),
    })
}

fn of(call: Call, stack: &StackRef) -> Call {
    call.segment(&stack.name).segment(&stack.id)
}

/// Rounded up, and at least one: Heat takes whole minutes, and zero for no limit at all.
fn minutes(timeout: Duration) -> u64 {
    (timeout.as_millis().div_ceil(60_000) as u64).max(1)
}

/// Keeps parameters out of error messages: Heat repeats the value that a constraint refused.
fn hushed(call: Call, parameters: &Parameters) -> Call {
    parameters
        .values()
        .filter_map(Value::as_str)
        .filter(|value| value.len() >= SECRET_LENGTH)
        .fold(call, |call, value| call.secret(value))
}
