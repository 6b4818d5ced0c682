//! What the driver is and can do.

use std::collections::BTreeMap;

use magnum_core::{ClusterType, DriverDescriptor, Feature, LabelSchema, LabelType, Software};

use super::{Distribution, Storage, runs};
use crate::common::descriptor::{choice, label};
use crate::common::flannel;

/// The most masters: etcd gets slower with each.
pub(super) const MAX_MASTERS: u32 = 9;

/// The most nodes; the private network has room for fewer.
pub(super) const MAX_MINIONS: u32 = 1000;

/// The addresses of services.
pub(super) const SERVICE_CIDR: &str = "10.254.0.0/16";

/// The first of them, which is the API's.
pub(super) const SERVICE_ADDRESS: &str = "10.254.0.1";

/// The one of the name server.
pub(super) const DNS_ADDRESS: &str = "10.254.0.10";

/// How many rules the groups have for SSH, ping, and what is reached from outside.
pub(super) const OPEN_RULES: u64 = 6;

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

pub(super) fn describe(distribution: &Distribution, notes: String) -> DriverDescriptor {
    let kind = ClusterType::new(distribution.server_type, distribution.os, "kubernetes");
    let mut descriptor = DriverDescriptor::new(distribution.driver, distribution.version, vec![kind]);
    descriptor.software = software();
    descriptor.network_drivers = choice(&["flannel"], Some("flannel"));
    descriptor.volume_drivers = choice(&["cinder"], None);
    if distribution.storage != Storage::Image {
        descriptor.storage_drivers = choice(&["devicemapper", "overlay"], Some("devicemapper"));
    }
    if distribution.storage == Storage::Volume {
        descriptor.docker_volume_size = Some(25);
    }
    descriptor.labels = labels();
    descriptor.tls = true;
    descriptor.masters = (1, MAX_MASTERS);
    descriptor.master_lb = true;
    descriptor.scalable = true;
    descriptor.named_removal = true;
    descriptor.discovery = true;
    descriptor.registry = true;
    descriptor.fixed_network = true;
    descriptor.only_fixed_network = distribution.existing_network;
    descriptor.private_only = true;
    descriptor.apiserver_port = true;
    distribution.login.clone_into(&mut descriptor.login);
    distribution.image.clone_into(&mut descriptor.image);
    descriptor.runs = runs::runs(distribution.apiserver_as);
    descriptor.template_path = Some(format!("{}/templates/kubecluster.yaml", distribution.driver));
    descriptor.notes = notes;
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

fn labels() -> Vec<LabelSchema> {
    let (least, most) = KUBERNETES_RANGE;
    let version = LabelType::Version {
        least: least.to_owned(),
        most: most.to_owned(),
    };
    let mut labels = flannel::labels();
    labels.extend([
        label(KUBE_TAG, version, Some(KUBERNETES), "Version of Kubernetes."),
        label(
            CLOUD_PROVIDER,
            LabelType::Boolean,
            Some("false"),
            "Lets Kubernetes make load balancers and mount volumes; puts the cluster's trust on its servers. \
             True with the volume driver cinder.",
        ),
    ]);
    labels
}
