//! `OS::Heat::ResourceGroup`: a nested stack of equal members.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::template_resource::nested_attribute;
use super::{names, text};
use crate::sim::heat::engine::{nested, scope};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::heat::stack::{Action, Source, Stack};
use crate::sim::hot::{Constraint, HeatError, Node, Template, py_str};

#[derive(Debug)]
pub(crate) struct ResourceGroup;

/// Names that are never used again, and those that this change removes.
fn skipped(op: &Operation<'_>) -> Result<BTreeSet<String>, Failure> {
    let resource = op.resource()?;
    let properties = &resource.properties;
    let current: BTreeSet<String> = resource
        .data_text("name_blacklist")
        .unwrap_or_default()
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let child = resource
        .physical_id
        .as_ref()
        .and_then(|id| op.world.heat.stacks.get(id));
    let mut all = if text(properties, "removal_policies_mode").as_deref() == Some("update") {
        BTreeSet::new()
    } else {
        current.clone()
    };
    for policy in properties
        .get("removal_policies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        for entry in policy
            .get("resource_list")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = py_str(entry);
            let is_member = child.is_none_or(|c| c.loaded.definition(&name).is_some());
            if current.contains(&name) || is_member {
                all.insert(name);
            } else if entry.is_string()
                && let Some(child) = child
                && let Some(member) = member_by_reference(op.world, child, &name)
            {
                all.insert(member);
            }
        }
    }
    Ok(all)
}

/// The member whose reference is `reference`.
fn member_by_reference(world: &crate::sim::World, child: &Stack, reference: &str) -> Option<String> {
    child
        .shown_resources()
        .into_iter()
        .find(|r| {
            r.plugin.reference(&View {
                world,
                stack: child,
                resource: r,
            }) == reference
        })
        .map(|r| r.name.clone())
}

/// The names of `count` members, numbers from 0 on, leaving out what is skipped.
fn member_names(count: u64, skipped: &BTreeSet<String>) -> Vec<String> {
    (0_u64..)
        .map(|i| i.to_string())
        .filter(|name| !skipped.contains(name))
        .take(usize::try_from(count).unwrap_or(usize::MAX))
        .collect()
}

fn count_of(properties: &Map<String, Value>) -> u64 {
    properties.get("count").and_then(Value::as_u64).unwrap_or(1)
}

/// The definition of one member: the index stands in for the variable.
fn with_index(value: &Value, variable: &str, name: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(variable, name)),
        Value::Array(items) => Value::Array(items.iter().map(|i| with_index(i, variable, name)).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| (k.clone(), with_index(v, variable, name)))
                .collect(),
        ),
        other => other.clone(),
    }
}

impl ResourceGroup {
    /// The template of the members' stack. Properties without a value are not given, except in a preview.
    fn template(
        properties: &Map<String, Value>,
        members: &[String],
        preview: bool,
    ) -> Result<Template, HeatError> {
        let definition = properties.get("resource_def").cloned().unwrap_or_default();
        let variable = text(properties, "index_var").unwrap_or_else(|| "%index%".to_owned());
        let mut resources = Vec::new();
        for name in members {
            let mut member = vec![(
                "type".to_owned(),
                Node::Text(
                    definition
                        .get("type")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
            )];
            if let Some(Value::Object(given)) = definition.get("properties") {
                let given: Map<String, Value> = given
                    .iter()
                    .filter(|(_, v)| preview || !v.is_null())
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect();
                let given = with_index(&Value::Object(given), &variable, name);
                member.push(("properties".to_owned(), Node::from_value(&given)));
            }
            if let Some(metadata @ Value::Object(_)) = definition.get("metadata") {
                member.push(("metadata".to_owned(), Node::from_value(metadata)));
            }
            resources.push((name.clone(), Node::Map(member)));
        }
        Template::new(Node::Map(vec![
            (
                "heat_template_version".to_owned(),
                Node::Text("2015-04-30".to_owned()),
            ),
            ("resources".to_owned(), Node::Map(resources)),
        ]))
    }

    fn source(op: &mut Operation<'_>) -> Result<Source, Failure> {
        let skipped = skipped(op)?;
        let listed: Vec<&str> = skipped.iter().map(String::as_str).collect();
        let listed = listed.join(",");
        op.keep("name_blacklist", listed);
        let resource = op.resource()?;
        Self::source_in(op.stack()?, &resource.name, &resource.properties, &skipped, false)
    }

    fn source_in(
        stack: &Stack,
        name: &str,
        properties: &Map<String, Value>,
        skipped: &BTreeSet<String>,
        preview: bool,
    ) -> Result<Source, HeatError> {
        let members = member_names(count_of(properties), skipped);
        let template = Self::template(properties, &members, preview)?;
        let environment = stack.loaded.source.environment.child(Map::new(), None, name);
        Ok(Source {
            template,
            files: stack.loaded.source.files.clone(),
            environment,
        })
    }

    fn child<'a>(view: &View<'a>) -> Option<&'a Stack> {
        view.world.heat.stacks.get(view.resource.physical_id.as_ref()?)
    }
}

impl Plugin for ResourceGroup {
    fn kind(&self) -> &'static str {
        "OS::Heat::ResourceGroup"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn properties(&self) -> Vec<Prop> {
        let definition = Prop::keys(
            "resource_def",
            vec![
                Prop::text("type").required(),
                Prop::map("properties"),
                Prop::map("metadata"),
            ],
        );
        let policy = Prop::keys("*", vec![Prop::list("resource_list").default(json!([]))]);
        vec![
            Prop::integer("count")
                .default(1)
                .constrained(Constraint::range(Some(0), None))
                .updatable(),
            Prop::text("index_var")
                .default("%index%")
                .constrained(Constraint::length(Some(3), None)),
            definition.required().updatable(),
            Prop::list_of("removal_policies", policy)
                .default(json!([]))
                .updatable(),
            Prop::text("removal_policies_mode")
                .default("append")
                .constrained(Constraint::allowed(&["append", "update"]))
                .updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        // Any other name is an attribute of the members.
        names(&["refs", "refs_map", "attributes", "removed_rsrc_list", "*"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let source = Self::source(op)?;
        nested::create(op, source)
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        nested::poll(op, Action::Create)
    }

    fn always_updates(&self, view: &View<'_>) -> bool {
        view.resource.physical_id.is_some()
    }

    fn replaced_when_failed(&self, view: &View<'_>) -> bool {
        view.resource.physical_id.is_none()
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        _: &[String],
    ) -> Result<Update, Failure> {
        let source = Self::source(op)?;
        nested::update(op, source).map(Update::InPlace)
    }

    fn poll_update(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        nested::poll(op, Action::Update)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        nested::delete(op)
    }

    fn poll_delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        nested::poll(op, Action::Delete)
    }

    fn cancel(&self, op: &mut Operation<'_>) {
        nested::cancel(op);
    }

    fn nested_source(
        &self,
        stack: &Stack,
        name: &str,
        properties: &Map<String, Value>,
    ) -> Option<Result<Source, HeatError>> {
        Some(Self::source_in(stack, name, properties, &BTreeSet::new(), false))
    }

    fn previewed_source(
        &self,
        stack: &Stack,
        name: &str,
        properties: &Map<String, Value>,
    ) -> Option<Result<Source, HeatError>> {
        Some(Self::source_in(stack, name, properties, &BTreeSet::new(), true))
    }

    fn nested_stack(&self, view: &View<'_>) -> Option<String> {
        view.resource
            .physical_id
            .clone()
            .filter(|id| view.world.heat.stacks.contains_key(id))
    }

    fn attribute(&self, view: &View<'_>, name: &str, path: &[Value]) -> Result<Attribute, HeatError> {
        if name == "removed_rsrc_list" {
            let listed = view.resource.data_text("name_blacklist").unwrap_or_default();
            let listed: Vec<&str> = listed.split(',').filter(|n| !n.is_empty()).collect();
            return Ok(Attribute::whole(json!(listed)));
        }
        let Some(child) = Self::child(view) else {
            return Ok(Attribute::at_path(Value::Null));
        };
        if let Some(rest) = name.strip_prefix("resource.") {
            return nested_attribute(view, child, rest, path);
        }
        let members: Vec<View<'_>> = child
            .loaded
            .definitions
            .iter()
            .filter_map(|d| child.current(&d.name))
            .map(|resource| View {
                world: view.world,
                stack: child,
                resource,
            })
            .collect();
        let reference = |member: &View<'_>| Value::String(member.resource.plugin.reference(member));
        let of_member = |member: &View<'_>, name: &str, path: &[Value]| -> Result<Value, HeatError> {
            if matches!(member.resource.action, Action::Init | Action::Delete) {
                return Ok(Value::Null);
            }
            scope::attribute_of(member, name, path)
        };
        match name {
            "refs" => Ok(Attribute::whole(members.iter().map(reference).collect())),
            "refs_map" => Ok(Attribute::whole(Value::Object(
                members
                    .iter()
                    .map(|m| (m.resource.name.clone(), reference(m)))
                    .collect(),
            ))),
            "attributes" => {
                let Some((Value::String(first), rest)) = path.split_first() else {
                    return Err(scope::invalid_attribute(&view.resource.name, name));
                };
                let mut all = Map::new();
                for member in &members {
                    all.insert(member.resource.name.clone(), of_member(member, first, rest)?);
                }
                Ok(Attribute::at_path(Value::Object(all)))
            }
            _ => {
                let values: Result<Vec<Value>, HeatError> = members
                    .iter()
                    .map(|member| of_member(member, name, path))
                    .collect();
                values.map(|v| Attribute::at_path(Value::Array(v)))
            }
        }
    }
}
