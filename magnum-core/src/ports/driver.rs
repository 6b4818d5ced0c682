//! The driver port: what a kind of cluster is and how to run it.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::{ClusterType, DriverContext, DriverDescriptor, DriverEntry, Effect, Needs};
use crate::model::{Action, Cluster, Phase, PoolRole, Progress, TemplateSpec};
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

    /// What the cluster, as wanted, takes of the limits of its project. Default: nothing, so that nothing is compared.
    fn needs(&self, _cluster: &Cluster) -> Needs {
        Needs::default()
    }

    /// What another value of an attribute does to a cluster that is there. Attributes have the names that users
    /// know: those of a cluster's request, like `node_count` and `flavor_id`. The driver is handed what it says is
    /// possible as a [`ClusterChange::Attributes`]; another number of nodes alone as a [`ClusterChange::Scale`].
    /// Default: the number of nodes changes in place where the driver can scale; all else is impossible.
    fn effect(&self, attribute: &str) -> Effect {
        self.descriptor().effect(attribute)
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

    /// The names that a member of the pool of `role` has, as the cloud knows them now: addresses, and names of servers.
    async fn node_names(
        &self,
        cx: &DriverContext,
        role: PoolRole,
        member: &str,
    ) -> Result<Vec<super::SubjectName>>;

    /// The attribute that puts the cluster's trust on its nodes, if one does. Default: none, so that no node ever
    /// holds credentials of the cloud.
    fn trust_on_nodes(&self, _template: &TemplateSpec) -> Option<&'static str> {
        None
    }

    /// What a user needs to talk to the COE. With TLS it is asked twice: before a certificate is, with an identity of
    /// empty texts, for the names of the files and the environment, which must not hang on the identity; then with the
    /// real one.
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
    /// Other values of some attributes. The cluster shows them already.
    Attributes {
        /// The attributes, by the names that users know.
        names: Vec<String>,
    },
    /// Nothing new: what failed when the cluster was made or last changed is tried again; what is there stays.
    Resume,
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
    /// Environment variables; `{dir}` in a value stands for the directory of the files. An empty value is set, too.
    pub environment: BTreeMap<String, String>,
}

/// The drivers of a host, by the kinds of cluster they make. A driver that is not in it is disabled.
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

    /// The drivers as tables show them, by name: one entry for each kind of cluster that a driver makes.
    #[must_use]
    pub fn list(&self) -> Vec<DriverEntry> {
        let descriptors = self.iter().map(|driver| driver.descriptor());
        descriptors.flat_map(DriverEntry::of).collect()
    }

    /// The kinds of cluster that can be made.
    pub fn types(&self) -> impl Iterator<Item = &ClusterType> {
        self.by_type.keys()
    }
}
