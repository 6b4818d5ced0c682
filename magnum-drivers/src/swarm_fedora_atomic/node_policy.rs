//! Which certificates the servers of a cluster may have.
//!
//! | Role | Purpose | Authority | Subject | Good for |
//! | --- | --- | --- | --- | --- |
//! | master | `manager` | the cluster's | `master.<uuid>` | serving Swarm, and being a client of the nodes' Docker |
//! | master | `etcd` | `etcd` | `master.<uuid>` | serving etcd and talking to it |
//! | worker | `daemon` | the cluster's | `worker.<uuid>` | serving Docker to the managers |
//! | worker | `etcd-client` | `etcd` | `worker.<uuid>` | telling the managers of itself, and the containers' network |

use std::net::{IpAddr, Ipv4Addr};

use magnum_core::{
    CLUSTER_AUTHORITY, NameSource, NodeCertificate, NodeName, NodePolicy, PoolRole, SubjectName,
};

const ETCD: &str = "etcd";

const MASTER_NAMES: &[NameSource] = &[
    source("OS::Neutron::Port", "swarm_master_eth0", "fixed_ips"),
    source(
        "OS::Neutron::FloatingIP",
        "swarm_master_floating",
        "floating_ip_address",
    ),
    source("OS::Nova::Server", "swarm_master", "name"),
    source("OS::Octavia::LoadBalancer", "api_loadbalancer", "vip_address"),
    source(
        "OS::Neutron::FloatingIP",
        "api_pool_floating",
        "floating_ip_address",
    ),
];

const NODE_NAMES: &[NameSource] = &[
    source("OS::Neutron::Port", "swarm_node_eth0", "fixed_ips"),
    source(
        "OS::Neutron::FloatingIP",
        "swarm_node_floating",
        "floating_ip_address",
    ),
    source("OS::Nova::Server", "swarm_node", "name"),
];

const fn source(kind: &'static str, resource: &'static str, attribute: &'static str) -> NameSource {
    NameSource {
        kind,
        resource,
        attribute,
    }
}

pub(super) fn names(role: PoolRole) -> &'static [NameSource] {
    match role {
        PoolRole::Master => MASTER_NAMES,
        PoolRole::Worker => NODE_NAMES,
    }
}

pub(super) fn policy() -> NodePolicy {
    let loopback = || vec![SubjectName::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST))];
    let certificate = |role, purpose, authority| NodeCertificate {
        purpose,
        role,
        authority,
        name: NodeName::Role,
        organization: None,
        server: true,
        client: true,
        names: Vec::new(),
    };
    NodePolicy {
        authorities: vec![ETCD],
        certificates: vec![
            NodeCertificate {
                names: loopback(),
                ..certificate(PoolRole::Master, "manager", CLUSTER_AUTHORITY)
            },
            NodeCertificate {
                names: loopback(),
                ..certificate(PoolRole::Master, "etcd", ETCD)
            },
            NodeCertificate {
                client: false,
                ..certificate(PoolRole::Worker, "daemon", CLUSTER_AUTHORITY)
            },
            NodeCertificate {
                server: false,
                ..certificate(PoolRole::Worker, "etcd-client", ETCD)
            },
        ],
        renewal: true,
        shared_keys: Vec::new(),
    }
}
