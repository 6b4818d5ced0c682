//! `OS::Neutron::Subnet`.

use serde_json::{Map, Value, json};

use super::{first_text, names, text, texts};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View, failure};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError};
use crate::sim::world::World;
use crate::sim::world::network::SubnetSpec;

#[derive(Debug)]
pub(crate) struct Subnet;

impl Plugin for Subnet {
    fn kind(&self) -> &'static str {
        "OS::Neutron::Subnet"
    }

    fn properties(&self) -> Vec<Prop> {
        let pool = Prop::keys(
            "*",
            vec![Prop::text("start").required(), Prop::text("end").required()],
        );
        let route = Prop::keys(
            "*",
            vec![
                Prop::text("destination").required(),
                Prop::text("nexthop").required(),
            ],
        );
        vec![
            Prop::text("network").constrained(Constraint::custom("neutron.network")),
            Prop::text("network_id").constrained(Constraint::custom("neutron.network")),
            Prop::text("subnetpool"),
            Prop::integer("prefixlen"),
            Prop::text("cidr").constrained(Constraint::custom("net_cidr")),
            Prop::map("value_specs").default(json!({})).updatable(),
            Prop::text("name").updatable(),
            Prop::integer("ip_version").default(4),
            Prop::list("dns_nameservers").default(json!([])).updatable(),
            Prop::text("gateway_ip").updatable(),
            Prop::boolean("enable_dhcp").default(true).updatable(),
            Prop::list_of("allocation_pools", pool).updatable(),
            Prop::text("tenant_id"),
            Prop::list_of("host_routes", route).updatable(),
            Prop::text("ipv6_ra_mode"),
            Prop::text("ipv6_address_mode"),
            Prop::text("segment").updatable(),
            Prop::list_of("tags", Prop::text("*")).updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "name",
            "network_id",
            "tenant_id",
            "allocation_pools",
            "gateway_ip",
            "host_routes",
            "ip_version",
            "cidr",
            "dns_nameservers",
            "enable_dhcp",
        ])
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        // One that is still to be made is an empty text here.
        if !["network", "network_id"]
            .iter()
            .any(|key| properties.get(*key).is_some_and(Value::is_string))
        {
            return Err(HeatError::validation("Property network not assigned").with_origin("Property error"));
        }
        Ok(())
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let project = op.project()?;
        let wanted = first_text(&properties, &["network", "network_id"]).unwrap_or_default();
        let network_id = op
            .world
            .resolve_network(&project, &wanted)
            .map(|n| n.id.clone())
            .map_err(|e| op.neutron(&e))?;
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let pools = properties
            .get("allocation_pools")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let spec = SubnetSpec {
            name,
            network_id,
            cidr: text(&properties, "cidr").ok_or_else(|| {
                failure(
                    "BadRequest",
                    "Invalid input for operation: a subnet must have a CIDR.",
                )
            })?,
            gateway_ip: properties
                .get("gateway_ip")
                .and_then(Value::as_str)
                .map(str::to_owned),
            allocation_pools: pools
                .iter()
                .filter_map(|p| {
                    Some((
                        p.get("start")?.as_str()?.to_owned(),
                        p.get("end")?.as_str()?.to_owned(),
                    ))
                })
                .collect(),
            dns_nameservers: texts(&properties, "dns_nameservers").unwrap_or_default(),
            enable_dhcp: properties.get("enable_dhcp").and_then(Value::as_bool),
        };
        let subnet = op
            .world
            .create_subnet(&project, spec)
            .map_err(|e| op.neutron(&e))?;
        op.set_physical_id(subnet.id);
        Ok(Step::Done)
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        _: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties) = (op.physical_id()?, op.properties()?);
        if let Some(subnet) = id.and_then(|id| op.world.network.subnets.get_mut(&id)) {
            subnet.dns_nameservers = texts(&properties, "dns_nameservers").unwrap_or_default();
            subnet.name = text(&properties, "name").unwrap_or_else(|| subnet.name.clone());
            subnet.enable_dhcp = properties
                .get("enable_dhcp")
                .and_then(Value::as_bool)
                .unwrap_or(subnet.enable_dhcp);
        }
        Ok(Update::InPlace(Step::Done))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_subnet(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let subnet = view.found(World::find_subnet);
        let Some(subnet) = subnet else {
            return Ok(Attribute::whole(Value::Null));
        };
        let pools: Vec<Value> = subnet
            .allocation_pools
            .iter()
            .map(|(start, end)| json!({"start": start, "end": end}))
            .collect();
        let show = json!({
            "id": subnet.id, "name": subnet.name, "network_id": subnet.network_id, "tenant_id": subnet.project_id,
            "project_id": subnet.project_id, "allocation_pools": pools, "gateway_ip": subnet.gateway_ip,
            "host_routes": [], "ip_version": 4, "cidr": subnet.cidr, "dns_nameservers": subnet.dns_nameservers,
            "enable_dhcp": subnet.enable_dhcp,
        });
        Ok(Attribute::whole(if name == "show" {
            show
        } else {
            show.get(name).cloned().unwrap_or_default()
        }))
    }
}
