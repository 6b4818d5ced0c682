//! The parameters of a stack: schemas with the values that were given.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::constraint::CustomCheck;
use super::error::{ErrorKind, HeatError};
use super::parameter::ParameterSchema;

/// What a template knows about its own stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pseudo {
    pub(crate) stack_id: String,
    pub(crate) stack_name: String,
    pub(crate) project_id: String,
}

/// Schemas in template order, the values given, and the defaults of the environment.
#[derive(Clone, Debug)]
pub(crate) struct ParameterValues {
    pub(crate) schemas: Vec<(String, ParameterSchema)>,
    given: BTreeMap<String, Value>,
    defaults: BTreeMap<String, Value>,
    pub(crate) pseudo: Pseudo,
}

impl ParameterValues {
    /// Binds `given` and the environment's `defaults` to `schemas`.
    pub(crate) fn new(
        schemas: Vec<(String, ParameterSchema)>,
        given: &Map<String, Value>,
        defaults: &Map<String, Value>,
        pseudo: Pseudo,
    ) -> Self {
        let pairs = |map: &Map<String, Value>| {
            map.iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        };
        let unknown: BTreeMap<String, Value> = given.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut given: BTreeMap<String, Value> = pairs(given);
        // A null for a parameter that does not exist is still a mistake.
        for (key, value) in unknown {
            if !schemas.iter().any(|(name, _)| *name == key) {
                given.insert(key, value);
            }
        }
        Self {
            schemas,
            given,
            defaults: pairs(defaults),
            pseudo,
        }
    }

    fn schema(&self, name: &str) -> Option<&ParameterSchema> {
        self.schemas.iter().find(|(n, _)| n == name).map(|(_, s)| s)
    }

    fn raw(&self, name: &str) -> Option<Value> {
        let schema = self.schema(name)?;
        self.given
            .get(name)
            .or_else(|| self.defaults.get(name))
            .or(schema.default.as_ref())
            .cloned()
    }

    /// The value of a parameter or pseudo parameter.
    ///
    /// # Errors
    /// `UserParameterMissing` when there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Value, HeatError> {
        match name {
            "OS::stack_id" => return Ok(Value::String(self.pseudo.stack_id.clone())),
            "OS::stack_name" => return Ok(Value::String(self.pseudo.stack_name.clone())),
            "OS::project_id" => return Ok(Value::String(self.pseudo.project_id.clone())),
            _ => {}
        }
        match (self.schema(name), self.raw(name)) {
            (Some(schema), Some(raw)) => schema.parse(&raw).map_err(HeatError::validation),
            _ => Err(missing(name)),
        }
    }

    /// Checks names, schemas and values.
    ///
    /// # Errors
    /// The first that is wrong: an unknown name, then parameters in template order.
    pub(crate) fn validate(&self, with_values: bool, custom: &CustomCheck<'_>) -> Result<(), HeatError> {
        for name in self.given.keys() {
            if self.schema(name).is_none() {
                return Err(HeatError::new(
                    ErrorKind::UnknownUserParameter,
                    format!("The Parameter ({name}) was not defined in template."),
                ));
            }
        }
        for (name, schema) in &self.schemas {
            let invalid = |text: &dyn std::fmt::Display| format!("Parameter '{name}' is invalid: {text}");
            schema
                .validate(custom)
                .map_err(|e| HeatError::new(e.kind, invalid(&e)))?;
            if !with_values {
                continue;
            }
            match self.raw(name) {
                Some(raw) => schema
                    .check(&raw, custom)
                    .map_err(|e| HeatError::validation(invalid(&e)))?,
                None => return Err(missing(name)),
            }
        }
        Ok(())
    }

    /// Name and printed value of every parameter, hidden ones masked, as a stack shows them.
    pub(crate) fn printed(&self) -> Map<String, Value> {
        let mut out = Map::new();
        out.insert(
            "OS::stack_id".to_owned(),
            Value::String(self.pseudo.stack_id.clone()),
        );
        out.insert(
            "OS::stack_name".to_owned(),
            Value::String(self.pseudo.stack_name.clone()),
        );
        out.insert(
            "OS::project_id".to_owned(),
            Value::String(self.pseudo.project_id.clone()),
        );
        for (name, schema) in &self.schemas {
            let text = if schema.hidden {
                "******".to_owned()
            } else {
                self.get(name)
                    .map(|value| schema.print(&value))
                    .unwrap_or_default()
            };
            out.insert(name.clone(), Value::String(text));
        }
        out
    }

    /// The immutable parameters whose value differs in `new`.
    pub(crate) fn immutable_changed(&self, new: &Self) -> Vec<String> {
        new.schemas
            .iter()
            .filter(|(name, schema)| {
                schema.immutable && self.schema(name).is_some() && self.get(name).ok() != new.get(name).ok()
            })
            .map(|(name, _)| name.clone())
            .collect()
    }
}

fn missing(name: &str) -> HeatError {
    HeatError::new(
        ErrorKind::UserParameterMissing,
        format!("The Parameter ({name}) was not provided."),
    )
}
