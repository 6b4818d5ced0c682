//! Whatever fails, Heat is told once, with the step and the cause.

use std::collections::BTreeSet;

use crate::support::stacks::{BOTH, Role, label};
use crate::{everything, plain, server};

/// Commands whose failure matters nothing, or only to a wait that has tests of its own.
fn may_fail(call: &str) -> bool {
    let harmless = [
        "sleep",
        "curl ",
        "udevadm",
        "docker version --format",
        "docker inspect",
        "docker rm",
        "mesos-master --version",
    ];
    harmless.iter().any(|start| call.starts_with(start)) || call.ends_with(" status")
}

#[test]
fn every_command_that_fails_is_reported() {
    let mut tried = 0;
    for cluster in [plain(), everything()] {
        for role in BOTH {
            let good = server(&cluster, role);
            good.configures();
            let home = good.directory.path().display().to_string();
            let calls: BTreeSet<String> = good.commands().into_iter().filter(|c| !may_fail(c)).collect();
            for call in calls {
                let server = server(&cluster, role);
                let call = call.replace(&home, &server.directory.path().display().to_string());
                server.fail_call(&call);
                let reason = server.reason(&server.configure());
                let (step, cause) = reason.split_once(": ").unwrap();
                let program = call.split(' ').next().unwrap();
                let said = cause.contains(program)
                    || (call == "docker version" && cause.contains("Docker does not answer"));
                assert!(!step.is_empty() && said, "{call}: {reason}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 15, "{tried}");
}

#[test]
fn what_does_not_answer_is_named() {
    for (role, said) in [
        (
            Role::Master(0),
            "wait for Mesos and Marathon: Mesos does not answer: no route",
        ),
        (
            Role::Minion(0),
            "start the slave: the masters do not know this slave: no route",
        ),
    ] {
        let server = server(&plain(), role);
        server.fail("mesos", "no route\n");
        assert_eq!(server.reason(&server.configure()), said);
    }
}

/// It names the master that it found before that one has answered.
#[test]
fn a_slave_that_has_only_found_a_master_has_not_joined() {
    let server = server(&plain(), Role::Minion(0));
    server.fail("mesos-state", r#"{"id":"","master_hostname":"10.0.0.10"}"#);
    let reason = server.reason(&server.configure());
    assert!(
        reason.starts_with("start the slave: the masters do not know this slave"),
        "{reason}"
    );
}

#[test]
fn a_file_of_variables_that_is_not_there_fails_the_slave_before_it_starts() {
    let mut cluster = plain();
    label(
        &mut cluster,
        "mesos_slave_executor_env_variables",
        "/etc/nowhere/variables.json",
    );
    let server = server(&cluster, Role::Minion(0));
    let reason = server.reason(&server.configure());
    assert!(
        reason.starts_with("configure Mesos: the file ") && reason.ends_with(" is not on this server"),
        "{reason}"
    );
    assert!(server.commands_of("service").is_empty());
}

#[test]
fn a_volume_that_never_comes_fails_the_slave() {
    let server = server(&everything(), Role::Minion(0));
    for entry in std::fs::read_dir(server.path("/dev/disk/by-id")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let reason = server.reason(&server.configure());
    assert!(
        reason.starts_with("prepare the storage of Docker: the volume 4f6c1f0e"),
        "{reason}"
    );
    assert!(server.commands_of("mkfs.ext4").is_empty());
}
