//! Evaluation of expressions.

use serde_json::{Map, Value};

use super::error::{ErrorKind, HeatError};
use super::expression::{Call, Expr};
use super::function::Function;
use super::printing::py_str;
use super::version::Version;
use super::{collections, digest, strings, url};

/// What an expression can ask of the stack it stands in.
pub(crate) trait Scope {
    /// The value of a parameter.
    fn parameter(&self, name: &str) -> Result<Value, HeatError>;
    /// The reference id of a resource.
    fn reference(&self, resource: &str) -> Result<Value, HeatError>;
    /// An attribute of a resource (all of them without a name); null while there is none.
    fn attribute(&self, resource: &str, attribute: Option<&str>, path: &[Value]) -> Result<Value, HeatError>;
    /// A file sent with the template.
    fn file(&self, key: &str) -> Option<String>;
    /// What the resource that stands for this template says about itself.
    fn facade(&self, what: &str) -> Result<Value, HeatError>;
}

/// The value of `expr`; an omitted branch is null.
///
/// # Errors
/// The message of the function that failed.
pub(crate) fn evaluate(expr: &Expr, scope: &dyn Scope) -> Result<Value, HeatError> {
    Ok(evaluate_optional(expr, scope)?.unwrap_or(Value::Null))
}

/// The value of `expr`, or nothing for an omitted branch.
///
/// # Errors
/// The message of the function that failed.
pub(crate) fn evaluate_optional(expr: &Expr, scope: &dyn Scope) -> Result<Option<Value>, HeatError> {
    match expr {
        Expr::Value(value) => Ok(Some(value.clone())),
        Expr::Omitted => Ok(None),
        Expr::List(items) => {
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                values.extend(evaluate_optional(item, scope)?);
            }
            Ok(Some(Value::Array(values)))
        }
        Expr::Map(entries) => {
            let mut map = Map::new();
            for (key, item) in entries {
                if let Some(value) = evaluate_optional(item, scope)? {
                    map.insert(key.clone(), value);
                }
            }
            Ok(Some(Value::Object(map)))
        }
        Expr::Call(call) => call_value(call, scope).map(Some),
    }
}

fn call_value(call: &Call, scope: &dyn Scope) -> Result<Value, HeatError> {
    let name = call.name.as_str();
    if call.function == Function::Repeat {
        return repeat(call, scope);
    }
    let args = evaluate(&call.args, scope)?;
    let value: Result<Value, String> = match call.function {
        Function::GetParam => return get_param(name, &args, &|parameter| scope.parameter(parameter)),
        Function::GetResource => {
            return match &args {
                Value::String(resource) => scope.reference(resource),
                other => Err(unknown_reference(&py_str(other), "unknown")),
            };
        }
        Function::GetAttr => return get_attr(&args, scope),
        Function::ResourceFacade => {
            return match &args {
                Value::String(what) => scope.facade(what),
                _ => Ok(Value::Null),
            };
        }
        Function::GetFile => match &args {
            Value::String(key) => scope
                .file(key)
                .map(Value::String)
                .ok_or_else(|| format!("No content found in the \"files\" section for {name} path: {key}")),
            _ => Err(format!("Argument to \"{name}\" must be a string")),
        },
        Function::StrReplace => strings::replace(name, &args, strings::mode(call.version)),
        Function::StrReplaceStrict => strings::replace(name, &args, strings::Mode::Strict),
        Function::StrReplaceVstrict => strings::replace(name, &args, strings::Mode::VeryStrict),
        Function::StrSplit => strings::split(name, &args),
        Function::ListJoin => strings::join(name, &args, call.version),
        Function::ListConcat => collections::concat(name, &args, false),
        Function::ListConcatUnique => collections::concat(name, &args, true),
        Function::MapMerge => collections::merge(name, &args),
        Function::MapReplace => collections::replace(name, &args),
        Function::Filter => collections::filter(name, &args),
        Function::Contains => match &args {
            Value::Array(items) if items.len() == 2 => collections::contains(name, &items[0], &items[1]),
            _ => Err(format!(
                "Arguments to \"{name}\" must be of the form: [value1, [value1, value2]]"
            )),
        },
        Function::Digest => digest::digest(name, &args),
        Function::MakeUrl => url::make(name, &args),
        _ => Err(format!("The function {name} is not evaluated by this cloud.")),
    };
    Ok(value?)
}

impl From<String> for HeatError {
    fn from(text: String) -> Self {
        Self::validation(text)
    }
}

/// `get_param`: a name, or a list of a name and a path into the value.
pub(crate) fn get_param(
    name: &str,
    args: &Value,
    lookup: &dyn Fn(&str) -> Result<Value, HeatError>,
) -> Result<Value, HeatError> {
    let (parameter, path): (&Value, &[Value]) = match args {
        Value::String(text) if !text.is_empty() => (args, &[]),
        Value::Array(items) => match items.split_first() {
            Some((first, rest)) => (first, rest),
            None => {
                return Err(HeatError::validation(format!(
                    "Function \"{name}\" must have arguments"
                )));
            }
        },
        Value::Null | Value::String(_) => {
            return Err(HeatError::validation(format!(
                "Function \"{name}\" must have arguments"
            )));
        }
        _ => {
            return Err(HeatError::validation(format!(
                "Argument to \"{name}\" must be string or list"
            )));
        }
    };
    let Value::String(parameter) = parameter else {
        return Err(HeatError::validation(format!(
            "Parameter name in \"{name}\" must be string"
        )));
    };
    let mut value = lookup(parameter)?;
    for key in path {
        let next = match (&value, key) {
            (Value::Object(map), Value::String(key)) => map.get(key).cloned(),
            (Value::Array(items), Value::String(key)) => key.parse::<i64>().ok().and_then(|i| item(items, i)),
            (Value::Array(items), Value::Number(n)) => n.as_i64().and_then(|i| item(items, i)),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            // A path that leads nowhere is an empty string, not an error.
            None => return Ok(Value::String(String::new())),
        }
    }
    Ok(value)
}

fn item(items: &[Value], index: i64) -> Option<Value> {
    let index = if index < 0 {
        index + i64::try_from(items.len()).ok()?
    } else {
        index
    };
    items.get(usize::try_from(index).ok()?).cloned()
}

fn get_attr(args: &Value, scope: &dyn Scope) -> Result<Value, HeatError> {
    let Value::Array(items) = args else {
        return Err(HeatError::validation("Argument to \"get_attr\" must be a list"));
    };
    let Some((Value::String(resource), rest)) = items.split_first() else {
        return Err(HeatError::validation("Argument to \"get_attr\" must be a list"));
    };
    match rest.split_first() {
        None | Some((Value::Null, [])) => scope.attribute(resource, None, &[]),
        Some((Value::String(attribute), path)) => scope.attribute(resource, Some(attribute), path),
        Some((other, _)) => Err(HeatError::new(
            ErrorKind::InvalidTemplateAttribute,
            format!(
                "The Referenced Attribute ({resource} {}) is incorrect.",
                py_str(other)
            ),
        )),
    }
}

/// Follows `path` into `value`; null where it leads nowhere. Lists take numbers only.
pub(crate) fn select(value: &Value, path: &[Value]) -> Value {
    let mut current = value.clone();
    for key in path {
        let next = match (&current, key) {
            (Value::Object(map), Value::String(key)) => map.get(key).cloned(),
            (Value::Array(items), Value::Number(n)) => n.as_i64().and_then(|i| item(items, i)),
            (Value::String(text), Value::Number(n)) => n
                .as_u64()
                .and_then(|i| usize::try_from(i).ok())
                .and_then(|i| text.chars().nth(i))
                .map(|c| Value::String(c.to_string())),
            _ => None,
        };
        match next {
            Some(next) => current = next,
            None => return Value::Null,
        }
    }
    current
}

/// A reference to a resource that does not exist.
pub(crate) fn unknown_reference(resource: &str, key: &str) -> HeatError {
    HeatError::new(
        ErrorKind::InvalidTemplateReference,
        format!("The specified reference \"{resource}\" (in {key}) is incorrect."),
    )
}

fn repeat(call: &Call, scope: &dyn Scope) -> Result<Value, HeatError> {
    let entry = |key: &str| call.args.entry(key);
    let template = evaluate(&entry("template").unwrap_or(Expr::Omitted), scope)?;
    // The lists are taken in the order of the template: it decides which varies fastest.
    let for_each: Vec<(String, Value)> = match entry("for_each") {
        Some(Expr::Map(entries)) => {
            let values: Result<Vec<_>, HeatError> = entries
                .iter()
                .map(|(k, e)| Ok((k.clone(), evaluate(e, scope)?)))
                .collect();
            values?
        }
        Some(other) => match evaluate(&other, scope)? {
            Value::Object(map) => map.into_iter().collect(),
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    let nested = match entry("permutations").filter(|_| call.version >= Version::V20170901) {
        Some(expr) => evaluate(&expr, scope)? == Value::Bool(true),
        None => true,
    };
    let maps = call.version >= Version::V20161014 && nested;
    Ok(collections::repeat(
        &call.name, &template, for_each, nested, maps,
    )?)
}
