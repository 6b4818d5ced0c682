//! Numbers and booleans written as text.

use serde_json::{Number, Value};

use super::printing::{py_repr, py_str};

/// The number a value is or spells.
///
/// # Errors
/// The message for a value that is no number.
pub(crate) fn parse_number(value: &Value) -> Result<Number, String> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        Value::Bool(b) => Ok(Number::from(i64::from(*b))),
        Value::String(text) => {
            let trimmed = text.trim();
            if let Ok(int) = trimmed.parse::<i64>() {
                return Ok(int.into());
            }
            trimmed
                .parse::<f64>()
                .ok()
                .and_then(Number::from_f64)
                .ok_or_else(|| format!("could not convert string to float: {}", py_repr(value)))
        }
        other => Err(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            super::node::Node::from_value(other).type_name()
        )),
    }
}

/// The boolean a value is or spells: `true`, `yes`, `on`, `t`, `y`, `1` and their opposites.
///
/// # Errors
/// The message for a value that is neither.
pub(crate) fn parse_bool(value: &Value) -> Result<bool, String> {
    let text = py_str(value);
    match text.trim().to_lowercase().as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Ok(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Ok(false),
        _ => Err(format!(
            "Unrecognized value '{text}', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', \
             'on', 't', 'true', 'y', 'yes'"
        )),
    }
}

/// Whether two values are equal as the language sees it: numbers by value, whatever their spelling.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Bool(b), Value::Number(n)) | (Value::Number(n), Value::Bool(b)) => {
            n.as_f64() == Some(if *b { 1.0 } else { 0.0 })
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, x)| b.get(k).is_some_and(|y| same(x, y)))
        }
        _ => left == right,
    }
}
