//! What the stack of a Swarm cluster is.

use magnum_core::{
    ClientConfig, ClientIdentity, Cluster, DriverDescriptor, Error, NameSource, Needs, NodePolicy,
    OutputMapping, OutputTarget, ParameterMapping, Parameters, PoolRole, Problem, Result, Source, StackInput,
    StackTemplate, TemplateDefinition, TemplateSpec,
};
use serde_json::json;

use super::{descriptor, node_policy, rules, text};
use crate::common::needs::{self, Has};
use crate::common::{access, docker_client, flannel, servers, timeout};

const PARAMETERS: &[ParameterMapping] = &[
    ParameterMapping::required("master_flavor", Source::MasterFlavor),
    ParameterMapping::required("node_flavor", Source::Flavor),
    ParameterMapping::required("number_of_masters", Source::MasterCount),
    ParameterMapping::required("number_of_nodes", Source::NodeCount),
    ParameterMapping::required("nodes_to_remove", Source::NodesToRemove),
    ParameterMapping::optional("discovery_url", Source::DiscoveryUrl),
    ParameterMapping::optional("docker_volume_size", Source::DockerVolumeSize),
    ParameterMapping::optional("docker_storage_driver", Source::DockerStorageDriver),
    ParameterMapping::required("network_driver", Source::NetworkDriver),
    ParameterMapping::optional("volume_driver", Source::VolumeDriver),
    ParameterMapping::required("tls_disabled", Source::TlsDisabled),
    ParameterMapping::required("cluster_uuid", Source::ClusterUuid),
    ParameterMapping::optional("insecure_registry_url", Source::InsecureRegistry),
    ParameterMapping::required("registry_enabled", Source::RegistryEnabled),
    ParameterMapping::required("rexray_preempt", Source::Label(descriptor::PREEMPT)),
    ParameterMapping::required("swarm_strategy", Source::Label(descriptor::STRATEGY)),
    ParameterMapping::required("swarm_version", Source::Label(descriptor::SWARM_VERSION)),
];

const OUTPUTS: &[OutputMapping] = &[
    output("api_address", OutputTarget::ApiAddress),
    output("swarm_masters", OutputTarget::MasterAddresses),
    output("swarm_nodes", OutputTarget::NodeAddresses),
    output("coe_version", OutputTarget::CoeVersion),
    output("container_version", OutputTarget::ContainerVersion),
];

const fn output(output: &'static str, target: OutputTarget) -> OutputMapping {
    OutputMapping { output, target }
}

/// The stack of a Swarm cluster.
#[derive(Clone, Debug)]
pub struct SwarmFedoraAtomic {
    descriptor: DriverDescriptor,
    parameters: Vec<ParameterMapping>,
    template: StackTemplate,
    /// Why the template could not be assembled.
    defect: Option<Error>,
}

impl Default for SwarmFedoraAtomic {
    fn default() -> Self {
        Self::new()
    }
}

impl SwarmFedoraAtomic {
    /// Assembles templates and scripts.
    #[must_use]
    pub fn new() -> Self {
        let (template, notes, defect) = match text::assemble() {
            Ok((template, notes)) => (template, notes, None),
            Err(error) => (StackTemplate::default(), String::new(), Some(error)),
        };
        Self {
            descriptor: descriptor::describe(notes),
            parameters: [servers::PARAMETERS, flannel::PARAMETERS, PARAMETERS].concat(),
            template,
            defect,
        }
    }
}

impl TemplateDefinition for SwarmFedoraAtomic {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.descriptor
    }

    fn template(&self) -> &StackTemplate {
        &self.template
    }

    fn parameters(&self) -> &[ParameterMapping] {
        &self.parameters
    }

    fn extra_parameters(&self, input: &StackInput<'_>) -> Result<Parameters> {
        if let Some(defect) = &self.defect {
            return Err(defect.clone());
        }
        let cluster = input.cluster;
        let mut parameters = Parameters::from([
            ("node_prefix".to_owned(), json!(servers::name_prefix(cluster))),
            (
                "wait_condition_timeout".to_owned(),
                json!(timeout::node_wait(cluster.create_timeout)),
            ),
        ]);
        let trust_on_nodes = rules::trust_on_nodes(&cluster.template).is_some();
        parameters.extend(access::parameters(input, trust_on_nodes)?);
        Ok(parameters)
    }

    fn outputs(&self) -> &[OutputMapping] {
        OUTPUTS
    }

    fn node_names(&self, role: PoolRole) -> &[NameSource] {
        node_policy::names(role)
    }

    fn node_policy(&self) -> NodePolicy {
        node_policy::policy()
    }

    fn needs(&self, cluster: &Cluster) -> Needs {
        let has = Has {
            master_volumes: true,
            node_volumes: true,
            listeners: 1,
            open_rules: descriptor::OPEN_RULES,
            cluster_rules: text::cluster_rules().len() as u64,
        };
        needs::needs(cluster, &has)
    }

    fn trust_on_nodes(&self, template: &TemplateSpec) -> Option<&'static str> {
        rules::trust_on_nodes(template)
    }

    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        rules::problems(template, cluster)
    }

    fn subnet_problems(&self, template: &TemplateSpec, subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        rules::subnet_problems(template, subnet)
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        docker_client::config(cluster, identity)
    }
}
