//! `OS::Neutron::SecurityGroupRule`.

use serde_json::Value;

use super::text;
use crate::sim::heat::plugin::{Failure, Operation, Plugin, Step};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::Constraint;
use crate::sim::world::network::SecurityGroupRuleSpec;

#[derive(Debug)]
pub(crate) struct SecurityGroupRule;

impl Plugin for SecurityGroupRule {
    fn kind(&self) -> &'static str {
        "OS::Neutron::SecurityGroupRule"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("security_group")
                .required()
                .constrained(Constraint::custom("neutron.security_group")),
            Prop::text("description"),
            Prop::text("direction")
                .default("ingress")
                .constrained(Constraint::allowed(&["ingress", "egress"])),
            Prop::text("ethertype")
                .default("IPv4")
                .constrained(Constraint::allowed(&["IPv4", "IPv6"])),
            Prop::text("protocol").default("tcp"),
            Prop::integer("port_range_min").constrained(Constraint::range(Some(0), Some(65535))),
            Prop::integer("port_range_max").constrained(Constraint::range(Some(0), Some(65535))),
            Prop::text("remote_group").constrained(Constraint::custom("neutron.security_group")),
            Prop::text("remote_ip_prefix").constrained(Constraint::custom("net_cidr")),
        ]
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let port = |key: &str| {
            properties
                .get(key)
                .and_then(Value::as_u64)
                .and_then(|p| u16::try_from(p).ok())
        };
        let group = text(&properties, "security_group").unwrap_or_default();
        let group = op
            .security_group_ids(&[group])?
            .into_iter()
            .next()
            .unwrap_or_default();
        let remote_group_id = match text(&properties, "remote_group") {
            Some(wanted) => op.security_group_ids(&[wanted])?.into_iter().next(),
            None => None,
        };
        let spec = SecurityGroupRuleSpec {
            direction: text(&properties, "direction").unwrap_or_default(),
            ethertype: text(&properties, "ethertype").unwrap_or_default(),
            protocol: text(&properties, "protocol").filter(|p| p != "any"),
            port_range_min: port("port_range_min"),
            port_range_max: port("port_range_max"),
            remote_ip_prefix: text(&properties, "remote_ip_prefix"),
            remote_group_id,
        };
        let rule = op
            .world
            .create_security_group_rule(&group, spec)
            .map_err(|e| op.neutron(&e))?;
        op.set_physical_id(rule.id);
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_security_group_rule(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }
}
