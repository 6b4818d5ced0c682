//! The node scripts of Mesos on Ubuntu, run for real, and the hooks that build its image.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod failures;
mod image;
mod options;
mod tree;

use magnum_core::Cluster;
use support::cluster_server::ClusterServer;
use support::stacks::{MESOS, Role, cluster_of, label};

/// A server that is not patient.
fn server(cluster: &Cluster, role: Role) -> ClusterServer {
    ClusterServer::with(cluster, role, "https://magnum.example", |cloud| {
        cloud.wait = Some(1)
    })
}

fn plain() -> Cluster {
    cluster_of(MESOS)
}

/// A cluster with everything that can be asked for together.
fn everything() -> Cluster {
    let mut cluster = plain();
    for (key, value) in [
        ("rexray_preempt", "true"),
        ("mesos_slave_isolation", "cgroups/cpu,cgroups/mem,docker/runtime"),
        ("mesos_slave_image_providers", "appc,docker"),
        ("mesos_slave_work_dir", "/tmp/mesos"),
        (
            "mesos_slave_executor_env_variables",
            r#"{"PATH": "/bin:/usr/bin", "IT'S": "$(id) \"quoted\""}"#,
        ),
    ] {
        label(&mut cluster, key, value);
    }
    let spec = &mut cluster.template;
    spec.volume_driver = Some("rexray".into());
    spec.docker_volume_size = Some(4);
    spec.http_proxy = Some("http://user:p%40ss@proxy.example:3128".into());
    spec.no_proxy = Some("example.org".into());
    cluster
}
