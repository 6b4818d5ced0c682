//! What the stack of a Kubernetes cluster is.

use std::collections::BTreeMap;

use magnum_core::{
    ClientConfig, ClientIdentity, Cluster, DriverDescriptor, Error, ErrorKind, NameSource, Needs, NodePolicy,
    OutputMapping, OutputTarget, ParameterMapping, Parameters, PoolRole, Problem, Result, Source, StackInput,
    StackTemplate, TemplateDefinition, TemplateSpec,
};
use serde_json::json;

use super::version::{DRIVER, VERSION};
use super::{descriptor, kubeconfig, needs, node_policy, rules};
use crate::common::{driver_text, grammar, timeout};

const PARAMETERS: &[ParameterMapping] = &[
    ParameterMapping::required("ssh_key_name", Source::Keypair),
    ParameterMapping::required("server_image", Source::Image),
    ParameterMapping::required("master_flavor", Source::MasterFlavor),
    ParameterMapping::required("minion_flavor", Source::Flavor),
    ParameterMapping::required("external_network", Source::ExternalNetwork),
    ParameterMapping::optional("fixed_network", Source::FixedNetwork),
    ParameterMapping::optional("fixed_subnet", Source::FixedSubnet),
    ParameterMapping::optional("dns_nameserver", Source::DnsNameserver),
    ParameterMapping::optional("master_lb_enabled", Source::MasterLbEnabled),
    ParameterMapping::optional("floating_ip_enabled", Source::FloatingIpEnabled),
    ParameterMapping::required("number_of_masters", Source::MasterCount),
    ParameterMapping::required("number_of_minions", Source::NodeCount),
    ParameterMapping::required("minions_to_remove", Source::NodesToRemove),
    ParameterMapping::optional("discovery_url", Source::DiscoveryUrl),
    ParameterMapping::optional("docker_volume_size", Source::DockerVolumeSize),
    ParameterMapping::optional("docker_storage_driver", Source::DockerStorageDriver),
    ParameterMapping::required("tls_disabled", Source::TlsDisabled),
    ParameterMapping::required("cluster_uuid", Source::ClusterUuid),
    ParameterMapping::optional("insecure_registry_url", Source::InsecureRegistry),
    ParameterMapping::required("registry_enabled", Source::RegistryEnabled),
    ParameterMapping::optional("http_proxy", Source::HttpProxy),
    ParameterMapping::optional("https_proxy", Source::HttpsProxy),
    ParameterMapping::optional("no_proxy", Source::NoProxy),
    ParameterMapping::required("kube_version", Source::Label(descriptor::KUBE_TAG)),
    ParameterMapping::required("flannel_network_cidr", Source::Label(descriptor::NETWORK_CIDR)),
    ParameterMapping::required("flannel_network_subnetlen", Source::Label(descriptor::SUBNETLEN)),
    ParameterMapping::required("flannel_backend", Source::Label(descriptor::BACKEND)),
];

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

/// Parameters that the top template hands on to masters and nodes alike.
const PASSED: [&str; 22] = [
    "flannel_network_cidr",
    "flannel_backend",
    "docker_volume_size",
    "docker_storage_driver",
    "tls_disabled",
    "kubernetes_port",
    "cluster_uuid",
    "kube_version",
    "insecure_registry_url",
    "cloud_provider_enabled",
    "auth_url",
    "openstack_ca",
    "region_name",
    "trustee_user_id",
    "trustee_password",
    "trust_id",
    "wait_condition_timeout",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "node_endpoint_url",
    "node_endpoint_ca",
];

/// Parameters that it hands on to nodes only.
const REGISTRY_PASSED: [&str; 7] = [
    "registry_enabled",
    "registry_port",
    "registry_container",
    "registry_chunksize",
    "trustee_username",
    "trustee_domain_id",
    "trustee_domain_name",
];

/// The stack of a Kubernetes cluster.
#[derive(Clone, Debug)]
pub struct K8sFedoraAtomic {
    descriptor: DriverDescriptor,
    template: StackTemplate,
    /// Why the template could not be assembled.
    defect: Option<Error>,
}

impl Default for K8sFedoraAtomic {
    fn default() -> Self {
        Self::new()
    }
}

impl K8sFedoraAtomic {
    /// Assembles templates and scripts.
    #[must_use]
    pub fn new() -> Self {
        let (template, defect) = match assemble() {
            Ok(template) => (template, None),
            Err(error) => (StackTemplate::default(), Some(error)),
        };
        Self {
            descriptor: descriptor::describe(),
            template,
            defect,
        }
    }
}

fn assemble() -> Result<StackTemplate> {
    let text = driver_text()?;
    let values = json!({
        "driver": DRIVER,
        "version": VERSION,
        "max_masters": descriptor::MAX_MASTERS,
        "max_minions": descriptor::MAX_MINIONS,
        "fixed_network_cidr": descriptor::FIXED_NETWORK_CIDR,
        "service_cidr": descriptor::SERVICE_CIDR,
        "service_address": descriptor::SERVICE_ADDRESS,
        "dns_address": descriptor::DNS_ADDRESS,
        "default_version": descriptor::KUBERNETES,
        "etcd_version": descriptor::ETCD,
        "flannel_version": descriptor::FLANNEL,
        "coredns_version": descriptor::COREDNS,
        "registry_image": format!("docker.io/library/registry:{}", descriptor::REGISTRY),
        "kubernetes_registry": "registry.k8s.io",
        "etcd_registry": "quay.io/coreos",
        "flannel_registry": "quay.io/coreos",
        "passed": PASSED,
        "registry_passed": REGISTRY_PASSED,
        "cluster_rules": cluster_rules(),
    });
    let files = [
        ("kubemaster.yaml", include_str!("templates/kubemaster.yaml")),
        (
            "kubemaster_port.yaml",
            include_str!("templates/kubemaster_port.yaml"),
        ),
        ("kubemaster.sh", include_str!("templates/kubemaster.sh")),
        ("kubeminion.yaml", include_str!("templates/kubeminion.yaml")),
        ("kubeminion.sh", include_str!("templates/kubeminion.sh")),
    ];
    let mut assembled = BTreeMap::new();
    for (name, file) in files {
        let whole = text.assemble(file, &values)?;
        let is_script = std::path::Path::new(name).extension() == Some("sh".as_ref());
        assembled.insert(
            name.to_owned(),
            if is_script {
                without_comments(&whole)
            } else {
                whole
            },
        );
    }
    Ok(StackTemplate {
        template: text.assemble(include_str!("templates/kubecluster.yaml"), &values)?,
        files: assembled,
    })
}

/// A script without its comments, for which user data has no room. Those that tell shellcheck something stay.
fn without_comments(script: &str) -> String {
    let is_comment = |line: &str| {
        let line = line.trim_start();
        (line == "#" || line.starts_with("# ")) && !line.starts_with("# shellcheck")
    };
    let kept = script.lines().filter(|line| !is_comment(line));
    kept.fold(String::new(), |text, line| text + line + "\n")
}

/// Nova takes 65535 bytes of base64; beside the scripts and all other values this many bytes of the two certificate
/// authorities, in base64, have room.
const AUTHORITIES_ROOM: usize = 12_000;

fn authorities_have_room(parameters: &Parameters) -> Result<()> {
    let length = |name: &str| parameters.get(name).and_then(|v| v.as_str()).map_or(0, str::len);
    let together = length("node_endpoint_ca") + length("openstack_ca");
    if together <= AUTHORITIES_ROOM {
        return Ok(());
    }
    let message = format!(
        "the certificate authorities of the node endpoint and the cloud have no room in the servers' user data: they \
         are {together} bytes in base64, {AUTHORITIES_ROOM} are allowed; leave out what is not needed"
    );
    Err(Error::new(ErrorKind::Configuration, message).at("driver", "user data"))
}

/// What the cluster's servers may say to each other: nodes hear everybody, masters hear each other, and from nodes
/// only flannel and whoever measures their kubelet, beside what is open to all.
fn cluster_rules() -> Vec<serde_json::Value> {
    let mut rules = Vec::new();
    let mut rule = |to: &str, from: &str, protocol: &str, port: Option<u16>| {
        let what = port.map_or_else(|| protocol.to_owned(), |port| format!("{protocol}_{port}"));
        rules.push(json!({
            "name": format!("secgroup_{to}_from_{from}_{what}"),
            "group": format!("secgroup_kube_{to}"),
            "remote": format!("secgroup_kube_{from}"),
            "protocol": protocol,
            "least": port,
            "most": port,
        }));
    };
    for protocol in ["tcp", "udp"] {
        rule("master", "master", protocol, None);
        rule("minion", "master", protocol, None);
        rule("minion", "minion", protocol, None);
    }
    for flannel in [8285, 8472] {
        rule("master", "minion", "udp", Some(flannel));
    }
    rule("master", "minion", "tcp", Some(10250));
    rules
}

impl TemplateDefinition for K8sFedoraAtomic {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.descriptor
    }

    fn template(&self) -> &StackTemplate {
        &self.template
    }

    fn parameters(&self) -> &[ParameterMapping] {
        PARAMETERS
    }

    fn extra_parameters(&self, input: &StackInput<'_>) -> Result<Parameters> {
        if let Some(defect) = &self.defect {
            return Err(defect.clone());
        }
        let (cluster, spec) = (input.cluster, &input.cluster.template);
        let default_port = if cluster.tls() { 6443 } else { 8080 };
        let mut parameters = Parameters::from([
            ("node_prefix".to_owned(), json!(node_prefix(cluster))),
            (
                "wait_condition_timeout".to_owned(),
                json!(timeout::node_wait(cluster.create_timeout)),
            ),
            (
                "kubernetes_port".to_owned(),
                json!(spec.apiserver_port.unwrap_or(default_port)),
            ),
        ]);
        let mut text = |name: &str, value: String| parameters.insert(name.to_owned(), json!(value));
        if cluster.tls() {
            for (name, value) in grammar::node_access(input.nodes, PoolRole::Worker)? {
                text(name, value);
            }
            let [.., (_, credential)] = grammar::node_access(input.nodes, PoolRole::Master)?;
            text("master_credential", credential);
        }
        if rules::cloud_provider(spec) {
            for (name, value) in grammar::trust_access(input.trust)? {
                text(name, value);
            }
            parameters.insert("cloud_provider_enabled".to_owned(), json!(true));
        }
        authorities_have_room(&parameters)?;
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
        needs::needs(cluster, cluster_rules().len() as u64)
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
        rules::problems(template, cluster)
    }

    fn subnet_problems(&self, template: &TemplateSpec, subnet: ipnet::Ipv4Net) -> Vec<Problem> {
        rules::subnet_problems(template, subnet)
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        kubeconfig::client_config(cluster, identity)
    }
}

/// What the names of a cluster's servers begin with: something to recognise, and something unique. Kubernetes knows the
/// servers by these names, so they are host names, short enough for a certificate's subject.
fn node_prefix(cluster: &Cluster) -> String {
    let mut readable = cluster.readable_name();
    if !readable.starts_with(|c: char| c.is_ascii_lowercase()) {
        readable.insert(0, 'c');
        readable.truncate(30);
    }
    let unique: String = cluster.id.0.simple().to_string().chars().take(8).collect();
    format!("{}-{unique}", readable.trim_end_matches('-'))
}
