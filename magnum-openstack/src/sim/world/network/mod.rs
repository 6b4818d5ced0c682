//! Neutron: networks, subnets, routers, ports, security groups, floating IPs, and their quotas.

pub mod address;
pub mod floating_ip;
pub mod net;
pub mod port;
pub mod quota;
pub mod router;
pub mod security_group;
pub mod subnet;

use std::collections::BTreeMap;

pub use floating_ip::{FloatingIp, FloatingIpSpec};
pub use net::{Network, NetworkSpec};
pub use port::{AddressPair, FixedIp, FixedIpRequest, Port, PortChange, PortSpec};
pub use router::{Gateway, Router, RouterSpec};
pub use security_group::{SecurityGroup, SecurityGroupRule, SecurityGroupRuleSpec};
pub use subnet::{Subnet, SubnetSpec};

/// What Neutron knows. Keys are identifiers.
#[derive(Debug, Default)]
pub struct Networking {
    pub(crate) networks: BTreeMap<String, Network>,
    pub(crate) subnets: BTreeMap<String, Subnet>,
    pub(crate) routers: BTreeMap<String, Router>,
    pub(crate) ports: BTreeMap<String, Port>,
    pub(crate) security_groups: BTreeMap<String, SecurityGroup>,
    pub(crate) floating_ips: BTreeMap<String, FloatingIp>,
    /// Limits by project and resource; what is not here has Neutron's default.
    pub(crate) quotas: BTreeMap<(String, String), i64>,
}

impl Networking {
    /// All networks.
    pub fn networks(&self) -> impl Iterator<Item = &Network> {
        self.networks.values()
    }

    /// All subnets.
    pub fn subnets(&self) -> impl Iterator<Item = &Subnet> {
        self.subnets.values()
    }

    /// All routers.
    pub fn routers(&self) -> impl Iterator<Item = &Router> {
        self.routers.values()
    }

    /// All ports, those of routers and floating IPs included.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.ports.values()
    }

    /// All security groups, those named `default` included.
    pub fn security_groups(&self) -> impl Iterator<Item = &SecurityGroup> {
        self.security_groups.values()
    }

    /// All floating IPs.
    pub fn floating_ips(&self) -> impl Iterator<Item = &FloatingIp> {
        self.floating_ips.values()
    }
}
