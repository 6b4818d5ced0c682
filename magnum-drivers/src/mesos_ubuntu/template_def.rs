//! What the stack of a Mesos cluster is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use magnum_core::{
    ClientConfig, ClientIdentity, Cluster, DriverDescriptor, Error, NameSource, Needs, NodePolicy,
    OutputMapping, OutputTarget, ParameterMapping, Parameters, PoolRole, Problem, Result, Source, StackInput,
    StackTemplate, TemplateDefinition, TemplateSpec,
};
use serde_json::json;

use super::rules::ExecutorEnvironment;
use super::{descriptor, rules, text};
use crate::common::needs::{self, Has};
use crate::common::{access, mesos_client, servers, timeout};

const PARAMETERS: &[ParameterMapping] = &[
    ParameterMapping::required("master_flavor", Source::MasterFlavor),
    ParameterMapping::required("slave_flavor", Source::Flavor),
    ParameterMapping::required("number_of_masters", Source::MasterCount),
    ParameterMapping::required("number_of_slaves", Source::NodeCount),
    ParameterMapping::required("slaves_to_remove", Source::NodesToRemove),
    ParameterMapping::optional("docker_volume_size", Source::DockerVolumeSize),
    ParameterMapping::optional("volume_driver", Source::VolumeDriver),
    ParameterMapping::required("cluster_uuid", Source::ClusterUuid),
    ParameterMapping::required("rexray_preempt", Source::Label(descriptor::PREEMPT)),
    ParameterMapping::optional(descriptor::ISOLATION, Source::Label(descriptor::ISOLATION)),
    ParameterMapping::optional(
        descriptor::IMAGE_PROVIDERS,
        Source::Label(descriptor::IMAGE_PROVIDERS),
    ),
    ParameterMapping::optional(descriptor::WORK_DIR, Source::Label(descriptor::WORK_DIR)),
];

const OUTPUTS: &[OutputMapping] = &[
    output("api_address", OutputTarget::ApiAddress),
    output("mesos_master", OutputTarget::MasterAddresses),
    output("mesos_slaves", OutputTarget::NodeAddresses),
    output("coe_version", OutputTarget::CoeVersion),
    output("container_version", OutputTarget::ContainerVersion),
];

const fn output(output: &'static str, target: OutputTarget) -> OutputMapping {
    OutputMapping { output, target }
}

/// The stack of a Mesos cluster.
#[derive(Clone, Debug)]
pub struct MesosUbuntu {
    descriptor: DriverDescriptor,
    parameters: Vec<ParameterMapping>,
    template: StackTemplate,
    /// Why the template could not be assembled.
    defect: Option<Error>,
}

impl Default for MesosUbuntu {
    fn default() -> Self {
        Self::new()
    }
}

impl MesosUbuntu {
    /// Assembles templates and scripts.
    #[must_use]
    pub fn new() -> Self {
        let (template, defect) = match text::assemble() {
            Ok(template) => (template, None),
            Err(error) => (StackTemplate::default(), Some(error)),
        };
        Self {
            descriptor: descriptor::describe(),
            parameters: [servers::PARAMETERS, PARAMETERS].concat(),
            template,
            defect,
        }
    }
}

impl TemplateDefinition for MesosUbuntu {
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
            ("cluster_name".to_owned(), json!(rules::cluster_name(cluster))),
            (
                "wait_condition_timeout".to_owned(),
                json!(timeout::node_wait(cluster.create_timeout)),
            ),
        ]);
        let environment = rules::executor_environment(&cluster.template)
            .map_err(|message| Error::field(format!("labels.{}", descriptor::EXECUTOR_ENV), "", message))?;
        match environment {
            None => {}
            Some(ExecutorEnvironment::File(path)) => {
                parameters.insert("mesos_slave_executor_env_file".to_owned(), json!(path));
            }
            Some(ExecutorEnvironment::Variables(object)) => {
                let encoded = STANDARD.encode(object);
                parameters.insert(descriptor::EXECUTOR_ENV.to_owned(), json!(encoded));
            }
        }
        if rules::trust_on_nodes(&cluster.template).is_some() {
            // Only the registry, which is not here, logs in by name.
            let by_id = |name: &String| !name.starts_with("trustee_domain") && name != "trustee_username";
            parameters.extend(access::trust(input)?.into_iter().filter(|(name, _)| by_id(name)));
        }
        Ok(parameters)
    }

    fn outputs(&self) -> &[OutputMapping] {
        OUTPUTS
    }

    fn node_names(&self, _role: PoolRole) -> &[NameSource] {
        &[]
    }

    /// Its servers get no certificates.
    fn node_policy(&self) -> NodePolicy {
        NodePolicy::default()
    }

    fn needs(&self, cluster: &Cluster) -> Needs {
        let has = Has {
            master_volumes: false,
            node_volumes: cluster.template.docker_volume_size.is_some(),
            listeners: 2,
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

    /// Mesos has no client of its own to configure: an error that says where it is.
    fn client_config(&self, cluster: &Cluster, _identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        mesos_client::config(cluster)
    }
}
