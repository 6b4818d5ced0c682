//! `OS::Octavia::PoolMember`.

use serde_json::{Map, Value};

use super::octavia::{self, OctaviaPart, chosen, part_id};
use super::text;
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
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
}

impl Plugin for PoolMember {
    fn kind(&self) -> &'static str {
        "OS::Octavia::PoolMember"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn fails_itself(&self) -> bool {
        true
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
        octavia::delete(op, octavia::delete_part)
    }

    fn poll_delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        octavia::go_on_deleting(op, octavia::delete_part)
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        Ok(self.shown(view, name))
    }
}
