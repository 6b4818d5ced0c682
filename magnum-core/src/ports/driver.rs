//! The driver port: what a kind of cluster is and how to run it.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::{DriverContext, Software};
use crate::model::{Action, Cluster, ClusterTemplate, Phase, PoolRole, Progress, ServerType, TemplateSpec};
use crate::secret::Secret;
use crate::{Problem, Result};

/// Makes, changes, removes and reports clusters of one or more kinds.
///
/// A driver is asked again and again until what was wanted is there, also after a crash: each call
/// must lead on from whatever it finds. Its only way to make outside things is
/// [`DriverContext::stack`], which writes the ledger first.
///
/// Most drivers are a [`super::TemplateDefinition`] in a [`super::StackDriver`] and implement
/// nothing of this trait.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | `cluster_create` and `cluster_update` MUST return once the change is under way, and MUST be repeatable | yes |
/// | `cluster_delete` on a cluster already gone MUST return `Ok` | yes |
/// | `pre_delete` MUST adopt nothing but what surely is the cluster's, and MUST be repeatable | yes |
/// | `observe` and `in_the_way` MUST change nothing in the cloud | yes |
/// | `observe` MUST report `Complete` only when every part of the wanted state is there | yes |
/// | `validate` MUST do no IO and MUST name field, value and what is allowed | yes |
#[async_trait]
pub trait ClusterDriver: fmt::Debug + Send + Sync + 'static {
    /// What the driver is and can do.
    fn descriptor(&self) -> &DriverDescriptor;

    /// Checks a template, and with it a cluster to be made or changed, as far as the driver's own rules go.
    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem>;

    /// Checks the addresses of an existing subnet against those that the driver uses besides. Default: no problem.
    fn subnet_problems(&self, _template: &TemplateSpec, _subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        Vec::new()
    }

    /// Starts making the cluster's infrastructure.
    async fn cluster_create(&self, cx: &DriverContext) -> Result<()>;

    /// Starts a change.
    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()>;

    /// Starts removing the infrastructure.
    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()>;

    /// Finds what the cluster itself made in the cloud and adopts it, before the cluster is removed. Asked again
    /// when the load balancers among it are gone, before each further try to remove the infrastructure, and once
    /// more when that is gone.
    async fn pre_delete(&self, cx: &DriverContext) -> Result<()>;

    /// What is not the cluster's and keeps its infrastructure from being removed, each in words; asked when a
    /// removal has failed. None of it is touched.
    async fn in_the_way(&self, _cx: &DriverContext) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Reports how the infrastructure stands.
    async fn observe(&self, cx: &DriverContext) -> Result<Observation>;

    /// What the cluster's nodes may ask the node endpoint for. Default: a server's certificate each.
    fn node_policy(&self) -> super::NodePolicy {
        super::NodePolicy::servers(&[PoolRole::Master, PoolRole::Worker])
    }

    /// The names that nodes of `role` have, as the cloud knows them now: addresses, and names of servers.
    /// A node that says which `member` of its pool it is gets that member's names only.
    async fn node_names(
        &self,
        cx: &DriverContext,
        role: PoolRole,
        member: Option<&str>,
    ) -> Result<Vec<super::SubjectName>>;

    /// The attribute that puts the cluster's trust on its nodes, if one does. Default: none, so that no node ever
    /// holds credentials of the cloud.
    fn trust_on_nodes(&self, _template: &TemplateSpec) -> Option<&'static str> {
        None
    }

    /// What a user needs to talk to the COE.
    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig>;
}

/// A change of a running cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterChange {
    /// Another number of servers in a pool. The cluster's pool shows the new count already.
    Scale {
        /// The pool.
        pool: String,
        /// How many servers are wanted.
        count: u32,
        /// Which servers to remove first, by server id or index.
        remove: Vec<String>,
    },
}

/// A kind of cluster: (server type, image's `os_distro`, COE).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClusterType {
    /// Virtual or bare metal.
    pub server_type: ServerType,
    /// The image's `os_distro`.
    pub os: String,
    /// The container orchestration engine.
    pub coe: String,
}

impl ClusterType {
    /// A kind of cluster.
    pub fn new(server_type: ServerType, os: impl Into<String>, coe: impl Into<String>) -> Self {
        Self {
            server_type,
            os: os.into(),
            coe: coe.into(),
        }
    }
}

impl fmt::Display for ClusterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}, {})", self.server_type, self.os, self.coe)
    }
}

/// A choice with its default, for example the container network drivers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What may be chosen.
    pub allowed: Vec<String>,
    /// What is taken when nothing is chosen.
    pub default: Option<String>,
}

/// Form of a label's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelType {
    /// `true` or `false`.
    Boolean,
    /// A whole number within limits.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// One of these.
    OneOf(Vec<String>),
    /// An IPv4 network in CIDR notation.
    Ipv4Cidr,
    /// A version like `v1.15.7`.
    Version {
        /// The oldest.
        least: String,
        /// The newest.
        most: String,
    },
}

/// A label that a driver knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSchema {
    /// Its key.
    pub key: String,
    /// Form of its value.
    pub value: LabelType,
    /// Its value when it is not given.
    pub default: Option<String>,
    /// What it does, in a sentence.
    pub meaning: String,
}

/// What a driver is and can do. The service checks requests against it before any side effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverDescriptor {
    /// Its name, for example `docker_ubuntu`.
    pub name: String,
    /// Its version, for example `1.0.0`.
    pub version: String,
    /// The kinds of cluster that it makes.
    pub provides: Vec<ClusterType>,
    /// Software that its scripts install, by name.
    pub software: BTreeMap<String, Software>,
    /// Container network drivers.
    pub network_drivers: Choice,
    /// Drivers for persistent volumes.
    pub volume_drivers: Choice,
    /// Docker storage drivers.
    pub storage_drivers: Choice,
    /// Size in GB of each server's volume for images and containers when none is given; `None` where the driver makes no
    /// such volumes.
    pub docker_volume_size: Option<u32>,
    /// Labels.
    pub labels: Vec<LabelSchema>,
    /// Whether its COE can be protected by TLS.
    pub tls: bool,
    /// The least and the most masters.
    pub masters: (u32, u32),
    /// Whether it can put a load balancer in front of the masters.
    pub master_lb: bool,
    /// Whether the number of nodes can change.
    pub scalable: bool,
    /// Whether its servers find each other through a discovery URL.
    pub discovery: bool,
    /// Whether it can make a registry in the cluster.
    pub registry: bool,
    /// Whether it can use an existing network.
    pub fixed_network: bool,
    /// Whether clusters without floating IPs work.
    pub private_only: bool,
    /// Whether the COE's port can be chosen.
    pub apiserver_port: bool,
    /// Login name on its servers.
    pub login: String,
    /// What else its users should know, in Markdown, for the driver's page.
    pub notes: String,
}

impl DriverDescriptor {
    /// A driver that can do nothing in particular; set what it can.
    pub fn new(name: impl Into<String>, version: impl Into<String>, provides: Vec<ClusterType>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            provides,
            software: BTreeMap::new(),
            network_drivers: Choice::default(),
            volume_drivers: Choice::default(),
            storage_drivers: Choice::default(),
            docker_volume_size: None,
            labels: Vec::new(),
            tls: false,
            masters: (1, 1),
            master_lb: false,
            scalable: false,
            discovery: false,
            registry: false,
            fixed_network: false,
            private_only: false,
            apiserver_port: false,
            login: String::new(),
            notes: String::new(),
        }
    }
}

/// How a cluster's infrastructure stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What there is.
    pub state: InfrastructureState,
    /// Which change it shows; older than the operation's means that the change has not arrived.
    pub generation: Option<u64>,
    /// Why it is so, in the cloud's words.
    pub reason: Option<String>,
    /// The resource that failed.
    pub failed_resource: Option<String>,
    /// How many resources are there.
    pub progress: Progress,
    /// The infrastructure's id, for Heat the stack's.
    pub stack_id: Option<String>,
    /// Where the COE is reached.
    pub api_address: Option<String>,
    /// Addresses of the masters, once known.
    pub master_addresses: Option<Vec<String>>,
    /// Addresses of the nodes, once known.
    pub node_addresses: Option<Vec<String>>,
    /// Version of the COE.
    pub coe_version: Option<String>,
    /// Version of the container engine.
    pub container_version: Option<String>,
}

impl Observation {
    /// An observation of nothing but a state.
    #[must_use]
    pub fn of(state: InfrastructureState) -> Self {
        Self {
            state,
            generation: None,
            reason: None,
            failed_resource: None,
            progress: Progress::default(),
            stack_id: None,
            api_address: None,
            master_addresses: None,
            node_addresses: None,
            coe_version: None,
            container_version: None,
        }
    }
}

/// What there is of a cluster's infrastructure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfrastructureState {
    /// Nothing.
    Absent,
    /// The result, or the doing, of an action.
    Present(Action, Phase),
}

/// A client's key and certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// PEM certificate of the cluster's authority.
    pub ca: String,
    /// PEM client certificate.
    pub certificate: String,
    /// PEM private key.
    pub private_key: Secret,
}

/// What a user needs to talk to the COE: files and environment variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// Files by name.
    pub files: BTreeMap<String, Secret>,
    /// Environment variables; `{dir}` in a value stands for the directory of the files.
    pub environment: BTreeMap<String, String>,
}

/// The drivers of a host, by the kinds of cluster they make.
#[derive(Clone, Debug, Default)]
pub struct DriverRegistry {
    drivers: BTreeMap<String, std::sync::Arc<dyn ClusterDriver>>,
    by_type: BTreeMap<ClusterType, String>,
}

impl DriverRegistry {
    /// Adds a driver.
    ///
    /// # Errors
    /// `Conflict` when its name, or a kind of cluster that it makes, is taken.
    pub fn add(&mut self, driver: std::sync::Arc<dyn ClusterDriver>) -> Result<()> {
        let descriptor = driver.descriptor().clone();
        if self.drivers.contains_key(&descriptor.name) {
            let message = format!("a driver named {} is registered already", descriptor.name);
            return Err(crate::Error::new(crate::ErrorKind::Conflict, message));
        }
        for kind in &descriptor.provides {
            if let Some(other) = self.by_type.get(kind) {
                let message = format!("{} and {other} both make clusters of {kind}", descriptor.name);
                return Err(crate::Error::new(crate::ErrorKind::Conflict, message));
            }
        }
        for kind in descriptor.provides {
            self.by_type.insert(kind, descriptor.name.clone());
        }
        self.drivers.insert(descriptor.name, driver);
        Ok(())
    }

    /// The driver of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&std::sync::Arc<dyn ClusterDriver>> {
        self.drivers.get(name)
    }

    /// The driver for a kind of cluster.
    #[must_use]
    pub fn find(&self, kind: &ClusterType) -> Option<&std::sync::Arc<dyn ClusterDriver>> {
        self.drivers.get(self.by_type.get(kind)?)
    }

    /// All drivers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &std::sync::Arc<dyn ClusterDriver>> {
        self.drivers.values()
    }

    /// The kinds of cluster that can be made.
    pub fn types(&self) -> impl Iterator<Item = &ClusterType> {
        self.by_type.keys()
    }
}

/// What a driver's checks see of a template that is kept.
impl ClusterTemplate {
    /// The kind of cluster that it makes.
    #[must_use]
    pub fn cluster_type(&self) -> ClusterType {
        ClusterType::new(
            self.spec.server_type,
            self.cluster_distro.clone(),
            self.spec.coe.clone(),
        )
    }
}
