//! What Heat keeps: stacks, their resources and their events.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::engine::traversal::Traversal;
use super::plugin::PluginRef;
use crate::sim::hot::{Definition, Environment, HeatError, Output, ParameterValues, Template};

/// What is being done to a stack or a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Init,
    Create,
    Update,
    Rollback,
    Delete,
    Check,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "INIT",
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Rollback => "ROLLBACK",
            Self::Delete => "DELETE",
            Self::Check => "CHECK",
        })
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    InProgress,
    Complete,
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Complete => "COMPLETE",
            Self::Failed => "FAILED",
        })
    }
}

/// Identifies an instance of a resource in its stack; a replacement has a key of its own.
pub(crate) type Key = u64;

/// An instance of a resource.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) key: Key,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) definition: Definition,
    pub(crate) plugin: PluginRef,
    pub(crate) action: Action,
    pub(crate) status: Status,
    pub(crate) reason: String,
    /// The identifier of the thing outside.
    pub(crate) physical_id: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    /// What the plug-in keeps.
    pub(crate) data: BTreeMap<String, Value>,
    pub(crate) metadata: Value,
    /// The properties as they were last applied.
    pub(crate) properties: Map<String, Value>,
    /// Instances that this one was last made from.
    pub(crate) requires: BTreeSet<Key>,
    pub(crate) replaced_by: Option<Key>,
    /// The work under way.
    pub(crate) task: Option<Task>,
}

impl Resource {
    /// Whether it is in this state.
    pub(crate) fn is(&self, action: Action, status: Status) -> bool {
        self.action == action && self.status == status
    }

    /// What the plug-in kept under `key`, if it is text.
    pub(crate) fn data_text(&self, key: &str) -> Option<&str> {
        self.data.get(key).and_then(Value::as_str)
    }
}

/// Work under way on a resource.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) action: Action,
    pub(crate) started_at: Timestamp,
    /// Distinguishes this task from earlier ones in the queue of events.
    pub(crate) id: u64,
    /// Whether the plug-in was called already; a failure injected at the start ends the task without it.
    pub(crate) begun: bool,
}

/// What a resource becomes by an update.
#[derive(Clone, Debug)]
pub(crate) struct After {
    pub(crate) definition: Definition,
    pub(crate) properties: Map<String, Value>,
    pub(crate) changed: Vec<String>,
}

/// One entry of a stack's history.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// Orders events of one moment across stacks.
    pub(crate) sequence: u64,
    pub(crate) resource_name: String,
    pub(crate) physical_id: Option<String>,
    pub(crate) action: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) resource_type: String,
    pub(crate) properties: Map<String, Value>,
}

/// What a stack is made from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) template: Template,
    /// Shared by a stack and the stacks nested in it.
    pub(crate) files: Arc<BTreeMap<String, String>>,
    pub(crate) environment: Environment,
}

/// A source with its parameters bound.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) source: Source,
    pub(crate) parameters: ParameterValues,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) outputs: Vec<Output>,
    /// By resource: its type, or why it has none.
    pub(crate) plugins: BTreeMap<String, Result<PluginRef, HeatError>>,
    /// By resource: what must be there before it.
    pub(crate) requirements: BTreeMap<String, BTreeSet<String>>,
}

impl Loaded {
    /// The definition of a resource.
    pub(crate) fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|d| d.name == name)
    }
}

/// Who owns a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) project_id: String,
    pub(crate) user_id: String,
    pub(crate) user_name: String,
}

/// A stack.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: Owner,
    /// The stack this one is nested in, and the resource there that stands for it.
    pub(crate) parent: Option<(String, Key, String)>,
    pub(crate) depth: usize,
    pub(crate) loaded: Loaded,
    /// What a rollback goes back to.
    pub(crate) previous: Option<Source>,
    pub(crate) resources: BTreeMap<Key, Resource>,
    pub(crate) action: Action,
    pub(crate) status: Status,
    pub(crate) reason: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) timeout_mins: Option<u64>,
    pub(crate) disable_rollback: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) events: Vec<Event>,
    pub(crate) traversal: Option<Traversal>,
    /// The project of the stack's own users, in Heat's domain.
    pub(crate) user_project: Option<String>,
    /// The trust that Heat made for itself.
    pub(crate) trust_id: Option<String>,
}

impl Stack {
    /// `arn:openstack:heat::<project>:stacks/<name>/<id>`.
    pub(crate) fn arn(&self) -> String {
        format!(
            "arn:openstack:heat::{}:stacks/{}/{}",
            self.owner.project_id, self.name, self.id
        )
    }

    /// The instance that stands for `name` now: the newest that was not replaced.
    pub(crate) fn current(&self, name: &str) -> Option<&Resource> {
        self.resources
            .values()
            .rfind(|r| r.name == name && r.replaced_by.is_none())
    }

    /// The instances that stand for the names of the template, in key order.
    pub(crate) fn shown_resources(&self) -> Vec<&Resource> {
        let mut shown: Vec<&Resource> = Vec::new();
        for resource in self.resources.values() {
            if self
                .current(&resource.name)
                .is_some_and(|c| c.key == resource.key)
            {
                shown.push(resource);
            }
        }
        shown
    }

    /// Whether the stack is gone; it can still be shown by its identifier.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }
}
