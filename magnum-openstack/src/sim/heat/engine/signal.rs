//! Signals to resources.

use serde_json::Value;

use super::super::plugin::Operation;
use super::super::stack::Action;
use super::finish;
use crate::sim::World;
use crate::sim::hot::{ErrorKind, HeatError};

/// Delivers a signal to a resource of a stack.
///
/// # Errors
/// When there is no such resource, it takes no signals, or the signal has no valid form.
pub(crate) fn signal(
    world: &mut World,
    stack_id: &str,
    name: &str,
    details: &Value,
) -> Result<(), HeatError> {
    let stack = world
        .heat
        .stacks
        .get(stack_id)
        .filter(|s| !s.is_deleted())
        .ok_or_else(|| {
            HeatError::new(
                ErrorKind::EntityNotFound,
                format!("The Stack ({stack_id}) could not be found."),
            )
        })?;
    let missing = HeatError::new(
        ErrorKind::ResourceNotFound,
        format!(
            "The Resource ({name}) could not be found in Stack {}.",
            stack.name
        ),
    );
    let resource = stack.current(name).ok_or(missing)?;
    if resource.action == Action::Init {
        return Err(HeatError::new(
            ErrorKind::ResourceNotAvailable,
            format!("The Resource ({name}) is not available."),
        ));
    }
    if resource.action == Action::Delete {
        let text = format!("Cannot signal resource during {}", resource.action);
        return Err(HeatError::new(
            ErrorKind::NotSupported,
            format!("{text} is not supported."),
        ));
    }
    let (key, plugin) = (resource.key, resource.plugin.clone());
    let mut op = Operation {
        world,
        stack_id: stack_id.to_owned(),
        key,
    };
    match plugin.signal(&mut op, details) {
        None => Err(HeatError::new(
            ErrorKind::ResourceActionNotSupported,
            "SIGNAL is not supported for resource.".to_owned(),
        )),
        Some(Err(error)) => Err(error),
        Some(Ok(text)) => {
            finish::signal_event(world, stack_id, key, &text);
            Ok(())
        }
    }
}
