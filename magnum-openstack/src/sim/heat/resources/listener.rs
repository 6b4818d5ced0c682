//! `OS::Octavia::Listener`.

use serde_json::{Map, Value};

use super::octavia::{OctaviaPart, balancer_id, chosen, one_of, part_id};
use super::{names, text};
use crate::sim::ApiFault;
use crate::sim::heat::plugin::{Failure, Operation};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
use crate::sim::world::load_balancing::PartKind;

#[derive(Debug)]
pub(crate) struct Listener;

/// The protocols that Heat knows.
pub(super) const PROTOCOLS: &[&str] = &["TCP", "HTTP", "HTTPS", "TERMINATED_HTTPS", "PROXY", "UDP"];

impl OctaviaPart for Listener {
    const KIND: PartKind = PartKind::Listener;

    fn parent(&self, op: &mut Operation<'_>, properties: &Map<String, Value>) -> Result<String, Failure> {
        match balancer_id(op, properties)? {
            Some(id) => Ok(id),
            // A default pool is enough for Heat, but not for Octavia.
            None => Err(op.octavia(&ApiFault::bad_request(
                "Client",
                "Invalid input for field/attribute loadbalancer_id. Value: 'None'. Mandatory field missing.",
            ))),
        }
    }

    fn settings(
        &self,
        op: &mut Operation<'_>,
        properties: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let mut settings = chosen(
            properties,
            &[
                "protocol_port",
                "protocol",
                "admin_state_up",
                "description",
                "default_tls_container_ref",
                "sni_container_refs",
                "connection_limit",
                "allowed_cidrs",
            ],
        );
        if let Some(pool) = part_id(op, properties, "default_pool", PartKind::Pool)? {
            settings.insert("default_pool_id".to_owned(), Value::from(pool));
        }
        Ok(settings)
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::integer("protocol_port")
                .required()
                .constrained(Constraint::range(Some(1), Some(65535))),
            Prop::text("protocol")
                .required()
                .constrained(Constraint::allowed(PROTOCOLS)),
            Prop::text("loadbalancer").constrained(Constraint::custom("octavia.loadbalancer")),
            Prop::text("default_pool")
                .constrained(Constraint::custom("octavia.pool"))
                .updatable(),
            Prop::text("name").updatable(),
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::text("description").default("").updatable(),
            Prop::text("default_tls_container_ref").updatable(),
            Prop::list("sni_container_refs").updatable(),
            Prop::integer("connection_limit")
                .default(-1)
                .constrained(Constraint::range(Some(-1), None))
                .updatable(),
            Prop::text("tenant_id"),
            Prop::list_of(
                "allowed_cidrs",
                Prop::text("*").constrained(Constraint::custom("net_cidr")),
            )
            .updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["loadbalancers", "default_pool_id"])
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        one_of(properties, &["loadbalancer", "default_pool"])?;
        let terminated = text(properties, "protocol").as_deref() == Some("TERMINATED_HTTPS");
        if terminated
            && properties
                .get("default_tls_container_ref")
                .is_none_or(Value::is_null)
        {
            return Err(HeatError::validation(
                "Property default_tls_container_ref required when protocol is TERMINATED_HTTPS.",
            ));
        }
        Ok(())
    }
}
