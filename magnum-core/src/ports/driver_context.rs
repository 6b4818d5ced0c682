//! What a driver gets to work with.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{LoadBalancer, NetworkPort, Parameters, Stack, StackRef, StackResource, StackTemplate, Volume};
use crate::Result;
use crate::model::{Cluster, PoolRole};
use crate::secret::Secret;

/// What a driver gets to work with: the cluster, its stacks, and what its nodes need to reach the library.
#[derive(Clone, Debug)]
pub struct DriverContext {
    cluster: Arc<Cluster>,
    stacks: Arc<dyn StackKeeper>,
    nodes: Option<NodeAccess>,
    trust: Option<TrustAccess>,
}

impl DriverContext {
    /// A context; the conductor makes these, and tests of drivers.
    #[must_use]
    pub fn new(cluster: Arc<Cluster>, stacks: Arc<dyn StackKeeper>, nodes: Option<NodeAccess>) -> Self {
        Self {
            cluster,
            stacks,
            nodes,
            trust: None,
        }
    }

    /// The same with what nodes need to act under the cluster's trust.
    #[must_use]
    pub fn with_trust(mut self, trust: Option<TrustAccess>) -> Self {
        self.trust = trust;
        self
    }

    /// How the cluster's nodes act under its trust, while they are made; `None` without trusts, and where
    /// [`super::ClusterDriver::trust_on_nodes`] does not say that they do.
    #[must_use]
    pub fn trust(&self) -> Option<&TrustAccess> {
        self.trust.as_ref()
    }

    /// The cluster as wanted: its pools show the counts to be reached.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How the cluster's nodes reach the library; `None` when TLS is disabled.
    #[must_use]
    pub fn nodes(&self) -> Option<&NodeAccess> {
        self.nodes.as_ref()
    }

    /// One of the cluster's stacks, by the driver's own name for it; `main` for most.
    #[must_use]
    pub fn stack(&self, role: &'static str) -> StackHandle {
        StackHandle {
            role,
            keeper: Arc::clone(&self.stacks),
        }
    }

    /// The load balancers whose address is on one of these subnets, whoever made them.
    ///
    /// # Errors
    /// What the cloud answers.
    pub async fn load_balancers(&self, vip_subnets: &[String]) -> Result<Vec<LoadBalancer>> {
        self.stacks.load_balancers(vip_subnets).await
    }

    /// The addresses to which a load balancer hands connections.
    ///
    /// # Errors
    /// What the cloud answers.
    pub async fn members(&self, load_balancer: &str) -> Result<Vec<String>> {
        self.stacks.members(load_balancer).await
    }

    /// The project's volumes, whoever made them.
    ///
    /// # Errors
    /// What the cloud answers.
    pub async fn volumes(&self) -> Result<Vec<Volume>> {
        self.stacks.volumes().await
    }

    /// Takes what the cluster itself made into the ledger: from then on it goes when the cluster goes, a volume only
    /// if the delete says so. The floating IPs of a load balancer go with it. Repeating it does no harm.
    ///
    /// # Errors
    /// What the cloud or the store answers.
    pub async fn adopt(&self, thing: Adoptable) -> Result<()> {
        self.stacks.adopt(thing).await
    }

    /// The ports that are on one of these networks or have an address of one of these subnets, whoever made them.
    ///
    /// # Errors
    /// What the cloud answers.
    pub async fn ports(&self, networks: &[String], subnets: &[String]) -> Result<Vec<NetworkPort>> {
        self.stacks.ports(networks, subnets).await
    }

    /// The name of a server, unless it is gone or not to be seen.
    ///
    /// # Errors
    /// What the cloud answers.
    pub async fn server_name(&self, id: &str) -> Result<Option<String>> {
        self.stacks.server_name(id).await
    }
}

/// What a cluster can have made by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Adoptable {
    /// A load balancer.
    LoadBalancer(LoadBalancer),
    /// A volume.
    Volume(Volume),
}

/// How nodes reach the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAccess {
    /// Base URL of the node endpoint for this cluster, without a slash at the end.
    pub url: String,
    /// PEM roots by which to verify it; `None` for the system's.
    pub ca: Option<String>,
    /// The secret of each role, which the credentials of its nodes are made of.
    pub credentials: Vec<(PoolRole, Secret)>,
}

impl NodeAccess {
    /// The secret of a role. It is not for nodes: each of them has [`node_credential`] of its own.
    #[must_use]
    pub fn credential(&self, role: PoolRole) -> Option<&Secret> {
        self.credentials
            .iter()
            .find(|(r, _)| *r == role)
            .map(|(_, secret)| secret)
    }
}

/// What a member of a pool shows the node endpoint: its name, a full stop, and the SHA-256, in hexadecimal digits, of its
/// name, a colon and its role's secret. Templates make it where they know the member, so that no node has another's (the
/// index must be a string: Heat joins no numbers):
///
/// ```yaml
/// list_join:
///   - '.'
///   - - get_param: index
///     - digest: [sha256, {list_join: [':', [{get_param: index}, {get_param: node_credential}]]}]
/// ```
///
/// ```
/// use magnum_core::{Secret, node_credential};
/// let shown = node_credential("7", &Secret::new("of the role"));
/// assert!(shown.expose().starts_with("7."));
/// assert_ne!(shown, node_credential("8", &Secret::new("of the role")));
/// ```
#[must_use]
pub fn node_credential(member: &str, of_role: &Secret) -> Secret {
    let mut hash = Sha256::new();
    hash.update(member);
    hash.update(":");
    hash.update(of_role.expose());
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Secret::new(format!("{member}.{digits}"))
}

/// What nodes need to act under their cluster's trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAccess {
    /// Where Keystone is reached.
    pub identity: crate::IdentityEndpoint,
    /// The trustee's user id.
    pub user_id: String,
    /// The trustee's name, unique in its domain.
    pub user_name: String,
    /// The trustee's password.
    pub password: Secret,
    /// The trust.
    pub trust_id: String,
}

/// What a stack is to be. `Debug` leaves the parameters' values out: secrets are among them.
#[derive(Clone, PartialEq)]
pub struct StackDefinition {
    /// What to make it from.
    pub template: StackTemplate,
    /// The template's parameters.
    pub parameters: Parameters,
}

impl fmt::Debug for StackDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackDefinition")
            .field("parameters", &self.parameters.keys())
            .finish_non_exhaustive()
    }
}

/// One of a cluster's stacks. Its name, tags, time-out, credentials and ledger row are not the driver's concern.
#[derive(Clone, Debug)]
pub struct StackHandle {
    role: &'static str,
    keeper: Arc<dyn StackKeeper>,
}

impl StackHandle {
    /// Makes the stack unless it exists; returns when the orchestrator has accepted it.
    ///
    /// # Errors
    /// `Conflict` when a foreign stack has its name; what the orchestrator answers.
    pub async fn ensure(&self, definition: StackDefinition) -> Result<StackRef> {
        self.keeper.ensure(self.role, definition).await
    }

    /// Sets parameters of the stack on its existing template, unless this very change has arrived already.
    ///
    /// # Errors
    /// `NotFound` when there is no stack; what the orchestrator answers.
    pub async fn change(&self, parameters: Parameters) -> Result<()> {
        self.keeper.change(self.role, parameters).await
    }

    /// Starts removing the stack; a stack that is gone is no error.
    ///
    /// # Errors
    /// What the orchestrator answers.
    pub async fn remove(&self) -> Result<()> {
        self.keeper.remove(self.role).await
    }

    /// The stack, unless it is gone or was never made.
    ///
    /// # Errors
    /// What the orchestrator answers.
    pub async fn get(&self) -> Result<Option<Stack>> {
        self.keeper.get(self.role).await
    }

    /// The stack's resources, nested ones included.
    ///
    /// # Errors
    /// What the orchestrator answers.
    pub async fn resources(&self) -> Result<Vec<StackResource>> {
        self.keeper.resources(self.role).await
    }

    /// A listed resource with its attributes.
    ///
    /// # Errors
    /// What the orchestrator answers.
    pub async fn resource(&self, listed: &StackResource) -> Result<Option<StackResource>> {
        self.keeper.resource(listed).await
    }
}

/// Keeps a cluster's stacks, and what else the cluster has, for its driver. The conductor implements it over the ledger and the orchestrator.
#[async_trait]
pub trait StackKeeper: fmt::Debug + Send + Sync + 'static {
    /// See [`StackHandle::ensure`].
    async fn ensure(&self, role: &str, definition: StackDefinition) -> Result<StackRef>;
    /// See [`StackHandle::change`].
    async fn change(&self, role: &str, parameters: Parameters) -> Result<()>;
    /// See [`StackHandle::remove`].
    async fn remove(&self, role: &str) -> Result<()>;
    /// See [`StackHandle::get`].
    async fn get(&self, role: &str) -> Result<Option<Stack>>;
    /// See [`StackHandle::resources`].
    async fn resources(&self, role: &str) -> Result<Vec<StackResource>>;
    /// See [`StackHandle::resource`].
    async fn resource(&self, listed: &StackResource) -> Result<Option<StackResource>>;
    /// See [`DriverContext::load_balancers`].
    async fn load_balancers(&self, vip_subnets: &[String]) -> Result<Vec<LoadBalancer>>;
    /// See [`DriverContext::members`].
    async fn members(&self, load_balancer: &str) -> Result<Vec<String>>;
    /// See [`DriverContext::volumes`].
    async fn volumes(&self) -> Result<Vec<Volume>>;
    /// See [`DriverContext::adopt`].
    async fn adopt(&self, thing: Adoptable) -> Result<()>;
    /// See [`DriverContext::ports`].
    async fn ports(&self, networks: &[String], subnets: &[String]) -> Result<Vec<NetworkPort>>;
    /// See [`DriverContext::server_name`].
    async fn server_name(&self, id: &str) -> Result<Option<String>>;
}
