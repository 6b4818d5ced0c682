//! `OS::Heat::Value`.

use serde_json::{Map, Value, json};

use super::names;
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, View, failure};
use crate::sim::heat::schema::{Prop, PropKind};
use crate::sim::hot::{Constraint, HeatError, parse_bool, parse_number, py_str};

#[derive(Debug)]
pub(crate) struct ValueResource;

/// The value under the type that was asked for, or under the one it has.
fn typed(properties: &Map<String, Value>) -> Result<Value, String> {
    let value = properties.get("value").cloned().unwrap_or_default();
    let invalid = |text: String| format!("Property error: resources.value.properties.value: {text}");
    match properties.get("type").and_then(Value::as_str) {
        Some("string") => Ok(Value::String(py_str(&value))),
        Some("number") => parse_number(&value).map(Value::Number).map_err(invalid),
        Some("boolean") => parse_bool(&value).map(Value::Bool).map_err(invalid),
        Some("json") => match &value {
            Value::String(text) => serde_json::from_str(text).map_err(|e| invalid(e.to_string())),
            other => Ok(other.clone()),
        },
        Some("comma_delimited_list") => match &value {
            Value::String(text) => Ok(json!(text.split(',').collect::<Vec<_>>())),
            other => Ok(other.clone()),
        },
        _ => Ok(value),
    }
}

impl Plugin for ValueResource {
    fn kind(&self) -> &'static str {
        "OS::Heat::Value"
    }

    fn properties(&self) -> Vec<Prop> {
        let types = ["string", "number", "comma_delimited_list", "json", "boolean"];
        vec![
            Prop::new("value", PropKind::Any).required().updatable(),
            Prop::text("type")
                .constrained(Constraint::allowed(&types))
                .updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["value"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        typed(&op.properties()?).map_err(|e| failure("ValueError", e))?;
        let id = op.world.new_uuid();
        op.set_physical_id(id);
        Ok(Step::Done)
    }

    fn attribute(&self, view: &View<'_>, _name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        Ok(Attribute::whole(
            typed(&view.resource.properties).unwrap_or_default(),
        ))
    }
}
