//! How operations on stacks begin.

use super::super::stack::{Action, Loaded, Source, Stack, Status};
use super::{finish, load, traversal};
use crate::sim::World;
use crate::sim::hot::Pseudo;

/// Puts a new stack into the world and begins to create it.
pub(crate) fn launch(world: &mut World, stack: Stack) {
    let id = stack.id.clone();
    world.heat.order.push(id.clone());
    world.heat.stacks.insert(id.clone(), stack);
    finish::set_stack(
        world,
        &id,
        Action::Create,
        Status::InProgress,
        "Stack CREATE started",
    );
    traversal::start(world, &id);
}

/// Begins to bring a stack to another source.
pub(crate) fn converge(world: &mut World, stack_id: &str, loaded: Loaded, action: Action) {
    let now = world.now();
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    let before: Source = std::mem::replace(&mut stack.loaded, loaded).source;
    match action {
        // What was complete is what a rollback goes back to; a failure keeps the older one.
        Action::Update if stack.status == Status::Complete => stack.previous = Some(before),
        Action::Rollback => stack.previous = None,
        _ => {}
    }
    stack.updated_at = Some(now);
    finish::set_stack(
        world,
        stack_id,
        action,
        Status::InProgress,
        &format!("Stack {action} started"),
    );
    traversal::start(world, stack_id);
}

/// Begins to undo a failed operation.
pub(crate) fn roll_back(world: &mut World, stack_id: &str) {
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return;
    };
    let source = stack
        .previous
        .clone()
        .unwrap_or_else(|| load::empty(&stack.loaded.source));
    let pseudo: Pseudo = stack.loaded.parameters.pseudo.clone();
    match load::load(source, pseudo) {
        Ok(loaded) => converge(world, stack_id, loaded, Action::Rollback),
        Err(error) => {
            let reason = error.to_string();
            finish::set_stack(world, stack_id, Action::Rollback, Status::Failed, &reason);
        }
    }
}

/// Begins to delete a stack, whatever it is doing.
pub(crate) fn delete(world: &mut World, stack_id: &str) {
    let now = world.now();
    finish::cancel_work(world, stack_id, &|action, _, _| {
        format!("{action} aborted (user triggered cancel)")
    });
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    // Template and parameters stay visible while the stack goes; only nothing of it is wanted any more.
    stack.loaded.definitions.clear();
    stack.loaded.outputs.clear();
    stack.updated_at = Some(now);
    for resource in stack.resources.values_mut() {
        resource.task = None;
    }
    finish::set_stack(
        world,
        stack_id,
        Action::Delete,
        Status::InProgress,
        "Stack DELETE started",
    );
    traversal::start(world, stack_id);
}

/// A stack is gone: what Heat made for it goes, too.
pub(crate) fn buried(world: &mut World, stack_id: &str) {
    let now = world.now();
    world.forget_signals(stack_id);
    let Some(stack) = world.heat.stacks.get_mut(stack_id) else {
        return;
    };
    stack.deleted_at = Some(now);
    if stack.parent.is_some() {
        return;
    }
    if let Some(project) = stack.user_project.take() {
        // It may be gone already with its domain.
        let _ = world.delete_project(&project);
    }
    if let Some(trust) = world
        .heat
        .stacks
        .get_mut(stack_id)
        .and_then(|s| s.trust_id.take())
    {
        world.drop_trust(&trust);
    }
}
