//! `OS::Neutron::FloatingIP`.

use serde_json::{Map, Value, json};

use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, Definition, HeatError};
use crate::sim::world::World;
use crate::sim::world::network::FloatingIpSpec;

#[derive(Debug)]
pub(crate) struct FloatingIp;

/// The router interfaces and routers that must be there before a floating IP can lead to `port`.
pub(super) fn routes_to(port: Option<&str>, others: &[Definition]) -> Vec<String> {
    let port = port.and_then(|name| {
        others
            .iter()
            .find(|d| d.name == name && d.resource_type == "OS::Neutron::Port")
    });
    let subnet = |d: &Definition| {
        d.properties
            .entry("subnet")
            .or_else(|| d.properties.entry("subnet_id"))
    };
    let mut needed = Vec::new();
    for other in others {
        let needs = match other.resource_type.as_str() {
            "OS::Neutron::RouterInterface" => {
                port.is_some_and(|port| match port.properties.entry("fixed_ips") {
                    // Without a given subnet any of them may be the way.
                    None => true,
                    Some(fixed_ips) => subnet(other).is_none_or(|s| {
                        let wanted: Vec<String> = s.references("").into_iter().map(|(n, _)| n).collect();
                        let have: Vec<String> =
                            fixed_ips.references("").into_iter().map(|(n, _)| n).collect();
                        wanted.iter().any(|w| have.contains(w)) || have.is_empty()
                    }),
                })
            }
            "OS::Neutron::Router" => other.properties.entry("external_gateway_info").is_some(),
            _ => false,
        };
        if needs {
            needed.push(other.name.clone());
        }
    }
    needed
}

/// The resource that the property `key` of a definition refers to.
pub(super) fn referred(own: &Definition, key: &str) -> Option<String> {
    own.properties
        .entry(key)?
        .references("")
        .into_iter()
        .map(|(name, _)| name)
        .next()
}

impl Plugin for FloatingIp {
    fn kind(&self) -> &'static str {
        "OS::Neutron::FloatingIP"
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("floating_network").constrained(Constraint::custom("neutron.network")),
            Prop::text("floating_network_id").constrained(Constraint::custom("neutron.network")),
            Prop::text("floating_subnet").constrained(Constraint::custom("neutron.subnet")),
            Prop::map("value_specs").default(json!({})),
            Prop::text("port_id")
                .constrained(Constraint::custom("neutron.port"))
                .updatable(),
            Prop::text("fixed_ip_address")
                .constrained(Constraint::custom("ip_addr"))
                .updatable(),
            Prop::text("floating_ip_address").constrained(Constraint::custom("ip_addr")),
            Prop::text("dns_name").updatable(),
            Prop::text("dns_domain").updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "router_id",
            "tenant_id",
            "floating_network_id",
            "fixed_ip_address",
            "floating_ip_address",
            "port_id",
        ])
    }

    fn implied_requirements(&self, own: &Definition, others: &[Definition]) -> Vec<String> {
        routes_to(referred(own, "port_id").as_deref(), others)
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let project = op.project()?;
        let wanted =
            super::first_text(&properties, &["floating_network", "floating_network_id"]).unwrap_or_default();
        let network = op
            .world
            .resolve_network(&project, &wanted)
            .map(|n| n.id.clone())
            .map_err(|e| op.neutron(&e))?;
        let spec = FloatingIpSpec {
            floating_network_id: network,
            port_id: text(&properties, "port_id"),
            fixed_ip_address: text(&properties, "fixed_ip_address"),
            ..FloatingIpSpec::default()
        };
        let floating_ip = op
            .world
            .create_floating_ip(&project, spec)
            .map_err(|e| op.neutron(&e))?;
        op.set_physical_id(floating_ip.id);
        Ok(Step::Done)
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties) = (op.physical_id()?, op.properties()?);
        let Some(id) = id else { return Ok(Update::Replace) };
        if changed.iter().any(|c| c == "port_id" || c == "fixed_ip_address") {
            let (port, address) = (
                text(&properties, "port_id"),
                text(&properties, "fixed_ip_address"),
            );
            op.world
                .associate_floating_ip(&id, port.as_deref(), address.as_deref())
                .map_err(|e| op.neutron(&e))?;
        }
        Ok(Update::InPlace(Step::Done))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_floating_ip(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let found = view.found(World::find_floating_ip);
        let Some(ip) = found else {
            return Ok(Attribute::whole(Value::Null));
        };
        let show = json!({
            "id": ip.id, "router_id": ip.router_id, "tenant_id": ip.project_id, "project_id": ip.project_id,
            "floating_network_id": ip.floating_network_id, "fixed_ip_address": ip.fixed_ip_address,
            "floating_ip_address": ip.floating_ip_address, "port_id": ip.port_id, "status": ip.status(),
            "description": ip.description,
        });
        Ok(Attribute::whole(if name == "show" {
            show
        } else {
            show.get(name).cloned().unwrap_or_default()
        }))
    }
}
