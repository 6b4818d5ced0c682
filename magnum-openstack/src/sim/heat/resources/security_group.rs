//! `OS::Neutron::SecurityGroup`.

use serde_json::{Map, Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, ErrorKind, HeatError};
use crate::sim::world::World;
use crate::sim::world::network::SecurityGroupRuleSpec;

#[derive(Debug)]
pub(crate) struct SecurityGroup;

fn port(rule: &Map<String, Value>, key: &str) -> Option<u16> {
    rule.get(key)
        .and_then(Value::as_u64)
        .and_then(|p| u16::try_from(p).ok())
}

/// One entry of `rules`; a remote group without an identifier is the group itself.
fn spec(
    op: &mut Operation<'_>,
    rule: &Map<String, Value>,
    group_id: &str,
) -> Result<SecurityGroupRuleSpec, Failure> {
    let remote_group_id = if text(rule, "remote_mode").as_deref() == Some("remote_group_id") {
        match text(rule, "remote_group_id") {
            None => Some(group_id.to_owned()),
            Some(wanted) => op.security_group_ids(&[wanted])?.into_iter().next(),
        }
    } else {
        None
    };
    Ok(SecurityGroupRuleSpec {
        direction: text(rule, "direction").unwrap_or_else(|| "ingress".to_owned()),
        ethertype: text(rule, "ethertype").unwrap_or_else(|| "IPv4".to_owned()),
        protocol: text(rule, "protocol"),
        port_range_min: port(rule, "port_range_min"),
        port_range_max: port(rule, "port_range_max"),
        remote_ip_prefix: text(rule, "remote_ip_prefix"),
        remote_group_id,
    })
}

impl SecurityGroup {
    fn add_rules(op: &mut Operation<'_>, group_id: &str) -> Result<(), Failure> {
        let properties = op.properties()?;
        let rules = properties
            .get("rules")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let rules: Vec<Map<String, Value>> = rules.iter().filter_map(|r| r.as_object().cloned()).collect();
        // Egress of one's own replaces the rules that let everything out.
        if rules
            .iter()
            .any(|r| text(r, "direction").as_deref() == Some("egress"))
        {
            Self::remove_rules(op, group_id, "egress");
        }
        for rule in &rules {
            let spec = spec(op, rule, group_id)?;
            match op.world.create_security_group_rule(group_id, spec) {
                Err(fault) if fault.kind == "SecurityGroupRuleExists" => {}
                Err(fault) => return Err(op.neutron(&fault)),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    fn remove_rules(op: &mut Operation<'_>, group_id: &str, direction: &str) {
        let ids: Vec<String> = op.world.find_security_group(group_id).map_or_else(
            |_| Vec::new(),
            |g| {
                g.rules
                    .iter()
                    .filter(|r| r.spec.direction == direction)
                    .map(|r| r.id.clone())
                    .collect()
            },
        );
        for id in ids {
            // It was there a moment ago.
            let _ = op.world.delete_security_group_rule(&id);
        }
    }
}

impl Plugin for SecurityGroup {
    fn kind(&self) -> &'static str {
        "OS::Neutron::SecurityGroup"
    }

    fn properties(&self) -> Vec<Prop> {
        let rule = Prop::keys(
            "*",
            vec![
                Prop::text("direction")
                    .default("ingress")
                    .constrained(Constraint::allowed(&["ingress", "egress"])),
                Prop::text("ethertype")
                    .default("IPv4")
                    .constrained(Constraint::allowed(&["IPv4", "IPv6"])),
                Prop::integer("port_range_min").constrained(Constraint::range(Some(0), Some(65535))),
                Prop::integer("port_range_max").constrained(Constraint::range(Some(0), Some(65535))),
                Prop::text("protocol"),
                Prop::text("remote_mode")
                    .default("remote_ip_prefix")
                    .constrained(Constraint::allowed(&["remote_ip_prefix", "remote_group_id"])),
                Prop::text("remote_group_id").constrained(Constraint::custom("neutron.security_group")),
                Prop::text("remote_ip_prefix").constrained(Constraint::custom("net_cidr")),
            ],
        );
        vec![
            Prop::text("name").updatable(),
            Prop::text("description").updatable(),
            Prop::list_of("rules", rule).default(json!([])).updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["name", "description", "security_group_rules"])
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        if text(properties, "name").as_deref() == Some("default") {
            return Err(HeatError::new(
                ErrorKind::StackValidationFailed,
                "Security groups cannot be assigned the name \"default\".",
            ));
        }
        Ok(())
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let project = op.project()?;
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let description = text(&properties, "description").unwrap_or_default();
        let group = op
            .world
            .create_security_group(&project, &name, &description)
            .map_err(|e| op.neutron(&e))?;
        op.set_physical_id(group.id.clone());
        Self::add_rules(op, &group.id)?;
        Ok(Step::Done)
    }

    fn replaced_when_failed(&self, view: &View<'_>) -> bool {
        view.resource
            .physical_id
            .as_ref()
            .is_none_or(|id| view.world.find_security_group(id).is_err())
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties) = (op.physical_id()?, op.properties()?);
        let Some(id) = id else { return Ok(Update::Replace) };
        if let Some(group) = op.world.network.security_groups.get_mut(&id) {
            group.name = text(&properties, "name").unwrap_or_else(|| group.name.clone());
            group.description = text(&properties, "description").unwrap_or_default();
        }
        if changed.iter().any(|c| c == "rules") {
            Self::remove_rules(op, &id, "ingress");
            Self::add_rules(op, &id)?;
        }
        Ok(Update::InPlace(Step::Done))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_security_group(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let group = view.found(World::find_security_group);
        let Some(group) = group else {
            return Ok(Attribute::whole(Value::Null));
        };
        let rules: Vec<Value> = group
            .rules
            .iter()
            .map(|r| {
                json!({
                    "id": r.id, "direction": r.spec.direction, "ethertype": r.spec.ethertype,
                    "protocol": r.spec.protocol, "port_range_min": r.spec.port_range_min,
                    "port_range_max": r.spec.port_range_max, "remote_ip_prefix": r.spec.remote_ip_prefix,
                    "remote_group_id": r.spec.remote_group_id, "security_group_id": group.id,
                })
            })
            .collect();
        let show = json!({
            "id": group.id, "name": group.name, "description": group.description, "tenant_id": group.project_id,
            "project_id": group.project_id, "security_group_rules": rules,
        });
        Ok(Attribute::whole(if name == "show" {
            show
        } else {
            show.get(name).cloned().unwrap_or_default()
        }))
    }
}
