//! A resource that is a template: its properties are the template's parameters, its attributes the
//! template's outputs.

use serde_json::{Map, Value};

use crate::sim::heat::engine::{nested, scope};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::{Prop, PropKind};
use crate::sim::heat::stack::{Action, Source, Stack};
use crate::sim::hot::{ErrorKind, HeatError, ParameterKind, ParameterSchema, Template, py_str};

/// The output that says what `get_resource` gives.
const REFERENCE: &str = "OS::stack_id";

#[derive(Debug)]
pub(crate) struct TemplateResource {
    key: String,
    through: Option<String>,
    template: Template,
    schemas: Vec<(String, ParameterSchema)>,
}

impl TemplateResource {
    /// A resource from the template under `key` of the files, found through this entry of the registry.
    pub(crate) fn new(key: String, through: Option<String>, template: Template) -> Result<Self, HeatError> {
        let schemas = template.schemas()?;
        Ok(Self {
            key,
            through,
            template,
            schemas,
        })
    }

    /// What the nested stack of an operation's resource is made from.
    fn source(&self, op: &Operation<'_>) -> Result<Source, Failure> {
        let resource = op.resource()?;
        Ok(self.source_in(op.stack()?, &resource.name, &resource.properties))
    }

    fn source_in(&self, stack: &Stack, name: &str, properties: &Map<String, Value>) -> Source {
        let parameters = self.parameters(properties);
        let environment = stack
            .loaded
            .source
            .environment
            .child(parameters, self.through.as_deref(), name);
        Source {
            template: self.template.clone(),
            files: stack.loaded.source.files.clone(),
            environment,
        }
    }

    /// Properties as parameters: lists become text again.
    fn parameters(&self, properties: &Map<String, Value>) -> Map<String, Value> {
        let mut parameters = Map::new();
        for (name, schema) in &self.schemas {
            let Some(value) = properties.get(name).filter(|v| !v.is_null()) else {
                continue;
            };
            let value = match (schema.kind, value) {
                (ParameterKind::List, Value::Array(items)) => {
                    let items: Vec<String> = items
                        .iter()
                        .map(|i| if i.is_null() { String::new() } else { py_str(i) })
                        .collect();
                    Value::String(items.join(","))
                }
                _ => value.clone(),
            };
            parameters.insert(name.clone(), value);
        }
        parameters
    }

    fn child<'a>(view: &View<'a>) -> Option<&'a Stack> {
        view.world.heat.stacks.get(view.resource.physical_id.as_ref()?)
    }
}

/// The value of an output of a stack; null while it has none.
///
/// # Errors
/// Why it cannot be worked out.
pub(crate) fn output_value(
    view_world: &crate::sim::World,
    stack: &Stack,
    name: &str,
) -> Option<Result<Value, HeatError>> {
    let output = stack.loaded.outputs.iter().find(|o| o.name == name)?;
    Some(match &output.value {
        None => Ok(Value::Null),
        Some(expr) => scope::evaluate_in(view_world, stack, expr),
    })
}

impl Plugin for TemplateResource {
    fn kind(&self) -> &'static str {
        "template"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn properties(&self) -> Vec<Prop> {
        self.schemas
            .iter()
            .map(|(name, schema)| {
                let kind = match schema.kind {
                    ParameterKind::Text => PropKind::Text,
                    ParameterKind::Number => PropKind::Number,
                    ParameterKind::List => PropKind::List,
                    ParameterKind::Json => PropKind::Map,
                    ParameterKind::Boolean => PropKind::Boolean,
                };
                Prop {
                    required: schema.default.is_none(),
                    update_allowed: true,
                    constraints: schema.constraints.clone(),
                    converts: matches!(schema.kind, ParameterKind::List | ParameterKind::Json),
                    ..Prop::new(name, kind)
                }
            })
            .collect()
    }

    fn attributes(&self) -> Vec<String> {
        let mut names = self.template.output_names();
        names.push("resource.*".to_owned());
        names
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let source = self.source(op)?;
        nested::create(op, source)
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        nested::poll(op, Action::Create)
    }

    fn always_updates(&self, view: &View<'_>) -> bool {
        // The template behind the type may have changed; its own resources decide whether they did.
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
        let source = self.source(op)?;
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
        Some(Ok(self.source_in(stack, name, properties)))
    }

    fn template_url(&self) -> String {
        self.key.clone()
    }

    fn nested_stack(&self, view: &View<'_>) -> Option<String> {
        view.resource
            .physical_id
            .clone()
            .filter(|id| view.world.heat.stacks.contains_key(id))
    }

    fn attribute(&self, view: &View<'_>, name: &str, path: &[Value]) -> Result<Attribute, HeatError> {
        let Some(child) = Self::child(view) else {
            return Ok(Attribute::whole(Value::Null));
        };
        if let Some(rest) = name.strip_prefix("resource.") {
            return nested_attribute(view, child, rest, path);
        }
        match output_value(view.world, child, name) {
            Some(value) => value.map(Attribute::whole),
            None => Err(scope::invalid_attribute(&view.resource.name, name)),
        }
    }

    fn reference(&self, view: &View<'_>) -> String {
        let Some(child) = Self::child(view) else {
            return view.resource.name.clone();
        };
        match output_value(view.world, child, REFERENCE) {
            Some(Ok(value)) if !value.is_null() => py_str(&value),
            Some(Ok(_)) => "None".to_owned(),
            _ => child.arn(),
        }
    }
}

/// `resource.<name>[.<attribute>]` within a nested stack.
pub(super) fn nested_attribute(
    view: &View<'_>,
    child: &Stack,
    rest: &str,
    path: &[Value],
) -> Result<Attribute, HeatError> {
    let (name, attribute) = rest.split_once('.').map_or((rest, None), |(n, a)| (n, Some(a)));
    let Some(resource) = child.current(name) else {
        return Err(HeatError::new(
            ErrorKind::NotFound,
            format!(
                "Member '{name}' not found in group resource '{}'.",
                view.resource.name
            ),
        ));
    };
    let inner = View {
        world: view.world,
        stack: child,
        resource,
    };
    let (attribute, path) = match (attribute, path.split_first()) {
        (Some(attribute), _) => (attribute.to_owned(), path),
        (None, Some((Value::String(first), rest))) => (first.clone(), rest),
        (None, _) => {
            return Ok(Attribute::at_path(Value::String(
                resource.plugin.reference(&inner),
            )));
        }
    };
    scope::attribute_of(&inner, &attribute, path).map(Attribute::at_path)
}
