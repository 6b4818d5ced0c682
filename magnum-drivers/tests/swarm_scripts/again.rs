//! Each phase a second time, and after a reboot.

use crate::support::cluster_server::ClusterServer;
use crate::support::stacks::{BOTH, Role, SWARM, cluster_of};
use crate::{everything, new_endpoint, open};

#[test]
fn a_second_run_of_each_phase_changes_nothing() {
    let endpoint = new_endpoint();
    for cluster in [cluster_of(SWARM), everything()] {
        for role in BOTH {
            let server = ClusterServer::new(&cluster, role, &endpoint);
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
            let changing = ["restart", "wipefs", "pvcreate", "mkfs", "mount ", "docker cp"];
            let found: Vec<String> = server
                .commands()
                .into_iter()
                .filter(|call| changing.iter().any(|word| call.contains(word)))
                .collect();
            assert!(found.is_empty(), "{role:?}: {found:?}");
            assert!(server.signals().is_empty(), "it has reported already");
        }
    }
}

#[test]
fn after_a_reboot_the_start_alone_brings_everything_up_and_is_silent() {
    let endpoint = new_endpoint();
    for role in BOTH {
        let server = ClusterServer::new(&everything(), role, &endpoint);
        server.comes_up();
        let before = server.snapshot();
        for entry in std::fs::read_dir(server.beside("active")).unwrap() {
            let path = entry.unwrap().path();
            // That one has run before Docker.
            if path.file_name().unwrap() != "flannel-docker-bridge.service" {
                std::fs::remove_file(path).unwrap();
            }
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
            Role::Master(_) => &["etcd", "swarm-manager"],
            Role::Minion(_) => &["flanneld", "swarm-agent", "rexray", "registry"],
        };
        let expected: Vec<String> = expected
            .iter()
            .map(|unit| format!("systemctl --no-block restart {unit}.service"))
            .collect();
        assert_eq!(restarted, expected);
        assert!(server.signals().is_empty());
    }
}

/// The stack does not wait any more: what a later boot finds wrong is for the journal.
#[test]
fn a_failure_after_the_report_is_not_signalled() {
    let endpoint = new_endpoint();
    for role in BOTH {
        let server = ClusterServer::new(&open(), role, &endpoint);
        server.comes_up();
        server.forget();
        server.fail_call("docker pull docker.io/library/swarm:1.2.9");
        let output = server.start();
        assert!(!output.status.success());
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("get the programs failed"),
            "{output:?}"
        );
        assert!(server.signals().is_empty(), "{:?}", server.signals());
    }
}
