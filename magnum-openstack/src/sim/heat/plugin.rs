//! What a resource type is: the one interface that every type implements, one file each.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::schema::Prop;
use super::stack::{Resource, Source, Stack};
use crate::sim::hot::{Definition, HeatError};
use crate::sim::{ApiResult, World};

/// A shared plug-in.
pub(crate) type PluginRef = Arc<dyn Plugin>;

/// Why an operation on a resource failed: the error's name, then where, then the message.
pub(crate) type Failure = HeatError;

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Done.
    Done,
    /// Look again at this time.
    Until(Timestamp),
    /// Look again when something happens: a signal, or the end of a nested stack's operation.
    Waiting,
}

/// How an update begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// In place.
    InPlace(Step),
    /// By a new resource.
    Replace,
}

/// The resource an operation is about, and the world it is in.
pub(crate) struct Operation<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) stack_id: String,
    pub(crate) key: u64,
}

impl Operation<'_> {
    /// The stack.
    ///
    /// # Errors
    /// When it vanished.
    pub(crate) fn stack(&self) -> Result<&Stack, Failure> {
        self.world
            .heat
            .stacks
            .get(&self.stack_id)
            .ok_or_else(|| failure("NotFound", "The stack vanished."))
    }

    /// The resource.
    ///
    /// # Errors
    /// When it vanished.
    pub(crate) fn resource(&self) -> Result<&Resource, Failure> {
        self.stack()?
            .resources
            .get(&self.key)
            .ok_or_else(|| failure("NotFound", "The resource vanished."))
    }

    /// Changes the resource.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Resource)) {
        if let Some(resource) = self
            .world
            .heat
            .stacks
            .get_mut(&self.stack_id)
            .and_then(|s| s.resources.get_mut(&self.key))
        {
            change(resource);
        }
    }

    /// Records the identifier of the thing outside.
    pub(crate) fn set_physical_id(&mut self, id: impl Into<String>) {
        let id = id.into();
        self.change(|r| r.physical_id = Some(id));
    }

    /// Keeps something for the plug-in.
    pub(crate) fn keep(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        self.change(|r| {
            r.data.insert(key.to_owned(), value);
        });
    }

    /// The project that owns the stack.
    pub(crate) fn project(&self) -> Result<String, Failure> {
        Ok(self.stack()?.owner.project_id.clone())
    }

    /// The identifier of the thing outside, if there is one.
    pub(crate) fn physical_id(&self) -> Result<Option<String>, Failure> {
        Ok(self.resource()?.physical_id.clone())
    }

    /// The properties that the operation applies.
    pub(crate) fn properties(&self) -> Result<Map<String, Value>, Failure> {
        Ok(self.resource()?.properties.clone())
    }

    /// The name of a thing outside whose template gives it none: stack, resource and a random end.
    pub(crate) fn physical_name(&mut self) -> Result<String, Failure> {
        if let Some(name) = self.resource()?.data_text("physical_name") {
            return Ok(name.to_owned());
        }
        let stack = self.stack()?.name.clone();
        let name = self.resource()?.name.clone();
        // Not drawn from the stream of chances: names decide how long things take, and must not depend on
        // how many requests came in between.
        let key = self.key.to_string();
        let seed = self.world.seed_mut();
        let bits = |part: &str| {
            let fraction = seed.fraction_of(&["name", part, &stack, &name, &key]);
            // A fraction has 53 good bits; thirty of each make the sixty that are needed.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let bits = (fraction * f64::from(1_u32 << 30)) as u64;
            bits
        };
        let tail = short_id(bits("high") << 30 | bits("low"));
        let full = format!("{stack}-{name}-{tail}");
        self.keep("physical_name", full.clone());
        Ok(full)
    }
}

/// Twelve letters and digits, as names made by the service end in.
pub(crate) fn short_id(mut bits: u64) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut out = String::new();
    for _ in 0..12 {
        out.push(char::from(
            LETTERS[usize::try_from(bits & 31).unwrap_or_default()],
        ));
        bits >>= 5;
    }
    out
}

/// The resource an attribute is asked of.
pub(crate) struct View<'a> {
    pub(crate) world: &'a World,
    pub(crate) stack: &'a Stack,
    pub(crate) resource: &'a Resource,
}

impl<'a> View<'a> {
    /// What the resource made, if it is there.
    pub(crate) fn found<T>(&self, find: impl FnOnce(&'a World, &str) -> ApiResult<&'a T>) -> Option<&'a T> {
        find(self.world, self.resource.physical_id.as_ref()?).ok()
    }
}

/// A resource type.
pub(crate) trait Plugin: fmt::Debug + Send + Sync {
    /// The type, as the service has it; a resource whose type becomes another kind is replaced.
    fn kind(&self) -> &'static str;

    /// The properties it takes.
    fn properties(&self) -> Vec<Prop>;

    /// The names of its attributes, without those every resource has.
    fn attributes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether any attribute and property is welcome.
    fn is_open(&self) -> bool {
        false
    }

    /// Dependencies on other resources of the template that follow from what they are.
    fn implied_requirements(&self, _own: &Definition, _others: &[Definition]) -> Vec<String> {
        Vec::new()
    }

    /// Checks beyond the schema, with everything resolved that can be.
    fn validate(&self, _properties: &Map<String, Value>) -> Result<(), HeatError> {
        Ok(())
    }

    /// Begins to create the thing.
    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure>;

    /// Looks whether the thing is there.
    fn poll_create(&self, _op: &mut Operation<'_>) -> Result<Step, Failure> {
        Ok(Step::Done)
    }

    /// Whether this change of an updatable property needs a replacement after all.
    fn needs_replacement(&self, _before: &Map<String, Value>, _after: &Map<String, Value>) -> bool {
        false
    }

    /// Whether a failed instance must be replaced rather than updated.
    fn replaced_when_failed(&self, _view: &View<'_>) -> bool {
        true
    }

    /// Lets go of what a replacement needs.
    fn before_replacement(&self, _op: &mut Operation<'_>) {}

    /// Whether an update always reaches the thing, changed or not.
    fn always_updates(&self, _view: &View<'_>) -> bool {
        false
    }

    /// Begins to change the thing; the resource has its new properties already.
    fn update(
        &self,
        _op: &mut Operation<'_>,
        _before: &Map<String, Value>,
        _changed: &[String],
    ) -> Result<Update, Failure> {
        Ok(Update::InPlace(Step::Done))
    }

    /// Looks whether the change is there.
    fn poll_update(&self, _op: &mut Operation<'_>) -> Result<Step, Failure> {
        Ok(Step::Done)
    }

    /// Begins to delete the thing. That it is gone already is success.
    fn delete(&self, _op: &mut Operation<'_>) -> Result<Step, Failure> {
        Ok(Step::Done)
    }

    /// Looks whether the thing is gone.
    fn poll_delete(&self, _op: &mut Operation<'_>) -> Result<Step, Failure> {
        Ok(Step::Done)
    }

    /// The work is taken away while it runs: the stack is being deleted, or its time is up.
    fn cancel(&self, _op: &mut Operation<'_>) {}

    /// An attribute; the part of `path` that is not used comes back with it.
    fn attribute(&self, _view: &View<'_>, _name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        Ok(Attribute::whole(Value::Null))
    }

    /// What `get_resource` gives.
    fn reference(&self, view: &View<'_>) -> String {
        view.resource
            .physical_id
            .clone()
            .unwrap_or_else(|| view.resource.name.clone())
    }

    /// What the stack nested in a resource of this name would be made from.
    fn nested_source(
        &self,
        _stack: &Stack,
        _name: &str,
        _properties: &Map<String, Value>,
    ) -> Option<Result<Source, HeatError>> {
        None
    }

    /// The same in a preview, where much has no value yet.
    fn previewed_source(
        &self,
        stack: &Stack,
        name: &str,
        properties: &Map<String, Value>,
    ) -> Option<Result<Source, HeatError>> {
        self.nested_source(stack, name, properties)
    }

    /// What stands for the nested template in messages.
    fn template_url(&self) -> String {
        "nested_stack".to_owned()
    }

    /// The identifier of the stack nested in the resource.
    fn nested_stack(&self, _view: &View<'_>) -> Option<String> {
        None
    }

    /// Takes a signal; gives the text of the event, or nothing when the type takes none.
    fn signal(&self, _op: &mut Operation<'_>, _details: &Value) -> Option<Result<String, HeatError>> {
        None
    }

    /// Whether an injected failure shows in the thing that it makes or changes; else the work fails at once.
    fn fails_itself(&self) -> bool {
        false
    }

    /// How long it takes is decided by this name of the time model, if not by the plug-in.
    fn takes_time(&self) -> bool {
        true
    }
}

/// An attribute's value, and whether the path was used up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) value: Value,
    pub(crate) path_used: bool,
}

impl Attribute {
    /// The whole attribute; the path is still to be followed.
    pub(crate) fn whole(value: Value) -> Self {
        Self {
            value,
            path_used: false,
        }
    }

    /// What the path leads to.
    pub(crate) fn at_path(value: Value) -> Self {
        Self {
            value,
            path_used: true,
        }
    }
}

/// A failure with a name and a message; where it happened is added by the engine.
pub(crate) fn failure(name: &str, message: impl Into<String>) -> Failure {
    HeatError::validation(message).with_origin(name)
}
