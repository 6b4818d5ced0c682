//! The texts of a Kubernetes stack: templates, scripts, and what users should know.

use magnum_core::{Result, StackTemplate};
use serde_json::{Value, json};

use super::{Distribution, Storage, descriptor};
use crate::TemplateText;
use crate::common::{self, driver_text, flannel, servers};

/// Fragments of these texts, beside those that all drivers share.
const FRAGMENTS: [(&str, &str); 9] = [
    (
        "openstack_config.sh",
        include_str!("templates/openstack_config.sh"),
    ),
    ("kubernetes.sh", include_str!("templates/kubernetes.sh")),
    ("kubernetes_dns.sh", include_str!("templates/kubernetes_dns.sh")),
    ("kubernetes.yaml", include_str!("templates/kubernetes.yaml")),
    (
        "kubernetes_arguments.yaml",
        include_str!("templates/kubernetes_arguments.yaml"),
    ),
    (
        "kubernetes_values.yaml",
        include_str!("templates/kubernetes_values.yaml"),
    ),
    ("kubecluster.yaml", include_str!("templates/kubecluster.yaml")),
    ("network.md", include_str!("notes/network.md")),
    ("identities.md", include_str!("notes/identities.md")),
];

/// The templates and scripts that the top template refers to.
const FILES: [(&str, &str); 5] = [
    ("kubemaster.yaml", include_str!("templates/kubemaster.yaml")),
    (
        "kubemaster_port.yaml",
        include_str!("templates/kubemaster_port.yaml"),
    ),
    ("kubemaster.sh", include_str!("templates/kubemaster.sh")),
    ("kubeminion.yaml", include_str!("templates/kubeminion.yaml")),
    ("kubeminion.sh", include_str!("templates/kubeminion.sh")),
];

/// Parameters that the top template hands on to masters and nodes alike.
const PASSED: [&str; 20] = [
    "flannel_network_cidr",
    "flannel_backend",
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

/// The templates of a distribution, and its notes.
pub(super) fn assemble(distribution: &Distribution) -> Result<(StackTemplate, String)> {
    let text = text(distribution)?;
    let values = values(distribution);
    let template = common::assemble(&text, distribution.template, &FILES, &values)?;
    Ok((template, text.assemble(distribution.notes, &values)?))
}

fn text(distribution: &Distribution) -> Result<TemplateText> {
    let docker = distribution.docker.join("\n");
    FRAGMENTS
        .into_iter()
        .chain([
            ("docker.sh", docker.as_str()),
            ("apiserver.sh", distribution.apiserver),
        ])
        .try_fold(driver_text()?, |text, (name, fragment)| {
            text.with_fragment(name, fragment)
        })
}

fn values(distribution: &Distribution) -> Value {
    let volumes = distribution.storage == Storage::Volume;
    let storage = distribution.storage != Storage::Image;
    let own = [
        (volumes, "docker_volume_size"),
        (storage, "docker_storage_driver"),
    ];
    let own = own.into_iter().filter_map(|(there, name)| there.then_some(name));
    let passed: Vec<&str> = PASSED.into_iter().chain(own).collect();
    json!({
        "driver": distribution.driver,
        "version": distribution.version,
        "login": distribution.login,
        "programs": distribution.programs,
        "cloud_ca": "/etc/kubernetes/openstack-ca.crt",
        "flannel": true,
        "volumes": volumes,
        "storage": storage,
        "api_port": "kubernetes_port",
        "max_masters": descriptor::MAX_MASTERS,
        "max_minions": descriptor::MAX_MINIONS,
        "fixed_network_cidr": servers::NETWORK_CIDR,
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
        "passed": passed,
        "registry_passed": REGISTRY_PASSED,
        "cluster_rules": cluster_rules(),
    })
}

/// What the cluster's servers may say to each other: nodes hear everybody, masters hear each other, and from nodes
/// only flannel and whoever measures their kubelet, beside what is open to all.
pub(super) fn cluster_rules() -> Vec<Value> {
    let (master, minion) = ("kube_master", "kube_minion");
    let mut rules = Vec::new();
    for protocol in ["tcp", "udp"] {
        rules.push(servers::rule(master, master, protocol, None));
        rules.push(servers::rule(minion, master, protocol, None));
        rules.push(servers::rule(minion, minion, protocol, None));
    }
    for port in flannel::PORTS {
        rules.push(servers::rule(master, minion, "udp", Some(port)));
    }
    rules.push(servers::rule(master, minion, "tcp", Some(10250)));
    rules
}
