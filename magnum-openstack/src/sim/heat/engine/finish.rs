//! How work and walks end, and what the history says about it.

use serde_json::Map;

use super::super::plugin::{Failure, Operation};
use super::super::stack::{Action, Event, Key, Status};
use super::traversal::{self, Node};
use super::{begin, nested, work};
use crate::sim::World;

/// Sets a resource's state and records it.
pub(crate) fn set_resource(
    world: &mut World,
    stack_id: &str,
    key: Key,
    action: Action,
    status: Status,
    reason: &str,
) {
    let now = world.now();
    let (id, sequence) = (world.new_uuid(), world.heat.fresh());
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    let Some(resource) = stack.resources.get_mut(&key) else {
        return;
    };
    resource.action = action;
    resource.status = status;
    reason.clone_into(&mut resource.reason);
    if action != Action::Create || status != Status::InProgress {
        resource.updated_at = Some(now);
    }
    let event = Event {
        id,
        at: now,
        sequence,
        resource_name: resource.name.clone(),
        physical_id: resource.physical_id.clone(),
        action: action.to_string(),
        status: status.to_string(),
        reason: reason.to_owned(),
        resource_type: resource.definition.resource_type.clone(),
        properties: resource.properties.clone(),
    };
    stack.events.push(event);
}

/// Records that a resource heard a signal.
pub(crate) fn signal_event(world: &mut World, stack_id: &str, key: Key, text: &str) {
    let now = world.now();
    let (id, sequence) = (world.new_uuid(), world.heat.fresh());
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    let Some(resource) = stack.resources.get(&key) else {
        return;
    };
    let event = Event {
        id,
        at: now,
        sequence,
        resource_name: resource.name.clone(),
        physical_id: resource.physical_id.clone(),
        action: "SIGNAL".to_owned(),
        status: resource.status.to_string(),
        reason: format!("Signal: {text}"),
        resource_type: resource.definition.resource_type.clone(),
        properties: resource.properties.clone(),
    };
    stack.events.push(event);
}

/// Sets a stack's state and records it.
pub(crate) fn set_stack(world: &mut World, stack_id: &str, action: Action, status: Status, reason: &str) {
    let now = world.now();
    let (id, sequence) = (world.new_uuid(), world.heat.fresh());
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    stack.action = action;
    stack.status = status;
    reason.clone_into(&mut stack.reason);
    let event = Event {
        id,
        at: now,
        sequence,
        resource_name: stack.name.clone(),
        physical_id: Some(stack.id.clone()),
        action: action.to_string(),
        status: status.to_string(),
        reason: reason.to_owned(),
        resource_type: "OS::Heat::Stack".to_owned(),
        properties: Map::new(),
    };
    stack.events.push(event);
}

/// The work on a resource succeeded.
pub(crate) fn resource_done(world: &mut World, stack_id: &str, key: Key, action: Action) {
    set_resource(world, stack_id, key, action, Status::Complete, "state changed");
    end_task(world, stack_id, key, action, true);
}

/// The work on a resource failed.
pub(crate) fn resource_failed(world: &mut World, stack_id: &str, key: Key, action: Action, error: Failure) {
    let Some(resource) = world.heat.resource(stack_id, key) else {
        return;
    };
    // A failure of a nested stack brings its own path, which continues this one.
    let own = vec!["resources".to_owned(), resource.name.clone()];
    let error = if error.path.starts_with(&own) {
        error
    } else {
        error.under(own)
    };
    let reason = error.to_string();
    set_resource(world, stack_id, key, action, Status::Failed, &reason);
    let counts = task_counts(world, stack_id, key, action);
    end_task(world, stack_id, key, action, false);
    if counts {
        mark_failed(world, stack_id, &format!("Resource {action} failed: {reason}"));
    }
}

fn node_of(world: &World, stack_id: &str, key: Key, action: Action) -> Option<Node> {
    let name = world.heat.resource(stack_id, key)?.name.clone();
    Some(if action == Action::Delete {
        Node::Cleanup(key)
    } else {
        Node::Check(name)
    })
}

/// Whether a walk under way waits for this work.
fn task_counts(world: &World, stack_id: &str, key: Key, action: Action) -> bool {
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return false;
    };
    let Some(traversal) = &stack.traversal else {
        return false;
    };
    let belongs = stack
        .resources
        .get(&key)
        .and_then(|r| r.task.as_ref())
        .is_none_or(|task| task.started_at >= traversal.started_at);
    belongs && node_of(world, stack_id, key, action).is_some_and(|node| traversal::is_running(stack, &node))
}

fn end_task(world: &mut World, stack_id: &str, key: Key, action: Action, succeeded: bool) {
    let counts = task_counts(world, stack_id, key, action);
    let Some(node) = node_of(world, stack_id, key, action) else {
        return;
    };
    if let Some(resource) = world.heat.resource_mut(stack_id, key) {
        resource.task = None;
    }
    if action == Action::Delete && succeeded {
        forget_resource(world, stack_id, key);
    }
    if counts {
        if succeeded {
            traversal::done(world, stack_id, &node);
        }
        return;
    }
    // The work belonged to an earlier walk: a step of the present one may have waited for its end.
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return;
    };
    for waiting in [node, Node::Cleanup(key)] {
        if traversal::is_running(stack, &waiting) {
            work::start(world, stack_id, &waiting);
            return;
        }
    }
}

/// Forgets an instance that is gone.
pub(crate) fn forget_resource(world: &mut World, stack_id: &str, key: Key) {
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    stack.resources.remove(&key);
    for resource in stack.resources.values_mut() {
        resource.requires.remove(&key);
    }
}

/// Everything in a stack's walk is done.
pub(crate) fn complete(world: &mut World, stack_id: &str) {
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    let action = stack.action;
    stack.traversal = None;
    stack.previous = None;
    set_stack(
        world,
        stack_id,
        action,
        Status::Complete,
        &format!("Stack {action} completed successfully"),
    );
    if action == Action::Delete {
        begin::buried(world, stack_id);
    }
    nested::tell_parent(world, stack_id);
}

/// A stack's walk failed. What is under way in its resources goes on to its own end; nothing new starts.
pub(crate) fn mark_failed(world: &mut World, stack_id: &str, reason: &str) {
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return;
    };
    let action = stack.action;
    let rolls_back = !stack.disable_rollback && matches!(action, Action::Create | Action::Update);
    set_stack(world, stack_id, action, Status::Failed, reason);
    if let Some(stack) = world.heat.stacks.get_mut(stack_id) {
        stack.traversal = None;
    }
    if rolls_back {
        begin::roll_back(world, stack_id);
    }
    nested::tell_parent(world, stack_id);
}

/// A stack's time is up: the work under way is taken away, and the stack has failed.
pub(crate) fn time_out(world: &mut World, stack_id: &str, traversal: u64) {
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return;
    };
    if stack.traversal.as_ref().map(|t| t.id) != Some(traversal) {
        return;
    }
    let title = format!("Stack \"{}\" [{}]", stack.name, stack.id);
    cancel_work(world, stack_id, &|action, resource_type, name| {
        let class = resource_type.rsplit("::").next().unwrap_or(resource_type);
        let task = action.to_string().to_lowercase();
        format!("{action} aborted (Task {task} from {class} \"{name}\" {title} Timed out)")
    });
    mark_failed(world, stack_id, "Timed out");
}

/// Takes away the work under way in a stack and in the stacks nested in it.
pub(crate) fn cancel_work(world: &mut World, stack_id: &str, reason: &dyn Fn(Action, &str, &str) -> String) {
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return;
    };
    let busy: Vec<(Key, Action, String, String)> = stack
        .resources
        .values()
        .filter_map(|r| {
            r.task.as_ref().map(|t| {
                (
                    r.key,
                    t.action,
                    r.definition.resource_type.clone(),
                    r.name.clone(),
                )
            })
        })
        .collect();
    for (key, action, resource_type, name) in busy {
        if let Some(child) = nested::child_of(world, stack_id, key) {
            if let Some(stack) = world.heat.stacks.get_mut(&child) {
                stack.traversal = None;
            }
            cancel_work(world, &child, reason);
            if let Some(stack) = world
                .heat
                .stacks
                .get(&child)
                .filter(|s| s.status == Status::InProgress)
            {
                let action = stack.action;
                set_stack(
                    world,
                    &child,
                    action,
                    Status::Failed,
                    &format!("Stack {action} cancelled"),
                );
            }
        }
        let Some(plugin) = world.heat.resource(stack_id, key).map(|r| r.plugin.clone()) else {
            continue;
        };
        plugin.cancel(&mut Operation {
            world,
            stack_id: stack_id.to_owned(),
            key,
        });
        if let Some(resource) = world.heat.resource_mut(stack_id, key) {
            resource.task = None;
        }
        let reason = reason(action, &resource_type, &name);
        set_resource(world, stack_id, key, action, Status::Failed, &reason);
    }
}
