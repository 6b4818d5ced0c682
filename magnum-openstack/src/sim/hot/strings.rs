//! Functions over strings.

use serde_json::Value;

use super::printing::{dumps, py_repr, py_str};
use super::version::Version;

/// How strict `str_replace` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Values are strings or numbers.
    Plain,
    /// Lists and maps are inserted as JSON.
    Json,
    /// And every key must occur in the template.
    Strict,
    /// And no value may be empty.
    VeryStrict,
}

/// What `str_replace` is in `version`.
pub(crate) fn mode(version: Version) -> Mode {
    if version >= Version::V20151015 {
        Mode::Json
    } else {
        Mode::Plain
    }
}

/// `str_replace` and its strict forms: longer keys first, and what was inserted is not searched again.
pub(crate) fn replace(name: &str, args: &Value, mode: Mode) -> Result<Value, String> {
    let Some(Value::String(template)) = args.get("template") else {
        return Err(format!("\"{name}\" template must be a string"));
    };
    let Some(Value::Object(params)) = args.get("params") else {
        return Err(format!("\"{name}\" params must be a map"));
    };
    let mut keys: Vec<(&str, String)> = Vec::new();
    for (key, value) in params {
        keys.push((key, replacement(name, key, value, mode)?));
    }
    keys.sort_by(|(a, _), (b, _)| b.chars().count().cmp(&a.chars().count()).then(a.cmp(b)));
    if keys.iter().any(|(key, _)| key.is_empty()) {
        return Err("empty separator".to_owned());
    }
    let mut missing: Vec<&str> = Vec::new();
    let mut pieces = vec![(template.as_str(), None)];
    for (index, (key, _)) in keys.iter().enumerate() {
        let mut found = false;
        let mut next = Vec::with_capacity(pieces.len());
        for (text, inserted) in pieces {
            if inserted.is_some() {
                next.push((text, inserted));
                continue;
            }
            for (part, piece) in text.split(key).enumerate() {
                if part > 0 {
                    found = true;
                    next.push(("", Some(index)));
                }
                next.push((piece, None));
            }
        }
        if !found {
            missing.push(key);
        }
        pieces = next;
    }
    if mode >= Mode::Strict && !missing.is_empty() {
        return Err(format!(
            "The following params were not found in the template: {}",
            missing.join(",")
        ));
    }
    let mut out = String::new();
    for (text, inserted) in pieces {
        match inserted.and_then(|index: usize| keys.get(index)) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(text),
        }
    }
    Ok(Value::String(out))
}

fn replacement(name: &str, key: &str, value: &Value, mode: Mode) -> Result<String, String> {
    let empty = || {
        format!("{name} has an undefined or empty value for param {key}, must be a defined non-empty value")
    };
    let text = match value {
        Value::Null if mode == Mode::VeryStrict => return Err(empty()),
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) if mode == Mode::Plain => {
            return Err(format!(
                "\"{name}\" params must be strings or numbers, param {key} is not valid"
            ));
        }
        Value::Array(items) if mode == Mode::VeryStrict && items.is_empty() => return Err(empty()),
        Value::Object(map) if mode == Mode::VeryStrict && map.is_empty() => return Err(empty()),
        Value::Array(_) | Value::Object(_) => dumps(value),
        other => py_str(other),
    };
    if mode == Mode::VeryStrict && text.is_empty() {
        Err(empty())
    } else {
        Ok(text)
    }
}

/// What `str_split` takes.
pub(crate) fn split_form(name: &str) -> String {
    format!("Incorrect arguments to \"{name}\" should be: \"{name}\" : [ \",\", \"apples,pears\", <index>]")
}

/// `str_split`: the parts between delimiters, or the one at an index.
pub(crate) fn split(name: &str, args: &Value) -> Result<Value, String> {
    let Value::Array(items) = args else {
        return Err(split_form(name));
    };
    let (delimiter, text, index) = match items.as_slice() {
        [delimiter, text] => (delimiter, text, None),
        [delimiter, text, index] => (delimiter, text, Some(index)),
        _ => return Err(split_form(name)),
    };
    let text = match text {
        Value::Null => return Ok(Value::Null),
        Value::String(text) => text,
        other => return Err(format!("'{}' object has no attribute 'split'", type_name(other))),
    };
    let Value::String(delimiter) = delimiter else {
        return Err(format!("must be str or None, not {}", type_name(delimiter)));
    };
    if delimiter.is_empty() {
        return Err("empty separator".to_owned());
    }
    let parts: Vec<Value> = text
        .split(delimiter.as_str())
        .map(|p| Value::String(p.to_owned()))
        .collect();
    let Some(index) = index else {
        return Ok(Value::Array(parts));
    };
    let at = match index {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
    .ok_or_else(|| {
        format!("Incorrect index to \"{name}\" should be: \"{name}\" : [ \",\", \"apples,pears\", <index>]")
    })?;
    let last = parts.len().saturating_sub(1);
    let at = if at < 0 {
        at.saturating_add(i64::try_from(parts.len()).unwrap_or(i64::MAX))
    } else {
        at
    };
    usize::try_from(at)
        .ok()
        .and_then(|at| parts.get(at).cloned())
        .ok_or_else(|| format!("Incorrect index to \"{name}\" should be between 0 and {last}"))
}

/// `list_join`: one list of strings, or from 2015-10-15 several lists of strings, maps and lists.
pub(crate) fn join(name: &str, args: &Value, version: Version) -> Result<Value, String> {
    let Some((delimiter, lists)) = args.as_array().and_then(|items| items.split_first()) else {
        return Err(format!("\"{name}\" must operate on a list"));
    };
    let several = version >= Version::V20151015;
    let mut strings: Vec<String> = Vec::new();
    for list in lists {
        match list {
            Value::Array(items) => {
                for item in items {
                    strings.push(match item {
                        Value::Null => String::new(),
                        Value::String(text) => text.clone(),
                        Value::Array(_) | Value::Object(_) if several => dumps(item),
                        other if several => {
                            return Err(format!(
                                "Items to join must be string, map or list not {}",
                                short(other)
                            ));
                        }
                        other => return Err(format!("Items to join must be strings not {}", short(other))),
                    });
                }
            }
            empty if super::node::Node::from_value(empty).is_falsy() && (several || empty.is_null()) => {}
            _ => return Err(format!("\"{name}\" must operate on a list")),
        }
    }
    let Value::String(delimiter) = delimiter else {
        return Err(format!("\"{name}\" delimiter must be a string"));
    };
    Ok(Value::String(strings.join(delimiter)))
}

fn short(value: &Value) -> String {
    py_repr(value).chars().take(200).collect()
}

fn type_name(value: &Value) -> &'static str {
    super::node::Node::from_value(value).type_name()
}
