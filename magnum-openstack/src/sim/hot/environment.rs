//! The environment of a stack: parameter values, defaults, and what resource types stand for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{ErrorKind, HeatError};
use super::node::Node;
use super::yaml::parse_document;

/// What a resource type resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RegistryEntry {
    /// A type of the service itself.
    Type(String),
    /// A template among the files, by its key, and the registry key that led there.
    Template { key: String, through: Option<String> },
}

/// An environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Environment {
    pub(crate) parameters: Map<String, Value>,
    pub(crate) parameter_defaults: Map<String, Value>,
    pub(crate) resource_registry: Map<String, Value>,
    pub(crate) event_sinks: Vec<Value>,
}

const SECTIONS: [&str; 6] = [
    "parameters",
    "encrypted_param_names",
    "parameter_defaults",
    "parameter_merge_strategies",
    "resource_registry",
    "event_sinks",
];

fn bad(text: impl std::fmt::Display) -> HeatError {
    HeatError::new(ErrorKind::HttpBadRequest, text.to_string())
}

impl Environment {
    /// Reads an environment, sent as text or as a map.
    ///
    /// # Errors
    /// `HTTPBadRequest` when it has another form.
    pub(crate) fn read(node: &Node) -> Result<Self, HeatError> {
        let invalid = |text: &str| bad(format!("Environment not in valid format: {text}"));
        let parsed;
        let node = match node {
            Node::Text(text) => {
                parsed = parse_document(text).map_err(|e| invalid(&e.text))?;
                &parsed
            }
            other => other,
        };
        let entries = match node {
            Node::Null => return Ok(Self::default()),
            Node::Map(entries) => entries,
            _ => return Err(invalid("The environment is not a valid YAML mapping data type.")),
        };
        let mut environment = Self::default();
        for (section, content) in entries {
            if !SECTIONS.contains(&section.as_str()) {
                return Err(invalid(&format!("environment has wrong section \"{section}\"")));
            }
            let map = match (section.as_str(), content.to_value()) {
                (_, Value::Null) => {
                    return Err(invalid(&format!("environment has empty section \"{section}\"")));
                }
                ("encrypted_param_names" | "parameter_merge_strategies", _) => continue,
                ("event_sinks", Value::Array(items)) => {
                    environment.event_sinks = items;
                    continue;
                }
                (_, Value::Object(map)) => map,
                (_, Value::Array(items)) if items.is_empty() => Map::new(),
                _ => return Err(invalid(&format!("the section \"{section}\" is not a map"))),
            };
            match section.as_str() {
                "parameters" => environment.parameters = map,
                "parameter_defaults" => environment.parameter_defaults = map,
                _ => environment.resource_registry = map,
            }
        }
        Ok(environment)
    }

    /// Lays `over` on this environment.
    pub(crate) fn merge(&mut self, over: Self) {
        self.parameters.extend(over.parameters);
        self.parameter_defaults.extend(over.parameter_defaults);
        merge_maps(&mut self.resource_registry, over.resource_registry);
        if !over.event_sinks.is_empty() {
            self.event_sinks = over.event_sinks;
        }
    }

    /// Lays the environment files on this environment, in order.
    ///
    /// # Errors
    /// `HTTPBadRequest` for a file that was not sent or has another form.
    pub(crate) fn merge_files(
        &mut self,
        names: &[String],
        files: &BTreeMap<String, String>,
    ) -> Result<(), HeatError> {
        for name in names {
            let text = files.get(name).ok_or_else(|| bad(format!("'{name}'")))?;
            self.merge(Self::read(&Node::Text(text.clone()))?);
        }
        Ok(())
    }

    /// What `resource_type` stands for in a resource of this name.
    ///
    /// # Errors
    /// `StackValidationFailed` when the registry leads in a circle.
    pub(crate) fn resolve(
        &self,
        resource_type: &str,
        resource_name: &str,
    ) -> Result<RegistryEntry, HeatError> {
        let mut current = resource_type.to_owned();
        let mut through = None;
        for _ in 0..16 {
            if is_template(&current) {
                return Ok(RegistryEntry::Template {
                    key: current,
                    through,
                });
            }
            let Some((key, next)) = self.lookup(&current, resource_name) else {
                return Ok(RegistryEntry::Type(current));
            };
            if next == current {
                return Ok(RegistryEntry::Type(current));
            }
            through = Some(key);
            current = next;
        }
        Err(HeatError::validation(format!(
            "The Resource Type ({resource_type}) could not be found."
        )))
    }

    fn lookup(&self, resource_type: &str, resource_name: &str) -> Option<(String, String)> {
        let text = |v: &Value| v.as_str().map(str::to_owned);
        let own = self
            .resource_registry
            .get("resources")
            .and_then(|r| r.get(resource_name));
        if let Some(target) = own.and_then(|r| r.get(resource_type)).and_then(text) {
            return Some((resource_type.to_owned(), target));
        }
        if let Some(target) = self.resource_registry.get(resource_type).and_then(text) {
            return Some((resource_type.to_owned(), target));
        }
        let mut globs: Vec<(&String, &Value)> = self
            .resource_registry
            .iter()
            .filter(|(key, _)| {
                key.strip_suffix('*')
                    .is_some_and(|prefix| resource_type.starts_with(prefix))
            })
            .collect();
        globs.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        let (key, target) = globs.first()?;
        let target = text(target)?;
        let target = match (key.strip_suffix('*'), target.strip_suffix('*')) {
            // `OS::*` mapped to `Other::*` keeps the tail.
            (Some(from), Some(to)) => format!("{to}{}", resource_type.strip_prefix(from).unwrap_or_default()),
            _ => target,
        };
        Some(((*key).clone(), target))
    }

    /// The environment of a nested stack: the same registry and defaults, other parameters. The entry
    /// that led to the nested template is gone, so that the template may use the type it stands for.
    pub(crate) fn child(
        &self,
        parameters: Map<String, Value>,
        through: Option<&str>,
        resource_name: &str,
    ) -> Self {
        let mut registry = self.resource_registry.clone();
        if let Some(key) = through {
            registry.remove(key);
        }
        if let Some(Value::Object(resources)) = registry.get_mut("resources") {
            // What was said about this resource by name holds for the resources within.
            let own = match resources.get(resource_name) {
                Some(Value::Object(own)) => own.clone(),
                _ => Map::new(),
            };
            *resources = own.into_iter().filter(|(_, v)| v.is_object()).collect();
        }
        Self {
            parameters,
            parameter_defaults: self.parameter_defaults.clone(),
            resource_registry: registry,
            event_sinks: self.event_sinks.clone(),
        }
    }

    /// The environment as `GET …/environment` prints it.
    pub(crate) fn to_value(&self) -> Value {
        let mut registry = self.resource_registry.clone();
        registry
            .entry("resources")
            .or_insert_with(|| Value::Object(Map::new()));
        serde_json::json!({
            "parameters": self.parameters,
            "parameter_defaults": self.parameter_defaults,
            "resource_registry": registry,
            "encrypted_param_names": [],
            "event_sinks": self.event_sinks,
        })
    }
}

/// Whether a type is a template's key.
fn is_template(resource_type: &str) -> bool {
    resource_type.ends_with(".yaml") || resource_type.ends_with(".template")
}

fn merge_maps(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => merge_maps(inner, value),
            (_, Value::Null) => {
                base.remove(&key);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
