//! Which certificates the servers of a cluster may have.
//!
//! | Role | Purpose | Authority | Subject | Good for |
//! | --- | --- | --- | --- | --- |
//! | master | `server` | the cluster's | `master.<uuid>` | serving the API, by its addresses and the service's names |
//! | master | `admin` | the cluster's | `kubernetes-master` of `system:masters` | everything, from the master itself |
//! | master | `etcd` | `etcd` | `master.<uuid>` | serving etcd and talking to it |
//! | both | `kubelet` | the cluster's | `system:node:<server>` of `system:nodes` | what this very node needs |
//! | worker | `proxy` | the cluster's | `system:kube-proxy` | reading services |
//!
//! Masters share the key that signs the tokens of service accounts.

use std::net::IpAddr;

use magnum_core::{
    CLUSTER_AUTHORITY, NameSource, NodeCertificate, NodeName, NodePolicy, PoolRole, SubjectName,
};

use super::descriptor::SERVICE_ADDRESS;

const ETCD: &str = "etcd";
const SERVICE_ACCOUNT: &str = "service-account";

const MASTER_NAMES: &[NameSource] = &[
    source("OS::Neutron::Port", "kube_master_eth0", "fixed_ips"),
    source(
        "OS::Neutron::FloatingIP",
        "kube_master_floating",
        "floating_ip_address",
    ),
    source("OS::Nova::Server", "kube_master", "name"),
    source("OS::Octavia::LoadBalancer", "api_loadbalancer", "vip_address"),
    source(
        "OS::Neutron::FloatingIP",
        "api_pool_floating",
        "floating_ip_address",
    ),
];

const MINION_NAMES: &[NameSource] = &[
    source("OS::Neutron::Port", "kube_minion_eth0", "fixed_ips"),
    source(
        "OS::Neutron::FloatingIP",
        "kube_minion_floating",
        "floating_ip_address",
    ),
    source("OS::Nova::Server", "kube_minion", "name"),
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
        PoolRole::Worker => MINION_NAMES,
    }
}

pub(super) fn policy() -> NodePolicy {
    let ip = |text: &str| text.parse::<IpAddr>().ok().map(SubjectName::Ip);
    let loopback: Vec<SubjectName> = ip("127.0.0.1").into_iter().collect();
    let mut api = loopback.clone();
    api.extend(ip(SERVICE_ADDRESS));
    let services = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    api.extend(services.map(|name| SubjectName::Dns(name.to_owned())));
    let certificate = |role, purpose, name| NodeCertificate {
        purpose,
        role,
        authority: CLUSTER_AUTHORITY,
        name,
        organization: None,
        server: true,
        client: true,
        names: Vec::new(),
    };
    let kubelet = |role| NodeCertificate {
        organization: Some("system:nodes"),
        ..certificate(role, "kubelet", NodeName::Server("system:node:"))
    };
    NodePolicy {
        authorities: vec![ETCD, SERVICE_ACCOUNT],
        certificates: vec![
            NodeCertificate {
                client: false,
                names: api,
                ..certificate(PoolRole::Master, "server", NodeName::Role)
            },
            NodeCertificate {
                server: false,
                organization: Some("system:masters"),
                ..certificate(PoolRole::Master, "admin", NodeName::Fixed("kubernetes-master"))
            },
            NodeCertificate {
                authority: ETCD,
                names: loopback,
                ..certificate(PoolRole::Master, "etcd", NodeName::Role)
            },
            kubelet(PoolRole::Master),
            kubelet(PoolRole::Worker),
            NodeCertificate {
                server: false,
                ..certificate(PoolRole::Worker, "proxy", NodeName::Fixed("system:kube-proxy"))
            },
        ],
        shared_keys: vec![(PoolRole::Master, SERVICE_ACCOUNT)],
        renewal: true,
    }
}
