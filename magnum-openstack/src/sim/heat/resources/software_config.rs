//! `OS::Heat::SoftwareConfig` and `OS::Heat::CloudConfig`.

use serde_json::{Map, Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, View};
use crate::sim::heat::schema::{Prop, PropKind};
use crate::sim::hot::{Constraint, HeatError, dumps};

#[derive(Debug)]
pub(crate) struct SoftwareConfig;

/// `#cloud-config`, given as a map.
#[derive(Debug)]
pub(crate) struct CloudConfig;

/// A stored configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredConfig {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) config: String,
    pub(crate) inputs: Value,
    pub(crate) outputs: Value,
    pub(crate) options: Value,
}

/// Stores a configuration as the thing of this resource.
pub(super) fn store(
    op: &mut Operation<'_>,
    properties: &Map<String, Value>,
    config: String,
) -> Result<(), Failure> {
    let id = op.world.new_uuid();
    let get = |key: &str, or: Value| {
        properties
            .get(key)
            .filter(|v| !v.is_null())
            .cloned()
            .unwrap_or(or)
    };
    let stored = StoredConfig {
        name: op.physical_name()?,
        group: text(properties, "group").unwrap_or_else(|| "Heat::Ungrouped".to_owned()),
        config,
        inputs: get("inputs", json!([])),
        outputs: get("outputs", json!([])),
        options: get("options", json!({})),
    };
    op.world.heat.configs.insert(id.clone(), stored);
    op.set_physical_id(id);
    Ok(())
}

/// Forgets the configuration of this resource.
pub(super) fn forget(op: &mut Operation<'_>) -> Result<Step, Failure> {
    if let Some(id) = op.physical_id()? {
        op.world.heat.configs.remove(&id);
    }
    Ok(Step::Done)
}

/// The text of the configuration of a resource.
pub(super) fn config_of(view: &View<'_>) -> Value {
    let stored = view
        .resource
        .physical_id
        .as_ref()
        .and_then(|id| view.world.heat.configs.get(id));
    json!(stored.map(|s| s.config.clone()))
}

fn io(name: &str) -> Prop {
    Prop::list_of(
        name,
        Prop::keys(
            "*",
            vec![
                Prop::text("name").required(),
                Prop::text("description"),
                Prop::text("type")
                    .default("String")
                    .constrained(Constraint::allowed(&[
                        "String",
                        "Number",
                        "CommaDelimitedList",
                        "Json",
                        "Boolean",
                    ])),
                Prop::new("default", PropKind::Any),
                Prop::boolean("replace_on_change").default(false),
                Prop::boolean("error_output").default(false),
            ],
        ),
    )
}

impl Plugin for SoftwareConfig {
    fn kind(&self) -> &'static str {
        "OS::Heat::SoftwareConfig"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("group").default("Heat::Ungrouped"),
            Prop::text("config"),
            Prop::map("options"),
            io("inputs"),
            io("outputs"),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["config"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let config = properties
            .get("config")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        store(op, &properties, config)?;
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        forget(op)
    }

    fn attribute(&self, view: &View<'_>, _name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        Ok(Attribute::whole(config_of(view)))
    }
}

impl Plugin for CloudConfig {
    fn kind(&self) -> &'static str {
        "OS::Heat::CloudConfig"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![Prop::map("cloud_config")]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["config"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        // JSON is YAML: the guest reads it either way.
        let body = dumps(properties.get("cloud_config").unwrap_or(&Value::Null));
        store(op, &properties, format!("#cloud-config\n{body}\n"))?;
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        forget(op)
    }

    fn attribute(&self, view: &View<'_>, _name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        Ok(Attribute::whole(config_of(view)))
    }
}
