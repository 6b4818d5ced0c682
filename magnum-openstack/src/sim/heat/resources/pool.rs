//! `OS::Octavia::Pool`.

use serde_json::{Map, Value};

use super::octavia::{OctaviaPart, balancer_id, chosen, one_of, part_id};
use super::{listener::PROTOCOLS, names, text};
use crate::sim::heat::plugin::{Failure, Operation};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
use crate::sim::world::load_balancing::PartKind;

#[derive(Debug)]
pub(crate) struct Pool;

impl OctaviaPart for Pool {
    const KIND: PartKind = PartKind::Pool;

    fn parent(&self, op: &mut Operation<'_>, properties: &Map<String, Value>) -> Result<String, Failure> {
        match part_id(op, properties, "listener", PartKind::Listener)? {
            Some(id) => Ok(id),
            None => Ok(balancer_id(op, properties)?.unwrap_or_default()),
        }
    }

    fn settings(
        &self,
        _: &mut Operation<'_>,
        properties: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let mut settings = chosen(
            properties,
            &[
                "admin_state_up",
                "description",
                "lb_algorithm",
                "protocol",
                "session_persistence",
                "tls_enabled",
            ],
        );
        if let Some(Value::Object(persistence)) = settings.get_mut("session_persistence") {
            persistence.retain(|_, value| !value.is_null());
        }
        Ok(settings)
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::text("description").default("").updatable(),
            Prop::keys(
                "session_persistence",
                vec![
                    Prop::text("type").required().constrained(Constraint::allowed(&[
                        "SOURCE_IP",
                        "HTTP_COOKIE",
                        "APP_COOKIE",
                    ])),
                    Prop::text("cookie_name"),
                ],
            ),
            Prop::text("name").updatable(),
            Prop::text("lb_algorithm")
                .required()
                .constrained(Constraint::allowed(&[
                    "ROUND_ROBIN",
                    "LEAST_CONNECTIONS",
                    "SOURCE_IP",
                    "SOURCE_IP_PORT",
                ]))
                .updatable(),
            Prop::text("listener").constrained(Constraint::custom("octavia.listener")),
            Prop::text("loadbalancer").constrained(Constraint::custom("octavia.loadbalancer")),
            Prop::text("protocol")
                .required()
                .constrained(Constraint::allowed(PROTOCOLS)),
            Prop::boolean("tls_enabled").default(false).updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["healthmonitor_id", "listeners", "members"])
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        one_of(properties, &["listener", "loadbalancer"])?;
        let Some(Value::Object(persistence)) = properties.get("session_persistence") else {
            return Ok(());
        };
        let cookie = text(persistence, "cookie_name").is_some();
        match text(persistence, "type").as_deref() {
            Some("APP_COOKIE") if !cookie => Err(HeatError::validation(
                "Property cookie_name is required when session_persistence type is set to APP_COOKIE.",
            )),
            Some("SOURCE_IP") if cookie => Err(HeatError::validation(
                "Property cookie_name must NOT be specified when session_persistence type is set to SOURCE_IP.",
            )),
            _ => Ok(()),
        }
    }
}
