//! What the driver is and can do.

use std::collections::BTreeMap;

use magnum_core::PoolRole::{Master, Worker};
use magnum_core::Reach::{Cluster, Everybody, Masters, Server};
use magnum_core::RunsAs::{Container, Service};
use magnum_core::{ClusterType, DriverDescriptor, LabelSchema, LabelType, Runs, ServerType, Software};

use super::version::{DRIVER, VERSION};
use crate::common::descriptor::{choice, label, one_of};
use crate::common::flannel;

/// The most managers: etcd gets slower with each.
pub(super) const MAX_MASTERS: u32 = 9;

/// The most nodes; the private network has room for fewer.
pub(super) const MAX_NODES: u32 = 1000;

/// The port of the managers.
pub(super) const PORT: u16 = 2376;

/// The port of the nodes' Docker, for the managers.
pub(super) const DOCKER_PORT: u16 = 2375;

/// The ports of nodes that everybody reaches, where containers publish theirs: those that Docker chooses itself, and
/// what is around them.
pub(super) const PUBLISHED: (u16, u16) = (30_000, 61_000);

/// How many rules the groups have for SSH, ping, and what is reached from outside.
pub(super) const OPEN_RULES: u64 = 7;

/// Versions of what the scripts install.
pub(super) const SWARM: &str = VERSIONS[4];
pub(super) const ETCD: &str = "v3.3.10";
pub(super) const FLANNEL: &str = "v0.11.0-amd64";
pub(super) const REGISTRY: &str = "2.7.1";
pub(super) const REXRAY: &str = "alpine";

/// Those of Swarm that can be asked for, the oldest first.
pub(super) const VERSIONS: [&str; 5] = ["1.2.5", "1.2.6", "1.2.7", "1.2.8", "1.2.9"];

pub(super) const SWARM_VERSION: &str = "swarm_version";
pub(super) const STRATEGY: &str = "swarm_strategy";
pub(super) const PREEMPT: &str = "rexray_preempt";

pub(super) fn describe(notes: String) -> DriverDescriptor {
    let kind = ClusterType::new(ServerType::Vm, "fedora-atomic", "swarm");
    let mut descriptor = DriverDescriptor::new(DRIVER, VERSION, vec![kind]);
    let fixed = |name: &str, version: &str| (name.to_owned(), Software::fixed(version));
    let swarm = Software {
        range: Some((VERSIONS[0].to_owned(), SWARM.to_owned(), SWARM_VERSION)),
        ..Software::fixed(SWARM)
    };
    descriptor.software = BTreeMap::from([
        ("swarm".to_owned(), swarm),
        fixed("etcd", ETCD),
        fixed("flannel", FLANNEL),
        fixed("registry", REGISTRY),
        fixed("rexray", REXRAY),
        fixed("docker", "the image's own"),
    ]);
    descriptor.network_drivers = choice(&["docker", "flannel"], Some("docker"));
    descriptor.volume_drivers = choice(&["rexray"], None);
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
    "fedora".clone_into(&mut descriptor.login);
    "Fedora Atomic Host 26 to 29, as published".clone_into(&mut descriptor.image);
    descriptor.runs = runs();
    descriptor.template_path = Some(format!("{DRIVER}/templates/cluster.yaml"));
    descriptor.notes = notes;
    descriptor
}

fn labels() -> Vec<LabelSchema> {
    let mut labels = flannel::labels();
    labels.extend([
        label(
            PREEMPT,
            LabelType::Boolean,
            Some("false"),
            "Lets a node take a volume that another one uses; with the volume driver rexray.",
        ),
        label(
            STRATEGY,
            one_of(&["spread", "binpack", "random"]),
            Some("spread"),
            "How the managers choose a node for a container.",
        ),
        label(SWARM_VERSION, one_of(&VERSIONS), Some(SWARM), "Version of Swarm."),
    ]);
    labels
}

fn runs() -> Vec<Runs> {
    let both = &[Master, Worker];
    vec![
        Runs::new("sshd", both, Service).listening("22/tcp", Everybody),
        Runs::new("docker", both, Service)
            .listening("2375/tcp on nodes", Masters)
            .listening(
                "7946/tcp, 7946/udp and 4789/udp on nodes with the network driver docker",
                Cluster,
            )
            .listening(
                "30000-61000/tcp and /udp on nodes, published by containers",
                Everybody,
            ),
        Runs::new("etcd", &[Master], Service)
            .listening("2379/tcp", Cluster)
            .listening("2380/tcp", Masters),
        Runs::new("swarm-manager", &[Master], Container).listening("2376/tcp", Everybody),
        Runs::new("swarm-agent", &[Worker], Container),
        Runs::new("flanneld", &[Worker], Service)
            .when("`network_driver=flannel`")
            .listening("8285/udp with the backend udp", Cluster)
            .listening("8472/udp with the backend vxlan", Cluster),
        Runs::new("flannel-docker-bridge", &[Worker], Service)
            .when("`network_driver=flannel`, before Docker"),
        Runs::new("rexray", &[Worker], Container)
            .when("`volume_driver=rexray`")
            .listening("7979/tcp", Server),
        Runs::new("registry", &[Worker], Container)
            .when("`registry_enabled`")
            .listening("5000/tcp", Server),
        Runs::new("magnum-node", both, Service).when("at each boot, until all else is started"),
    ]
}
