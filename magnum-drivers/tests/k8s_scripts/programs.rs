//! Where programs and images come from.

use crate::support::kubernetes::*;
use crate::{BOTH, ENDPOINT};

#[test]
fn with_an_insecure_registry_everything_comes_from_there() {
    for host in [
        "registry.example:5000",
        "[2001:db8::1]:5000",
        &format!("{}.example:5000", "a".repeat(230)),
    ] {
        let mut cluster = kubernetes_cluster();
        cluster.template.tls_disabled = true;
        cluster.template.insecure_registry = Some(host.into());
        for role in BOTH {
            let server = KubeServer::new(&cluster, role, &ENDPOINT);
            server.comes_up();
            let pulls = server
                .commands_of("docker")
                .into_iter()
                .filter(|c| c.contains(" pull "))
                .collect::<Vec<_>>();
            let mut expected = vec!["hyperkube:v1.15.7", "flannel:v0.11.0-amd64"];
            if role == Role::Master(0) {
                expected.push("etcd:v3.3.10");
                assert!(
                    server
                        .plain("/etc/kubernetes/addons/dns.yaml")
                        .contains(&format!("image: \"{host}/google_containers/coredns:1.3.1\""))
                );
            }
            let expected: Vec<String> = expected
                .into_iter()
                .map(|i| format!("docker pull {host}/google_containers/{i}"))
                .collect();
            assert_eq!(pulls, expected);
            assert!(server.arguments("/etc/kubernetes/kubelet").contains(&format!(
                "--pod-infra-container-image={host}/google_containers/pause:3.1"
            )));
            assert_eq!(
                server.read("/etc/sysconfig/docker"),
                format!(
                    "OPTIONS='--selinux-enabled --log-driver=journald'\nINSECURE_REGISTRY='--insecure-registry {host}'\n"
                )
            );
        }
    }
}

#[test]
fn a_pull_that_fails_is_tried_again() {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    let server = KubeServer::new(&cluster, Role::Minion(0), &ENDPOINT);
    server.configures();
    server.fail_call("docker pull registry.k8s.io/hyperkube:v1.15.7");
    let reason = server.reason(&server.start());
    assert_eq!(
        reason,
        "get the programs: docker pull registry.k8s.io/hyperkube:v1.15.7: docker is out of order"
    );
    assert_eq!(
        server
            .commands_of("docker")
            .iter()
            .filter(|c| c.contains(" pull "))
            .count(),
        20
    );
    assert!(!server.path("/usr/local/bin/hyperkube").exists());
}

#[test]
fn another_version_replaces_the_programs() {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    let server = KubeServer::new(&cluster, Role::Minion(0), &ENDPOINT);
    server.comes_up();
    let script = server.read(PROGRAM).replace("v1.15.7", "v1.15.12");
    server.write(PROGRAM, &script);
    server.forget();
    server.starts();
    let calls = crate::tree::commands(&server);
    assert!(
        calls.contains(&"docker pull registry.k8s.io/hyperkube:v1.15.12".to_owned()),
        "{calls:?}"
    );
    assert!(
        calls.contains(&"systemctl --no-block restart kubelet.service".to_owned()),
        "{calls:?}"
    );
}
