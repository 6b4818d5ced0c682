//! What a request asks for: stacks by path, sources and options by body.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use bytes::Bytes;
use http::request::Parts;
use serde_json::{Map, Value};

use super::super::stack::{Source, Stack};
use super::refusal::{Refusal, bad_request};
use crate::sim::World;
use crate::sim::cloud::SimCloud;
use crate::sim::heat::engine::load::no_stack;
use crate::sim::hot::{Environment, ErrorKind, HeatError, Node, Template, parse_bool, parse_template};
use crate::sim::world::identity::Caller;

/// Query parameters in order, several of a name kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// The last value of a parameter; an empty one is none.
    pub(super) fn one(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(k, v)| k == key && !v.is_empty())
            .map(|(_, v)| v.as_str())
    }

    /// Every value of a parameter.
    pub(super) fn all(&self, key: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(k, v)| k == key && !v.is_empty())
            .map(|(_, v)| v.as_str())
            .collect()
    }

    /// A truth; nothing means `default`.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, Refusal> {
        self.one(key).map_or(Ok(default), |text| {
            parse_bool(&Value::from(text)).map_err(|_| {
                bad_request(format!(
                    "Unrecognized value \"{text}\" for \"{key}\", acceptable values are: true, false"
                ))
            })
        })
    }

    /// A number that is not negative.
    pub(super) fn number(&self, key: &str) -> Result<Option<usize>, Refusal> {
        self.one(key)
            .map(|text| {
                text.parse()
                    .map_err(|_| bad_request(format!("Only integer is allowed by \"{key}\": {text}")))
            })
            .transpose()
    }

    /// The query as text, to be passed on.
    pub(super) fn text(&self) -> String {
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(&self.0);
        out.finish()
    }
}

impl FromRequestParts<SimCloud> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &SimCloud) -> Result<Self, Self::Rejection> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Self(
            pairs.map(|(k, v)| (k.into_owned(), v.into_owned())).collect(),
        ))
    }
}

/// Refuses a caller of another project.
pub(super) fn check_project(caller: &Caller, project: &str) -> Result<(), Refusal> {
    if caller.project() == project || caller.is_admin() {
        return Ok(());
    }
    Err(HeatError::new(ErrorKind::Forbidden, "Access was denied to this resource.").into())
}

/// The stack that a path names in full, deleted ones included.
pub(super) fn stack_at<'a>(
    world: &'a World,
    project: &str,
    name: &str,
    id: &str,
) -> Result<&'a Stack, Refusal> {
    let mine = |s: &&Stack| s.owner.project_id == project || s.user_project.as_deref() == Some(project);
    let found = world.heat.stacks.get(id).filter(mine).filter(|s| s.name == name);
    found.ok_or_else(|| no_stack(name).into())
}

/// The stack that a path names in full, if it is not deleted.
pub(super) fn live_stack_at<'a>(
    world: &'a World,
    project: &str,
    name: &str,
    id: &str,
) -> Result<&'a Stack, Refusal> {
    let stack = stack_at(world, project, name, id)?;
    if stack.is_deleted() {
        Err(no_stack(name).into())
    } else {
        Ok(stack)
    }
}

/// A body that asks for a stack.
#[derive(Clone, Debug)]
pub(super) struct Body(pub(super) Node);

impl Body {
    /// Reads a body.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, Refusal> {
        if bytes.is_empty() {
            return Ok(Self(Node::Map(Vec::new())));
        }
        match serde_json::from_slice::<Node>(bytes) {
            Ok(node @ Node::Map(_)) => Ok(Self(node)),
            Ok(_) => Err(bad_request("Invalid request body: not a JSON object")),
            Err(error) => Err(bad_request(format!("JSON cannot be parsed: {error}"))),
        }
    }

    fn given(&self, key: &str) -> Option<&Node> {
        self.0.get(key).filter(|n| **n != Node::Null)
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.given(key).and_then(Node::as_str).map(str::to_owned)
    }

    /// The template, if one was sent.
    pub(super) fn template(&self) -> Result<Option<Template>, Refusal> {
        let node = match self.given("template") {
            None => {
                if self.given("template_url").is_some() {
                    return Err(bad_request(
                        "Could not retrieve template: templates are not fetched from URLs here",
                    ));
                }
                return Ok(None);
            }
            Some(Node::Text(text)) => parse_template(text).map_err(|e| HeatError {
                text: format!("Template not in valid format: {}", e.text),
                ..e
            })?,
            Some(node) => node.clone(),
        };
        Ok(Some(Template::new(node)?))
    }

    /// The files sent with the template.
    pub(super) fn files(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut files = BTreeMap::new();
        for (name, content) in self.given("files").and_then(Node::as_map).unwrap_or_default() {
            let text = match content {
                Node::Text(text) => text.clone(),
                // A file that is JSON may come as it is.
                other => other.to_value().to_string(),
            };
            files.insert(name.clone(), text);
        }
        Ok(files)
    }

    /// The environment, with the parameters and the environment files laid over it.
    pub(super) fn environment(&self, files: &BTreeMap<String, String>) -> Result<Environment, Refusal> {
        let names: Vec<String> = self
            .given("environment_files")
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_str)
            .map(str::to_owned)
            .collect();
        let mut environment = match self.given("environment") {
            // What the files say is the whole environment then.
            Some(node) if names.is_empty() => Environment::read(node)?,
            _ => Environment::default(),
        };
        if let Some(Value::Object(parameters)) = self.given("parameters").map(Node::to_value) {
            environment.parameters.extend(parameters);
        }
        environment.merge_files(&names, files)?;
        Ok(environment)
    }

    /// What a new stack is made from.
    pub(super) fn source(&self) -> Result<Source, Refusal> {
        let template = self
            .template()?
            .ok_or_else(|| bad_request("No template specified"))?;
        let files = self.files()?;
        let environment = self.environment(&files)?;
        Ok(Source {
            template,
            files: Arc::new(files),
            environment,
        })
    }

    /// Minutes until the operation has failed.
    pub(super) fn timeout(&self) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.given("timeout_mins").map(Node::to_value) else {
            return Ok(None);
        };
        let minutes = match &value {
            Value::Number(n) => n.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match minutes {
            Some(minutes) if minutes > 0 => Ok(u64::try_from(minutes).ok()),
            Some(minutes) => Err(bad_request(format!("Invalid timeout value {minutes}"))),
            None => Err(bad_request(format!(
                "Only integer is allowed by \"timeout_mins\": {value}"
            ))),
        }
    }

    /// A truth.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.given(key).map(Node::to_value) else {
            return Ok(None);
        };
        parse_bool(&value).map(Some).map_err(|_| {
            bad_request(format!(
                "Unrecognized value \"{value}\" for \"{key}\", acceptable values are: true, false"
            ))
        })
    }

    /// The tags, if any were sent.
    pub(super) fn tags(&self) -> Result<Option<Vec<String>>, Refusal> {
        let tags: Vec<String> = match self.given("tags") {
            None => return Ok(None),
            Some(Node::Text(text)) => text
                .split(',')
                .map(|t| t.trim().to_owned())
                .filter(|t| !t.is_empty())
                .collect(),
            Some(Node::List(items)) => items.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
            Some(_) => return Err(bad_request("Invalid tags, not a list")),
        };
        if let Some(long) = tags.iter().find(|t| t.chars().count() > 80) {
            return Err(bad_request(format!(
                "Invalid tag, \"{long}\" is longer than 80 characters"
            )));
        }
        Ok(Some(tags))
    }

    /// The parameters that a change takes back.
    pub(super) fn cleared(&self) -> Vec<String> {
        self.given("clear_parameters")
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_str)
            .map(str::to_owned)
            .collect()
    }
}

/// The source of a stack with a change laid over it.
pub(super) fn patched(stack: &Stack, body: &Body) -> Result<Source, Refusal> {
    let old = &stack.loaded.source;
    let template = match body.template()? {
        Some(template) => template,
        None => old.template.clone(),
    };
    let mut files = (*old.files).clone();
    files.extend(body.files()?);
    let mut environment = old.environment.clone();
    let cleared = body.cleared();
    environment.parameters.retain(|key, _| !cleared.contains(key));
    environment.merge(body.environment(&files)?);
    // What the template does not know is dropped, not refused.
    let known = template.schemas()?;
    let kept: Map<String, Value> = std::mem::take(&mut environment.parameters)
        .into_iter()
        .filter(|(key, _)| known.iter().any(|(name, _)| name == key))
        .collect();
    environment.parameters = kept;
    Ok(Source {
        template,
        files: Arc::new(files),
        environment,
    })
}
