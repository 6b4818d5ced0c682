//! `OS::Neutron::RouterInterface`.

use serde_json::{Map, Value};

use super::first_text;
use crate::sim::heat::plugin::{Failure, Operation, Plugin, Step, failure};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, ErrorKind, HeatError};

#[derive(Debug)]
pub(crate) struct RouterInterface;

impl Plugin for RouterInterface {
    fn kind(&self) -> &'static str {
        "OS::Neutron::RouterInterface"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("router").constrained(Constraint::custom("neutron.router")),
            Prop::text("router_id").constrained(Constraint::custom("neutron.router")),
            Prop::text("subnet").constrained(Constraint::custom("neutron.subnet")),
            Prop::text("subnet_id").constrained(Constraint::custom("neutron.subnet")),
            Prop::text("port").constrained(Constraint::custom("neutron.port")),
            Prop::text("port_id"),
        ]
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        let given = |keys: &[&str]| {
            keys.iter()
                .any(|k| properties.get(*k).is_some_and(|v| !v.is_null()))
        };
        if !given(&["router", "router_id"]) {
            return Err(HeatError::validation("Property router not assigned").with_origin("Property error"));
        }
        let (subnet, port) = (given(&["subnet", "subnet_id"]), given(&["port", "port_id"]));
        if subnet && port {
            return Err(HeatError::new(
                ErrorKind::ResourcePropertyConflict,
                "Cannot define the following properties at the same time: subnet, port.",
            ));
        }
        if !subnet && !port {
            return Err(HeatError::new(
                ErrorKind::PropertyUnspecifiedError,
                "At least one of the following properties must be specified: subnet, port.",
            ));
        }
        Ok(())
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let project = op.project()?;
        let router = first_text(&properties, &["router", "router_id"]).unwrap_or_default();
        let Some(wanted) = first_text(&properties, &["subnet", "subnet_id"]) else {
            return Err(failure("BadRequest", "Interfaces by port are not simulated."));
        };
        let subnet = op
            .world
            .resolve_subnet(&project, &wanted)
            .map(|s| s.id.clone())
            .map_err(|e| op.neutron(&e))?;
        op.world
            .add_router_interface(&router, &subnet)
            .map_err(|e| op.neutron(&e))?;
        op.set_physical_id(format!("{router}:subnet_id={subnet}"));
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        let Some((router, subnet)) = id.split_once(":subnet_id=") else {
            return Ok(Step::Done);
        };
        match op.world.remove_router_interface(router, subnet) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }
}
