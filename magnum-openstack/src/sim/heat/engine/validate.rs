//! Checks a stack before anything is made, and resolves properties when something is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::plugin::{Plugin, PluginRef};
use super::super::schema::{Prop, resolve_keys};
use super::super::stack::{Action, Source, Stack};
use super::{load, nested, scope};
use crate::sim::World;
use crate::sim::heat::custom;
use crate::sim::hot::{Definition, ErrorKind, Expr, HeatError, check_graph, evaluate_optional};

/// The origin of errors about properties.
pub(crate) const PROPERTY_ERROR: &str = "Property error";

/// What each resource requires, by name: what it says, what its values refer to, and what its type implies.
pub(crate) fn requirements(
    definitions: &[Definition],
    plugins: &BTreeMap<String, Result<PluginRef, HeatError>>,
) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeSet<&str> = definitions.iter().map(|d| d.name.as_str()).collect();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for definition in definitions {
        let needs = definition
            .requirements()
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| names.contains(name.as_str()))
            .collect();
        all.insert(definition.name.clone(), needs);
    }
    for definition in definitions {
        let Some(Ok(plugin)) = plugins.get(&definition.name) else {
            continue;
        };
        for name in plugin.implied_requirements(definition, definitions) {
            // What would close a circle is not implied.
            if name != definition.name && !reaches(&all, &name, &definition.name) {
                all.entry(definition.name.clone()).or_default().insert(name);
            }
        }
    }
    all
}

fn reaches(all: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(all.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

/// The properties of a definition: evaluated, brought to their types, defaults filled in.
///
/// # Errors
/// The first thing wrong, its path starting at the property.
pub(crate) fn resolve_properties(
    world: &World,
    stack: &Stack,
    definition: &Definition,
    plugin: &dyn Plugin,
    check: bool,
) -> Result<Map<String, Value>, HeatError> {
    let given = given_properties(world, stack, definition)?;
    if plugin.is_open() {
        return Ok(given);
    }
    let custom = |name: &str, value: &Value| custom::check(world, &stack.owner, name, value);
    resolve_keys(
        &plugin.properties(),
        &given,
        if check { Some(&custom) } else { None },
    )
}

/// The properties of a definition as a preview shows them: each by itself, null where there is no value yet.
pub(crate) fn previewed_properties(
    world: &World,
    stack: &Stack,
    definition: &Definition,
    plugin: &dyn Plugin,
) -> Map<String, Value> {
    let scope = scope::StackScope { world, stack };
    let given: Map<String, Value> = match &definition.properties {
        Expr::Map(entries) => entries
            .iter()
            .filter_map(|(key, expr)| Some((key.clone(), evaluate_optional(expr, &scope).ok()??)))
            .collect(),
        _ => given_properties(world, stack, definition).unwrap_or_default(),
    };
    if plugin.is_open() {
        return given;
    }
    let value = |prop: &Prop| {
        let own = given
            .get(&prop.name)
            .map(|value| (prop.name.clone(), value.clone()));
        let resolved = resolve_keys(std::slice::from_ref(prop), &own.into_iter().collect(), None);
        resolved.ok().and_then(|mut all| all.remove(&prop.name))
    };
    plugin
        .properties()
        .iter()
        .map(|prop| (prop.name.clone(), value(prop).unwrap_or_default()))
        .collect()
}

fn given_properties(
    world: &World,
    stack: &Stack,
    definition: &Definition,
) -> Result<Map<String, Value>, HeatError> {
    let scope = scope::StackScope { world, stack };
    let mut given = Map::new();
    match &definition.properties {
        Expr::Map(entries) => {
            for (key, expr) in entries {
                let value = evaluate_optional(expr, &scope).map_err(|e| e.under([key.clone()]))?;
                if let Some(value) = value {
                    given.insert(key.clone(), value);
                }
            }
        }
        other => {
            if let Some(Value::Object(map)) = evaluate_optional(other, &scope)? {
                given = map;
            }
        }
    }
    Ok(given)
}

/// Checks a stack that was loaded but not begun.
///
/// # Errors
/// The first thing wrong.
pub(crate) fn validate(world: &World, stack: &Stack, with_values: bool) -> Result<(), HeatError> {
    let loaded = &stack.loaded;
    let custom = |name: &str, value: &Value| custom::check(world, &stack.owner, name, value);
    loaded.parameters.validate(with_values, &custom)?;
    let names: BTreeSet<&str> = loaded.definitions.iter().map(|d| d.name.as_str()).collect();
    for definition in &loaded.definitions {
        load::plugin_of(loaded, definition)?;
        for (target, path) in definition.requirements() {
            // To depend on a resource whose condition does not hold is allowed; to refer to it is not.
            let conditional = path == definition.name && loaded.source.template.has_resource(&target);
            if !names.contains(target.as_str()) && !conditional {
                return Err(HeatError::new(
                    ErrorKind::InvalidTemplateReference,
                    format!("The specified reference \"{target}\" (in {path}) is incorrect."),
                ));
            }
        }
    }
    check_graph(&loaded.requirements, &|name| {
        let kind = loaded.definition(name).map_or("Resource", |d| {
            d.resource_type.rsplit("::").next().unwrap_or_default()
        });
        format!("{kind} \"{name}\"")
    })?;
    for name in in_order(&loaded.requirements) {
        if let Some(definition) = loaded.definition(&name) {
            validate_resource(world, stack, definition, with_values)?;
        }
    }
    for output in &loaded.outputs {
        let Some(value) = &output.value else { continue };
        check_attributes(stack, value, &["outputs", &output.name, "value"])?;
    }
    Ok(())
}

/// The names in an order in which everything comes after what it requires.
fn in_order(requirements: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut open = requirements.clone();
    let mut order = Vec::new();
    while !open.is_empty() {
        let free: Vec<String> = open
            .iter()
            .filter(|(_, needs)| needs.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        for name in free {
            open.remove(&name);
            for needs in open.values_mut() {
                needs.remove(&name);
            }
            order.push(name);
        }
    }
    order
}

fn validate_resource(
    world: &World,
    stack: &Stack,
    definition: &Definition,
    with_values: bool,
) -> Result<(), HeatError> {
    let plugin = load::plugin_of(&stack.loaded, definition)?;
    let place = ["resources", definition.name.as_str(), "properties"];
    check_attributes(stack, &definition.properties, &place)?;
    let given = given_properties(world, stack, definition)
        .map_err(|e| e.into_validation().under(place).with_origin(PROPERTY_ERROR));
    let given = match given {
        Ok(given) => given,
        Err(_) if !with_values => return Ok(()),
        Err(error) => return Err(error),
    };
    if plugin.is_open() {
        return Ok(());
    }
    // What depends on a resource that is not there yet has no value to check.
    let custom = |name: &str, value: &Value| custom::check(world, &stack.owner, name, value);
    let unknown: BTreeSet<String> = match &definition.properties {
        Expr::Map(entries) => entries
            .iter()
            .filter(|(_, expr)| depends_on_unmade(stack, expr))
            .map(|(key, _)| key.clone())
            .collect(),
        _ => BTreeSet::new(),
    };
    let schema = plugin.properties();
    let (later, now): (Vec<_>, Vec<_>) = schema.into_iter().partition(|p| unknown.contains(&p.name));
    let split = |schema: &[Prop]| -> Map<String, Value> {
        given
            .iter()
            .filter(|(k, _)| schema.iter().any(|p| p.name == **k))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    let at = |e: HeatError| e.under(place).with_origin(PROPERTY_ERROR);
    if let Some(stray) = given
        .keys()
        .find(|k| !now.iter().chain(&later).any(|p| p.name == **k))
    {
        return Err(at(HeatError::validation(format!("Unknown Property {stray}"))));
    }
    let mut resolved = if with_values {
        resolve_keys(&now, &split(&now), Some(&custom)).map_err(at)?
    } else {
        split(&now)
    };
    resolved.extend(split(&later));
    if with_values {
        // A value that is still to come is seen as an empty one of its kind, not as a missing one.
        let mut seen = resolved.clone();
        seen.extend(resolve_keys(&later, &split(&later), None).unwrap_or_else(|_| split(&later)));
        plugin
            .validate(&seen)
            .map_err(|e| if e.origin == PROPERTY_ERROR { at(e) } else { e })?;
    }
    match plugin.nested_source(stack, &definition.name, &resolved) {
        Some(source) => validate_nested(world, stack, source?).map_err(|error| {
            let place = format!("{}<{}>", definition.name, plugin.template_url());
            // Whatever is wrong within a nested stack is a mistake of this one's template.
            if error.kind == ErrorKind::StackValidationFailed {
                error.under(["resources".to_owned(), place])
            } else {
                HeatError::validation(error.to_string())
                    .with_origin(error.kind.name())
                    .at(["resources".to_owned(), place])
            }
        }),
        None => Ok(()),
    }
}

/// Checks the stack that a resource would make, as far as it shows without its parameters' values.
fn validate_nested(world: &World, parent: &Stack, source: Source) -> Result<(), HeatError> {
    if parent.depth >= nested::DEPTH_LIMIT {
        let text = format!(
            "Request limit exceeded: Recursion depth exceeds {}.",
            nested::DEPTH_LIMIT
        );
        return Err(HeatError::new(ErrorKind::RequestLimitExceeded, text));
    }
    match load::load(source, parent.loaded.parameters.pseudo.clone()) {
        Ok(loaded) => {
            let child = Stack {
                loaded,
                depth: parent.depth + 1,
                resources: BTreeMap::new(),
                ..parent.clone()
            };
            validate(world, &child, false)
        }
        // What comes from a resource that is not there yet is no parameter yet.
        Err(error) if error.kind == ErrorKind::UserParameterMissing => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether an expression asks for something of a resource that was not begun.
fn depends_on_unmade(stack: &Stack, expr: &Expr) -> bool {
    expr.references("")
        .iter()
        .any(|(name, _)| stack.current(name).is_none_or(|r| r.action == Action::Init))
}

/// Checks that the attributes an expression asks for exist.
fn check_attributes(stack: &Stack, expr: &Expr, place: &[&str]) -> Result<(), HeatError> {
    let mut asked: Vec<(String, Option<String>, String)> = Vec::new();
    expr.walk(&place.join("."), &mut |call, path| {
        if let Some((resource, attribute)) = call.attribute() {
            asked.push((resource, attribute, format!("{path}.{}", call.name)));
        }
    });
    for (resource, attribute, path) in asked {
        let Some(definition) = stack.loaded.definition(&resource) else {
            let text = format!("The specified reference \"{resource}\" (in unknown) is incorrect.");
            return Err(HeatError::validation_at([path], text));
        };
        let plugin = load::plugin_of(&stack.loaded, definition)?;
        let Some(attribute) = attribute else { continue };
        if !scope::knows_attribute(&plugin.attributes(), plugin.is_open(), &attribute) {
            return Err(HeatError::validation_at(
                [path],
                scope::invalid_attribute(&resource, &attribute).text,
            ));
        }
    }
    Ok(())
}
