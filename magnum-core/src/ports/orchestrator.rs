//! The orchestrator port: stacks.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Auth;
use crate::Result;
use crate::model::{Action, Phase};

/// Makes, changes, removes and reports stacks.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | `create` under a name that exists MUST fail with `Conflict` and change nothing | yes |
/// | `create` MUST carry the tags, and `get` and `find` MUST return them | yes |
/// | `update` MUST keep the stack's template and every parameter that is not named | yes |
/// | `update` MUST replace the tags | yes |
/// | `delete` of a stack that is gone MUST return `Ok` | yes |
/// | `get` of a deleted stack MUST return `None`, also while the service still knows its id | yes |
/// | `get` MUST return the outputs that have a value | yes |
/// | Reading MUST change nothing | yes |
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Orchestrator: fmt::Debug + Send + Sync + 'static {
    /// Starts making a stack and returns it as soon as the service has accepted it.
    async fn create(&self, auth: &Auth, stack: StackCreate) -> Result<StackRef>;

    /// Starts changing parameters of a stack on its existing template.
    async fn update(&self, auth: &Auth, stack: &StackRef, change: StackUpdate) -> Result<()>;

    /// Starts removing a stack.
    async fn delete(&self, auth: &Auth, stack: &StackRef) -> Result<()>;

    /// The stack of this name, if there is one.
    async fn find(&self, auth: &Auth, name: &str) -> Result<Option<Stack>>;

    /// The stack, with its outputs, unless it is gone.
    async fn get(&self, auth: &Auth, stack: &StackRef) -> Result<Option<Stack>>;

    /// The project's stacks that carry a tag; all of them without one. Outputs are left out.
    async fn list(&self, auth: &Auth, tag: Option<String>) -> Result<Vec<Stack>>;

    /// The stack's resources, down to `nested_depth` levels of nested stacks.
    async fn resources(&self, auth: &Auth, stack: &StackRef, nested_depth: u32)
    -> Result<Vec<StackResource>>;

    /// One resource of the stack with its attributes, if it is there.
    async fn resource(&self, auth: &Auth, stack: &StackRef, name: &str) -> Result<Option<StackResource>>;

    /// What happened in the stack, oldest first, nested stacks included.
    async fn events(&self, auth: &Auth, stack: &StackRef) -> Result<Vec<StackEvent>>;

    /// Checks a template; a refusal is [`crate::ErrorKind::InvalidInput`].
    async fn validate(&self, auth: &Auth, template: StackTemplate) -> Result<()>;

    /// The resources that `create` would make.
    async fn preview(&self, auth: &Auth, stack: StackCreate) -> Result<Vec<PreviewResource>>;
}

/// A stack by name and id, as its service wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StackRef {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
}

/// A template with the files that it refers to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StackTemplate {
    /// The top template's text.
    pub template: String,
    /// Nested templates and files by the name that they are referred to.
    pub files: BTreeMap<String, String>,
}

/// Parameters of a stack.
pub type Parameters = BTreeMap<String, Value>;

/// A stack to make. `Debug` leaves the parameters' values out: secrets are among them.
#[derive(Clone, PartialEq)]
pub struct StackCreate {
    /// Its name, unique in the project.
    pub name: String,
    /// What to make it from.
    pub template: StackTemplate,
    /// The template's parameters.
    pub parameters: Parameters,
    /// After which time the service gives up, rounded up to minutes.
    pub timeout: Duration,
    /// Its tags.
    pub tags: Vec<String>,
}

/// A change of a stack on its existing template. `Debug` leaves the parameters' values out: secrets are among them.
#[derive(Clone, PartialEq)]
pub struct StackUpdate {
    /// The parameters to set; all others keep their values.
    pub parameters: Parameters,
    /// After which time the service gives up, rounded up to minutes.
    pub timeout: Duration,
    /// Its tags from now on.
    pub tags: Vec<String>,
}

impl fmt::Debug for StackCreate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackCreate")
            .field("name", &self.name)
            .field("parameters", &self.parameters.keys())
            .field("timeout", &self.timeout)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StackUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackUpdate")
            .field("parameters", &self.parameters.keys())
            .field("timeout", &self.timeout)
            .field("tags", &self.tags)
            .finish()
    }
}

/// A stack as its service reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// Its name and id.
    pub stack: StackRef,
    /// What is, or was last, done with it; `None` for an action that the library does not know.
    pub action: Option<Action>,
    /// How far that is.
    pub phase: Phase,
    /// Why, in the service's words.
    pub reason: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its parameters as the service prints them; hidden ones are masked.
    pub parameters: BTreeMap<String, String>,
    /// Outputs that have a value.
    pub outputs: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackResource {
    /// The stack that it is in: the one asked about, or one nested in it.
    pub stack: StackRef,
    /// Its name in its template.
    pub name: String,
    /// Its type, for example `OS::Nova::Server`.
    pub kind: String,
    /// The id of what it stands for; empty before that exists.
    pub physical_id: String,
    /// What is, or was last, done with it.
    pub action: Option<Action>,
    /// How far that is; `None` before it was begun.
    pub phase: Option<Phase>,
    /// Why, in the service's words.
    pub reason: String,
    /// The resource of the parent stack that it is nested in.
    pub parent: Option<String>,
    /// Its attributes, where one resource was asked for.
    pub attributes: BTreeMap<String, Value>,
}

/// Something that happened in a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackEvent {
    /// When.
    pub at: Option<Timestamp>,
    /// To which resource; the stack's own name for the stack itself.
    pub resource: String,
    /// The status then, for example `CREATE_FAILED`.
    pub status: String,
    /// Why, in the service's words.
    pub reason: String,
}

/// A resource that would be made.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviewResource {
    /// Its name in its template.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its properties after evaluation.
    pub properties: BTreeMap<String, Value>,
}
