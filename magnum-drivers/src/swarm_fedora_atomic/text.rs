//! The texts of a Swarm stack: templates, scripts, and what users should know.

use magnum_core::{Result, StackTemplate};
use serde_json::{Value, json};

use super::descriptor;
use super::version::{DRIVER, VERSION};
use crate::common::{self, docker, driver_text, servers};

/// Fragments of these texts, beside those that all drivers share.
const FRAGMENTS: [(&str, &str); 6] = [
    ("swarm.sh", include_str!("templates/swarm.sh")),
    ("docker_network.sh", include_str!("templates/docker_network.sh")),
    ("swarm_server.yaml", include_str!("templates/swarm_server.yaml")),
    ("swarm_node.yaml", include_str!("templates/swarm_node.yaml")),
    (
        "swarm_arguments.yaml",
        include_str!("templates/swarm_arguments.yaml"),
    ),
    ("swarm_values.yaml", include_str!("templates/swarm_values.yaml")),
];

/// The templates and scripts that the top template refers to.
const FILES: [(&str, &str); 5] = [
    (
        "swarmmaster_port.yaml",
        include_str!("templates/swarmmaster_port.yaml"),
    ),
    ("swarmmaster.yaml", include_str!("templates/swarmmaster.yaml")),
    ("swarmmaster.sh", include_str!("templates/swarmmaster.sh")),
    ("swarmnode.yaml", include_str!("templates/swarmnode.yaml")),
    ("swarmnode.sh", include_str!("templates/swarmnode.sh")),
];

/// Parameters that the top template hands on to managers and nodes alike.
const PASSED: [&str; 13] = [
    "network_driver",
    "swarm_version",
    "docker_volume_size",
    "docker_storage_driver",
    "tls_disabled",
    "cluster_uuid",
    "insecure_registry_url",
    "wait_condition_timeout",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "node_endpoint_url",
    "node_endpoint_ca",
];

/// Parameters that it hands on to nodes only.
const NODE_PASSED: [&str; 15] = [
    "volume_driver",
    "rexray_preempt",
    "auth_url",
    "openstack_ca",
    "region_name",
    "trustee_user_id",
    "trustee_password",
    "trust_id",
    "registry_enabled",
    "registry_port",
    "registry_container",
    "registry_chunksize",
    "trustee_username",
    "trustee_domain_id",
    "trustee_domain_name",
];

/// The templates, and the notes.
pub(super) fn assemble() -> Result<(StackTemplate, String)> {
    let docker = [docker::VOLUME, docker::FEDORA].join("\n");
    let text = FRAGMENTS
        .into_iter()
        .chain([("docker.sh", docker.as_str())])
        .try_fold(driver_text()?, |text, (name, fragment)| {
            text.with_fragment(name, fragment)
        })?;
    let values = values();
    let template = common::assemble(&text, include_str!("templates/cluster.yaml"), &FILES, &values)?;
    Ok((template, text.assemble(include_str!("notes.md"), &values)?))
}

fn values() -> Value {
    json!({
        "driver": DRIVER,
        "version": VERSION,
        "login": "fedora",
        "programs": "/usr/local/bin",
        "cloud_ca": "/etc/docker/openstack-ca.crt",
        "flannel": true,
        "volumes": true,
        "storage": true,
        "api_port": "swarm_port",
        "port": descriptor::PORT,
        "docker_port": descriptor::DOCKER_PORT,
        "published": [descriptor::PUBLISHED.0, descriptor::PUBLISHED.1],
        "max_masters": descriptor::MAX_MASTERS,
        "max_nodes": descriptor::MAX_NODES,
        "fixed_network_cidr": servers::NETWORK_CIDR,
        "default_version": descriptor::SWARM,
        "versions": descriptor::VERSIONS,
        "etcd_version": descriptor::ETCD,
        "flannel_version": descriptor::FLANNEL,
        "rexray_tag": descriptor::REXRAY,
        "registry_image": format!("docker.io/library/registry:{}", descriptor::REGISTRY),
        "docker_registry": "docker.io/library",
        "rexray_registry": "docker.io/openstackmagnum",
        "etcd_registry": "quay.io/coreos",
        "flannel_registry": "quay.io/coreos",
        "passed": PASSED,
        "node_passed": NODE_PASSED,
        "cluster_rules": cluster_rules(),
    })
}

/// What the cluster's servers may say to each other: managers everything, nodes to managers what goes to etcd, managers
/// to nodes what goes to Docker, and nodes everything but that, because their containers' networks are between them.
pub(super) fn cluster_rules() -> Vec<Value> {
    let (master, node) = ("swarm_master", "swarm_node");
    let [below, above] = servers::rules_without(node, node, "tcp", descriptor::DOCKER_PORT);
    vec![
        servers::rule(master, master, "tcp", None),
        servers::rule(master, node, "tcp", Some(2379)),
        servers::rule(node, master, "tcp", Some(descriptor::DOCKER_PORT)),
        below,
        above,
        servers::rule(node, node, "udp", None),
    ]
}
