//! The stacks that Python Magnum's templates make: their parameters and outputs.

use magnum_core::{
    ClientConfig, ClientIdentity, Cluster, DriverDescriptor, Error, ErrorKind, NameSource, OutputMapping,
    OutputTarget, ParameterMapping, Parameters, PoolRole, Problem, Result, Source, StackInput, StackTemplate,
    TemplateDefinition, TemplateSpec,
};

use crate::common::kubernetes::kubeconfig;
use crate::common::{docker_client, mesos_client};

/// The container orchestration engines that Python Magnum made clusters of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coe {
    /// Kubernetes.
    Kubernetes,
    /// Docker Swarm.
    Swarm,
    /// Apache Mesos.
    Mesos,
}

const KUBERNETES: &[ParameterMapping] = &[
    ParameterMapping::required("number_of_minions", Source::NodeCount),
    ParameterMapping::required("minions_to_remove", Source::NodesToRemove),
];
const SWARM: &[ParameterMapping] = &[ParameterMapping::required("number_of_nodes", Source::NodeCount)];
const MESOS: &[ParameterMapping] = &[
    ParameterMapping::required("number_of_slaves", Source::NodeCount),
    ParameterMapping::required("slaves_to_remove", Source::NodesToRemove),
];

const KUBERNETES_OUTPUTS: &[OutputMapping] = &outputs("kube_masters", "kube_minions");
/// Where servers have no floating IPs.
const KUBERNETES_PRIVATE_OUTPUTS: &[OutputMapping] = &outputs("kube_masters_private", "kube_minions_private");
const SWARM_OUTPUTS: &[OutputMapping] = &outputs("swarm_masters", "swarm_nodes");
const MESOS_OUTPUTS: &[OutputMapping] = &outputs("mesos_master", "mesos_slaves");

const fn outputs(masters: &'static str, nodes: &'static str) -> [OutputMapping; 3] {
    const fn output(output: &'static str, target: OutputTarget) -> OutputMapping {
        OutputMapping { output, target }
    }
    [
        output("api_address", OutputTarget::ApiAddress),
        output(masters, OutputTarget::MasterAddresses),
        output(nodes, OutputTarget::NodeAddresses),
    ]
}

/// A stack that is there already.
#[derive(Clone, Debug)]
pub(super) struct ThereAlready {
    pub(super) coe: Coe,
    /// Whether its servers have floating IPs.
    pub(super) floating: bool,
    pub(super) descriptor: DriverDescriptor,
    /// Never sent: the stack keeps its own.
    template: StackTemplate,
}

impl ThereAlready {
    pub(super) fn new(coe: Coe, floating: bool, descriptor: DriverDescriptor) -> Self {
        Self {
            coe,
            floating,
            descriptor,
            template: StackTemplate::default(),
        }
    }

    /// The address as clients want it; Python Magnum's stacks tell the host only.
    pub(super) fn address(&self, host: &str, tls: bool) -> String {
        match (self.coe, tls) {
            (Coe::Kubernetes, true) => format!("https://{host}:6443"),
            (Coe::Kubernetes, false) => format!("http://{host}:8080"),
            (Coe::Swarm, true) => format!("tcp://{host}:2376"),
            (Coe::Swarm, false) => format!("tcp://{host}:2375"),
            (Coe::Mesos, _) => host.to_owned(),
        }
    }
}

impl TemplateDefinition for ThereAlready {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.descriptor
    }

    fn template(&self) -> &StackTemplate {
        &self.template
    }

    fn parameters(&self) -> &[ParameterMapping] {
        match self.coe {
            Coe::Kubernetes => KUBERNETES,
            Coe::Swarm => SWARM,
            Coe::Mesos => MESOS,
        }
    }

    fn extra_parameters(&self, _input: &StackInput<'_>) -> Result<Parameters> {
        let message = format!(
            "the driver {} makes no clusters; it looks after those that Python Magnum made",
            self.descriptor.name
        );
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    fn outputs(&self) -> &[OutputMapping] {
        match (self.coe, self.floating) {
            (Coe::Kubernetes, true) => KUBERNETES_OUTPUTS,
            (Coe::Kubernetes, false) => KUBERNETES_PRIVATE_OUTPUTS,
            (Coe::Swarm, _) => SWARM_OUTPUTS,
            (Coe::Mesos, _) => MESOS_OUTPUTS,
        }
    }

    /// Their nodes have their certificates already, and none of our credentials.
    fn node_names(&self, _role: PoolRole) -> &[NameSource] {
        &[]
    }

    fn validate(&self, _template: &TemplateSpec, _cluster: Option<&Cluster>) -> Vec<Problem> {
        Vec::new()
    }

    /// Python Magnum gives Kubernetes the cluster's trust unless a label denies it.
    fn cluster_made(&self, cluster: &Cluster) -> bool {
        let denied = cluster.labels().get("cloud_provider_enabled");
        self.coe == Coe::Kubernetes && denied.is_none_or(|said| !said.eq_ignore_ascii_case("false"))
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        match self.coe {
            Coe::Kubernetes => kubeconfig::client_config(cluster, identity),
            Coe::Swarm => docker_client::config(cluster, identity),
            Coe::Mesos => mesos_client::config(cluster),
        }
    }
}
