//! Floating IPs.

use std::net::Ipv4Addr;

use super::super::{ApiResult, World};
use super::port::PortSpec;
use crate::sim::api_fault::ApiFault;

/// A floating IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatingIp {
    /// Identifier.
    pub id: String,
    /// Owner.
    pub project_id: String,
    /// The external network it is from.
    pub floating_network_id: String,
    /// Its address.
    pub floating_ip_address: Ipv4Addr,
    /// The port it leads to.
    pub port_id: Option<String>,
    /// The address of that port it leads to.
    pub fixed_ip_address: Option<Ipv4Addr>,
    /// The router that translates.
    pub router_id: Option<String>,
    /// What it is for, as its owner wrote it.
    pub description: String,
    /// Neutron's own port that holds the address.
    pub(crate) own_port_id: String,
}

/// A floating IP to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FloatingIpSpec {
    /// Identifier of the external network.
    pub floating_network_id: String,
    /// The port to lead to.
    pub port_id: Option<String>,
    /// Which address of that port; `None` means its first.
    pub fixed_ip_address: Option<String>,
    /// What it is for.
    pub description: String,
}

impl World {
    /// Creates a floating IP.
    ///
    /// # Errors
    /// `OverQuota` (409); `NetworkNotFound` (404); `BadRequest` (400) if the network is not external;
    /// `ExternalIpAddressExhausted` (400); as [`World::associate_floating_ip`] if a port is given.
    pub fn create_floating_ip(&mut self, project: &str, spec: FloatingIpSpec) -> ApiResult<FloatingIp> {
        let network_id = spec.floating_network_id;
        self.check_network_quota(project, "floatingip", 1)?;
        if !self.find_network(&network_id)?.external {
            return Err(ApiFault::bad_request(
                "BadRequest",
                format!("Bad floatingip request: Network {network_id} is not a valid external network."),
            ));
        }
        let id = self.new_uuid();
        let port = self
            .create_port(
                "",
                PortSpec {
                    network_id: network_id.clone(),
                    device_id: id.clone(),
                    device_owner: "network:floatingip".to_owned(),
                    ..PortSpec::default()
                },
            )
            .map_err(|_| exhausted(&network_id))?;
        let Some(address) = port.fixed_ips.first().map(|ip| ip.ip_address) else {
            self.drop_port(&port.id);
            return Err(exhausted(&network_id));
        };
        let floating_ip = FloatingIp {
            id: id.clone(),
            project_id: project.to_owned(),
            floating_network_id: network_id,
            floating_ip_address: address,
            port_id: None,
            fixed_ip_address: None,
            router_id: None,
            description: spec.description,
            own_port_id: port.id,
        };
        self.network.floating_ips.insert(id.clone(), floating_ip);
        if let Some(port_id) = &spec.port_id {
            let associated = self.associate_floating_ip(&id, Some(port_id), spec.fixed_ip_address.as_deref());
            if associated.is_err() {
                self.delete_floating_ip(&id)?;
            }
            return associated;
        }
        self.find_floating_ip(&id).cloned()
    }

    /// A floating IP.
    ///
    /// # Errors
    /// `FloatingIPNotFound` (404).
    pub fn find_floating_ip(&self, id: &str) -> ApiResult<&FloatingIp> {
        self.network.floating_ips.get(id).ok_or_else(|| not_found(id))
    }

    /// Leads a floating IP to a port, or to none.
    ///
    /// # Errors
    /// `FloatingIPNotFound`, `PortNotFound` (404); `ExternalGatewayForFloatingIPNotFound` (404) if no router
    /// joins the port's subnet and the external network; `FloatingIPPortAlreadyAssociated` (409);
    /// `BadRequest` (400) for a port without that address.
    pub fn associate_floating_ip(
        &mut self,
        id: &str,
        port_id: Option<&str>,
        fixed_ip: Option<&str>,
    ) -> ApiResult<FloatingIp> {
        let floating_ip = self.find_floating_ip(id)?.clone();
        let target = match port_id {
            None => None,
            Some(port_id) => {
                let port = self.find_port(port_id)?;
                let ip = port
                    .fixed_ips
                    .iter()
                    .find(|ip| fixed_ip.is_none_or(|wanted| ip.ip_address.to_string() == wanted))
                    .ok_or_else(|| {
                        ApiFault::bad_request(
                            "BadRequest",
                            format!(
                                "Bad floatingip request: Cannot add floating IP to port {port_id} that has \
                                 no fixed IPv4 addresses."
                            ),
                        )
                    })?;
                let network_id = &floating_ip.floating_network_id;
                let router = self.router_between(&ip.subnet_id, network_id).ok_or_else(|| {
                    ApiFault::not_found(
                        "ExternalGatewayForFloatingIPNotFound",
                        format!(
                            "External network {network_id} is not reachable from subnet {}.  Therefore, \
                             cannot associate Port {port_id} with a Floating IP.",
                            ip.subnet_id
                        ),
                    )
                })?;
                let other = self.network.floating_ips.values().any(|f| {
                    f.id != id
                        && f.port_id.as_deref() == Some(port_id)
                        && f.fixed_ip_address == Some(ip.ip_address)
                        && f.floating_network_id == *network_id
                });
                if other {
                    return Err(ApiFault::conflict(
                        "FloatingIPPortAlreadyAssociated",
                        format!(
                            "Cannot associate floating IP {} ({id}) with port {port_id} using fixed IP {}, \
                             as that fixed IP already has a floating IP on external network {network_id}.",
                            floating_ip.floating_ip_address, ip.ip_address
                        ),
                    ));
                }
                Some((port_id.to_owned(), ip.ip_address, router.id.clone()))
            }
        };
        let Some(entry) = self.network.floating_ips.get_mut(id) else {
            return Err(not_found(id));
        };
        match target {
            None => entry.release(),
            Some((port_id, address, router_id)) => {
                entry.port_id = Some(port_id);
                entry.fixed_ip_address = Some(address);
                entry.router_id = Some(router_id);
            }
        }
        Ok(entry.clone())
    }

    /// Deletes a floating IP, also one that leads somewhere.
    ///
    /// # Errors
    /// `FloatingIPNotFound` (404).
    pub fn delete_floating_ip(&mut self, id: &str) -> ApiResult<()> {
        let floating_ip = self
            .network
            .floating_ips
            .remove(id)
            .ok_or_else(|| not_found(id))?;
        self.drop_port(&floating_ip.own_port_id);
        Ok(())
    }
}

impl FloatingIp {
    /// `ACTIVE` while it leads to a port, else `DOWN`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.port_id.is_some() { "ACTIVE" } else { "DOWN" }
    }

    pub(crate) fn release(&mut self) {
        self.port_id = None;
        self.fixed_ip_address = None;
        self.router_id = None;
    }
}

fn not_found(id: &str) -> ApiFault {
    ApiFault::not_found(
        "FloatingIPNotFound",
        format!("Floating IP {id} could not be found"),
    )
}

fn exhausted(network_id: &str) -> ApiFault {
    ApiFault::bad_request(
        "ExternalIpAddressExhausted",
        format!("Unable to find any IP address on external network {network_id}."),
    )
}
