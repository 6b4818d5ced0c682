//! A second run.

use crate::support::stacks::BOTH;
use crate::{everything, plain, server};

#[test]
fn a_second_run_changes_nothing_and_restarts_nothing() {
    for cluster in [plain(), everything()] {
        for role in BOTH {
            let server = server(&cluster, role);
            server.configures();
            let before = server.snapshot();
            server.forget();
            server.configures();
            assert_eq!(server.snapshot(), before, "{role:?}");
            let changing = ["start", "wipefs", "mkfs", "mount /var", "docker run", "docker rm"];
            let found: Vec<String> = server
                .commands()
                .into_iter()
                .filter(|call| changing.iter().any(|word| call.contains(word)))
                .collect();
            assert!(found.is_empty(), "{role:?}: {found:?}");
        }
    }
}

/// Upstart starts them at each boot, because the image's files that forbid it are gone.
#[test]
fn what_a_server_is_starts_at_each_boot_and_nothing_else() {
    for (role, starts, stays) in [
        (
            BOTH[0],
            &["docker", "zookeeper", "mesos-master", "marathon"][..],
            &["mesos-slave"][..],
        ),
        (
            BOTH[1],
            &["docker", "mesos-slave"],
            &["zookeeper", "mesos-master", "marathon"],
        ),
    ] {
        let server = server(&plain(), role);
        server.configures();
        for name in starts {
            assert!(
                !server.path(&format!("/etc/init/{name}.override")).exists(),
                "{name}"
            );
        }
        for name in stays {
            assert!(
                server.path(&format!("/etc/init/{name}.override")).exists(),
                "{name}"
            );
        }
        let started: Vec<String> = server
            .commands_of("service")
            .into_iter()
            .filter(|call| call.ends_with(" start"))
            .collect();
        let expected: Vec<String> = starts
            .iter()
            .map(|name| format!("service {name} start"))
            .collect();
        assert_eq!(started, expected);
    }
}

#[test]
fn a_changed_option_restarts_what_reads_it() {
    let server = server(&plain(), BOTH[1]);
    server.configures();
    server.forget();
    server.write("/etc/mesos-slave/ip", "10.9.9.9\n");
    server.configures();
    assert!(
        server
            .commands()
            .contains(&"service mesos-slave restart".to_owned()),
        "{:?}",
        server.commands()
    );
    assert_eq!(server.read("/etc/mesos-slave/ip"), "10.0.0.60\n");
}
