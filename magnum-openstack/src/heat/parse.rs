//! Heat's answers, without I/O.

use std::collections::BTreeMap;

use jiff::Timestamp;
use magnum_core::{
    Action, Error, ErrorKind, Phase, PreviewResource, Result, Stack, StackEvent, StackRef, StackResource,
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use super::wording::status;
use crate::Answer;

/// A page of a list.
pub(super) struct Page {
    /// The stacks that are there.
    pub(super) stacks: Vec<Stack>,
    /// How many entries the page had.
    pub(super) listed: usize,
}

pub(super) fn created(answer: &Answer, name: &str) -> Result<StackRef> {
    #[derive(Deserialize)]
    struct Body {
        stack: Id,
    }
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    let body: Body = answer.json()?;
    Ok(StackRef {
        name: name.to_owned(),
        id: body.stack.id,
    })
}

/// `None` for a stack that Heat only remembers.
pub(super) fn stack(answer: &Answer) -> Result<Option<Stack>> {
    #[derive(Deserialize)]
    struct Body {
        stack: StackBody,
    }
    let body: Body = answer.json()?;
    Ok(body.stack.into_stack())
}

pub(super) fn page(answer: &Answer) -> Result<Page> {
    #[derive(Deserialize)]
    struct Body {
        stacks: Vec<StackBody>,
    }
    let body: Body = answer.json()?;
    let listed = body.stacks.len();
    let stacks = body
        .stacks
        .into_iter()
        .filter_map(StackBody::into_stack)
        .collect();
    Ok(Page { stacks, listed })
}

/// Whether a list has the stack of this id, in whatever state.
pub(super) fn lists(answer: &Answer, id: &str) -> Result<bool> {
    #[derive(Deserialize)]
    struct Body {
        stacks: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        id: String,
    }
    let body: Body = answer.json()?;
    Ok(body.stacks.iter().any(|listed| listed.id == id))
}

/// A stack whose resources are gone, and that Heat has not done with.
pub(super) fn leaving(stack: &StackRef) -> Stack {
    Stack {
        stack: stack.clone(),
        action: Some(Action::Delete),
        phase: Phase::InProgress,
        reason: "Heat gives back what it made for the stack itself".to_owned(),
        tags: Vec::new(),
        parameters: std::collections::BTreeMap::new(),
        outputs: std::collections::BTreeMap::new(),
        created_at: None,
        updated_at: None,
    }
}

pub(super) fn resources(answer: &Answer, asked: &StackRef) -> Result<Vec<StackResource>> {
    #[derive(Deserialize)]
    struct Body {
        resources: Vec<ResourceBody>,
    }
    let body: Body = answer.json()?;
    Ok(body
        .resources
        .into_iter()
        .map(|resource| resource.into_resource(asked))
        .collect())
}

pub(super) fn resource(answer: &Answer, asked: &StackRef) -> Result<StackResource> {
    #[derive(Deserialize)]
    struct Body {
        resource: ResourceBody,
    }
    let body: Body = answer.json()?;
    Ok(body.resource.into_resource(asked))
}

pub(super) fn events(answer: &Answer) -> Result<Vec<StackEvent>> {
    // heat/api/openstack/v1/events.py, release 19 (Zed): summary_keys
    #[derive(Deserialize)]
    struct Body {
        events: Vec<EventBody>,
    }
    #[derive(Deserialize)]
    struct EventBody {
        event_time: Option<String>,
        #[serde(default)]
        resource_name: Option<String>,
        #[serde(default)]
        resource_status: Option<String>,
        #[serde(default)]
        resource_status_reason: Option<String>,
    }
    let body: Body = answer.json()?;
    let mut events: Vec<_> = body
        .events
        .into_iter()
        .map(|event| StackEvent {
            at: event.event_time.as_deref().and_then(time),
            resource: event.resource_name.unwrap_or_default(),
            status: event.resource_status.unwrap_or_default(),
            reason: event.resource_status_reason.unwrap_or_default(),
        })
        .collect();
    // Heat's times are whole seconds: within one, its own order is the better one.
    events.sort_by_key(|event| event.at);
    Ok(events)
}

/// Older releases answer a refusal with 200.
pub(super) fn validated(answer: &Answer) -> Result<()> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "Error")]
        error: Option<String>,
    }
    let body: Body = answer.json()?;
    match body.error {
        None => Ok(()),
        Some(text) => {
            let text = crate::fault::one_line(&text, std::iter::empty());
            Err(Error::new(ErrorKind::InvalidInput, format!("Heat: {text}"))
                .at("heat", "template.validate")
                .with_request_id(answer.request_id()))
        }
    }
}

pub(super) fn previewed(answer: &Answer) -> Result<Vec<PreviewResource>> {
    #[derive(Deserialize)]
    struct Body {
        stack: Resources,
    }
    #[derive(Deserialize)]
    struct Resources {
        #[serde(default)]
        resources: Vec<Value>,
    }
    let body: Body = answer.json()?;
    let mut out = Vec::new();
    flatten(body.stack.resources, &mut out);
    Ok(out)
}

/// A nested stack is a list within the list (heat/engine/stack.py `preview_resources`, release 19).
fn flatten(resources: Vec<Value>, out: &mut Vec<PreviewResource>) {
    for resource in resources {
        match resource {
            Value::Array(nested) => flatten(nested, out),
            Value::Object(mut fields) => {
                let mut text = |key: &str| match fields.remove(key) {
                    Some(Value::String(text)) => text,
                    _ => String::new(),
                };
                let (name, kind) = (text("resource_name"), text("resource_type"));
                let properties = match fields.remove("properties") {
                    Some(Value::Object(properties)) => properties.into_iter().collect(),
                    _ => BTreeMap::new(),
                };
                out.push(PreviewResource {
                    name,
                    kind,
                    properties,
                });
            }
            _ => {}
        }
    }
}

// heat/api/openstack/v1/views/stacks_view.py and heat/engine/api.py `format_stack`, release 19 (Zed)
#[derive(Deserialize)]
struct StackBody {
    id: String,
    stack_name: String,
    stack_status: String,
    stack_status_reason: Option<String>,
    tags: Option<Vec<String>>,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    #[serde(default)]
    outputs: Vec<OutputBody>,
    creation_time: Option<String>,
    updated_time: Option<String>,
}

#[derive(Deserialize)]
struct OutputBody {
    output_key: String,
    output_value: Option<Value>,
}

impl StackBody {
    fn into_stack(self) -> Option<Stack> {
        let (action, phase) = status(&self.stack_status);
        if (action, phase) == (Some(Action::Delete), Some(Phase::Complete)) {
            return None;
        }
        Some(Stack {
            stack: StackRef {
                name: self.stack_name,
                id: self.id,
            },
            action,
            // What was not begun, or is said in words that are new, is not at its end.
            phase: phase.unwrap_or(Phase::InProgress),
            reason: self.stack_status_reason.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            parameters: self
                .parameters
                .into_iter()
                .map(|(key, value)| (key, printed(value)))
                .collect(),
            outputs: self
                .outputs
                .into_iter()
                .filter_map(|output| Some((output.output_key, output.output_value?)))
                .collect(),
            created_at: self.creation_time.as_deref().and_then(time),
            updated_at: self.updated_time.as_deref().and_then(time),
        })
    }
}

// heat/api/openstack/v1/resources.py and heat/engine/api.py `format_stack_resource`, release 19 (Zed)
#[derive(Deserialize)]
struct ResourceBody {
    resource_name: String,
    #[serde(default)]
    resource_type: Option<String>,
    #[serde(default)]
    resource_status: Option<String>,
    #[serde(default)]
    resource_status_reason: Option<String>,
    #[serde(default)]
    physical_resource_id: Option<String>,
    #[serde(default)]
    parent_resource: Option<String>,
    #[serde(default)]
    links: Vec<Link>,
    #[serde(default)]
    attributes: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    rel: String,
    #[serde(default)]
    href: String,
}

impl ResourceBody {
    fn into_resource(self, asked: &StackRef) -> StackResource {
        let (action, phase) = status(self.resource_status.as_deref().unwrap_or_default());
        let own = self.links.iter().find(|link| link.rel == "stack");
        StackResource {
            stack: own
                .and_then(|link| linked(&link.href))
                .unwrap_or_else(|| asked.clone()),
            name: self.resource_name,
            kind: self.resource_type.unwrap_or_default(),
            physical_id: self.physical_resource_id.unwrap_or_default(),
            action,
            phase,
            reason: self.resource_status_reason.unwrap_or_default(),
            parent: self.parent_resource.filter(|parent| !parent.is_empty()),
            attributes: self.attributes.unwrap_or_default(),
        }
    }
}

/// The stack that a link leads to: `http://…/stacks/NAME/ID`, whatever comes before.
fn linked(href: &str) -> Option<StackRef> {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.rsplit('/');
    let (id, name, stacks) = (parts.next()?, parts.next()?, parts.next()?);
    if stacks != "stacks" || id.is_empty() || name.is_empty() {
        return None;
    }
    let plain = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .ok()
            .map(|text| text.into_owned())
    };
    Some(StackRef {
        name: plain(name)?,
        id: plain(id)?,
    })
}

/// A parameter as text: strings as they are, all else as JSON.
fn printed(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Heat's times end in `Z`; very old releases leave it out.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}
