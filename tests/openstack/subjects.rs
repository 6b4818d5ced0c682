//! The drivers whose stacks are put before both Heats, and the ways in which their clusters can be asked for.

use std::sync::LazyLock;

use magnum::*;

use crate::options::Choice;

/// A driver whose clusters are one stack.
pub trait Stack: ClusterDriver {
    fn stack_template(&self) -> StackTemplate;

    fn parameters(
        &self,
        cluster: &Cluster,
        nodes: Option<&NodeAccess>,
        trust: &TrustAccess,
    ) -> Result<Parameters>;
}

impl<T: TemplateDefinition> Stack for StackDriver<T> {
    fn stack_template(&self) -> StackTemplate {
        self.definition().template().clone()
    }

    fn parameters(
        &self,
        cluster: &Cluster,
        nodes: Option<&NodeAccess>,
        trust: &TrustAccess,
    ) -> Result<Parameters> {
        self.stack_parameters(cluster, nodes, Some(trust))
    }
}

/// An option and its values.
pub type Option_ = (&'static str, &'static [&'static str]);

/// A driver with the options of its clusters.
pub struct Subject {
    pub driver: Box<dyn Stack>,
    /// Every option with its values.
    pub options: &'static [Option_],
    /// The first so many are what every combination is made of; the others are sprinkled in.
    pub crossed: usize,
    /// What is particular of a choice.
    set: fn(&Choice, &mut TemplateSpec),
    /// Parameters that count the nodes and name those that leave, the output of the nodes' servers, and their group.
    pub nodes: [&'static str; 4],
}

const ON_OFF: &[&str] = &["on", "off"];
const OFF_ON: &[&str] = &["off", "on"];
const REGISTRY: Option_ = ("registry", OFF_ON);
const INSECURE: Option_ = ("insecure registry", &["none", "registry.example:5000"]);
const NODES: Option_ = ("nodes", &["1", "2"]);
const MASTERS: Option_ = ("masters", &["1", "3"]);
const NETWORK: Option_ = ("network", &["own", "fixed"]);
const TLS: Option_ = ("tls", ON_OFF);
const BALANCER: Option_ = ("load balancer", ON_OFF);
const FLOATING: Option_ = ("floating IPs", ON_OFF);
const STORAGE: Option_ = ("storage", &["devicemapper", "overlay"]);
const FLANNEL: Option_ = ("flannel", &["udp", "vxlan", "host-gw"]);
const CINDER: Option_ = ("volumes", &["none", "cinder"]);
const REXRAY: Option_ = ("volumes", &["none", "rexray"]);

const OF_KUBERNETES: [&str; 4] = [
    "number_of_minions",
    "minions_to_remove",
    "minions",
    "kube_minions",
];

/// All drivers, by name.
pub fn all() -> &'static [Subject] {
    static ALL: LazyLock<Vec<Subject>> = LazyLock::new(|| {
        vec![
            Subject {
                driver: Box::new(magnum::drivers::docker_ubuntu()),
                options: &[TLS, FLOATING, INSECURE, NODES],
                crossed: 4,
                set: |_, _| {},
                nodes: [
                    "number_of_nodes",
                    "nodes_to_remove",
                    "node_server_ids",
                    "docker_hosts",
                ],
            },
            Subject {
                driver: Box::new(magnum::drivers::k8s_fedora_atomic()),
                options: &[
                    TLS, BALANCER, FLOATING, FLANNEL, STORAGE, CINDER, MASTERS, NETWORK, REGISTRY, INSECURE,
                    NODES,
                ],
                crossed: 7,
                set: kubernetes,
                nodes: OF_KUBERNETES,
            },
            Subject {
                driver: Box::new(magnum::drivers::k8s_coreos()),
                options: &[
                    TLS, BALANCER, FLOATING, CINDER, MASTERS, NETWORK, FLANNEL, REGISTRY, INSECURE, NODES,
                ],
                crossed: 6,
                set: kubernetes,
                nodes: OF_KUBERNETES,
            },
            Subject {
                driver: Box::new(magnum::drivers::k8s_fedora_ironic()),
                options: &[
                    TLS, BALANCER, FLOATING, STORAGE, CINDER, MASTERS, FLANNEL, REGISTRY, INSECURE, NODES,
                ],
                crossed: 6,
                set: kubernetes,
                nodes: OF_KUBERNETES,
            },
            Subject {
                driver: Box::new(magnum::drivers::swarm_fedora_atomic()),
                options: &[
                    TLS,
                    BALANCER,
                    FLOATING,
                    ("network driver", &["docker", "udp", "vxlan", "host-gw"]),
                    REXRAY,
                    REGISTRY,
                    STORAGE,
                    MASTERS,
                    NETWORK,
                    INSECURE,
                    ("strategy", &["spread", "binpack", "random"]),
                    NODES,
                ],
                crossed: 6,
                set: swarm,
                nodes: [
                    "number_of_nodes",
                    "nodes_to_remove",
                    "swarm_node_servers",
                    "swarm_nodes",
                ],
            },
            Subject {
                driver: Box::new(magnum::drivers::mesos_ubuntu()),
                options: &[
                    BALANCER,
                    FLOATING,
                    REXRAY,
                    ("docker volume", OFF_ON),
                    MASTERS,
                    ("images", &["none", "appc", "docker", "appc,docker"]),
                    NETWORK,
                    ("work directory", &["none", "/tmp/mesos"]),
                    (
                        "executors",
                        &["none", "/home/ubuntu/test.json", r#"{"PATH": "/bin"}"#],
                    ),
                    NODES,
                ],
                crossed: 6,
                set: mesos,
                nodes: [
                    "number_of_slaves",
                    "slaves_to_remove",
                    "mesos_slave_servers",
                    "mesos_slaves",
                ],
            },
        ]
    });
    &ALL
}

pub fn named(driver: &str) -> &'static Subject {
    all()
        .iter()
        .find(|subject| subject.name() == driver)
        .unwrap_or_else(|| panic!("{driver}"))
}

impl Subject {
    pub fn name(&self) -> &str {
        &self.driver.descriptor().name
    }

    /// The template of a choice; `fixed` are network and subnet where they are not the cluster's own.
    pub fn template(&self, choice: &Choice, fixed: (&str, &str)) -> TemplateSpec {
        let descriptor = self.driver.descriptor();
        let kind = &descriptor.provides[0];
        let mut spec = TemplateSpec::new(&kind.coe, &kind.os, "public").with_keypair("testkey");
        spec.server_type = kind.server_type;
        spec.flavor_id = Some("m1.small".into());
        spec.master_flavor_id = Some("m1.medium".into());
        spec.dns_nameserver = Some("8.8.8.8,8.8.4.4".into());
        spec.network_driver = descriptor.network_drivers.default.clone();
        spec.tls_disabled = !descriptor.tls || choice.is("tls", "off");
        spec.floating_ip_enabled = Some(choice.is("floating IPs", "on"));
        spec.master_lb_enabled = Some(descriptor.master_lb && choice.is("load balancer", "on"));
        spec.registry_enabled = choice.is("registry", "on");
        if descriptor.docker_volume_size.is_some_and(|size| size > 0) {
            spec.docker_volume_size = Some(3);
        }
        spec.docker_storage_driver = choice.of("storage").map(Into::into);
        let taken = |option| choice.of(option).filter(|value| *value != "none");
        spec.volume_driver = taken("volumes").map(Into::into);
        spec.insecure_registry = taken("insecure registry").map(Into::into);
        // Only machines have no choice.
        let only_fixed = kind.server_type == ServerType::Bm;
        if only_fixed || choice.is("network", "fixed") {
            spec.fixed_network = Some(fixed.0.into());
            spec.fixed_subnet = Some(fixed.1.into());
        }
        (self.set)(choice, &mut spec);
        spec
    }
}

fn label(spec: &mut TemplateSpec, key: &str, value: &str) {
    spec.labels.insert(key.into(), value.into());
}

fn kubernetes(choice: &Choice, spec: &mut TemplateSpec) {
    if let Some(backend) = choice.of("flannel") {
        label(spec, "flannel_backend", backend);
    }
    if spec.registry_enabled {
        label(spec, "cloud_provider_enabled", "true");
    }
}

fn swarm(choice: &Choice, spec: &mut TemplateSpec) {
    if let Some(backend) = choice.of("network driver").filter(|driver| *driver != "docker") {
        spec.network_driver = Some("flannel".into());
        label(spec, "flannel_backend", backend);
    }
    if let Some(strategy) = choice.of("strategy") {
        label(spec, "swarm_strategy", strategy);
        label(spec, "swarm_version", "1.2.5");
    }
    if spec.volume_driver.is_some() {
        label(spec, "rexray_preempt", "true");
    }
}

fn mesos(choice: &Choice, spec: &mut TemplateSpec) {
    if choice.is("docker volume", "on") {
        spec.docker_volume_size = Some(3);
    }
    let taken = |option| choice.of(option).filter(|value| *value != "none");
    if let Some(images) = taken("images") {
        label(spec, "mesos_slave_isolation", "cgroups/cpu,docker/runtime");
        label(spec, "mesos_slave_image_providers", images);
    }
    if let Some(directory) = taken("work directory") {
        label(spec, "mesos_slave_work_dir", directory);
    }
    if let Some(variables) = taken("executors") {
        label(spec, "mesos_slave_executor_env_variables", variables);
    }
}
