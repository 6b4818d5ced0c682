//! From what was sent to a stack's definitions, and from a definition to its plug-in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Map;

use super::super::plugin::PluginRef;
use super::super::resources;
use super::super::resources::template_resource::TemplateResource;
use super::super::stack::{Key, Loaded, Source};
use super::validate;
use crate::sim::World;
use crate::sim::hot::{
    Definition, ErrorKind, HeatError, ParameterValues, Pseudo, RegistryEntry, Template, parse_template,
};

/// Binds the parameters of a source and decides its conditions.
///
/// # Errors
/// What is wrong with the template or its parameters.
pub(crate) fn load(source: Source, pseudo: Pseudo) -> Result<Loaded, HeatError> {
    source.template.check_sections()?;
    let parameters = ParameterValues::new(
        source.template.schemas()?,
        &source.environment.parameters,
        &source.environment.parameter_defaults,
        pseudo,
    );
    let (definitions, outputs) = source.template.load(&parameters)?;
    let plugins = plugins(&source, &definitions);
    let requirements = validate::requirements(&definitions, &plugins);
    Ok(Loaded {
        source,
        parameters,
        definitions,
        outputs,
        plugins,
        requirements,
    })
}

/// The plug-in of a definition of a source.
///
/// # Errors
/// `StackValidationFailed` for a type that does not exist or a nested template that cannot be had.
pub(crate) fn plugin_of(loaded: &Loaded, definition: &Definition) -> Result<PluginRef, HeatError> {
    loaded.plugins.get(&definition.name).cloned().unwrap_or_else(|| {
        Err(HeatError::validation(format!(
            "The Resource Type ({}) could not be found.",
            definition.resource_type
        )))
    })
}

/// Works out the plug-in of every definition. Members of a group are many of one type: its template is read
/// once.
fn plugins(source: &Source, definitions: &[Definition]) -> BTreeMap<String, Result<PluginRef, HeatError>> {
    let mut known: Vec<(RegistryEntry, Result<PluginRef, HeatError>)> = Vec::new();
    let mut all = BTreeMap::new();
    for definition in definitions {
        let plugin = source
            .environment
            .resolve(&definition.resource_type, &definition.name)
            .and_then(|entry| {
                if let Some((_, plugin)) = known.iter().find(|(seen, _)| *seen == entry) {
                    return plugin.clone();
                }
                let plugin = make_plugin(source, definition, entry.clone());
                known.push((entry, plugin.clone()));
                plugin
            });
        all.insert(definition.name.clone(), plugin);
    }
    all
}

fn make_plugin(
    source: &Source,
    definition: &Definition,
    entry: RegistryEntry,
) -> Result<PluginRef, HeatError> {
    match entry {
        RegistryEntry::Type(name) => resources::builtin(&name).ok_or_else(|| {
            HeatError::validation(format!(
                "The Resource Type ({}) could not be found.",
                definition.resource_type
            ))
        }),
        RegistryEntry::Template { key, through } => {
            let template = nested_template(&source.files, &key)?;
            Ok(Arc::new(TemplateResource::new(key, through, template)?))
        }
    }
}

/// The template among the files under `key`.
fn nested_template(files: &BTreeMap<String, String>, key: &str) -> Result<Template, HeatError> {
    let Some(text) = files.get(key) else {
        return Err(HeatError::validation(format!(
            "Could not fetch remote template \"{key}\": no such file was sent with the stack"
        )));
    };
    let node = parse_template(text).map_err(HeatError::into_validation)?;
    Template::new(node)
}

/// The instances that stand for what a resource requires.
pub(crate) fn required_keys(world: &World, stack_id: &str, key: Key) -> BTreeSet<Key> {
    let Some(stack) = world.heat.stacks.get(stack_id) else {
        return BTreeSet::new();
    };
    let Some(resource) = stack.resources.get(&key) else {
        return BTreeSet::new();
    };
    let Some(names) = stack.loaded.requirements.get(&resource.name) else {
        return resource.requires.clone();
    };
    names
        .iter()
        .filter_map(|name| stack.current(name))
        .map(|r| r.key)
        .collect()
}

/// A source with an empty template, for what is left when everything goes.
pub(crate) fn empty(source: &Source) -> Source {
    let mut environment = source.environment.clone();
    environment.parameters = Map::new();
    Source {
        template: Template::empty(source.template.version),
        files: source.files.clone(),
        environment,
    }
}

/// The error for a stack that is not there.
pub(crate) fn no_stack(name: &str) -> HeatError {
    HeatError::new(
        ErrorKind::EntityNotFound,
        format!("The Stack ({name}) could not be found."),
    )
}
