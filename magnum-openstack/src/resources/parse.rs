//! What the services answer.

use std::collections::BTreeMap;

use magnum_core::{FloatingIp, LoadBalancer, NetworkPort, Volume};
use serde::Deserialize;

/// A list, or a page of it.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(
        alias = "loadbalancers",
        alias = "volumes",
        alias = "ports",
        alias = "floatingips",
        alias = "members"
    )]
    pub(super) items: Vec<T>,
    #[serde(
        default,
        alias = "loadbalancers_links",
        alias = "volumes_links",
        alias = "ports_links",
        alias = "floatingips_links",
        alias = "members_links"
    )]
    pub(super) links: Vec<Link>,
}

#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) rel: String,
}

/// One thing.
#[derive(Deserialize)]
pub(super) struct One<T> {
    #[serde(
        alias = "loadbalancer",
        alias = "volume",
        alias = "server",
        alias = "floatingip"
    )]
    pub(super) item: T,
}

// octavia/api/v2/types/load_balancer.py, release 11 (Zed)
#[derive(Deserialize)]
pub(super) struct LoadBalancerBody {
    pub(super) id: String,
    name: Option<String>,
    description: Option<String>,
    vip_subnet_id: Option<String>,
    vip_port_id: Option<String>,
    provisioning_status: String,
    #[serde(default)]
    pub(super) pools: Vec<IdBody>,
}

#[derive(Deserialize)]
pub(super) struct IdBody {
    pub(super) id: String,
}

// octavia/api/v2/types/member.py, release 11 (Zed)
#[derive(Deserialize)]
pub(super) struct MemberBody {
    pub(super) id: String,
    pub(super) address: String,
}

impl LoadBalancerBody {
    /// Octavia keeps the rows of what is gone for a while.
    pub(super) fn there(self) -> Option<LoadBalancer> {
        (self.provisioning_status != "DELETED").then(|| LoadBalancer {
            id: self.id,
            name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            vip_subnet_id: self.vip_subnet_id.unwrap_or_default(),
            vip_port_id: self.vip_port_id.unwrap_or_default(),
            provisioning_status: self.provisioning_status,
        })
    }
}

// cinder/api/v3/views/volumes.py, release 21 (Zed)
#[derive(Deserialize)]
pub(super) struct VolumeBody {
    pub(super) id: String,
    name: Option<String>,
    status: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    attachments: Vec<AttachmentBody>,
}

#[derive(Deserialize)]
struct AttachmentBody {
    server_id: Option<String>,
    host_name: Option<String>,
}

impl From<VolumeBody> for Volume {
    fn from(body: VolumeBody) -> Self {
        let server = |a: AttachmentBody| a.server_id.or(a.host_name).unwrap_or_default();
        Self {
            id: body.id,
            name: body.name.unwrap_or_default(),
            status: body.status,
            metadata: body.metadata,
            servers: body.attachments.into_iter().map(server).collect(),
        }
    }
}

// neutron_lib/api/definitions/port.py, release 21 (Zed)
#[derive(Deserialize)]
pub(super) struct PortBody {
    pub(super) id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    device_owner: String,
    #[serde(default)]
    device_id: String,
    #[serde(default)]
    fixed_ips: Vec<FixedIpBody>,
}

#[derive(Deserialize)]
struct FixedIpBody {
    ip_address: String,
}

impl From<PortBody> for NetworkPort {
    fn from(body: PortBody) -> Self {
        Self {
            id: body.id,
            name: body.name,
            device_owner: body.device_owner,
            device_id: body.device_id,
            addresses: body.fixed_ips.into_iter().map(|ip| ip.ip_address).collect(),
        }
    }
}

// neutron_lib/api/definitions/l3.py, release 21 (Zed)
#[derive(Deserialize)]
pub(super) struct FloatingIpBody {
    pub(super) id: String,
    port_id: Option<String>,
}

impl From<FloatingIpBody> for FloatingIp {
    fn from(body: FloatingIpBody) -> Self {
        Self {
            id: body.id,
            port_id: body.port_id.filter(|port| !port.is_empty()),
        }
    }
}

// nova/api/openstack/compute/views/servers.py, release 26 (Zed)
#[derive(Deserialize)]
pub(super) struct ServerBody {
    pub(super) name: String,
}
