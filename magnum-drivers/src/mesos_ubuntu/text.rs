//! The texts of a Mesos stack: templates and scripts.

use magnum_core::{Result, StackTemplate};
use serde_json::{Value, json};

use super::descriptor;
use super::version::{DRIVER, VERSION};
use crate::common::{self, docker, driver_text, servers};

/// Fragments of these texts, beside those that all drivers share.
const FRAGMENTS: [(&str, &str); 6] = [
    ("mesos.sh", include_str!("templates/mesos.sh")),
    ("cinder_volume.sh", docker::VOLUME),
    ("mesos_server.yaml", include_str!("templates/mesos_server.yaml")),
    ("mesos_slave.yaml", include_str!("templates/mesos_slave.yaml")),
    (
        "mesos_arguments.yaml",
        include_str!("templates/mesos_arguments.yaml"),
    ),
    ("mesos_values.yaml", include_str!("templates/mesos_values.yaml")),
];

/// The templates and scripts that the top template refers to.
const FILES: [(&str, &str); 5] = [
    (
        "mesosmaster_port.yaml",
        include_str!("templates/mesosmaster_port.yaml"),
    ),
    ("mesosmaster.yaml", include_str!("templates/mesosmaster.yaml")),
    ("mesosmaster.sh", include_str!("templates/mesosmaster.sh")),
    ("mesosslave.yaml", include_str!("templates/mesosslave.yaml")),
    ("mesosslave.sh", include_str!("templates/mesosslave.sh")),
];

/// Parameters that the top template hands on to masters and slaves alike.
const PASSED: [&str; 5] = [
    "cluster_uuid",
    "wait_condition_timeout",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Parameters that it hands on to slaves only.
const SLAVE_PASSED: [&str; 15] = [
    "docker_volume_size",
    "executor_registration_timeout",
    "mesos_slave_isolation",
    "mesos_slave_image_providers",
    "mesos_slave_work_dir",
    "mesos_slave_executor_env_file",
    "mesos_slave_executor_env_variables",
    "volume_driver",
    "rexray_preempt",
    "auth_url",
    "openstack_ca",
    "region_name",
    "trustee_user_id",
    "trustee_password",
    "trust_id",
];

pub(super) fn assemble() -> Result<StackTemplate> {
    let text = FRAGMENTS
        .into_iter()
        .try_fold(driver_text()?, |text, (name, fragment)| {
            text.with_fragment(name, fragment)
        })?;
    common::assemble(
        &text,
        include_str!("templates/mesoscluster.yaml"),
        &FILES,
        &values(),
    )
}

fn values() -> Value {
    json!({
        "driver": DRIVER,
        "version": VERSION,
        "login": "ubuntu",
        "cloud_ca": "/etc/ssl/certs/openstack-ca.pem",
        "flannel": false,
        "api_port": "marathon_port",
        "tasks": [descriptor::TASKS.0, descriptor::TASKS.1],
        "max_masters": descriptor::MAX_MASTERS,
        "max_slaves": descriptor::MAX_SLAVES,
        "fixed_network_cidr": servers::NETWORK_CIDR,
        "rexray_image": descriptor::REXRAY_IMAGE,
        "passed": PASSED,
        "slave_passed": SLAVE_PASSED,
        "cluster_rules": cluster_rules(),
    })
}

/// What the cluster's servers may say to each other: everything over TCP, because Mesos and its frameworks choose many
/// of their ports anew at each start.
pub(super) fn cluster_rules() -> Vec<Value> {
    let (master, slave) = ("mesos_master", "mesos_slave");
    let pairs = [(master, master), (master, slave), (slave, master), (slave, slave)];
    pairs
        .into_iter()
        .map(|(to, from)| servers::rule(to, from, "tcp", None))
        .collect()
}
