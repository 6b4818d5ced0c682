//! One parameter of a template: its schema, and what a value means under it.

use serde_json::{Value, json};

use super::constraint::{Constraint, CustomCheck, Rule, ValueClass, check_keys};
use super::error::HeatError;
use super::node::Node;
use super::number::{parse_bool, parse_number};
use super::printing::{dumps, py_str};
use super::version::Version;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Text,
    Number,
    List,
    Json,
    Boolean,
}

impl ParameterKind {
    fn read(name: &str) -> Option<Self> {
        match name {
            "string" => Some(Self::Text),
            "number" => Some(Self::Number),
            "comma_delimited_list" => Some(Self::List),
            "json" => Some(Self::Json),
            "boolean" => Some(Self::Boolean),
            _ => None,
        }
    }

    /// The type as templates name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Number => "number",
            Self::List => "comma_delimited_list",
            Self::Json => "json",
            Self::Boolean => "boolean",
        }
    }

    /// The type as the service names it in answers.
    pub(crate) fn api_name(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Number => "Number",
            Self::List => "CommaDelimitedList",
            Self::Json => "Json",
            Self::Boolean => "Boolean",
        }
    }

    fn class(self) -> ValueClass {
        match self {
            Self::Text => ValueClass::Text,
            Self::Number => ValueClass::Number,
            Self::List => ValueClass::List,
            Self::Json => ValueClass::Map,
            Self::Boolean => ValueClass::Boolean,
        }
    }
}

/// A parameter's schema.
#[derive(Clone, Debug)]
pub(crate) struct ParameterSchema {
    pub(crate) kind: ParameterKind,
    pub(crate) description: Option<String>,
    pub(crate) default: Option<Value>,
    pub(crate) hidden: bool,
    pub(crate) label: Option<String>,
    pub(crate) immutable: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) constraints: Vec<Constraint>,
}

impl ParameterSchema {
    /// Reads one entry of the `parameters` section.
    ///
    /// # Errors
    /// `InvalidSchemaError`.
    pub(crate) fn read(name: &str, node: &Node, version: Version) -> Result<Self, HeatError> {
        const KEYS: [&str; 9] = [
            "type",
            "description",
            "default",
            "schema",
            "constraints",
            "hidden",
            "label",
            "immutable",
            "tags",
        ];
        let keys = if version >= Version::V20180302 {
            &KEYS[..]
        } else {
            &KEYS[..8]
        };
        check_keys(node, keys, &format!("parameter ({name})"))?;
        let Some(kind) = node.get("type") else {
            return Err(HeatError::schema(format!(
                "Missing parameter type for parameter: {name}"
            )));
        };
        let tags = match node.get("tags") {
            None => Vec::new(),
            Some(Node::List(items)) => items.iter().map(|t| py_str(&t.to_value())).collect(),
            Some(_) => {
                return Err(HeatError::schema(format!(
                    "Tags property should be a list for parameter: {name}"
                )));
            }
        };
        let kind_name = py_str(&kind.to_value());
        let kind = ParameterKind::read(&kind_name)
            .ok_or_else(|| HeatError::schema(format!("Invalid type ({kind_name})")))?;
        let constraints = match node.get("constraints") {
            None | Some(Node::Null) => Vec::new(),
            Some(Node::List(items)) => items
                .iter()
                .map(|item| Constraint::read(item, version >= Version::V20170224))
                .collect::<Result<_, _>>()?,
            Some(_) => {
                return Err(HeatError::schema(format!(
                    "Invalid parameter constraints for parameter {name}, expected a list"
                )));
            }
        };
        let text = |key: &str| {
            node.get(key)
                .filter(|n| **n != Node::Null)
                .map(|n| py_str(&n.to_value()))
        };
        let truth = |key: &str| node.get(key).is_some_and(|n| !n.is_falsy());
        Ok(Self {
            kind,
            description: text("description"),
            default: node.get("default").map(Node::to_value).filter(|v| !v.is_null()),
            hidden: truth("hidden"),
            label: text("label"),
            immutable: truth("immutable"),
            tags,
            constraints,
        })
    }

    /// Checks the schema itself: that its constraints suit its type, and its default them.
    pub(crate) fn validate(&self, custom: &CustomCheck<'_>) -> Result<(), HeatError> {
        for constraint in &self.constraints {
            constraint.check_class(self.kind.class(), self.kind.name())?;
        }
        if let Some(default) = &self.default {
            let value = match (self.kind, default) {
                (ParameterKind::List, Value::Array(items)) => {
                    Value::Array(items.iter().map(|i| Value::String(py_str(i))).collect())
                }
                (ParameterKind::List, Value::String(text)) => {
                    Value::Array(text.split(',').map(Value::from).collect())
                }
                (ParameterKind::List, other) => {
                    let kind = Node::from_value(other).type_name();
                    return Err(HeatError::schema(format!(
                        "Default must be a comma-delimited list string: '{kind}' object has no attribute 'split'"
                    )));
                }
                _ => default.clone(),
            };
            for constraint in self
                .constraints
                .iter()
                .filter(|c| !matches!(c.rule, Rule::Custom(_)))
            {
                constraint.check(&value, custom).map_err(|text| {
                    HeatError::schema(format!("Invalid default {} ({text})", py_str(default)))
                })?;
            }
        }
        Ok(())
    }

    /// What `raw` means as this parameter's value.
    ///
    /// # Errors
    /// The message for a value that is not of the type.
    pub(crate) fn parse(&self, raw: &Value) -> Result<Value, String> {
        match self.kind {
            ParameterKind::Text => Ok(Value::String(py_str(raw))),
            ParameterKind::Number => parse_number(raw).map(Value::Number),
            ParameterKind::Boolean => parse_bool(raw).map(Value::Bool),
            ParameterKind::List => match raw {
                Value::Array(items) => Ok(Value::Array(
                    items.iter().map(|i| Value::String(py_str(i))).collect(),
                )),
                Value::String(text) if text.is_empty() => Ok(Value::Array(Vec::new())),
                Value::String(text) => Ok(Value::Array(text.split(',').map(Value::from).collect())),
                other => {
                    let kind = Node::from_value(other).type_name();
                    Err(format!(
                        "Value must be a comma-delimited list string: '{kind}' object has no attribute 'split'"
                    ))
                }
            },
            ParameterKind::Json => match raw {
                Value::String(text) if text.is_empty() => Ok(raw.clone()),
                Value::String(text) => {
                    serde_json::from_str(text).map_err(|e| format!("Value must be valid JSON: {e}"))
                }
                other => Ok(other.clone()),
            },
        }
    }

    /// Checks a value against type and constraints.
    ///
    /// # Errors
    /// The first message that applies.
    pub(crate) fn check(&self, raw: &Value, custom: &CustomCheck<'_>) -> Result<(), String> {
        let parsed = self.parse(raw)?;
        let value = match self.kind {
            ParameterKind::List | ParameterKind::Json => &parsed,
            _ => raw,
        };
        for constraint in &self.constraints {
            let subject = match (&constraint.rule, self.kind) {
                (
                    Rule::AllowedValues(_),
                    ParameterKind::Text | ParameterKind::Number | ParameterKind::Boolean,
                ) => &parsed,
                (_, ParameterKind::Text) => &parsed,
                _ => value,
            };
            constraint.check(subject, custom).map_err(|text| {
                // Messages quote the value as it was given.
                if let Rule::AllowedValues(_) = constraint.rule
                    && constraint.description.is_none()
                    && self.kind != ParameterKind::List
                {
                    text.replacen(&dumps(subject), &dumps(raw), 1)
                } else {
                    text
                }
            })?;
        }
        Ok(())
    }

    /// The value as answers print it, without hiding.
    pub(crate) fn print(&self, value: &Value) -> String {
        match (self.kind, value) {
            (ParameterKind::List, Value::Array(items)) => {
                items.iter().map(py_str).collect::<Vec<_>>().join(",")
            }
            (ParameterKind::Json, other) => dumps(other),
            (_, other) => py_str(other),
        }
    }

    /// The parameter as `POST /validate` prints it.
    pub(crate) fn describe(&self, name: &str, value: Option<&Value>) -> Value {
        let mut out = json!({
            "Type": self.kind.api_name(),
            "Description": self.description.clone().unwrap_or_default(),
            "NoEcho": if self.hidden { "true" } else { "false" },
            "Label": self.label.clone().unwrap_or_else(|| name.to_owned()),
        });
        let mut set = |key: &str, value: Value| {
            if let Value::Object(map) = &mut out {
                map.insert(key.to_owned(), value);
            }
        };
        if let Some(default) = &self.default {
            set("Default", default.clone());
        }
        if let Some(value) = value {
            set("Value", value.clone());
        }
        if !self.tags.is_empty() {
            set("Tags", json!(self.tags));
        }
        let mut description = Vec::new();
        for constraint in &self.constraints {
            description.extend(constraint.description.clone());
            match &constraint.rule {
                Rule::Range { min, max } => {
                    min.iter().for_each(|m| set("MinValue", Value::Number(m.clone())));
                    max.iter().for_each(|m| set("MaxValue", Value::Number(m.clone())));
                }
                Rule::Length { min, max } => {
                    min.iter()
                        .for_each(|m| set("MinLength", Value::Number(m.clone())));
                    max.iter()
                        .for_each(|m| set("MaxLength", Value::Number(m.clone())));
                }
                Rule::Modulo { step, offset } => set("Modulo", json!({"Step": step, "Offset": offset})),
                Rule::AllowedValues(values) => set("AllowedValues", json!(values)),
                Rule::AllowedPattern { text, .. } => set("AllowedPattern", json!(text)),
                Rule::Custom(name) => set("CustomConstraint", json!(name)),
            }
        }
        if !description.is_empty() {
            set("ConstraintDescription", json!(description.join(" ")));
        }
        out
    }
}
