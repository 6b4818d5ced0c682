//! The node scripts of Swarm on Fedora Atomic, run for real: both roles, both phases, every option.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod failures;
mod networks;
mod options;
mod renewal;
mod tree;

use std::sync::LazyLock;

use magnum_core::Cluster;
use support::policy::Endpoint;
use support::stacks::{SWARM, cluster_of, driver_named};

/// A node endpoint for the tests that do not look at what it was asked.
static ENDPOINT: LazyLock<Endpoint> = LazyLock::new(new_endpoint);

fn new_endpoint() -> Endpoint {
    Endpoint::new(driver_named(SWARM).node_policy())
}

/// A cluster without TLS.
fn open() -> Cluster {
    let mut cluster = cluster_of(SWARM);
    cluster.template.tls_disabled = true;
    cluster
}

/// A cluster with everything that can be asked for together.
fn everything() -> Cluster {
    let mut cluster = cluster_of(SWARM);
    support::stacks::label(&mut cluster, "rexray_preempt", "true");
    support::stacks::label(&mut cluster, "swarm_strategy", "binpack");
    let spec = &mut cluster.template;
    spec.network_driver = Some("flannel".into());
    spec.volume_driver = Some("rexray".into());
    spec.registry_enabled = true;
    spec.insecure_registry = Some("registry.example:5000".into());
    spec.docker_storage_driver = Some("overlay".into());
    spec.https_proxy = Some("http://proxy.example:3129".into());
    cluster
}
