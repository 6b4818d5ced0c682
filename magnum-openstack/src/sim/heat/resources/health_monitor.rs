//! `OS::Octavia::HealthMonitor`.

use serde_json::{Map, Value};

use super::names;
use super::octavia::{self, OctaviaPart, chosen, part_id};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
use crate::sim::world::load_balancing::PartKind;

#[derive(Debug)]
pub(crate) struct HealthMonitor;

impl OctaviaPart for HealthMonitor {
    const KIND: PartKind = PartKind::HealthMonitor;

    fn parent(&self, op: &mut Operation<'_>, properties: &Map<String, Value>) -> Result<String, Failure> {
        Ok(part_id(op, properties, "pool", PartKind::Pool)?.unwrap_or_default())
    }

    fn is_named(&self) -> bool {
        false
    }

    fn settings(
        &self,
        _: &mut Operation<'_>,
        properties: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        Ok(chosen(
            properties,
            &[
                "admin_state_up",
                "delay",
                "expected_codes",
                "http_method",
                "max_retries",
                "timeout",
                "type",
                "url_path",
            ],
        ))
    }
}

impl Plugin for HealthMonitor {
    fn kind(&self) -> &'static str {
        "OS::Octavia::HealthMonitor"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn fails_itself(&self) -> bool {
        true
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::integer("delay")
                .required()
                .constrained(Constraint::range(Some(0), None))
                .updatable(),
            Prop::text("expected_codes").updatable(),
            Prop::text("http_method")
                .constrained(Constraint::allowed(&[
                    "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH",
                ]))
                .updatable(),
            Prop::integer("max_retries")
                .required()
                .constrained(Constraint::range(Some(1), Some(10)))
                .updatable(),
            Prop::text("pool")
                .required()
                .constrained(Constraint::custom("octavia.pool")),
            Prop::integer("timeout")
                .required()
                .constrained(Constraint::range(Some(0), None))
                .updatable(),
            Prop::text("type").required().constrained(Constraint::allowed(&[
                "PING",
                "TCP",
                "HTTP",
                "HTTPS",
                "UDP-CONNECT",
            ])),
            Prop::text("url_path").updatable(),
            Prop::text("tenant_id"),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["pools"])
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
