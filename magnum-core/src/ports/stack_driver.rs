//! The short way to a driver: say what the stack is, everything else follows.

use std::fmt;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    ClientConfig, ClientIdentity, ClusterChange, ClusterDriver, DriverContext, DriverDescriptor,
    InfrastructureState, NameSource, NodeAccess, NodePolicy, Observation, Parameters, Stack, StackDefinition,
    StackTemplate, SubjectName, TrustAccess, cluster_made, node_names,
};
use crate::model::{Cluster, Phase, PoolRole, Progress, TemplateSpec, tagged_generation};
use crate::{Error, ErrorKind, Problem, Result};

/// Describes the stack that a cluster is. [`StackDriver`] makes a driver of it.
pub trait TemplateDefinition: fmt::Debug + Send + Sync + 'static {
    /// What the driver is and can do.
    fn descriptor(&self) -> &DriverDescriptor;

    /// The template and the files it refers to. The text MUST be the same for all clusters.
    fn template(&self) -> &StackTemplate;

    /// Which attribute or label goes into which stack parameter.
    fn parameters(&self) -> &[ParameterMapping];

    /// Parameters beyond the mapped ones.
    ///
    /// # Errors
    /// `InvalidInput` when the cluster cannot be described.
    fn extra_parameters(&self, input: &StackInput<'_>) -> Result<Parameters>;

    /// Which stack output goes into which attribute of the cluster.
    fn outputs(&self) -> &[OutputMapping];

    /// Where the names of a role's nodes, addresses and servers', are seen while the stack is being made.
    fn node_names(&self, role: PoolRole) -> &[NameSource];

    /// What the cluster's nodes may ask the node endpoint for. Default: a server's certificate for each role
    /// whose nodes have names.
    fn node_policy(&self) -> NodePolicy {
        let roles = [PoolRole::Master, PoolRole::Worker];
        let named: Vec<PoolRole> = roles
            .into_iter()
            .filter(|role| !self.node_names(*role).is_empty())
            .collect();
        NodePolicy::servers(&named)
    }

    /// See [`ClusterDriver::trust_on_nodes`].
    fn trust_on_nodes(&self, _template: &TemplateSpec) -> Option<&'static str> {
        None
    }

    /// Rules of the driver beyond its descriptor.
    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem>;

    /// Whether the cluster's COE may have made load balancers and volumes by itself, behind the stack's back: they are
    /// looked for when it is deleted.
    fn cluster_made(&self, _cluster: &Cluster) -> bool {
        false
    }

    /// See [`ClusterDriver::subnet_problems`].
    fn subnet_problems(&self, _template: &TemplateSpec, _subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        Vec::new()
    }

    /// What a user needs to talk to the COE.
    ///
    /// # Errors
    /// `Conflict` while the cluster has no address.
    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig>;
}

/// What parameters are computed from.
#[derive(Debug)]
pub struct StackInput<'a> {
    /// The cluster as wanted.
    pub cluster: &'a Cluster,
    /// How its nodes reach the library; `None` when TLS is disabled.
    pub nodes: Option<&'a NodeAccess>,
    /// How its nodes could act under its trust; `None` without trusts.
    pub trust: Option<&'a TrustAccess>,
}

/// From where a stack parameter gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The cluster's SSH key pair.
    Keypair,
    /// The image.
    Image,
    /// The nodes' flavor.
    Flavor,
    /// The masters' flavor.
    MasterFlavor,
    /// The external network.
    ExternalNetwork,
    /// The DNS name server.
    DnsNameserver,
    /// The proxy for HTTP.
    HttpProxy,
    /// The proxy for HTTPS.
    HttpsProxy,
    /// What goes without a proxy.
    NoProxy,
    /// Size of the servers' volumes.
    DockerVolumeSize,
    /// How images are stored.
    DockerStorageDriver,
    /// Whether TLS is disabled.
    TlsDisabled,
    /// The discovery URL.
    DiscoveryUrl,
    /// The cluster's UUID.
    ClusterUuid,
    /// The number of nodes.
    NodeCount,
    /// The number of masters.
    MasterCount,
    /// An existing network.
    FixedNetwork,
    /// An existing subnet.
    FixedSubnet,
    /// The driver for persistent volumes.
    VolumeDriver,
    /// The container network driver.
    NetworkDriver,
    /// Whether there is a load balancer in front of the masters.
    MasterLbEnabled,
    /// Whether servers get floating IPs.
    FloatingIpEnabled,
    /// `host:port` of a registry without TLS.
    InsecureRegistry,
    /// Whether there is a registry in the cluster.
    RegistryEnabled,
    /// Nodes to remove when there are to be fewer; an empty list otherwise.
    NodesToRemove,
    /// A label; the driver's default when it is not given.
    Label(&'static str),
}

/// A stack parameter and where its value comes from. Absent values are not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterMapping {
    /// The parameter's name in the template.
    pub parameter: &'static str,
    /// Where the value comes from.
    pub source: Source,
    /// Whether the cluster cannot be made without it.
    pub required: bool,
}

impl ParameterMapping {
    /// A parameter that may be absent.
    #[must_use]
    pub const fn optional(parameter: &'static str, source: Source) -> Self {
        Self {
            parameter,
            source,
            required: false,
        }
    }

    /// A parameter that must have a value.
    #[must_use]
    pub const fn required(parameter: &'static str, source: Source) -> Self {
        Self {
            parameter,
            source,
            required: true,
        }
    }
}

/// An attribute of the cluster that an output fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputTarget {
    /// Where the COE is reached.
    ApiAddress,
    /// Addresses of the masters.
    MasterAddresses,
    /// Addresses of the nodes.
    NodeAddresses,
    /// Version of the COE.
    CoeVersion,
    /// Version of the container engine.
    ContainerVersion,
}

/// A stack output and the attribute that it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputMapping {
    /// The output's name in the template.
    pub output: &'static str,
    /// The attribute.
    pub target: OutputTarget,
}

/// A [`ClusterDriver`] for clusters that are one Heat stack.
#[derive(Clone, Debug)]
pub struct StackDriver<T> {
    definition: T,
}

/// The driver's name for its one stack.
const MAIN: &str = "main";

impl<T: TemplateDefinition> StackDriver<T> {
    /// A driver after this definition.
    #[must_use]
    pub const fn new(definition: T) -> Self {
        Self { definition }
    }

    /// The definition.
    #[must_use]
    pub const fn definition(&self) -> &T {
        &self.definition
    }

    /// The parameters of the stack of a cluster to be made.
    ///
    /// # Errors
    /// `InvalidInput` names the attribute that a required parameter lacks.
    pub fn stack_parameters(
        &self,
        cluster: &Cluster,
        nodes: Option<&NodeAccess>,
        trust: Option<&TrustAccess>,
    ) -> Result<Parameters> {
        let mut parameters = Parameters::new();
        for mapping in self.definition.parameters() {
            match self.value(mapping.source, cluster) {
                Some(value) => {
                    parameters.insert(mapping.parameter.to_owned(), value);
                }
                None if mapping.required => {
                    let message = format!("the driver {} needs it", self.definition.descriptor().name);
                    return Err(Error::field(mapping.parameter, "", message));
                }
                None => {}
            }
        }
        let input = StackInput {
            cluster,
            nodes,
            trust,
        };
        parameters.extend(self.definition.extra_parameters(&input)?);
        Ok(parameters)
    }

    fn value(&self, source: Source, cluster: &Cluster) -> Option<Value> {
        let spec = &cluster.template;
        let text = |value: &Option<String>| value.as_ref().map(|v| json!(v));
        match source {
            Source::Keypair => text(&cluster.keypair),
            Source::Image => Some(json!(spec.image_id)),
            Source::Flavor => text(&spec.flavor_id),
            Source::MasterFlavor => text(&spec.master_flavor_id),
            Source::ExternalNetwork => Some(json!(spec.external_network_id)),
            Source::DnsNameserver => text(&spec.dns_nameserver),
            Source::HttpProxy => text(&spec.http_proxy),
            Source::HttpsProxy => text(&spec.https_proxy),
            Source::NoProxy => text(&spec.no_proxy),
            Source::DockerVolumeSize => spec.docker_volume_size.map(|size| json!(size)),
            Source::DockerStorageDriver => text(&spec.docker_storage_driver),
            Source::TlsDisabled => Some(json!(spec.tls_disabled)),
            Source::DiscoveryUrl => text(&cluster.discovery_url),
            Source::ClusterUuid => Some(json!(cluster.id.to_string())),
            Source::NodeCount => Some(json!(cluster.node_count())),
            Source::MasterCount => Some(json!(cluster.master_count())),
            Source::NodesToRemove => Some(json!([])),
            Source::FixedNetwork => text(&spec.fixed_network),
            Source::FixedSubnet => text(&spec.fixed_subnet),
            Source::VolumeDriver => text(&spec.volume_driver),
            Source::NetworkDriver => text(&spec.network_driver),
            Source::MasterLbEnabled => spec.master_lb_enabled.map(|enabled| json!(enabled)),
            Source::FloatingIpEnabled => spec.floating_ip_enabled.map(|enabled| json!(enabled)),
            Source::InsecureRegistry => text(&spec.insecure_registry),
            Source::RegistryEnabled => Some(json!(spec.registry_enabled)),
            Source::Label(key) => {
                let schema = self
                    .definition
                    .descriptor()
                    .labels
                    .iter()
                    .find(|label| label.key == key);
                let given = spec.labels.get(key).cloned();
                given.or_else(|| schema?.default.clone()).map(|v| json!(v))
            }
        }
    }
}

#[async_trait]
impl<T: TemplateDefinition> ClusterDriver for StackDriver<T> {
    fn descriptor(&self) -> &DriverDescriptor {
        self.definition.descriptor()
    }

    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.definition.validate(template, cluster)
    }

    fn subnet_problems(&self, template: &TemplateSpec, subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        self.definition.subnet_problems(template, subnet)
    }

    async fn cluster_create(&self, cx: &DriverContext) -> Result<()> {
        let parameters = self.stack_parameters(cx.cluster(), cx.nodes(), cx.trust())?;
        let template = self.definition.template().clone();
        cx.stack(MAIN)
            .ensure(StackDefinition { template, parameters })
            .await?;
        Ok(())
    }

    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()> {
        let ClusterChange::Scale { count, remove, .. } = change;
        let mut parameters = Parameters::new();
        for mapping in self.definition.parameters() {
            match mapping.source {
                Source::NodeCount => parameters.insert(mapping.parameter.to_owned(), json!(count)),
                Source::NodesToRemove => parameters.insert(mapping.parameter.to_owned(), json!(remove)),
                _ => None,
            };
        }
        cx.stack(MAIN).change(parameters).await
    }

    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()> {
        cx.stack(MAIN).remove().await
    }

    async fn pre_delete(&self, cx: &DriverContext) -> Result<()> {
        if self.definition.cluster_made(cx.cluster()) {
            cluster_made::adopt(cx, MAIN).await?;
        }
        Ok(())
    }

    async fn in_the_way(&self, cx: &DriverContext) -> Result<Vec<String>> {
        cluster_made::in_the_way(cx, MAIN, self.definition.cluster_made(cx.cluster())).await
    }

    async fn observe(&self, cx: &DriverContext) -> Result<Observation> {
        let handle = cx.stack(MAIN);
        let Some(stack) = handle.get().await? else {
            return Ok(Observation::of(InfrastructureState::Absent));
        };
        let mut seen = self.read(&stack, cx.cluster())?;
        let resources = handle.resources().await?;
        seen.progress = progress(&resources);
        if stack.phase == Phase::Failed
            && let Some(failed) = innermost_failure(&resources)
        {
            seen.failed_resource = Some(failed.name.clone());
            if !failed.reason.is_empty() {
                seen.reason = Some(failed.reason.clone());
            }
        }
        Ok(seen)
    }

    fn node_policy(&self) -> NodePolicy {
        self.definition.node_policy()
    }

    fn trust_on_nodes(&self, template: &TemplateSpec) -> Option<&'static str> {
        self.definition.trust_on_nodes(template)
    }

    async fn node_names(
        &self,
        cx: &DriverContext,
        role: PoolRole,
        member: Option<&str>,
    ) -> Result<Vec<SubjectName>> {
        node_names::seen(&cx.stack(MAIN), self.definition.node_names(role), member).await
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.definition.client_config(cluster, identity)
    }
}

impl<T: TemplateDefinition> StackDriver<T> {
    fn read(&self, stack: &Stack, cluster: &Cluster) -> Result<Observation> {
        let Some(action) = stack.action else {
            let message = format!(
                "stack {} is in a state that is not known: {}",
                stack.stack.name, stack.reason
            );
            return Err(Error::new(ErrorKind::Unavailable, message).at("driver", "observe"));
        };
        let mut seen = Observation::of(InfrastructureState::Present(action, stack.phase));
        seen.generation = tagged_generation(&stack.tags, cluster.id);
        seen.stack_id = Some(stack.stack.id.clone());
        seen.reason = (!stack.reason.is_empty()).then(|| stack.reason.clone());
        if stack.phase == Phase::InProgress {
            return Ok(seen);
        }
        for mapping in self.definition.outputs() {
            let Some(value) = stack.outputs.get(mapping.output) else {
                continue;
            };
            let text = || {
                value
                    .as_str()
                    .filter(|text| !text.is_empty())
                    .map(ToOwned::to_owned)
            };
            match mapping.target {
                OutputTarget::ApiAddress => seen.api_address = text(),
                OutputTarget::CoeVersion => seen.coe_version = text(),
                OutputTarget::ContainerVersion => seen.container_version = text(),
                OutputTarget::MasterAddresses => seen.master_addresses = Some(texts(value)),
                OutputTarget::NodeAddresses => seen.node_addresses = Some(texts(value)),
            }
        }
        Ok(seen)
    }
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .filter(|t| !t.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

fn progress(resources: &[super::StackResource]) -> Progress {
    let done = resources
        .iter()
        .filter(|r| r.phase == Some(Phase::Complete))
        .count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Progress {
        done: count(done),
        total: count(resources.len()),
    }
}

/// The failed resource that says most: one that no other failed resource is nested in, since
/// those around it only repeat its reason, and rather one that failed by itself than one that was stopped.
fn innermost_failure(resources: &[super::StackResource]) -> Option<&super::StackResource> {
    let failed = || resources.iter().filter(|r| r.phase == Some(Phase::Failed));
    let is_parent = |name: &str| failed().any(|r| r.parent.as_deref() == Some(name));
    let stopped = |reason: &str| reason.contains("aborted") || reason.contains("cancelled");
    failed().min_by_key(|r| (is_parent(&r.name), stopped(&r.reason)))
}
