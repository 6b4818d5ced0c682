//! Functions over lists and maps.

use serde_json::{Map, Value};

use super::number::same;
use super::printing::{dumps, py_str};

/// `list_concat` and `list_concat_unique`.
pub(crate) fn concat(name: &str, args: &Value, unique: bool) -> Result<Value, String> {
    let Value::Array(lists) = args else {
        return Err(format!(
            "Incorrect arguments to \"{name}\" should be: \"{name}\" : [ [ <value 1>, <value 2> ], [ <value 3>, <value 4> ] ]"
        ));
    };
    let mut all: Vec<Value> = Vec::new();
    for list in lists {
        match list {
            Value::Null => {}
            Value::Array(items) => all.extend(items.iter().cloned()),
            other => {
                return Err(format!(
                    "Incorrect arguments: Items to concat must be lists. {} contains an item that is not a list: {}",
                    dumps(args),
                    dumps(other)
                ));
            }
        }
    }
    if unique {
        let mut once: Vec<Value> = Vec::new();
        for item in all {
            if !once.iter().any(|known| same(known, &item)) {
                once.push(item);
            }
        }
        all = once;
    }
    Ok(Value::Array(all))
}

/// `map_merge`: later maps win.
pub(crate) fn merge(name: &str, args: &Value) -> Result<Value, String> {
    let Value::Array(maps) = args else {
        return Err(format!(
            "Incorrect arguments to \"{name}\" should be: \"{name}\" : [ {{ \"key1\": \"val1\" }}, {{ \"key2\": \"val2\" }} ]"
        ));
    };
    let mut merged = Map::new();
    for map in maps {
        match map {
            Value::Null => {}
            Value::Object(map) => merged.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
            _ => return Err("Incorrect arguments: Items to merge must be maps.".to_owned()),
        }
    }
    Ok(Value::Object(merged))
}

/// `map_replace`: other names for keys, other values for values.
pub(crate) fn replace(name: &str, args: &Value) -> Result<Value, String> {
    let example = format!(
        "\"{name}\" : [ {{ \"key1\": \"val1\" }}, {{\"keys\": {{\"key1\": \"key2\"}}, \"values\": {{\"val1\": \"val2\"}}}}]"
    );
    let wrong = || format!("Incorrect arguments to \"{name}\" should be: {example}");
    let not_map = || {
        format!("Incorrect arguments: to \"{name}\", arguments must be a list of maps. Example:  {example}")
    };
    let Some([input, rules]) = args.as_array().map(Vec::as_slice) else {
        return Err(wrong());
    };
    let empty = Map::new();
    let as_map = |value: &Value| -> Result<Map<String, Value>, String> {
        match value {
            Value::Null => Ok(Map::new()),
            Value::Object(map) => Ok(map.clone()),
            _ => Err(not_map()),
        }
    };
    let input = as_map(input)?;
    let rules = as_map(rules)?;
    if rules.keys().any(|key| key != "keys" && key != "values") {
        return Err(wrong());
    }
    let keys = rules.get("keys").map_or(Ok(empty.clone()), as_map)?;
    let values = rules.get("values").map_or(Ok(empty), as_map)?;
    let mut output = Map::new();
    for (key, value) in &input {
        let renamed = match keys.get(key) {
            None | Some(Value::Null) => key.clone(),
            Some(other) => {
                let renamed = py_str(other);
                if renamed != *key && input.contains_key(&renamed) {
                    return Err(format!(
                        "key replacement {renamed} collides with a key in the input map"
                    ));
                }
                if output.contains_key(&renamed) {
                    return Err(format!(
                        "key replacement {renamed} collides with a key in the output map"
                    ));
                }
                renamed
            }
        };
        let replaced = match value {
            Value::String(text) => values.get(text).unwrap_or(value),
            // Only text can be a key of the rules here; other scalars match no rule of theirs.
            _ => value,
        };
        output.insert(renamed, replaced.clone());
    }
    Ok(Value::Object(output))
}

/// `filter`: the list without the given values.
pub(crate) fn filter(name: &str, args: &Value) -> Result<Value, String> {
    let Some([values, sequence]) = args.as_array().map(Vec::as_slice) else {
        return Err(format!("Argument to \"{name}\" must be a list"));
    };
    let falsy = |value: &Value| super::node::Node::from_value(value).is_falsy();
    if falsy(sequence) {
        return Ok(sequence.clone());
    }
    let Value::Array(items) = sequence else {
        return Err(format!("\"{name}\" only works with lists"));
    };
    if falsy(values) {
        return Ok(sequence.clone());
    }
    let Value::Array(values) = values else {
        return Err(format!("\"{name}\" filters a list of values"));
    };
    Ok(Value::Array(
        items
            .iter()
            .filter(|item| !values.iter().any(|v| same(v, item)))
            .cloned()
            .collect(),
    ))
}

/// `contains`: whether a list holds a value, or a string a part.
pub(crate) fn contains(name: &str, item: &Value, sequence: &Value) -> Result<Value, String> {
    match (sequence, item) {
        (Value::Array(items), _) => Ok(Value::Bool(items.iter().any(|i| same(i, item)))),
        (Value::String(text), Value::String(part)) => Ok(Value::Bool(text.contains(part.as_str()))),
        (Value::String(_), other) => Err(format!(
            "'in <string>' requires string as left operand, not {}",
            super::node::Node::from_value(other).type_name()
        )),
        _ => Err(format!("Second argument to \"{name}\" should be a sequence.")),
    }
}

/// `repeat`: the template once for every combination (or row) of the lists' items.
pub(crate) fn repeat(
    name: &str,
    template: &Value,
    for_each: Vec<(String, Value)>,
    nested: bool,
    maps: bool,
) -> Result<Value, String> {
    let mut keys = Vec::new();
    let mut lists: Vec<Vec<Value>> = Vec::new();
    let mut lengths = Vec::new();
    for (key, value) in for_each {
        keys.push(key);
        let list = match value {
            Value::Null => {
                lists.push(Vec::new());
                continue;
            }
            Value::Array(items) => items,
            Value::Object(map) if maps => map.keys().cloned().map(Value::String).collect(),
            _ if maps => {
                return Err(format!(
                    "The values of the \"for_each\" argument to \"{name}\" must be lists or maps"
                ));
            }
            _ => {
                return Err(format!(
                    "The values of the \"for_each\" argument to \"{name}\" must be lists"
                ));
            }
        };
        lengths.push(list.len());
        lists.push(list);
    }
    if keys.is_empty() {
        return Err("not enough values to unpack (expected 2, got 0)".to_owned());
    }
    let mut rows: Vec<Vec<Value>> = Vec::new();
    if nested {
        rows.push(Vec::new());
        for list in &lists {
            if rows.len().saturating_mul(list.len()) > 100_000 {
                return Err(format!("\"{name}\" makes too many items"));
            }
            rows = rows
                .iter()
                .flat_map(|row| {
                    list.iter()
                        .map(move |item| row.iter().cloned().chain([item.clone()]).collect::<Vec<_>>())
                })
                .collect();
        }
    } else {
        if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(format!(
                "For {name}, the length of for_each values should be equal if no nested loop."
            ));
        }
        let length = lists.iter().map(Vec::len).min().unwrap_or(0);
        rows.extend((0..length).map(|i| lists.iter().filter_map(|list| list.get(i).cloned()).collect()));
    }
    rows.iter()
        .map(|row| substitute(&keys, row, template))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

fn substitute(keys: &[String], row: &[Value], template: &Value) -> Result<Value, String> {
    let text = |text: &str| -> Result<String, String> {
        let mut text = text.to_owned();
        for (key, value) in keys.iter().zip(row) {
            let Value::String(value) = value else {
                // Substitution is textual: an item that is no string has no place in it.
                return Err(format!(
                    "replace() argument 2 must be str, not {}",
                    super::node::Node::from_value(value).type_name()
                ));
            };
            text = text.replace(key, value);
        }
        Ok(text)
    };
    Ok(match template {
        Value::String(template) => Value::String(text(template)?),
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| substitute(keys, row, item))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| Ok((text(k)?, substitute(keys, row, v)?)))
                .collect::<Result<Map<_, _>, String>>()?,
        ),
        other => other.clone(),
    })
}
