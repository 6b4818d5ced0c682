//! How attributes are read from JSON where it is more lenient than their types.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Deserializer, Error, Unexpected};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Labels;
use crate::{Problem, Result, one_line};

/// A request as it comes over the wire: only attributes that exist, each of its type.
pub(super) fn strict<T>(what: &str, given: &Value) -> Result<T>
where
    T: Default + Serialize + DeserializeOwned,
{
    let default =
        serde_json::to_value(T::default()).map_err(|error| crate::Error::internal(error.to_string()))?;
    let (Some(known), Some(fields)) = (default.as_object(), given.as_object()) else {
        return Err(crate::Error::field(
            "body",
            given,
            format!("{what} is an object of attributes"),
        ));
    };
    let unknown = fields.iter().filter(|(name, _)| !known.contains_key(*name));
    let problems: Vec<Problem> = unknown
        .map(|(name, value)| Problem::new(crate::shown(name), value, format!("{what} has no such attribute")))
        .collect();
    if !problems.is_empty() {
        return Err(crate::Error::invalid(problems));
    }
    let mut whole = default.clone();
    if let Value::Object(whole) = &mut whole {
        whole.extend(fields.clone());
    }
    typed(&default, whole)
}

/// An object as what it stands for; every value of the wrong type is named. `sound` is one that is known to fit.
pub(super) fn typed<T: DeserializeOwned>(sound: &Value, given: Value) -> Result<T> {
    let error = match serde_json::from_value(given.clone()) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // One attribute at a time, since together they do not say which it was.
    let mut problems = Vec::new();
    for (attribute, value) in given.as_object().into_iter().flatten() {
        let mut alone = sound.clone();
        if let Value::Object(fields) = &mut alone {
            fields.insert(attribute.clone(), value.clone());
        }
        if let Err(error) = serde_json::from_value::<T>(alone) {
            problems.push(Problem::new(attribute, value, one_line(&error.to_string())));
        }
    }
    if problems.is_empty() {
        problems.push(Problem::new("body", "", one_line(&error.to_string())));
    }
    Err(crate::Error::invalid(problems))
}

/// `null` stands for an attribute's default, as if it were absent.
pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// As [`null_is_default`], for counts of which there is one when nothing is said.
pub(super) fn null_is_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(1))
}

/// As [`null_is_default`], for minutes, of which there are 60 when nothing is said.
pub(super) fn null_is_an_hour<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(60))
}

/// Labels' values may be texts, numbers and booleans; they are kept as texts.
pub(super) fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    Ok(optional_labels(deserializer)?.unwrap_or_default())
}

/// As [`labels`], where there may be none.
pub(super) fn optional_labels<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Labels>, D::Error> {
    let Some(given) = Option::<BTreeMap<String, Value>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(D::Error::invalid_type(
            Unexpected::Other("no scalar"),
            &"a text, a number or a boolean as a label's value",
        )),
    };
    given
        .into_iter()
        .map(|(key, value)| Ok((key, text(value)?)))
        .collect::<Result<Labels, D::Error>>()
        .map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::{ClusterSpec, TemplateSpec};

    #[test]
    fn what_is_null_has_its_default() {
        let spec = ClusterSpec::from_json(&json!({
            "cluster_template": "small", "node_count": null, "create_timeout": null, "labels": null,
            "on_create_failure": null, "merge_labels": null, "name": null,
        }));
        assert_eq!(spec.unwrap(), ClusterSpec::new("small"));
        let spec = TemplateSpec::from_json(&json!({
            "coe": "docker", "image_id": "i", "external_network_id": "e", "public": null, "labels": null,
            "server_type": null,
        }));
        assert_eq!(spec.unwrap(), TemplateSpec::new("docker", "i", "e"));
    }

    #[test]
    fn labels_may_be_texts_numbers_and_booleans() {
        let labels = json!({"a": "text", "b": 8, "c": true, "d": 1.5});
        let spec = TemplateSpec::from_json(&json!({"labels": labels})).unwrap();
        let values: Vec<&str> = spec.labels.values().map(String::as_str).collect();
        assert_eq!(values, ["text", "8", "true", "1.5"]);
        let error = TemplateSpec::from_json(&json!({"labels": {"a": [1]}})).unwrap_err();
        assert_eq!(error.problems()[0].field, "labels");
    }

    #[test]
    fn each_attribute_that_does_not_exist_or_fit_is_named() {
        let error = ClusterSpec::from_json(&json!({"node_cuont": 2, "uuid": "x"})).unwrap_err();
        let fields: Vec<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, ["node_cuont", "uuid"]);
        let error = ClusterSpec::from_json(&json!({"node_count": -1, "name": 5})).unwrap_err();
        let fields: Vec<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, ["name", "node_count"]);
        assert!(ClusterSpec::from_json(&json!([])).is_err());
    }
}
