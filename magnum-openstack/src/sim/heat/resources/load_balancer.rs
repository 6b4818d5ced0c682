//! `OS::Octavia::LoadBalancer`.

use serde_json::{Map, Value};

use super::octavia::{self, may, progress};
use super::{names, text};
use crate::sim::ApiResult;
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
use crate::sim::load_balancer_api::views::show_balancer;
use crate::sim::world::World;
use crate::sim::world::load_balancing::{LoadBalancerChange, LoadBalancerSpec};

#[derive(Debug)]
pub(crate) struct LoadBalancer;

fn look(op: &mut Operation<'_>) -> Result<Step, Failure> {
    let id = op.physical_id()?.unwrap_or_default();
    let balancer = op.world.find_load_balancer(&id).cloned();
    let balancer = balancer.map_err(|e| op.octavia(&e))?;
    progress(balancer.provisioning_status(op.world.now()), balancer.busy_until)
}

/// Heat does not ask for its parts to go along: they are resources of their own.
fn delete_balancer(world: &mut World, id: &str) -> ApiResult<()> {
    world.delete_load_balancer(id, false).map(drop)
}

impl Plugin for LoadBalancer {
    fn kind(&self) -> &'static str {
        "OS::Octavia::LoadBalancer"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn fails_itself(&self) -> bool {
        true
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("description").default("").updatable(),
            Prop::text("name").updatable(),
            Prop::text("provider"),
            Prop::text("vip_address").constrained(Constraint::custom("ip_addr")),
            Prop::text("vip_subnet")
                .required()
                .constrained(Constraint::custom("neutron.subnet")),
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::text("tenant_id").constrained(Constraint::custom("keystone.project")),
            Prop::text("flavor").constrained(Constraint::custom("octavia.flavor")),
            Prop::text("availability_zone"),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "vip_address",
            "vip_port_id",
            "vip_subnet_id",
            "pools",
            "flavor_id",
        ])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        may(op)?;
        let (properties, project) = (op.properties()?, op.project()?);
        let resource_name = op.resource()?.name.clone();
        let wanted = text(&properties, "vip_subnet").unwrap_or_default();
        let vip_subnet_id = op
            .world
            .resolve_subnet(&project, &wanted)
            .map(|s| s.id.clone())
            .map_err(|e| op.neutron(&e))?;
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let spec = LoadBalancerSpec {
            name,
            description: text(&properties, "description").unwrap_or_default(),
            vip_subnet_id,
            vip_address: text(&properties, "vip_address"),
            provider: text(&properties, "provider"),
            flavor_id: text(&properties, "flavor"),
            availability_zone: text(&properties, "availability_zone"),
            admin_state_up: properties.get("admin_state_up").and_then(Value::as_bool),
            fails_with: op
                .world
                .resource_failure("OS::Octavia::LoadBalancer", &resource_name),
            ..LoadBalancerSpec::default()
        };
        let balancer = op
            .world
            .create_load_balancer(&project, spec)
            .map_err(|e| op.octavia(&e))?;
        op.set_physical_id(balancer.id);
        Ok(Step::Until(balancer.busy_until))
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        look(op)
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties) = (op.physical_id()?, op.properties()?);
        let Some(id) = id else { return Ok(Update::Replace) };
        if changed.is_empty() {
            return Ok(Update::InPlace(Step::Done));
        }
        may(op)?;
        let resource_name = op.resource()?.name.clone();
        let change = LoadBalancerChange {
            name: text(&properties, "name"),
            description: Some(text(&properties, "description").unwrap_or_default()),
            admin_state_up: properties.get("admin_state_up").and_then(Value::as_bool),
            tags: None,
            fails_with: op
                .world
                .resource_failure("OS::Octavia::LoadBalancer", &resource_name),
        };
        op.world
            .update_load_balancer(&id, change)
            .map_err(|e| op.octavia(&e))?;
        look(op).map(Update::InPlace)
    }

    fn poll_update(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        look(op)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        octavia::delete(op, delete_balancer)
    }

    fn poll_delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        octavia::go_on_deleting(op, delete_balancer)
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let balancer = view.found(World::find_load_balancer);
        let balancer = balancer.map(|balancer| show_balancer(view.world, balancer));
        Ok(octavia::shown(balancer, name))
    }
}
