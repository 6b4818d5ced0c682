//! Property schemas: what a resource type takes, and what it makes of what it is given.

use serde_json::{Map, Value};

use crate::sim::hot::{Constraint, CustomCheck, HeatError, Node, dumps, parse_number, py_repr, py_str};

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PropKind {
    Text,
    Integer,
    Number,
    Boolean,
    Map,
    List,
    Any,
}

/// What is inside a map or a list.
#[derive(Clone, Debug)]
pub(crate) enum Inner {
    /// Anything.
    Open,
    /// A map with exactly these keys.
    Keys(Vec<Prop>),
    /// A list of items like this.
    Items(Box<Prop>),
}

/// One property.
#[derive(Clone, Debug)]
pub(crate) struct Prop {
    pub(crate) name: String,
    pub(crate) kind: PropKind,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    /// Whether a change needs no replacement.
    pub(crate) update_allowed: bool,
    pub(crate) immutable: bool,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) inner: Inner,
    /// Whether lists and maps may come as text: properties that stand for a template's parameters.
    pub(crate) converts: bool,
}

impl Prop {
    /// A property of a kind, optional, replaced on change.
    pub(crate) fn new(name: &str, kind: PropKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            required: false,
            default: None,
            update_allowed: false,
            immutable: false,
            constraints: Vec::new(),
            inner: Inner::Open,
            converts: false,
        }
    }

    /// A string.
    pub(crate) fn text(name: &str) -> Self {
        Self::new(name, PropKind::Text)
    }

    /// An integer.
    pub(crate) fn integer(name: &str) -> Self {
        Self::new(name, PropKind::Integer)
    }

    /// A boolean.
    pub(crate) fn boolean(name: &str) -> Self {
        Self::new(name, PropKind::Boolean)
    }

    /// A map of anything.
    pub(crate) fn map(name: &str) -> Self {
        Self::new(name, PropKind::Map)
    }

    /// A map with these keys.
    pub(crate) fn keys(name: &str, keys: Vec<Prop>) -> Self {
        Self {
            inner: Inner::Keys(keys),
            ..Self::map(name)
        }
    }

    /// A list of anything.
    pub(crate) fn list(name: &str) -> Self {
        Self::new(name, PropKind::List)
    }

    /// A list of items of this kind; the item's name is not used.
    pub(crate) fn list_of(name: &str, item: Prop) -> Self {
        Self {
            inner: Inner::Items(Box::new(item)),
            ..Self::list(name)
        }
    }

    /// The same, required.
    pub(crate) fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// The same with a default.
    pub(crate) fn default(self, value: impl Into<Value>) -> Self {
        Self {
            default: Some(value.into()),
            ..self
        }
    }

    /// The same, changeable in place.
    pub(crate) fn updatable(self) -> Self {
        Self {
            update_allowed: true,
            ..self
        }
    }

    /// The same under a constraint.
    pub(crate) fn constrained(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    fn or_default(&self, value: &Value, zero: Value) -> Value {
        if value.is_null() {
            self.default.clone().unwrap_or(zero)
        } else {
            value.clone()
        }
    }

    /// The value that `raw` is under this property.
    ///
    /// # Errors
    /// An error whose path starts below this property.
    fn coerce(&self, raw: &Value, check: Check<'_, '_>) -> Result<Value, HeatError> {
        let fail = |text: String| HeatError::validation(text);
        let value = match self.kind {
            PropKind::Any => raw.clone(),
            PropKind::Text => match self.or_default(raw, Value::from("")) {
                Value::String(text) => Value::String(text),
                other @ (Value::Bool(_) | Value::Number(_)) if !is_float(&other) => {
                    Value::String(py_str(&other))
                }
                other => return Err(fail(format!("Value must be a string; got {}", py_repr(&other)))),
            },
            PropKind::Integer => match self.or_default(raw, Value::from(0)) {
                Value::Number(n) => match n.as_i64() {
                    Some(int) => Value::from(int),
                    #[allow(clippy::cast_possible_truncation)]
                    None => Value::from(n.as_f64().unwrap_or_default() as i64),
                },
                Value::Bool(b) => Value::from(i64::from(b)),
                Value::String(text) => Value::from(
                    text.trim()
                        .parse::<i64>()
                        .map_err(|_| fail(format!("Value '{text}' is not an integer")))?,
                ),
                other => {
                    return Err(fail(format!(
                        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                        Node::from_value(&other).type_name()
                    )));
                }
            },
            PropKind::Number => parse_number(&self.or_default(raw, Value::from(0)))
                .map(Value::Number)
                .map_err(fail)?,
            PropKind::Boolean => match self.or_default(raw, Value::Bool(false)) {
                Value::Bool(b) => Value::Bool(b),
                Value::String(text) => match text.to_lowercase().as_str() {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    lower => return Err(fail(format!("\"{lower}\" is not a valid boolean"))),
                },
                other => return Err(fail(format!("\"{}\" is not a valid boolean", py_str(&other)))),
            },
            PropKind::Map => self.coerce_map(raw, check)?,
            PropKind::List => self.coerce_list(raw, check)?,
        };
        if let Some(custom) = check {
            for constraint in &self.constraints {
                constraint.check(&value, custom).map_err(fail)?;
            }
        }
        Ok(value)
    }

    fn coerce_map(&self, raw: &Value, check: Check<'_, '_>) -> Result<Value, HeatError> {
        match self.or_default(raw, Value::Object(Map::new())) {
            Value::Object(map) => match &self.inner {
                Inner::Keys(keys) => resolve_keys(keys, &map, check).map(Value::Object),
                _ => Ok(Value::Object(map)),
            },
            Value::String(text) if self.converts => Ok(Value::String(text)),
            list @ Value::Array(_) if self.converts => Ok(Value::String(dumps(&list))),
            other => Err(HeatError::validation(format!(
                "\"{}\" is not a map",
                py_str(&other)
            ))),
        }
    }

    fn coerce_list(&self, raw: &Value, check: Check<'_, '_>) -> Result<Value, HeatError> {
        let items = match self.or_default(raw, Value::Array(Vec::new())) {
            Value::Array(items) => items,
            Value::String(text) if self.converts && text.is_empty() => Vec::new(),
            Value::String(text) if self.converts => text.split(',').map(Value::from).collect(),
            other => {
                return Err(HeatError::validation(format!(
                    "\"{}\" is not a list",
                    py_repr(&other)
                )));
            }
        };
        let Inner::Items(schema) = &self.inner else {
            return Ok(Value::Array(items));
        };
        let items: Result<Vec<Value>, HeatError> = items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                schema
                    .coerce(item, check)
                    .map_err(|e| e.under([index.to_string()]))
            })
            .collect();
        items.map(Value::Array)
    }
}

fn is_float(value: &Value) -> bool {
    matches!(value, Value::Number(n) if n.is_f64())
}

/// Whether constraints are checked, and by what.
pub(crate) type Check<'a, 'b> = Option<&'a CustomCheck<'b>>;

/// What `given` is under the properties `schema`: every property is there, null where nothing was given.
///
/// # Errors
/// The first thing wrong, with its path.
pub(crate) fn resolve_keys(
    schema: &[Prop],
    given: &Map<String, Value>,
    check: Check<'_, '_>,
) -> Result<Map<String, Value>, HeatError> {
    for key in given.keys() {
        if !schema.iter().any(|p| p.name == *key) {
            return Err(HeatError::validation(format!("Unknown Property {key}")));
        }
    }
    let mut resolved = Map::new();
    for prop in schema {
        let value = match given.get(&prop.name) {
            Some(raw) => prop
                .coerce(raw, check)
                .map_err(|e| e.under([prop.name.clone()]))?,
            None if prop.default.is_some() => prop
                .coerce(&Value::Null, check)
                .map_err(|e| e.under([prop.name.clone()]))?,
            None if prop.required => {
                return Err(HeatError::validation(format!(
                    "Property {} not assigned",
                    prop.name
                )));
            }
            None => Value::Null,
        };
        resolved.insert(prop.name.clone(), value);
    }
    Ok(resolved)
}
