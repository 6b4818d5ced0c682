//! What the stack of a Docker cluster is.

use std::collections::BTreeMap;

use magnum_core::{
    Choice, ClientConfig, ClientIdentity, Cluster, ClusterType, DriverDescriptor, Error, NameSource, Needs,
    NodePolicy, OutputMapping, OutputTarget, ParameterMapping, Parameters, PoolRole, Problem, Reach, Result,
    Runs, RunsAs, ServerType, Software, Source, StackInput, StackTemplate, TemplateDefinition, TemplateSpec,
};
use serde_json::json;

use super::version::{DRIVER, VERSION};
use crate::common::{compact, docker_client, driver_text, grammar, timeout};

/// The most hosts that the private network and its first addresses have room for.
const MAX_NODES: u32 = 200;

const PARAMETERS: &[ParameterMapping] = &[
    ParameterMapping::required("ssh_key_name", Source::Keypair),
    ParameterMapping::required("server_image", Source::Image),
    ParameterMapping::required("flavor", Source::Flavor),
    ParameterMapping::required("external_network", Source::ExternalNetwork),
    ParameterMapping::optional("dns_nameserver", Source::DnsNameserver),
    ParameterMapping::optional("http_proxy", Source::HttpProxy),
    ParameterMapping::optional("https_proxy", Source::HttpsProxy),
    ParameterMapping::optional("no_proxy", Source::NoProxy),
    ParameterMapping::required("tls_disabled", Source::TlsDisabled),
    ParameterMapping::required("cluster_uuid", Source::ClusterUuid),
    ParameterMapping::required("number_of_nodes", Source::NodeCount),
    ParameterMapping::required("nodes_to_remove", Source::NodesToRemove),
];

const OUTPUTS: &[OutputMapping] = &[
    OutputMapping {
        output: "api_address",
        target: OutputTarget::ApiAddress,
    },
    OutputMapping {
        output: "master_addresses",
        target: OutputTarget::MasterAddresses,
    },
    OutputMapping {
        output: "node_addresses",
        target: OutputTarget::NodeAddresses,
    },
];

const NODE_NAMES: &[NameSource] = &[
    NameSource {
        kind: "OS::Neutron::Port",
        resource: "docker_port",
        attribute: "fixed_ips",
    },
    NameSource {
        kind: "OS::Neutron::FloatingIP",
        resource: "docker_floating_ip",
        attribute: "floating_ip_address",
    },
];

/// The stack of a Docker cluster.
#[derive(Clone, Debug)]
pub struct DockerUbuntu {
    descriptor: DriverDescriptor,
    template: StackTemplate,
    /// Why the template could not be assembled.
    defect: Option<Error>,
}

impl Default for DockerUbuntu {
    fn default() -> Self {
        Self::new()
    }
}

impl DockerUbuntu {
    /// Assembles templates and script.
    #[must_use]
    pub fn new() -> Self {
        let (template, defect) = match assemble() {
            Ok(template) => (template, None),
            Err(error) => (StackTemplate::default(), Some(error)),
        };
        Self {
            descriptor: describe(),
            template,
            defect,
        }
    }
}

fn assemble() -> Result<StackTemplate> {
    let text = driver_text()?;
    let values = json!({"driver": DRIVER, "version": VERSION, "max_nodes": MAX_NODES});
    let node = text.assemble(include_str!("templates/node.yaml"), &values)?;
    let script = compact::compact(&text.assemble(include_str!("templates/node.sh"), &values)?);
    Ok(StackTemplate {
        template: text.assemble(include_str!("templates/cluster.yaml"), &values)?,
        files: BTreeMap::from([("node.yaml".to_owned(), node), ("node.sh".to_owned(), script)]),
    })
}

fn describe() -> DriverDescriptor {
    let only = |name: &str| Choice {
        allowed: vec![name.to_owned()],
        default: Some(name.to_owned()),
    };
    let kind = ClusterType::new(ServerType::Vm, "ubuntu", "docker");
    let mut descriptor = DriverDescriptor::new(DRIVER, VERSION, vec![kind]);
    descriptor.software.insert(
        "docker".to_owned(),
        Software::fixed("docker.io of the image's Ubuntu release"),
    );
    descriptor.network_drivers = only("docker");
    descriptor.storage_drivers = only("overlay");
    descriptor.tls = true;
    descriptor.scalable = true;
    descriptor.named_removal = true;
    descriptor.private_only = true;
    descriptor.template_path = Some(format!("{DRIVER}/templates/cluster.yaml"));
    "ubuntu".clone_into(&mut descriptor.login);
    "Ubuntu's cloud image of 20.04 or later, as published".clone_into(&mut descriptor.image);
    let hosts = &[PoolRole::Worker];
    descriptor.runs = vec![
        Runs::new("sshd", hosts, RunsAs::Service).listening("22/tcp", Reach::Everybody),
        Runs::new("docker", hosts, RunsAs::Service)
            .listening("2376/tcp, or 2375/tcp without TLS", Reach::Everybody),
    ];
    descriptor
}

impl TemplateDefinition for DockerUbuntu {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.descriptor
    }

    fn template(&self) -> &StackTemplate {
        &self.template
    }

    fn node_policy(&self) -> NodePolicy {
        NodePolicy {
            renewal: true,
            ..NodePolicy::servers(&[PoolRole::Worker])
        }
    }

    fn needs(&self, cluster: &Cluster) -> Needs {
        let hosts = u64::from(cluster.node_count());
        let floating = u64::from(cluster.template.floating_ip_enabled != Some(false));
        let mut needs = Needs::default();
        needs.servers(cluster.template.flavor_id.as_deref().unwrap_or_default(), hosts);
        needs.networks = 1;
        needs.subnets = 1;
        needs.routers = 1;
        // One of each host, and the router's inside.
        needs.ports = hosts + 1;
        needs.floating_ips = floating * hosts;
        needs.security_groups = 1;
        // Ping, SSH, Docker, and the two that Neutron makes with a group.
        needs.security_group_rules = 5;
        needs.stacks = 1;
        // Network, subnet, router and its inside, security group, the group of hosts; for each host its stack, wait
        // handle, condition, port, server and floating IP.
        needs.stack_resources = 6 + hosts * (5 + floating);
        needs
    }

    fn parameters(&self) -> &[ParameterMapping] {
        PARAMETERS
    }

    fn extra_parameters(&self, input: &StackInput<'_>) -> Result<Parameters> {
        if let Some(defect) = &self.defect {
            return Err(defect.clone());
        }
        let spec = &input.cluster.template;
        let wait = timeout::node_wait(input.cluster.create_timeout);
        let mut parameters = Parameters::from([
            ("wait_condition_timeout".to_owned(), json!(wait)),
            (
                "floating_ip_enabled".to_owned(),
                json!(spec.floating_ip_enabled.unwrap_or(true)),
            ),
        ]);
        if let Some(registry) = &spec.insecure_registry {
            parameters.insert("insecure_registry".to_owned(), json!(registry));
        }
        if input.cluster.tls() {
            for (name, value) in grammar::node_access(input.nodes, PoolRole::Worker)? {
                parameters.insert(name.to_owned(), json!(value));
            }
        }
        Ok(parameters)
    }

    fn outputs(&self) -> &[OutputMapping] {
        OUTPUTS
    }

    fn node_names(&self, role: PoolRole) -> &[NameSource] {
        match role {
            PoolRole::Worker => NODE_NAMES,
            // The first host is the endpoint, but it is a node like the others.
            PoolRole::Master => &[],
        }
    }

    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        let mut problems = grammar::problems(template);
        if let Some(count) = cluster.map(Cluster::node_count)
            && !(1..=MAX_NODES).contains(&count)
        {
            let message = format!("must be 1 to {MAX_NODES}: the first host is the cluster's endpoint");
            problems.push(Problem::new("node_count", count, message));
        }
        problems
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        docker_client::config(cluster, identity)
    }
}
