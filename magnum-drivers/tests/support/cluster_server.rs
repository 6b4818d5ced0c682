//! A server of a cluster with masters and nodes, booted in a scratch root.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::process::Output;

use magnum_core::Cluster;

use super::authority::endpoint_url;
use super::node::signal_command;
use super::policy::Endpoint;
use super::scratch::{RunningAs, Scratch};
use super::server::Server;
use super::stacks::{ATOMIC, COREOS, Cloud, IRONIC, MESOS, Role, SWARM, VOLUME, access, trust, user_data};

pub const PROGRAM: &str = "/usr/local/bin/magnum-node";

const COMMANDS: [&str; 22] = [
    "mkfs.ext4",
    "service",
    "mesos-master",
    "findmnt",
    "umount",
    "iptables",
    "modprobe",
    "sysctl",
    "journalctl",
    "docker",
    "systemctl",
    "udevadm",
    "wipefs",
    "pvcreate",
    "vgcreate",
    "mkfs.xfs",
    "mount",
    "restorecon",
    "sleep",
    "curl",
    "uname",
    "kubectl",
];

/// Where the scripts write.
const PREFIXES: [&str; 6] = [
    "/etc/",
    "/var/lib/",
    "/usr/local/",
    "/opt/",
    "/dev/disk/",
    "/run/flannel/",
];

/// A server of a cluster before its first boot.
pub struct ClusterServer {
    scratch: Scratch,
    pub role: Role,
    pub name: String,
    /// Where its own script is.
    program: &'static str,
}

impl Deref for ClusterServer {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.scratch
    }
}

impl ClusterServer {
    pub fn new(cluster: &Cluster, role: Role, endpoint: &Endpoint) -> Self {
        Self::with(cluster, role, &endpoint_url(&endpoint.server), |_| {})
    }

    /// A server for which the cloud is changed before it is made.
    pub fn with(cluster: &Cluster, role: Role, endpoint: &str, change: impl FnOnce(&mut Cloud)) -> Self {
        let heat = Server::start(|_| (200, "{}".into()));
        let mut cloud = Cloud {
            nodes: access(endpoint, None),
            trust: trust(),
            signal: signal_command(&heat),
            wait: None,
        };
        change(&mut cloud);
        let script = user_data(cluster, role, &cloud);
        let scratch = Scratch::new(&COMMANDS, heat);
        scratch.install("user-data", &script, &PREFIXES);
        let driver = cluster.driver.name.as_str();
        match driver {
            ATOMIC | SWARM | MESOS => {
                let device = format!("/dev/disk/by-id/virtio-{}", &VOLUME[..20]);
                scratch.write(&device, "");
                scratch.write(&format!("{device}-part1"), "");
            }
            IRONIC => {
                scratch.write("/dev/disk/sdb", "");
                scratch.write("/dev/disk/by-label/other", "");
                std::os::unix::fs::symlink("../sdb", scratch.path("/dev/disk/by-label/ephemeral0")).unwrap();
            }
            _ => {}
        }
        if driver == MESOS {
            scratch.write("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 ubuntu\n");
            for name in ["docker", "zookeeper", "mesos-master", "mesos-slave", "marathon"] {
                scratch.write(&format!("/etc/init/{name}.override"), "manual\n");
            }
            scratch.write(
                "/etc/zookeeper/conf/zoo.cfg",
                "tickTime=2000\nserver.1=old:2888:3888\n",
            );
        } else if driver != COREOS {
            scratch.write(
                "/etc/sysconfig/docker",
                "OPTIONS='--selinux-enabled --log-driver=journald'\n",
            );
            scratch.write("/etc/sysconfig/docker-storage", "DOCKER_STORAGE_OPTIONS=--old\n");
        }
        let program = if driver == COREOS {
            "/opt/bin/magnum-node"
        } else {
            PROGRAM
        };
        let line = script.lines().find(|l| l.starts_with("node_name='")).unwrap();
        let name = line
            .trim_start_matches("node_name='")
            .trim_end_matches('\'')
            .to_owned();
        Self {
            scratch,
            role,
            name,
            program,
        }
    }

    pub fn configure(&self) -> Output {
        self.run(RunningAs::Script("user-data"))
    }

    pub fn start(&self) -> Output {
        self.run(RunningAs::Start(self.program))
    }

    pub fn renew(&self) -> Output {
        self.run(RunningAs::Renew(self.program))
    }

    pub fn configures(&self) {
        self.succeeds(&self.configure());
    }

    pub fn starts(&self) {
        self.succeeds(&self.start());
    }

    /// Configures and starts.
    pub fn comes_up(&self) {
        self.configures();
        self.starts();
    }

    /// Makes it as it was after it was configured and before it was started.
    pub fn unstart(&self) {
        for directory in [self.path("/var/lib/magnum"), self.beside("active")] {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().is_some_and(|name| name != "storage") {
                    fs::remove_file(path).unwrap();
                }
            }
        }
        self.forget();
    }

    /// `KEY="VALUE"` lines.
    pub fn variables(&self, file: &str) -> BTreeMap<String, String> {
        let text = self.plain(file);
        let pair = |line: &str| {
            let (key, value) = line.split_once("=\"").unwrap();
            (key.to_owned(), value.trim_end_matches('"').to_owned())
        };
        text.lines().map(pair).collect()
    }
}
