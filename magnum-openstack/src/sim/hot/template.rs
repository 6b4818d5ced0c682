//! A template: its sections, and the resource and output definitions they give under parameters.

use serde_json::Value;

use super::condition::Conditions;
use super::error::{ErrorKind, HeatError};
use super::expression::{Expr, Reading};
use super::node::Node;
use super::parameter::ParameterSchema;
use super::parameter_values::ParameterValues;
use super::printing::py_str;
use super::sections::check_entries;
use super::version::Version;

/// What becomes of a resource's thing when the resource goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeletionPolicy {
    #[default]
    Delete,
    Retain,
    Snapshot,
}

/// One resource of a template, conditions decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) resource_type: String,
    /// A map, or a call that gives one.
    pub(crate) properties: Expr,
    pub(crate) metadata: Expr,
    pub(crate) depends_on: Vec<String>,
    pub(crate) deletion_policy: DeletionPolicy,
    pub(crate) update_policy: Expr,
    pub(crate) description: String,
}

impl Definition {
    /// The resources the definition needs: explicit ones, then those its values refer to, each with
    /// the path of the reference.
    pub(crate) fn requirements(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = self
            .depends_on
            .iter()
            .map(|name| (name.clone(), self.name.clone()))
            .collect();
        found.extend(self.properties.references(&format!("{}.Properties", self.name)));
        found.extend(self.metadata.references(&format!("{}.Metadata", self.name)));
        found
    }
}

/// One output of a template, conditions decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Nothing when its condition does not hold.
    pub(crate) value: Option<Expr>,
}

/// A template as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pub(crate) raw: Node,
    pub(crate) version: Version,
}

const RESOURCE_KEYS: [&str; 9] = [
    "type",
    "properties",
    "metadata",
    "depends_on",
    "deletion_policy",
    "update_policy",
    "description",
    "external_id",
    "condition",
];

impl Template {
    /// Takes a document as a template.
    ///
    /// # Errors
    /// `InvalidTemplateVersion`.
    pub(crate) fn new(raw: Node) -> Result<Self, HeatError> {
        let version = Version::of(&raw)?;
        Ok(Self { raw, version })
    }

    /// A template of `version` without anything in it.
    pub(crate) fn empty(version: Version) -> Self {
        let raw = Node::Map(vec![(
            "heat_template_version".to_owned(),
            Node::Text(version.date().to_owned()),
        )]);
        Self { raw, version }
    }

    fn section(&self, name: &str) -> Option<&Node> {
        self.raw.get(name).filter(|node| !node.is_falsy())
    }

    fn entries(&self, name: &str) -> Result<&[(String, Node)], HeatError> {
        match self.section(name) {
            None => Ok(&[]),
            Some(Node::Map(entries)) => Ok(entries),
            Some(other) => Err(HeatError::validation(format!(
                "'{}' object has no attribute 'items'",
                other.type_name()
            ))),
        }
    }

    /// What the template says about itself.
    pub(crate) fn description(&self) -> String {
        self.section("description")
            .map_or_else(|| "No description".to_owned(), |d| py_str(&d.to_value()))
    }

    /// Whether a resource of this name is written in the template, whatever its condition.
    pub(crate) fn has_resource(&self, name: &str) -> bool {
        self.entries("resources")
            .is_ok_and(|entries| entries.iter().any(|(key, _)| key == name))
    }

    /// The names of the outputs.
    pub(crate) fn output_names(&self) -> Vec<String> {
        self.entries("outputs")
            .map(|e| e.iter().map(|(k, _)| k.clone()).collect())
            .unwrap_or_default()
    }

    /// The schemas of the parameters, in the template's order.
    ///
    /// # Errors
    /// `InvalidSchemaError`.
    pub(crate) fn schemas(&self) -> Result<Vec<(String, ParameterSchema)>, HeatError> {
        self.entries("parameters")?
            .iter()
            .map(|(name, node)| Ok((name.clone(), ParameterSchema::read(name, node, self.version)?)))
            .collect()
    }

    /// Checks the sections and the keys within resources and outputs.
    ///
    /// # Errors
    /// `InvalidTemplateSection` or `StackValidationFailed`.
    pub(crate) fn check_sections(&self) -> Result<(), HeatError> {
        let mut sections = vec![
            "heat_template_version",
            "description",
            "parameter_groups",
            "parameters",
            "resources",
            "outputs",
        ];
        if self.version.has_conditions() {
            sections.push("conditions");
        }
        for (key, _) in self.raw.as_map().unwrap_or_default() {
            if !sections.contains(&key.as_str()) {
                let text = format!("The template section is invalid: {key}");
                return Err(HeatError::new(ErrorKind::InvalidTemplateSection, text));
            }
        }
        let conditions = usize::from(self.version.has_conditions()) * 2;
        let keys = RESOURCE_KEYS.get(..7 + conditions).unwrap_or(&RESOURCE_KEYS);
        check_entries("resources", "type", self.section("resources"), keys)?;
        let output_keys: &[&str] = if self.version.has_conditions() {
            &["description", "value", "condition"]
        } else {
            &["description", "value"]
        };
        check_entries("outputs", "value", self.section("outputs"), output_keys)?;
        self.check_groups()
    }

    fn check_groups(&self) -> Result<(), HeatError> {
        let Some(groups) = self.section("parameter_groups") else {
            return Ok(());
        };
        let fail = |label: Option<String>, text: String| {
            let path = std::iter::once("parameter_groups".to_owned()).chain(label);
            Err(HeatError::validation_at(path, text).with_origin("Parameter Groups error"))
        };
        let Some(groups) = groups.as_list() else {
            return fail(None, "The parameter_groups should be a list.".to_owned());
        };
        let known: Vec<&str> = self
            .entries("parameters")?
            .iter()
            .map(|(k, _)| k.as_str())
            .collect();
        let mut grouped: Vec<String> = Vec::new();
        for group in groups {
            let label = Some(
                group
                    .get("label")
                    .map(|l| py_str(&l.to_value()))
                    .unwrap_or_default(),
            );
            let names = match group.get("parameters") {
                None | Some(Node::Null) => {
                    return fail(
                        label,
                        "The parameters must be provided for each parameter group.".to_owned(),
                    );
                }
                Some(Node::List(names)) => names,
                Some(_) => {
                    return fail(
                        label,
                        "The parameters of parameter group should be a list.".to_owned(),
                    );
                }
            };
            for name in names {
                let name = py_str(&name.to_value());
                if grouped.contains(&name) {
                    let text = format!("The {name} parameter must be assigned to one parameter group only.");
                    return fail(label, text);
                }
                if !known.contains(&name.as_str()) {
                    let text = format!("The grouped parameter {name} does not reference a valid parameter.");
                    return fail(label, text);
                }
                grouped.push(name);
            }
        }
        Ok(())
    }

    /// The resources and outputs under `parameters`.
    ///
    /// # Errors
    /// `StackValidationFailed` for a definition that has no valid form.
    pub(crate) fn load(
        &self,
        parameters: &ParameterValues,
    ) -> Result<(Vec<Definition>, Vec<Output>), HeatError> {
        let lookup = |name: &str| parameters.get(name);
        let conditions = Conditions::new(self.version, self.section("conditions"), &lookup)?;
        conditions.validate()?;
        let reading = Reading {
            version: self.version,
            conditions: &conditions,
        };
        let mut resources = Vec::new();
        for (name, node) in self.entries("resources")? {
            resources.extend(read_resource(name, node, &reading)?);
        }
        let mut outputs = Vec::new();
        for (name, node) in self.entries("outputs")? {
            outputs.push(read_output(name, node, &reading)?);
        }
        let duplicates: Vec<&str> = resources
            .iter()
            .map(|r| r.name.as_str())
            .filter(|name| parameters.schemas.iter().any(|(p, _)| p == name))
            .collect();
        if !duplicates.is_empty() {
            let names: Vec<String> = duplicates.iter().map(|d| format!("'{d}'")).collect();
            return Err(HeatError::validation(format!(
                "Duplicate names {{{}}}",
                names.join(", ")
            )));
        }
        Ok((resources, outputs))
    }
}

fn read_resource(name: &str, node: &Node, reading: &Reading<'_>) -> Result<Option<Definition>, HeatError> {
    if let Some(condition) = node.get("condition").filter(|_| reading.version.has_conditions()) {
        let path = format!("resources.{name}.condition");
        let decided = reading.conditions.decide(condition, &path).map_err(|e| {
            if e.path.is_empty() && e.origin.is_empty() {
                e.at(["resources", name, "condition"])
            } else {
                e
            }
        })?;
        if !decided {
            return Ok(None);
        }
    }
    let wrong_type =
        |key: &str, kind: &str| HeatError::validation(format!("Resource {name} {key} type must be {kind}"));
    let Some(resource_type) = node.get("type") else {
        return Err(HeatError::validation(format!(
            "'Resource {name} is missing \"type\"'"
        )));
    };
    let Some(resource_type) = resource_type.as_str() else {
        return Err(wrong_type("type", "string"));
    };
    let object = |key: &str| -> Result<Expr, HeatError> {
        match node.get(key) {
            None | Some(Node::Null) if key == "properties" || node.get(key).is_none() => {
                Ok(Expr::Value(Value::Object(serde_json::Map::new())))
            }
            Some(value) => {
                let expr = Expr::read(value, &format!("resources.{name}.{key}"), reading)?;
                match expr {
                    Expr::Map(_) | Expr::Call(_) | Expr::Value(Value::Object(_)) => Ok(expr),
                    _ => Err(wrong_type(key, "object")),
                }
            }
            None => Ok(Expr::Value(Value::Object(serde_json::Map::new()))),
        }
    };
    let depends_on = match node.get("depends_on") {
        None | Some(Node::Null) => Vec::new(),
        Some(Node::Text(one)) => vec![one.clone()],
        Some(Node::List(items)) => items
            .iter()
            .map(|item| {
                item.as_str().map(str::to_owned).ok_or_else(|| {
                    HeatError::validation(format!("Resource {name} depends_on must be a list of strings"))
                })
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong_type("depends_on", "list or string")),
    };
    let deletion_policy = match node.get("deletion_policy") {
        None | Some(Node::Null) => DeletionPolicy::Delete,
        Some(policy) => {
            let lower = reading.version >= Version::V20161014;
            match py_str(&policy.to_value()).as_str() {
                "Delete" => DeletionPolicy::Delete,
                "Retain" => DeletionPolicy::Retain,
                "Snapshot" => DeletionPolicy::Snapshot,
                "delete" if lower => DeletionPolicy::Delete,
                "retain" if lower => DeletionPolicy::Retain,
                "snapshot" if lower => DeletionPolicy::Snapshot,
                other => {
                    return Err(HeatError::validation(format!(
                        "Invalid deletion policy \"{other}\""
                    )));
                }
            }
        }
    };
    Ok(Some(Definition {
        name: name.to_owned(),
        resource_type: resource_type.to_owned(),
        properties: object("properties")?,
        metadata: object("metadata")?,
        depends_on,
        deletion_policy,
        update_policy: object("update_policy")?,
        description: node
            .get("description")
            .map(|d| py_str(&d.to_value()))
            .unwrap_or_default(),
    }))
}

fn read_output(name: &str, node: &Node, reading: &Reading<'_>) -> Result<Output, HeatError> {
    let description = node
        .get("description")
        .filter(|d| **d != Node::Null)
        .map(|d| py_str(&d.to_value()));
    if let Some(condition) = node.get("condition").filter(|_| reading.version.has_conditions()) {
        let path = format!("outputs.{name}.condition");
        let decided = reading.conditions.decide(condition, &path).map_err(|e| {
            if e.path.is_empty() && e.origin.is_empty() {
                e.at(["outputs", name, "condition"])
            } else {
                e
            }
        })?;
        if !decided {
            return Ok(Output {
                name: name.to_owned(),
                description,
                value: None,
            });
        }
    }
    let value = node.get("value").unwrap_or(&Node::Null);
    let value = Some(Expr::read(value, &format!("outputs.{name}.value"), reading)?);
    Ok(Output {
        name: name.to_owned(),
        description,
        value,
    })
}
