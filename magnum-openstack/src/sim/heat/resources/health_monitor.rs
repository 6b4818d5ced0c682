//! `OS::Octavia::HealthMonitor`.

use serde_json::{Map, Value};

use super::names;
use super::octavia::{OctaviaPart, chosen, part_id};
use crate::sim::heat::plugin::{Failure, Operation};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::Constraint;
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
}
