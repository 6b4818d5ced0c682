//! Which addresses a port gets.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::super::{ApiResult, World};
use super::port::{FixedIp, FixedIpRequest};
use crate::sim::api_fault::ApiFault;

impl World {
    /// Finds an address for each request, or one on the network's first subnet when nothing is requested.
    /// A network without subnets gives none, as in Neutron.
    pub(crate) fn allocate_addresses(
        &self,
        network_id: &str,
        requests: &[FixedIpRequest],
    ) -> ApiResult<Vec<FixedIp>> {
        let mut found: Vec<FixedIp> = Vec::new();
        if requests.is_empty() {
            let mut has_subnet = false;
            for subnet in self
                .network
                .subnets
                .values()
                .filter(|s| s.network_id == network_id)
            {
                has_subnet = true;
                if let Some(ip) = self.free_address(&subnet.id, &found) {
                    return Ok(vec![ip]);
                }
            }
            return if has_subnet {
                Err(exhausted(network_id))
            } else {
                Ok(found)
            };
        }
        for request in requests {
            let ip = self.requested_address(network_id, request, &found)?;
            found.push(ip);
        }
        Ok(found)
    }

    fn requested_address(
        &self,
        network_id: &str,
        request: &FixedIpRequest,
        taken: &[FixedIp],
    ) -> ApiResult<FixedIp> {
        let subnet = match &request.subnet_id {
            Some(id) => {
                let subnet = self.find_subnet(id)?;
                if subnet.network_id != network_id {
                    return Err(ApiFault::bad_request(
                        "InvalidInput",
                        format!(
                            "Invalid input for operation: Failed to create port on network {network_id}, \
                             because fixed_ips included invalid subnet {id}."
                        ),
                    ));
                }
                Some(subnet)
            }
            None => None,
        };
        let Some(wanted) = &request.ip_address else {
            let ip = match subnet {
                Some(subnet) => self.free_address(&subnet.id, taken),
                None => self
                    .network
                    .subnets
                    .values()
                    .filter(|s| s.network_id == network_id)
                    .find_map(|s| self.free_address(&s.id, taken)),
            };
            return ip.ok_or_else(|| exhausted(network_id));
        };
        let outside = || {
            ApiFault::bad_request(
                "InvalidIpForNetwork",
                format!(
                    "IP address {wanted} is not a valid IP for any of the subnets on the specified network."
                ),
            )
        };
        let address: Ipv4Addr = wanted.parse().map_err(|_| outside())?;
        let subnet = subnet
            .or_else(|| {
                self.network
                    .subnets
                    .values()
                    .find(|s| s.network_id == network_id && s.cidr.contains(&address))
            })
            .filter(|s| s.cidr.contains(&address))
            .ok_or_else(outside)?;
        if self.addresses_of(&subnet.id).contains(&address) {
            return Err(ApiFault::conflict(
                "IpAddressAlreadyAllocated",
                format!("IP address {address} already allocated in subnet {}", subnet.id),
            ));
        }
        Ok(FixedIp {
            subnet_id: subnet.id.clone(),
            ip_address: address,
        })
    }

    fn free_address(&self, subnet_id: &str, taken: &[FixedIp]) -> Option<FixedIp> {
        let subnet = self.network.subnets.get(subnet_id)?;
        let mut used = self.addresses_of(subnet_id);
        used.extend(
            taken
                .iter()
                .filter(|ip| ip.subnet_id == subnet_id)
                .map(|ip| ip.ip_address),
        );
        subnet
            .allocation_pools
            .iter()
            .flat_map(|(start, end)| u32::from(*start)..=u32::from(*end))
            .map(Ipv4Addr::from)
            .find(|address| !used.contains(address))
            .map(|ip_address| FixedIp {
                subnet_id: subnet_id.to_owned(),
                ip_address,
            })
    }

    fn addresses_of(&self, subnet_id: &str) -> BTreeSet<Ipv4Addr> {
        self.network
            .ports
            .values()
            .flat_map(|port| &port.fixed_ips)
            .filter(|ip| ip.subnet_id == subnet_id)
            .map(|ip| ip.ip_address)
            .collect()
    }
}

fn exhausted(network_id: &str) -> ApiFault {
    ApiFault::conflict(
        "IpAddressGenerationFailure",
        format!("No more IP addresses available on network {network_id}."),
    )
}
