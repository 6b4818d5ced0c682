//! `OS::Neutron::Router`.

use serde_json::{Map, Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
use crate::sim::world::World;
use crate::sim::world::network::RouterSpec;

#[derive(Debug)]
pub(crate) struct Router;

fn gateway(properties: &Map<String, Value>) -> Option<String> {
    properties
        .get("external_gateway_info")
        .and_then(Value::as_object)
        .and_then(|info| text(info, "network"))
}

impl Plugin for Router {
    fn kind(&self) -> &'static str {
        "OS::Neutron::Router"
    }

    fn properties(&self) -> Vec<Prop> {
        let fixed_ip = Prop::keys("*", vec![Prop::text("ip_address"), Prop::text("subnet")]);
        vec![
            Prop::text("name").updatable(),
            Prop::keys(
                "external_gateway_info",
                vec![
                    Prop::text("network")
                        .required()
                        .constrained(Constraint::custom("neutron.network"))
                        .updatable(),
                    Prop::boolean("enable_snat").updatable(),
                    Prop::list_of("external_fixed_ips", fixed_ip).updatable(),
                ],
            )
            .updatable(),
            Prop::map("value_specs").default(json!({})).updatable(),
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::text("l3_agent_id").updatable(),
            Prop::list("l3_agent_ids").updatable(),
            Prop::boolean("distributed"),
            Prop::boolean("ha"),
            Prop::list("availability_zone_hints"),
            Prop::list_of("tags", Prop::text("*")).updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "status",
            "external_gateway_info",
            "name",
            "admin_state_up",
            "tenant_id",
        ])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let project = op.project()?;
        let external_network_id = match gateway(&properties) {
            Some(wanted) => Some(
                op.world
                    .resolve_network(&project, &wanted)
                    .map(|n| n.id.clone())
                    .map_err(|e| op.neutron(&e))?,
            ),
            None => None,
        };
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let spec = RouterSpec {
            name,
            external_network_id,
            admin_state_up: properties.get("admin_state_up").and_then(Value::as_bool),
        };
        let router = op
            .world
            .create_router(&project, spec)
            .map_err(|e| op.neutron(&e))?;
        let ready_at = router.ready_at;
        op.set_physical_id(router.id);
        Ok(Step::Until(ready_at))
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties, project) = (op.physical_id()?, op.properties()?, op.project()?);
        let Some(id) = id else { return Ok(Update::Replace) };
        if changed.iter().any(|c| c == "external_gateway_info") {
            let network = match gateway(&properties) {
                Some(wanted) => Some(
                    op.world
                        .resolve_network(&project, &wanted)
                        .map(|n| n.id.clone())
                        .map_err(|e| op.neutron(&e))?,
                ),
                None => None,
            };
            op.world
                .set_router_gateway(&id, network.as_deref())
                .map_err(|e| op.neutron(&e))?;
        }
        Ok(Update::InPlace(Step::Done))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_router(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let router = view.found(World::find_router);
        let Some(router) = router else {
            return Ok(Attribute::whole(Value::Null));
        };
        let gateway = router.gateway.as_ref().map(|g| {
            json!({
                "network_id": g.network_id, "enable_snat": true,
                "external_fixed_ips": [{"subnet_id": g.subnet_id, "ip_address": g.ip_address}],
            })
        });
        let show = json!({
            "id": router.id, "name": router.name, "status": router.status(view.world.now()),
            "external_gateway_info": gateway, "admin_state_up": router.admin_state_up,
            "tenant_id": router.project_id, "project_id": router.project_id,
        });
        Ok(Attribute::whole(if name == "show" {
            show
        } else {
            show.get(name).cloned().unwrap_or_default()
        }))
    }
}
