//! Each phase a second time, and after a reboot.

use crate::new_endpoint;
use crate::support::kubernetes::*;

fn everything(driver: &str) -> magnum_core::Cluster {
    let mut cluster = cluster_of(driver);
    label(&mut cluster, "cloud_provider_enabled", "true");
    let spec = &mut cluster.template;
    spec.registry_enabled = true;
    spec.insecure_registry = Some("registry.example:5000".into());
    if driver != COREOS {
        spec.docker_storage_driver = Some("overlay".into());
    }
    spec.https_proxy = Some("http://proxy.example:3129".into());
    cluster
}

#[test]
fn a_second_run_of_each_phase_changes_nothing() {
    let endpoint = new_endpoint();
    let all = KUBERNETES.into_iter().map(everything);
    for cluster in all.chain([kubernetes_cluster()]) {
        for role in crate::BOTH {
            let server = KubeServer::new(&cluster, role, &endpoint);
            server.comes_up();
            assert_eq!(server.signal()["status"], "SUCCESS");
            let before = server.snapshot();
            server.forget();
            endpoint.server.forget();
            server.configures();
            assert_eq!(server.snapshot(), before, "{role:?}: configure");
            assert!(
                endpoint.server.asked("/").is_empty(),
                "no new certificate is needed"
            );
            server.starts();
            assert_eq!(server.snapshot(), before, "{role:?}: start");
            let calls = server.commands();
            let changing = [
                "restart",
                "wipefs",
                "pvcreate",
                "vgcreate",
                "mkfs",
                "mount ",
                "pull",
                "docker cp",
                "curl",
            ];
            let found: Vec<_> = calls
                .iter()
                .filter(|c| changing.iter().any(|w| c.contains(w)))
                .collect();
            assert!(found.is_empty(), "{role:?}: {found:?}");
            assert!(server.signals().is_empty(), "it has reported already");
        }
    }
}

#[test]
fn after_a_reboot_the_start_alone_brings_everything_up_and_is_silent() {
    let endpoint = new_endpoint();
    for (driver, role) in KUBERNETES
        .into_iter()
        .flat_map(|driver| crate::BOTH.map(|role| (driver, role)))
    {
        let server = KubeServer::new(&everything(driver), role, &endpoint);
        server.comes_up();
        let before = server.snapshot();
        for entry in std::fs::read_dir(server.beside("active")).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        server.forget();
        server.starts();
        assert_eq!(server.snapshot(), before);
        let restarted: Vec<String> = server
            .commands()
            .into_iter()
            .filter(|c| c.contains("restart"))
            .collect();
        let expected: &[&str] = match role {
            Role::Master(_) if driver == COREOS => &["etcd", "kubelet", "flanneld"],
            Role::Master(_) => &["etcd", "kube-apiserver", "kubelet", "flanneld"],
            Role::Minion(_) => &["kubelet", "flanneld", "registry"],
        };
        let expected: Vec<String> = expected
            .iter()
            .map(|unit| format!("systemctl --no-block restart {unit}.service"))
            .collect();
        assert_eq!(restarted, expected);
        assert!(server.signals().is_empty() && server.commands_of("curl").is_empty());
    }
}

/// The stack does not wait any more: what a later boot finds wrong is for the journal.
#[test]
fn a_failure_after_the_report_is_not_signalled() {
    let endpoint = new_endpoint();
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    for role in crate::BOTH {
        let server = KubeServer::new(&cluster, role, &endpoint);
        server.comes_up();
        server.forget();
        server.fail_call("docker info");
        let output = server.start();
        assert!(!output.status.success());
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("get the programs failed"),
            "{output:?}"
        );
        assert!(server.signals().is_empty(), "{:?}", server.signals());
    }
}

#[test]
fn a_damaged_file_is_put_right() {
    let endpoint = new_endpoint();
    for role in crate::BOTH {
        let server = KubeServer::new(&kubernetes_cluster(), role, &endpoint);
        server.comes_up();
        let file = "/etc/systemd/system/kubelet.service";
        let before = server.read(file);
        server.write(file, "");
        server.configures();
        assert_eq!(server.read(file), before);
    }
}
