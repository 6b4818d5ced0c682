//! Subnets.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A subnet. The simulated cloud has IPv4 only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// The network it is on.
    pub network_id: String,
    /// Its addresses.
    pub cidr: Ipv4Net,
    /// The gateway's address.
    pub gateway_ip: Option<Ipv4Addr>,
    /// Addresses handed out, both ends included.
    pub allocation_pools: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// Name servers handed out.
    pub dns_nameservers: Vec<String>,
    /// Whether addresses are handed out by DHCP.
    pub enable_dhcp: bool,
}

/// A subnet to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubnetSpec {
    /// Name.
    pub name: String,
    /// The network.
    pub network_id: String,
    /// CIDR, such as `10.0.0.0/24`.
    pub cidr: String,
    /// The gateway: `None` takes the first address, an empty string means no gateway.
    pub gateway_ip: Option<String>,
    /// Address pools, both ends included; empty means all but the gateway.
    pub allocation_pools: Vec<(String, String)>,
    /// Name servers.
    pub dns_nameservers: Vec<String>,
    /// DHCP; `None` means yes.
    pub enable_dhcp: Option<bool>,
}

impl World {
    /// Creates a subnet.
    ///
    /// # Errors
    /// `NetworkNotFound` (404), `InvalidInput` (400) for addresses that are none or overlap another subnet
    /// of the network, `OverQuota` (409).
    pub fn create_subnet(&mut self, project: &str, spec: SubnetSpec) -> ApiResult<Subnet> {
        self.find_network(&spec.network_id)?;
        let cidr: Ipv4Net = spec
            .cidr
            .parse::<Ipv4Net>()
            .map(|net| net.trunc())
            .map_err(|_| invalid(format!("'{}' is not a valid IP subnet.", spec.cidr)))?;
        let overlaps = self.network.subnets.values().any(|other| {
            other.network_id == spec.network_id && (other.cidr.contains(&cidr) || cidr.contains(&other.cidr))
        });
        if overlaps {
            return Err(invalid(format!(
                "Requested subnet with cidr: {cidr} for network: {} overlaps with another subnet.",
                spec.network_id
            )));
        }
        let gateway_ip = match spec.gateway_ip.as_deref() {
            None => cidr.hosts().next(),
            Some("") => None,
            Some(text) => Some(address(text)?),
        };
        let mut pools = Vec::new();
        for (start, end) in &spec.allocation_pools {
            let (start, end) = (address(start)?, address(end)?);
            if !cidr.contains(&start) || !cidr.contains(&end) || start > end {
                return Err(ApiFault::bad_request(
                    "InvalidAllocationPool",
                    format!("The allocation pool {start}-{end} is not valid."),
                ));
            }
            pools.push((start, end));
        }
        if pools.is_empty() {
            pools = whole_subnet(cidr, gateway_ip);
        }
        self.check_network_quota(project, "subnet", 1)?;
        let subnet = Subnet {
            id: self.new_uuid(),
            name: spec.name,
            project_id: project.to_owned(),
            network_id: spec.network_id,
            cidr,
            gateway_ip,
            allocation_pools: pools,
            dns_nameservers: spec.dns_nameservers,
            enable_dhcp: spec.enable_dhcp.unwrap_or(true),
        };
        self.network.subnets.insert(subnet.id.clone(), subnet.clone());
        Ok(subnet)
    }

    /// A subnet.
    ///
    /// # Errors
    /// `SubnetNotFound` (404).
    pub fn find_subnet(&self, id: &str) -> ApiResult<&Subnet> {
        self.network
            .subnets
            .get(id)
            .ok_or_else(|| ApiFault::not_found("SubnetNotFound", format!("Subnet {id} could not be found.")))
    }

    /// A subnet that this project may use, by identifier or by name.
    ///
    /// # Errors
    /// `NotFound` (404), or `NoUniqueMatch` (409) for a name that several have.
    pub fn resolve_subnet(&self, project: &str, name_or_id: &str) -> ApiResult<&Subnet> {
        let visible = |subnet: &&Subnet| self.subnet_is_visible_to(subnet, project);
        if let Some(subnet) = self.network.subnets.get(name_or_id).filter(visible) {
            return Ok(subnet);
        }
        let mut named = self
            .network
            .subnets
            .values()
            .filter(|s| s.name == name_or_id)
            .filter(visible);
        match (named.next(), named.next()) {
            (Some(subnet), None) => Ok(subnet),
            (Some(_), Some(_)) => Err(ApiFault::conflict(
                "NoUniqueMatch",
                format!("More than one Subnet exists with the name '{name_or_id}'."),
            )),
            _ => Err(ApiFault::not_found(
                "SubnetNotFound",
                format!("No Subnet found for {name_or_id}"),
            )),
        }
    }

    /// Whether a project sees a subnet: its own, or one of a network that it sees.
    #[must_use]
    pub fn subnet_is_visible_to(&self, subnet: &Subnet, project: &str) -> bool {
        subnet.project_id == project
            || self
                .network
                .networks
                .get(&subnet.network_id)
                .is_some_and(|n| n.is_visible_to(project))
    }

    /// Deletes a subnet.
    ///
    /// # Errors
    /// `SubnetNotFound` (404); `SubnetInUse` (409) while a port has an address of it.
    pub fn delete_subnet(&mut self, id: &str) -> ApiResult<()> {
        self.find_subnet(id)?;
        let used = self
            .network
            .ports
            .values()
            .any(|port| port.fixed_ips.iter().any(|ip| ip.subnet_id == id));
        if used {
            return Err(ApiFault::conflict(
                "SubnetInUse",
                format!(
                    "Unable to complete operation on subnet {id}: One or more ports have an IP allocation \
                     from this subnet."
                ),
            ));
        }
        self.network.subnets.remove(id);
        Ok(())
    }
}

fn invalid(reason: String) -> ApiFault {
    ApiFault::bad_request("InvalidInput", format!("Invalid input for operation: {reason}"))
}

fn address(text: &str) -> ApiResult<Ipv4Addr> {
    text.parse()
        .map_err(|_| invalid(format!("'{text}' is not a valid IP address.")))
}

/// The pools of a subnet that names none: every host address but the gateway's.
fn whole_subnet(cidr: Ipv4Net, gateway: Option<Ipv4Addr>) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let (first, last) = (u32::from(cidr.network()), u32::from(cidr.broadcast()));
    let (low, high) = if last - first > 1 {
        (first + 1, last - 1)
    } else {
        (first, last)
    };
    match gateway.map(u32::from).filter(|g| (low..=high).contains(g)) {
        None => vec![(low.into(), high.into())],
        Some(g) => {
            let mut pools = Vec::new();
            if g > low {
                pools.push((low.into(), (g - 1).into()));
            }
            if g < high {
                pools.push(((g + 1).into(), high.into()));
            }
            pools
        }
    }
}
