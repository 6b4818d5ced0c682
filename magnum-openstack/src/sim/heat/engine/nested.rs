//! Stacks within stacks.

use super::super::plugin::{Failure, Operation, Step, View, failure};
use super::super::stack::Source;
use super::super::stack::{Action, Key, Loaded, Stack, Status};
use super::{begin, finish, load, validate, work};
use crate::sim::World;
use crate::sim::hot::{ErrorKind, HeatError, Pseudo};

/// How deep stacks may nest.
pub(crate) const DEPTH_LIMIT: usize = 5;
/// Resources that a stack and the stacks in it may have together.
const RESOURCE_LIMIT: usize = 1000;

/// The stack nested in a resource.
pub(crate) fn child_of(world: &World, stack_id: &str, key: Key) -> Option<String> {
    let stack = world.heat.stacks.get(stack_id)?;
    let resource = stack.resources.get(&key)?;
    resource.plugin.nested_stack(&View {
        world,
        stack,
        resource,
    })
}

/// Creates the stack nested in the resource of an operation.
///
/// # Errors
/// When the template or its parameters are invalid, or the limits are reached.
pub(crate) fn create(op: &mut Operation<'_>, source: Source) -> Result<Step, Failure> {
    let name = op.physical_name()?;
    let id = op.world.new_uuid();
    let now = op.world.now();
    let parent = op.stack()?;
    let resource = op.resource()?;
    let depth = parent.depth + 1;
    if depth > DEPTH_LIMIT {
        return Err(limit(format!("Recursion depth exceeds {DEPTH_LIMIT}.")));
    }
    let pseudo = Pseudo {
        stack_id: id.clone(),
        stack_name: name.clone(),
        project_id: parent.owner.project_id.clone(),
    };
    let loaded = load::load(source, pseudo).map_err(as_failure)?;
    let total = loaded.definitions.len() + resources_in_tree(op.world, &parent.id);
    if total > RESOURCE_LIMIT {
        return Err(limit("Maximum resources per stack exceeded.".to_owned()));
    }
    let stack = Stack {
        id: id.clone(),
        name,
        owner: parent.owner.clone(),
        parent: Some((parent.id.clone(), resource.key, resource.name.clone())),
        depth,
        loaded,
        previous: None,
        resources: std::collections::BTreeMap::new(),
        action: Action::Create,
        status: Status::InProgress,
        reason: String::new(),
        created_at: now,
        updated_at: None,
        deleted_at: None,
        timeout_mins: parent.timeout_mins,
        // The parent rolls back for its children.
        disable_rollback: true,
        tags: Vec::new(),
        events: Vec::new(),
        traversal: None,
        user_project: parent.user_project.clone(),
        trust_id: None,
    };
    validate::validate(op.world, &stack, true).map_err(as_failure)?;
    op.set_physical_id(id);
    begin::launch(op.world, stack);
    Ok(Step::Waiting)
}

/// Updates the stack nested in the resource of an operation; creates it if it was never made.
///
/// # Errors
/// As [`create`].
pub(crate) fn update(op: &mut Operation<'_>, source: Source) -> Result<Step, Failure> {
    let Some(id) = op.physical_id()? else {
        return create(op, source);
    };
    let Some(child) = op.world.heat.stacks.get(&id).filter(|s| !s.is_deleted()) else {
        return create(op, source);
    };
    let loaded = load::load(source, child.loaded.parameters.pseudo.clone()).map_err(as_failure)?;
    let tentative = Stack {
        loaded,
        ..child.clone()
    };
    validate::validate(op.world, &tentative, true).map_err(as_failure)?;
    let loaded: Loaded = tentative.loaded;
    begin::converge(op.world, &id, loaded, Action::Update);
    Ok(Step::Waiting)
}

/// Begins to delete the stack nested in the resource of an operation.
///
/// # Errors
/// When the resource vanished.
pub(crate) fn delete(op: &mut Operation<'_>) -> Result<Step, Failure> {
    let Some(id) = op.physical_id()? else {
        return Ok(Step::Done);
    };
    if op.world.heat.stacks.get(&id).is_none_or(Stack::is_deleted) {
        return Ok(Step::Done);
    }
    begin::delete(op.world, &id);
    Ok(Step::Waiting)
}

/// Looks how far the nested stack is with what was asked of it.
///
/// # Errors
/// The nested stack's own failure.
pub(crate) fn poll(op: &mut Operation<'_>, expected: Action) -> Result<Step, Failure> {
    let Some(id) = op.physical_id()? else {
        return Ok(Step::Done);
    };
    let Some(child) = op.world.heat.stacks.get(&id) else {
        return if expected == Action::Delete {
            Ok(Step::Done)
        } else {
            Err(failure(
                "NotFound",
                format!("The Stack ({id}) could not be found."),
            ))
        };
    };
    let created_by_update = expected == Action::Update && child.action == Action::Create;
    if child.action != expected && !created_by_update {
        return Ok(Step::Waiting);
    }
    match child.status {
        Status::InProgress => Ok(Step::Waiting),
        Status::Complete => Ok(Step::Done),
        Status::Failed => Err(of_reason(&child.reason, child.action)),
    }
}

/// The failure that a nested stack's reason describes.
fn of_reason(reason: &str, action: Action) -> Failure {
    let marker = format!("Resource {action} failed: ");
    if !reason.contains(&marker) {
        return HeatError::validation(reason);
    }
    // The service takes its own reasons apart at every colon, those within the message included.
    let parts: Vec<&str> = reason.split(':').map(str::trim).collect();
    match parts.as_slice() {
        [_, name, path, message @ ..] if !message.is_empty() => HeatError::validation(message.join(": "))
            .with_origin(*name)
            .at(path.split('.')),
        _ => HeatError::validation(reason),
    }
}

fn as_failure(error: HeatError) -> Failure {
    // The name of the error stands before the path of this resource; its own path stays in the text.
    failure(error.kind.name(), error.to_string())
}

fn limit(text: String) -> Failure {
    failure(
        ErrorKind::RequestLimitExceeded.name(),
        format!("Request limit exceeded: {text}"),
    )
}

/// The number of resources in a stack's whole tree.
fn resources_in_tree(world: &World, stack_id: &str) -> usize {
    let root = root_of(world, stack_id);
    let mut total = 0;
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let Some(stack) = world.heat.stacks.get(&id).filter(|s| !s.is_deleted()) else {
            continue;
        };
        total += stack.loaded.definitions.len();
        open.extend(
            stack
                .resources
                .keys()
                .filter_map(|key| child_of(world, &id, *key)),
        );
    }
    total
}

/// The outermost stack around a stack.
pub(crate) fn root_of(world: &World, stack_id: &str) -> String {
    let mut id = stack_id.to_owned();
    while let Some((parent, ..)) = world.heat.stacks.get(&id).and_then(|s| s.parent.clone()) {
        id = parent;
    }
    id
}

/// Tells the resource around a stack that the stack's operation ended.
pub(crate) fn tell_parent(world: &mut World, stack_id: &str) {
    if let Some((parent, key, _)) = world.heat.stacks.get(stack_id).and_then(|s| s.parent.clone()) {
        work::nudge(world, &parent, key);
    }
}

/// Takes away what a nested stack is doing.
pub(crate) fn cancel(op: &mut Operation<'_>) {
    if let Ok(Some(id)) = op.physical_id() {
        finish::cancel_work(op.world, &id, &|action, _, _| {
            format!("{action} aborted (user triggered cancel)")
        });
    }
}
