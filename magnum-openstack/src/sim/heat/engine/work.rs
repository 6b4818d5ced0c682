//! The work on one resource: create, update or delete it, look how far it is, hear its signals.

use super::super::plugin::{Failure, Operation, Step, Update, failure};
use super::super::stack::{Action, After, Key, Status, Task};
use super::decision::{Decision, decide};
use super::finish;
use super::queue::Wake;
use super::traversal::{self, Node};
use super::{load, scope, validate};
use crate::sim::World;
use crate::sim::hot::{DeletionPolicy, ErrorKind};

/// Starts a step of a walk.
pub(crate) fn start(world: &mut World, stack_id: &str, node: &Node) {
    match node {
        Node::Check(name) => check(world, stack_id, name),
        Node::Cleanup(key) => clean_up(world, stack_id, *key),
    }
}

fn check(world: &mut World, stack_id: &str, name: &str) {
    let node = Node::Check(name.to_owned());
    let Some((key, decision)) = decide(world, stack_id, name) else {
        traversal::done(world, stack_id, &node);
        return;
    };
    match decision {
        Decision::Nothing => traversal::done(world, stack_id, &node),
        Decision::Create => begin(world, stack_id, key, Action::Create, None),
        Decision::Update(after) => begin(world, stack_id, key, Action::Update, Some(after)),
        Decision::Replace => replace(world, stack_id, key, name),
        Decision::Fail(error) => {
            let action = if is_new(world, stack_id, key) {
                Action::Create
            } else {
                Action::Update
            };
            finish::set_resource(world, stack_id, key, action, Status::InProgress, "state changed");
            finish::resource_failed(world, stack_id, key, action, error);
        }
        // The work of an earlier walk is still running; its end starts this step again.
        Decision::Wait => {}
    }
}

fn is_new(world: &World, stack_id: &str, key: Key) -> bool {
    world
        .heat
        .stacks
        .get(stack_id)
        .and_then(|s| s.resources.get(&key))
        .is_some_and(|r| r.action == Action::Init)
}

/// Makes another instance for a resource; the old one goes when nothing needs it any more.
fn replace(world: &mut World, stack_id: &str, old: Key, name: &str) {
    let now = world.now();
    let Some(instance) = traversal::new_instance(world, stack_id, name, now) else {
        return;
    };
    let key = instance.key;
    if let Some(plugin) = world.heat.resource(stack_id, old).map(|r| r.plugin.clone()) {
        plugin.before_replacement(&mut Operation {
            world,
            stack_id: stack_id.to_owned(),
            key: old,
        });
    }
    if let Some(stack) = world.heat.stacks.get_mut(stack_id) {
        stack.resources.insert(key, instance);
        if let Some(resource) = stack.resources.get_mut(&old) {
            resource.replaced_by = Some(key);
        }
    }
    begin(world, stack_id, key, Action::Create, None);
}

/// Begins work on a resource.
fn begin(world: &mut World, stack_id: &str, key: Key, action: Action, after: Option<Box<After>>) {
    let id = world.heat.fresh();
    let now = world.now();
    let requires = load::required_keys(world, stack_id, key);
    if let Some(resource) = world.heat.resource_mut(stack_id, key) {
        resource.task = Some(Task {
            action,
            started_at: now,
            id,
            begun: false,
        });
        resource.requires = requires;
    }
    if action == Action::Create
        && let Err(error) = adopt_definition(world, stack_id, key)
    {
        finish::set_resource(world, stack_id, key, action, Status::InProgress, "state changed");
        finish::resource_failed(world, stack_id, key, action, error);
        return;
    }
    finish::set_resource(world, stack_id, key, action, Status::InProgress, "state changed");
    if let Err(error) = begin_plugin(world, stack_id, key, action, after, id) {
        finish::resource_failed(world, stack_id, key, action, error);
    }
}

/// Resolves the properties and metadata of a resource that is about to be created.
fn adopt_definition(world: &mut World, stack_id: &str, key: Key) -> Result<(), Failure> {
    let gone = || failure("NotFound", "The stack vanished.");
    let stack = world.heat.stacks.get(stack_id).ok_or_else(gone)?;
    let resource = stack.resources.get(&key).ok_or_else(gone)?;
    let definition = stack.loaded.definition(&resource.name).ok_or_else(gone)?.clone();
    let plugin = resource.plugin.clone();
    let properties =
        validate::resolve_properties(world, stack, &definition, plugin.as_ref(), true).map_err(|e| {
            if e.origin.is_empty() || e.kind != ErrorKind::StackValidationFailed {
                e.with_origin("ValueError")
            } else {
                e
            }
        })?;
    let metadata = scope::evaluate_in(world, stack, &definition.metadata)?;
    if let Some(resource) = world.heat.resource_mut(stack_id, key) {
        resource.properties = properties;
        resource.metadata = metadata;
        resource.definition = definition;
    }
    Ok(())
}

fn begin_plugin(
    world: &mut World,
    stack_id: &str,
    key: Key,
    action: Action,
    after: Option<Box<After>>,
    task: u64,
) -> Result<(), Failure> {
    let gone = || failure("NotFound", "The stack vanished.");
    let resource = world.heat.resource(stack_id, key).ok_or_else(gone)?;
    let plugin = resource.plugin.clone();
    let name = resource.name.clone();
    let resource_type = resource.definition.resource_type.clone();
    let before = resource.properties.clone();
    let timed = plugin.takes_time();
    let ready_at = world.ready_at(&resource_type, &name);
    // What a plug-in makes may fail in its own way, as a server does by going to ERROR.
    if action != Action::Delete
        && !plugin.fails_itself()
        && let Some(reason) = world.resource_failure(&resource_type, &name)
    {
        return Err(failure(
            "ResourceInError",
            format!("Went to status ERROR due to \"{reason}\""),
        ));
    }
    let mut op = Operation {
        world,
        stack_id: stack_id.to_owned(),
        key,
    };
    let step = match (action, after) {
        (Action::Update, Some(after)) => {
            let metadata = scope::evaluate_of(&op, &after.definition.metadata)?;
            let metadata_changed = op.resource()?.definition.metadata != after.definition.metadata;
            let changed = after.changed.clone();
            let properties = after.properties.clone();
            let plugin = load::plugin_of(&op.stack()?.loaded, &after.definition)?;
            op.change(|r| {
                r.definition = after.definition;
                r.properties = properties;
                r.plugin = plugin;
                if metadata_changed {
                    r.metadata = metadata;
                }
            });
            let plugin = op.resource()?.plugin.clone();
            match plugin.update(&mut op, &before, &changed)? {
                Update::InPlace(step) => step,
                Update::Replace => {
                    op.change(|r| {
                        r.task = None;
                        r.properties = before;
                    });
                    replace(op.world, stack_id, key, &name);
                    return Ok(());
                }
            }
        }
        (Action::Delete, _) => plugin.delete(&mut op)?,
        _ => plugin.create(&mut op)?,
    };
    if let Some(current) = world
        .heat
        .resource_mut(stack_id, key)
        .and_then(|r| r.task.as_mut())
        && current.id == task
    {
        current.begun = true;
    }
    let at = match step {
        Step::Done if timed => ready_at,
        Step::Done => world.now(),
        Step::Until(at) => at,
        Step::Waiting => return Ok(()),
    };
    world.heat.queue.push(
        at,
        Wake::Poll {
            stack_id: stack_id.to_owned(),
            key,
            task,
        },
    );
    Ok(())
}

/// Looks how far the work on a resource is.
pub(crate) fn poll(world: &mut World, stack_id: &str, key: Key, task: u64) {
    let Some(resource) = world.heat.resource(stack_id, key) else {
        return;
    };
    let Some(current) = resource.task.as_ref().filter(|t| t.id == task) else {
        return;
    };
    let action = current.action;
    let plugin = resource.plugin.clone();
    let mut op = Operation {
        world,
        stack_id: stack_id.to_owned(),
        key,
    };
    let step = match action {
        Action::Update => plugin.poll_update(&mut op),
        Action::Delete => plugin.poll_delete(&mut op),
        _ => plugin.poll_create(&mut op),
    };
    match step {
        Ok(Step::Done) => finish::resource_done(world, stack_id, key, action),
        Ok(Step::Until(at)) => {
            // A plug-in that asks for the past would be asked again for ever.
            let soon = world
                .now()
                .checked_add(std::time::Duration::from_millis(1))
                .unwrap_or(at);
            world.heat.queue.push(
                at.max(soon),
                Wake::Poll {
                    stack_id: stack_id.to_owned(),
                    key,
                    task,
                },
            );
        }
        Ok(Step::Waiting) => {}
        Err(error) => finish::resource_failed(world, stack_id, key, action, error),
    }
}

/// Looks at whatever work is under way on a resource, now.
pub(crate) fn nudge(world: &mut World, stack_id: &str, key: Key) {
    let now = world.now();
    if let Some(task) = world
        .heat
        .resource(stack_id, key)
        .and_then(|r| r.task.as_ref())
        .map(|t| t.id)
    {
        world.heat.queue.push(
            now,
            Wake::Poll {
                stack_id: stack_id.to_owned(),
                key,
                task,
            },
        );
    }
}

fn clean_up(world: &mut World, stack_id: &str, key: Key) {
    let node = Node::Cleanup(key);
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return;
    };
    let Some(resource) = stack.resources.get(&key) else {
        traversal::done(world, stack_id, &node);
        return;
    };
    if resource.task.is_some() {
        return;
    }
    let stands = stack.loaded.definition(&resource.name).is_some() && resource.replaced_by.is_none();
    if stands {
        traversal::done(world, stack_id, &node);
        return;
    }
    let retained = resource.definition.deletion_policy == DeletionPolicy::Retain;
    if resource.action == Action::Init || retained || resource.is(Action::Delete, Status::Complete) {
        if resource.action != Action::Init {
            finish::set_resource(
                world,
                stack_id,
                key,
                Action::Delete,
                Status::InProgress,
                "state changed",
            );
            finish::set_resource(
                world,
                stack_id,
                key,
                Action::Delete,
                Status::Complete,
                "state changed",
            );
        }
        finish::forget_resource(world, stack_id, key);
        traversal::done(world, stack_id, &node);
        return;
    }
    begin(world, stack_id, key, Action::Delete, None);
}
