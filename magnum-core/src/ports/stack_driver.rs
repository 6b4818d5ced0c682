//! The short way to a driver: say what the stack is, everything else follows.

use std::fmt;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    ClientConfig, ClientIdentity, ClusterChange, ClusterDriver, DriverContext, DriverDescriptor, Effect,
    InfrastructureState, NameSource, Needs, NodeAccess, NodePolicy, Observation, OutputMapping, OutputTarget,
    ParameterMapping, Parameters, Source, Stack, StackDefinition, StackTemplate, SubjectName, TrustAccess,
    cluster_made, node_names,
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

    /// Parameters beyond the mapped ones. Default: none.
    ///
    /// # Errors
    /// `InvalidInput` when the cluster cannot be described.
    fn extra_parameters(&self, _input: &StackInput<'_>) -> Result<Parameters> {
        Ok(Parameters::new())
    }

    /// Which stack output goes into which attribute of the cluster.
    fn outputs(&self) -> &[OutputMapping];

    /// Where the names of a role's nodes, addresses and servers', are seen while the stack is being made. Default:
    /// nowhere, for nodes that ask for no certificates.
    fn node_names(&self, _role: PoolRole) -> &[NameSource] {
        &[]
    }

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

    /// Rules of the driver beyond its descriptor. Default: none.
    fn validate(&self, _template: &TemplateSpec, _cluster: Option<&Cluster>) -> Vec<Problem> {
        Vec::new()
    }

    /// See [`ClusterDriver::needs`].
    fn needs(&self, _cluster: &Cluster) -> Needs {
        Needs::default()
    }

    /// See [`ClusterDriver::effect`].
    fn effect(&self, attribute: &str) -> Effect {
        self.descriptor().effect(attribute)
    }

    /// Whether the cluster's COE may have made load balancers and volumes by itself, behind the stack's back: they are
    /// looked for when it is deleted.
    fn cluster_made(&self, _cluster: &Cluster) -> bool {
        false
    }

    /// See [`ClusterDriver::subnet_problems`].
    fn subnet_problems(&self, _template: &TemplateSpec, _subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        Vec::new()
    }

    /// What a user needs to talk to the COE. Default: nothing, which is an error that says where the COE is.
    ///
    /// # Errors
    /// `Conflict` while the cluster has no address.
    fn client_config(&self, cluster: &Cluster, _identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        let address = cluster.api_address.as_deref().unwrap_or("no address yet");
        let message = format!(
            "the driver {} has no configuration for clients; the cluster is at {address}",
            self.descriptor().name
        );
        Err(Error::new(ErrorKind::InvalidInput, message).at("driver", "client configuration"))
    }
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
            match mapping.source.value(cluster, self.definition.descriptor()) {
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
        let mut parameters = Parameters::new();
        for mapping in self.definition.parameters() {
            let value = match (change, mapping.source) {
                (ClusterChange::Scale { count, .. }, Source::NodeCount) => Some(json!(count)),
                (ClusterChange::Scale { remove, .. }, Source::NodesToRemove) => Some(json!(remove)),
                (ClusterChange::Attributes { names }, source)
                    if source
                        .attribute()
                        .is_some_and(|name| names.iter().any(|n| n == name)) =>
                {
                    source.value(cx.cluster(), self.definition.descriptor())
                }
                // The stack keeps its other parameters, and tries again what failed.
                (ClusterChange::Resume, Source::NodeCount) => {
                    Source::NodeCount.value(cx.cluster(), self.definition.descriptor())
                }
                _ => None,
            };
            if let Some(value) = value {
                parameters.insert(mapping.parameter.to_owned(), value);
            }
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

    fn needs(&self, cluster: &Cluster) -> Needs {
        self.definition.needs(cluster)
    }

    fn effect(&self, attribute: &str) -> Effect {
        self.definition.effect(attribute)
    }

    fn node_policy(&self) -> NodePolicy {
        self.definition.node_policy()
    }

    fn trust_on_nodes(&self, template: &TemplateSpec) -> Option<&'static str> {
        self.definition.trust_on_nodes(template)
    }

    async fn node_names(&self, cx: &DriverContext, role: PoolRole, member: &str) -> Result<Vec<SubjectName>> {
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
