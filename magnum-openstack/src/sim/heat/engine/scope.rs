//! What expressions see of the stack they stand in.

use serde_json::{Map, Value};

use super::super::plugin::{Failure, Operation, View};
use super::super::stack::{Action, Stack, Status};
use super::load;
use crate::sim::World;
use crate::sim::hot::{ErrorKind, Expr, HeatError, Scope, evaluate, select};

/// A stack as its template's expressions see it.
pub(crate) struct StackScope<'a> {
    pub(crate) world: &'a World,
    pub(crate) stack: &'a Stack,
}

/// The value of an expression of a stack's template.
///
/// # Errors
/// The message of the function that failed.
pub(crate) fn evaluate_in(world: &World, stack: &Stack, expr: &Expr) -> Result<Value, HeatError> {
    evaluate(expr, &StackScope { world, stack })
}

/// The value of an expression of the template of the stack that an operation is in.
pub(crate) fn evaluate_of(op: &Operation<'_>, expr: &Expr) -> Result<Value, Failure> {
    evaluate_in(op.world, op.stack()?, expr)
}

impl StackScope<'_> {
    fn view(&self, name: &str) -> Result<Option<View<'_>>, HeatError> {
        if self.stack.loaded.definition(name).is_none() && self.stack.current(name).is_none() {
            return Err(HeatError::new(
                ErrorKind::InvalidTemplateReference,
                format!("The specified reference \"{name}\" (in unknown) is incorrect."),
            ));
        }
        Ok(self.stack.current(name).map(|resource| View {
            world: self.world,
            stack: self.stack,
            resource,
        }))
    }
}

impl Scope for StackScope<'_> {
    fn parameter(&self, name: &str) -> Result<Value, HeatError> {
        self.stack.loaded.parameters.get(name)
    }

    fn reference(&self, resource: &str) -> Result<Value, HeatError> {
        let view = self.view(resource)?;
        // What is not there is called by its name, but Neutron's things have no reference until they are there.
        // Of a stack that is nested in one that is only looked at, Heat does not know which are Neutron's.
        let known = view.is_some() || self.stack.depth == 0;
        let made = view
            .as_ref()
            .is_some_and(|view| view.resource.physical_id.is_some());
        let loaded = &self.stack.loaded;
        let neutrons = |definition| {
            load::plugin_of(loaded, definition).is_ok_and(|plugin| plugin.kind().starts_with("OS::Neutron::"))
        };
        if known && !made && loaded.definition(resource).is_some_and(neutrons) {
            return Ok(Value::Null);
        }
        Ok(Value::String(match view {
            Some(view) => view.resource.plugin.reference(&view),
            None => resource.to_owned(),
        }))
    }

    fn attribute(&self, resource: &str, attribute: Option<&str>, path: &[Value]) -> Result<Value, HeatError> {
        let Some(view) = self.view(resource)? else {
            return Ok(Value::Null);
        };
        let ready = !matches!(view.resource.action, Action::Init | Action::Delete);
        if !ready {
            return Ok(Value::Null);
        }
        match attribute {
            Some(attribute) => attribute_of(&view, attribute, path),
            None if view.resource.status == Status::Failed => Ok(Value::Null),
            None => all_attributes(&view).map(Value::Object),
        }
    }

    fn file(&self, key: &str) -> Option<String> {
        self.stack.loaded.source.files.get(key).cloned()
    }

    fn facade(&self, what: &str) -> Result<Value, HeatError> {
        let parent = self.stack.parent.as_ref().and_then(|(parent_id, key, _)| {
            let parent = self.world.heat.stacks.get(parent_id)?;
            Some((parent, parent.resources.get(key)?))
        });
        let Some((parent, resource)) = parent else {
            return Ok(Value::Null);
        };
        match what {
            "metadata" => Ok(resource.metadata.clone()),
            "deletion_policy" => Ok(Value::String(format!(
                "{:?}",
                resource.definition.deletion_policy
            ))),
            _ => evaluate_in(self.world, parent, &resource.definition.update_policy),
        }
    }
}

/// An attribute of a resource, or what `path` leads to in it.
///
/// # Errors
/// `InvalidTemplateAttribute` when the type has no such attribute.
pub(crate) fn attribute_of(view: &View<'_>, name: &str, path: &[Value]) -> Result<Value, HeatError> {
    let plugin = &view.resource.plugin;
    if !knows_attribute(&plugin.attributes(), plugin.is_open(), name) {
        return Err(invalid_attribute(&view.resource.name, name));
    }
    let attribute = plugin.attribute(view, name, path)?;
    Ok(if attribute.path_used {
        attribute.value
    } else {
        select(&attribute.value, path)
    })
}

/// Every attribute of a resource except `show`.
pub(crate) fn all_attributes(view: &View<'_>) -> Result<Map<String, Value>, HeatError> {
    let mut all = Map::new();
    for name in view.resource.plugin.attributes() {
        if name.contains('*') {
            continue;
        }
        let value = view
            .resource
            .plugin
            .attribute(view, &name, &[])
            .map(|a| a.value)
            .unwrap_or_default();
        all.insert(name, value);
    }
    Ok(all)
}

/// Whether `name` is among `known`, where `resource.*` stands for every name that begins so.
pub(crate) fn knows_attribute(known: &[String], open: bool, name: &str) -> bool {
    open || name == "show"
        || known
            .iter()
            .any(|k| k == name || k.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix)))
}

/// The error for an attribute that a type does not have.
pub(crate) fn invalid_attribute(resource: &str, name: &str) -> HeatError {
    HeatError::new(
        ErrorKind::InvalidTemplateAttribute,
        format!("The Referenced Attribute ({resource} {name}) is incorrect."),
    )
}
