//! What the driver is and can do.

use std::collections::BTreeMap;

use magnum_core::PoolRole::{Master, Worker};
use magnum_core::Reach::{Cluster, Everybody, Server};
use magnum_core::RunsAs::{Container, Service};
use magnum_core::{ClusterType, DriverDescriptor, LabelSchema, LabelType, Runs, ServerType, Software};

use super::version::{DRIVER, VERSION};
use crate::common::descriptor::{choice, label};

/// The most masters: ZooKeeper gets slower with each.
pub(super) const MAX_MASTERS: u32 = 9;

/// The most slaves; the private network has room for fewer.
pub(super) const MAX_SLAVES: u32 = 1000;

/// The ports that Mesos gives to tasks.
pub(super) const TASKS: (u16, u16) = (31_000, 32_000);

/// How many rules the groups have for SSH, ping, and what is reached from outside.
pub(super) const OPEN_RULES: u64 = 8;

pub(super) const REXRAY_IMAGE: &str = "docker.io/openstackmagnum/rexray:alpine";

pub(super) const PREEMPT: &str = "rexray_preempt";
pub(super) const ISOLATION: &str = "mesos_slave_isolation";
pub(super) const IMAGE_PROVIDERS: &str = "mesos_slave_image_providers";
pub(super) const WORK_DIR: &str = "mesos_slave_work_dir";
pub(super) const EXECUTOR_ENV: &str = "mesos_slave_executor_env_variables";

const ISOLATORS: [&str; 10] = [
    "filesystem/posix",
    "filesystem/linux",
    "filesystem/shared",
    "posix/cpu",
    "posix/mem",
    "posix/disk",
    "cgroups/cpu",
    "cgroups/mem",
    "docker/runtime",
    "namespaces/pid",
];

pub(super) fn describe() -> DriverDescriptor {
    let kind = ClusterType::new(ServerType::Vm, "ubuntu", "mesos");
    let mut descriptor = DriverDescriptor::new(DRIVER, VERSION, vec![kind]);
    let fixed = |name: &str, version: &str| (name.to_owned(), Software::fixed(version));
    descriptor.software = BTreeMap::from([
        fixed("mesos", "0.25.0 in the image as built here"),
        fixed("marathon", "0.11.1 in the image as built here"),
        fixed("zookeeper", "the image's own"),
        fixed("docker", "1.13.1 in the image as built here"),
        fixed("rexray", "alpine"),
    ]);
    descriptor.network_drivers = choice(&["docker"], Some("docker"));
    descriptor.volume_drivers = choice(&["rexray"], None);
    descriptor.docker_volume_size = Some(0);
    descriptor.labels = labels();
    descriptor.masters = (1, MAX_MASTERS);
    descriptor.master_lb = true;
    descriptor.scalable = true;
    descriptor.named_removal = true;
    descriptor.fixed_network = true;
    descriptor.private_only = true;
    "ubuntu".clone_into(&mut descriptor.login);
    "Ubuntu 14.04 with Docker, ZooKeeper, Mesos and Marathon, by diskimage-builder"
        .clone_into(&mut descriptor.image);
    descriptor.runs = runs();
    descriptor.template_path = Some(format!("{DRIVER}/templates/mesoscluster.yaml"));
    include_str!("notes.md").clone_into(&mut descriptor.notes);
    descriptor
}

fn labels() -> Vec<LabelSchema> {
    let some_of = |words: &[&str]| LabelType::SomeOf(words.iter().map(ToString::to_string).collect());
    vec![
        label(
            PREEMPT,
            LabelType::Boolean,
            Some("false"),
            "Lets a slave take a volume that another one uses; with the volume driver rexray.",
        ),
        label(
            ISOLATION,
            some_of(&ISOLATORS),
            None,
            "How slaves keep tasks apart; as Mesos does it when not given.",
        ),
        label(
            IMAGE_PROVIDERS,
            some_of(&["appc", "docker"]),
            None,
            "Kinds of container images that Mesos runs itself; `docker` needs the isolation `docker/runtime`.",
        ),
        label(
            WORK_DIR,
            LabelType::Path,
            None,
            "Where slaves keep their work; where Mesos does when not given.",
        ),
        label(
            EXECUTOR_ENV,
            LabelType::Text { most: 4096 },
            None,
            "Variables of executors: the path of a JSON file on the slaves, or the JSON object itself, of texts.",
        ),
    ]
}

fn runs() -> Vec<Runs> {
    let both = &[Master, Worker];
    vec![
        Runs::new("sshd", both, Service).listening("22/tcp", Everybody),
        Runs::new("docker", both, Service),
        Runs::new("zookeeper", &[Master], Service).listening("2181/tcp, 2888/tcp and 3888/tcp", Cluster),
        Runs::new("mesos-master", &[Master], Service).listening("5050/tcp", Everybody),
        Runs::new("marathon", &[Master], Service).listening("8080/tcp", Everybody),
        Runs::new("mesos-slave", &[Worker], Service)
            .listening("5051/tcp", Cluster)
            .listening("31000-32000/tcp and /udp for tasks", Everybody),
        Runs::new("rexray", &[Worker], Container)
            .when("`volume_driver=rexray`")
            .listening("7979/tcp", Server),
    ]
}
