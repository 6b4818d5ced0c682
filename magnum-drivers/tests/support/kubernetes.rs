//! Servers of Kubernetes clusters: the driver's parameters, put into the scripts by the driver's templates.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::process::Output;
use std::sync::LazyLock;

use magnum_core::{
    Cluster, DriverRef, IdentityEndpoint, NodeAccess, PoolRole, Secret, StackDriver, StackTemplate,
    TemplateDefinition as _, TrustAccess,
};
use magnum_drivers::KubernetesStack;
use serde_json::{Value, json};

use super::authority::endpoint_url;
use super::heat::{Attributes, Template, replace};
use super::node::signal_command;
use super::policy::{Endpoint, MASTER_CREDENTIAL, WORKER_CREDENTIAL};
use super::scratch::{RunningAs, Scratch};
use super::server::Server;

pub const VOLUME: &str = "4f6c1f0e-2bb7-4bd1-8f63-0dc3f56c5f11";
pub const SUBNET: &str = "0e0b3a1c-58bd-4a27-a5e5-8c1f9a6a4b0d";
pub const LOAD_BALANCER: &str = "10.0.0.100";
pub const LOAD_BALANCER_FLOATING: &str = "172.24.4.100";
pub const TRUSTEE_PASSWORD: &str = "trustee-password_0123456789";
pub const TRUST: &str = "trust0123456789abcdef";
pub const PROGRAM: &str = "/usr/local/bin/magnum-node";

/// The drivers of Kubernetes: one text, different in parts.
pub const DRIVERS: [&str; 3] = ["k8s_coreos", "k8s_fedora_atomic", "k8s_fedora_ironic"];
pub const COREOS: &str = DRIVERS[0];
pub const ATOMIC: &str = DRIVERS[1];
pub const IRONIC: &str = DRIVERS[2];

const COMMANDS: [&str; 19] = [
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

/// A cluster with one master and one node, of a template with nothing but what is mandatory and what the service
/// fills in.
pub fn kubernetes_cluster() -> Cluster {
    let mut cluster = super::cluster();
    cluster.driver = DriverRef {
        name: "k8s_fedora_atomic".into(),
        version: "1.0.0".into(),
    };
    "fedora-atomic".clone_into(&mut cluster.cluster_distro);
    "k8s".clone_into(&mut cluster.name);
    let spec = &mut cluster.template;
    "kubernetes".clone_into(&mut spec.coe);
    "fedora-atomic".clone_into(&mut spec.image_id);
    spec.master_flavor_id = Some("m1.small".into());
    spec.network_driver = Some("flannel".into());
    spec.docker_volume_size = Some(25);
    spec.docker_storage_driver = Some("devicemapper".into());
    spec.master_lb_enabled = Some(true);
    spec.floating_ip_enabled = Some(true);
    cluster
}

/// The same, of another driver.
pub fn cluster_of(driver: &str) -> Cluster {
    let mut cluster = kubernetes_cluster();
    let descriptor = driver_named(driver).definition().descriptor();
    driver.clone_into(&mut cluster.driver.name);
    descriptor.provides[0].os.clone_into(&mut cluster.cluster_distro);
    let spec = &mut cluster.template;
    spec.server_type = descriptor.provides[0].server_type;
    spec.docker_volume_size = descriptor.docker_volume_size;
    spec.docker_storage_driver = descriptor.storage_drivers.default.clone();
    if driver == IRONIC {
        spec.fixed_network = Some("machines".into());
        spec.fixed_subnet = Some(SUBNET.into());
    }
    cluster
}

pub fn label(cluster: &mut Cluster, key: &str, value: &str) {
    cluster.template.labels.insert(key.into(), value.into());
}

pub fn masters(cluster: &mut Cluster, count: u32) {
    cluster.pool_mut(PoolRole::Master).unwrap().count = count;
}

pub fn kubernetes_template() -> StackTemplate {
    driver().definition().template().clone()
}

/// Node access of both roles.
pub fn access(url: &str, ca: Option<String>) -> NodeAccess {
    NodeAccess {
        url: url.into(),
        ca,
        credentials: vec![
            (PoolRole::Master, Secret::new(MASTER_CREDENTIAL)),
            (PoolRole::Worker, Secret::new(WORKER_CREDENTIAL)),
        ],
    }
}

pub fn trust() -> TrustAccess {
    TrustAccess {
        identity: IdentityEndpoint {
            auth_url: "https://keystone.example:5000/v3".into(),
            ca: None,
            region: None,
            trustee_domain_id: None,
            trustee_domain_name: Some("magnum".into()),
        },
        user_id: "trustee0123456789".into(),
        user_name: "04952c60_trustee".into(),
        password: Secret::new(TRUSTEE_PASSWORD),
        trust_id: TRUST.into(),
    }
}

/// Which server of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Master(u32),
    Minion(u32),
}

/// What the cloud says about the servers of a cluster.
pub struct Cloud {
    pub nodes: NodeAccess,
    pub trust: TrustAccess,
    pub signal: String,
    /// Seconds to wait, where it is not what the driver says.
    pub wait: Option<u32>,
}

/// The user data of a server, exactly as Heat makes it.
pub fn user_data(cluster: &Cluster, role: Role, cloud: &Cloud) -> String {
    let (script, values) = filling(cluster, role, cloud).unwrap_or_else(|problem| panic!("{problem}"));
    replace(&script, &values)
}

/// The texts of the driver, read once.
struct Texts {
    files: BTreeMap<String, String>,
    top: Value,
    master: Value,
    minion: Value,
}

static TEXTS: LazyLock<BTreeMap<&str, Texts>> = LazyLock::new(|| {
    let texts = |name| {
        let StackTemplate { template, files } = driver_named(name).definition().template().clone();
        Texts {
            top: super::yaml(&template),
            master: super::yaml(&files["kubemaster.yaml"]),
            minion: super::yaml(&files["kubeminion.yaml"]),
            files,
        }
    };
    DRIVERS.into_iter().map(|name| (name, texts(name))).collect()
});

/// A driver, assembled once.
pub fn driver_named(name: &str) -> &'static StackDriver<KubernetesStack> {
    static ALL: LazyLock<[StackDriver<KubernetesStack>; 3]> = LazyLock::new(|| {
        [
            magnum_drivers::k8s_coreos(),
            magnum_drivers::k8s_fedora_atomic(),
            magnum_drivers::k8s_fedora_ironic(),
        ]
    });
    &ALL[DRIVERS.iter().position(|driver| *driver == name).unwrap()]
}

/// The one for Fedora Atomic.
pub fn driver() -> &'static StackDriver<KubernetesStack> {
    driver_named(ATOMIC)
}

/// The script of a server and what is put into it, by name; or what Heat refuses.
pub fn filling(
    cluster: &Cluster,
    role: Role,
    cloud: &Cloud,
) -> Result<(String, Vec<(String, String)>), String> {
    let texts = &TEXTS[cluster.driver.name.as_str()];
    let mut sent = driver_named(&cluster.driver.name)
        .stack_parameters(cluster, Some(&cloud.nodes), Some(&cloud.trust))
        .map_err(|error| error.to_string())?;
    if let Some(seconds) = cloud.wait {
        sent.insert("wait_condition_timeout".into(), json!(seconds));
    }
    let (group, server, nested, index) = match role {
        Role::Master(index) => ("kube_masters", "kube_master", &texts.master, index),
        Role::Minion(index) => ("kube_minions", "kube_minion", &texts.minion, index),
    };
    let attributes = attributes(cluster, index, cloud);
    let given = Template::accept(&texts.top, &sent, &attributes)?.member(group, index);
    let (script, values) = Template::accept(nested, &given, &attributes)?.replacements(server, &texts.files);
    Ok((script.to_owned(), values))
}

/// What the resources of a cluster's stack are like.
fn attributes(cluster: &Cluster, index: u32, cloud: &Cloud) -> Attributes {
    let count = cluster.master_count();
    let floating = cluster.template.floating_ip_enabled != Some(false);
    let private: Vec<String> = (0..count).map(private_address).collect();
    let public: Vec<String> = if floating {
        (0..count).map(public_address).collect()
    } else {
        private.clone()
    };
    Attributes::from([
        ("kube_master_ports.private_address", json!(private)),
        ("kube_master_ports.address", json!(public)),
        ("kube_master_ports.port_id", json!(private)),
        ("api_loadbalancer.vip_address", json!(LOAD_BALANCER)),
        (
            "api_pool_floating.floating_ip_address",
            json!(LOAD_BALANCER_FLOATING),
        ),
        ("private_subnet", json!(SUBNET)),
        ("docker_volume", json!(VOLUME)),
        ("master_wait_handle.curl_cli", json!(cloud.signal)),
        ("minion_wait_handle.curl_cli", json!(cloud.signal)),
        (
            "kube_minion_eth0.fixed_ips.0.ip_address",
            json!(private_address(50 + index)),
        ),
        (
            "kube_minion_floating.floating_ip_address",
            json!(public_address(50 + index)),
        ),
    ])
}

pub fn private_address(index: u32) -> String {
    format!("10.0.0.{}", 10 + index)
}

pub fn public_address(index: u32) -> String {
    format!("172.24.4.{}", 10 + index)
}

/// A server of a Kubernetes cluster before its first boot.
pub struct KubeServer {
    scratch: Scratch,
    pub role: Role,
    pub name: String,
    /// Where its own script is.
    program: &'static str,
}

impl Deref for KubeServer {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.scratch
    }
}

impl KubeServer {
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
            ATOMIC => {
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
        if driver != COREOS {
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

    /// The arguments in an environment file of a unit.
    pub fn arguments(&self, file: &str) -> Vec<String> {
        let text = self.plain(file);
        let (_, value) = text.trim_end().split_once("=\"").unwrap();
        value
            .trim_end_matches('"')
            .split(' ')
            .map(ToOwned::to_owned)
            .collect()
    }

    /// The arguments of the one container of a static pod.
    pub fn pod_arguments(&self, name: &str) -> Vec<String> {
        let pod = super::yaml(&self.plain(&format!("/etc/kubernetes/manifests/{name}.yaml")));
        let command = pod["spec"]["containers"][0]["command"]
            .as_array()
            .unwrap()
            .clone();
        command
            .into_iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
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
