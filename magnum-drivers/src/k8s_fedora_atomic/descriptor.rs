//! What the driver is and can do.

use std::collections::BTreeMap;

use magnum_core::{
    Choice, ClusterType, DriverDescriptor, Feature, LabelSchema, LabelType, ServerType, Software,
};

use super::version::{DRIVER, VERSION};

/// The most masters: etcd gets slower with each.
pub(super) const MAX_MASTERS: u32 = 9;

/// The most nodes; the private network has room for fewer, see the rules.
pub(super) const MAX_MINIONS: u32 = 1000;

/// The network that is made for the servers.
pub(super) const FIXED_NETWORK_CIDR: &str = "10.0.0.0/24";

/// The most servers that have room in it, beside the router, the DHCP servers and the load balancer.
pub(super) const MAX_SERVERS: u32 = 240;

/// The addresses of services.
pub(super) const SERVICE_CIDR: &str = "10.254.0.0/16";

/// The first of them, which is the API's.
pub(super) const SERVICE_ADDRESS: &str = "10.254.0.1";

/// The one of the name server.
pub(super) const DNS_ADDRESS: &str = "10.254.0.10";

/// How many rules the groups have for SSH, ping, and what is reached from outside.
pub(super) const MASTER_RULES: u64 = 3;
pub(super) const MINION_RULES: u64 = 3;

pub(super) const FLANNEL_CIDR: &str = "10.100.0.0/16";
pub(super) const FLANNEL_SUBNETLEN: &str = "24";

/// Versions of what the scripts install.
pub(super) const KUBERNETES: &str = "v1.15.7";
pub(super) const KUBERNETES_RANGE: (&str, &str) = ("v1.9.0", "v1.15.12");
pub(super) const ETCD: &str = "v3.3.10";
pub(super) const FLANNEL: &str = "v0.11.0-amd64";
pub(super) const COREDNS: &str = "1.3.1";
pub(super) const REGISTRY: &str = "2.7.1";

/// The cloud provider knows trusts and Keystone v3 for longer; Octavia it learnt in 1.9, whose first releases asked it for
/// floating IPs, which are Neutron's.
pub(super) const CLOUD_PROVIDER_SINCE: &str = "v1.10.0";

pub(super) const KUBE_TAG: &str = "kube_tag";
pub(super) const CLOUD_PROVIDER: &str = "cloud_provider_enabled";
pub(super) const NETWORK_CIDR: &str = "flannel_network_cidr";
pub(super) const SUBNETLEN: &str = "flannel_network_subnetlen";
pub(super) const BACKEND: &str = "flannel_backend";

pub(super) fn describe() -> DriverDescriptor {
    let kind = ClusterType::new(ServerType::Vm, "fedora-atomic", "kubernetes");
    let mut descriptor = DriverDescriptor::new(DRIVER, VERSION, vec![kind]);
    descriptor.software = software();
    descriptor.network_drivers = choice(&["flannel"], Some("flannel"));
    descriptor.volume_drivers = choice(&["cinder"], None);
    descriptor.storage_drivers = choice(&["devicemapper", "overlay"], Some("devicemapper"));
    descriptor.docker_volume_size = Some(25);
    descriptor.labels = labels();
    descriptor.tls = true;
    descriptor.masters = (1, MAX_MASTERS);
    descriptor.master_lb = true;
    descriptor.scalable = true;
    descriptor.named_removal = true;
    descriptor.discovery = true;
    descriptor.registry = true;
    descriptor.fixed_network = true;
    descriptor.private_only = true;
    descriptor.apiserver_port = true;
    "fedora".clone_into(&mut descriptor.login);
    include_str!("notes.md").clone_into(&mut descriptor.notes);
    descriptor
}

fn software() -> BTreeMap<String, Software> {
    let (least, most) = KUBERNETES_RANGE;
    let kubernetes = Software {
        default: KUBERNETES.to_owned(),
        range: Some((least.to_owned(), most.to_owned(), KUBE_TAG)),
        features: vec![Feature {
            what: "load balancers and volumes of the cloud, under a trust",
            since: CLOUD_PROVIDER_SINCE,
        }],
    };
    let fixed = |name: &str, version: &str| (name.to_owned(), Software::fixed(version));
    BTreeMap::from([
        ("kubernetes".to_owned(), kubernetes),
        fixed("etcd", ETCD),
        fixed("flannel", FLANNEL),
        fixed("coredns", COREDNS),
        fixed("registry", REGISTRY),
        fixed("docker", "the image's own"),
    ])
}

fn choice(allowed: &[&str], default: Option<&str>) -> Choice {
    Choice {
        allowed: allowed.iter().map(ToString::to_string).collect(),
        default: default.map(ToOwned::to_owned),
    }
}

fn labels() -> Vec<LabelSchema> {
    let label = |key: &str, value, default: Option<&str>, meaning: &str| LabelSchema {
        key: key.to_owned(),
        value,
        default: default.map(ToOwned::to_owned),
        meaning: meaning.to_owned(),
    };
    let words = |words: &[&str]| LabelType::OneOf(words.iter().map(ToString::to_string).collect());
    let (least, most) = KUBERNETES_RANGE;
    vec![
        label(
            NETWORK_CIDR,
            LabelType::Ipv4Cidr,
            Some(FLANNEL_CIDR),
            "Network of the pods.",
        ),
        label(
            SUBNETLEN,
            LabelType::Integer { min: 8, max: 30 },
            Some(FLANNEL_SUBNETLEN),
            "Length of the prefix of each server's part of it.",
        ),
        label(
            BACKEND,
            words(&["udp", "vxlan", "host-gw"]),
            Some("udp"),
            "How flannel carries packets between servers.",
        ),
        label(
            KUBE_TAG,
            LabelType::Version {
                least: least.to_owned(),
                most: most.to_owned(),
            },
            Some(KUBERNETES),
            "Version of Kubernetes.",
        ),
        label(
            CLOUD_PROVIDER,
            LabelType::Boolean,
            Some("false"),
            "Lets Kubernetes make load balancers and mount volumes; puts the cluster's trust on its servers. \
             True with the volume driver cinder.",
        ),
    ]
}
