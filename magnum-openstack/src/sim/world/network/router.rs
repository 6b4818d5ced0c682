//! Routers, their interfaces and gateways.

use jiff::Timestamp;
use std::net::Ipv4Addr;

use super::super::{ApiResult, World};
use super::port::{FixedIpRequest, Port, PortSpec};
use crate::sim::api_fault::ApiFault;

/// A router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    /// Identifier.
    pub id: String,
    /// Name; not unique.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// The way out, if it has one.
    pub gateway: Option<Gateway>,
    /// Whether traffic passes.
    pub admin_state_up: bool,
    /// When it is ready.
    pub ready_at: Timestamp,
}

/// A router's way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The external network.
    pub network_id: String,
    /// The router's port there.
    pub port_id: String,
    /// The router's address there.
    pub ip_address: Option<Ipv4Addr>,
    /// The subnet of that address.
    pub subnet_id: Option<String>,
}

/// A router to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterSpec {
    /// Name.
    pub name: String,
    /// Identifier of the external network to go out by.
    pub external_network_id: Option<String>,
    /// Whether traffic passes; `None` means yes.
    pub admin_state_up: Option<bool>,
}

const INTERFACE: &str = "network:router_interface";

impl World {
    /// Creates a router.
    ///
    /// # Errors
    /// `OverQuota` (409); for the gateway `NetworkNotFound` (404), `BadRequest` (400) if the network is not
    /// external, `IpAddressGenerationFailure` (409).
    pub fn create_router(&mut self, project: &str, spec: RouterSpec) -> ApiResult<Router> {
        self.check_network_quota(project, "router", 1)?;
        let id = self.new_uuid();
        let gateway = match spec.external_network_id {
            Some(network_id) => Some(self.open_gateway(&id, &network_id)?),
            None => None,
        };
        let router = Router {
            ready_at: self.ready_at("OS::Neutron::Router", &spec.name),
            id,
            name: spec.name,
            project_id: project.to_owned(),
            gateway,
            admin_state_up: spec.admin_state_up.unwrap_or(true),
        };
        self.network.routers.insert(router.id.clone(), router.clone());
        Ok(router)
    }

    /// A router.
    ///
    /// # Errors
    /// `RouterNotFound` (404).
    pub fn find_router(&self, id: &str) -> ApiResult<&Router> {
        self.network
            .routers
            .get(id)
            .ok_or_else(|| ApiFault::not_found("RouterNotFound", format!("Router {id} could not be found")))
    }

    /// Sets or clears a router's gateway.
    ///
    /// # Errors
    /// As [`World::create_router`]; `RouterExternalGatewayInUseByFloatingIp` (409).
    pub fn set_router_gateway(&mut self, id: &str, network_id: Option<&str>) -> ApiResult<Router> {
        let current = self.find_router(id)?.gateway.clone();
        if current.as_ref().map(|g| g.network_id.as_str()) != network_id {
            if let Some(old) = &current {
                let needed = self
                    .network
                    .floating_ips
                    .values()
                    .any(|f| f.router_id.as_deref() == Some(id));
                if needed {
                    return Err(ApiFault::conflict(
                        "RouterExternalGatewayInUseByFloatingIp",
                        format!(
                            "Gateway cannot be updated for router {id}, since a gateway to external network \
                             {} is required by one or more floating IPs.",
                            old.network_id
                        ),
                    ));
                }
            }
            let gateway = match network_id {
                Some(network_id) => Some(self.open_gateway(id, network_id)?),
                None => None,
            };
            if let Some(old) = current {
                self.drop_port(&old.port_id);
            }
            if let Some(router) = self.network.routers.get_mut(id) {
                router.gateway = gateway;
            }
        }
        self.find_router(id).cloned()
    }

    /// Puts a router on a subnet, at the subnet's gateway address. Returns the interface's port.
    ///
    /// # Errors
    /// `RouterNotFound`, `SubnetNotFound` (404); `BadRequest` (400) if it is there already or the subnet has
    /// no gateway address; `IpAddressAlreadyAllocated` or `OverQuota` (409).
    pub fn add_router_interface(&mut self, router_id: &str, subnet_id: &str) -> ApiResult<Port> {
        let project = self.find_router(router_id)?.project_id.clone();
        let subnet = self.find_subnet(subnet_id)?.clone();
        if self.router_interface(router_id, subnet_id).is_some() {
            return Err(ApiFault::bad_request(
                "BadRequest",
                format!("Bad router request: Router already has a port on subnet {subnet_id}."),
            ));
        }
        let Some(gateway_ip) = subnet.gateway_ip else {
            return Err(ApiFault::bad_request(
                "BadRequest",
                "Bad router request: Subnet for router interface must have a gateway IP.",
            ));
        };
        let taken = self.network.ports.values().any(|p| {
            p.fixed_ips
                .iter()
                .any(|ip| ip.subnet_id == subnet_id && ip.ip_address == gateway_ip)
        });
        if taken {
            return Err(ApiFault::conflict(
                "IpAddressInUse",
                format!(
                    "Unable to complete operation for network {}. The IP address {gateway_ip} is in use.",
                    subnet.network_id
                ),
            ));
        }
        self.create_port(
            &project,
            PortSpec {
                network_id: subnet.network_id,
                fixed_ips: vec![FixedIpRequest {
                    subnet_id: Some(subnet_id.to_owned()),
                    ip_address: Some(gateway_ip.to_string()),
                }],
                security_groups: Some(Vec::new()),
                device_id: router_id.to_owned(),
                device_owner: INTERFACE.to_owned(),
                ..PortSpec::default()
            },
        )
    }

    /// Takes a router off a subnet. Returns the port that was removed.
    ///
    /// # Errors
    /// `RouterNotFound`, `RouterInterfaceNotFoundForSubnet` (404); `RouterInterfaceInUseByFloatingIP` (409).
    pub fn remove_router_interface(&mut self, router_id: &str, subnet_id: &str) -> ApiResult<Port> {
        self.find_router(router_id)?;
        let Some(port) = self.router_interface(router_id, subnet_id).cloned() else {
            return Err(ApiFault::not_found(
                "RouterInterfaceNotFoundForSubnet",
                format!("Router {router_id} has no interface on subnet {subnet_id}"),
            ));
        };
        let needed = self.network.floating_ips.values().any(|floating_ip| {
            floating_ip.router_id.as_deref() == Some(router_id)
                && floating_ip
                    .port_id
                    .as_ref()
                    .and_then(|id| self.network.ports.get(id))
                    .is_some_and(|p| p.fixed_ips.iter().any(|ip| ip.subnet_id == subnet_id))
        });
        if needed {
            return Err(ApiFault::conflict(
                "RouterInterfaceInUseByFloatingIP",
                format!(
                    "Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, as it \
                     is required by one or more floating IPs."
                ),
            ));
        }
        self.drop_port(&port.id);
        Ok(port)
    }

    /// Deletes a router and its gateway.
    ///
    /// # Errors
    /// `RouterNotFound` (404); `RouterInUse` (409) while it has interfaces.
    pub fn delete_router(&mut self, id: &str) -> ApiResult<()> {
        let gateway = self.find_router(id)?.gateway.clone();
        let attached: Vec<&str> = self
            .network
            .ports
            .values()
            .filter(|p| p.device_id == id && p.device_owner == INTERFACE)
            .map(|p| p.id.as_str())
            .collect();
        if !attached.is_empty() {
            return Err(ApiFault::conflict(
                "RouterInUse",
                format!("Router {id} has ports still attached: {}", attached.join(", ")),
            ));
        }
        if let Some(gateway) = gateway {
            self.drop_port(&gateway.port_id);
        }
        self.network.routers.remove(id);
        Ok(())
    }

    /// The router's port on a subnet.
    #[must_use]
    pub fn router_interface(&self, router_id: &str, subnet_id: &str) -> Option<&Port> {
        self.network.ports.values().find(|port| {
            port.device_id == router_id
                && port.device_owner == INTERFACE
                && port.fixed_ips.iter().any(|ip| ip.subnet_id == subnet_id)
        })
    }

    /// The router that leads from a subnet to an external network.
    pub(crate) fn router_between(&self, subnet_id: &str, external_network_id: &str) -> Option<&Router> {
        self.network.routers.values().find(|router| {
            router
                .gateway
                .as_ref()
                .is_some_and(|g| g.network_id == external_network_id)
                && self.router_interface(&router.id, subnet_id).is_some()
        })
    }

    fn open_gateway(&mut self, router_id: &str, network_id: &str) -> ApiResult<Gateway> {
        if !self.find_network(network_id)?.external {
            return Err(ApiFault::bad_request(
                "BadRequest",
                format!("Bad router request: Network {network_id} is not an external network."),
            ));
        }
        // The port belongs to Neutron, not to the project: it costs no quota.
        let port = self.create_port(
            "",
            PortSpec {
                network_id: network_id.to_owned(),
                device_id: router_id.to_owned(),
                device_owner: "network:router_gateway".to_owned(),
                ..PortSpec::default()
            },
        )?;
        let first = port.fixed_ips.first();
        Ok(Gateway {
            network_id: network_id.to_owned(),
            ip_address: first.map(|ip| ip.ip_address),
            subnet_id: first.map(|ip| ip.subnet_id.clone()),
            port_id: port.id,
        })
    }
}

impl Router {
    /// `BUILD` or `ACTIVE`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.ready_at <= now { "ACTIVE" } else { "BUILD" }
    }
}
