//! The stacks of clusters with masters and nodes: a driver's parameters, put into its scripts by its templates.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use magnum_core::{
    Cluster, ClusterDriver, DriverRef, IdentityEndpoint, NodeAccess, Parameters, PoolRole, Secret,
    StackDriver, StackTemplate, TemplateDefinition, TrustAccess,
};
use serde_json::{Value, json};

use super::heat::{Attributes, Template, replace};
use super::policy::{MASTER_CREDENTIAL, WORKER_CREDENTIAL};

pub const VOLUME: &str = "4f6c1f0e-2bb7-4bd1-8f63-0dc3f56c5f11";
pub const SUBNET: &str = "0e0b3a1c-58bd-4a27-a5e5-8c1f9a6a4b0d";
pub const LOAD_BALANCER: &str = "10.0.0.100";
pub const LOAD_BALANCER_FLOATING: &str = "172.24.4.100";
pub const TRUSTEE_PASSWORD: &str = "trustee-password_0123456789";
pub const TRUST: &str = "trust0123456789abcdef";

pub const COREOS: &str = "k8s_coreos";
pub const ATOMIC: &str = "k8s_fedora_atomic";
pub const IRONIC: &str = "k8s_fedora_ironic";
pub const SWARM: &str = "swarm_fedora_atomic";
pub const MESOS: &str = "mesos_ubuntu";

/// The drivers of Kubernetes: one text, different in parts.
pub const KUBERNETES: [&str; 3] = [COREOS, ATOMIC, IRONIC];

/// All whose clusters have masters and nodes.
pub const DRIVERS: [&str; 5] = [COREOS, ATOMIC, IRONIC, SWARM, MESOS];

/// How the parts of a driver's stack are called.
pub struct Shape {
    /// The masters' template and script without their endings, their group, the group of their ports, a master's server.
    pub master: Part,
    pub node: Part,
    pub ports: &'static str,
}

/// A kind of server of a stack.
pub struct Part {
    pub file: &'static str,
    pub group: &'static str,
    pub server: &'static str,
    pub wait_handle: &'static str,
}

const KUBERNETES_SHAPE: Shape = Shape {
    master: Part {
        file: "kubemaster",
        group: "kube_masters",
        server: "kube_master",
        wait_handle: "master_wait_handle.curl_cli",
    },
    node: Part {
        file: "kubeminion",
        group: "kube_minions",
        server: "kube_minion",
        wait_handle: "minion_wait_handle.curl_cli",
    },
    ports: "kube_master_ports",
};

const SWARM_SHAPE: Shape = Shape {
    master: Part {
        file: "swarmmaster",
        group: "swarm_masters",
        server: "swarm_master",
        wait_handle: "master_wait_handle.curl_cli",
    },
    node: Part {
        file: "swarmnode",
        group: "swarm_nodes",
        server: "swarm_node",
        wait_handle: "node_wait_handle.curl_cli",
    },
    ports: "swarm_master_ports",
};

const MESOS_SHAPE: Shape = Shape {
    master: Part {
        file: "mesosmaster",
        group: "mesos_masters",
        server: "mesos_master",
        wait_handle: "master_wait_handle.curl_cli",
    },
    node: Part {
        file: "mesosslave",
        group: "mesos_slaves",
        server: "mesos_slave",
        wait_handle: "slave_wait_handle.curl_cli",
    },
    ports: "mesos_master_ports",
};

pub fn shape(driver: &str) -> &'static Shape {
    match driver {
        SWARM => &SWARM_SHAPE,
        MESOS => &MESOS_SHAPE,
        _ => &KUBERNETES_SHAPE,
    }
}

/// A driver whose clusters are one stack.
pub trait Stack: ClusterDriver {
    fn definition(&self) -> &dyn TemplateDefinition;

    fn stack_parameters(
        &self,
        cluster: &Cluster,
        nodes: Option<&NodeAccess>,
        trust: Option<&TrustAccess>,
    ) -> magnum_core::Result<Parameters>;
}

impl<T: TemplateDefinition> Stack for StackDriver<T> {
    fn definition(&self) -> &dyn TemplateDefinition {
        Self::definition(self)
    }

    fn stack_parameters(
        &self,
        cluster: &Cluster,
        nodes: Option<&NodeAccess>,
        trust: Option<&TrustAccess>,
    ) -> magnum_core::Result<Parameters> {
        Self::stack_parameters(self, cluster, nodes, trust)
    }
}

/// A driver, assembled once.
pub fn driver_named(name: &str) -> &'static dyn Stack {
    static ALL: LazyLock<BTreeMap<&str, Box<dyn Stack>>> = LazyLock::new(|| {
        BTreeMap::from([
            (COREOS, Box::new(magnum_drivers::k8s_coreos()) as Box<dyn Stack>),
            (ATOMIC, Box::new(magnum_drivers::k8s_fedora_atomic())),
            (IRONIC, Box::new(magnum_drivers::k8s_fedora_ironic())),
            (SWARM, Box::new(magnum_drivers::swarm_fedora_atomic())),
            (MESOS, Box::new(magnum_drivers::mesos_ubuntu())),
        ])
    });
    ALL[name].as_ref()
}

/// A cluster with one master and one node, of a template with nothing but what is mandatory and what the service
/// fills in.
pub fn cluster_of(driver: &str) -> Cluster {
    let mut cluster = super::cluster();
    let descriptor = driver_named(driver).descriptor();
    let kind = &descriptor.provides[0];
    cluster.driver = DriverRef {
        name: driver.into(),
        version: "1.0.0".into(),
    };
    kind.os.clone_into(&mut cluster.cluster_distro);
    let spec = &mut cluster.template;
    kind.coe.clone_into(&mut spec.coe);
    kind.os.clone_into(&mut spec.image_id);
    spec.server_type = kind.server_type;
    spec.master_flavor_id = Some("m1.small".into());
    spec.network_driver = descriptor.network_drivers.default.clone();
    spec.docker_volume_size = descriptor.docker_volume_size.filter(|size| *size > 0);
    spec.tls_disabled = !descriptor.tls;
    spec.docker_storage_driver = descriptor.storage_drivers.default.clone();
    spec.master_lb_enabled = Some(true);
    spec.floating_ip_enabled = Some(true);
    if driver == IRONIC {
        spec.fixed_network = Some("machines".into());
        spec.fixed_subnet = Some(SUBNET.into());
    }
    match driver {
        SWARM => "swarm",
        MESOS => "mesos",
        _ => "k8s",
    }
    .clone_into(&mut cluster.name);
    cluster
}

pub fn label(cluster: &mut Cluster, key: &str, value: &str) {
    cluster.template.labels.insert(key.into(), value.into());
}

pub fn masters(cluster: &mut Cluster, count: u32) {
    cluster.pool_mut(PoolRole::Master).unwrap().count = count;
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

/// The first of each.
pub const BOTH: [Role; 2] = [Role::Master(0), Role::Minion(0)];

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

/// The texts of a driver, read once.
struct Texts {
    files: BTreeMap<String, String>,
    top: Value,
    master: Value,
    node: Value,
}

static TEXTS: LazyLock<BTreeMap<&str, Texts>> = LazyLock::new(|| {
    let texts = |name| {
        let StackTemplate { template, files } = driver_named(name).definition().template().clone();
        let nested = |part: &Part| super::yaml(&files[&format!("{}.yaml", part.file)]);
        let shape = shape(name);
        Texts {
            top: super::yaml(&template),
            master: nested(&shape.master),
            node: nested(&shape.node),
            files,
        }
    };
    DRIVERS.into_iter().map(|name| (name, texts(name))).collect()
});

/// The script of a server and what is put into it, by name; or what Heat refuses.
pub fn filling(
    cluster: &Cluster,
    role: Role,
    cloud: &Cloud,
) -> Result<(String, Vec<(String, String)>), String> {
    let name = cluster.driver.name.as_str();
    let (texts, shape) = (&TEXTS[name], shape(name));
    let mut sent = driver_named(name)
        .stack_parameters(cluster, Some(&cloud.nodes), Some(&cloud.trust))
        .map_err(|error| error.to_string())?;
    if let Some(seconds) = cloud.wait {
        sent.insert("wait_condition_timeout".into(), json!(seconds));
    }
    let (part, nested, index) = match role {
        Role::Master(index) => (&shape.master, &texts.master, index),
        Role::Minion(index) => (&shape.node, &texts.node, index),
    };
    let attributes = attributes(cluster, index, cloud);
    let given = Template::accept(&texts.top, &sent, &attributes)?.member(part.group, index);
    let (script, values) =
        Template::accept(nested, &given, &attributes)?.replacements(part.server, &texts.files);
    Ok((script.to_owned(), values))
}

/// What the resources of a cluster's stack are like.
fn attributes(cluster: &Cluster, index: u32, cloud: &Cloud) -> Attributes {
    let shape = shape(&cluster.driver.name);
    let count = cluster.master_count();
    let floating = cluster.template.floating_ip_enabled != Some(false);
    let private: Vec<String> = (0..count).map(private_address).collect();
    let public: Vec<String> = if floating {
        (0..count).map(public_address).collect()
    } else {
        private.clone()
    };
    let ports = shape.ports;
    let node = shape.node.server;
    Attributes::from([
        (format!("{ports}.private_address"), json!(private)),
        (format!("{ports}.address"), json!(public)),
        (format!("{ports}.port_id"), json!(private)),
        ("api_loadbalancer.vip_address".into(), json!(LOAD_BALANCER)),
        (
            "api_pool_floating.floating_ip_address".into(),
            json!(LOAD_BALANCER_FLOATING),
        ),
        ("private_subnet".into(), json!(SUBNET)),
        ("docker_volume".into(), json!(VOLUME)),
        (shape.master.wait_handle.into(), json!(cloud.signal)),
        (shape.node.wait_handle.into(), json!(cloud.signal)),
        (
            format!("{node}_eth0.fixed_ips.0.ip_address"),
            json!(private_address(50 + index)),
        ),
        (
            format!("{node}_floating.floating_ip_address"),
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
