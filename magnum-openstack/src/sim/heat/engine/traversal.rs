//! One walk through a stack's resources: what must be checked or cleaned up, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::stack::{Action, Key, Resource, Stack, Status};
use super::queue::Wake;
use super::{finish, work};
use crate::sim::World;

/// One step of a walk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// Bring the resource of this name to its definition.
    Check(String),
    /// Delete this instance, unless it is the one that stands for its name.
    Cleanup(Key),
}

/// A walk that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Traversal {
    pub(crate) id: u64,
    pub(crate) started_at: Timestamp,
    /// What each step that did not start waits for.
    waiting: BTreeMap<Node, BTreeSet<Node>>,
    running: BTreeSet<Node>,
}

/// Begins a walk through a stack whose source was just set.
pub(crate) fn start(world: &mut World, stack_id: &str) {
    let now = world.now();
    let id = world.heat.fresh();
    prepare(world, stack_id);
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    let waiting = graph(stack);
    stack.traversal = Some(Traversal {
        id,
        started_at: now,
        waiting,
        running: BTreeSet::new(),
    });
    let minutes = stack.timeout_mins.unwrap_or(60);
    let limit = std::time::Duration::from_secs(minutes.saturating_mul(60));
    let deadline = now.checked_add(limit).unwrap_or(Timestamp::MAX);
    let stack_id = stack_id.to_owned();
    world.heat.queue.push(
        now,
        Wake::Progress {
            stack_id: stack_id.clone(),
            traversal: id,
        },
    );
    world.heat.queue.push(
        deadline,
        Wake::Timeout {
            stack_id,
            traversal: id,
        },
    );
}

/// Chooses the instance that stands for each name, and makes one for names that have none.
fn prepare(world: &mut World, stack_id: &str) {
    let now = world.now();
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return;
    };
    let rolling_back = stack.action == Action::Rollback;
    let mut chosen: Vec<(String, Option<Key>)> = Vec::new();
    for definition in &stack.loaded.definitions {
        let best = stack
            .resources
            .values()
            .filter(|r| r.name == definition.name)
            .max_by_key(|r| {
                (
                    suitability(r),
                    if rolling_back { Key::MAX - r.key } else { r.key },
                )
            })
            .map(|r| r.key);
        chosen.push((definition.name.clone(), best));
    }
    let mut fresh = Vec::new();
    for (name, best) in chosen {
        if best.is_none() {
            fresh.extend(new_instance(world, stack_id, &name, now));
        }
        let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
            return;
        };
        for resource in stack.resources.values_mut().filter(|r| r.name == name) {
            resource.replaced_by = best.filter(|b| *b != resource.key);
        }
    }
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    for resource in fresh {
        stack.resources.insert(resource.key, resource);
    }
}

fn suitability(resource: &Resource) -> i32 {
    let failed = if resource.status == Status::Failed { -30 } else { 0 };
    let deleted = if resource.action == Action::Delete { -50 } else { 0 };
    failed + deleted
}

/// A new instance for the resource `name` of a stack's template.
pub(crate) fn new_instance(
    world: &mut World,
    stack_id: &str,
    name: &str,
    now: Timestamp,
) -> Option<Resource> {
    let key = world.heat.fresh();
    let uuid = world.new_uuid();
    let stack = world.heat.stacks.get(stack_id)?;
    let definition = stack.loaded.definition(name)?.clone();
    let plugin = super::load::plugin_of(&stack.loaded, &definition).ok()?;
    Some(Resource {
        key,
        uuid,
        name: name.to_owned(),
        definition,
        plugin,
        action: Action::Init,
        status: Status::Complete,
        reason: String::new(),
        physical_id: None,
        created_at: now,
        updated_at: None,
        data: BTreeMap::new(),
        metadata: serde_json::Value::Object(serde_json::Map::new()),
        properties: serde_json::Map::new(),
        requires: BTreeSet::new(),
        replaced_by: None,
        task: None,
    })
}

fn graph(stack: &Stack) -> BTreeMap<Node, BTreeSet<Node>> {
    let mut waiting: BTreeMap<Node, BTreeSet<Node>> = BTreeMap::new();
    for (name, needs) in &stack.loaded.requirements {
        waiting.insert(
            Node::Check(name.clone()),
            needs.iter().cloned().map(Node::Check).collect(),
        );
    }
    for resource in stack.resources.values() {
        let mut needs: BTreeSet<Node> = BTreeSet::new();
        let check = Node::Check(resource.name.clone());
        if waiting.contains_key(&check) {
            needs.insert(check);
        }
        needs.extend(
            stack
                .resources
                .values()
                .filter(|other| other.requires.contains(&resource.key))
                .map(|o| Node::Cleanup(o.key)),
        );
        waiting.insert(Node::Cleanup(resource.key), needs);
    }
    waiting
}

/// Starts every step that is ready; ends the walk when none is left.
pub(crate) fn progress(world: &mut World, stack_id: &str) {
    loop {
        let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
            return;
        };
        let Some(traversal) = &mut stack.traversal else {
            return;
        };
        let ready: Vec<Node> = traversal
            .waiting
            .iter()
            .filter(|(_, needs)| needs.is_empty())
            .map(|(node, _)| node.clone())
            .collect();
        if ready.is_empty() {
            if traversal.waiting.is_empty() && traversal.running.is_empty() {
                finish::complete(world, stack_id);
            }
            return;
        }
        let id = traversal.id;
        for node in &ready {
            traversal.waiting.remove(node);
            traversal.running.insert(node.clone());
        }
        for node in ready {
            let current = world
                .heat
                .stacks
                .get(stack_id)
                .and_then(|s| s.traversal.as_ref())
                .map(|t| t.id);
            if current != Some(id) {
                // A failure ended the walk while its other steps were starting.
                return;
            }
            work::start(world, stack_id, &node);
        }
    }
}

/// A step is done: what waited for it may start.
pub(crate) fn done(world: &mut World, stack_id: &str, node: &Node) {
    let now = world.now();
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    let Some(traversal) = &mut stack.traversal else {
        return;
    };
    if !traversal.running.remove(node) {
        return;
    }
    for needs in traversal.waiting.values_mut() {
        needs.remove(node);
    }
    let wake = Wake::Progress {
        stack_id: stack_id.to_owned(),
        traversal: traversal.id,
    };
    world.heat.queue.push(now, wake);
}

/// Whether the walk under way waits for this step to end.
pub(crate) fn is_running(stack: &Stack, node: &Node) -> bool {
    stack.traversal.as_ref().is_some_and(|t| t.running.contains(node))
}
