//! Ports.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// Owner; empty for a port that Neutron keeps for itself (router gateway, floating IP).
    pub project_id: String,
    /// The network it is on.
    pub network_id: String,
    /// Hardware address.
    pub mac_address: String,
    /// Its addresses.
    pub fixed_ips: Vec<FixedIp>,
    /// Identifiers of its security groups.
    pub security_groups: Vec<String>,
    /// Other addresses that it may send from.
    pub allowed_address_pairs: Vec<AddressPair>,
    /// The server, router or load balancer it belongs to; empty if none.
    pub device_id: String,
    /// What that is, such as `compute:nova` or `network:router_interface`; empty if nothing.
    pub device_owner: String,
    /// Whether traffic passes.
    pub admin_state_up: bool,
    /// When it is ready.
    pub ready_at: Timestamp,
}

/// One address of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedIp {
    /// The subnet.
    pub subnet_id: String,
    /// The address.
    pub ip_address: Ipv4Addr,
}

/// An address asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixedIpRequest {
    /// The subnet; `None` means any of the network.
    pub subnet_id: Option<String>,
    /// The address; `None` means any.
    pub ip_address: Option<String>,
}

/// Another address that a port may send from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPair {
    /// Address or CIDR.
    pub ip_address: String,
    /// Hardware address; `None` means the port's own.
    pub mac_address: Option<String>,
}

/// A port to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSpec {
    /// Name.
    pub name: String,
    /// The network.
    pub network_id: String,
    /// Addresses; empty takes one of the network's first subnet.
    pub fixed_ips: Vec<FixedIpRequest>,
    /// Identifiers of security groups; `None` takes the project's `default`.
    pub security_groups: Option<Vec<String>>,
    /// Other addresses that it may send from.
    pub allowed_address_pairs: Vec<AddressPair>,
    /// What it belongs to.
    pub device_id: String,
    /// What that is.
    pub device_owner: String,
    /// Whether traffic passes; `None` means yes.
    pub admin_state_up: Option<bool>,
}

/// What of a port to change; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortChange {
    /// Name.
    pub name: Option<String>,
    /// Identifiers of security groups.
    pub security_groups: Option<Vec<String>>,
    /// Other addresses that it may send from.
    pub allowed_address_pairs: Option<Vec<AddressPair>>,
    /// What it belongs to.
    pub device_id: Option<String>,
    /// What that is.
    pub device_owner: Option<String>,
}

/// Owners of ports that only their owners' services may delete.
const SERVICE_OWNERS: &[&str] = &[
    "network:router_interface",
    "network:router_gateway",
    "network:floatingip",
];

impl World {
    /// Creates a port.
    ///
    /// # Errors
    /// `NetworkNotFound`, `SubnetNotFound`, `SecurityGroupNotFound` (404); `IpAddressGenerationFailure`,
    /// `IpAddressAlreadyAllocated`, `OverQuota` (409); `InvalidIpForNetwork`, `InvalidInput` (400).
    pub fn create_port(&mut self, project: &str, spec: PortSpec) -> ApiResult<Port> {
        self.find_network(&spec.network_id)?;
        let security_groups = match spec.security_groups {
            Some(groups) => {
                for id in &groups {
                    self.find_security_group(id)?;
                }
                groups
            }
            // Neutron's own ports have no project, hence no default group.
            None if project.is_empty() => Vec::new(),
            None => vec![self.default_security_group(project).id],
        };
        let fixed_ips = self.allocate_addresses(&spec.network_id, &spec.fixed_ips)?;
        if !project.is_empty() {
            self.check_network_quota(project, "port", 1)?;
        }
        let bits = self.seed_mut().next_u64().to_be_bytes();
        let port = Port {
            id: self.new_uuid(),
            ready_at: self.ready_at("OS::Neutron::Port", &spec.name),
            name: spec.name,
            project_id: project.to_owned(),
            network_id: spec.network_id,
            mac_address: format!("fa:16:3e:{:02x}:{:02x}:{:02x}", bits[0], bits[1], bits[2]),
            fixed_ips,
            security_groups,
            allowed_address_pairs: spec.allowed_address_pairs,
            device_id: spec.device_id,
            device_owner: spec.device_owner,
            admin_state_up: spec.admin_state_up.unwrap_or(true),
        };
        self.network.ports.insert(port.id.clone(), port.clone());
        Ok(port)
    }

    /// A port.
    ///
    /// # Errors
    /// `PortNotFound` (404).
    pub fn find_port(&self, id: &str) -> ApiResult<&Port> {
        self.network
            .ports
            .get(id)
            .ok_or_else(|| ApiFault::not_found("PortNotFound", format!("Port {id} could not be found.")))
    }

    /// Changes a port.
    ///
    /// # Errors
    /// `PortNotFound`, `SecurityGroupNotFound` (404).
    pub fn update_port(&mut self, id: &str, change: PortChange) -> ApiResult<Port> {
        self.find_port(id)?;
        for group in change.security_groups.iter().flatten() {
            self.find_security_group(group)?;
        }
        let Some(port) = self.network.ports.get_mut(id) else {
            return Err(ApiFault::not_found(
                "PortNotFound",
                format!("Port {id} could not be found."),
            ));
        };
        if let Some(name) = change.name {
            port.name = name;
        }
        if let Some(groups) = change.security_groups {
            port.security_groups = groups;
        }
        if let Some(pairs) = change.allowed_address_pairs {
            port.allowed_address_pairs = pairs;
        }
        if let Some(device) = change.device_id {
            port.device_id = device;
        }
        if let Some(owner) = change.device_owner {
            port.device_owner = owner;
        }
        Ok(port.clone())
    }

    /// Deletes a port. A floating IP on it stays, without a port; a server on it loses it.
    ///
    /// # Errors
    /// `PortNotFound` (404); `ServicePortInUse` (409) for a router's or a floating IP's own port.
    pub fn delete_port(&mut self, id: &str) -> ApiResult<()> {
        let owner = self.find_port(id)?.device_owner.as_str();
        if SERVICE_OWNERS.contains(&owner) {
            return Err(ApiFault::conflict(
                "ServicePortInUse",
                format!("Port {id} cannot be deleted directly via the port API: has device owner {owner}."),
            ));
        }
        self.drop_port(id);
        Ok(())
    }

    /// Removes a port, whoever owns it.
    pub(crate) fn drop_port(&mut self, id: &str) {
        for floating_ip in self.network.floating_ips.values_mut() {
            if floating_ip.port_id.as_deref() == Some(id) {
                floating_ip.release();
            }
        }
        for server in self.compute.servers.values_mut() {
            server.interfaces.retain(|interface| interface.port_id != id);
        }
        self.network.ports.remove(id);
    }

    /// The port's status: DOWN until it belongs to something that is up.
    #[must_use]
    pub fn port_status(&self, port: &Port) -> &'static str {
        let bound = !port.device_id.is_empty()
            && self
                .compute
                .servers
                .get(&port.device_id)
                .is_none_or(|s| s.active_at <= self.now());
        if bound && port.ready_at <= self.now() {
            "ACTIVE"
        } else {
            "DOWN"
        }
    }
}
