//! `OS::Octavia::PoolMember`.

use serde_json::{Map, Value};

use super::octavia::{OctaviaPart, chosen, part_id};
use super::text;
use crate::sim::heat::plugin::{Failure, Operation};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::Constraint;
use crate::sim::world::load_balancing::PartKind;

#[derive(Debug)]
pub(crate) struct PoolMember;

impl OctaviaPart for PoolMember {
    const KIND: PartKind = PartKind::Member;

    fn parent(&self, op: &mut Operation<'_>, properties: &Map<String, Value>) -> Result<String, Failure> {
        Ok(part_id(op, properties, "pool", PartKind::Pool)?.unwrap_or_default())
    }

    fn is_named(&self) -> bool {
        false
    }

    fn settings(
        &self,
        op: &mut Operation<'_>,
        properties: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let mut settings = chosen(
            properties,
            &[
                "address",
                "protocol_port",
                "monitor_address",
                "monitor_port",
                "weight",
                "admin_state_up",
            ],
        );
        if let Some(wanted) = text(properties, "subnet") {
            let project = op.project()?;
            let subnet = op.world.resolve_subnet(&project, &wanted).map(|s| s.id.clone());
            let subnet = subnet.map_err(|e| op.neutron(&e))?;
            settings.insert("subnet_id".to_owned(), Value::from(subnet));
        }
        Ok(settings)
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("pool")
                .required()
                .constrained(Constraint::custom("octavia.pool")),
            Prop::text("address")
                .required()
                .constrained(Constraint::custom("ip_addr")),
            Prop::integer("protocol_port")
                .required()
                .constrained(Constraint::range(Some(1), Some(65535))),
            Prop::text("monitor_address").constrained(Constraint::custom("ip_addr")),
            Prop::integer("monitor_port").constrained(Constraint::range(Some(1), Some(65535))),
            Prop::integer("weight")
                .default(1)
                .constrained(Constraint::range(Some(0), Some(256)))
                .updatable(),
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::text("subnet").constrained(Constraint::custom("neutron.subnet")),
            Prop::list_of("tags", Prop::text("*")).updatable(),
        ]
    }
}
