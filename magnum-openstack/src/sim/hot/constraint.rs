//! Constraints on the values of parameters and properties.

use regex::Regex;
use serde_json::{Number, Value};

use super::error::HeatError;
use super::node::Node;
use super::number::{parse_number, same};
use super::printing::{dumps, number_text, py_str};

/// Decides custom constraints: the name (`nova.flavor`) and the value, to an error's text.
pub(crate) type CustomCheck<'a> = dyn Fn(&str, &Value) -> Result<(), String> + 'a;

/// One constraint with its own description.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) rule: Rule,
    pub(crate) description: Option<String>,
}

/// What a constraint demands.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    Range {
        min: Option<Number>,
        max: Option<Number>,
    },
    Length {
        min: Option<Number>,
        max: Option<Number>,
    },
    Modulo {
        step: i64,
        offset: i64,
    },
    AllowedValues(Vec<Value>),
    AllowedPattern {
        text: String,
        pattern: Regex,
    },
    Custom(String),
}

/// The types that values have under a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueClass {
    Text,
    Number,
    Boolean,
    List,
    Map,
}

impl Constraint {
    /// A constraint without a description.
    pub(crate) fn of(rule: Rule) -> Self {
        Self {
            rule,
            description: None,
        }
    }

    /// At least `min` and at most `max`.
    pub(crate) fn range(min: Option<i64>, max: Option<i64>) -> Self {
        Self::of(Rule::Range {
            min: min.map(Number::from),
            max: max.map(Number::from),
        })
    }

    /// A length of at least `min` and at most `max`.
    pub(crate) fn length(min: Option<i64>, max: Option<i64>) -> Self {
        Self::of(Rule::Length {
            min: min.map(Number::from),
            max: max.map(Number::from),
        })
    }

    /// One of these.
    pub(crate) fn allowed(values: &[&str]) -> Self {
        Self::of(Rule::AllowedValues(
            values.iter().map(|v| Value::from(*v)).collect(),
        ))
    }

    /// Something that exists, as `name` says.
    pub(crate) fn custom(name: &str) -> Self {
        Self::of(Rule::Custom(name.to_owned()))
    }

    /// Reads one entry of a parameter's `constraints`.
    ///
    /// # Errors
    /// `InvalidSchemaError` when it is not one.
    pub(crate) fn read(node: &Node, modulo: bool) -> Result<Self, HeatError> {
        const KEYS: [&str; 7] = [
            "description",
            "length",
            "range",
            "modulo",
            "allowed_values",
            "allowed_pattern",
            "custom_constraint",
        ];
        check_keys(node, &KEYS, "parameter constraints")?;
        let description = node.get("description").map(|d| py_str(&d.to_value()));
        let rule = if let Some(modulo) = node.get("modulo").filter(|_| modulo) {
            read_modulo(modulo)?
        } else if let Some(range) = node.get("range") {
            check_keys(range, &["min", "max"], "range constraint")?;
            let (min, max) = (bound(range, "min")?, bound(range, "max")?);
            if min.is_none() && max.is_none() {
                return Err(HeatError::schema(
                    "A range constraint must have a min value and/or a max value specified.",
                ));
            }
            Rule::Range { min, max }
        } else if let Some(length) = node.get("length") {
            check_keys(length, &["min", "max"], "length constraint")?;
            let (min, max) = (bound(length, "min")?, bound(length, "max")?);
            if min.is_none() && max.is_none() {
                return Err(HeatError::schema(
                    "A length constraint must have a min value and/or a max value specified.",
                ));
            }
            if [&min, &max].into_iter().flatten().any(Number::is_f64) {
                return Err(HeatError::schema("min/max length must be integral"));
            }
            Rule::Length { min, max }
        } else if let Some(values) = node.get("allowed_values") {
            match values {
                Node::List(items) => Rule::AllowedValues(items.iter().map(Node::to_value).collect()),
                _ => return Err(HeatError::schema("AllowedValues must be a list")),
            }
        } else if let Some(pattern) = node.get("allowed_pattern") {
            let Some(text) = pattern.as_str() else {
                return Err(HeatError::schema("AllowedPattern must be a string"));
            };
            // The first match from the start must reach the end; a shorter alternative before a longer one
            // does not.
            let pattern =
                Regex::new(&format!("^(?:{text})")).map_err(|e| HeatError::schema(e.to_string()))?;
            Rule::AllowedPattern {
                text: text.to_owned(),
                pattern,
            }
        } else if let Some(name) = node.get("custom_constraint") {
            Rule::Custom(py_str(&name.to_value()))
        } else {
            return Err(HeatError::schema("No constraint expressed"));
        };
        Ok(Self { rule, description })
    }

    /// The name of the rule as messages about schemas print it.
    fn rule_name(&self) -> &'static str {
        match self.rule {
            Rule::Range { .. } => "Range",
            Rule::Length { .. } => "Length",
            Rule::Modulo { .. } => "Modulo",
            Rule::AllowedValues(_) => "AllowedValues",
            Rule::AllowedPattern { .. } => "AllowedPattern",
            Rule::Custom(_) => "CustomConstraint",
        }
    }

    /// Checks that the rule suits values of `class`; `type_name` is for the message.
    pub(crate) fn check_class(&self, class: ValueClass, type_name: &str) -> Result<(), HeatError> {
        use ValueClass as C;
        let suits = match self.rule {
            Rule::Range { .. } | Rule::Modulo { .. } => class == C::Number,
            Rule::Length { .. } => matches!(class, C::Text | C::List | C::Map),
            Rule::AllowedValues(_) | Rule::Custom(_) => class != C::Map,
            Rule::AllowedPattern { .. } => class == C::Text,
        };
        if suits {
            return Ok(());
        }
        Err(HeatError::schema(format!(
            "{} constraint invalid for {type_name}",
            self.rule_name()
        )))
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The constraint's description, or the message of the rule.
    pub(crate) fn check(&self, value: &Value, custom: &CustomCheck<'_>) -> Result<(), String> {
        self.rule
            .check(value, custom)
            .map_err(|text| self.description.clone().unwrap_or(text))
    }
}

impl Rule {
    fn check(&self, value: &Value, custom: &CustomCheck<'_>) -> Result<(), String> {
        let shown = |bound: &Option<Number>| bound.as_ref().map_or_else(|| "None".to_owned(), number_text);
        match self {
            Self::Range { min, max } => {
                let number = parse_number(value)?;
                if within(number.as_f64(), min, max) {
                    return Ok(());
                }
                Err(format!(
                    "{} is out of range (min: {}, max: {})",
                    py_str(value),
                    shown(min),
                    shown(max)
                ))
            }
            Self::Length { min, max } => {
                let length = match value {
                    Value::String(text) => text.chars().count(),
                    Value::Array(items) => items.len(),
                    Value::Object(map) => map.len(),
                    other => {
                        let kind = Node::from_value(other).type_name();
                        return Err(format!("object of type '{kind}' has no len()"));
                    }
                };
                #[allow(clippy::cast_precision_loss)]
                if within(Some(length as f64), min, max) {
                    return Ok(());
                }
                Err(format!(
                    "length ({length}) is out of range (min: {}, max: {})",
                    shown(min),
                    shown(max)
                ))
            }
            Self::Modulo { step, offset } => {
                let number = parse_number(value)?;
                // The remainder has the sign of the step.
                let fits = match number.as_i64() {
                    Some(int) => {
                        let rest = int.checked_rem(*step).unwrap_or(0);
                        let rest = if rest != 0 && (rest < 0) != (*step < 0) {
                            rest + step
                        } else {
                            rest
                        };
                        rest == *offset
                    }
                    None => false,
                };
                if fits {
                    return Ok(());
                }
                Err(format!(
                    "{} is not a multiple of {step} with an offset of {offset}",
                    py_str(value)
                ))
            }
            Self::AllowedValues(allowed) => {
                let fits = match value {
                    Value::Array(items) => items.iter().all(|item| allowed.iter().any(|a| same(a, item))),
                    _ => allowed.iter().any(|a| equal_by_type(a, value)),
                };
                if fits {
                    return Ok(());
                }
                let list: Vec<String> = allowed.iter().map(dumps).collect();
                Err(format!(
                    "{} is not an allowed value [{}]",
                    dumps(value),
                    list.join(", ")
                ))
            }
            Self::AllowedPattern { text, pattern } => match value {
                Value::String(value) if pattern.find(value).is_some_and(|m| m.end() == value.len()) => Ok(()),
                other => Err(format!("\"{}\" does not match pattern \"{text}\"", py_str(other))),
            },
            Self::Custom(name) => custom(name, value),
        }
    }
}

fn within(number: Option<f64>, min: &Option<Number>, max: &Option<Number>) -> bool {
    let Some(number) = number else { return false };
    let above = min
        .as_ref()
        .and_then(Number::as_f64)
        .is_none_or(|min| number >= min);
    above
        && max
            .as_ref()
            .and_then(Number::as_f64)
            .is_none_or(|max| number <= max)
}

/// Allowed values are compared after both sides are brought to the type of the value.
fn equal_by_type(allowed: &Value, value: &Value) -> bool {
    match value {
        Value::String(text) => py_str(allowed) == *text,
        Value::Number(_) => parse_number(allowed).is_ok_and(|n| same(&Value::Number(n), value)),
        Value::Bool(b) => super::number::parse_bool(allowed).is_ok_and(|a| a == *b),
        _ => same(allowed, value),
    }
}

/// Checks that `node` is a map with only these keys.
pub(crate) fn check_keys(node: &Node, keys: &[&str], entity: &str) -> Result<(), HeatError> {
    let Some(entries) = node.as_map() else {
        return Err(HeatError::schema(format!("Invalid {entity}, expected a mapping")));
    };
    for (key, _) in entries {
        if !keys.contains(&key.as_str()) {
            return Err(HeatError::schema(format!("Invalid key '{key}' for {entity}")));
        }
    }
    Ok(())
}

fn bound(node: &Node, key: &str) -> Result<Option<Number>, HeatError> {
    match node.get(key) {
        None | Some(Node::Null) => Ok(None),
        Some(value) => parse_number(&value.to_value())
            .map(Some)
            .map_err(HeatError::schema),
    }
}

fn read_modulo(node: &Node) -> Result<Rule, HeatError> {
    check_keys(node, &["step", "offset"], "modulo constraint")?;
    let (Some(step), Some(offset)) = (bound(node, "step")?, bound(node, "offset")?) else {
        return Err(HeatError::schema(
            "A modulo constraint must have a step value and an offset value specified.",
        ));
    };
    let (Some(step), Some(offset)) = (step.as_i64(), offset.as_i64()) else {
        return Err(HeatError::schema("step/offset must be integer"));
    };
    if step == 0 {
        return Err(HeatError::schema("step cannot be 0."));
    }
    if offset.unsigned_abs() >= step.unsigned_abs() {
        return Err(HeatError::schema(
            "offset must be smaller (by absolute value) than step.",
        ));
    }
    if step.signum() * offset.signum() < 0 {
        return Err(HeatError::schema(
            "step and offset must be both positive or both negative.",
        ));
    }
    Ok(Rule::Modulo { step, offset })
}
