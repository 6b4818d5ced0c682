//! Whatever fails, Heat is told once, with the step and the cause.

use std::collections::BTreeSet;

use crate::support::authority::endpoint_url;
use crate::support::kubernetes::*;
use crate::{BOTH, ENDPOINT};

/// Commands whose failure matters nothing, or only to a wait that has tests of its own.
fn may_fail(call: &str) -> bool {
    [
        "sleep",
        "curl ",
        "udevadm",
        "restorecon",
        "docker version --format",
        "systemctl --quiet is-active",
        "systemctl --quiet mask",
        "findmnt",
    ]
    .iter()
    .any(|start| call.starts_with(start))
}

fn impatient(cluster: &magnum_core::Cluster, role: Role) -> KubeServer {
    KubeServer::with(cluster, role, &endpoint_url(&ENDPOINT.server), |cloud| {
        cloud.wait = Some(1)
    })
}

fn distinct(calls: Vec<String>) -> BTreeSet<String> {
    calls.into_iter().filter(|call| !may_fail(call)).collect()
}

/// The words of a call by which a reason can name it.
fn named(reason: &str, call: &str) -> bool {
    let words: Vec<&str> = call.split(' ').collect();
    let program = words[0];
    let waits = [
        ("docker version", "Docker does not answer"),
        ("kubectl", "the API does not answer"),
        ("kubectl", "the add-ons are refused"),
        ("kubectl", "Kubernetes does not know the node"),
    ];
    reason.contains(program)
        || waits
            .iter()
            .any(|(start, said)| call.starts_with(start) && reason.contains(said))
        || (program == "uname" && reason.contains("kernel"))
}

#[test]
fn every_command_of_the_first_phase_that_fails_is_reported() {
    let mut tried = 0;
    for (driver, storage) in [
        (ATOMIC, Some("devicemapper")),
        (ATOMIC, Some("overlay")),
        (COREOS, None),
        (IRONIC, Some("overlay")),
    ] {
        for role in BOTH {
            let mut cluster = cluster_of(driver);
            cluster.template.tls_disabled = true;
            cluster.template.docker_storage_driver = storage.map(ToOwned::to_owned);
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
    assert!(tried >= 30, "{tried}");
}

#[test]
fn every_command_of_the_second_phase_that_fails_is_reported() {
    let mut tried = 0;
    let servers = [ATOMIC, COREOS]
        .into_iter()
        .flat_map(|driver| BOTH.map(|role| (driver, role)));
    for (driver, role) in servers {
        let mut cluster = cluster_of(driver);
        cluster.template.tls_disabled = true;
        label(&mut cluster, "cloud_provider_enabled", "true");
        cluster.template.registry_enabled = true;
        let server = impatient(&cluster, role);
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
    assert!(tried >= 60, "{tried}");
}

#[test]
fn what_may_fail_does_not_fail_the_server() {
    for role in BOTH {
        let mut cluster = kubernetes_cluster();
        cluster.template.tls_disabled = true;
        let server = impatient(&cluster, role);
        server.fail("restorecon", "no SELinux here");
        server.configures();
        server.fail_call("docker version --format {{.Server.Version}}");
        server.starts();
        assert_eq!(server.signal()["status"], "SUCCESS");
        assert_eq!(server.signal()["data"], "");
    }
}

#[test]
fn a_signal_that_stops_the_script_is_reported() {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    let server = impatient(&cluster, Role::Minion(0));
    let path = server.beside("bin/wipefs");
    std::fs::write(&path, "#!/bin/bash\nkill -TERM $PPID\n").unwrap();
    let reason = server.reason(&server.configure());
    assert_eq!(reason, "prepare the storage of Docker: stopped by a signal");
}

#[test]
fn a_failed_first_start_can_be_repaired_by_a_reboot() {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    let server = impatient(&cluster, Role::Master(0));
    server.configures();
    server.fail_call("docker rm container");
    server.reason(&server.start());
    std::fs::remove_file(server.beside("fail-call")).unwrap();
    server.forget();
    server.starts();
    assert_eq!(server.signal()["status"], "SUCCESS");
}

#[test]
fn a_server_without_a_network_for_pods_has_not_joined() {
    for role in BOTH {
        let mut cluster = kubernetes_cluster();
        cluster.template.tls_disabled = true;
        let server = impatient(&cluster, role);
        server.configures();
        server.fail("flannel", "");
        assert_eq!(
            server.reason(&server.start()),
            "join the network of the pods: flannel has no network for this server: flannel says why"
        );
    }
}

#[test]
fn pods_are_kept_from_the_metadata_before_the_kubelet_runs() {
    let server = KubeServer::new(&kubernetes_cluster(), Role::Minion(0), &ENDPOINT);
    server.configures();
    let unit = server.plain("/etc/systemd/system/kubelet.service");
    assert!(
        unit.contains("\nExecStartPre=/bin/bash /usr/local/bin/magnum-guard\n"),
        "{unit}"
    );
    for guarded in [false, true] {
        server.forget();
        if guarded {
            std::fs::write(server.beside("guarded"), "").unwrap();
        }
        let output = std::process::Command::new("/bin/bash")
            .arg(server.path("/usr/local/bin/magnum-guard"))
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", server.beside("bin").display()),
            )
            .env("SCRATCH_HOME", server.directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let rule = "FORWARD --source 10.100.0.0/16 --destination 169.254.169.254/32 --jump DROP";
        let mut expected = vec![format!("iptables --wait --check {rule}")];
        if !guarded {
            expected.push(format!("iptables --wait --insert {rule}"));
        }
        assert_eq!(server.commands(), expected);
    }
}
