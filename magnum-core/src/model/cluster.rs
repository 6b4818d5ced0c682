//! Clusters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attribute_values::{null_is_an_hour, null_is_default, null_is_one, optional_labels, strict};
use super::{
    ClusterId, ClusterStatus, Fault, Health, Labels, OnCreateFailure, Revision, Rotation, TemplateId,
    TemplateSpec,
};
use crate::ports::{CertRef, Sealed};

/// What a user asks for when making a cluster. What is absent comes from the template.
///
/// ```
/// use magnum_core::ClusterSpec;
/// let spec = ClusterSpec::new("small").with_name("mycluster").with_node_count(2);
/// assert_eq!(spec.master_count, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterSpec {
    /// Name or UUID of the cluster template. Mandatory.
    pub cluster_template: String,
    /// The cluster's name; generated when absent.
    pub name: Option<String>,
    /// How many nodes. Default 1.
    #[serde(deserialize_with = "null_is_one")]
    pub node_count: u32,
    /// How many masters. Default 1.
    #[serde(deserialize_with = "null_is_one")]
    pub master_count: u32,
    /// Where the members of etcd find each other: a URL for as many as there are masters, which is asked before anything
    /// is made. Default: what the host's discovery makes, if it has one.
    pub discovery_url: Option<String>,
    /// Minutes until the creation is given up. Default 60.
    #[serde(deserialize_with = "null_is_an_hour")]
    pub create_timeout: u32,
    /// What becomes of its resources when the creation fails. Default: they stay.
    #[serde(deserialize_with = "null_is_default")]
    pub on_create_failure: OnCreateFailure,
    /// SSH key pair instead of the template's.
    pub keypair: Option<String>,
    /// Labels instead of the template's; none, or an empty map, leaves the template's.
    #[serde(deserialize_with = "optional_labels")]
    pub labels: Option<Labels>,
    /// Whether the labels are laid over the template's, which then stay where the cluster says nothing. Default false.
    #[serde(deserialize_with = "null_is_default")]
    pub merge_labels: bool,
    /// Flavor of the nodes instead of the template's.
    pub flavor_id: Option<String>,
    /// Flavor of the masters instead of the template's.
    pub master_flavor_id: Option<String>,
    /// Size in GB of each server's volume instead of the template's.
    pub docker_volume_size: Option<u32>,
    /// An existing private network instead of the template's.
    pub fixed_network: Option<String>,
    /// An existing subnet instead of the template's.
    pub fixed_subnet: Option<String>,
    /// Whether servers get floating IPs, instead of what the template says.
    pub floating_ip_enabled: Option<bool>,
    /// Whether a load balancer is in front of the masters, instead of what the template says.
    pub master_lb_enabled: Option<bool>,
}

impl Default for ClusterSpec {
    fn default() -> Self {
        Self {
            cluster_template: String::new(),
            name: None,
            node_count: 1,
            master_count: 1,
            discovery_url: None,
            create_timeout: 60,
            on_create_failure: OnCreateFailure::Keep,
            keypair: None,
            labels: None,
            merge_labels: false,
            flavor_id: None,
            master_flavor_id: None,
            docker_volume_size: None,
            fixed_network: None,
            fixed_subnet: None,
            floating_ip_enabled: None,
            master_lb_enabled: None,
        }
    }
}

impl ClusterSpec {
    /// One master and one node after this template.
    pub fn new(cluster_template: impl Into<String>) -> Self {
        Self {
            cluster_template: cluster_template.into(),
            ..Self::default()
        }
    }

    /// A request as it comes over the wire: an object with a key for each attribute that is given. `null` stands for an
    /// attribute's default, labels' values may be texts, numbers and booleans.
    ///
    /// # Errors
    /// `InvalidInput` names each attribute that does not exist, and each value of the wrong type.
    pub fn from_json(given: &serde_json::Value) -> crate::Result<Self> {
        strict("a cluster", given)
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the number of nodes.
    #[must_use]
    pub fn with_node_count(mut self, count: u32) -> Self {
        self.node_count = count;
        self
    }

    /// Sets the number of masters.
    #[must_use]
    pub fn with_master_count(mut self, count: u32) -> Self {
        self.master_count = count;
        self
    }

    /// Sets the minutes until the creation is given up.
    #[must_use]
    pub fn with_create_timeout(mut self, minutes: u32) -> Self {
        self.create_timeout = minutes;
        self
    }

    /// Says what becomes of the resources of a creation that fails.
    #[must_use]
    pub fn with_on_create_failure(mut self, wanted: OnCreateFailure) -> Self {
        self.on_create_failure = wanted;
        self
    }
}

/// What the servers of a pool are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolRole {
    /// They run the COE.
    Master,
    /// They run the users' containers.
    Worker,
}

impl PoolRole {
    /// `master` or `worker`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Worker => "worker",
        }
    }
}

/// A group of equal servers of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name within the cluster; the first two are `master` and `worker`.
    pub name: String,
    /// What its servers are for.
    pub role: PoolRole,
    /// How many servers are wanted.
    pub count: u32,
    /// Flavor of its servers.
    pub flavor_id: String,
    /// Addresses of its servers.
    pub addresses: Vec<String>,
}

/// How many of the stack's resources are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Resources that are done.
    pub done: u32,
    /// Resources in all, as far as known.
    pub total: u32,
}

/// Which driver made a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverRef {
    /// The driver's name.
    pub name: String,
    /// The version that made the cluster.
    pub version: String,
}

/// What the credentials of one role's nodes are made of ([`crate::node_credential`]), sealed under the cluster's UUID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCredential {
    /// Nodes of this role.
    pub role: PoolRole,
    /// The secret.
    pub sealed: Sealed,
}

/// A cluster as it is kept.
///
/// The values of its template are copied when it is made, so a later change of the template changes no cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its UUID.
    pub id: ClusterId,
    /// Its name; not unique.
    pub name: String,
    /// The cloud that it is on, by the host's name for it.
    pub cloud: String,
    /// The owning project.
    pub project_id: String,
    /// The user who made it.
    pub user_id: String,
    /// The template that it was made after.
    pub cluster_template_id: TemplateId,
    /// The template's attributes when it was made, with the cluster's own values laid over them.
    pub template: TemplateSpec,
    /// The image's `os_distro`.
    pub cluster_distro: String,
    /// Which driver made it.
    pub driver: DriverRef,
    /// SSH key pair of its servers.
    pub keypair: Option<String>,
    /// The labels that its template had when it was made.
    #[serde(default)]
    pub template_labels: Labels,
    /// Minutes until its creation is given up.
    pub create_timeout: u32,
    /// What becomes of its resources when its creation fails.
    #[serde(default)]
    pub on_create_failure: OnCreateFailure,
    /// Where its servers find each other.
    pub discovery_url: Option<String>,
    /// Whether the library had that made for it.
    #[serde(default)]
    pub discovery_made: bool,
    /// Its groups of servers: `master` and `worker` first.
    pub pools: Vec<Pool>,
    /// What is being done with it and how far that is.
    pub status: ClusterStatus,
    /// Why it is in this status, in words.
    pub status_reason: Option<String>,
    /// Why the last operation failed.
    pub fault: Option<Fault>,
    /// What monitors say of it.
    #[serde(default)]
    pub health: Health,
    /// How many of its resources are there.
    pub progress: Progress,
    /// Its Heat stack, or what its driver has instead.
    pub stack_id: Option<String>,
    /// Where its COE is reached.
    pub api_address: Option<String>,
    /// Version of its COE.
    pub coe_version: Option<String>,
    /// Version of its container engine.
    pub container_version: Option<String>,
    /// Its certificate authority.
    pub ca_cert: Option<CertRef>,
    /// Further authorities and keys that its driver asked for, by name.
    #[serde(default)]
    pub authorities: BTreeMap<String, CertRef>,
    /// The library's own client certificate for it.
    pub magnum_cert: Option<CertRef>,
    /// Counts the changes of what its nodes are to trust and to hold.
    #[serde(default)]
    pub certificates_version: u64,
    /// The change of its authorities that is under way.
    #[serde(default)]
    pub rotation: Option<Rotation>,
    /// What its nodes' credentials for the node endpoint are made of.
    pub node_credentials: Vec<NodeCredential>,
    /// Counts accepted changes; stack writes carry it.
    pub generation: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// How often it was written.
    pub revision: Revision,
}

impl Cluster {
    /// The pool of a role that the cluster was made with.
    #[must_use]
    pub fn pool(&self, role: PoolRole) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.role == role)
    }

    /// The pool of a role, to change it.
    pub fn pool_mut(&mut self, role: PoolRole) -> Option<&mut Pool> {
        self.pools.iter_mut().find(|pool| pool.role == role)
    }

    fn count(&self, role: PoolRole) -> u32 {
        self.pools
            .iter()
            .filter(|pool| pool.role == role)
            .map(|pool| pool.count)
            .sum()
    }

    fn addresses(&self, role: PoolRole) -> Vec<String> {
        let pools = self.pools.iter().filter(|pool| pool.role == role);
        pools.flat_map(|pool| pool.addresses.iter().cloned()).collect()
    }

    /// How many nodes are wanted.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        self.count(PoolRole::Worker)
    }

    /// How many masters are wanted.
    #[must_use]
    pub fn master_count(&self) -> u32 {
        self.count(PoolRole::Master)
    }

    /// Addresses of the nodes.
    #[must_use]
    pub fn node_addresses(&self) -> Vec<String> {
        self.addresses(PoolRole::Worker)
    }

    /// Addresses of the masters.
    #[must_use]
    pub fn master_addresses(&self) -> Vec<String> {
        self.addresses(PoolRole::Master)
    }

    /// The labels in force.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.template.labels
    }

    /// Whether the COE's endpoints demand certificates.
    #[must_use]
    pub fn tls(&self) -> bool {
        !self.template.tls_disabled
    }

    /// What the names of the cluster's stacks and servers begin with, for people to recognise: its name's first 30
    /// characters in lower case, each that is no ASCII letter or digit as `-`. Not unique.
    ///
    /// A cluster named `My_Cluster.1` gives `my-cluster-1`.
    #[must_use]
    pub fn readable_name(&self) -> String {
        let readable = |c: char| match c {
            c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
            _ => '-',
        };
        self.name.chars().take(30).map(readable).collect()
    }

    /// The tag that this cluster's stack writes of the current generation carry.
    #[must_use]
    pub fn stack_tag(&self) -> String {
        stack_tag(self.id, self.generation)
    }
}

/// `magnum-<uuid>-<generation>`: whose stack it is and which accepted change it shows.
#[must_use]
pub fn stack_tag(cluster: ClusterId, generation: u64) -> String {
    format!("magnum-{cluster}-{generation}")
}

/// The generation in a stack's tags, if one of them is this cluster's.
#[must_use]
pub fn tagged_generation(tags: &[String], cluster: ClusterId) -> Option<u64> {
    let prefix = format!("magnum-{cluster}-");
    tags.iter()
        .filter_map(|tag| tag.strip_prefix(&prefix)?.parse().ok())
        .max()
}
