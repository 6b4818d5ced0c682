//! What the stack of a Kubernetes cluster is.

use magnum_core::{
    ClientConfig, ClientIdentity, Cluster, DriverDescriptor, Error, NameSource, Needs, NodePolicy,
    OutputMapping, OutputTarget, ParameterMapping, Parameters, PoolRole, Problem, Result, Source, StackInput,
    StackTemplate, TemplateDefinition, TemplateSpec,
};
use serde_json::json;

use super::{Distribution, Storage, descriptor, kubeconfig, node_policy, rules, text};
use crate::common::needs::{self, Has};
use crate::common::{access, flannel, servers, timeout};

const PARAMETERS: &[ParameterMapping] = &[
    ParameterMapping::required("master_flavor", Source::MasterFlavor),
    ParameterMapping::required("minion_flavor", Source::Flavor),
    ParameterMapping::required("number_of_masters", Source::MasterCount),
    ParameterMapping::required("number_of_minions", Source::NodeCount),
    ParameterMapping::required("minions_to_remove", Source::NodesToRemove),
    ParameterMapping::optional("discovery_url", Source::DiscoveryUrl),
    ParameterMapping::required("tls_disabled", Source::TlsDisabled),
    ParameterMapping::required("cluster_uuid", Source::ClusterUuid),
    ParameterMapping::optional("insecure_registry_url", Source::InsecureRegistry),
    ParameterMapping::required("registry_enabled", Source::RegistryEnabled),
    ParameterMapping::required("kube_version", Source::Label(descriptor::KUBE_TAG)),
];

const VOLUME_SIZE: ParameterMapping =
    ParameterMapping::optional("docker_volume_size", Source::DockerVolumeSize);
const STORAGE_DRIVER: ParameterMapping =
    ParameterMapping::optional("docker_storage_driver", Source::DockerStorageDriver);

const OUTPUTS: &[OutputMapping] = &[
    output("api_address", OutputTarget::ApiAddress),
    output("kube_masters", OutputTarget::MasterAddresses),
    output("kube_minions", OutputTarget::NodeAddresses),
    output("coe_version", OutputTarget::CoeVersion),
    output("container_version", OutputTarget::ContainerVersion),
];

const fn output(output: &'static str, target: OutputTarget) -> OutputMapping {
    OutputMapping { output, target }
}

/// The stack of a Kubernetes cluster.
#[derive(Clone, Debug)]
pub struct KubernetesStack {
    distribution: &'static Distribution,
    descriptor: DriverDescriptor,
    parameters: Vec<ParameterMapping>,
    template: StackTemplate,
    /// Why the template could not be assembled.
    defect: Option<Error>,
}

impl KubernetesStack {
    /// Assembles templates and scripts.
    pub(crate) fn new(distribution: &'static Distribution) -> Self {
        let mut parameters = [servers::PARAMETERS, flannel::PARAMETERS, PARAMETERS].concat();
        match distribution.storage {
            Storage::Volume => parameters.extend([VOLUME_SIZE, STORAGE_DRIVER]),
            Storage::Ephemeral => parameters.push(STORAGE_DRIVER),
            Storage::Image => {}
        }
        let (template, notes, defect) = match text::assemble(distribution) {
            Ok((template, notes)) => (template, notes, None),
            Err(error) => (StackTemplate::default(), String::new(), Some(error)),
        };
        Self {
            distribution,
            descriptor: descriptor::describe(distribution, notes),
            parameters,
            template,
            defect,
        }
    }
}

impl TemplateDefinition for KubernetesStack {
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
        let (cluster, spec) = (input.cluster, &input.cluster.template);
        let default_port = if cluster.tls() { 6443 } else { 8080 };
        let mut parameters = Parameters::from([
            ("node_prefix".to_owned(), json!(servers::name_prefix(cluster))),
            (
                "wait_condition_timeout".to_owned(),
                json!(timeout::node_wait(cluster.create_timeout)),
            ),
            (
                "kubernetes_port".to_owned(),
                json!(spec.apiserver_port.unwrap_or(default_port)),
            ),
        ]);
        let on_nodes = rules::cloud_provider(spec);
        parameters.extend(access::parameters(input, on_nodes)?);
        if on_nodes {
            parameters.insert("cloud_provider_enabled".to_owned(), json!(true));
        }
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
        let volumes = self.distribution.storage == Storage::Volume;
        needs::needs(
            cluster,
            &Has {
                master_volumes: volumes,
                node_volumes: volumes,
                listeners: 1,
                open_rules: descriptor::OPEN_RULES,
                cluster_rules: text::cluster_rules().len() as u64,
            },
        )
    }

    fn trust_on_nodes(&self, template: &TemplateSpec) -> Option<&'static str> {
        if !rules::cloud_provider(template) {
            None
        } else if template.labels.contains_key(descriptor::CLOUD_PROVIDER) {
            Some("labels.cloud_provider_enabled")
        } else {
            Some("volume_driver")
        }
    }

    fn cluster_made(&self, cluster: &Cluster) -> bool {
        rules::cloud_provider(&cluster.template)
    }

    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        rules::problems(self.distribution, template, cluster)
    }

    fn subnet_problems(&self, template: &TemplateSpec, subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        rules::subnet_problems(template, subnet)
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        kubeconfig::client_config(cluster, identity)
    }
}
