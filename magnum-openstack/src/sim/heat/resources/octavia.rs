//! The life that all parts of a load balancer have: tried again while the load balancer is immutable, done when
//! they are ACTIVE.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::text;
use super::volume::{in_error, soon};
use crate::sim::heat::engine::nested;
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::heat::stack::Stack;
use crate::sim::hot::{ErrorKind, HeatError};
use crate::sim::load_balancer_api::views::show_part;
use crate::sim::world::World;
use crate::sim::world::identity::Target;
use crate::sim::world::load_balancing::{PartKind, PartSpec};
use crate::sim::{ApiFault, ApiResult};

/// Octavia's default policy wants a role of its own of the stack's owner, which the stack's trust passes on.
pub(super) fn may(op: &mut Operation<'_>) -> Result<(), Failure> {
    if has_role(op.world, op.stack()?) {
        return Ok(());
    }
    Err(op.octavia(&ApiFault::forbidden(
        "Policy does not allow this request to be performed.",
    )))
}

fn has_role(world: &World, stack: &Stack) -> bool {
    let target = Target::Project(stack.owner.project_id.clone());
    let mut roles = world.effective_roles(&stack.owner.user_id, &target);
    let root = nested::root_of(world, &stack.id);
    let trust = world
        .heat
        .stacks
        .get(&root)
        .and_then(|root| root.trust_id.as_ref())
        .and_then(|id| world.identity.trusts().find(|trust| trust.id == *id));
    if let Some(trust) = trust {
        roles.retain(|role| trust.role_ids.contains(role));
    }
    world
        .roles_by_id(&roles)
        .iter()
        .any(|role| role.name == "load-balancer_member" || role.name == "admin")
}

/// When to try again what a load balancer refused: when it is no longer busy, or in a while if it was refused
/// for another reason.
fn again(world: &World, balancer: Option<&str>) -> Step {
    let busy = balancer
        .and_then(|id| world.find_load_balancer(id).ok())
        .map(|balancer| balancer.busy_until)
        .filter(|until| *until > world.now());
    Step::Until(busy.unwrap_or_else(|| soon(world)))
}

/// The load balancer that something is, or is a part of.
fn balancer_of(world: &World, id: &str) -> Option<String> {
    match world.find_load_balancer_part(id) {
        Ok(part) => Some(part.load_balancer_id.clone()),
        Err(_) => world.find_load_balancer(id).ok().map(|b| b.id.clone()),
    }
}

/// Remembers the failure that is injected for this attempt to create or change.
fn ask_for_failure(op: &mut Operation<'_>, kind: PartKind) -> Result<(), Failure> {
    let name = op.resource()?.name.clone();
    let failure = op.world.resource_failure(kind.resource_type(), &name);
    op.keep("fails_with", failure);
    Ok(())
}

fn asked_failure(op: &Operation<'_>) -> Result<Option<String>, Failure> {
    Ok(op.resource()?.data_text("fails_with").map(str::to_owned))
}

/// What makes one part differ from another; all else of its plug-in is the same.
pub(super) trait OctaviaPart: fmt::Debug + Send + Sync {
    /// What kind it is.
    const KIND: PartKind;

    /// As in [`Plugin`].
    fn properties(&self) -> Vec<Prop>;

    /// As in [`Plugin`].
    fn attributes(&self) -> Vec<String> {
        Vec::new()
    }

    /// As in [`Plugin`].
    fn validate(&self, _properties: &Map<String, Value>) -> Result<(), HeatError> {
        Ok(())
    }

    /// What it hangs on.
    fn parent(&self, op: &mut Operation<'_>, properties: &Map<String, Value>) -> Result<String, Failure>;

    /// Changes the properties into what Octavia takes: other keys for other parts.
    fn settings(
        &self,
        op: &mut Operation<'_>,
        properties: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure>;

    /// Whether it has a name.
    fn is_named(&self) -> bool {
        true
    }

    /// Begins to create it.
    fn begin(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        ask_for_failure(op, Self::KIND)?;
        self.go_on(op)
    }

    /// Creates it when that is possible, and looks whether it is there.
    fn go_on(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        if op.physical_id()?.is_some() {
            return look(op);
        }
        may(op)?;
        let (properties, project) = (op.properties()?, op.project()?);
        let parent_id = self.parent(op, &properties)?;
        let name = match text(&properties, "name") {
            Some(name) => name,
            None if self.is_named() => op.physical_name()?,
            None => String::new(),
        };
        let balancer = balancer_of(op.world, &parent_id);
        let spec = PartSpec {
            kind: Self::KIND,
            name,
            parent_id,
            settings: self.settings(op, &properties)?,
            fails_with: asked_failure(op)?,
        };
        match op.world.create_load_balancer_part(&project, spec) {
            Ok(part) => {
                op.set_physical_id(part.id);
                look(op)
            }
            Err(fault) if fault.status == 409 => Ok(again(op.world, balancer.as_deref())),
            Err(fault) => Err(op.octavia(&fault)),
        }
    }

    /// Begins to change it.
    fn begin_update(&self, op: &mut Operation<'_>, changed: &[String]) -> Result<Update, Failure> {
        if op.physical_id()?.is_none() {
            return Ok(Update::Replace);
        }
        op.keep("changed", changed.to_vec());
        if changed.is_empty() {
            return Ok(Update::InPlace(Step::Done));
        }
        ask_for_failure(op, Self::KIND)?;
        self.go_on_updating(op).map(Update::InPlace)
    }

    /// Changes it when that is possible, and looks whether the change is there.
    fn go_on_updating(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let changed = op.resource()?.data.get("changed").and_then(Value::as_array);
        let Some(changed) = changed.filter(|c| !c.is_empty()).cloned() else {
            return look(op);
        };
        may(op)?;
        let (id, properties) = (op.physical_id()?.unwrap_or_default(), op.properties()?);
        let fails_with = asked_failure(op)?;
        let balancer = balancer_of(op.world, &id);
        let mut settings = self.settings(op, &properties)?;
        // What is no longer given is taken back.
        for key in changed.iter().filter_map(Value::as_str) {
            if properties.get(key).is_none_or(Value::is_null) {
                let key = if key == "default_pool" {
                    "default_pool_id"
                } else {
                    key
                };
                settings.insert(key.to_owned(), Value::Null);
            }
        }
        let name = text(&properties, "name");
        match op
            .world
            .update_load_balancer_part(&id, name, settings, fails_with)
        {
            Ok(_) => {
                op.change(|r| drop(r.data.remove("changed")));
                look(op)
            }
            Err(fault) if fault.status == 409 => Ok(again(op.world, balancer.as_deref())),
            Err(fault) => Err(op.octavia(&fault)),
        }
    }
}

impl<P: OctaviaPart> Plugin for P {
    fn kind(&self) -> &'static str {
        P::KIND.resource_type()
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn fails_itself(&self) -> bool {
        true
    }

    fn properties(&self) -> Vec<Prop> {
        OctaviaPart::properties(self)
    }

    fn attributes(&self) -> Vec<String> {
        OctaviaPart::attributes(self)
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        OctaviaPart::validate(self, properties)
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        self.begin(op)
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        self.go_on(op)
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        self.begin_update(op, changed)
    }

    fn poll_update(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        self.go_on_updating(op)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        delete(op, World::delete_load_balancer_part)
    }

    fn poll_delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        go_on_deleting(op, World::delete_load_balancer_part)
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let part = view.found(World::find_load_balancer_part);
        Ok(shown(part.map(|part| show_part(view.world, part)), name))
    }
}

/// The attribute `name` of something that Octavia shows like this.
pub(super) fn shown(thing: Option<Value>, name: &str) -> Attribute {
    Attribute::whole(match thing {
        Some(thing) if name != "show" => thing.get(name).cloned().unwrap_or_default(),
        other => other.unwrap_or_default(),
    })
}

fn look(op: &mut Operation<'_>) -> Result<Step, Failure> {
    let id = op.physical_id()?.unwrap_or_default();
    let part = op.world.find_load_balancer_part(&id).cloned();
    let part = part.map_err(|e| op.octavia(&e))?;
    progress(part.provisioning_status(op.world.now()), part.busy_until)
}

/// How far something in this status is on its way to ACTIVE.
pub(super) fn progress(status: &str, busy_until: Timestamp) -> Result<Step, Failure> {
    match status {
        "ACTIVE" => Ok(Step::Done),
        "ERROR" => Err(in_error("ERROR")),
        _ => Ok(Step::Until(busy_until)),
    }
}

/// Begins to delete a load balancer or a part of one with `delete`.
pub(super) fn delete(
    op: &mut Operation<'_>,
    delete: impl FnOnce(&mut World, &str) -> ApiResult<()>,
) -> Result<Step, Failure> {
    op.keep("delete_called", false);
    go_on_deleting(op, delete)
}

/// Deletes it when that is possible, and looks whether it is gone.
pub(super) fn go_on_deleting(
    op: &mut Operation<'_>,
    delete: impl FnOnce(&mut World, &str) -> ApiResult<()>,
) -> Result<Step, Failure> {
    op.world.settle();
    let Some(id) = op.physical_id()? else {
        return Ok(Step::Done);
    };
    may(op)?;
    let called = op.resource()?.data.get("delete_called") == Some(&Value::Bool(true));
    if !called {
        match delete(op.world, &id) {
            Ok(()) => op.keep("delete_called", true),
            Err(fault) if fault.is_not_found() => return Ok(Step::Done),
            // Immutable for now; what is in ERROR itself is not waited for.
            Err(fault) if fault.status == 409 => {}
            Err(fault) => return Err(op.octavia(&fault)),
        }
    }
    let now = op.world.now();
    let found = match op.world.find_load_balancer_part(&id) {
        Ok(part) => Some((part.provisioning_status(now), part.busy_until)),
        Err(_) => op
            .world
            .find_load_balancer(&id)
            .ok()
            .map(|balancer| (balancer.provisioning_status(now), balancer.busy_until)),
    };
    match found {
        None => Ok(Step::Done),
        Some(("ERROR", _)) => Err(in_error("ERROR")),
        Some((_, until)) if until > now => Ok(Step::Until(until)),
        Some(_) => Ok(again(op.world, balancer_of(op.world, &id).as_deref())),
    }
}

/// The identifier of the part that a property names.
pub(super) fn part_id(
    op: &mut Operation<'_>,
    properties: &Map<String, Value>,
    key: &str,
    kind: PartKind,
) -> Result<Option<String>, Failure> {
    let Some(wanted) = text(properties, key) else {
        return Ok(None);
    };
    let project = op.project()?;
    let id = op.world.resolve_load_balancer_part(&project, kind, &wanted);
    id.map(Some).map_err(|e| op.octavia(&e))
}

/// The identifier of the load balancer that a property names.
pub(super) fn balancer_id(
    op: &mut Operation<'_>,
    properties: &Map<String, Value>,
) -> Result<Option<String>, Failure> {
    let Some(wanted) = text(properties, "loadbalancer") else {
        return Ok(None);
    };
    let project = op.project()?;
    let id = op.world.resolve_load_balancer(&project, &wanted);
    id.map(Some).map_err(|e| op.octavia(&e))
}

/// The properties of these names that are set.
pub(super) fn chosen(properties: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    keys.iter()
        .filter_map(|key| Some(((*key).to_owned(), properties.get(*key)?.clone())))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// Refuses properties of which none is set.
pub(super) fn one_of(properties: &Map<String, Value>, keys: &[&str]) -> Result<(), HeatError> {
    if keys
        .iter()
        .any(|k| properties.get(*k).is_some_and(|v| !v.is_null()))
    {
        return Ok(());
    }
    Err(HeatError::new(
        ErrorKind::PropertyUnspecifiedError,
        format!(
            "At least one of the following properties must be specified: {}.",
            keys.join(", ")
        ),
    ))
}
