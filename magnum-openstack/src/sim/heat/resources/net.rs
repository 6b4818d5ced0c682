//! `OS::Neutron::Net`.

use serde_json::{Map, Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::HeatError;
use crate::sim::world::World;
use crate::sim::world::network::NetworkSpec;

#[derive(Debug)]
pub(crate) struct Net;

impl Plugin for Net {
    fn kind(&self) -> &'static str {
        "OS::Neutron::Net"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("name").updatable(),
            Prop::map("value_specs").default(json!({})).updatable(),
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::text("tenant_id"),
            Prop::boolean("shared").default(false).updatable(),
            Prop::list_of("dhcp_agent_ids", Prop::text("*")).updatable(),
            Prop::boolean("port_security_enabled").updatable(),
            Prop::text("qos_policy").updatable(),
            Prop::text("dns_domain").updatable(),
            Prop::boolean("availability_zone_hints").updatable(),
            Prop::list_of("tags", Prop::text("*")).updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "status",
            "name",
            "subnets",
            "admin_state_up",
            "tenant_id",
            "port_security_enabled",
            "mtu",
            "qos_policy_id",
            "l2_adjacency",
            "segments",
        ])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let spec = NetworkSpec {
            name,
            shared: properties.get("shared") == Some(&Value::Bool(true)),
            admin_state_up: properties.get("admin_state_up").and_then(Value::as_bool),
            ..NetworkSpec::default()
        };
        let project = op.project()?;
        let network = op
            .world
            .create_network(&project, spec)
            .map_err(|e| op.neutron(&e))?;
        let ready_at = network.ready_at;
        op.set_physical_id(network.id);
        Ok(Step::Until(ready_at))
    }

    fn replaced_when_failed(&self, view: &View<'_>) -> bool {
        view.resource
            .physical_id
            .as_ref()
            .is_none_or(|id| view.world.find_network(id).is_err())
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _before: &Map<String, Value>,
        _changed: &[String],
    ) -> Result<crate::sim::heat::plugin::Update, Failure> {
        let (id, properties) = (op.physical_id()?, op.properties()?);
        if let Some(network) = id.and_then(|id| op.world.network.networks.get_mut(&id)) {
            network.name = text(&properties, "name").unwrap_or_else(|| network.name.clone());
        }
        Ok(crate::sim::heat::plugin::Update::InPlace(Step::Done))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_network(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let network = view.found(World::find_network);
        let Some(network) = network else {
            return Ok(Attribute::whole(Value::Null));
        };
        let subnets: Vec<&str> = view
            .world
            .network
            .subnets()
            .filter(|s| s.network_id == network.id)
            .map(|s| s.id.as_str())
            .collect();
        let show = json!({
            "id": network.id, "name": network.name, "status": network.status(view.world.now()),
            "subnets": subnets, "admin_state_up": network.admin_state_up, "tenant_id": network.project_id,
            "project_id": network.project_id, "shared": network.shared, "router:external": network.external,
            "port_security_enabled": true, "mtu": 1450, "qos_policy_id": null, "l2_adjacency": true,
        });
        Ok(Attribute::whole(if name == "show" {
            show
        } else {
            show.get(name).cloned().unwrap_or_default()
        }))
    }
}
