//! `OS::Neutron::Port`.

use serde_json::{Map, Value, json};

use super::{first_text, names, text, texts};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, Definition, HeatError};
use crate::sim::world::World;
use crate::sim::world::network::port::PortChange;
use crate::sim::world::network::{AddressPair, FixedIpRequest, PortSpec};

#[derive(Debug)]
pub(crate) struct Port;

fn pairs(properties: &Map<String, Value>) -> Vec<AddressPair> {
    let items = properties
        .get("allowed_address_pairs")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|pair| {
            Some(AddressPair {
                ip_address: text(pair, "ip_address")?,
                mac_address: text(pair, "mac_address"),
            })
        })
        .collect()
}

impl Operation<'_> {
    /// The identifiers of security groups given by name or identifier.
    pub(crate) fn security_group_ids(&mut self, wanted: &[String]) -> Result<Vec<String>, Failure> {
        let project = self.project()?;
        let mut ids = Vec::new();
        for name in wanted {
            if name == "default" {
                ids.push(self.world.default_security_group(&project).id);
                continue;
            }
            let found = self
                .world
                .network
                .security_groups()
                .find(|g| g.id == *name || (g.project_id == project && g.name == *name))
                .map(|g| g.id.clone());
            ids.push(found.unwrap_or_else(|| name.clone()));
        }
        Ok(ids)
    }
}

impl Port {
    /// The addresses that the properties ask for.
    fn addresses(
        op: &mut Operation<'_>,
        properties: &Map<String, Value>,
    ) -> Result<Vec<FixedIpRequest>, Failure> {
        let project = op.project()?;
        let mut requests = Vec::new();
        for request in properties
            .get("fixed_ips")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(request) = request.as_object() else {
                continue;
            };
            let subnet_id = match first_text(request, &["subnet", "subnet_id"]) {
                Some(wanted) => Some(
                    op.world
                        .resolve_subnet(&project, &wanted)
                        .map(|s| s.id.clone())
                        .map_err(|e| op.neutron(&e))?,
                ),
                None => None,
            };
            requests.push(FixedIpRequest {
                subnet_id,
                ip_address: text(request, "ip_address"),
            });
        }
        Ok(requests)
    }
}

impl Plugin for Port {
    fn kind(&self) -> &'static str {
        "OS::Neutron::Port"
    }

    fn properties(&self) -> Vec<Prop> {
        let fixed_ip = Prop::keys(
            "*",
            vec![
                Prop::text("subnet_id").constrained(Constraint::custom("neutron.subnet")),
                Prop::text("subnet").constrained(Constraint::custom("neutron.subnet")),
                Prop::text("ip_address").constrained(Constraint::custom("ip_addr")),
            ],
        );
        let pair = Prop::keys(
            "*",
            vec![Prop::text("mac_address"), Prop::text("ip_address").required()],
        );
        vec![
            Prop::text("name").updatable(),
            Prop::text("network").constrained(Constraint::custom("neutron.network")),
            Prop::text("network_id").constrained(Constraint::custom("neutron.network")),
            Prop::text("device_id").default("").updatable(),
            Prop::text("device_owner").default("").updatable(),
            Prop::list_of("fixed_ips", fixed_ip).updatable(),
            Prop::list("security_groups").updatable(),
            Prop::list_of("allowed_address_pairs", pair).updatable(),
            Prop::boolean("admin_state_up").default(true).updatable(),
            Prop::text("mac_address").updatable(),
            Prop::text("binding:vnic_type").default("normal").updatable(),
            Prop::boolean("port_security_enabled").updatable(),
            Prop::text("qos_policy").updatable(),
            Prop::text("dns_name").updatable(),
            Prop::list_of("tags", Prop::text("*")).updatable(),
            Prop::boolean("propagate_uplink_status").updatable(),
            Prop::boolean("no_fixed_ips").default(false).updatable(),
            Prop::map("value_specs").default(json!({})).updatable(),
            Prop::text("replacement_policy").default("AUTO").updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "admin_state_up",
            "device_id",
            "device_owner",
            "fixed_ips",
            "mac_address",
            "name",
            "network_id",
            "security_groups",
            "status",
            "tenant_id",
            "allowed_address_pairs",
            "subnets",
            "port_security_enabled",
            "qos_policy_id",
            "dns_assignment",
            "network",
            "propagate_uplink_status",
        ])
    }

    fn implied_requirements(&self, own: &Definition, others: &[Definition]) -> Vec<String> {
        // Which subnet a port gets an address of is not known before: all of its network come first.
        let network = |d: &Definition| {
            d.properties
                .entry("network")
                .or_else(|| d.properties.entry("network_id"))
        };
        let Some(wanted) = network(own) else {
            return Vec::new();
        };
        others
            .iter()
            .filter(|d| d.resource_type == "OS::Neutron::Subnet" && network(d).as_ref() == Some(&wanted))
            .map(|d| d.name.clone())
            .collect()
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        let given = |key: &str| properties.get(key).is_some_and(|v| !v.is_null());
        if !given("network") && !given("network_id") {
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
        let fixed_ips = Self::addresses(op, &properties)?;
        let security_groups = match texts(&properties, "security_groups") {
            Some(wanted) => Some(op.security_group_ids(&wanted)?),
            None => None,
        };
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let spec = PortSpec {
            name,
            network_id,
            fixed_ips,
            security_groups,
            allowed_address_pairs: pairs(&properties),
            device_id: text(&properties, "device_id").unwrap_or_default(),
            device_owner: text(&properties, "device_owner").unwrap_or_default(),
            admin_state_up: properties.get("admin_state_up").and_then(Value::as_bool),
        };
        let port = op.world.create_port(&project, spec).map_err(|e| op.neutron(&e))?;
        let ready_at = port.ready_at;
        op.set_physical_id(port.id);
        Ok(Step::Until(ready_at))
    }

    fn replaced_when_failed(&self, view: &View<'_>) -> bool {
        view.resource
            .physical_id
            .as_ref()
            .is_none_or(|id| view.world.find_port(id).is_err())
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties) = (op.physical_id()?, op.properties()?);
        let Some(id) = id else { return Ok(Update::Replace) };
        let has = |key: &str| changed.iter().any(|c| c == key);
        if has("mac_address") {
            return Ok(Update::Replace);
        }
        if has("fixed_ips") {
            let network_id = op
                .world
                .find_port(&id)
                .map(|p| p.network_id.clone())
                .map_err(|e| op.neutron(&e))?;
            let requests = Self::addresses(op, &properties)?;
            let fixed_ips = op
                .world
                .allocate_addresses(&network_id, &requests)
                .map_err(|e| op.neutron(&e))?;
            if let Some(port) = op.world.network.ports.get_mut(&id) {
                port.fixed_ips = fixed_ips;
            }
        }
        let security_groups = match texts(&properties, "security_groups").filter(|_| has("security_groups")) {
            Some(wanted) => Some(op.security_group_ids(&wanted)?),
            None => None,
        };
        let change = PortChange {
            name: text(&properties, "name").filter(|_| has("name")),
            security_groups,
            allowed_address_pairs: has("allowed_address_pairs").then(|| pairs(&properties)),
            ..PortChange::default()
        };
        op.world.update_port(&id, change).map_err(|e| op.neutron(&e))?;
        Ok(Update::InPlace(Step::Done))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_port(&id) {
            Err(fault) if !fault.is_not_found() => Err(op.neutron(&fault)),
            _ => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let port = view.found(World::find_port);
        let Some(port) = port else {
            return Ok(Attribute::whole(Value::Null));
        };
        let fixed_ips: Vec<Value> = port
            .fixed_ips
            .iter()
            .map(|ip| json!({"subnet_id": ip.subnet_id, "ip_address": ip.ip_address}))
            .collect();
        let subnets: Vec<Value> = port
            .fixed_ips
            .iter()
            .filter_map(|ip| view.world.find_subnet(&ip.subnet_id).ok())
            .map(|s| {
                json!({"id": s.id, "name": s.name, "cidr": s.cidr, "network_id": s.network_id,
                       "gateway_ip": s.gateway_ip, "dns_nameservers": s.dns_nameservers,
                       "enable_dhcp": s.enable_dhcp, "ip_version": 4})
            })
            .collect();
        let pairs: Vec<Value> = port
            .allowed_address_pairs
            .iter()
            .map(|p| json!({"ip_address": p.ip_address, "mac_address": p.mac_address.as_ref().unwrap_or(&port.mac_address)}))
            .collect();
        let network = view
            .world
            .find_network(&port.network_id)
            .ok()
            .map(|n| json!({"id": n.id, "name": n.name}));
        let show = json!({
            "id": port.id, "name": port.name, "status": view.world.port_status(port), "network_id": port.network_id,
            "admin_state_up": port.admin_state_up, "device_id": port.device_id, "device_owner": port.device_owner,
            "fixed_ips": fixed_ips, "mac_address": port.mac_address, "security_groups": port.security_groups,
            "tenant_id": port.project_id, "project_id": port.project_id, "allowed_address_pairs": pairs,
            "port_security_enabled": true, "qos_policy_id": null, "dns_assignment": [],
        });
        let extra = match name {
            "show" => show,
            "subnets" => Value::Array(subnets),
            "network" => network.unwrap_or_default(),
            other => show.get(other).cloned().unwrap_or_default(),
        };
        Ok(Attribute::whole(extra))
    }
}
