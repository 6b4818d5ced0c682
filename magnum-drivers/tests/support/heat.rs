//! The few functions of Heat's template language that the drivers' templates use.
//!
//! What Heat refuses panics here: a parameter that is not declared, has no value or does not fit its constraints, an
//! attribute or resource that is not there, a name that `str_replace_strict` finds nowhere.

use std::collections::BTreeMap;

use magnum_core::Parameters;
use openssl::hash::{MessageDigest, hash};
use regex::Regex;
use serde_json::{Map, Value, json};

/// Attributes of resources, by `resource.attribute`, and the ids of resources.
pub type Attributes = BTreeMap<String, Value>;

/// A template with the values of its parameters.
pub struct Template<'a> {
    text: &'a Value,
    parameters: Map<String, Value>,
    attributes: &'a Attributes,
}

impl<'a> Template<'a> {
    pub fn new(text: &'a Value, given: &Parameters, attributes: &'a Attributes) -> Self {
        Self::accept(text, given, attributes).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// What is wrong with a parameter's value, if something is, and which.
    pub fn accept(text: &'a Value, given: &Parameters, attributes: &'a Attributes) -> Result<Self, String> {
        let declared = text["parameters"].as_object().unwrap();
        for name in given.keys() {
            assert!(declared.contains_key(name), "parameter {name} is not declared");
        }
        let mut parameters = Map::new();
        for (name, schema) in declared {
            let value = given.get(name).or_else(|| schema.get("default"));
            let value = value.unwrap_or_else(|| panic!("parameter {name} has no value"));
            let value = typed(name, schema, value)?;
            check(name, schema, &value)?;
            parameters.insert(name.clone(), value);
        }
        Ok(Self {
            text,
            parameters,
            attributes,
        })
    }

    pub fn parameter(&self, name: &str) -> &Value {
        &self.parameters[name]
    }

    /// The parameters that a group gives the member of this index.
    pub fn member(&self, group: &str, index: u32) -> Parameters {
        let definition = &self.text["resources"][group]["properties"]["resource_def"]["properties"];
        let Value::Object(values) = self.resolve(definition) else {
            panic!("{definition}");
        };
        let index = index.to_string();
        let numbered = |value: Value| match value {
            Value::String(text) => json!(text.replace("%index%", &index)),
            other => other,
        };
        values
            .into_iter()
            .map(|(name, value)| (name, numbered(value)))
            .collect()
    }

    /// The user data of a server.
    pub fn user_data(&self, server: &str, files: &BTreeMap<String, String>) -> String {
        let (script, values) = self.replacements(server, files);
        replace(script, &values)
    }

    /// The script of a server, and what is put into it, by name.
    pub fn replacements<'f>(
        &self,
        server: &str,
        files: &'f BTreeMap<String, String>,
    ) -> (&'f str, Vec<(String, String)>) {
        let call = &self.text["resources"][server]["properties"]["user_data"]["str_replace_strict"];
        let script = &files[call["template"]["get_file"].as_str().unwrap()];
        let mut values: Vec<(String, String)> = Vec::new();
        for (name, value) in call["params"].as_object().unwrap() {
            assert!(script.contains(name.as_str()), "{name} is not in the script");
            values.push((name.clone(), text(&self.resolve(value))));
        }
        values.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        (script, values)
    }

    fn condition(&self, condition: &Value) -> bool {
        match condition {
            Value::String(name) => self.condition(&self.text["conditions"][name.as_str()]),
            Value::Object(call) => {
                let (name, arguments) = call.iter().next().unwrap();
                let none = Vec::new();
                let arguments = arguments.as_array().unwrap_or(&none);
                match name.as_str() {
                    "not" => !self.condition(&call["not"]),
                    "equals" => self.resolve(&arguments[0]) == self.resolve(&arguments[1]),
                    "and" => arguments.iter().all(|inner| self.condition(inner)),
                    _ => panic!("condition {name}"),
                }
            }
            other => panic!("condition {other}"),
        }
    }

    pub fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(fields) => {
                if let Some((name, argument)) = fields.iter().next().filter(|_| fields.len() == 1)
                    && let Some(result) = self.call(name, argument)
                {
                    return result;
                }
                let resolved = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), self.resolve(value)));
                Value::Object(resolved.collect())
            }
            plain => plain.clone(),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        let result = match name {
            "get_param" => match argument {
                Value::Array(path) => {
                    let whole = &self.parameters[path[0].as_str().unwrap()];
                    let place: usize = text(&self.resolve(&path[1])).parse().unwrap();
                    whole[place].clone()
                }
                name => {
                    let name = name.as_str().unwrap();
                    let found = self.parameters.get(name);
                    found.unwrap_or_else(|| panic!("no parameter {name}")).clone()
                }
            },
            "get_resource" => {
                assert!(
                    self.text["resources"].get(argument.as_str().unwrap()).is_some(),
                    "{argument}"
                );
                let known = self.attributes.get(argument.as_str().unwrap());
                known
                    .cloned()
                    .unwrap_or_else(|| json!(format!("id-of-{}", text(argument))))
            }
            "get_attr" => {
                let path = argument.as_array().unwrap();
                assert!(
                    self.text["resources"].get(path[0].as_str().unwrap()).is_some(),
                    "{argument}"
                );
                let words: Vec<String> = path.iter().map(text).collect();
                let key = words.join(".");
                let found = self.attributes.get(key.as_str());
                found.unwrap_or_else(|| panic!("no attribute {key}")).clone()
            }
            "if" => {
                let branch = if self.condition(&argument[0]) { 1 } else { 2 };
                self.resolve(&argument[branch])
            }
            "str_split" => {
                let whole = text(&self.resolve(&argument[1]));
                let parts: Vec<&str> = whole.split(argument[0].as_str().unwrap()).collect();
                match argument.get(2) {
                    Some(place) => json!(parts[usize::try_from(place.as_u64().unwrap()).unwrap()]),
                    None => json!(parts),
                }
            }
            "list_join" => {
                let items = self.resolve(&argument[1]);
                let items: Vec<String> = items.as_array().unwrap().iter().map(text).collect();
                json!(items.join(argument[0].as_str().unwrap()))
            }
            "digest" => {
                let method = MessageDigest::from_name(argument[0].as_str().unwrap()).unwrap();
                let bytes = hash(method, text(&self.resolve(&argument[1])).as_bytes()).unwrap();
                json!(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>())
            }
            _ => return None,
        };
        Some(result)
    }
}

/// A value as the text that Heat makes of it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn typed(name: &str, schema: &Value, value: &Value) -> Result<Value, String> {
    let value = match (schema["type"].as_str().unwrap(), value) {
        ("string", value) => json!(text(value)),
        ("number", Value::String(digits)) => match digits.parse::<i64>() {
            Ok(number) => json!(number),
            Err(_) => return Err(format!("{name}: {value} is no number")),
        },
        ("number", Value::Number(_))
        | ("boolean", Value::Bool(_))
        | ("comma_delimited_list", Value::Array(_)) => value.clone(),
        (kind, other) => return Err(format!("{name} is a {kind}, not {other}")),
    };
    Ok(value)
}

/// Whether a value fits the constraints of a parameter.
pub fn check(name: &str, schema: &Value, value: &Value) -> Result<(), String> {
    for constraint in schema["constraints"].as_array().unwrap_or(&Vec::new()) {
        let fits = if let Some(pattern) = constraint["allowed_pattern"].as_str() {
            matches(pattern, &text(value))
        } else if let Some(range) = constraint.get("range") {
            let number = value.as_i64().unwrap();
            number >= range["min"].as_i64().unwrap_or(i64::MIN)
                && number <= range["max"].as_i64().unwrap_or(i64::MAX)
        } else if let Some(allowed) = constraint["allowed_values"].as_array() {
            allowed.contains(value)
        } else if let Some(most) = constraint["length"]["max"].as_u64() {
            text(value).len() <= usize::try_from(most).unwrap()
        } else {
            panic!("constraint {constraint}");
        };
        if !fits {
            return Err(format!("{name}: {value} does not fit {constraint}"));
        }
    }
    Ok(())
}

/// As Python's `re.match` that must end where the value ends.
pub fn matches(pattern: &str, value: &str) -> bool {
    let regex = Regex::new(&format!("^(?:{pattern})")).unwrap();
    regex.find(value).is_some_and(|found| found.end() == value.len())
}

/// As Heat does: what was put in is not looked at again.
pub fn replace(text: &str, values: &[(String, String)]) -> String {
    let Some(((name, value), rest)) = values.split_first() else {
        return text.to_owned();
    };
    let parts: Vec<String> = text
        .split(name.as_str())
        .map(|part| replace(part, rest))
        .collect();
    parts.join(value)
}
