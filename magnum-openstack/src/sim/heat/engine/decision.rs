//! What is to be done with a resource whose turn has come.

use super::super::plugin::{Failure, View, failure};
use super::super::stack::{Action, After, Key, Status};
use super::{load, validate};
use crate::sim::World;

/// What a check finds to be done.
pub(super) enum Decision {
    Nothing,
    Create,
    Update(Box<After>),
    Replace,
    Fail(Failure),
    Wait,
}

/// Compares the instance that stands for a name with the definition of that name.
pub(super) fn decide(world: &World, stack_id: &str, name: &str) -> Option<(Key, Decision)> {
    let stack = world.heat.stacks.get(stack_id)?;
    let resource = stack.current(name)?;
    let definition = stack.loaded.definition(name)?;
    let key = resource.key;
    if resource.task.is_some() {
        return Some((key, Decision::Wait));
    }
    if resource.is(Action::Init, Status::Complete) {
        return Some((key, Decision::Create));
    }
    let view = View {
        world,
        stack,
        resource,
    };
    let plugin = match load::plugin_of(&stack.loaded, definition) {
        Ok(plugin) => plugin,
        Err(error) => return Some((key, Decision::Fail(error))),
    };
    let nested = plugin.nested_stack(&view).is_some();
    if resource.action == Action::Delete
        || definition.resource_type != resource.definition.resource_type
        || plugin.kind() != resource.plugin.kind()
    {
        return Some((key, Decision::Replace));
    }
    if resource.status == Status::Failed && !nested && plugin.replaced_when_failed(&view) {
        return Some((key, Decision::Replace));
    }
    let properties = match validate::resolve_properties(world, stack, definition, plugin.as_ref(), true) {
        Ok(properties) => properties,
        Err(error) => {
            // A value that cannot be worked out any more is a failure of this resource.
            return Some((key, Decision::Fail(failure("ValueError", error.text))));
        }
    };
    let changed: Vec<String> = properties
        .iter()
        .filter(|(k, v)| resource.properties.get(*k) != Some(v))
        .map(|(k, _)| k.clone())
        .collect();
    let same_rest = definition.metadata == resource.definition.metadata
        && definition.update_policy == resource.definition.update_policy
        && definition.deletion_policy == resource.definition.deletion_policy;
    if changed.is_empty() && same_rest && resource.status != Status::Failed && !plugin.always_updates(&view) {
        return Some((key, Decision::Nothing));
    }
    let schema = plugin.properties();
    let fixed = |name: &String| schema.iter().any(|p| p.name == *name && !p.update_allowed);
    if schema.iter().any(|p| p.immutable && changed.contains(&p.name)) {
        let text = format!(
            "Update to properties {} of {} ({}) is not supported.",
            changed.join(", "),
            name,
            definition.resource_type
        );
        return Some((key, Decision::Fail(failure("NotSupported", text))));
    }
    if changed.iter().any(fixed) || plugin.needs_replacement(&resource.properties, &properties) {
        return Some((key, Decision::Replace));
    }
    let after = After {
        definition: definition.clone(),
        properties,
        changed,
    };
    Some((key, Decision::Update(Box::new(after))))
}
