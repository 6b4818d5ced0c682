//! Whatever fails, Heat is told once, with the step and the cause.

use std::collections::BTreeSet;

use magnum_core::Cluster;

use crate::support::authority::endpoint_url;
use crate::support::cluster_server::ClusterServer;
use crate::support::stacks::{BOTH, Role};
use crate::{ENDPOINT, everything, open};

/// Commands whose failure matters nothing, or only to a wait that has tests of its own.
fn may_fail(call: &str) -> bool {
    [
        "sleep",
        "curl ",
        "etcd ",
        "udevadm",
        "restorecon",
        "docker version --format",
        "systemctl --quiet is-active",
    ]
    .iter()
    .any(|start| call.starts_with(start))
}

fn impatient(cluster: &Cluster, role: Role) -> ClusterServer {
    ClusterServer::with(cluster, role, &endpoint_url(&ENDPOINT.server), |cloud| {
        cloud.wait = Some(1)
    })
}

fn distinct(calls: Vec<String>) -> BTreeSet<String> {
    calls.into_iter().filter(|call| !may_fail(call)).collect()
}

/// The words of a call by which a reason can name it.
fn named(reason: &str, call: &str) -> bool {
    let program = call.split(' ').next().unwrap();
    let waits = [
        ("docker version", "Docker does not answer"),
        ("docker --host", "Swarm does not answer"),
    ];
    reason.contains(program)
        || waits
            .iter()
            .any(|(start, said)| call.starts_with(start) && reason.contains(said))
        || (program == "uname" && reason.contains("kernel"))
}

/// Without TLS, with all else.
fn most() -> Cluster {
    let mut cluster = everything();
    cluster.template.tls_disabled = true;
    cluster
}

#[test]
fn every_command_of_the_first_phase_that_fails_is_reported() {
    let mut tried = 0;
    for cluster in [open(), most()] {
        for role in BOTH {
            let good = impatient(&cluster, role);
            good.configures();
            let home = good.directory.path().display().to_string();
            for call in distinct(good.commands()) {
                let server = impatient(&cluster, role);
                let call = call.replace(&home, &server.directory.path().display().to_string());
                server.fail_call(&call);
                let reason = server.reason(&server.configure());
                let (step, cause) = reason.split_once(": ").unwrap();
                assert!(!step.is_empty() && named(cause, &call), "{call}: {reason}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn every_command_of_the_second_phase_that_fails_is_reported() {
    let mut tried = 0;
    for role in BOTH {
        let server = impatient(&most(), role);
        server.configures();
        server.unstart();
        server.starts();
        let calls = distinct(server.commands());
        for call in calls {
            server.unstart();
            server.fail_call(&call);
            let reason = server.reason(&server.start());
            let (step, cause) = reason.split_once(": ").unwrap();
            assert!(!step.is_empty() && named(cause, &call), "{call}: {reason}");
            tried += 1;
        }
        std::fs::remove_file(server.beside("fail-call")).unwrap();
        server.unstart();
        server.starts();
        assert_eq!(server.signal()["status"], "SUCCESS");
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn without_etcd_neither_works_and_both_say_so() {
    for (role, said) in [
        (Role::Master(0), "start etcd: etcd does not answer: etcd is away"),
        (
            Role::Minion(0),
            "start Swarm: the managers do not know the node 10.0.0.60: etcd is away",
        ),
    ] {
        let server = impatient(&open(), role);
        server.configures();
        server.fail("etcd", "etcd is away\n");
        assert_eq!(server.reason(&server.start()), said);
    }
}

#[test]
fn a_node_without_its_part_of_the_network_has_not_joined() {
    let server = impatient(&most(), Role::Minion(0));
    server.configures();
    server.fail("flannel", "");
    assert_eq!(
        server.reason(&server.start()),
        "join the network of the containers: flannel has no network for this server: flannel says why"
    );
}
