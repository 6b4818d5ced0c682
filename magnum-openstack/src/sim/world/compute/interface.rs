//! Network interfaces of servers: which port, on which network.

use super::super::network::port::PortChange;
use super::super::network::{FixedIpRequest, PortSpec};
use super::super::{ApiResult, World};
use super::server::{not_found, refused};
use crate::sim::api_fault::ApiFault;

/// A network interface of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The port.
    pub port_id: String,
    /// Whether Nova made the port and so deletes it with the server.
    pub made_by_nova: bool,
}

/// One network interface asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkRequest {
    /// On an existing port, which outlives the server.
    Port(String),
    /// On a network, by a port that Nova makes.
    Network {
        /// The network.
        network_id: String,
        /// The address wanted.
        fixed_ip: Option<String>,
    },
}

impl World {
    /// Nova's choice when no network is asked for: the project's only one.
    pub(super) fn complete_requests(
        &self,
        project: &str,
        requests: Vec<NetworkRequest>,
    ) -> ApiResult<Vec<NetworkRequest>> {
        if !requests.is_empty() {
            return Ok(requests);
        }
        let mut usable = self
            .network
            .networks
            .values()
            .filter(|n| n.project_id == project || (n.shared && !n.external));
        match (usable.next(), usable.next()) {
            (Some(_), Some(_)) => Err(ApiFault::conflict(
                "NetworkAmbiguous",
                "Multiple possible networks found, use a Network ID to be more specific.",
            )),
            (Some(network), None) => Ok(vec![NetworkRequest::Network {
                network_id: network.id.clone(),
                fixed_ip: None,
            }]),
            (None, _) => Ok(Vec::new()),
        }
    }

    pub(super) fn check_requests(&self, requests: &[NetworkRequest]) -> ApiResult<()> {
        for request in requests {
            match request {
                NetworkRequest::Port(id) => {
                    let port = self
                        .find_port(id)
                        .map_err(|_| refused(format!("Port id {id} could not be found.")))?;
                    if !port.device_id.is_empty() {
                        return Err(ApiFault::conflict(
                            "PortInUse",
                            format!("Port {id} is still in use."),
                        ));
                    }
                    if port.fixed_ips.is_empty() {
                        return Err(refused(format!(
                            "Port {id} requires a FixedIP in order to be used."
                        )));
                    }
                }
                NetworkRequest::Network { network_id, .. } => {
                    if !self.network.networks.contains_key(network_id) {
                        return Err(refused(format!("Network {network_id} could not be found.")));
                    }
                    if !self.network.subnets.values().any(|s| s.network_id == *network_id) {
                        return Err(refused(format!(
                            "Network {network_id} requires a subnet in order to boot instances on."
                        )));
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives a server an interface. Nova does this after it has answered, so what goes wrong here ends the
    /// server in ERROR.
    pub(super) fn plug(
        &mut self,
        project: &str,
        server_id: &str,
        request: NetworkRequest,
        security_groups: &[String],
    ) -> ApiResult<()> {
        let plugged = match request {
            NetworkRequest::Port(port_id) => {
                let change = PortChange {
                    device_id: Some(server_id.to_owned()),
                    device_owner: Some("compute:nova".to_owned()),
                    ..PortChange::default()
                };
                self.update_port(&port_id, change).map(|port| (port.id, false))
            }
            NetworkRequest::Network { network_id, fixed_ip } => {
                let fixed_ips = fixed_ip
                    .map(|ip| FixedIpRequest {
                        subnet_id: None,
                        ip_address: Some(ip),
                    })
                    .into_iter()
                    .collect();
                let port = PortSpec {
                    network_id,
                    fixed_ips,
                    security_groups: (!security_groups.is_empty()).then(|| security_groups.to_vec()),
                    device_id: server_id.to_owned(),
                    device_owner: "compute:nova".to_owned(),
                    ..PortSpec::default()
                };
                self.create_port(project, port).map(|port| (port.id, true))
            }
        };
        let Some(server) = self.compute.servers.get_mut(server_id) else {
            return Err(not_found(server_id));
        };
        match plugged {
            Ok((port_id, made_by_nova)) => server.interfaces.push(Interface {
                port_id,
                made_by_nova,
            }),
            Err(fault) => {
                let reason = if fault.kind == "OverQuota" {
                    "Maximum number of ports exceeded".to_owned()
                } else {
                    fault.message
                };
                server.fails_with.get_or_insert(reason);
            }
        }
        Ok(())
    }
}
